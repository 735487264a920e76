//! Small models, good and hostile.

use waag_testkit::flatbuffers::{Field, write};

use super::*;
use crate::testing::{inspect, mutate, oddities};

/// A model of one addition: what is hostile about it is changed by field.
struct Sketch {
    shape: Vec<i32>,
    buffer: u32,
    inputs: Vec<i32>,
    code: (u32, &'static str),
    called: u32,
    outside: (u64, u64),
}

impl Default for Sketch {
    fn default() -> Self {
        let (shape, inputs) = (vec![2, 2], vec![0, 0]);
        Self { shape, buffer: 1, inputs, code: (0, ""), called: 0, outside: (0, 0) }
    }
}

impl Sketch {
    fn write(self) -> Vec<u8> {
        let code = vec![Field::Absent, Field::Text(self.code.1.into()), Field::Word(1), Field::Word(self.code.0)];
        let name = Field::Text("weight".into());
        let tensor = vec![Field::Numbers(self.shape), Field::Byte(0), Field::Word(self.buffer), name];
        let options = Field::Table(vec![Field::Word(self.called), Field::Word(self.called)]);
        let inputs = Field::Numbers(self.inputs);
        let operator = vec![Field::Word(0), inputs, Field::Numbers(vec![0]), Field::Byte(92), options];
        let (tensors, operators) = (Field::Tables(vec![tensor]), Field::Tables(vec![operator]));
        let graph = vec![tensors, Field::Numbers(vec![0]), Field::Numbers(vec![0]), operators];
        let mut buffers = vec![vec![], vec![Field::Bytes(vec![7; 16])]];
        if self.outside.0 > 0 {
            buffers.push(vec![Field::Absent, Field::Long(self.outside.0), Field::Long(self.outside.1)]);
        }
        let (codes, graphs) = (Field::Tables(vec![code]), Field::Tables(vec![graph]));
        let description = Field::Text("a test".into());
        write(b"TFL3", &[Field::Word(3), codes, graphs, description, Field::Tables(buffers)])
    }
}

fn odd(sketch: Sketch) -> Vec<String> {
    let said = oddities(&inspect(&TfLite, "model.tflite", &sketch.write()));
    said.iter().filter_map(|line| line.split('@').next().map(str::to_owned)).collect()
}

fn effects(code: u32, name: &'static str) -> Vec<(String, Effect)> {
    let facts = inspect(&TfLite, "model.tflite", &Sketch { code: (code, name), ..Sketch::default() }.write());
    let operator = |kind: &FactKind| match kind {
        FactKind::Operator(operator) => Some((operator.name.clone(), operator.effect.clone())),
        _ => None,
    };
    facts.list().iter().filter_map(|fact| operator(&fact.kind)).collect()
}

#[test]
fn a_sound_model_is_described() {
    let facts = inspect(&TfLite, "model.tflite", &Sketch::default().write());
    assert_eq!(oddities(&facts), Vec::<String>::new());
    assert_eq!((facts.totals().tensors, facts.totals().parameters, facts.totals().bytes), (1, 4, 16));
    assert_eq!(facts.find_property("version"), Some("3"));
}

#[test]
fn operators_are_judged() {
    assert_eq!(effects(0, ""), [("ADD".to_owned(), Effect::Computes)]);
    assert_eq!(effects(32, "Odd"), [("Odd".to_owned(), Effect::Custom)]);
    assert!(matches!(effects(32, "FlexWriteFile")[0].1, Effect::Reaches { critical: true, .. }));
}

/// CVE-2020-15211, CVE-2020-15210: an index of a tensor that is negative or too great.
#[test]
fn indices_out_of_range_are_told() {
    assert_eq!(odd(Sketch { inputs: vec![9], ..Sketch::default() }), ["OutOfBounds"]);
    assert_eq!(odd(Sketch { inputs: vec![-2], ..Sketch::default() }), ["OutOfBounds"]);
    assert_eq!(odd(Sketch { inputs: vec![-1], ..Sketch::default() }), Vec::<String>::new());
    assert_eq!(odd(Sketch { buffer: 7, ..Sketch::default() }), ["OutOfBounds"]);
}

#[test]
fn sizes_must_agree() {
    assert_eq!(odd(Sketch { shape: vec![3], ..Sketch::default() }), ["SizeMismatch"]);
    assert_eq!(odd(Sketch { shape: vec![i32::MAX; 4], ..Sketch::default() }), ["AllocationBomb"]);
}

/// CVE-2021-29591: a loop whose body is itself.
#[test]
fn subgraphs_that_run_themselves_are_told() {
    assert_eq!(odd(Sketch { code: (119, ""), ..Sketch::default() }), ["AllocationBomb"]);
    assert_eq!(odd(Sketch { code: (118, ""), called: 5, ..Sketch::default() }), ["OutOfBounds", "OutOfBounds"]);
}

#[test]
fn buffers_behind_the_structure_are_bounded() {
    assert_eq!(odd(Sketch { outside: (1 << 40, 8), ..Sketch::default() }), ["OutOfBounds"]);
    assert_eq!(odd(Sketch { outside: (8, 8), ..Sketch::default() }), ["Overlap"]);
}

#[test]
fn a_tail_is_shown() {
    let mut bytes = Sketch::default().write();
    bytes.extend([0; 12]);
    assert_eq!(oddities(&inspect(&TfLite, "model.tflite", &bytes)), Vec::<String>::new());
    bytes.extend(b"#!/bin/sh\necho waag-inert\n");
    let facts = inspect(&TfLite, "model.tflite", &bytes);
    assert!(facts.has_anomaly(Anomaly::TrailingBytes));
    assert_eq!(children(&facts), 1);
}

fn children(facts: &Facts) -> usize {
    facts.list().iter().filter(|fact| matches!(fact.kind, FactKind::Child(_))).count()
}

#[test]
fn a_buffer_that_no_tensor_has_is_opened() {
    let program = b"#!/bin/sh\necho waag-inert\n".to_vec();
    let buffers = Field::Tables(vec![vec![], vec![Field::Bytes(program)]]);
    let graph = vec![Field::Tables(vec![])];
    let bytes = write(b"TFL3", &[Field::Word(3), Field::Absent, Field::Tables(vec![graph]), Field::Absent, buffers]);
    assert_eq!(children(&inspect(&TfLite, "model.tflite", &bytes)), 1);
}

#[test]
fn another_version_and_a_model_of_nothing_are_not_cleared() {
    let mut bytes = Sketch::default().write();
    bytes[7] = b'9';
    assert_eq!(oddities(&inspect(&TfLite, "model.tflite", &bytes)), ["Unsupported@4"]);
    let said = oddities(&inspect(&TfLite, "model.tflite", &write(b"TFL3", &[Field::Word(3)])));
    assert!(said.iter().any(|line| line.starts_with("Broken")), "{said:?}");
}

#[test]
fn corrupted_models_do_not_panic() {
    mutate(&Sketch { outside: (8, 8), ..Sketch::default() }.write(), 4000, |bytes| {
        inspect(&TfLite, "model.tflite", &bytes);
    });
}
