use waag_testkit::assemble::bytes;

use super::*;
use crate::child::Role;
use crate::fact::{Effect, FactKind};
use crate::facts::Facts;
use crate::format::{Format, Probe};
use crate::testing::{inspect, mutate, oddities};

/// A program with these operators, one of them in a block of its own.
fn program(operators: &[&str]) -> Vec<u8> {
    let operators: String = operators.iter().map(|name| format!("4 {{\n3 = \"{name}\"\n}}\n")).collect();
    let variable = "3 {\n1 = \"w\"\n2 {\n1 = 7\n3 {\n1 {\n1 = 5\n2 = 2\n2 = 3\n}\n}\n}\n3 = 1\n}\n";
    let text = format!("1 {{\n1 = 0\n2 = -1\n{variable}}}\n1 {{\n1 = 1\n2 = 0\n{operators}}}\n4 {{\n1 = 0\n}}");
    bytes("protobuf", &text).unwrap().1
}

fn reaches(facts: &Facts) -> usize {
    let reaches = |kind: &FactKind| matches!(kind, FactKind::Operator(operator) if matches!(operator.effect, Effect::Reaches { .. }));
    facts.list().iter().filter(|fact| reaches(&fact.kind)).count()
}

/// A tensor of two `float32` numbers.
fn tensor() -> Vec<u8> {
    let mut bytes = vec![0; 16];
    bytes.extend(4u32.to_le_bytes());
    bytes.extend([0x08, 5, 0x10, 2]);
    bytes.extend([0; 8]);
    bytes
}

#[test]
fn programs_are_read() {
    let bytes = program(&["conv2d", "relu"]);
    assert!(PaddleProgram.recognise(&Probe::new(&bytes, "x", Role::Unknown)).is_some());
    let facts = inspect(&PaddleProgram, "x.pdmodel", &bytes);
    assert!(oddities(&facts).is_empty(), "{:?}", oddities(&facts));
    assert_eq!((reaches(&facts), facts.totals().parameters), (0, 6));
}

#[test]
fn operators_that_reach_out_are_told() {
    assert_eq!(reaches(&inspect(&PaddleProgram, "x", &program(&["py_func", "save_combine", "relu"]))), 2);
    let json = br##"{"base_code":{"magic":"pir"},"program":{"regions":[{"blocks":[{"ops":[{"#":"1.py_func"},{"#":"1.relu"}]}]}]}}"##;
    assert!(PaddlePir.recognise(&Probe::new(&json.as_slice(), "x.json", Role::Unknown)).is_some());
    assert_eq!(reaches(&inspect(&PaddlePir, "x.json", json)), 1);
}

#[test]
fn streams_of_tensors_are_accounted_for() {
    let bytes = [tensor(), tensor()].concat();
    assert!(PaddleParameters.recognise(&Probe::new(&bytes, "x", Role::Unknown)).is_some());
    let facts = inspect(&PaddleParameters, "x.pdiparams", &bytes);
    assert!(oddities(&facts).is_empty());
    assert_eq!(facts.totals().parameters, 4);
    let tail = [tensor(), b"#!/bin/sh\necho waag-inert".to_vec()].concat();
    assert_eq!(oddities(&inspect(&PaddleParameters, "x", &tail)), ["TrailingBytes@32"]);
    let short = &bytes[..bytes.len() - 1];
    assert_eq!(oddities(&inspect(&PaddleParameters, "x", short)), ["OutOfBounds@32"]);
}

#[test]
fn no_mutation_panics() {
    mutate(&program(&["conv2d", "py_func"]), 1000, |bytes| drop(inspect(&PaddleProgram, "", &bytes)));
    mutate(&tensor(), 1000, |bytes| drop(inspect(&PaddleParameters, "", &bytes)));
}
