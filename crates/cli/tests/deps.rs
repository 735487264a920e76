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
fn a_description_of_an_image_is_read_by_itself() {
    let root = project(&[
        ("docker/Dockerfile.gpu", "FROM python:3.11\nRUN pip install torch==2.4.0 torchvision==0.15.2\n"),
        ("requirements.txt", "numpy\n"),
    ]);
    let page = page(root.path(), &["deps", "docker/Dockerfile.gpu"]);
    for said in [
        "torchvision 0.15.2 needs torch ==2.0.1",
        "docker/Dockerfile.gpu, line 2",
        "low[root-user]",
        "unpinned-base-image",
    ] {
        assert!(page.contains(said), "{said} in {page}");
    }
    assert!(!page.contains("numpy") && !page.contains("no file here"), "{page}");
}

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

/// torch 2.4.0 brings CUDA 12.1: nothing of it starts below driver 525, and driver 530.30.02 comes with it.
const ON_CUDA: &[(&str, &str)] = &[("app/requirements.txt", "torch==2.4.0 --hash=sha256:aa\n")];

#[test]
fn a_driver_is_enough_or_lacks_something_or_starts_nothing() {
    let root = project(ON_CUDA);
    for (driver, code, said) in [
        (
            "470.82.01",
            "exit: 1\n",
            "high[incompatible-stack] 1 finding\n  torch 2.4.0 and the NVIDIA driver 470.82.01 (--driver): ",
        ),
        (
            "525.60.13",
            "exit: 3\n",
            "medium[reduced-stack] 1 finding\n  torch 2.4.0 and the NVIDIA driver 525.60.13 (--driver): ",
        ),
        ("535.104.05", "exit: 0\n", "  NVIDIA driver 535.104.05  --driver\n"),
    ] {
        let page = page(root.path(), &["deps", "--driver", driver]);
        assert!(page.starts_with(code) && page.contains(said), "{driver}: {page}");
        assert!(!page.contains("nothing was compared"), "{page}");
    }
}

#[test]
fn the_driver_of_the_settings_counts_unless_another_is_asked_about() {
    let settings = "[compute]\ndriver = \"470.82.01\"\n";
    let root = project(&[ON_CUDA, &[("waag.toml", settings)]].concat());
    let told = page(root.path(), &["deps"]);
    assert!(told.starts_with("exit: 1\n") && told.contains("the NVIDIA driver 470.82.01 (waag.toml:2)"), "{told}");
    assert_eq!(waag(root.path(), &["deps", "--driver", "550.54.14"]).status.code(), Some(0));
    std::fs::create_dir(root.path().join(".git")).unwrap();
    let below = page(&root.path().join("app"), &["deps", ".."]);
    assert!(below.contains("the NVIDIA driver 470.82.01 ("), "{below}");
    let checked = waag(root.path(), &["check", ".", "--format", "json"]);
    let report = String::from_utf8(checked.stdout).unwrap();
    assert!(report.contains("incompatible-stack") && report.contains("470.82.01 (waag.toml:2)"), "{report}");
    let output = waag(root.path(), &["deps", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["driver"]["location"]["line"], 2);
    let schema = include_str!("../../../docs/schema/deps.schema.json");
    let schema = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    assert!(schema.is_valid(&document));
}

#[test]
fn a_driver_that_is_none_is_refused_and_one_that_nothing_needs_is_said() {
    let root = project(&[("requirements.txt", "numpy==2.1.0 --hash=sha256:aa\n")]);
    for bad in ["12.4", "535", "", "535.1\u{1b}[31m", "latest"] {
        let page = page(root.path(), &["deps", "--driver", bad]);
        assert!(page.starts_with("exit: 2\n--- stdout\n--- stderr\nerror: the driver '"), "{page}");
        assert!(page.contains("\nhint: `nvidia-smi") && !page.contains('\u{1b}'), "{page}");
    }
    let idle = page(root.path(), &["deps", "--driver", "535.104.05"]);
    let said = "nothing was compared with the NVIDIA driver 535.104.05 (--driver)";
    assert!(idle.starts_with("exit: 0\n") && idle.contains(said), "{idle}");
    let cpu = "--index-url https://download.pytorch.org/whl/cpu\ntorch==2.4.0+cpu --hash=sha256:aa\n";
    let none = page(project(&[("requirements.txt", cpu)]).path(), &["deps", "--driver", "535.104.05"]);
    assert!(!none.contains("nothing was compared"), "{none}");
    let here = page(root.path(), &["deps", "--driver", "here"]);
    match Path::new("/proc/driver/nvidia/version").exists() {
        true => assert!(here.contains("  /proc/driver/nvidia/version\n"), "{here}"),
        false => assert!(here.starts_with("exit: 2\n") && here.contains("\nhint: no driver is loaded here"), "{here}"),
    }
    std::fs::write(root.path().join("waag.toml"), "[compute]\ndriver = \"here\"\n").unwrap();
    let settings = page(root.path(), &["deps"]);
    assert!(settings.starts_with("exit: 2\n") && settings.contains("waag.toml:2:10: the driver 'here'"), "{settings}");
}
