//! The types of evidence that waag makes, reads and verifies. Each is one file and one line in [`EVIDENCE`].

use serde_json::Value;

use super::predicate::{InvalidPredicate, Line, Predicate, read, unknown_fields};
use super::{claims, cyclonedx, provenance, reference, scai, scan, signature, spdx, test_result, verdict, vulns};

/// A type of evidence.
#[derive(Debug)]
pub struct EvidenceType {
    /// What commands call it.
    pub id: &'static str,
    /// What its predicate is, as a noun phrase.
    pub title: &'static str,
    /// What it is good for, in a sentence.
    pub about: &'static str,
    /// The predicate types that it is known by. The first is written, unless the predicate itself is of another one.
    pub uris: &'static [&'static str],
    /// Whether the first may be followed by a version: `https://cyclonedx.org/bom/v1.6`.
    pub versioned: bool,
    /// Where it is specified.
    pub specification: &'static str,
    /// Who makes the predicate.
    pub maker: Maker,
    /// Reads a predicate and checks it.
    pub read: fn(&Value) -> Result<Reading, InvalidPredicate>,
}

/// Who makes a predicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    /// It is read from a file.
    File,
    /// `waag attest` makes it, or reads it from a file.
    Attest,
    /// `waag sign` alone.
    Sign,
}

/// What was read in a predicate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The predicate type to write for it.
    pub uri: &'static str,
    /// What it says, in a few lines.
    pub lines: Vec<Line>,
    /// What it says against the subject. Whoever relies on it has to be told, however well it is signed.
    pub objection: Option<String>,
    /// Fields that the specification does not name. They are kept, and most readers pass them over.
    pub unknown: Vec<String>,
}

/// Every type, in the order in which they are listed to people.
pub static EVIDENCE: &[&EvidenceType] = &[
    &provenance::TYPE,
    &verdict::TYPE,
    &scan::TYPE,
    &test_result::TYPE,
    &vulns::TYPE,
    &scai::TYPE,
    &reference::TYPE,
    &cyclonedx::TYPE,
    &spdx::TYPE,
    &claims::TYPE,
    &signature::TYPE,
];

/// The type that commands call so.
#[must_use]
pub fn find(id: &str) -> Option<&'static EvidenceType> {
    EVIDENCE.iter().copied().find(|evidence| evidence.id == id)
}

/// The type of a predicate type.
#[must_use]
pub fn of_uri(uri: &str) -> Option<&'static EvidenceType> {
    EVIDENCE.iter().copied().find(|evidence| evidence.is(uri))
}

/// How a statement refuses its subject as a whole: a verdict that is FAILED, or a scan that says deny. That a test failed or
/// that advisories are known is for policies to weigh.
#[must_use]
pub fn refusal(predicate_type: &str, predicate: &Value) -> Option<String> {
    let evidence = of_uri(predicate_type)?;
    let refuses = match evidence.id {
        "verdict" => true,
        "scan" => predicate.get("decision").and_then(Value::as_str) == Some("deny"),
        _ => false,
    };
    (evidence.read)(predicate).ok()?.objection.filter(|_| refuses)
}

impl Reading {
    /// What was read of a document whose fields are another specification's.
    pub(super) const fn of_document(uri: &'static str, lines: Vec<Line>) -> Self {
        Self { uri, lines, objection: None, unknown: Vec::new() }
    }
}

impl EvidenceType {
    /// Whether a predicate type is this one.
    #[must_use]
    pub fn is(&self, uri: &str) -> bool {
        self.uris.contains(&uri) || self.versioned && self.uris.first().is_some_and(|first| is_version_of(first, uri))
    }
}

fn is_version_of(first: &str, uri: &str) -> bool {
    let version = uri.strip_prefix(first).and_then(|rest| rest.strip_prefix("/v")).unwrap_or_default();
    !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// What a predicate of a type that is read in full says.
pub(super) fn reading<P: Predicate>(uri: &'static str, value: &Value) -> Result<Reading, InvalidPredicate> {
    let predicate: P = read(value)?;
    let known = serde_json::to_value(&predicate).unwrap_or(Value::Null);
    let (lines, objection) = (predicate.summary(), predicate.objection());
    Ok(Reading { uri, lines, objection, unknown: unknown_fields(value, &known) })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// Files beside the types that are none.
    const NO_TYPES: &[&str] = &["evidence", "predicate", "read", "role"];

    #[test]
    fn every_file_is_registered() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/statement");
        let stems = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned());
        let files: BTreeSet<String> = stems.filter(|stem| !NO_TYPES.contains(&stem.as_str())).collect();
        let expected: BTreeSet<String> = EVIDENCE.iter().map(|evidence| evidence.id.replace('-', "_")).collect();
        assert_eq!(files, expected, "each type needs <type>.rs and a line in EVIDENCE");
    }

    #[test]
    fn every_type_is_on_its_page() {
        let page = include_str!("../../../../docs/attestations.md");
        for evidence in EVIDENCE {
            assert!(page.contains(&format!("`{}`", evidence.id)), "{}", evidence.id);
            assert!(page.contains(evidence.uris[0]), "{}", evidence.uris[0]);
        }
    }

    #[test]
    fn ids_and_uris_are_unique() {
        let uris: Vec<&str> = EVIDENCE.iter().flat_map(|evidence| evidence.uris).copied().collect();
        assert_eq!(uris.iter().collect::<BTreeSet<_>>().len(), uris.len());
        for evidence in EVIDENCE {
            assert!(find(evidence.id).is_some_and(|found| std::ptr::eq(found, *evidence)));
            for uri in evidence.uris {
                assert!(of_uri(uri).is_some_and(|found| std::ptr::eq(found, *evidence)), "{uri}");
            }
        }
    }

    #[test]
    fn versions_are_of_their_type() {
        assert_eq!(of_uri("https://cyclonedx.org/bom/v1.6").map(|found| found.id), Some("cyclonedx"));
        assert_eq!(of_uri("https://spdx.dev/Document/v2.3").map(|found| found.id), Some("spdx"));
        for uri in ["https://cyclonedx.org/bom/vx", "https://cyclonedx.org/bom/v", "https://slsa.dev/provenance/v1/v2"]
        {
            assert!(of_uri(uri).is_none(), "{uri}");
        }
    }
}
