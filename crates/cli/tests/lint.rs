//! `waag lint` as a shell sees it: what is told, exit codes, fixes, and what goes wrong.

// A test may stop at what it did not expect.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::process::{Command, Output};

/// A folder with a project.
struct Project(tempfile::TempDir);

impl Project {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        Self(folder)
    }

    fn lint(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_waag"));
        command.arg("lint").args(arguments).current_dir(self.0.path()).env_clear();
        command.output().unwrap()
    }

    fn code(&self, arguments: &[&str]) -> i32 {
        self.lint(arguments).status.code().unwrap()
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.path().join(name)).unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

const CARELESS: &str = "\
import random
import torch
import yaml

settings = yaml.load(open('settings.yaml'))
model = torch.load('model.pt', weights_only=False)
random.shuffle(settings['files'])
model(settings).backward()
";

#[test]
fn a_careless_training_is_told_line_by_line() {
    let project = Project::new(&[("train.py", CARELESS)]);
    let output = project.lint(&["train.py"]);
    assert_eq!(output.status.code(), Some(3));
    insta::assert_snapshot!("lint", text(&output.stdout));
    insta::assert_snapshot!("lint-talk", text(&output.stderr));
}

#[test]
fn exit_codes_say_how_grave_it_is() {
    let project = Project::new(&[
        ("good.py", "print('hello')\n"),
        ("bad.py", "import requests\nexec(requests.get('https://example.org/a.py').text)\n"),
        ("broken.py", "x = = 1\n"),
    ]);
    assert_eq!(project.code(&["good.py"]), 0);
    assert_eq!(project.code(&["bad.py"]), 1);
    assert_eq!(project.code(&["broken.py"]), 3);
    assert_eq!(project.code(&["."]), 1);
    assert_eq!(project.code(&[".", "--exit-zero"]), 0);
    assert_eq!(project.code(&["gone.py"]), 2);
    std::fs::write(project.0.path().join("train"), "x = 1\n").unwrap();
    assert_eq!(project.code(&["train"]), 2, "a file that is nothing that is read");
    std::fs::create_dir(project.0.path().join("empty")).unwrap();
    assert_eq!(project.code(&["empty"]), 3, "nothing found in nothing is no good news");
    assert_eq!(project.code(&["good.py", "--torch", "newest"]), 2);
    assert_eq!(project.code(&["good.py", "--diff"]), 2);
}

#[test]
fn fixes_are_shown_made_and_made_once() {
    let project = Project::new(&[("train.py", CARELESS)]);
    let shown = project.lint(&[".", "--fix", "--diff"]);
    assert_eq!((shown.status.code(), project.read("train.py").as_str()), (Some(1), CARELESS));
    insta::assert_snapshot!("lint-patch", text(&shown.stdout));
    project.lint(&[".", "--fix"]);
    assert_eq!(project.read("train.py"), CARELESS.replace("yaml.load", "yaml.safe_load"));
    let again = project.lint(&[".", "--fix", "--dry-run"]);
    assert_eq!((again.status.code(), text(&again.stdout).as_str()), (Some(0), ""));
}

#[test]
fn json_is_as_its_schema_says() {
    let project = Project::new(&[("train.py", CARELESS), ("a.ipynb", "{\"cells\": [")]);
    let output = project.lint(&[".", "--format", "json"]);
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../../docs/schema/report.schema.json")).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let problems: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(report["artifacts"].as_array().unwrap().len(), 2);
}

#[test]
fn the_verdict_is_one_of_code_in_every_format() {
    let bad = "import requests\nexec(requests.get('https://example.org/a.py').text)\n";
    let files = [("good.py", "print('hello')\n"), ("bad.py", bad), ("load.py", "import pickle\npickle.load(f)\n")];
    let project = Project::new(&files);
    for (file, reason) in [
        ("good.py", "nothing speaks against running it"),
        ("bad.py", "do not run it as it is; 1 finding: downloaded-code"),
        ("load.py", "look at this before it is run; 1 finding: unsafe-load"),
    ] {
        for format in ["plain", "json", "sarif", "github", "html"] {
            let told = text(&project.lint(&[file, "--format", format]).stdout);
            assert!(told.contains(reason), "{format}: {told}");
            assert!(!told.contains("oading it reads") && !told.contains("do not load it;"), "{format}: {told}");
        }
    }
    let tests = text(&project.lint(&["bad.py", "--format", "junit"]).stdout);
    assert!(tests.contains("failures=\"1\"") && tests.contains("downloaded-code"), "{tests}");
}

#[test]
fn exceptions_of_the_settings_apply() {
    let project = Project::new(&[
        ("load.py", "import torch\ntorch.load('model.pt', weights_only=False)\n"),
        (
            "waag.toml",
            "[[exception]]\nrule = \"unsafe-load\"\npath = \"load.py\"\nreason = \"ours\"\nuntil = \"2099-01-01\"\n",
        ),
    ]);
    assert_eq!(project.code(&["load.py"]), 0);
    std::fs::write(project.0.path().join("load.py"), "import torch\ntorch.load('model.pt')\n").unwrap();
    assert_eq!(project.code(&["load.py", "--torch", "2.5.1", "--fix", "--diff"]), 0, "what may stay is not edited");
    std::fs::remove_file(project.0.path().join("waag.toml")).unwrap();
    assert_eq!(project.code(&["load.py"]), 3);
    assert_eq!(project.code(&["load.py", "--torch", "2.5.1", "--fix", "--diff"]), 1);
}

#[test]
fn nothing_of_a_file_acts_on_a_terminal() {
    let project = Project::new(&[("a.py", "import pickle\npickle.load('\u{1b}[31m\u{202e}')\n")]);
    for format in ["plain", "json", "sarif", "github"] {
        let output = project.lint(&["a.py", "--format", format]);
        assert!(!text(&output.stdout).contains(['\u{1b}', '\u{202e}']), "{format}");
    }
}
