//! Checkpoints as Flax writes them, and what they must not be.

use super::*;
use crate::fact::FactKind;
use crate::format::Format;
use crate::testing::{inspect, mutate, oddities};

/// An array of two numbers under `params/w`, as the reference library packs it.
fn checkpoint(shape: u8, dtype: &str) -> Vec<u8> {
    let mut array = vec![0x93, 0x91, shape, 0xa0 | dtype.len() as u8];
    array.extend(dtype.bytes());
    array.extend([0xc4, 8, 0, 0, 128, 63, 0, 0, 0, 64]);
    let mut bytes = vec![0x82, 0xa6];
    bytes.extend(b"params");
    bytes.extend([0x81, 0xa1, b'w', 0xc7, array.len() as u8, 1]);
    bytes.extend(array);
    bytes.extend([0xa4, b's', b't', b'e', b'p', 0xcd, 1, 0]);
    bytes
}

fn odd(bytes: &[u8]) -> Vec<String> {
    let said = oddities(&inspect(&Flax, "flax_model.msgpack", bytes));
    said.iter().filter_map(|line| line.split('@').next().map(str::to_owned)).collect()
}

#[test]
fn keys_may_be_fractions() {
    assert_eq!(odd(b"\x81\xcb\x3f\xf8\0\0\0\0\0\0\x01"), Vec::<String>::new());
    assert_eq!(odd(b"\x81\x90\x01"), ["Malformed"]);
}

#[test]
fn arrays_and_values_are_told() {
    let bytes = checkpoint(2, "float32");
    let facts = inspect(&Flax, "flax_model.msgpack", &bytes);
    assert_eq!(oddities(&facts), Vec::<String>::new());
    let tensor = facts.list().iter().find_map(|fact| match &fact.kind {
        FactKind::Tensor(tensor) => Some(tensor.clone()),
        _ => None,
    });
    let tensor = tensor.expect("there is one");
    assert_eq!((tensor.name.as_str(), tensor.dtype.as_str(), tensor.bytes), ("params/w", "float32", Some(8)));
    let probe = crate::format::Probe::new(&bytes, "x", crate::child::Role::Unknown);
    assert_eq!(Flax.recognise(&probe), Some(crate::format::Certainty::Likely));
}

#[test]
fn sizes_types_and_tails_are_checked() {
    assert_eq!(odd(&checkpoint(3, "float32")), ["SizeMismatch"]);
    assert_eq!(odd(&checkpoint(2, "object")), ["Malformed"]);
    assert_eq!(odd(&checkpoint(2, "odd")), ["Unsupported"]);
    let mut bytes = checkpoint(2, "float32");
    bytes.extend(b"cos\nsystem\n(S'echo waag-inert'\ntR.");
    assert_eq!(odd(&bytes), ["TrailingBytes"]);
}

/// An array in one piece of two numbers, whose shape says `extent`.
fn chunked(extent: u8) -> Vec<u8> {
    let piece = [&[0x93, 0x91, 2, 0xa7][..], b"float32", &[0xc4, 8, 0, 0, 128, 63, 0, 0, 0, 64]].concat();
    let mut bytes = vec![0x81, 0xa1, b'w', 0x83, 0xb9];
    bytes.extend(b"__msgpack_chunked_array__");
    bytes.extend([0xc3, 0xa5]);
    bytes.extend(b"shape");
    bytes.extend([0x81, 0xa1, b'0', extent, 0xa6]);
    bytes.extend(b"chunks");
    bytes.extend([0x81, 0xa1, b'0', 0xc7, piece.len() as u8, 1]);
    bytes.extend(piece);
    bytes
}

#[test]
fn pieces_must_make_up_their_array() {
    assert_eq!(odd(&chunked(2)), Vec::<String>::new());
    assert_eq!(odd(&chunked(100)), ["SizeMismatch"]);
}

#[test]
fn duplicates_and_bombs_are_told() {
    assert_eq!(odd(&[0x82, 0xa1, b'a', 1, 0xa1, b'a', 2]), ["DuplicateName"]);
    assert_eq!(odd(&[0xdf, 0xff, 0xff, 0xff, 0xff, 0xa1]), ["AllocationBomb"]);
    assert_eq!(odd(&[0x81, 0xa1, b'a', 0xc6, 0xff, 0, 0, 0]), ["OutOfBounds"]);
    assert_eq!(odd(&[0x91; 100_000]), ["Depth"]);
    assert_eq!(odd(&[0x81, 0xa1, b'a', 0xc1]), ["Malformed"]);
}

#[test]
fn numbers_have_their_sign() {
    let mut seen = Vec::new();
    let bytes = vec![0x94, 0xd0, 0xff, 0xd1, 0xff, 0xfe, 0xcf, 255, 255, 255, 255, 255, 255, 255, 255, 0xe0];
    walk(&bytes, Span::whole(&bytes), &Budget::default(), &mut |_, _, value| {
        if let Value::Integer(number) = value {
            seen.push(number);
        }
    });
    assert_eq!(seen, [-1, -2, u64::MAX.into(), -32]);
}

#[test]
fn corrupted_checkpoints_do_not_panic() {
    mutate(&checkpoint(2, "float32"), 4000, |bytes| {
        inspect(&Flax, "flax_model.msgpack", &bytes);
    });
}

/// An array as `msgpack-numpy` packs it, in a layer's parameters.
fn packed(kind: &str, dtype: &str, data: &[u8]) -> Vec<u8> {
    let text = |text: &str| [&[0xa0 | text.len() as u8], text.as_bytes()].concat();
    let mut bytes =
        [vec![0x81], text("params"), vec![0x91, 0x81], text("W"), vec![0x85], text("nd"), vec![0xc3]].concat();
    bytes.extend([text("type"), text(dtype), text("kind"), vec![0xc4, kind.len() as u8], kind.into()].concat());
    bytes.extend([text("shape"), vec![0x91, 2], text("data"), vec![0xc4, data.len() as u8], data.to_vec()].concat());
    bytes
}

#[test]
fn arrays_of_spacy_are_numbers_or_a_pickle() {
    let roles = |bytes: &[u8]| {
        let facts = inspect(&Flax, "model", bytes);
        let children = facts.list().iter().filter_map(|fact| match &fact.kind {
            FactKind::Child(child) => Some((child.name.clone(), child.role)),
            _ => None,
        });
        children.collect::<Vec<_>>()
    };
    let numbers = packed("", "<f4", &[0; 8]);
    assert_eq!(roles(&numbers), [("params/0/W/data".to_owned(), crate::child::Role::Numbers)]);
    assert_eq!(odd(&numbers), Vec::<String>::new());
    assert_eq!(odd(&packed("", "<f8", &[0; 8])), ["SizeMismatch"]);
    let objects = packed("O", "|O", b"cos\nsystem\n(S'echo waag-inert'\ntR.");
    assert_eq!(roles(&objects), [("params/0/W/data".to_owned(), crate::child::Role::Pickle)]);
}

#[test]
fn settings_of_layers_are_values_within_the_value() {
    let with = |inner: &[u8]| [b"\x81\xa5attrs\x91\x81\xa3pad\xc4".as_slice(), &[inner.len() as u8], inner].concat();
    let children = |inner: &[u8]| {
        let facts = inspect(&Flax, "model", &with(inner));
        facts.list().iter().filter(|fact| matches!(fact.kind, FactKind::Child(_))).count()
    };
    assert_eq!(children(&[0x04]), 0);
    assert_eq!(children(b"\x81\xa1a\xc4\x01x"), 1);
    assert_eq!(children(b"cos\nsystem\n."), 1);
}

#[test]
fn files_of_spacy_are_told_by_being_one_value() {
    let told = |bytes: &[u8], name: &str| {
        Flax.recognise(&crate::format::Probe::new(&bytes, name, crate::child::Role::Unknown)).is_some()
    };
    assert!(told(&[0x80], "vocab/lookups.bin") && told(&[0x90], "attribute_ruler/patterns"));
    assert!(told(&[0x81, 0xcf, 1, 2, 3, 4, 5, 6, 7, 8, 0], "vocab/key2row"));
    assert!(!told(&[0x81, 0xcf, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0], "vocab/key2row"));
    assert!(!told(&[0x80, 0x04, 0x95], "model.bin"));
}

#[test]
fn no_mutation_of_packed_arrays_panics() {
    mutate(&packed("", "<f4", &[0; 8]), 2000, |bytes| drop(inspect(&Flax, "model", &bytes)));
}
