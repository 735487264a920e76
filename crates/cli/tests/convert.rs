//! `waag convert`, as a shell sees it.

// A test may stop at what it did not expect, and reads only what it made itself.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn waag(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_waag"));
    command.args(arguments).current_dir(folder).env_clear().output().unwrap()
}

/// Exit code, stdout and stderr on one page.
fn page(folder: &Path, arguments: &[&str]) -> String {
    let output = waag(folder, arguments);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap().replace(folder.to_str().unwrap(), "[folder]");
    let code = output.status.code().unwrap();
    format!("exit: {code}\n--- stdout\n{}--- stderr\n{}", text(&output.stdout), text(&output.stderr))
}

/// An array of three singles, as NumPy writes it.
fn array(folder: &Path, name: &str) -> PathBuf {
    let mut header = String::from("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }");
    header.push_str(&" ".repeat(117 - header.len()));
    header.push('\n');
    let numbers: Vec<u8> = [1.0f32, -2.0, 0.5].iter().flat_map(|number| number.to_le_bytes()).collect();
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    let path = folder.join(name);
    std::fs::write(&path, [b"\x93NUMPY\x01\0".as_slice(), &length, header.as_bytes(), &numbers].concat()).unwrap();
    path
}

#[test]
fn a_model_is_converted_and_said() {
    let folder = tempfile::tempdir().unwrap();
    array(folder.path(), "w.npy");
    insta::assert_snapshot!("convert", page(folder.path(), &["convert", "w.npy", "w.safetensors"]));
    insta::assert_snapshot!("convert-exists", page(folder.path(), &["convert", "w.npy", "w.safetensors"]));
    let forced = ["convert", "w.npy", "w.safetensors", "--force", "--format", "json"];
    insta::assert_snapshot!("convert-json", page(folder.path(), &forced));
    let check = waag(folder.path(), &["check", "w.safetensors"]);
    assert_eq!(check.status.code(), Some(0), "{}", String::from_utf8_lossy(&check.stdout));
}

#[test]
fn what_cannot_be_converted_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("words.txt"), "words\n").unwrap();
    std::fs::write(folder.path().join("call.pkl"), b"cos\nsystem\n(S'echo waag-inert'\ntR.").unwrap();
    array(folder.path(), "w.npy");
    insta::assert_snapshot!("convert-words", page(folder.path(), &["convert", "words.txt", "out.safetensors"]));
    insta::assert_snapshot!("convert-call", page(folder.path(), &["convert", "call.pkl", "out.safetensors"]));
    insta::assert_snapshot!("convert-nowhere", page(folder.path(), &["convert", "w.npy", "none/out.safetensors"]));
    insta::assert_snapshot!("convert-size", page(folder.path(), &["convert", "w.npy", "out", "--shard-size", "much"]));
    let missing = waag(folder.path(), &["convert", "none\u{1b}[31m.pt", "out.safetensors"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(missing.stderr.starts_with(b"error: ") && !missing.stderr.contains(&0x1b));
    assert!(!folder.path().join("out.safetensors").exists());
}

/// A checkpoint of 24 MB with one tensor.
fn checkpoint(folder: &Path) -> PathBuf {
    const BYTES: usize = 24 << 20;
    let header = format!("{{\"w\":{{\"dtype\":\"F32\",\"shape\":[{}],\"data_offsets\":[0,{BYTES}]}}}}", BYTES / 4);
    let header = format!("{header:<width$}", width = header.len().next_multiple_of(8));
    let path = folder.join("model.safetensors");
    let length = (header.len() as u64).to_le_bytes();
    let numbers = vec![0x3Fu8; BYTES];
    std::fs::write(&path, [length.as_slice(), header.as_bytes(), &numbers].concat()).unwrap();
    path
}

#[test]
fn a_killed_conversion_leaves_nothing_or_all() {
    let folder = tempfile::tempdir().unwrap();
    checkpoint(folder.path());
    let whole = waag(folder.path(), &["convert", "model.safetensors", "whole.safetensors"]);
    assert!(whole.status.success(), "{}", String::from_utf8_lossy(&whole.stderr));
    let whole = std::fs::read(folder.path().join("whole.safetensors")).unwrap();
    let out = folder.path().join("out.safetensors");
    // Wherever the kill falls, what has the name is whole.
    for milliseconds in [1, 10, 30, 60, 100, 200, 400] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_waag"));
        command.args(["convert", "model.safetensors", "out.safetensors", "--force", "--quiet"]);
        let mut child = command.current_dir(folder.path()).stdout(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        let _ = child.kill();
        child.wait().unwrap();
        if out.exists() {
            assert!(std::fs::read(&out).unwrap() == whole, "killed after {milliseconds} ms");
        }
    }
}
