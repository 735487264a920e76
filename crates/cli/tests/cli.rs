//! The real binary, as a shell sees it: help, usage errors, exit codes, and where output goes.

// A test may stop at what it did not expect, and reads only what it made itself.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// A folder to run in, with an environment that holds nothing of the tester's.
struct Waag {
    folder: tempfile::TempDir,
}

impl Waag {
    fn new() -> Self {
        let waag = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::write(waag.path("notes.txt"), "nothing to load\n").unwrap();
        waag
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_waag"));
        command.args(arguments).current_dir(self.folder.path()).env_clear();
        command
    }

    fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Exit code, stdout and stderr on one page, with paths and versions replaced.
    fn page(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        let text = |bytes: &[u8]| self.scrub(std::str::from_utf8(bytes).unwrap());
        let code = output.status.code().unwrap();
        format!("exit: {code}\n--- stdout\n{}--- stderr\n{}", text(&output.stdout), text(&output.stderr))
    }

    fn scrub(&self, text: &str) -> String {
        let real = self.folder.path().canonicalize().unwrap();
        let scrub = |text: String, folder: &Path| text.replace(folder.to_str().unwrap(), "[folder]");
        let text = scrub(scrub(text.to_owned(), &real), self.folder.path());
        text.replace(env!("CARGO_PKG_VERSION"), "[version]").replace("waag.exe", "waag")
    }
}

#[test]
fn help_is_short_or_long() {
    let waag = Waag::new();
    insta::assert_snapshot!("help-short", waag.page(&["-h"]));
    insta::assert_snapshot!("help-long", waag.page(&["--help"]));
    insta::assert_snapshot!("help-check-long", waag.page(&["check", "--help"]));
    insta::assert_snapshot!("help-diff-long", waag.page(&["diff", "--help"]));
    insta::assert_snapshot!("help-run-long", waag.page(&["run", "--help"]));
    for command in [
        "check",
        "scan",
        "show",
        "hash",
        "sign",
        "attest",
        "verify",
        "lock",
        "fetch",
        "convert",
        "deps",
        "diff",
        "lineage",
        "ledger",
        "run",
        "explain",
        "formats",
        "trust",
        "import",
        "completions",
        "man",
    ] {
        insta::assert_snapshot!(format!("help-{command}"), waag.page(&[command, "-h"]));
    }
}

#[test]
fn no_command_is_a_usage_error() {
    let waag = Waag::new();
    let output = waag.output(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty(), "stdout is data");
}

#[test]
fn mistakes_are_explained() {
    let waag = Waag::new();
    std::fs::write(waag.path("wrong.toml"), "[policy]\ndeny-at = 'severe'\n").unwrap();
    insta::assert_snapshot!("error-no-path", waag.page(&["check"]));
    insta::assert_snapshot!("error-format", waag.page(&["check", "--format", "xml", "notes.txt"]));
    insta::assert_snapshot!("error-command", waag.page(&["chekc", "notes.txt"]));
    insta::assert_snapshot!("error-config-missing", waag.page(&["check", "--config", "none.toml", "notes.txt"]));
    insta::assert_snapshot!("error-config-wrong", waag.page(&["check", "--config", "wrong.toml", "notes.txt"]));
    insta::assert_snapshot!("error-output", waag.page(&["check", "--output", "none/report.html", "notes.txt"]));
}

#[test]
fn a_path_that_is_not_there_is_no_verdict() {
    let waag = Waag::new();
    for command in ["check", "scan", "show"] {
        let output = waag.output(&[command, "none\u{1b}[31m.pt"]);
        assert_eq!(output.status.code(), Some(2), "{command}");
        assert!(output.stdout.is_empty() && output.stderr.starts_with(b"error: "), "{command}");
        assert!(!output.stderr.contains(&0x1b), "{command}");
    }
}

#[test]
fn an_unknown_rule_is_no_page() {
    let output = Waag::new().output(&["explain", "no-such-rule-at-all"]);
    let talk = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(talk.starts_with("error: there is no rule 'no-such-rule-at-all'\n\nhint: "), "{talk}");
}

#[test]
fn every_format_is_written_to_stdout_or_to_a_file() {
    let waag = Waag::new();
    for format in ["plain", "json", "sarif", "github", "html"] {
        let shown = waag.output(&["check", "--format", format, "notes.txt"]);
        assert_eq!(shown.status.code(), Some(0), "{format}");
        let filed = waag.output(&["check", "--format", format, "--output", "report", "notes.txt"]);
        assert!(filed.stdout.is_empty(), "{format}");
        assert_eq!(std::fs::read(waag.path("report")).unwrap(), shown.stdout, "{format}");
    }
}

#[test]
fn machines_read_json() {
    let waag = Waag::new();
    for arguments in [&["check", "--format", "json", "notes.txt"][..], &["formats", "--format", "json"]] {
        let output = waag.output(arguments);
        assert!(serde_json::from_slice::<serde_json::Value>(&output.stdout).is_ok(), "{arguments:?}");
    }
}

#[test]
fn settings_that_were_found_are_said() {
    let waag = Waag::new();
    std::fs::write(waag.path("waag.toml"), "[policy]\ndeny-at = 'critical'\n").unwrap();
    let talk = |arguments: &[&str]| waag.scrub(&String::from_utf8(waag.output(arguments).stderr).unwrap());
    assert_eq!(
        talk(&["check", "notes.txt"]),
        "note: judged by [folder]/waag.toml\n".replace('/', std::path::MAIN_SEPARATOR_STR)
    );
    assert_eq!(talk(&["check", "--quiet", "notes.txt"]), "");
}

#[test]
fn colours_come_when_demanded() {
    let waag = Waag::new();
    let has_colour = |arguments: &[&str]| waag.output(arguments).stdout.contains(&0x1b);
    assert!(has_colour(&["check", "--color", "always", "notes.txt"]));
    assert!(!has_colour(&["check", "--color", "never", "notes.txt"]));
    assert!(!has_colour(&["check", "notes.txt"]));
}

#[test]
fn completions_and_manual_pages_exist() {
    let waag = Waag::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = waag.output(&["completions", shell]);
        assert!(String::from_utf8(output.stdout).unwrap().contains("exit-zero"), "{shell}");
    }
    assert!(waag.output(&["man"]).stdout.starts_with(b".ie"));
    assert_eq!(waag.output(&["man", "--out", "man1"]).status.code(), Some(0));
    assert!(waag.path("man1/waag.1").is_file() && waag.path("man1/waag-check.1").is_file());
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let waag = Waag::new();
    let mut command = waag.command(&["completions", "zsh"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}

/// A key made for this test, of which nothing depends.
const PRIVATE_KEY: &str = include_str!("signing/private.pem");
const PUBLIC_KEY: &str = include_str!("signing/public.pem");

/// A folder with a model, a key and a signature over the model.
fn signed() -> Waag {
    let waag = Waag::new();
    std::fs::create_dir_all(waag.path("model/.git")).unwrap();
    for (name, content) in [
        ("model/weights.bin", "weights"),
        ("model/config.json", "{}"),
        ("model/.git/HEAD", "ref"),
        ("key.pem", PRIVATE_KEY),
        ("key.pub.pem", PUBLIC_KEY),
    ] {
        std::fs::write(waag.path(name), content).unwrap();
    }
    let output = waag.output(&["sign", "model", "--signature", "model.sig", "--key", "key.pem"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    waag
}

#[test]
fn a_model_is_signed_and_verified() {
    let waag = signed();
    insta::assert_snapshot!("sign", waag.page(&["sign", "model", "--signature", "model.sig", "--key", "key.pem"]));
    insta::assert_snapshot!("sign-bundle", std::fs::read_to_string(waag.path("model.sig")).unwrap());
    let verify = ["verify", "model", "--signature", "model.sig", "--key", "key.pub.pem"];
    insta::assert_snapshot!("verify", waag.page(&verify));
    insta::assert_snapshot!("verify-json", waag.page(&[&verify[..], &["--format", "json"]].concat()));
    std::fs::write(waag.path("model/config.json"), "{ }").unwrap();
    std::fs::write(waag.path("model/more\u{202e}.py"), "").unwrap();
    insta::assert_snapshot!("verify-changed", waag.page(&verify));
    let unsafely = [&verify[..], &["--ignore-unsigned-files"]].concat();
    assert_eq!(waag.output(&unsafely).status.code(), Some(1));
    std::fs::write(waag.path("model/config.json"), "{}").unwrap();
    insta::assert_snapshot!("verify-unsigned", waag.page(&unsafely));
}

#[test]
fn verifying_needs_somebody_to_trust() {
    let waag = signed();
    let verify = ["verify", "model", "--signature", "model.sig"];
    insta::assert_snapshot!("verify-nobody", waag.page(&verify));
    insta::assert_snapshot!("verify-name-alone", waag.page(&[&verify[..], &["--identity", "x@example.org"]].concat()));
    insta::assert_snapshot!("verify-wrong-key", waag.page(&[&verify[..], &["--key", "key.pem"]].concat()));
    let policy = "[[trust.signer]]\nname = 'release'\nkey = 'key.pub.pem'\n[[trust.rule]]\nsubject = 'model'\nsigners = ['release']\n";
    std::fs::write(waag.path("waag.toml"), policy).unwrap();
    insta::assert_snapshot!("verify-policy", waag.page(&verify));
    std::fs::rename(waag.path("waag.toml"), waag.path("model/waag.toml")).unwrap();
    let mut inside = waag.command(&["verify", ".", "--signature", "../model.sig"]);
    let output = inside.current_dir(waag.path("model")).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!("verify-policy-inside", waag.scrub(std::str::from_utf8(&output.stderr).unwrap()));
}

#[test]
fn signing_says_what_is_wrong() {
    let waag = signed();
    let sign = |arguments: &[&str]| waag.page(&[&["sign", "model", "--signature", "s.sig"], arguments].concat());
    insta::assert_snapshot!("sign-no-key", sign(&[]));
    insta::assert_snapshot!("sign-public-key", sign(&["--key", "key.pub.pem"]));
    insta::assert_snapshot!("sign-ignore-pattern", sign(&["--key", "key.pem", "--ignore", "*.md"]));
    std::fs::copy(waag.path("key.pem"), waag.path("model/key.pem")).unwrap();
    insta::assert_snapshot!("sign-key-inside", sign(&["--key", "model/key.pem"]));
    assert!(!waag.path("s.sig").exists(), "nothing is written");
}

/// The names that options have in the reference signer's command line are understood.
#[test]
fn options_of_the_reference_signer_are_understood() {
    let waag = signed();
    for (command, option) in
        [("sign", "--private_key"), ("sign", "--private-key"), ("verify", "--public_key"), ("verify", "--public-key")]
    {
        let file = if command == "sign" { "key.pem" } else { "key.pub.pem" };
        let output = waag.output(&[command, "model", "--signature", "model.sig", option, file]);
        assert_eq!(output.status.code(), Some(0), "{command} {option}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
