//! `waag diff` as a shell sees it: exit codes, formats, and what goes wrong.

// A test may stop at what it did not expect.
#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};

/// A folder with models to compare.
struct Models {
    folder: tempfile::TempDir,
}

impl Models {
    fn new() -> Self {
        let models = Self { folder: tempfile::tempdir().unwrap() };
        models.write("base.safetensors", &[("w", &[1.0, 2.0, 3.0]), ("b", &[4.0])]);
        models.write("near.safetensors", &[("w", &[1.0, 2.0, 3.001]), ("b", &[4.0])]);
        models.write("more.safetensors", &[("w", &[1.0, 2.0, 3.0]), ("b", &[4.0]), ("c\u{1b}[31m", &[0.5])]);
        std::fs::create_dir(models.folder.path().join("shards")).unwrap();
        models.write("shards/model-00001-of-00002.safetensors", &[("w", &[1.0, 2.0, 3.0])]);
        models.write("shards/model-00002-of-00002.safetensors", &[("b", &[4.0])]);
        models
    }

    fn write(&self, name: &str, tensors: &[(&str, &[f32])]) {
        let mut entries = Vec::new();
        let mut data: Vec<u8> = Vec::new();
        for (name, values) in tensors {
            let start = data.len();
            data.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            let (count, name) = (values.len(), serde_json::to_string(name).unwrap());
            entries.push(format!(
                "{name}:{{\"dtype\":\"F32\",\"shape\":[{count}],\"data_offsets\":[{start},{}]}}",
                data.len()
            ));
        }
        let mut header = format!("{{{}}}", entries.join(",")).into_bytes();
        header.resize(header.len().next_multiple_of(8), b' ');
        let file = [&(header.len() as u64).to_le_bytes()[..], &header, &data].concat();
        std::fs::write(self.folder.path().join(name), file).unwrap();
    }

    fn diff(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_waag"));
        command.arg("diff").args(arguments).current_dir(self.folder.path()).env_clear();
        command.output().unwrap()
    }

    fn code(&self, arguments: &[&str]) -> i32 {
        self.diff(arguments).status.code().unwrap()
    }
}

#[test]
fn exit_codes_are_those_of_diff() {
    let models = Models::new();
    for (arguments, expected) in [
        (&["base.safetensors", "base.safetensors"][..], 0),
        (&["base.safetensors", "shards"], 0),
        (&["base.safetensors", "near.safetensors"], 1),
        (&["base.safetensors", "near.safetensors", "--exit-zero"], 0),
        (&["base.safetensors", "near.safetensors", "--only", "b"], 0),
        (&["base.safetensors", "near.safetensors", "--tolerance", "0.01"], 0),
        (&["base.safetensors", "near.safetensors", "--tolerance", "0.0001"], 1),
        (&["base.safetensors", "more.safetensors", "--tolerance", "9"], 1),
        (&["base.safetensors", "near.safetensors", "--only", "none"], 2),
        (&["base.safetensors", "near.safetensors", "--tolerance", "-1"], 2),
        (&["base.safetensors", "none.safetensors"], 2),
    ] {
        assert_eq!(models.code(arguments), expected, "{arguments:?}");
    }
}

#[test]
fn shards_are_the_same_tensors_in_another_container() {
    let output = Models::new().diff(&["base.safetensors", "shards"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.ends_with("re-serialised: the same tensors, in another container\n"), "{text}");
    assert!(output.stderr.is_empty(), "no progress where nobody watches");
}

#[test]
fn what_goes_wrong_is_explained() {
    let models = Models::new();
    std::fs::write(models.folder.path().join("short.safetensors"), b"\x10\0\0\0\0\0\0\0{").unwrap();
    for arguments in [&["base.safetensors", "short.safetensors"], &["none\u{1b}", "base.safetensors"]] {
        let output = models.diff(arguments);
        let talk = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{talk}");
        assert!(output.stdout.is_empty() && talk.starts_with("error: ") && talk.contains("\nhint: "), "{talk}");
        assert!(!talk.contains('\u{1b}'), "{talk}");
    }
}

#[test]
fn every_format_is_written_to_stdout_or_to_a_file() {
    let models = Models::new();
    for format in ["plain", "json", "html"] {
        let arguments = ["base.safetensors", "more.safetensors", "--format", format];
        let shown = models.diff(&arguments);
        assert!(!shown.stdout.contains(&0x1b), "{format}");
        let filed = models.diff(&[&arguments[..], &["--output", "answer"]].concat());
        assert!(filed.stdout.is_empty() && filed.status.code() == Some(1), "{format}");
        let mut answer = std::fs::File::open(models.folder.path().join("answer")).unwrap();
        let mut bytes = Vec::new();
        std::io::copy(&mut answer, &mut bytes).unwrap();
        assert_eq!(bytes, shown.stdout, "{format}");
    }
    let json = models.diff(&["base.safetensors", "more.safetensors", "--format", "json"]).stdout;
    let document: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(document["summary"]["class"], "resized");
    assert_eq!(document["tensors"].as_array().unwrap().len(), 3);
}

/// Computes the figures of a pair with NumPy.
const SCRIPT: &str = r#"
import json, struct, sys
import numpy
def tensor(path):
    data = open(path, "rb").read()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    return numpy.frombuffer(data, "<f4", offset=start).astype("f8")
a, b = tensor(sys.argv[1]), tensor(sys.argv[2])
norm = numpy.linalg.norm
print(json.dumps({
    "relative": norm(b - a) / norm(a),
    "cosine": a @ b / norm(a) / norm(b),
    "correlation": numpy.corrcoef(a, b)[0, 1],
    "largest": abs(b - a).max(),
    "changed": int((a != b).sum()),
}))
"#;

#[test]
fn figures_are_those_of_numpy() {
    let python = Command::new("python3").args(["-c", "import numpy"]).output();
    if !python.is_ok_and(|output| output.status.success()) {
        assert!(std::env::var_os("WAAG_REQUIRE_PYTHON").is_none(), "there is no python3 with numpy");
        return;
    }
    let models = Models::new();
    let numbers =
        |factor: u32| (1..=5000u32).map(move |n| (n.wrapping_mul(factor) >> 8) as f32 / 1e7 - 0.4).collect::<Vec<_>>();
    let (old, noise) = (numbers(2_654_435_761), numbers(2_246_822_519));
    let new: Vec<f32> = old.iter().zip(noise).map(|(old, noise)| old + noise / 10.0).collect();
    models.write("old.safetensors", &[("w", &old)]);
    models.write("new.safetensors", &[("w", &new)]);
    let arguments = ["old.safetensors", "new.safetensors"];
    let ours = models.diff(&[&arguments[..], &["--format", "json"]].concat()).stdout;
    let ours: serde_json::Value = serde_json::from_slice(&ours).unwrap();
    let mut theirs = Command::new("python3");
    theirs.args(["-c", SCRIPT]).args(arguments).current_dir(models.folder.path());
    let theirs: serde_json::Value = serde_json::from_slice(&theirs.output().unwrap().stdout).unwrap();
    for (name, expected) in theirs.as_object().unwrap() {
        let (found, expected) = (ours["tensors"][0]["measures"][name].as_f64().unwrap(), expected.as_f64().unwrap());
        assert!((found / expected - 1.0).abs() < 1e-6, "{name}: {found} {expected}");
    }
}
