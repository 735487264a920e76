//! Numbers that are not weights: a program or an archive spelt by the low bits of tensors.

use waag_evidence::finding::Severity;
use waag_formats::fact::Anomaly;

use super::finding::Findings;
use super::{Artifact, Meta, Rule, with_detail};

/// The rule.
#[derive(Debug)]
pub struct HiddenPayload;

static META: Meta = Meta {
    id: "hidden-payload",
    title: "payloads spelt by the numbers of tensors",
    page: include_str!("hidden_payload.md"),
};

const NEXT_STEP: &str =
    "do not use these weights: take the model from its original publisher, and compare tensor by tensor";

impl Rule for HiddenPayload {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, artifact: &Artifact<'_>, findings: &mut Findings<'_>) {
        for (position, anomaly, detail) in artifact.anomalies() {
            if anomaly == Anomaly::Steganography {
                findings.add(
                    Severity::High,
                    position,
                    with_detail("these numbers spell something else than weights", detail),
                    NEXT_STEP,
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{SAFETENSORS, sketch};

    #[test]
    fn it_is_as_grave_as_it_is() {
        let said = sketch("model.safetensors", &SAFETENSORS).anomaly(Anomaly::Steganography).said(&HiddenPayload);
        assert_eq!(said, ["high: these numbers spell something else than weights: as told"]);
    }

    #[test]
    fn ordinary_facts_give_no_finding() {
        assert!(sketch("model.safetensors", &SAFETENSORS).anomaly(Anomaly::Hole).said(&HiddenPayload).is_empty());
    }
}
