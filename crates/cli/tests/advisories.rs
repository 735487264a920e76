//! Advisories, as a shell sees them: what is taken over, how old it is, and that nothing is called clean which was not checked.

// A test may stop at what it did not expect, and reads only what it made itself.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

struct User {
    folder: tempfile::TempDir,
}

impl User {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn waag(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_waag"));
        command.args(arguments).current_dir(self.folder.path()).env_clear();
        // 2026-11-27: ages are the same on every day.
        command.env("XDG_DATA_HOME", self.folder.path().join("data")).env("SOURCE_DATE_EPOCH", "1795737600");
        command.output().unwrap()
    }

    fn told(&self, arguments: &[&str], code: i32) -> String {
        let output = self.waag(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
        let told = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        told.replace(&self.folder.path().display().to_string(), "FOLDER")
    }

    fn json(&self, arguments: &[&str], schema: &str) -> Value {
        let output = self.waag(arguments);
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema").join(schema);
        let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<String> = validator.iter_errors(&answer).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        answer
    }
}

fn vulns() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../code/tests/advisories/vulns").display().to_string()
}

#[test]
fn what_is_built_in_says_how_old_it_is() {
    let user = User::new();
    insta::assert_snapshot!(user.told(&["advisories", "status"], 3));
    insta::assert_snapshot!(user.told(&["advisories", "show", "torch"], 0));
    let answer = user.json(&["advisories", "status", "--format", "json"], "advisories-status.schema.json");
    assert_eq!((&answer["built-in"], &answer["packages"].as_array().unwrap().len()), (&Value::Bool(true), &15));
    assert!(user.told(&["advisories", "show", "requests"], 3).contains("do not cover it"));
}

#[test]
fn what_is_imported_counts_from_then_on() {
    let user = User::new();
    insta::assert_snapshot!(user.told(&["advisories", "import", "--whole", &vulns()], 0));
    assert!(user.told(&["advisories", "status"], 0).contains("350 advisories about 15 packages"));
    assert!(user.told(&["advisories", "status", "--max-age", "30"], 3).contains("import newer advisories"));
    assert!(user.told(&["advisories", "show", "requests"], 1).contains("no advisory is about 'requests'"));
    let answer =
        user.json(&["advisories", "show", "cve-2022-45907", "--format", "json"], "advisories-show.schema.json");
    assert_eq!(answer[0]["id"], "PYSEC-2022-43015");
    user.json(&["advisories", "show", "tensorflow", "--format", "json"], "advisories-show.schema.json");
    user.json(&["advisories", "status", "--format", "json"], "advisories-status.schema.json");
}

#[test]
fn what_cannot_be_read_is_named_and_changes_nothing() {
    let user = User::new();
    let folder = user.folder.path().join("odd");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("a.json"), "{").unwrap();
    std::fs::write(folder.join("b\u{1b}[31m.yaml"), b"\xff").unwrap();
    insta::assert_snapshot!(user.told(&["advisories", "import", "odd"], 2));
    std::fs::write(folder.join("c.json"), r#"{"id": "A-1", "modified": "2026-01-01T00:00:00Z", "affected": [{"package": {"ecosystem": "PyPI", "name": "a"}, "versions": ["1"]}]}"#).unwrap();
    insta::assert_snapshot!(user.told(&["advisories", "import", "odd"], 3));
    assert!(user.told(&["advisories", "import", "nowhere"], 2).contains("hint:"));
    assert!(user.told(&["advisories", "import", "odd/c.json"], 0).contains("nothing is known of others"));
}
