//! Part of the model is somewhere else: a path or address outside its folder that a loader would read.

use waag_evidence::finding::Severity;
use waag_formats::fact::Anomaly;

use super::finding::Findings;
use super::{Artifact, Meta, Rule, with_detail};

/// The rule.
#[derive(Debug)]
pub struct ExternalData;

static META: Meta = Meta {
    id: "external-data",
    title: "data that a loader takes from outside the model",
    page: include_str!("external_data.md"),
};

const NEXT_STEP: &str =
    "do not load it: a loader would read that file of yours into the model. Ask for a model whose data lie beside it";

impl Rule for ExternalData {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, artifact: &Artifact<'_>, findings: &mut Findings<'_>) {
        for (position, anomaly, detail) in artifact.anomalies() {
            if anomaly == Anomaly::ExternalData {
                findings.add(
                    Severity::High,
                    position,
                    with_detail("part of this model is kept outside it", detail),
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
        let said = sketch("model.onnx", &SAFETENSORS).anomaly(Anomaly::ExternalData).said(&ExternalData);
        assert_eq!(said, ["high: part of this model is kept outside it: as told"]);
    }

    #[test]
    fn ordinary_facts_give_no_finding() {
        assert!(sketch("model.onnx", &SAFETENSORS).anomaly(Anomaly::Hole).said(&ExternalData).is_empty());
    }
}
