//! Files that name packages, and advisories, on corruptions of small ones, always the same: the fuzzers' checks, in the time of a
//! test.

use std::collections::BTreeSet;

use waag_code::dependencies::examine_bytes;
use waag_code::image;
use waag_testkit::{mutate, projects};

#[path = "../../../fuzz/src/advisories.rs"]
#[expect(unreachable_pub, reason = "a part of the fuzzers' crate")]
mod advisories;
#[path = "../../../fuzz/src/dependencies.rs"]
#[expect(unreachable_pub, reason = "a part of the fuzzers' crate")]
mod dependencies;

/// Corruptions of each seed.
const ROUNDS: u64 = 150;

#[test]
fn corrupted_files_are_read_to_the_end() {
    for seed in projects::inputs() {
        dependencies::dependencies(&seed);
        mutate(&seed[1..], ROUNDS, |bytes| dependencies::dependencies(&[&seed[..1], &bytes].concat()));
    }
}

#[test]
fn corrupted_advisories_are_refused_or_taken_over() {
    for seed in projects::ADVISORIES {
        advisories::advisories(seed.as_bytes());
        mutate(seed.as_bytes(), ROUNDS, |bytes| advisories::advisories(&bytes));
    }
}

/// A seed that its reader cannot read, or a reader without one, would leave the fuzzer outside.
#[test]
fn every_reader_has_a_seed_that_it_understands() {
    let mut seen = BTreeSet::new();
    for seed in projects::inputs() {
        let Some((name, bytes)) = dependencies::chosen(&seed) else { panic!("a seed is empty") };
        seen.insert(name);
        let is_understood = match image::is_read(name) {
            true => !image::read_text(name, &String::from_utf8_lossy(bytes)).0.bases.is_empty(),
            false => examine_bytes(name, bytes).is_some_and(|reading| {
                let names_nothing = reading.dependencies.is_empty() && reading.python.is_empty();
                !names_nothing || !reading.files.iter().all(|file| file.includes.is_empty())
            }),
        };
        assert!(is_understood, "{name}: {:?}", examine_bytes(name, bytes));
    }
    assert_eq!(seen, BTreeSet::from(dependencies::NAMES));
}
