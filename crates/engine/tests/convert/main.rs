//! Conversion against files that other people's programs write, and roots that NumPy gives.

#![expect(clippy::disallowed_methods, reason = "the files read here are the test's own")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use waag_engine::convert::{Plan, Tied, convert};
use waag_engine::weights::{digest, open};

/// What the generator needs.
const PACKAGES: &str = "import numpy, h5py, safetensors";

/// Runs Python; gives what it prints.
fn python(arguments: &[&str]) -> String {
    let output = Command::new("python3").args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Whether there is a Python that has what is needed; there has to be where it is required.
fn has_python() -> bool {
    let found = Command::new("python3").args(["-c", PACKAGES]).output().is_ok_and(|output| output.status.success());
    let required = std::env::var_os("WAAG_REQUIRE_PYTHON").is_some_and(|value| value == "1");
    assert!(found || !required, "WAAG_REQUIRE_PYTHON=1, and python3 on PATH lacks numpy, h5py or safetensors");
    if !found {
        eprintln!("skipped: there is no python3 with numpy, h5py and safetensors on PATH");
    }
    found
}

/// The script of the page on tensor roots, as a file.
fn documented_script(folder: &Path) -> PathBuf {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/tensor-root.md");
    let page = std::fs::read_to_string(page).unwrap();
    let script = page.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    let path = folder.join("root.py");
    std::fs::write(&path, script).unwrap();
    path
}

#[test]
fn every_container_gives_the_numbers_that_other_programs_wrote() {
    if !has_python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let generator = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/convert/files.py");
    python(&[generator.to_str().unwrap(), folder.path().to_str().unwrap()]);
    let script = documented_script(folder.path());
    let roots = std::fs::read_to_string(folder.path().join("roots.json")).unwrap();
    let roots: BTreeMap<String, String> = serde_json::from_str(&roots).unwrap();
    assert!(roots.len() > 10);
    for (name, root) in roots {
        let input = folder.path().join(&name);
        let store = open(&input).unwrap_or_else(|error| panic!("{name}: {error}"));
        let digests = digest::tensors(&*store).unwrap();
        assert_eq!(digest::root(store.tensors(), &digests).to_string(), root, "{name}, as it is read");
        let output = folder.path().join(format!("{name}.safetensors"));
        let plan = Plan { input, output: output.clone(), force: false, tied: Tied::Copy, shard_size: None };
        let converted = convert(&plan).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(converted.root.to_string(), root, "{name}, as it is written");
        let documented = python(&[script.to_str().unwrap(), output.to_str().unwrap()]);
        assert_eq!(documented.trim(), root, "{name}, by the documented script");
        let read = "import sys, safetensors.numpy as s; print(len(s.safe_open(sys.argv[1], 'numpy').keys()))";
        assert_eq!(python(&["-c", read, output.to_str().unwrap()]).trim(), converted.tensors.to_string(), "{name}");
    }
}

#[test]
fn what_is_no_tensor_is_named() {
    if !has_python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let generator = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/convert/files.py");
    python(&[generator.to_str().unwrap(), folder.path().to_str().unwrap()]);
    let mut said = String::new();
    for name in ["checkpoint.pt", "legacy.pt", "flax.msgpack", "arrays.npz", "weights.h5", "model.keras"] {
        let store = open(&folder.path().join(name)).unwrap();
        said += &format!("{name}\n");
        for left in store.left_out() {
            said += &format!("  {}: {}\n", left.name, left.what);
        }
        for (index, tensor) in store.tensors().iter().enumerate().filter(|(index, _)| store.twin(*index) != *index) {
            said += &format!("  {} is {}\n", tensor.name, store.tensors()[store.twin(index)].name);
        }
    }
    insta::assert_snapshot!(said);
}
