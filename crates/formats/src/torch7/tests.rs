//! Models as Torch7 writes them, and what they must not be.

use super::*;
use crate::testing::{inspect, mutate, oddities};

fn int(number: i32) -> Vec<u8> {
    number.to_le_bytes().to_vec()
}

fn long(number: i64) -> Vec<u8> {
    number.to_le_bytes().to_vec()
}

fn text(text: &str) -> Vec<u8> {
    [int(text.len() as i32), text.as_bytes().to_vec()].concat()
}

/// A tensor of `extent` floats over a storage of two.
fn tensor(index: i32, extent: i64) -> Vec<u8> {
    let head = [int(4), int(index), text("V 1"), text("torch.FloatTensor"), int(1)].concat();
    let storage = [int(4), int(index + 1), text("V 1"), text("torch.FloatStorage"), long(2), vec![0; 8]].concat();
    [head, long(extent), long(1), long(1), storage].concat()
}

/// A module with a weight, and with a function when there is one.
fn module(extent: i64, function: Option<&[u8]>) -> Vec<u8> {
    let mut bytes = [int(4), int(1), text("V 1"), text("nn.Linear"), int(3), int(2)].concat();
    bytes.extend(int(1 + i32::from(function.is_some())));
    bytes.extend([int(2), text("weight"), tensor(3, extent)].concat());
    if let Some(code) = function {
        bytes.extend([int(2), text("hook"), int(8), int(9), int(code.len() as i32), code.to_vec()].concat());
        bytes.extend([int(3), int(10), int(0)].concat());
    }
    bytes
}

fn odd(bytes: &[u8]) -> Vec<String> {
    let said = oddities(&inspect(&Torch7, "model.t7", bytes));
    said.iter().filter_map(|line| line.split('@').next().map(str::to_owned)).collect()
}

#[test]
fn modules_and_tensors_are_told() {
    let bytes = module(2, None);
    let facts = inspect(&Torch7, "model.t7", &bytes);
    assert_eq!(oddities(&facts), Vec::<String>::new());
    assert_eq!((facts.totals().tensors, facts.totals().bytes), (1, 8));
    assert_eq!(facts.find_property("class"), Some("nn.Linear"));
    let probe = Probe::new(&bytes, "x", crate::child::Role::Unknown);
    assert_eq!(Torch7.recognise(&probe), Some(Certainty::Certain));
}

#[test]
fn code_and_files_in_texts_are_told() {
    let table = |value: &str| [int(3), int(1), int(1), int(2), text("init"), int(2), text(value)].concat();
    let kinds = |bytes: &[u8]| {
        let facts = inspect(&Torch7, "model.t7", bytes);
        let code = facts.list().iter().filter(|fact| matches!(fact.kind, FactKind::Code(_))).count();
        (code, facts.list().iter().filter(|fact| matches!(fact.kind, FactKind::Child(_))).count())
    };
    assert_eq!(kinds(&table("\x1bLJ\x02 os.execute echo waag-inert")), (1, 0));
    assert_eq!(kinds(&table("#!/bin/sh\necho waag-inert")), (0, 1));
    assert_eq!(kinds(&table("os.execute is a word")), (0, 0));
}

#[test]
fn the_text_form_is_read_too() {
    let text = b"4\n1\n3\nV 1\n9\nnn.Linear\n3\n2\n1\n2\n6\nweight\n4\n3\n3\nV 1\n17\ntorch.FloatTensor\n1\n2\n1\n1\n4\n4\n3\n\
                 V 1\n18\ntorch.FloatStorage\n2\n0.5 1.5\n";
    let facts = inspect(&Torch7, "model.t7", text);
    assert_eq!(oddities(&facts), Vec::<String>::new());
    assert_eq!(facts.totals().tensors, 1);
}

#[test]
fn functions_are_code() {
    let facts = inspect(&Torch7, "model.t7", &module(2, Some(b"\x1bLJ\x01waag-inert")));
    let code = facts.list().iter().find_map(|fact| match &fact.kind {
        FactKind::Code(code) => Some((code.name.clone(), code.language.clone(), code.runs)),
        _ => None,
    });
    assert_eq!(code, Some(("hook".to_owned(), "LuaJIT bytecode".into(), Runs::Used)));
    assert_eq!(oddities(&facts), Vec::<String>::new());
}

#[test]
fn bounds_bombs_and_tails_are_told() {
    assert_eq!(odd(&module(3, None)), ["OutOfBounds"]);
    assert_eq!(odd(&module(i64::MAX, None)), ["OutOfBounds"]);
    assert_eq!(odd(&[module(2, None), b"more".to_vec()].concat()), ["TrailingBytes"]);
    assert_eq!(odd(&[int(3), int(1), int(i32::MAX)].concat()), ["AllocationBomb"]);
    assert_eq!(odd(&[int(2), int(-1)].concat()), ["Malformed"]);
    assert_eq!(odd(&[int(77)].concat()), ["Malformed"]);
}

#[test]
fn corrupted_models_do_not_panic() {
    mutate(&module(2, Some(b"\x1bLJ\x01waag-inert")), 5000, |bytes| {
        inspect(&Torch7, "model.t7", &bytes);
    });
}
