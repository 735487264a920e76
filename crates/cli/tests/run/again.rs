use crate::project::Project;
use crate::python::{has, python};

fn code(project: &Project, arguments: &[&str]) -> (Option<i32>, String) {
    let output = project.run(arguments);
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn the_same_bytes_come_out_again() {
    let project = Project::new();
    project.write("in.txt", "abc");
    project.shell(&["--type", "prepare-dataset"], "sort in.txt > out.txt");
    let before = std::fs::metadata(project.path("out.txt")).unwrap().modified().unwrap();
    let (code, talk) = code(&project, &["--again", "provenance.intoto.json", "--copy-to", "kept"]);
    assert_eq!(code, Some(0), "{talk}");
    assert!(talk.contains("runs again, as 'provenance.intoto.json' tells: "), "{talk}");
    assert!(talk.contains("'sort in.txt > out.txt'"), "{talk}");
    assert!(talk.contains("'out.txt': bit-identical") && talk.contains("rerun-bit-identical"), "{talk}");
    assert_eq!(std::fs::metadata(project.path("out.txt")).unwrap().modified().unwrap(), before, "the first one stays");
    assert_eq!(project.text("kept/out.txt"), project.text("out.txt"));
    let statement = project.statement("provenance.again.intoto.json");
    assert_eq!(statement.internal()["reproducibility"], "rerun-bit-identical");
    assert_eq!(statement.internal()["comparison"]["outputs"][0]["result"], "bit-identical");
    let left: Vec<_> = std::fs::read_dir(project.path("")).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with(".waag")), "{left:?}");
}

#[test]
fn other_inputs_are_another_run() {
    let project = Project::new();
    project.write("in.txt", "abc");
    project.write("other.txt", "abc");
    project.shell(&[], "cat in.txt other.txt > out.txt");
    project.write("in.txt", "changed");
    std::fs::remove_file(project.path("other.txt")).unwrap();
    let (code, talk) = code(&project, &["--again", "provenance.intoto.json"]);
    assert_eq!(code, Some(3), "{talk}");
    assert!(talk.contains("'in.txt' has other bytes") && talk.contains("'other.txt' is not there"), "{talk}");
}

#[test]
fn an_output_elsewhere_is_not_moved_away() {
    let project = Project::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("out.txt");
    let shown = file.display().to_string();
    project.shell(&["--output", &shown], &format!("echo a > '{shown}'"));
    std::fs::write(&file, "precious").unwrap();
    let (code, talk) = code(&project, &["--again", "provenance.intoto.json"]);
    assert_eq!(code, Some(2), "{talk}");
    assert!(talk.contains("lies outside the working folder") && talk.contains("hint: nothing was moved"), "{talk}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious");
}

#[test]
fn other_outputs_are_told() {
    let project = Project::new();
    project.shell(&[], "cat /proc/sys/kernel/random/uuid > out.txt");
    let first = project.text("out.txt");
    let (result, talk) = code(&project, &["--again", "provenance.intoto.json"]);
    assert_eq!(result, Some(1), "{talk}");
    assert!(talk.contains("'out.txt': different") && project.text("out.txt") == first, "{talk}");
    project.shell(&[], "test -e once || echo a > out.txt; echo > once");
    let (result, talk) = code(&project, &["--again", "provenance.intoto.json"]);
    assert_eq!(result, Some(0), "{talk}");
    project.shell(&["--output", "out.txt"], "test -e twice || echo a > out.txt; echo > twice");
    let (result, talk) = code(&project, &["--again", "provenance.intoto.json"]);
    assert_eq!(result, Some(1), "{talk}");
    assert!(talk.contains("'out.txt': not written"), "{talk}");
}

/// Weights that differ a little from run to run: so many that two runs never draw the same.
const NOISY: &str = "import numpy, os, safetensors.numpy as s\n\
    noise = numpy.frombuffer(os.urandom(64), 'uint8') * float.fromhex('0x1p-20')\n\
    s.save_file({'w': (1 + noise).astype('float32')}, 'model.safetensors')\n";

#[test]
fn weights_that_are_near_enough_are_within_tolerance() {
    if !has("safetensors.numpy, numpy") {
        return;
    }
    let project = Project::new();
    project.write("train.py", NOISY);
    assert!(project.run(&["--", &python(), "train.py"]).status.success());
    let (result, talk) = code(&project, &["--again", "provenance.intoto.json", "--tolerance", "0.001"]);
    assert_eq!(result, Some(0), "{talk}");
    assert!(talk.contains("within tolerance; largest relative change"), "{talk}");
    let (result, talk) = code(&project, &["--again", "provenance.intoto.json", "--tolerance", "1e-12"]);
    assert_eq!(result, Some(1), "{talk}");
    assert!(talk.contains("'model.safetensors': different; largest relative change"), "{talk}");
}

#[test]
fn what_tells_of_no_run_is_refused() {
    let project = Project::new();
    for text in [
        "",
        "{}",
        "[]",
        r#"{"payload":"!!","payloadType":"x","signatures":[]}"#,
        r#"{"payload":"e30=","payloadType":"x","signatures":[]}"#,
    ] {
        project.write("other.json", text);
        let (result, talk) = code(&project, &["--again", "other.json"]);
        assert!(
            result == Some(2) && talk.starts_with("error: cannot run 'other.json' again") && talk.contains("hint:"),
            "{talk}"
        );
    }
}
