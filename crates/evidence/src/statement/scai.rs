//! Properties of an artifact with the evidence for them: SCAI's attribute report, version 0.3. It fits "was trained with
//! deterministic algorithms" or "was only ever loaded as safetensors".
//!
//! <https://github.com/in-toto/attestation/blob/main/spec/predicates/scai.md>

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::ResourceDescriptor;
use super::evidence::{EvidenceType, Maker, reading};
use super::predicate::{InvalidPredicate, Line, Predicate, check_descriptor, check_text, told};
use crate::strict;

/// The predicate's type.
pub const PREDICATE_TYPE: &str = "https://in-toto.io/attestation/scai/v0.3";
/// Attributes that are told one by one.
const MAX_LISTED: usize = 10;

pub(super) static TYPE: EvidenceType = EvidenceType {
    id: "scai",
    title: "SCAI attribute report",
    about: "which properties it has, with the evidence for each",
    uris: &[PREDICATE_TYPE, "https://in-toto.io/attestation/scai/attribute-report/v0.2"],
    versioned: false,
    specification: "https://github.com/in-toto/attestation/blob/main/spec/predicates/scai.md",
    maker: Maker::File,
    read: |value| reading::<AttributeReport>(PREDICATE_TYPE, value),
};

/// Properties of an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributeReport {
    /// At least one.
    #[serde(deserialize_with = "strict::objects")]
    pub attributes: Vec<Attribute>,
    /// What made the artifact.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "strict::optional")]
    pub producer: Option<ResourceDescriptor>,
}

/// A property.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// Which.
    pub attribute: String,
    /// What has it, where that is not the subject.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "strict::optional")]
    pub target: Option<ResourceDescriptor>,
    /// Under which conditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Map<String, Value>>,
    /// What shows it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "strict::optional")]
    pub evidence: Option<ResourceDescriptor>,
}

impl Predicate for AttributeReport {
    fn check(&self) -> Result<(), InvalidPredicate> {
        if self.attributes.is_empty() {
            return Err(InvalidPredicate::at("attributes", "at least one is needed"));
        }
        for (index, attribute) in self.attributes.iter().enumerate() {
            let place = |field| format!("attributes[{index}].{field}");
            check_text(place("attribute"), &attribute.attribute)?;
            for (field, descriptor) in [("target", &attribute.target), ("evidence", &attribute.evidence)] {
                descriptor.as_ref().map_or(Ok(()), |it| check_descriptor(place(field), it))?;
            }
        }
        self.producer.as_ref().map_or(Ok(()), |producer| check_descriptor("producer", producer))
    }

    fn summary(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        for attribute in self.attributes.iter().take(MAX_LISTED) {
            lines.push(Line::new("attribute", &attribute.attribute));
            lines.extend(attribute.target.iter().map(|target| Line::new("of", told(target))));
            lines.extend(attribute.evidence.iter().map(|evidence| Line::new("evidence", told(evidence))));
        }
        let more = self.attributes.len().saturating_sub(MAX_LISTED);
        lines.extend((more > 0).then(|| Line::new("attribute", format_args!("and {more} more"))));
        lines.extend(self.producer.iter().map(|producer| Line::new("producer", told(producer))));
        lines
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::statement::predicate::read;

    #[test]
    fn the_specifications_example_is_read() {
        let example = json!({
            "attributes": [{
                "attribute": "WITH_STACK_PROTECTION",
                "conditions": {"flags": "-fstack-protector*"},
                "evidence": {"name": "report.json", "digest": {"sha256": "ab".repeat(32)}, "mediaType": "application/x.dsse+json"},
            }],
            "producer": {"uri": "file:///usr/bin/gcc", "name": "gcc9.3.0"},
        });
        let report: AttributeReport = read(&example).unwrap();
        assert_eq!(serde_json::to_value(&report).unwrap(), example);
    }

    #[test]
    fn what_is_wrong_is_placed() {
        let place = |value| read::<AttributeReport>(&value).unwrap_err().place;
        assert_eq!(place(json!({"attributes": []})), "attributes");
        assert_eq!(place(json!({"attributes": [{"attribute": ""}]})), "attributes[0].attribute");
        assert_eq!(place(json!({"attributes": [{"attribute": "A", "target": {}}]})), "attributes[0].target");
        assert_eq!(place(json!({"attributes": [{"attribute": "A", "conditions": []}]})), "attributes[0].conditions");
    }
}
