//! Checkpoints that are not as they should be, and what is said of them.

use waag_testkit::{assemble, samples};

use crate::budget::Budget;
use crate::weights::{Catalogue, Dtype, Problem, Storage};

use super::{is_legacy, read, read_legacy};

fn assembled(program: &str) -> Vec<u8> {
    assemble("pickle-assembly", program).unwrap().bytes
}

fn catalogue(program: &str) -> Result<Catalogue, Problem> {
    read(&assembled(program), &Budget::default()).and_then(Catalogue::checked)
}

fn said(program: &str) -> String {
    catalogue(program).map_or_else(|problem| problem.to_string(), |catalogue| format!("{:?}", catalogue.tensors))
}

/// The state dict of one tensor, with one part of it replaced.
fn with(part: &str, other: &str) -> String {
    assert!(samples::STATE_DICT.contains(part), "{part}");
    samples::STATE_DICT.replacen(part, other, 1)
}

/// A program that pushes a tensor of four elements.
fn tensor() -> String {
    let (_, body) = samples::STATE_DICT.split_once("BINPUT 1\n").unwrap();
    body.split("SETITEM").next().unwrap().to_owned()
}

/// A dictionary of these keys and programs.
fn dict(items: &[(&str, &str)]) -> String {
    let items: String = items.iter().map(|(key, value)| format!("{key}\n{value}\nSETITEM\n")).collect();
    format!("PROTO 2\nEMPTY_DICT\n{items}STOP")
}

#[test]
fn a_state_dict_is_read() {
    let catalogue = catalogue(samples::STATE_DICT).unwrap();
    let [entry] = catalogue.tensors.as_slice() else { panic!("{catalogue:?}") };
    assert_eq!((entry.name.as_str(), entry.dtype, entry.shape.as_slice()), ("weight", Dtype::F32, &[2, 2][..]));
    assert_eq!((entry.view.offset, entry.view.strides.as_slice()), (0, &[2, 1][..]));
    assert_eq!(catalogue.storages, [Storage::Member { name: "0".into(), length: 16 }]);
}

#[test]
fn keys_are_joined_and_what_is_no_tensor_is_left_out() {
    let inner = format!("EMPTY_DICT\nBININT1 5\n{}SETITEM", tensor());
    let list = format!("EMPTY_LIST\n{}APPEND\nBININT1 1\nAPPEND", tensor());
    let program = dict(&[
        ("BINUNICODE \"a\"", &inner),
        ("BINUNICODE \"b\"", &list),
        ("BINUNICODE \"epoch\"", "BININT1 3"),
        ("BINUNICODE \"args\"", "GLOBAL argparse Namespace\nEMPTY_TUPLE\nREDUCE"),
        ("NONE", "NEWTRUE"),
    ]);
    let catalogue = catalogue(&program).unwrap();
    let names: Vec<&str> = catalogue.tensors.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["a.5", "b.0"]);
    let left: Vec<String> = catalogue.left_out.iter().map(|left| format!("{}: {}", left.name, left.what)).collect();
    assert_eq!(left, ["?: True", "args: object of argparse.Namespace", "b.1: int 1", "epoch: int 3"]);
}

#[test]
fn the_same_view_under_two_names_is_known_as_one() {
    let program = dict(&[("BINUNICODE \"a\"", &format!("{}BINPUT 7", tensor())), ("BINUNICODE \"b\"", "BINGET 7")]);
    assert_eq!(catalogue(&program).unwrap().twins(), [0, 0]);
}

#[test]
fn places_outside_the_storage_are_refused() {
    let reach = "BININT1 0\nBININT1 2\nBININT1 2";
    assert!(said(&with(reach, "BININT1 1\nBININT1 2\nBININT1 2")).contains("reaches to byte 20 of a storage of 16"));
    assert!(said(&with(reach, "BININT1 0\nBININT1 3\nBININT1 2")).contains("reaches to byte"));
    assert!(said(&with(reach, "BININT -1\nBININT1 2\nBININT1 2")).contains("negative offset"));
    let strides = "BININT1 2\nBININT1 1\nTUPLE2\nNEWFALSE";
    assert!(said(&with(strides, "BININT -2\nBININT1 1\nTUPLE2\nNEWFALSE")).contains("negative"));
    assert!(said(&with(strides, "BININT1 9\nBININT1 1\nTUPLE2\nNEWFALSE")).contains("reaches to byte"));
    assert!(said(&with(strides, "BININT1 2\nTUPLE1\nNEWFALSE")).contains("one stride for each extent"));
    assert!(said(&with("BININT1 4\nTUPLE", "BININT -4\nTUPLE")).contains("fewer elements than none"));
    let huge = "LONG1 9223372036854775807";
    assert!(said(&with(strides, &format!("{huge}\n{huge}\nTUPLE2\nNEWFALSE"))).contains("overflows 64 bits"));
    assert!(said(&with("BININT1 4\nTUPLE", &format!("{huge}\nTUPLE"))).contains("overflows 64 bits"));
}

#[test]
fn a_shape_that_repeats_one_element_without_end_is_refused() {
    let reach = "BININT1 0\nBININT1 2\nBININT1 2\nTUPLE2\nBININT1 2\nBININT1 1\nTUPLE2";
    let shape =
        |extent: &str, strides: &str| with(reach, &format!("BININT1 0\n{extent}\n{extent}\nTUPLE2\n{strides}\nTUPLE2"));
    let zero = "BININT1 0\nBININT1 0";
    assert!(catalogue(&shape("BININT 1000", zero)).is_ok(), "an expanded view is honest");
    assert!(said(&shape("BININT 1000000", zero)).contains("'weight' alone is 4000000000000"));
    assert!(said(&shape("LONG1 4611686018427387904", zero)).contains("overflows 64 bits"));
}

#[test]
fn what_has_no_plain_form_is_refused_by_name() {
    let rebuild = "GLOBAL torch._utils _rebuild_tensor_v2";
    assert!(said(&with(rebuild, "GLOBAL torch._utils _rebuild_qtensor")).contains("tensor 'weight': it is quantised"));
    assert!(
        said(&with(rebuild, "GLOBAL torch._utils _rebuild_sparse_tensor")).contains("more than numbers in a shape")
    );
    let storage = "GLOBAL torch FloatStorage";
    assert!(said(&with(storage, "GLOBAL torch ComplexDoubleStorage")).contains("complex128"));
    assert!(said(&with(storage, "GLOBAL torch OddStorage")).contains("type of storage '0' is not known"));
    assert!(said(&with("BINUNICODE \"storage\"", "BINUNICODE \"other\"")).contains("only its own program provides"));
    let object =
        format!("GLOBAL my Model\nEMPTY_TUPLE\nREDUCE\nEMPTY_DICT\nBINUNICODE \"w\"\n{}SETITEM\nBUILD", tensor());
    assert!(
        said(&dict(&[("BINUNICODE \"m\"", &object)])).contains("'m' is an object of my.Model, and tensors lie within")
    );
    assert!(said(&dict(&[("NONE", &tensor())])).contains("neither text nor a number"));
}

#[test]
fn a_call_is_no_reason_to_do_anything() {
    let call = "GLOBAL os system\nBINUNICODE \"echo waag-inert\"\nTUPLE1\nREDUCE";
    let catalogue = catalogue(&dict(&[("BINUNICODE \"a\"", &tensor()), ("BINUNICODE \"b\"", call)])).unwrap();
    assert_eq!(catalogue.left_out[0].what, "object of os.system");
}

#[test]
fn names_that_become_the_same_are_refused() {
    let nested = format!("EMPTY_DICT\nBINUNICODE \"b\"\n{}SETITEM", tensor());
    let program = dict(&[("BINUNICODE \"a\"", &nested), ("BINUNICODE \"a.b\"", &tensor())]);
    assert!(said(&program).contains("two tensors are called 'a.b'"));
    let program = dict(&[("BINUNICODE \"a\"", &tensor()), ("BINUNICODE \"a\"", "NONE")]);
    assert!(said(&program).contains("'a' is set twice"));
}

#[test]
fn what_holds_itself_ends() {
    let itself = "PROTO 2\nEMPTY_DICT\nBINPUT 0\nBINUNICODE \"a\"\nBINGET 0\nSETITEM\nSTOP";
    assert!(said(itself).contains("within itself"));
    let doubled: String = (0..40).map(|_| "DUP\nTUPLE2\n").collect();
    let heavy = format!("PROTO 2\n{}{doubled}STOP", tensor());
    assert!(said(&heavy).contains("too often over") || said(&heavy).contains("more than"), "{}", said(&heavy));
    let deep = format!("PROTO 2\n{}{}STOP", tensor(), "TUPLE1\n".repeat(1000));
    assert!(said(&deep).contains("deeper than"));
}

#[test]
fn programs_that_stop_early_are_broken() {
    let whole = assembled(samples::STATE_DICT);
    for end in 0..whole.len() {
        assert!(read(&whole[..end].to_vec(), &Budget::default()).is_err(), "cut at {end}");
    }
    assert!(read(&[whole, b"x".to_vec()].concat(), &Budget::default()).is_err(), "bytes behind the end");
}

/// An older file: its pickles, and a storage of so many elements.
fn legacy(keys: &str, count: u64, data: usize) -> Vec<u8> {
    let number = "PROTO 2\nBYTES 8a0a6cfc9c46f9206aa85019\nSTOP";
    let info = "PROTO 2\nEMPTY_DICT\nBINUNICODE \"little_endian\"\nNEWTRUE\nSETITEM\nSTOP";
    let state = with("BININT1 4\nTUPLE", "BININT1 4\nNONE\nTUPLE");
    let keys = format!("PROTO 2\nEMPTY_LIST\n{keys}STOP");
    let parts = [number, "PROTO 2\nBININT2 1001\nSTOP", info, &state, &keys].map(assembled);
    [parts.concat(), count.to_le_bytes().to_vec(), vec![1; data]].concat()
}

#[test]
fn older_files_are_read() {
    let file = legacy("BINUNICODE \"0\"\nAPPEND\n", 4, 16);
    assert!(is_legacy(&file) && !is_legacy(&assembled(samples::STATE_DICT)));
    let catalogue = read_legacy(&file, &Budget::default()).and_then(Catalogue::checked).unwrap();
    let Storage::Range(span) = catalogue.storages[0] else { panic!("{catalogue:?}") };
    assert_eq!((span.offset + span.length, span.length), (file.len() as u64, 16));
}

#[test]
fn older_files_that_lie_are_refused() {
    let said = |file: Vec<u8>| read_legacy(&file, &Budget::default()).unwrap_err().to_string();
    let key = "BINUNICODE \"0\"\nAPPEND\n";
    assert!(said(legacy("", 4, 16)).contains("'0' is not in the file"));
    assert!(said(legacy("BINUNICODE \"1\"\nAPPEND\n", 4, 16)).contains("of what type storage '1' is"));
    assert!(said(legacy(key, 3, 12)).contains("shorter than the pickle says"));
    assert!(said(legacy(key, 4, 15)).contains("end before they should"));
    assert!(said(legacy(key, u64::MAX, 16)).contains("overflows"));
}
