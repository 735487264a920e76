//! XML that declares entities: a reader fetches files and addresses for them, or multiplies them until memory ends.

use waag_evidence::finding::Severity;
use waag_formats::fact::Anomaly;

use super::finding::Findings;
use super::{Artifact, Meta, Rule, with_detail};

/// The rule.
#[derive(Debug)]
pub struct XmlEntity;

static META: Meta = Meta {
    id: "xml-entity",
    title: "XML that makes its reader fetch or multiply",
    page: include_str!("xml_entity.md"),
};

const NEXT_STEP: &str =
    "do not parse it with a reader that resolves entities; ask for a file without a document type declaration";

impl Rule for XmlEntity {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, artifact: &Artifact<'_>, findings: &mut Findings<'_>) {
        for (position, anomaly, detail) in artifact.anomalies() {
            if anomaly == Anomaly::XmlEntity {
                findings.add(
                    Severity::High,
                    position,
                    with_detail("this XML declares entities, which no model needs", detail),
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
        let said = sketch("model.xml", &SAFETENSORS).anomaly(Anomaly::XmlEntity).said(&XmlEntity);
        assert_eq!(said, ["high: this XML declares entities, which no model needs: as told"]);
    }

    #[test]
    fn ordinary_facts_give_no_finding() {
        assert!(sketch("model.xml", &SAFETENSORS).anomaly(Anomaly::Hole).said(&XmlEntity).is_empty());
    }
}
