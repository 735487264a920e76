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

/// What is said of a file with these bytes: why it is refused, or the names of its tensors.
fn said(name: &str, bytes: impl AsRef<[u8]>) -> String {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), name, bytes);
    match open(&folder.path().join(name)) {
        Ok(store) => names(&*store).join(" "),
        Err(error) => error.to_string(),
    }
}

fn assembled(kind: &str, body: &str) -> Vec<u8> {
    waag_testkit::assemble(&format!("{kind} model"), body).unwrap().bytes
}

/// NumPy's container of an array of this type, of eight elements.
fn npy(dtype: &str, bytes: usize) -> Vec<u8> {
    let header = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': (8,), }}\n");
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\0".as_slice(), &length, header.as_bytes(), &vec![0; bytes]].concat()
}

#[test]
fn types_without_a_plain_form_are_refused_by_name() {
    assert_eq!(said("a.npy", npy("<f4", 32)), "tensor");
    assert!(said("a.npy", npy("<c16", 128)).contains("'tensor' is of <c16, which safetensors does not have"));
    assert!(said("a.npy", npy("|O", 8)).contains("it is an array of |O"));
    assert!(said("a.npy", npy("<f4", 31)).contains("31 bytes, which is not what its shape needs"));
    assert_eq!(said("a.gguf", assembled("gguf", "tensor a F32 [2, 2]\ntensor b I8 [3]")), "a b");
    // The number of the type stands behind the extent; 2 is that of blocks of four bits.
    let mut quantised = assembled("gguf", "tensor a F32 [32]");
    let extent = quantised.windows(8).position(|bytes| bytes == 32u64.to_le_bytes()).unwrap();
    quantised[extent + 8] = 2;
    assert!(said("a.gguf", quantised).contains("tensor 'a' is of Q4_0: blocks of quantised"));
}

#[test]
fn hdf5_that_cannot_be_read_as_it_stands_is_refused() {
    use waag_testkit::hdf5::{Item, file};
    assert_eq!(said("a.h5", file(&[Item::Bytes("x", b"12345678", &[2, 4])])), "x");
    for (item, reason) in [
        (Item::Unwritten("x", &[9, 9]), "'x' was never written"),
        (Item::External("x", "other.bin"), "'x' is kept in another file"),
        (Item::Link("x", "other.h5"), "'x' leads to another file"),
        (Item::Loop("x"), "within itself"),
        (Item::Outside("x"), "beyond the end of the file"),
        (Item::Filtered("x", 32_000), "'x' went through filters"),
    ] {
        let said = said("a.h5", file(std::slice::from_ref(&item)));
        assert!(said.contains(reason), "{item:?}: {said}");
    }
}

#[test]
fn archives_that_two_readers_read_differently_are_refused() {
    use waag_testkit::samples::{STATE_DICT, torch_zip};
    let good = torch_zip(STATE_DICT);
    assert_eq!(said("a.pt", assembled("zip", &good)), "weight");
    let other_name = good.replace("archive/data/0 <-", "archive/data/0 (local=archive/data/1) <-");
    assert!(said("a.pt", assembled("zip", &other_name)).contains("the archive is odd"));
    let twice = format!("{good}archive/data/0 = other\n");
    assert!(said("a.pt", assembled("zip", &twice)).contains("the archive is odd"));
    let missing = good.replace("archive/data/0 <-", "archive/data/9 <-");
    assert!(said("a.pt", assembled("zip", &missing)).contains("storage '0' is not in the archive"));
    let short = good.replace(&"0000803f".repeat(4), &"0000803f".repeat(3));
    assert!(said("a.pt", assembled("zip", &short)).contains("storage '0' has 12 bytes of 16"));
    let two = format!("{good}other/data.pkl <- pickle-assembly\nNONE\nSTOP\nend\n");
    assert!(said("a.pt", assembled("zip", &two)).contains("the archive is odd: other/data.pkl is a program"));
}
