//! Values as R writes them, and what they must not be.

use super::*;
use crate::fact::Runs;
use crate::testing::{inspect, mutate, oddities};
use waag_testkit::r_data::{Value, write};

fn symbol(name: &str) -> Value {
    Value::Symbol(name.into())
}

fn call(name: &str, argument: &str) -> Value {
    Value::Call(Box::new(symbol(name)), vec![Value::Strings(vec![argument.into()])])
}

fn code(bytes: &[u8]) -> Vec<(Runs, String)> {
    let facts = inspect(&RData, "model.rds", bytes);
    assert_eq!(oddities(&facts), Vec::<String>::new());
    let code = |kind: &FactKind| match kind {
        FactKind::Code(code) => Some((code.runs, code.excerpt.clone())),
        _ => None,
    };
    facts.list().iter().filter_map(|fact| code(&fact.kind)).collect()
}

fn odd(bytes: &[u8]) -> Vec<String> {
    let said = oddities(&inspect(&RData, "model.rds", bytes));
    said.iter().filter_map(|line| line.split('@').next().map(str::to_owned)).collect()
}

#[test]
fn ordinary_calls_are_ordinary() {
    let model = Value::List(vec![call("lm", "mpg ~ wt"), Value::Reals(vec![1.0; 20]), symbol("source")]);
    let bytes = write(&model);
    assert_eq!(code(&bytes), []);
    let facts = inspect(&RData, "model.rds", &bytes);
    assert_eq!((facts.find_property("r_version"), facts.totals().tensors), (Some("4.2.2"), 1));
    let probe = Probe::new(&bytes, "x", crate::child::Role::Unknown);
    assert_eq!(RData.recognise(&probe), Some(Certainty::Certain));
}

/// CVE-2024-27322: a promise without a value is evaluated by whoever looks at what was read.
#[test]
fn promises_run_when_they_are_loaded() {
    let promise = Value::Promise(Box::new(call("system", "echo waag-inert")));
    let expected = [(Runs::Loaded, "system('echo waag-inert', …)".to_owned())];
    assert_eq!(code(&write(&promise)), expected);
    assert_eq!(code(&write(&Value::List(vec![promise]))), expected);
    let harmless = Value::Promise(Box::new(call("stop", "here")));
    assert_eq!(code(&write(&harmless)), [(Runs::Loaded, "stop('here', …)".to_owned())]);
}

#[test]
fn calls_that_reach_the_machine_are_told() {
    let used = |value: Value| code(&write(&value)).iter().map(|(runs, _)| *runs).collect::<Vec<_>>();
    assert_eq!(used(call("system", "echo waag-inert")), [Runs::Used]);
    assert_eq!(used(call("do.call", "system")), [Runs::Used]);
    let qualified = Value::Call(Box::new(symbol("::")), vec![symbol("base"), symbol("system")]);
    assert_eq!(used(Value::Call(Box::new(qualified), vec![Value::Strings(vec!["id".into()])])), [Runs::Used]);
    assert_eq!(used(Value::Closure(Box::new(call("download.file", "https://example.org")))), [Runs::Used]);
    assert_eq!(used(Value::Closure(Box::new(call("sum", "x")))), []);
}

#[test]
fn bombs_breaks_and_tails_are_told() {
    let good = write(&Value::Reals(vec![1.0, 2.0]));
    let mut bytes = good.clone();
    bytes[14 + 4 + 5 + 4..][..4].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff]);
    assert_eq!(odd(&bytes), ["AllocationBomb"]);
    assert_eq!(odd(&good[..good.len() - 9]), ["AllocationBomb"]);
    assert_eq!(odd(&[good.clone(), b"more".to_vec()].concat()), ["TrailingBytes"]);
    assert_eq!(odd(b"X\n\0\0\0\x04\0\x04\x02\x02\0\x02\x03\0"), ["Unsupported"]);
    let deep: Vec<u8> = [&good[..23], &[0, 0, 0, 19, 0, 0, 0, 1].repeat(100_000)].concat();
    assert_eq!(odd(&deep), ["Depth"]);
}

#[test]
fn files_in_raw_vectors_are_opened() {
    let good = write(&Value::Reals(vec![1.0, 2.0]));
    let children = |content: &[u8]| {
        let bytes = [&good[..23], &[0, 0, 0, 24], &(content.len() as u32).to_be_bytes(), content].concat();
        let facts = inspect(&RData, "model.rds", &bytes);
        assert_eq!(oddities(&facts), Vec::<String>::new());
        facts.list().iter().filter(|fact| matches!(fact.kind, FactKind::Child(_))).count()
    };
    assert_eq!(children(b"#!/bin/sh\necho waag-inert\n"), 1);
    assert_eq!(children(b"a booster, serialised by its library"), 0);
}

#[test]
fn corrupted_values_do_not_panic() {
    let promise = Value::Promise(Box::new(call("system", "echo waag-inert")));
    let model = Value::List(vec![Value::Closure(Box::new(call("lm", "mpg ~ wt"))), promise, Value::Reals(vec![1.0])]);
    mutate(&write(&model), 5000, |bytes| {
        inspect(&RData, "model.rds", &bytes);
    });
}
