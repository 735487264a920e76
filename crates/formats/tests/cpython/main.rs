//! The pickle machine against readers nobody here wrote: CPython's C unpickler, its pure-Python one and `pickletools`.
//!
//! Random programs go to all of them, with stubs in place of whatever they name. What CPython looks up, calls or
//! changes has to be among our facts; where its readers part ways, an anomaly has to say so. What Python's own
//! picklers write has to be read to its end without one.
//!
//! Needs `python3`, 3.9 or later. Without it the tests are skipped, unless `WAAG_REQUIRE_PYTHON=1`. More programs than
//! usual: `WAAG_ORACLE_PROGRAMS=100000`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

mod compare;
mod oracle;
mod programs;

use std::collections::BTreeMap;

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use waag_formats::budget::Budget;
use waag_formats::child::Role;
use waag_formats::fact::FactKind;
use waag_formats::facts::Facts;
use waag_formats::format::{Context, Format as _};
use waag_formats::pickle::PICKLE;

use oracle::Oracle;

/// Programs of a usual run.
const PROGRAMS: usize = 4_000;
/// Minimal programs shown for one kind of difference.
const MOST_SHOWN: usize = 6;
/// Truncations of one pickle.
const MOST_CUTS: usize = 12;

/// Our facts about a pickle.
fn inspect(bytes: &[u8], budget: &Budget) -> Facts {
    let mut facts = Facts::with_steps();
    let context = Context { name: "model.pkl", role: Role::Pickle, budget };
    PICKLE.inspect(&bytes, &context, &mut facts);
    facts
}

#[test]
fn what_python_looks_up_calls_and_changes_is_reported_and_where_its_readers_differ_we_say_so() {
    let Some(mut oracle) = Oracle::start() else { return };
    let count = std::env::var("WAAG_ORACLE_PROGRAMS").ok().and_then(|text| text.parse().ok()).unwrap_or(PROGRAMS);
    let mut runner = TestRunner::deterministic();
    let strategy = programs::program();
    let mut failures: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut finished = 0;
    for _ in 0..count {
        let program = strategy.new_tree(&mut runner).unwrap().current();
        let readings = oracle.run(&program.concat());
        finished += usize::from(readings.iter().all(|reading| reading.is_finished()));
        for kind in compare::differences(&readings, &inspect(&program.concat(), &Budget::small())) {
            let shown = failures.entry(kind.clone()).or_default();
            if shown.len() < MOST_SHOWN {
                let minimal = shrink(&mut oracle, program.clone(), &kind);
                let text = minimal.concat().escape_ascii().to_string();
                if !shown.contains(&text) {
                    shown.push(text);
                }
            }
        }
    }
    assert!(failures.is_empty(), "minimal programs by what is wrong with our reading of them:\n{failures:#?}");
    // Programs that all fail at once would compare nothing.
    assert!(finished * 4 > count, "only {finished} of {count} programs end well everywhere");
}

/// Takes parts of a program away as long as it fails in the same way.
fn shrink(oracle: &mut Oracle, mut program: Vec<Vec<u8>>, kind: &String) -> Vec<Vec<u8>> {
    let mut at = 0;
    while at < program.len() {
        let mut less = program.clone();
        less.remove(at);
        let bytes = less.concat();
        if compare::differences(&oracle.run(&bytes), &inspect(&bytes, &Budget::small())).contains(kind) {
            program = less;
            at = 0;
        } else {
            at += 1;
        }
    }
    program
}

#[test]
fn what_python_writes_is_read_to_its_end_without_anomalies() {
    let Some(mut oracle) = Oracle::start() else { return };
    let corpus = oracle.corpus();
    assert!(corpus.len() > 1_000, "{}", corpus.len());
    let mut wrong = BTreeMap::new();
    for pickle in corpus {
        for fact in inspect(&pickle, &Budget::default()).list() {
            let what = match &fact.kind {
                FactKind::Anomaly { anomaly, detail } => format!("{anomaly:?}: {detail}"),
                FactKind::Incomplete { reason, detail } => format!("{reason:?}: {detail}"),
                _ => continue,
            };
            let text = pickle[..pickle.len().min(400)].escape_ascii().to_string();
            wrong.entry(what).or_insert_with(|| format!("{:?} in {text}", fact.position));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn prefixes_of_what_python_writes_are_broken_and_nothing_worse() {
    let Some(mut oracle) = Oracle::start() else { return };
    for pickle in oracle.corpus().into_iter().filter(|pickle| pickle.len() < 5_000) {
        let step = pickle.len().div_ceil(MOST_CUTS);
        for end in (1..pickle.len()).step_by(step) {
            let facts = inspect(&pickle[..end], &Budget::small());
            let odd = |kind: &FactKind| matches!(kind, FactKind::Anomaly { .. } | FactKind::Incomplete { .. });
            assert!(
                facts.list().iter().any(|fact| odd(&fact.kind)),
                "nothing is said of {}",
                pickle[..end].escape_ascii()
            );
        }
    }
}
