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

/// Without a path, what is judged is the project that `waag.toml` was found in, and not its models alone.
#[test]
fn without_a_path_the_project_itself_is_judged() {
    let project = copy("careless");
    let control = |folder: &Path, arguments: &[&str]| -> (String, String, i32) {
        let output = waag(folder, arguments);
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let controls = report["controls"].as_array().unwrap();
        let one = controls.iter().find(|one| one["id"] == "versions-pinned").unwrap();
        let finding = one["observations"][0]["finding"].as_u64().unwrap() as usize;
        let first = &report["findings"][finding]["location"]["file"];
        (one["decision"].to_string(), first.to_string(), output.status.code().unwrap())
    };
    std::fs::write(project.path().join("waag.toml"), "[policy.controls]\nversions-pinned = \"deny\"\n").unwrap();
    let whole = control(project.path(), &["check", "--format", "json"]);
    assert_eq!(whole, ("\"deny\"".to_owned(), "\"./requirements.txt\"".to_owned(), 1));
    // Also where the settings name a model, and from a folder below.
    let settings = "[policy.controls]\nversions-pinned = \"deny\"\n[[model]]\npath = \"model\"\n";
    std::fs::write(project.path().join("waag.toml"), settings).unwrap();
    assert_eq!(waag(project.path(), &["lock"]).status.code(), Some(0));
    assert_eq!(control(project.path(), &["check", "--format", "json"]), whole);
    let git = project.path().join(".git");
    std::fs::create_dir(git).unwrap();
    let below = control(&project.path().join("model"), &["check", "--format", "json"]);
    assert_eq!((below.0, below.2), (whole.0, 1));
    assert!(below.1.ends_with("requirements.txt\""), "{}", below.1);
    // A file that was named is no project, and the report says so.
    let file = waag(project.path(), &["policy", "explain", "train.py"]);
    assert!(said(&file).contains("no folder was looked at as a project"), "{}", said(&file));
}

#[test]
fn init_says_what_it_does_not_write() {
    let project = tempfile::tempdir().unwrap();
    for index in 0..70 {
        std::fs::write(project.path().join(format!("{index}.pkl")), b"\x80\x04K\x01.").unwrap();
    }
    let output = said(&waag(project.path(), &["init"]));
    assert!(output.contains("names 64 models") && output.contains("6 more models and datasets"), "{output}");
    let written = std::fs::read_to_string(project.path().join("waag.toml")).unwrap();
    assert!(written.contains("# 6 more were found and are not written"), "{written}");
}

/// Where something was found is a path: exceptions for a control and viewers of SARIF take it for one.
#[test]
fn the_place_of_a_control_is_a_path() {
    let project = copy("careless");
    let settings = "[[exception]]\ncontrol = \"stack-agrees\"\npath = \"requirements.txt\"\nreason = \"known\"\nuntil = \"2027-01-31\"\n";
    std::fs::write(project.path().join("waag.toml"), settings).unwrap();
    let output = said(&waag(project.path(), &["check", "."]));
    assert!(!output.contains("matches nothing") && !output.contains("deny: not as it is"), "{output}");
    let sarif = String::from_utf8(waag(&example("careless"), &["check", ".", "--format", "sarif"]).stdout).unwrap();
    assert!(!sarif.contains("%3A"), "{sarif}");
}

/// A file that names an index and no package has been looked at, and what it does is told.
#[test]
fn what_is_found_counts_where_there_is_nothing_else() {
    let project = tempfile::tempdir().unwrap();
    std::fs::write(project.path().join("requirements.txt"), "--trusted-host pypi.example.org\n").unwrap();
    let output = waag(project.path(), &["check", "."]);
    let told = said(&output);
    assert!(told.contains("dependency-sources") && !told.contains("nothing to ask of: dependency-sources"), "{told}");
    assert_eq!(output.status.code(), Some(1), "{told}");
}

/// A fresh installation has no advisories of its own: nothing is called clean, and nothing is stopped by that.
#[test]
fn without_advisories_nothing_is_clean_and_what_is_known_counts() {
    let control = |pin: &str| -> (String, i32) {
        let project = tempfile::tempdir().unwrap();
        std::fs::write(project.path().join("requirements.txt"), pin).unwrap();
        let output = waag(project.path(), &["check", ".", "--format", "json"]);
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let controls = report["controls"].as_array().unwrap();
        let one = controls.iter().find(|one| one["id"] == "no-known-advisory").unwrap();
        (format!("{} {}", one["outcome"], one["decision"]), output.status.code().unwrap())
    };
    assert_eq!(control("torch==2.5.1\n"), ("\"unknown\" \"allow\"".to_owned(), 0));
    assert_eq!(control("requests==2.0.0\n"), ("\"unknown\" \"allow\"".to_owned(), 0));
    assert_eq!(control("mlflow==2.0\n"), ("\"fail\" \"deny\"".to_owned(), 1));
}
