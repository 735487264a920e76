//! Folders with sources in them, as their tools write them.

use std::collections::BTreeSet;
use std::path::Path;

use waag_evidence::statement::claims::Claim;
use waag_evidence::statement::role::Role;

use super::conflict::{Topic, shown};
use super::output::{json as json_output, plain, write_statements};
use super::*;
use crate::scan::Silent;

mod boms;
mod cards;
mod hostile;
mod trackers;

/// A folder with files of text.
pub(super) fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = root.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    root
}

pub(super) fn import(path: &Path) -> Imported {
    import_path(path, None, &Silent).unwrap()
}

/// Claims as `role: object (source#place)`, parts of wholes left out.
pub(super) fn told(imported: &Imported) -> Vec<String> {
    let line = |claim: &Claim| {
        let place = claim.source.place.as_deref().unwrap_or_default();
        format!("{}: {} ({}#{place})", claim.role, shown(&claim.object), claim.source.location)
    };
    imported.claims.iter().filter(|claim| claim.role != Role::PartOf).map(line).collect()
}

#[test]
fn importers_have_names_of_their_own_and_none_is_forgotten() {
    let names: BTreeSet<&str> = IMPORTERS.iter().map(|importer| importer.name()).collect();
    assert_eq!(names.len(), IMPORTERS.len());
    assert!(IMPORTERS.iter().all(|one| !one.reads().is_empty() && importer(one.name()).is_some()));
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/import");
    let mut implemented = 0;
    for entry in walk(&[sources], false).unwrap() {
        let text = std::fs::read_to_string(entry.path).unwrap();
        implemented += text.matches(concat!("impl Importer", " for ")).count();
        // One line stands for each importer that a macro makes.
        implemented += text.matches("\nimporter!(").count();
    }
    // The macro itself has the words once.
    assert_eq!(implemented - 1, IMPORTERS.len(), "an importer is not in the list");
}

#[test]
fn the_page_lists_every_importer() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/import.md")).unwrap();
    for importer in IMPORTERS {
        assert!(page.contains(&format!("`{}`", importer.name())), "{}", importer.name());
    }
}

#[test]
fn statements_have_a_subject_with_a_digest_and_no_signature() {
    let root = folder(&[("README.md", "---\nbase_model: org/base\n---\n"), ("model.safetensors", "x")]);
    let imported = import(root.path());
    let mut lines = Vec::new();
    write_statements(&imported, &mut lines).unwrap();
    let text = String::from_utf8(lines).unwrap();
    assert_eq!(text.lines().count(), 2, "one of the card, one of the folder's parts");
    for line in text.lines() {
        let envelope: waag_signing::envelope::Envelope = serde_json::from_str(line).unwrap();
        assert!(envelope.signatures.is_empty());
        let statement: waag_evidence::statement::Statement =
            serde_json::from_slice(&envelope.payload_bytes().unwrap()).unwrap();
        assert!(!statement.subject.is_empty() && statement.subject.iter().all(|one| !one.digest.is_empty()));
        let read = serde_json::from_value::<waag_evidence::statement::claims::Claims>(statement.predicate).unwrap();
        assert!(!read.claims.is_empty());
    }
    let again = import(root.path());
    let mut second = Vec::new();
    write_statements(&again, &mut second).unwrap();
    assert_eq!(text.as_bytes(), second, "the same folder gives the same bytes");
}

#[test]
fn both_answers_are_safe_to_print() {
    let root = folder(&[("README.md", "---\nlicense: \"mit\\e[31m\"\nbase_model: \"org/a\\u202eb\"\n---\n")]);
    let imported = import(root.path());
    for render in [plain, json_output] {
        let mut out = Vec::new();
        render(&imported, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
        assert!(text.contains("mit"));
    }
}
