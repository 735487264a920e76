//! `waag policy` and the verdict by controls, with the real binary.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::path::PathBuf;
use std::process::{Command, Output};

const PRIVATE_KEY: &str = include_str!("signing/private.pem");
const PUBLIC_KEY: &str = include_str!("signing/public.pem");
/// A safetensors file with one tensor of two numbers.
const HEADER: &str = r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;

struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    /// A folder with a model, a card, and a benign pickle beside it.
    fn new() -> Self {
        let project = Self { folder: tempfile::tempdir().unwrap() };
        let mut bytes = (HEADER.len() as u64).to_le_bytes().to_vec();
        bytes.extend(HEADER.as_bytes());
        bytes.extend([0u8; 8]);
        project.write("model/model.safetensors", bytes);
        project.write("model/README.md", "# A model\n");
        project.write("numbers.pkl", b"\x80\x04K\x01.");
        project.write("key.pem", PRIVATE_KEY);
        project.write("key.pub.pem", PUBLIC_KEY);
        project
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        std::fs::write(self.path(name), bytes).unwrap();
    }

    fn output(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_waag"));
        command.args(arguments).current_dir(self.folder.path()).env_clear().env("SOURCE_DATE_EPOCH", "1800000000");
        command.output().unwrap()
    }

    fn page(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        let text = |bytes: &[u8]| self.scrub(std::str::from_utf8(bytes).unwrap());
        let code = output.status.code().unwrap();
        format!("exit: {code}\n--- stdout\n{}--- stderr\n{}", text(&output.stdout), text(&output.stderr))
    }

    fn scrub(&self, text: &str) -> String {
        let real = self.folder.path().canonicalize().unwrap();
        text.replace(real.to_str().unwrap(), "[folder]").replace(self.folder.path().to_str().unwrap(), "[folder]")
    }

    fn code(&self, arguments: &[&str]) -> i32 {
        self.output(arguments).status.code().unwrap()
    }

    fn json(&self, arguments: &[&str]) -> serde_json::Value {
        serde_json::from_slice(&self.output(arguments).stdout).unwrap()
    }

    /// The answer of a control to `check`.
    fn answer(&self, path: &str, id: &str) -> (String, String) {
        let report = self.json(&["check", path, "--format", "json"]);
        let controls = report["controls"].as_array().unwrap();
        let control = controls.iter().find(|control| control["id"] == id).unwrap();
        let text = |key: &str| control[key].as_str().unwrap().to_owned();
        (text("outcome"), text("decision"))
    }

    fn sign(&self) {
        assert_eq!(self.code(&["sign", "model", "--signature", "model.sig", "--key", "key.pem"]), 0);
    }
}

const TRUST: &str = "[[trust.signer]]\nname = 'release'\nkey = 'key.pub.pem'\n\
    [[trust.rule]]\nsubject = 'model'\nsigners = ['release']\n";

#[test]
fn without_a_policy_an_ordinary_model_is_allowed() {
    let project = Project::new();
    insta::assert_snapshot!("policy-default-check", project.page(&["check", "model"]));
    insta::assert_snapshot!("policy-default-file", project.page(&["check", "model/model.safetensors"]));
    insta::assert_snapshot!("policy-default-show", project.page(&["policy", "show"]));
    insta::assert_snapshot!("policy-default-explain", project.page(&["policy", "explain", "model"]));
    assert_eq!(project.code(&["check", "numbers.pkl"]), 0);
    assert_eq!(project.answer("numbers.pkl", "no-untrusted-pickle"), ("fail".into(), "allow".into()));
}

#[test]
fn a_signature_that_is_asked_for_has_to_be_there_and_to_hold() {
    let project = Project::new();
    project.write("waag.toml", format!("{TRUST}[policy.controls]\nsignature = 'deny'\n"));
    insta::assert_snapshot!("policy-unsigned", project.page(&["check", "model"]));
    project.sign();
    insta::assert_snapshot!("policy-signed", project.page(&["check", "model"]));
    assert_eq!(project.answer("model", "source-trusted"), ("pass".into(), "allow".into()));
    project.write("model/README.md", "# Another model\n");
    insta::assert_snapshot!("policy-changed", project.page(&["check", "model"]));
    assert_eq!(project.code(&["scan", "model"]), 0, "`scan` judges findings alone");
    // Without anything in [policy.controls], a rule about the model and a signature beside it are enough.
    project.write("waag.toml", TRUST);
    assert_eq!(project.answer("model", "signature"), ("fail".into(), "deny".into()));
    std::fs::remove_file(project.path("model.sig")).unwrap();
    assert_eq!(project.answer("model", "signature"), ("fail".into(), "allow".into()));
}

#[test]
fn what_is_denied_by_digest_is_denied_under_any_name() {
    let project = Project::new();
    let hashed = project.json(&["hash", "model", "--format", "json"]);
    let digest = hashed["files"].as_array().unwrap().iter().find(|file| file["path"] == "model.safetensors").unwrap();
    let digest = digest["digests"]["sha256"].as_str().unwrap().to_owned();
    project.write("waag.toml", format!("[[trust.denied]]\ndigest = 'sha256:{digest}'\nreason = 'poisoned'\n"));
    std::fs::rename(project.path("model/model.safetensors"), project.path("model/other.safetensors")).unwrap();
    insta::assert_snapshot!("policy-denied", project.page(&["check", "model"]).replace(&digest, "[digest]"));
}

#[test]
fn conditions_exceptions_and_tests_of_a_policy() {
    let project = Project::new();
    let policy = "[policy.controls]\nmodel-card = 'deny'\n\
        [[policy.rule]]\nname = 'small'\nwhen = 'subject.size < 50'\nthen = 'require'\nreason = 'we serve small models'\n\
        [[policy.rule]]\nname = 'known-parents'\nwhen = 'ancestors.exists(a, a.denied)'\nthen = 'deny'\nreason = 'so'\n\
        [[exception]]\ncontrol = 'small'\npath = 'model'\nreason = 'agreed'\nuntil = '2027-12-31'\n\
        [[exception]]\ncontrol = 'model-card'\npath = 'model'\nreason = 'once'\nuntil = '2026-12-31'\n";
    project.write("waag.toml", policy);
    insta::assert_snapshot!("policy-conditions", project.page(&["check", "model"]));
    std::fs::remove_file(project.path("model/README.md")).unwrap();
    insta::assert_snapshot!("policy-exception-ended", project.page(&["check", "model"]));
    insta::assert_snapshot!("policy-own-show", project.page(&["policy", "show"]));
    assert_eq!(project.code(&["policy", "explain", "model", "--evidence", "model.json"]), 1);
    let tests = "[[test]]\nname = 'from a path'\nsubject = 'model'\nexpect = 'deny'\n\
        [[test]]\nname = 'from evidence'\nevidence = 'model.json'\nexpect = 'deny'\ncontrols = { model-card = 'fail' }\n";
    project.write("tests.toml", tests);
    assert_eq!(project.code(&["policy", "test", "tests.toml"]), 0);
    let wrong =
        "[[test]]\nname = 'wrong'\nevidence = 'model.json'\nexpect = 'allow'\ncontrols = { signature = 'pass' }\n";
    project.write("tests.toml", format!("{tests}{wrong}"));
    insta::assert_snapshot!("policy-test", project.page(&["policy", "test", "tests.toml"]));
    insta::assert_snapshot!("policy-no-test", project.page(&["policy", "test"]));
}

#[test]
fn controls_are_explained() {
    let project = Project::new();
    insta::assert_snapshot!("policy-explain-list", project.page(&["policy", "explain"]));
    insta::assert_snapshot!("policy-explain-signature", project.page(&["policy", "explain", "signature"]));
    insta::assert_snapshot!("policy-explain-conditions", project.page(&["policy", "explain", "conditions"]));
    insta::assert_snapshot!("policy-explain-unknown", project.page(&["policy", "explain", "signatur"]));
    for action in ["", "show", "test", "explain"] {
        let arguments = ["policy", action, "-h"];
        let arguments: Vec<&str> = arguments.into_iter().filter(|argument| !argument.is_empty()).collect();
        insta::assert_snapshot!(format!("help-policy-{action}"), project.page(&arguments));
    }
}

/// The same policy has the same digest however it is written, and every command tells the same.
#[test]
fn the_digest_is_that_of_the_canonical_text() {
    let project = Project::new();
    project.write("waag.toml", "[policy]\ndeny-at = 'high'\n[policy.controls]\nsignature = 'deny'\n");
    let text = project.output(&["policy", "show", "--canonical"]).stdout;
    project.write("canonical.txt", &text);
    let shown = project.json(&["policy", "show", "--format", "json"])["sha256"].clone();
    let hashed = Command::new("sha256sum").arg(project.path("canonical.txt")).output().unwrap();
    assert_eq!(shown.as_str().unwrap(), String::from_utf8(hashed.stdout).unwrap().split(' ').next().unwrap());
    assert_eq!(project.json(&["check", "model", "--format", "json"])["policy"]["sha256"], shown);
    project.write("waag.toml", "# the same\npolicy.controls = { signature = 'deny' }\n");
    assert_eq!(project.json(&["policy", "show", "--format", "json"])["sha256"], shown);
}

/// A signed provenance is evidence: each thing that it does not say is named.
#[test]
fn a_signed_provenance_is_judged() {
    let project = Project::new();
    project.write("train.csv", "a,b\n1,2\n");
    project.write("waag.toml", TRUST);
    let attest = |kind: &[&str]| {
        let output = ["--key", "key.pem", "--output", "model.intoto.jsonl"];
        project.output(&[&["attest", "model", "--type", "provenance"], kind, &output].concat())
    };
    let output = attest(&["--build-type", "train", "--dependency", "dataset=train.csv", "--parameter", "seed=7"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let outcome = |id: &str| project.answer("model", id).0;
    assert_eq!((outcome("provenance"), outcome("seeds-set")), ("pass".into(), "pass".into()));
    assert_eq!((outcome("provenance-links"), outcome("hardware-documented")), ("fail".into(), "fail".into()));
    insta::assert_snapshot!("policy-provenance", project.page(&["policy", "explain", "model"]));
    // Somebody else's word is none.
    project.write("waag.toml", "");
    assert_eq!(outcome("provenance"), "fail");
    // What is said of other bytes is not said of these.
    project.write("waag.toml", TRUST);
    project.write("model/README.md", "# Another\n");
    assert_eq!(outcome("provenance"), "fail");
}

/// A chain from a base model to a tuned one, signed at each step and kept in a ledger, and then broken.
#[test]
fn ancestors_are_asked_of_the_ledger() {
    let project = Project::new();
    project.write("base/weights.bin", "base");
    project.write("waag.toml", TRUST);
    let outcome = |id: &str| project.answer("model", id).0;
    assert_eq!((outcome("ancestors-signed"), outcome("no-ancestor-denied")), ("unknown".into(), "unknown".into()));
    let attest = |signer: &[&str]| {
        let step = ["attest", "model", "--type", "provenance", "--build-type", "fine-tune"];
        let read = ["--dependency", "base-model=base", "--output", "step.json"];
        let output = project.output(&[&step[..], &read, signer].concat());
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(project.code(&["ledger", "add", "step.json"]), 0);
    };
    attest(&["--unsigned"]);
    assert_eq!((outcome("ancestors-signed"), outcome("provenance")), ("fail".into(), "fail".into()));
    attest(&["--key", "key.pem"]);
    // Of the base model itself nobody has said anything yet.
    assert_eq!((outcome("ancestors-signed"), outcome("provenance")), ("unknown".into(), "pass".into()));
    assert_eq!(project.code(&["sign", "base", "--key", "key.pem", "--signature", "base.sig"]), 0);
    assert_eq!(project.code(&["ledger", "add", "base.sig"]), 0);
    assert_eq!((outcome("ancestors-signed"), outcome("provenance")), ("pass".into(), "pass".into()));
    assert_eq!((outcome("no-ancestor-denied"), outcome("provenance-links")), ("pass".into(), "fail".into()));
    insta::assert_snapshot!("policy-lineage", project.page(&["policy", "explain", "model"]));
    let lineage = project.json(&["lineage", "model", "--format", "json"]);
    let base = lineage["answer"]["nodes"].as_array().or(lineage["nodes"].as_array()).unwrap().iter();
    let base = base.filter(|node| node["depth"] == 1).filter_map(|node| node["id"].as_str()).next().unwrap().to_owned();
    let digest = base.strip_prefix("sha256:").unwrap();
    project.write("waag.toml", format!("{TRUST}[[trust.denied]]\ndigest = '{digest}'\nreason = 'poisoned'\n"));
    let page = project.page(&["check", "model"]).replace(digest, "[digest]");
    insta::assert_snapshot!("policy-ancestor-denied", page);
    // A condition of one's own asks the same.
    let rule = "[[policy.rule]]\nname = 'near'\nwhen = 'ancestors.all(a, a.trusted && a.depth < 5)'\nthen = 'require'\nreason = 'so'\n";
    project.write("waag.toml", format!("{TRUST}{rule}"));
    assert_eq!(project.answer("model", "near"), ("pass".into(), "allow".into()));
}

/// The verdict is written as a verification summary, with what it rests on.
#[test]
fn a_verdict_names_its_policy_and_what_it_rests_on() {
    let project = Project::new();
    project.write("waag.toml", format!("{TRUST}[policy.controls]\nsignature = 'deny'\n"));
    project.sign();
    let verdict = || {
        let arguments = ["attest", "model", "--type", "verdict", "--unsigned", "--output", "model.vsa.json"];
        assert_eq!(project.code(&arguments), 0);
        let envelope: serde_json::Value =
            serde_json::from_slice(&std::fs::read(project.path("model.vsa.json")).unwrap()).unwrap();
        let payload = base64(envelope["payload"].as_str().unwrap());
        serde_json::from_slice::<serde_json::Value>(&payload).unwrap()["predicate"].clone()
    };
    let passed = verdict();
    let levels: Vec<&str> =
        passed["verifiedLevels"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    assert!(levels.contains(&"WAAG_CHECK_ALLOW") && levels.contains(&"WAAG_SIGNATURE"), "{levels:?}");
    assert_eq!(passed["inputAttestations"][0]["name"], "signature");
    let shown = project.json(&["policy", "show", "--format", "json"])["sha256"].clone();
    assert_eq!(passed["policy"]["annotations"]["inForce"], shown);
    std::fs::remove_file(project.path("model.sig")).unwrap();
    assert_eq!(verdict()["verifiedLevels"], serde_json::json!(["FAILED"]));
}

fn base64(text: &str) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u32> = text.bytes().filter(|byte| *byte != b'=').map(|byte| u32::from(value(byte))).collect();
    let bytes = digits.chunks(4).flat_map(|chunk| {
        let bits = chunk.iter().fold(0, |bits, digit| bits << 6 | digit) << (6 * (4 - chunk.len()));
        bits.to_be_bytes()[1..chunk.len()].to_vec()
    });
    bytes.collect()
}

/// What is said on stderr of a command that is run somewhere below the project.
fn talk(project: &Project, below: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_waag"));
    command.args(arguments).current_dir(project.path(below)).env_clear().env("SOURCE_DATE_EPOCH", "1800000000");
    String::from_utf8(command.output().unwrap().stderr).unwrap()
}

#[test]
fn settings_inside_what_they_judge_are_the_publishers_own_word() {
    let project = Project::new();
    project.write("model/waag.toml", "[policy]\n");
    project.write("model/weights/config.json", "{}");
    std::fs::create_dir(project.path("model/.git")).unwrap();
    let word = "its publisher's own word";
    for command in [&["check"][..], &["policy", "explain"]] {
        let with = |more: &[&'static str]| [command, more].concat();
        // Named, and from below.
        assert!(talk(&project, "", &with(&["--config", "model/waag.toml", "model"])).contains(word), "{command:?}");
        let above = talk(&project, "model/weights", &with(&[".."]));
        assert!(above.contains(word) && above.matches(word).count() == 1, "{above}");
        // The folder that the user is in is the user's own, however it is called; and other files judge nothing of theirs.
        assert!(!talk(&project, "model", &with(&["."])).contains(word), "{command:?}");
        assert!(!talk(&project, "model", &with(&["../model"])).contains(word), "{command:?}");
        assert!(!talk(&project, "model", &with(&["weights"])).contains(word), "{command:?}");
        assert!(!talk(&project, "", &with(&["model"])).contains(word), "it is not in force: {command:?}");
    }
}
