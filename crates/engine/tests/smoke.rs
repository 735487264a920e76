//! A few thousand corruptions of small files of every format, always the same ones: the fuzzers' checks, in the time of a
//! test. The long run is `fuzz/run 3600`.
//!
//! Every format has a fuzz target. `WAAG_BLESS=1` writes those that are missing.

#![expect(clippy::disallowed_methods, reason = "the files read here are the repository's own")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use waag_formats::FORMATS;
use waag_testkit::mutate;
use waag_testkit::seeds::{all_seeds, seeds};

#[path = "../../../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "a crate of its own for the fuzzers")]
mod fuzz;

/// Corruptions of each format, over all its seeds.
const ROUNDS: u64 = 1500;
/// Corruptions of each seed where the whole engine runs.
const WHOLE_ROUNDS: u64 = 40;

#[test]
fn every_format_reads_anything() {
    std::thread::scope(|scope| {
        for format in FORMATS {
            scope.spawn(|| read_anything(format.meta().id));
        }
    });
}

fn read_anything(id: &str) {
    let seeds = seeds(id);
    assert!(!seeds.is_empty(), "'{id}' has no seeds: add a row in crates/testkit/src/seeds.rs");
    for seed in &seeds {
        fuzz::examine(id, seed);
        mutate(seed, ROUNDS / seeds.len() as u64, |bytes| fuzz::examine(id, &bytes));
    }
}

#[test]
fn the_engine_reads_anything() {
    for seed in all_seeds() {
        fuzz::scan(&seed);
        mutate(&seed, WHOLE_ROUNDS, |bytes| fuzz::scan(&bytes));
    }
}

#[test]
fn anything_can_be_decoded_and_searched() {
    for (choice, seed) in all_seeds().into_iter().enumerate() {
        let mut chosen = vec![u8::try_from(choice).unwrap()];
        chosen.extend(&seed);
        mutate(&chosen, WHOLE_ROUNDS, |bytes| fuzz::decode(&bytes));
        mutate(&seed, WHOLE_ROUNDS, |bytes| fuzz::search(&bytes));
    }
}

#[test]
fn weights_are_read_from_anything() {
    for seed in all_seeds() {
        fuzz::weights(&seed);
        mutate(&seed, WHOLE_ROUNDS, |bytes| fuzz::weights(&bytes));
    }
}

#[test]
fn anything_is_read_as_a_signature() {
    for seed in seeds("signature") {
        fuzz::signature(&seed);
        mutate(&seed, ROUNDS, |bytes| fuzz::signature(&bytes));
    }
}

#[test]
fn anything_is_taken_for_a_statement() {
    for seed in seeds("ledger-statement") {
        fuzz::ledger_statement(&seed);
        mutate(&seed, ROUNDS, |bytes| fuzz::ledger_statement(&bytes));
    }
}

#[test]
fn every_seed_is_recognised_as_what_it_is() {
    use waag_formats::child::Role;
    use waag_formats::format::Probe;
    for format in FORMATS {
        let id = format.meta().id;
        let is_recognised = |seed: &Vec<u8>| {
            format.meta().extensions.iter().chain(&["", "model"]).any(|ending| {
                let name = format!("model.{ending}");
                format.recognise(&Probe::new(seed, &name, Role::Unknown)).is_some()
            })
        };
        assert!(seeds(id).iter().any(is_recognised), "no seed of '{id}' is told to be one");
    }
}

#[test]
fn every_format_has_a_fuzz_target() {
    let is_blessed = std::env::var_os("WAAG_BLESS").is_some_and(|value| value == "1");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    for (path, expected) in expected_files(&root, manifest) {
        let actual = std::fs::read_to_string(&path).unwrap_or_default();
        if actual != expected && is_blessed {
            std::fs::write(&path, expected).unwrap();
        } else {
            assert_eq!(actual, expected, "'{}' is not as it should be; WAAG_BLESS=1 writes it", path.display());
        }
    }
}

/// The targets, and the manifest that lists them at its end.
fn expected_files(root: &Path, mut manifest: String) -> BTreeMap<PathBuf, String> {
    let mut targets: BTreeMap<String, String> = FORMATS
        .iter()
        .map(|format| format.meta().id)
        .map(|id| (format!("format_{}", id.replace('-', "_")), format!("examine(\"{id}\", data)")))
        .collect();
    let others = ["decode", "ledger_statement", "scan", "search", "signature", "weights"];
    targets.extend(others.map(|name| (name.to_owned(), format!("{name}(data)"))));
    // These are of another crate, which this one does not know; their targets are checked by tests beside it.
    targets.extend(["advisories", "dependencies", "lint"].map(|name| (name.to_owned(), String::new())));
    manifest.truncate(manifest.find("\n[[bin]]").unwrap_or(manifest.len()));
    let mut files = BTreeMap::new();
    for (name, call) in targets {
        let entry =
            format!("\n[[bin]]\nname = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"\ntest = false\nbench = false\n");
        manifest.push_str(&entry);
        if call.is_empty() {
            continue;
        }
        let text = format!("#![no_main]\n\nlibfuzzer_sys::fuzz_target!(|data: &[u8]| waag_fuzz::{call});\n");
        files.insert(root.join("fuzz_targets").join(format!("{name}.rs")), text);
    }
    files.insert(root.join("Cargo.toml"), manifest);
    files
}
