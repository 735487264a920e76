//! A tokenizer whose tables change the text itself: what the user wrote, or what the model answers.

use waag_evidence::finding::Severity;
use waag_formats::fact::Anomaly;

use super::finding::Findings;
use super::{Artifact, Meta, Rule, with_detail};

/// The rule.
#[derive(Debug)]
pub struct TextRemapping;

static META: Meta = Meta {
    id: "text-remapping",
    title: "tokenizers that change what is said",
    page: include_str!("text_remapping.md"),
};

const NEXT_STEP: &str = "compare the tokenizer with the one of the base model, and use that one";

impl Rule for TextRemapping {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, artifact: &Artifact<'_>, findings: &mut Findings<'_>) {
        for (position, anomaly, detail) in artifact.anomalies() {
            if anomaly == Anomaly::TextRemapping {
                findings.add(
                    Severity::High,
                    position,
                    with_detail("this tokenizer changes text on its way in or out", detail),
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
        let said = sketch("tokenizer.json", &SAFETENSORS).anomaly(Anomaly::TextRemapping).said(&TextRemapping);
        assert_eq!(said, ["high: this tokenizer changes text on its way in or out: as told"]);
    }

    #[test]
    fn ordinary_facts_give_no_finding() {
        assert!(sketch("tokenizer.json", &SAFETENSORS).anomaly(Anomaly::Hole).said(&TextRemapping).is_empty());
    }
}
