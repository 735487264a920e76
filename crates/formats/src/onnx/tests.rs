use waag_testkit::assemble::bytes;

use super::*;
use crate::fact::{Effect, FactKind, ReferenceKind};
use crate::testing::{inspect, mutate, oddities};

fn model(text: &str) -> Facts {
    let (_, bytes) = bytes("onnx", text).unwrap();
    assert_eq!(Onnx.recognise(&Probe::new(&bytes, "x", Role::Unknown)), Some(Certainty::Likely));
    inspect(&Onnx, "model.onnx", &bytes)
}

/// A model as fields without a schema.
fn raw(text: &str) -> Facts {
    inspect(&Onnx, "model.onnx", &bytes("protobuf", text).unwrap().1)
}

fn kinds(facts: &Facts) -> Vec<String> {
    oddities(facts).iter().map(|text| text.split('@').next().unwrap().to_owned()).collect()
}

fn operators(facts: &Facts) -> Vec<(String, Effect)> {
    let operator = |kind: &FactKind| match kind {
        FactKind::Operator(operator) => {
            Some((format!("{}::{}", operator.domain, operator.name), operator.effect.clone()))
        }
        _ => None,
    };
    facts.list().iter().filter_map(|fact| operator(&fact.kind)).collect()
}

const GOOD: &str = "node Conv group=1\nnode Relu\nnode SVMClassifier domain=ai.onnx.ml kernel_type=RBF\n\
                    tensor w FLOAT [2, 3]\ntensor b INT64 [0]\nmetadata names = \"eval os.system\"";

#[test]
fn an_ordinary_model_is_read_whole() {
    let facts = model(GOOD);
    assert!(oddities(&facts).is_empty(), "{:?}", oddities(&facts));
    assert_eq!(facts.find_property("version"), Some("8"));
    assert_eq!(facts.find_property("operator_sets"), Some("ai.onnx 17"));
    assert_eq!(facts.totals().parameters, 6);
    assert!(operators(&facts).iter().all(|(_, effect)| *effect == Effect::Computes));
}

#[test]
fn external_data_outside_the_folder_are_told() {
    // CVE-2022-25882, CVE-2024-27318, CVE-2024-5187, CVE-2025-51480.
    for location in ["../../etc/passwd", "/etc/passwd", "a/../../b", "C:\\\\x", "\"a\\u0000b\"", "*/_ORT_MEM_ADDR_/*"] {
        let facts = model(&format!("external w FLOAT [2] location={location} length=8"));
        assert_eq!(kinds(&facts), ["ExternalData"], "{location}");
    }
}

#[test]
fn external_data_beside_the_model_are_named() {
    let facts =
        model("external w FLOAT [2] location=w.bin offset=0 length=8\nexternal v FLOAT [1] location=w.bin offset=8");
    assert!(oddities(&facts).is_empty());
    let named = FactKind::Reference { kind: ReferenceKind::Numbers, target: "w.bin".into() };
    assert_eq!(facts.list().iter().filter(|fact| fact.kind == named).count(), 1);
}

#[test]
fn external_data_that_contradict_themselves_are_told() {
    let said = |text: &str| kinds(&model(text));
    assert_eq!(said("external w FLOAT [2] location=a location=b length=8"), ["DuplicateName"]);
    assert_eq!(said("external w FLOAT [2] location=a length=9"), ["SizeMismatch"]);
    assert_eq!(said("external w FLOAT [2] location=a offset=-1"), ["OutOfBounds"]);
    assert_eq!(said("external w FLOAT [2] location=a offset=99999999999999999999"), ["OutOfBounds"]);
    assert_eq!(said("external w FLOAT [2] offset=0"), ["Malformed"]);
    let two = "external w FLOAT [2] location=a offset=0\nexternal v FLOAT [2] location=a offset=";
    assert_eq!(said(&format!("{two}4")), ["Overlap"]);
    assert!(said(&format!("{two}0")).is_empty(), "tied weights");
    assert!(said(&format!("{two}8")).is_empty());
    // CVE-2026-34445: a key that older readers set as an attribute of a Python object.
    assert_eq!(said("external w FLOAT [2] location=a __class__=x"), ["Malformed"]);
}

#[test]
fn operators_are_judged_by_their_set() {
    let facts = model("node Odd domain=org.example\nnode PyOp domain=mine module=os class_name=system");
    let judged = operators(&facts);
    assert!(judged.contains(&("org.example::Odd".into(), Effect::Custom)));
    let what = "imports the Python module 'os' and calls 'system' in it".into();
    assert!(judged.contains(&("mine::PyOp".into(), Effect::Reaches { what, critical: true })));
}

#[test]
fn functions_are_followed() {
    let facts = model("node Twice domain=mine\nfunction mine Twice calls Add");
    assert!(oddities(&facts).is_empty());
    assert!(operators(&facts).iter().all(|(_, effect)| *effect == Effect::Computes));
    let said = |text: &str| kinds(&model(text));
    assert_eq!(
        said("node Relu\nfunction mine A calls B domain=mine\nfunction mine B calls A domain=mine"),
        ["Malformed"]
    );
    assert_eq!(said("node Relu\nfunction ai.onnx Relu calls Odd domain=x"), ["ReaderDisagreement"]);
    assert_eq!(said("node Relu\nfunction mine A calls Add\nfunction mine A calls Sub"), ["DuplicateName"]);
}

#[test]
fn functions_that_multiply_are_a_bomb() {
    let mut text = String::from("1 = 8\n7 {\n1 {\n4 = \"F29\"\n7 = \"m\"\n}\n}\n8 {\n2 = 17\n}\n");
    for level in 0..30 {
        let call = match level {
            0 => "7 {\n4 = \"Add\"\n}\n".to_owned(),
            _ => format!("7 {{\n4 = \"F{}\"\n7 = \"m\"\n}}\n", level - 1),
        };
        text.push_str(&format!("25 {{\n1 = \"F{level}\"\n10 = \"m\"\n{}}}\n", call.repeat(2)));
    }
    assert_eq!(kinds(&raw(&text)), ["AllocationBomb"]);
}

#[test]
fn tensors_are_held_against_their_sizes() {
    let said = |tensor: &str| kinds(&raw(&format!("1 = 8\n7 {{\n5 {{\n{tensor}\n}}\n}}\n8 {{\n2 = 17\n}}")));
    assert!(said("1 = 2\n2 = 1\n8 = \"w\"\n4 = hex 0000000000000000").is_empty());
    assert!(said("1 = 3\n2 = 22\n8 = \"w\"\n9 = hex 0000").is_empty());
    assert!(said("1 = 2\n2 = 8\n8 = \"w\"\n6 = \"a\"\n6 = \"b\"").is_empty());
    assert_eq!(said("1 = 2\n2 = 1\n9 = hex 00000000"), ["SizeMismatch"]);
    assert_eq!(said("1 = 2\n2 = 1\n4 = hex 00000000"), ["SizeMismatch"]);
    assert_eq!(said("1 = 1\n2 = 1\n4 = 1.0\n9 = hex 00000000"), ["ReaderDisagreement"]);
    assert_eq!(said("1 = -1\n2 = 1"), ["Malformed"]);
    assert_eq!(said("1 = 4294967296\n1 = 4294967296\n2 = 1"), ["AllocationBomb"]);
    assert_eq!(said("1 = 2\n2 = 1"), ["Missing"]);
    assert_eq!(said("1 = 2\n2 = 99"), ["Unsupported"]);
}

#[test]
fn names_that_stand_twice_are_told() {
    assert_eq!(kinds(&model("tensor w FLOAT [1]\ntensor w FLOAT [1]")), ["DuplicateName"]);
    assert_eq!(kinds(&model("node Relu\nopset ai.onnx 9")), ["ReaderDisagreement"]);
    assert_eq!(kinds(&raw("1 = 8\n7 {\n2 = \"a\"\n}\n7 {\n2 = \"b\"\n}\n8 {\n2 = 17\n}")), ["DuplicateName"]);
}

#[test]
fn graphs_within_attributes_are_read() {
    let inner = "6 {\n1 {\n4 = \"PyOp\"\n}\n5 {\n1 = 1\n2 = 1\n13 {\n1 = \"location\"\n2 = \"../x\"\n}\n14 = 1\n}\n}";
    let text = format!(
        "1 = 8\n7 {{\n1 {{\n4 = \"If\"\n5 {{\n1 = \"then_branch\"\n{inner}\n20 = 5\n}}\n}}\n}}\n8 {{\n2 = 17\n}}"
    );
    let facts = raw(&text);
    assert_eq!(kinds(&facts), ["ExternalData"]);
    assert!(operators(&facts).iter().any(|(name, _)| name == "::PyOp"));
    // The same graph, where the type says that there is a number.
    assert_eq!(kinds(&raw(&text.replace("20 = 5", "20 = 2"))), ["ExternalData", "HiddenContent"]);
}

#[test]
fn graphs_that_go_too_deep_end() {
    let (open, close) = ("1 {\n5 {\n6 {\n".repeat(60), "}\n}\n}\n".repeat(60));
    assert_eq!(kinds(&raw(&format!("1 = 8\n7 {{\n{open}{close}}}\n8 {{\n2 = 17\n}}"))), ["Depth"]);
}

#[test]
fn payloads_are_opened() {
    let facts = model(
        "node Constant value_string=\"#!/bin/sh\\necho\\twaag-inert\"\nmetadata a = \"#!/bin/sh\\necho waag-inert\"",
    );
    let children = facts.list().iter().filter(|fact| matches!(fact.kind, FactKind::Child(_))).count();
    assert_eq!(children, 2);
    let hidden = raw("1 = 8\n7 {\n2 = \"g\"\n}\n8 {\n2 = 17\n}\n99 = \"#!/bin/sh\\necho waag-inert\"");
    assert_eq!(kinds(&hidden), ["HiddenContent"]);
    assert!(hidden.list().iter().any(|fact| matches!(fact.kind, FactKind::Child(_))));
}

#[test]
fn a_newer_version_is_incomplete_and_no_attack() {
    assert_eq!(
        kinds(&raw("1 = 30\n7 {\n2 = \"g\"\n}\n8 {\n2 = 17\n}\n99 = \"something that is longer\"")),
        ["Unsupported", "Unsupported"]
    );
}

#[test]
fn other_formats_in_protocol_buffers_are_not_taken_for_this() {
    let none = |text: &str| {
        let (_, bytes) = bytes("protobuf", text).unwrap();
        Onnx.recognise(&Probe::new(&bytes, "x", Role::Unknown)).is_none()
            && OnnxTensor.recognise(&Probe::new(&bytes, "x", Role::Unknown)).is_none()
    };
    assert!(none("1 = 1\n2 {\n1 {\n1 = \"v\"\n}\n}"), "SavedModel");
    assert!(none("1 {\n1 = \"x\"\n2 = \"Placeholder\"\n}\n4 {\n1 = 27\n}"), "GraphDef");
    assert!(none("1 = 4\n2 {\n1 {\n1 = \"x\"\n}\n}\n500 {\n1 {\n1 = \"l\"\n}\n}"), "Core ML");
    assert!(none("1 {\n1 = 0\n2 = -1\n}\n4 {\n1 = 0\n}"), "Paddle");
}

#[test]
fn a_tensor_alone_is_told() {
    let (_, bytes) = bytes("protobuf", "1 = 2\n2 = 1\n8 = \"x\"\n9 = hex 0000000000000000").unwrap();
    assert_eq!(OnnxTensor.recognise(&Probe::new(&bytes, "x.pb", Role::Unknown)), Some(Certainty::Likely));
    assert!(oddities(&inspect(&OnnxTensor, "x.pb", &bytes)).is_empty());
}

#[test]
fn no_mutation_panics() {
    let text = format!("{GOOD}\nexternal e FLOAT [2] location=a offset=1 length=8\nfunction m F calls Add");
    let (_, seed) = bytes("onnx", &text).unwrap();
    mutate(&seed, 3000, |bytes| {
        let _ = Onnx.recognise(&Probe::new(&bytes, "", Role::Unknown));
        drop(inspect(&Onnx, "model.onnx", &bytes));
        drop(inspect(&OnnxTensor, "x.pb", &bytes));
    });
}
