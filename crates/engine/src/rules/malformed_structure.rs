//! A file that breaks its own format: readers refuse it, or go wrong on it, each in its own way.

use waag_evidence::finding::Severity;
use waag_formats::fact::Anomaly;
use waag_formats::format::Depth;

use super::finding::Findings;
use super::{Artifact, Meta, Rule, with_detail};
use crate::content_address;

/// The rule.
#[derive(Debug)]
pub struct MalformedStructure;

static META: Meta = Meta {
    id: "malformed-structure",
    title: "files that break the rules of their own format",
    page: include_str!("malformed_structure.md"),
};

const NEXT_STEP: &str = "fetch the file again and compare its digest with the publisher's; if it is the same, do not \
                         load it, and ask the publisher for a file that was written whole";

impl Rule for MalformedStructure {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, artifact: &Artifact<'_>, findings: &mut Findings<'_>) {
        for (position, anomaly, detail) in artifact.anomalies() {
            let Some((severity, text)) = judge(artifact, anomaly) else { continue };
            findings.add(severity, position, with_detail(text, detail), NEXT_STEP);
        }
    }
}

fn judge(artifact: &Artifact<'_>, anomaly: Anomaly) -> Option<(Severity, &'static str)> {
    Some(match anomaly {
        Anomaly::Hole => (Severity::High, "bytes that no part of the structure accounts for"),
        Anomaly::Overlap => (Severity::High, "two parts of the structure claim the same bytes"),
        Anomaly::OutOfBounds => (Severity::High, "the structure points outside the file"),
        Anomaly::SizeMismatch => (Severity::High, "size, type and shape contradict each other"),
        Anomaly::DuplicateName if !artifact.is_archive() => {
            (Severity::High, "one name stands here twice, and readers differ in which one they take")
        }
        Anomaly::Malformed => (severity_of_malformed(artifact), "the structure breaks the format's specification"),
        Anomaly::Broken => (Severity::Medium, "loading this stops with an error or before its end"),
        // Whoever asks for a file by its digest is given another one.
        Anomaly::ChecksumMismatch if content_address::promised(artifact.name).is_some() => {
            (Severity::High, "the name is a digest, and not that of the content")
        }
        Anomaly::ChecksumMismatch => (Severity::Medium, "a stored checksum is wrong"),
        _ => return None,
    })
}

/// Where the whole structure is verified here, honest readers refuse the file too. Where it is only opened or
/// searched, the oddity may be a dialect.
fn severity_of_malformed(artifact: &Artifact<'_>) -> Severity {
    let verified = artifact.format.is_some_and(|format| format.depth == Depth::Full);
    if verified { Severity::High } else { Severity::Medium }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{PICKLE, SAFETENSORS, ZIP, sketch};

    #[test]
    fn structures_that_lie_deny() {
        for anomaly in [
            Anomaly::Hole,
            Anomaly::Overlap,
            Anomaly::OutOfBounds,
            Anomaly::SizeMismatch,
            Anomaly::DuplicateName,
            Anomaly::Malformed,
        ] {
            let said = sketch("a.safetensors", &SAFETENSORS).anomaly(anomaly).said(&MalformedStructure);
            assert!(said.len() == 1 && said[0].starts_with("high"), "{said:?}");
        }
    }

    #[test]
    fn damage_is_inconclusive() {
        for anomaly in [Anomaly::Broken, Anomaly::ChecksumMismatch] {
            let said = sketch("a.pkl", &PICKLE).anomaly(anomaly).said(&MalformedStructure);
            assert!(said.len() == 1 && said[0].starts_with("medium"), "{said:?}");
        }
    }

    #[test]
    fn a_name_that_is_the_digest_of_something_else_denies() {
        let blob = "blobs/sha256/abababababababababababababababababababababababababababababababab";
        let said = sketch(blob, &ZIP).anomaly(Anomaly::ChecksumMismatch).said(&MalformedStructure);
        assert_eq!(said, ["high: the name is a digest, and not that of the content: as told"]);
    }

    #[test]
    fn a_dialect_is_inconclusive_where_the_structure_is_not_verified() {
        let said = sketch("a.zip", &ZIP).anomaly(Anomaly::Malformed).said(&MalformedStructure);
        assert_eq!(said, ["medium: the structure breaks the format's specification: as told"]);
        let said = sketch("a.dat", &ZIP).unknown().anomaly(Anomaly::Malformed).said(&MalformedStructure);
        assert!(said[0].starts_with("medium"));
    }

    #[test]
    fn names_in_archives_and_ordinary_facts_are_not_its_business() {
        assert!(sketch("a.zip", &ZIP).anomaly(Anomaly::DuplicateName).said(&MalformedStructure).is_empty());
        assert!(sketch("a.zip", &ZIP).anomaly(Anomaly::Link).said(&MalformedStructure).is_empty());
    }
}
