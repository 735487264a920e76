//! Two readers of the same bytes see different programs, so that a scanner can be shown another file than a loader.

use waag_evidence::finding::Severity;
use waag_formats::fact::Anomaly;

use super::finding::Findings;
use super::{Artifact, Meta, Rule, with_detail};

/// The rule.
#[derive(Debug)]
pub struct ReaderDisagreement;

static META: Meta = Meta {
    id: "reader-disagreement",
    title: "bytes that two readers understand differently",
    page: include_str!("reader_disagreement.md"),
};

const NEXT_STEP: &str = "do not load it: no writer makes such bytes by accident. Ask the publisher to write the file \
                         anew, best as safetensors";

impl Rule for ReaderDisagreement {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, artifact: &Artifact<'_>, findings: &mut Findings<'_>) {
        for (position, anomaly, detail) in artifact.anomalies() {
            if anomaly == Anomaly::ReaderDisagreement {
                let message = with_detail("two readers of these bytes see different things", detail);
                findings.add(Severity::High, position, message, NEXT_STEP);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{PICKLE, sketch};

    #[test]
    fn a_disagreement_denies() {
        assert_eq!(
            sketch("model.pkl", &PICKLE).anomaly(Anomaly::ReaderDisagreement).said(&ReaderDisagreement),
            ["high: two readers of these bytes see different things: as told"]
        );
    }

    #[test]
    fn ordinary_facts_give_no_finding() {
        assert!(sketch("model.pkl", &PICKLE).anomaly(Anomaly::Broken).said(&ReaderDisagreement).is_empty());
    }
}
