//! `waag check` and `waag init` on whole projects, with the real binary: the examples of the repository.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Runs waag in a folder, as on a machine where nobody has imported or kept anything.
fn waag(folder: &Path, arguments: &[&str]) -> Output {
    let home = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_waag"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("SOURCE_DATE_EPOCH", "1795824000")
        .env("COLUMNS", "120")
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    format!(
        "{}{}[exit code {}]\n",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
        output.status.code().unwrap()
    )
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name)
}

/// A copy that can be written to.
fn copy(name: &str) -> tempfile::TempDir {
    fn fill(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap().flatten() {
            let target = to.join(entry.file_name());
            match entry.file_type().unwrap().is_dir() {
                true => fill(&entry.path(), &target),
                false => drop(std::fs::copy(entry.path(), target).unwrap()),
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    fill(&example(name), folder.path());
    folder
}

#[test]
fn a_good_project_is_allowed() {
    let output = waag(&example("good"), &["check", "."]);
    insta::assert_snapshot!("check-good", said(&output));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_careless_project_is_told_what_to_do() {
    let output = waag(&example("careless"), &["check", "."]);
    insta::assert_snapshot!("check-careless", said(&output));
    assert_ne!(output.status.code(), Some(0));
}

#[test]
fn a_hostile_project_is_denied() {
    let output = waag(&example("hostile"), &["check", "."]);
    insta::assert_snapshot!("check-hostile", said(&output));
    assert_eq!(output.status.code(), Some(1));
}

/// What is above and beside a folder makes no difference to it.
#[test]
fn a_project_is_the_same_from_outside() {
    let inside = waag(&example("careless"), &["check", ".", "--format", "json"]);
    let outside = waag(example("careless").parent().unwrap(), &["check", "careless", "--format", "json"]);
    let decision = |output: &Output| -> serde_json::Value {
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let rules = |report: &serde_json::Value| -> Vec<String> {
            let place = |one: &serde_json::Value| {
                let file = one["location"]["file"].as_str().unwrap().to_owned();
                file.trim_start_matches("./").trim_start_matches("careless/").to_owned()
            };
            let findings = report["findings"].as_array().unwrap().iter();
            findings.map(|one| format!("{} in {}", one["rule"], place(one))).collect()
        };
        serde_json::json!({ "verdict": report["verdict"]["decision"], "rules": rules(&report) })
    };
    assert_eq!(decision(&inside), decision(&outside));
}

#[test]
fn init_names_what_is_there_and_its_file_is_read() {
    let project = copy("good");
    let printed = waag(project.path(), &["init", "--print"]);
    insta::assert_snapshot!("init-good", said(&printed));
    assert!(!project.path().join("waag.toml").exists());
    let written = waag(project.path(), &["init"]);
    assert_eq!(written.status.code(), Some(0), "{}", said(&written));
    assert_eq!(std::fs::read(project.path().join("waag.toml")).unwrap(), printed.stdout);
    let again = waag(project.path(), &["init"]);
    assert_eq!(again.status.code(), Some(2), "{}", said(&again));
    for arguments in [&["lock"][..], &["check"], &["check", "."]] {
        let output = waag(project.path(), arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", said(&output));
    }
}

/// A finding about a project can be excepted by its rule and file, as any other.
#[test]
fn a_finding_about_a_project_is_excepted_as_any_other() {
    let project = copy("careless");
    let exception = |rule: &str| {
        format!(
            "[[exception]]\nrule = \"{rule}\"\npath = \"**\"\nreason = \"moves to torch 2.2 next week\"\nuntil = \"2027-01-31\"\n"
        )
    };
    let settings = exception("incompatible-stack") + &exception("reduced-stack");
    std::fs::write(project.path().join("waag.toml"), settings).unwrap();
    let control = |output: &Output| -> String {
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let controls = report["controls"].as_array().unwrap();
        controls.iter().find(|one| one["id"] == "stack-agrees").unwrap()["outcome"].to_string()
    };
    assert_eq!(control(&waag(&example("careless"), &["check", ".", "--format", "json"])), "\"fail\"");
    assert_eq!(control(&waag(project.path(), &["check", ".", "--format", "json"])), "\"excepted\"");
}

/// What is signed of a project, and what explains it, is what `check` decided.
#[test]
fn a_verdict_that_is_written_down_is_the_one_that_was_told() {
    let project = copy("careless");
    let explained = waag(project.path(), &["policy", "explain", "."]);
    assert!(said(&explained).contains("deny: not as it is; 1 control: stack-agrees"), "{}", said(&explained));
    let written = waag(
        project.path(),
        &["attest", ".", "--type", "verdict", "--unsigned", "--output", &format!("{}.json", project.path().display())],
    );
    assert!(said(&written).contains("result: FAILED"), "{}", said(&written));
    std::fs::remove_file(format!("{}.json", project.path().display())).unwrap();
}
