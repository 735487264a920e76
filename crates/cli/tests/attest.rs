//! Attestations as a person uses them.

// A test may stop at what it did not expect, and reads only what it made itself.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// A folder with models, data, keys and the program.
struct Bench(tempfile::TempDir);

impl Bench {
    fn new() -> Self {
        let bench = Self(tempfile::tempdir().unwrap());
        for (name, text) in [
            ("tuned/weights.safetensors.txt", "weights"),
            ("tuned/config.json", "{}"),
            ("tuned/.git/HEAD", "ref"),
            ("models/base/weights.txt", "base"),
            ("data/train.csv", "a,b\n1,2\n"),
            ("evil/model.pkl", "cos\nsystem\n(S'echo waag-inert'\ntR."),
            (
                "results.json",
                r#"{"result":"PASSED","configuration":[{"name":"suite.yaml"}],"passedTests":["perplexity"],"tool":"x"}"#,
            ),
            ("wrong.json", r#"{"result":"PASSED","configuration":[{}]}"#),
            ("twice.json", r#"{"result":"PASSED","result":"FAILED","configuration":[]}"#),
            ("key.pem", include_str!("signing/private.pem")),
            ("key.pub.pem", include_str!("signing/public.pem")),
        ] {
            bench.write(name, text);
        }
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        std::fs::write(self.path(name), text).unwrap();
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_waag"));
        command.current_dir(self.0.path()).args(arguments.split_whitespace());
        command.env("NO_COLOR", "1").env("SOURCE_DATE_EPOCH", "1795780800");
        command
    }

    fn output(&self, arguments: &str) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What is said on both ends, and the exit code.
    fn page(&self, arguments: &str) -> String {
        let output = self.output(arguments);
        let folder = self.0.path().canonicalize().unwrap().display().to_string();
        let scrubbed = |text: &str| text.replace(env!("CARGO_PKG_VERSION"), "[version]").replace(&folder, "[folder]");
        let text = |bytes: &[u8]| scrubbed(&String::from_utf8_lossy(bytes));
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        format!("{out}{}{err}exit {}\n", if err.is_empty() { "" } else { "-- stderr\n" }, output.status.code().unwrap())
    }

    fn good(&self, arguments: &str) -> Output {
        let output = self.output(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        output
    }
}

const FINE_TUNE: &str = "attest tuned --type provenance --build-type fine-tune --dependency base-model=models/base \
    --dependency dataset=data/train.csv \
    --dependency code=git+https://example.org/train@gitCommit:4c76bb580b2736d67751410fa4ab66d2b6b9b27d \
    --parameter method=lora --parameter seed=42 --parameter luck=1 --key key.pem --output tuned.json";

#[test]
fn a_step_is_attested_and_verified() {
    let bench = Bench::new();
    insta::assert_snapshot!("attest-provenance", bench.page(FINE_TUNE));
    insta::assert_snapshot!("attest-provenance-bundle", std::fs::read_to_string(bench.path("tuned.json")).unwrap());
    let verify = "verify tuned --attestation tuned.json --key key.pub.pem";
    insta::assert_snapshot!("attest-verify", bench.page(verify));
    insta::assert_snapshot!("attest-verify-json", bench.page(&format!("{verify} --format json")));
    let part = "verify tuned/config.json --attestation tuned.json --key key.pub.pem --type provenance";
    insta::assert_snapshot!("attest-verify-part", bench.page(&format!("{part} --build-type merge --source pkg:x/y")));
    bench.good(&format!(
        "{part} --build-type fine-tune --source train.csv --builder-id https://waag.dev/builders/declared/v1"
    ));
    bench.write("tuned/config.json", "[]");
    bench.write("tuned/more\u{202e}.py", "");
    insta::assert_snapshot!("attest-verify-changed", bench.page(verify));
}

#[test]
fn a_verdict_says_what_the_policy_makes_of_it() {
    let bench = Bench::new();
    bench.write("waag.toml", "[policy]\ndeny-at = 'medium'\n");
    insta::assert_snapshot!("attest-verdict", bench.page("attest tuned --type verdict --key key.pem --output v.json"));
    insta::assert_snapshot!("attest-verdict-bad", bench.page("attest evil --type verdict --key key.pem -o evil.json"));
    insta::assert_snapshot!(
        "attest-verdict-bad-verified",
        bench.page("verify evil --attestation evil.json --key key.pub.pem")
    );
    insta::assert_snapshot!("attest-scan", bench.page("attest evil --type scan --key key.pem --output s.json"));
    bench.good("verify tuned --attestation v.json --key key.pub.pem --type verdict");
}

#[test]
fn what_nobody_signed_is_written_to_stdout_and_never_verifies() {
    let bench = Bench::new();
    let written = bench.good("attest tuned --type test-result --predicate results.json --unsigned");
    insta::assert_snapshot!("attest-unsigned", String::from_utf8(written.stdout.clone()).unwrap());
    insta::assert_snapshot!("attest-unsigned-talk", String::from_utf8(written.stderr).unwrap());
    std::fs::write(bench.path("u.json"), written.stdout).unwrap();
    insta::assert_snapshot!(
        "attest-verify-unsigned",
        bench.page("verify tuned --attestation u.json --key key.pub.pem")
    );
}

#[test]
fn several_attestations_are_one_file() {
    let bench = Bench::new();
    bench.good(FINE_TUNE);
    bench.good("attest tuned --type test-result --predicate results.json --key key.pem --output tests.json");
    let both =
        [std::fs::read(bench.path("tuned.json")).unwrap(), std::fs::read(bench.path("tests.json")).unwrap()].concat();
    std::fs::write(bench.path("all.jsonl"), both).unwrap();
    let policy = "[[trust.signer]]\nname = 'release'\nkey = 'key.pub.pem'\n[[trust.rule]]\nsubject = 'tuned'\nsigners = ['release']\n";
    bench.write("waag.toml", policy);
    insta::assert_snapshot!("attest-verify-lines", bench.page("verify tuned --attestation all.jsonl"));
    insta::assert_snapshot!("attest-verify-no-type", bench.page("verify tuned --attestation all.jsonl --type scan"));
}

#[test]
fn attesting_says_what_is_wrong() {
    let bench = Bench::new();
    for (name, arguments) in [
        ("predicate", "attest tuned --type test-result --predicate wrong.json --unsigned"),
        ("twice", "attest tuned --type test-result --predicate twice.json --unsigned"),
        ("no-predicate", "attest tuned --type scai --unsigned"),
        ("no-step", "attest tuned --type provenance --unsigned"),
        ("no-signer", "attest tuned --type scan"),
        ("role", "attest tuned --type provenance --build-type train --dependency parent=data --unsigned"),
        ("not-there", "attest tuned --type provenance --build-type train --dependency dataset=none.csv --unsigned"),
        ("type", "attest tuned --type signature --unsigned"),
        ("option", "attest tuned --type scan --resource-uri https://example.org --unsigned"),
        ("subject", "attest none --type scan --unsigned"),
        ("nowhere", "attest tuned --type scan --unsigned --output none/a.json"),
    ] {
        insta::assert_snapshot!(format!("attest-error-{name}"), bench.page(arguments));
    }
}

#[test]
fn a_predicate_may_come_from_stdin() {
    let bench = Bench::new();
    let mut command = bench.command("attest data/train.csv --type spdx --predicate - --unsigned");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let document = br#"{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","name":"train"}"#;
    child.stdin.take().unwrap().write_all(document).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert!(output.stdout.starts_with(b"{\"payload\":"));
}

#[test]
fn the_same_gives_the_same_bytes_wherever_it_lies() {
    let bytes = |arguments: &str| {
        let bench = Bench::new();
        bench.good(arguments);
        std::fs::read(bench.path("a.json")).unwrap()
    };
    for kind in ["scan", "verdict"] {
        let arguments = format!("attest tuned --type {kind} --key key.pem --output a.json");
        assert_eq!(bytes(&arguments), bytes(&arguments), "{kind}");
    }
}

#[test]
fn an_attestation_may_lie_in_the_folder_that_it_is_about() {
    let bench = Bench::new();
    bench.good("attest tuned --type scan --key key.pem --output tuned/scan.json");
    bench.good("verify tuned --attestation tuned/scan.json --key key.pub.pem --strict");
}
