use waag_testkit::assemble::bytes;

use super::*;
use crate::testing::{inspect, mutate, oddities};

fn message(text: &str) -> Vec<u8> {
    bytes("protobuf", text).unwrap().1
}

fn model(text: &str) -> Facts {
    let bytes = message(text);
    assert!(CoreMl.recognise(&Probe::new(&bytes, "x", Role::Unknown)).is_some());
    inspect(&CoreMl, "x.mlmodel", &bytes)
}

fn custom(facts: &Facts) -> Vec<String> {
    let custom = |kind: &FactKind| match kind {
        FactKind::Operator(operator) if operator.effect == Effect::Custom => Some(operator.name.clone()),
        _ => None,
    };
    facts.list().iter().filter_map(|fact| custom(&fact.kind)).collect()
}

const LAYER: &str = "1 {\n1 = \"l\"\n140 {\n1 = 2\n}\n}\n";
const CUSTOM: &str = "1 {\n1 = \"l\"\n500 {\n10 = \"Odd\"\n}\n}\n";

#[test]
fn networks_are_read() {
    let facts = model(&format!("1 = 4\n2 {{\n100 {{\n3 = \"me\"\n}}\n}}\n500 {{\n{LAYER}}}"));
    assert!(oddities(&facts).is_empty());
    assert!(custom(&facts).is_empty());
    assert_eq!(facts.find_property("kind"), Some("neuralNetwork"));
}

#[test]
fn classes_of_their_own_are_told_wherever_they_are() {
    assert_eq!(custom(&model("1 = 4\n555 {\n10 = \"Odd\"\n}")), ["Odd"]);
    assert_eq!(custom(&model(&format!("1 = 4\n500 {{\n{CUSTOM}}}"))), ["Odd"]);
    assert_eq!(custom(&model(&format!("1 = 4\n202 {{\n1 {{\n1 = 4\n500 {{\n{CUSTOM}}}\n}}\n}}"))), ["Odd"]);
    assert_eq!(custom(&model(&format!("1 = 4\n500 {{\n1 {{\n605 {{\n2 {{\n{CUSTOM}}}\n}}\n}}\n}}"))), ["Odd"]);
}

#[test]
fn files_outside_are_told() {
    let file = |name: &str| {
        let value = format!("2 {{\n5 {{\n1 = \"{name}\"\n2 = 64\n}}\n}}");
        let operation = format!("3 {{\n1 = \"const\"\n5 {{\n1 = \"val\"\n{value}\n}}\n}}");
        format!(
            "1 = 7\n502 {{\n1 = 1\n2 {{\n1 = \"main\"\n2 {{\n3 {{\n1 = \"CoreML7\"\n2 {{\n{operation}\n}}\n}}\n}}\n}}\n}}"
        )
    };
    assert!(oddities(&model(&file("@model_path/weights/weight.bin"))).is_empty());
    assert_eq!(oddities(&model(&file("@model_path/../../secret"))).len(), 1);
    assert_eq!(oddities(&model("1 = 4\n556 {\n1 {\n1 {\n1 = \"../x\"\n}\n}\n}")).len(), 1);
}

#[test]
fn manifests_name_their_items() {
    let manifest = |path: &str| format!("{{\"itemInfoEntries\":{{\"1\":{{\"path\":\"{path}\"}}}}}}").into_bytes();
    assert!(oddities(&inspect(&CoreMlManifest, "Manifest.json", &manifest("com.apple.CoreML/weights"))).is_empty());
    assert_eq!(oddities(&inspect(&CoreMlManifest, "Manifest.json", &manifest("../../x"))).len(), 1);
}

#[test]
fn pipelines_that_go_too_deep_end() {
    let (open, close) = ("202 {\n1 {\n1 = 4\n".repeat(50), "}\n}\n".repeat(50));
    assert_eq!(oddities(&model(&format!("1 = 4\n{open}{close}"))).len(), 1);
}

#[test]
fn no_mutation_panics() {
    let seed = message(&format!("1 = 4\n202 {{\n1 {{\n1 = 4\n500 {{\n{CUSTOM}{LAYER}}}\n}}\n}}"));
    mutate(&seed, 2000, |bytes| drop(inspect(&CoreMl, "", &bytes)));
}
