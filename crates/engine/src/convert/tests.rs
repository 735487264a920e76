//! What is written, and what is left when nothing can be.

use std::collections::HashMap;
use std::path::Path;

use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use waag_testkit::{assemble, samples};

use super::*;

fn plan(folder: &Path, input: &str, output: &str) -> Plan {
    let (input, output) = (folder.join(input), folder.join(output));
    Plan { input, output, force: false, tied: Tied::Copy, shard_size: None }
}

/// A folder with a checkpoint whose tensor `again` is tied to `weight`.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let twice = samples::STATE_DICT
        .replace("TUPLE\nREDUCE\nSETITEM", "TUPLE\nREDUCE\nBINPUT 9\nSETITEM\nBINUNICODE \"again\"\nBINGET 9\nSETITEM");
    let input = assemble("zip model.pt", &samples::torch_zip(&twice)).unwrap();
    std::fs::write(folder.path().join("model.pt"), input.bytes).unwrap();
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn the_bytes_are_those_of_the_reference_library() {
    let folder = tempfile::tempdir().unwrap();
    let (bytes, longs) = (vec![1u8, 2, 3], vec![7u8; 16]);
    let view = |dtype, shape: &[usize], bytes| TensorView::new(dtype, shape.to_vec(), bytes).unwrap();
    let tensors = vec![
        ("bytes \"quoted\"", view(safetensors::Dtype::U8, &[3], &bytes)),
        ("a", view(safetensors::Dtype::I64, &[2], &longs)),
        ("b", view(safetensors::Dtype::F64, &[1, 2], &longs)),
    ];
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let theirs = safetensors::serialize(tensors, Some(metadata)).unwrap();
    std::fs::write(folder.path().join("in.safetensors"), &theirs).unwrap();
    convert(&plan(folder.path(), "in.safetensors", "out.safetensors")).unwrap();
    assert_eq!(std::fs::read(folder.path().join("out.safetensors")).unwrap(), theirs);
}

#[test]
fn tied_tensors_are_written_under_each_name_or_one() {
    let folder = folder();
    let copied = convert(&plan(folder.path(), "model.pt", "copy.safetensors")).unwrap();
    assert_eq!((copied.tensors, copied.tied.len()), (2, 0));
    let one = Plan { tied: Tied::One, ..plan(folder.path(), "model.pt", "one.safetensors") };
    let one = convert(&one).unwrap();
    assert_eq!((one.tensors, one.tied.clone()), (1, vec![("weight".to_owned(), "again".to_owned())]));
    let bytes = std::fs::read(folder.path().join("one.safetensors")).unwrap();
    let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    assert_eq!(metadata.metadata().as_ref().unwrap()["weight"], "again");
    assert_eq!(SafeTensors::deserialize(&bytes).unwrap().names(), ["again"]);
}

#[test]
fn nothing_is_replaced_without_being_told_to() {
    let folder = folder();
    let plan = plan(folder.path(), "model.pt", "out.safetensors");
    convert(&plan).unwrap();
    let first = std::fs::read(&plan.output).unwrap();
    assert!(matches!(convert(&plan), Err(ConvertError::Exists { .. })));
    convert(&Plan { force: true, ..plan.clone() }).unwrap();
    assert_eq!(std::fs::read(&plan.output).unwrap(), first);
    std::fs::remove_file(&plan.output).unwrap();
    assert!(
        matches!(convert(&plan), Err(ConvertError::Exists { path }) if path.ends_with("out.safetensors.provenance.json"))
    );
}

#[test]
fn nothing_is_left_behind_when_it_fails() {
    let folder = tempfile::tempdir().unwrap();
    // The header is right, and the storage is shorter than the tensor in it.
    let bad = samples::torch_zip(&samples::STATE_DICT.replace("BININT1 4\nTUPLE", "BININT1 40\nTUPLE"));
    std::fs::write(folder.path().join("bad.pt"), assemble("zip", &bad).map(|input| input.bytes).unwrap()).unwrap();
    assert!(convert(&plan(folder.path(), "bad.pt", "out.safetensors")).is_err());
    assert!(matches!(convert(&plan(folder.path(), "bad.pt", "none/out.safetensors")), Err(ConvertError::Weights(_))));
    assert_eq!(names(folder.path()), ["bad.pt"]);
    let good = self::folder();
    assert!(matches!(convert(&plan(good.path(), "model.pt", "none/out.safetensors")), Err(ConvertError::Write { .. })));
    assert_eq!(names(good.path()), ["model.pt"]);
}

#[test]
fn shards_have_an_index_and_give_the_same_root() {
    let folder = folder();
    let whole = convert(&plan(folder.path(), "model.pt", "whole.safetensors")).unwrap();
    let sharded = Plan { shard_size: Some(20), ..plan(folder.path(), "model.pt", "new") };
    let sharded = convert(&sharded).unwrap();
    assert_eq!(sharded.root, whole.root);
    let new = folder.path().join("new");
    let expected = [
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
        "model.safetensors.index.json",
        "model.safetensors.provenance.json",
    ];
    assert_eq!(names(&new), expected);
    let again = convert(&plan(folder.path(), "new", "again.safetensors")).unwrap();
    assert_eq!((again.root, again.inputs.len()), (whole.root, 3));
    assert_eq!(again.outputs[0].sha256, whole.outputs[0].sha256);
}

#[test]
fn the_statement_says_where_it_came_from() {
    let folder = folder();
    let plan = plan(folder.path(), "model.pt", "out.safetensors");
    let converted = convert(&plan).unwrap();
    let written = std::fs::read_to_string(&converted.statement).unwrap();
    assert_eq!(written, statement::statement(&plan, &converted, statement::time()));
    let dated = statement::statement(&plan, &converted, jiff::Timestamp::from_second(1_700_000_000).ok());
    assert!(dated.contains("\"finishedOn\": \"2023-11-14T22:13:20Z\""));
    let text = statement::statement(&plan, &converted, None);
    insta::assert_snapshot!(text.replace(env!("CARGO_PKG_VERSION"), "VERSION"));
}
