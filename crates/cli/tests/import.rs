//! `waag import` as a shell sees it: exit codes, formats, what is kept, and what goes wrong.

// A test may stop at what it did not expect.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::process::{Command, Output};

/// A folder with sources.
struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    fn new() -> Self {
        let folder = Self { folder: tempfile::tempdir().unwrap() };
        folder.write("good/README.md", "---\nbase_model: org/base\nlicense: mit\n---\n");
        folder.write("good/model.safetensors", "x");
        folder.write("torn/README.md", "---\nbase_model: org/base\n---\n");
        folder.write("torn/config.json", r#"{"_name_or_path": "org/other"}"#);
        folder.write(
            "bad/MANIFEST.yaml",
            "files: {a: 0000000000000000000000000000000000000000000000000000000000000000}\n",
        );
        folder.write("bad/a", "x");
        folder.write("empty/notes.txt", "x");
        folder
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn import(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_waag"));
        command.arg("import").args(arguments).current_dir(self.folder.path()).env_clear();
        command.output().unwrap()
    }

    fn code(&self, arguments: &[&str]) -> i32 {
        self.import(arguments).status.code().unwrap()
    }
}

#[test]
fn exit_codes_say_how_it_went() {
    let folder = Folder::new();
    for (arguments, expected) in [
        (&["good"][..], 0),
        (&["torn"], 3),
        (&["bad"], 1),
        (&["empty"], 2),
        (&["nowhere"], 2),
        (&["good", "--from", "cyclonedx"], 2),
        (&["good/README.md", "--from", "huggingface-card"], 0),
        (&["good", "--from", "nothing"], 2),
        (&["good", "--verify"], 2),
        (&["good", "--run", "x"], 2),
        (&["http://127.0.0.1:9"], 2),
        (&["http://127.0.0.1:9", "--run", "x"], 2),
        (&["http://127.0.0.1:9", "--model", "iris"], 2),
        (&["runs:/x"], 2),
    ] {
        assert_eq!(folder.code(arguments), expected, "{arguments:?}");
    }
}

#[test]
fn every_mistake_has_a_hint() {
    let folder = Folder::new();
    for arguments in [
        &["empty"][..],
        &["nowhere"],
        &["good", "--verify"],
        &["http://127.0.0.1:9", "--model", "iris"],
        &["runs:/x"],
        &["http://127.0.0.1:9", "--run", "x"],
    ] {
        let told = String::from_utf8(folder.import(arguments).stderr).unwrap();
        assert!(told.starts_with("error: ") && told.contains("\nhint: "), "{arguments:?}: {told}");
    }
}

#[test]
fn statements_are_kept_where_they_are_asked_for() {
    let folder = Folder::new();
    let output = folder.import(&["good", "--output", "claims.jsonl"]);
    assert_eq!(output.status.code(), Some(0));
    let kept = std::fs::read_to_string(folder.folder.path().join("claims.jsonl")).unwrap();
    assert_eq!(kept.lines().count(), 2);
    assert!(
        kept.lines().all(|line| line.ends_with(r#""payloadType":"application/vnd.in-toto+json","signatures":[]}"#))
    );
    assert!(String::from_utf8(folder.import(&["good"]).stderr).unwrap().contains("not kept"));
}

#[test]
fn json_is_as_its_schema_says() {
    let folder = Folder::new();
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/schema/import.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap();
    for name in ["good", "torn", "bad"] {
        let output = folder.import(&[name, "--format", "json"]);
        let answer = serde_json::from_slice(&output.stdout).unwrap();
        let errors: Vec<String> = schema.iter_errors(&answer).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
}

#[test]
fn people_see_who_says_what_and_where() {
    let folder = Folder::new();
    insta::assert_snapshot!("import-torn", String::from_utf8(folder.import(&["torn"]).stdout).unwrap());
    insta::assert_snapshot!("import-bad", String::from_utf8(folder.import(&["bad"]).stdout).unwrap());
}
