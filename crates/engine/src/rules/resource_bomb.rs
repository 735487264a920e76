//! Small files that make their reader take all memory, disk or time.

use waag_evidence::finding::Severity;
use waag_formats::fact::{Anomaly, FactKind, Gap};

use super::finding::Findings;
use super::{Artifact, Meta, Rule, with_detail};

/// The rule.
#[derive(Debug)]
pub struct ResourceBomb;

static META: Meta = Meta {
    id: "resource-bomb",
    title: "files that exhaust whoever reads them",
    page: include_str!("resource_bomb.md"),
};

const NEXT_STEP: &str = "do not load or unpack it: it would take the machine down. If you have to, do so with limits on \
                         memory, disk and time";

impl Rule for ResourceBomb {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, artifact: &Artifact<'_>, findings: &mut Findings<'_>) {
        for (position, anomaly, detail) in artifact.anomalies() {
            let text = match anomaly {
                Anomaly::ExpansionBomb => "far more comes out of this than an honest file holds",
                Anomaly::AllocationBomb => "reading this takes far more memory than it has bytes",
                _ => continue,
            };
            findings.add(Severity::High, position, with_detail(text, detail), NEXT_STEP);
        }
        for fact in artifact.facts {
            if let FactKind::Incomplete { reason: Gap::Depth, detail } = &fact.kind {
                let text = "values lie in each other more deeply than readers bear, and were not followed to the end";
                findings.add(Severity::High, fact.position, with_detail(text, detail), NEXT_STEP);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{ZIP, sketch};

    #[test]
    fn bombs_deny() {
        for anomaly in [Anomaly::ExpansionBomb, Anomaly::AllocationBomb] {
            let said = sketch("model.zip", &ZIP).anomaly(anomaly).said(&ResourceBomb);
            assert!(said.len() == 1 && said[0].starts_with("high"), "{said:?}");
        }
    }

    #[test]
    fn ordinary_facts_give_no_finding() {
        assert!(sketch("model.zip", &ZIP).anomaly(Anomaly::SizeMismatch).said(&ResourceBomb).is_empty());
    }
}
