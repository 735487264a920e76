//! A name that is taken for another one: letters of another script, or one letter off.

use waag_evidence::finding::Severity;
use waag_formats::fact::Anomaly;

use super::finding::Findings;
use super::{Artifact, Meta, Rule, with_detail};

/// The rule.
#[derive(Debug)]
pub struct LookAlikeName;

static META: Meta =
    Meta { id: "look-alike-name", title: "names that are taken for others", page: include_str!("look_alike_name.md") };

const NEXT_STEP: &str = "compare the name letter by letter with the one you meant; rename or remove what you did not";

impl Rule for LookAlikeName {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, artifact: &Artifact<'_>, findings: &mut Findings<'_>) {
        for (position, anomaly, detail) in artifact.anomalies() {
            if anomaly == Anomaly::LookAlike {
                findings.add(
                    Severity::Medium,
                    position,
                    with_detail("this name is easily taken for another", detail),
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
        let said = sketch("model.bin", &SAFETENSORS).anomaly(Anomaly::LookAlike).said(&LookAlikeName);
        assert_eq!(said, ["medium: this name is easily taken for another: as told"]);
    }

    #[test]
    fn ordinary_facts_give_no_finding() {
        assert!(sketch("model.bin", &SAFETENSORS).anomaly(Anomaly::Hole).said(&LookAlikeName).is_empty());
    }
}
