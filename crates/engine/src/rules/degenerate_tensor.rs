//! Numbers that no training leaves behind.

use waag_evidence::finding::Severity;
use waag_formats::fact::Anomaly;

use super::finding::Findings;
use super::{Artifact, Meta, Rule, with_detail};

/// The rule.
#[derive(Debug)]
pub struct DegenerateTensor;

static META: Meta = Meta {
    id: "degenerate-tensor",
    title: "tensors that training cannot have left so",
    page: include_str!("degenerate_tensor.md"),
};

const NEXT_STEP: &str = "compare with another copy of the model, and try it on inputs whose answers you know";

impl Rule for DegenerateTensor {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, artifact: &Artifact<'_>, findings: &mut Findings<'_>) {
        for (position, anomaly, detail) in artifact.anomalies() {
            let (severity, text) = match anomaly {
                Anomaly::NotFinite => (Severity::Low, "numbers that are not finite"),
                Anomaly::Degenerate => (Severity::Low, "a tensor that training does not leave so"),
                _ => continue,
            };
            findings.add(severity, position, with_detail(text, detail), NEXT_STEP);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{SAFETENSORS, sketch};

    #[test]
    fn it_is_as_grave_as_it_is() {
        let said = sketch("model.safetensors", &SAFETENSORS).anomaly(Anomaly::NotFinite).said(&DegenerateTensor);
        assert_eq!(said, ["low: numbers that are not finite: as told"]);
        let said = sketch("model.safetensors", &SAFETENSORS).anomaly(Anomaly::Degenerate).said(&DegenerateTensor);
        assert_eq!(said, ["low: a tensor that training does not leave so: as told"]);
    }

    #[test]
    fn ordinary_facts_give_no_finding() {
        assert!(sketch("model.safetensors", &SAFETENSORS).anomaly(Anomaly::Hole).said(&DegenerateTensor).is_empty());
    }
}
