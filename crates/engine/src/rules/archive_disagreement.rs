//! An archive says two different things about itself, and its readers believe different ones.

use waag_evidence::finding::Severity;
use waag_formats::fact::Anomaly;

use super::finding::Findings;
use super::{Artifact, Meta, Rule, with_detail};

/// The rule.
#[derive(Debug)]
pub struct ArchiveDisagreement;

static META: Meta = Meta {
    id: "archive-disagreement",
    title: "archives whose headers contradict each other",
    page: include_str!("archive_disagreement.md"),
};

const NEXT_STEP: &str = "do not unpack or load it: one tool would check other bytes than another one loads. Ask the \
                         publisher to write the archive anew";

impl Rule for ArchiveDisagreement {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, artifact: &Artifact<'_>, findings: &mut Findings<'_>) {
        for (position, anomaly, detail) in artifact.anomalies() {
            let text = match anomaly {
                Anomaly::HeaderDisagreement => "two headers of this archive contradict each other",
                Anomaly::DuplicateName if artifact.is_archive() => {
                    "this archive holds one name twice, and tools differ in which one they take"
                }
                _ => continue,
            };
            findings.add(Severity::High, position, with_detail(text, detail), NEXT_STEP);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{SAFETENSORS, ZIP, sketch};

    #[test]
    fn headers_that_contradict_each_other_deny() {
        assert_eq!(
            sketch("model.pt", &ZIP).anomaly(Anomaly::HeaderDisagreement).said(&ArchiveDisagreement),
            ["high: two headers of this archive contradict each other: as told"]
        );
    }

    #[test]
    fn a_name_twice_denies_in_archives_only() {
        let said =
            |file: super::super::testing::Sketch| file.anomaly(Anomaly::DuplicateName).said(&ArchiveDisagreement);
        assert!(said(sketch("model.pt", &ZIP))[0].starts_with("high: this archive holds one name twice"));
        assert!(said(sketch("model.safetensors", &SAFETENSORS)).is_empty());
    }

    #[test]
    fn ordinary_facts_give_no_finding() {
        assert!(sketch("model.zip", &ZIP).anomaly(Anomaly::ChecksumMismatch).said(&ArchiveDisagreement).is_empty());
    }
}
