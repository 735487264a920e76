//! Stores of safetensors, against the reference library's own writer.

use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::TensorView;
use safetensors::{Dtype as Theirs, serialize};

use super::*;

/// A file of these tensors of bytes, by the reference library.
fn safetensors(tensors: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let views =
        tensors.iter().map(|(name, bytes)| (*name, TensorView::new(Theirs::U8, vec![bytes.len()], bytes).unwrap()));
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    serialize(views.collect::<Vec<_>>(), Some(metadata)).unwrap()
}

fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    std::fs::write(folder.join(name), bytes).unwrap();
}

fn names(store: &dyn TensorStore) -> Vec<&str> {
    store.tensors().iter().map(|tensor| tensor.name.as_str()).collect()
}

#[test]
fn a_file_gives_the_bytes_that_were_written() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "m.safetensors", safetensors(&[("b", vec![1, 2, 3]), ("a", vec![9; 5])]));
    let store = open(&folder.path().join("m.safetensors")).unwrap();
    assert_eq!(names(&*store), ["a", "b"]);
    let mut buffer = [0; 2];
    store.read(1, 1, &mut buffer).unwrap();
    assert_eq!(buffer, [2, 3]);
    assert!(store.read(1, 2, &mut buffer).is_err(), "beyond the tensor");
    assert!(store.read(7, 0, &mut buffer).is_err(), "no such tensor");
    assert_eq!(store.metadata(), [("format".to_owned(), "pt".to_owned())]);
}

#[test]
fn shards_are_one_model() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "model-1.safetensors", safetensors(&[("z", vec![1])]));
    write(folder.path(), "model-2.safetensors", safetensors(&[("a", vec![2])]));
    let store = open(folder.path()).unwrap();
    assert_eq!((names(&*store), store.files().len()), (vec!["a", "z"], 2));
    let index = r#"{"weight_map":{"z":"model-1.safetensors","a":"model-2.safetensors"}}"#;
    write(folder.path(), "model.safetensors.index.json", index);
    let store = open(folder.path()).unwrap();
    assert_eq!((names(&*store), store.files().len()), (vec!["a", "z"], 3));
    let mut buffer = [0];
    store.read(0, 0, &mut buffer).unwrap();
    assert_eq!(buffer, [2]);
}

#[test]
fn an_index_that_is_not_right_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "model-1.safetensors", safetensors(&[("z", vec![1])]));
    for (index, said) in [
        (r#"{"weight_map":{"y":"model-1.safetensors"}}"#, "'y', which it lacks"),
        (r#"{"weight_map":{"z":"../model-1.safetensors"}}"#, "outside its folder"),
        (r#"{"weight_map":{"z":"/etc/passwd"}}"#, "outside its folder"),
        (r#"{"weight_map":{"z":"model-2.safetensors"}}"#, "No such file"),
        (r#"{"weight_map":{}}"#, "names 0 tensors"),
        (r#"{"weight_map":{"z":"model-1.safetensors","#, "at byte"),
    ] {
        write(folder.path(), "model.safetensors.index.json", index);
        let error = open(folder.path()).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn what_is_no_model_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(open(folder.path()), Err(WeightsError::Unsupported { .. })));
    assert!(matches!(open(&folder.path().join("none")), Err(WeightsError::Unreadable { .. })));
    write(folder.path(), "a.safetensors", safetensors(&[("z", vec![1])]));
    write(folder.path(), "b.safetensors", safetensors(&[("z", vec![1])]));
    assert!(open(folder.path()).unwrap_err().to_string().contains("two of its files hold a tensor 'z'"));
    write(folder.path(), "words.txt", "words");
    assert!(open(&folder.path().join("words.txt")).is_err());
}
