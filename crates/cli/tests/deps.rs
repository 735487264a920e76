//! `waag deps`, as a shell sees it.

// A test may stop at what it did not expect, and reads only what it made itself.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::path::Path;
use std::process::{Command, Output};

fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = root.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    root
}

fn waag(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_waag")).args(arguments).current_dir(folder).env_clear().output().unwrap()
}

/// Exit code, stdout and stderr on one page.
fn page(folder: &Path, arguments: &[&str]) -> String {
    let output = waag(folder, arguments);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let code = output.status.code().unwrap();
    format!("exit: {code}\n--- stdout\n{}--- stderr\n{}", text(&output.stdout), text(&output.stderr))
}

const CARELESS: &[(&str, &str)] = &[
    (
        "requirements.txt",
        "--extra-index-url https://ci:s3cr3t@pypi.company.example/simple\ntorch>=2.1\nnumpy\nacme-features==1.2\npeft @ git+https://github.com/huggingface/peft@main\n",
    ),
    (".python-version", "3.11\n"),
    (".venv/pyvenv.cfg", ""),
];
const GOOD: &[(&str, &str)] = &[("requirements.txt", "torch==2.4.0 --hash=sha256:aa\n")];

#[test]
fn a_careless_project_on_one_screen() {
    let root = project(CARELESS);
    let page = page(root.path(), &["deps"]);
    assert!(!page.contains("s3cr3t"), "{page}");
    assert!(page.starts_with("exit: 1\n"), "{page}");
    for said in [
        "high[index-credentials]",
        "high[index-confusion]",
        "medium[mutable-source]",
        "medium[unpinned-dependency]",
        "not read: .venv",
        "Python ==3.11.*",
        "deny: ",
    ] {
        assert!(page.contains(said), "{said} in {page}");
    }
}

#[test]
fn every_package_in_a_table() {
    let root = project(GOOD);
    let page = page(root.path(), &["deps", "--all"]);
    assert!(
        page.starts_with("exit: 0\n") && page.contains("torch  2.4.0") && page.contains("declared, digested"),
        "{page}"
    );
}

#[test]
fn nothing_read_is_never_clean() {
    let root = project(&[("notes.md", "nothing\n")]);
    let nothing = page(root.path(), &["deps"]);
    assert!(nothing.starts_with("exit: 3\n") && nothing.contains("no file here names packages"), "{nothing}");
    let gone = page(root.path(), &["deps", "gone"]);
    assert!(gone.starts_with("exit: 2\n--- stdout\n--- stderr\nerror: ") && gone.contains("\nhint: "), "{gone}");
    assert_eq!(waag(root.path(), &["deps", "notes.md"]).status.code(), Some(2));
}

#[test]
fn an_exception_covers_what_it_names() {
    let settings = "[[exception]]\nrule = \"unpinned-dependency\"\npath = \"requirements.txt\"\nsubject = \"numpy\"\nreason = \"r\"\nuntil = \"2099-01-01\"\n";
    let root = project(&[("requirements.txt", "numpy\n"), ("waag.toml", settings)]);
    let output = waag(root.path(), &["deps"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(waag(root.path(), &["deps", "--exit-zero"]).status.code(), Some(0));
}

#[test]
fn documents_for_programs_are_as_their_schema_says() {
    let schema = include_str!("../../../docs/schema/deps.schema.json");
    let schema = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    for files in [CARELESS, GOOD] {
        let root = project(files);
        let output = waag(root.path(), &["deps", "--format", "json"]);
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let errors: Vec<String> = schema.iter_errors(&document).map(|error| error.to_string()).collect();
        assert_eq!(errors, [""; 0]);
        assert_eq!(waag(root.path(), &["deps", "--format", "json"]).stdout, output.stdout);
    }
}
