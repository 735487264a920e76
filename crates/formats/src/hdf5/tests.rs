use waag_testkit::hdf5::{Item, file};

use super::*;
use crate::budget::Budget;
use crate::fact::{Code, Fact};
use crate::testing::{inspect, mutate, oddities};

fn read(items: &[Item<'_>]) -> Facts {
    inspect(&Hdf5, "model.h5", &file(items))
}

fn anomalies(facts: &Facts) -> Vec<Anomaly> {
    facts
        .list()
        .iter()
        .filter_map(|fact| match fact {
            Fact { kind: FactKind::Anomaly { anomaly, .. }, .. } => Some(*anomaly),
            _ => None,
        })
        .collect()
}

fn children(facts: &Facts) -> Vec<Child> {
    facts
        .list()
        .iter()
        .filter_map(|fact| match &fact.kind {
            FactKind::Child(child) => Some(child.clone()),
            _ => None,
        })
        .collect()
}

#[test]
fn a_plain_file_has_tensors_and_nothing_odd() {
    let facts = read(&[Item::Text("title", b"weights"), Item::Bytes("x", b"12345678", &[2, 4])]);
    assert_eq!(oddities(&facts), Vec::<String>::new());
    assert_eq!((facts.totals().tensors, facts.totals().bytes), (1, 8));
    assert!(children(&facts).is_empty());
}

#[test]
fn cve_2026_1669_bytes_that_lie_in_another_file_are_told() {
    let facts = read(&[Item::External("w", "/etc/passwd")]);
    assert_eq!(anomalies(&facts), [Anomaly::ExternalData]);
    assert_eq!(anomalies(&read(&[Item::Link("w", "/tmp/other.h5")])), [Anomaly::ExternalData]);
}

#[test]
fn cve_2026_0897_a_huge_shape_without_storage_is_a_bomb() {
    assert_eq!(anomalies(&read(&[Item::Unwritten("w", &[1 << 20, 1 << 20])])), [Anomaly::AllocationBomb]);
    assert_eq!(anomalies(&read(&[Item::Unwritten("w", &[1 << 40, 1 << 40])])), [Anomaly::AllocationBomb]);
    assert_eq!(anomalies(&read(&[Item::Unwritten("w", &[100, 100])])), []);
}

#[test]
fn shape_and_storage_must_agree() {
    assert_eq!(anomalies(&read(&[Item::Bytes("w", b"1234", &[100])])), [Anomaly::SizeMismatch]);
    assert_eq!(anomalies(&read(&[Item::Outside("w")])), [Anomaly::OutOfBounds]);
    assert_eq!(anomalies(&read(&[Item::Loop("g")])), [Anomaly::Malformed]);
}

#[test]
fn names_that_are_there_twice_are_told() {
    let twice = [Item::Bytes("w", b"1234", &[4]), Item::Bytes("w", b"5678", &[4])];
    assert_eq!(anomalies(&read(&twice)), [Anomaly::DuplicateName]);
}

#[test]
fn pickles_in_attributes_and_datasets_are_opened() {
    let pickle = b"cos\nsystem\n(S'echo waag-inert'\ntR.";
    let facts = read(&[Item::Text("obj", pickle)]);
    assert!(matches!(children(&facts).as_slice(), [Child { role: Role::Pickle, length: 34, .. }]));
    let pickle = b"\x80\x02cos\nsystem\nU\x0fecho waag-inert\x85R.";
    let facts = read(&[Item::Bytes("w", pickle, &[pickle.len() as u64])]);
    assert_eq!(children(&facts).len(), 1);
    assert!(children(&read(&[Item::Text("title", b"A table. Really.")])).is_empty());
}

#[test]
fn cve_2025_9905_a_lambda_in_a_model_is_code() {
    let config = br#"{"class_name": "Sequential", "config": {"layers": [{"class_name": "Lambda",
        "config": {"name": "l", "function": ["4wEAAAA=", null, null], "function_type": "lambda"}}]}}"#;
    let facts = read(&[Item::Text("keras_version", b"2.15.0"), Item::Text("model_config", config)]);
    assert!(
        facts.list().iter().any(|fact| matches!(&fact.kind, FactKind::Code(Code { name, .. }) if name.contains("'l'")))
    );
    assert_eq!(facts.find_property("keras_version"), Some("2.15.0"));
}

#[test]
fn a_lambda_behind_white_space_or_in_a_tuple_is_code() {
    let config = r#"{"class_name": "Lambda", "config": {"name": "l", "function": {"class_name": "__tuple__", "items":
        ["4wEAAAA=", null, null]}, "function_type": "lambda"}}"#;
    let blank = format!("{}{config}", " ".repeat(3000));
    for text in [config, &blank] {
        for name in ["model_config", "training_config", "other"] {
            let facts = read(&[Item::Text(name, text.as_bytes())]);
            assert!(facts.list().iter().any(|fact| matches!(fact.kind, FactKind::Code(_))), "{name}");
        }
    }
    let facts = read(&[Item::Bytes("model_config", config.as_bytes(), &[config.len() as u64])]);
    assert!(facts.list().iter().any(|fact| matches!(fact.kind, FactKind::Code(_))));
}

#[test]
fn many_shapes_that_were_never_written_add_up() {
    let names: Vec<String> = (0..20).map(|index| format!("w{index}")).collect();
    let items: Vec<_> = names.iter().map(|name| Item::Unwritten(name, &[1 << 28])).collect();
    assert_eq!(anomalies(&read(&items)), [Anomaly::AllocationBomb]);
    assert_eq!(anomalies(&read(&items[..3])), []);
}

#[test]
fn every_chunk_of_bytes_is_looked_at() {
    let mut pickle = b"\x80\x04\x95\x13\0\0\0\0\0\0\0\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.".to_vec();
    pickle.resize(64, 0);
    let zeros = [0u8; 64];
    let facts = read(&[Item::Chunks("w", &[&zeros, &zeros, &pickle])]);
    assert_eq!(children(&facts).len(), 1);
    assert_eq!(anomalies(&facts), []);
    assert!(children(&read(&[Item::Chunks("w", &[&zeros, &zeros])])).is_empty());
}

#[test]
fn links_that_lead_to_themselves_are_told_and_others_are_not() {
    let read = |items: &[Item<'_>]| anomalies(&read(items));
    assert_eq!(read(&[Item::Soft("a", "/a")]), [Anomaly::Malformed]);
    assert_eq!(read(&[Item::Soft("a", "b"), Item::Soft("b", "./a")]), [Anomaly::Malformed]);
    assert_eq!(read(&[Item::Soft("a", "/w"), Item::Soft("b", "/nowhere"), Item::Bytes("w", b"1234", &[4])]), []);
}

#[test]
fn a_filter_that_nobody_knows_is_a_library() {
    let facts = read(&[Item::Filtered("w", 40_000)]);
    assert!(facts.list().iter().any(|fact| matches!(fact.kind, FactKind::Reference { .. })));
    assert!(!read(&[Item::Filtered("w", 1)]).list().iter().any(|fact| matches!(fact.kind, FactKind::Reference { .. })));
}

#[test]
fn what_stands_around_the_content_is_opened() {
    let mut bytes = file(&[]);
    bytes.extend(b"tail");
    assert_eq!(anomalies(&inspect(&Hdf5, "a.h5", &bytes)), [Anomaly::TrailingBytes]);
    let mut block = b"#!/bin/sh\necho waag-inert\n".to_vec();
    block.resize(512, b'\n');
    block.extend(file(&[]));
    assert_eq!(anomalies(&inspect(&Hdf5, "a.h5", &block)), [Anomaly::HiddenContent]);
    for (version, odd) in [("7.3", 0), ("7.0", 0), ("9.9", 1)] {
        let mut matlab = format!("MATLAB {version} MAT-file, Platform: GLNX86, HDF5 schema 0.05 .").into_bytes();
        matlab.resize(512, b' ');
        matlab.extend(file(&[]));
        assert_eq!(anomalies(&inspect(&Hdf5, "a.mat", &matlab)).len(), odd, "{version}");
    }
    let zeros = [vec![0; 2048], file(&[Item::Bytes("w", b"1234", &[4])])].concat();
    assert_eq!(anomalies(&inspect(&Hdf5, "a.h5", &zeros)), []);
    assert_eq!(
        anomalies(&inspect(&Hdf5, "a.h5", &bytes[..bytes.len() - 12])),
        [Anomaly::OutOfBounds, Anomaly::Malformed]
    );
}

#[test]
fn the_checksum_is_the_librarys() {
    assert_eq!(checksum::lookup3(b""), 0xdead_beef);
    assert_eq!(checksum::lookup3(b"Four score and seven years ago"), 0x1777_0551);
}

#[test]
fn mutations_never_panic() {
    for seed in waag_testkit::seeds::seeds("hdf5") {
        mutate(&seed, 3000, |bytes| {
            let budget = Budget::small();
            let context = Context { name: "a.h5", role: Role::Unknown, budget: &budget };
            Hdf5.inspect(&bytes, &context, &mut Facts::new());
        });
    }
}
