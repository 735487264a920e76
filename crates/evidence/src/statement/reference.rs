//! Documents about an artifact that are kept elsewhere, by digest: in-toto's reference, version 0.1. A model card, a bill
//! of materials, or a model's signature can be pointed to.
//!
//! <https://github.com/in-toto/attestation/blob/main/spec/predicates/reference.md>

use serde::{Deserialize, Serialize};

use super::ResourceDescriptor;
use super::evidence::{EvidenceType, Maker, reading};
use super::predicate::{InvalidPredicate, Line, Predicate, check_digest, check_text, check_uri};
use crate::strict;

/// The predicate's type.
pub const PREDICATE_TYPE: &str = "https://in-toto.io/attestation/reference/v0.1";
/// Documents that are told one by one.
const MAX_LISTED: usize = 10;

pub(super) static TYPE: EvidenceType = EvidenceType {
    id: "reference",
    title: "in-toto reference",
    about: "which documents about it are kept elsewhere, by digest",
    uris: &[PREDICATE_TYPE],
    versioned: false,
    specification: "https://github.com/in-toto/attestation/blob/main/spec/predicates/reference.md",
    maker: Maker::File,
    read: |value| reading::<Reference>(PREDICATE_TYPE, value),
};

/// Documents that are kept elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// Who provides them.
    #[serde(deserialize_with = "strict::object")]
    pub attester: Attester,
    /// Which. Each says where it can be had and of what kind it is.
    #[serde(deserialize_with = "strict::objects")]
    pub references: Vec<ResourceDescriptor>,
}

/// Who provides documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attester {
    /// A URI.
    pub id: String,
}

impl Predicate for Reference {
    fn check(&self) -> Result<(), InvalidPredicate> {
        check_uri("attester.id", &self.attester.id)?;
        for (index, reference) in self.references.iter().enumerate() {
            let place = |field| format!("references[{index}].{field}");
            check_uri(place("downloadLocation"), reference.download_location.as_deref().unwrap_or_default())?;
            check_text(place("mediaType"), reference.media_type.as_deref().unwrap_or_default())?;
            check_digest(format_args!("references[{index}]"), &reference.digest)?;
        }
        Ok(())
    }

    fn summary(&self) -> Vec<Line> {
        let line = |reference: &ResourceDescriptor| {
            let place = reference.download_location.as_deref().unwrap_or_default();
            let kind = reference.media_type.as_deref().unwrap_or_default();
            Line::new("document", format_args!("{place} ({kind})"))
        };
        let lines = std::iter::once(Line::new("attester", &self.attester.id));
        lines.chain(self.references.iter().take(MAX_LISTED).map(line)).collect()
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
            "attester": {"id": "https://my-builder.com/v1"},
            "references": [{
                "downloadLocation": "https://cloud.com/my-sboms/sbom.spdx.json",
                "digest": {"sha256": "3b0d19b348f1e46a571c6e9df32897637c20dd9803261c2fc9cbe38b0c8422c4"},
                "mediaType": "application/spdx+json",
            }],
        });
        let reference: Reference = read(&example).unwrap();
        assert_eq!(serde_json::to_value(&reference).unwrap(), example);
        let mut without = example.clone();
        without["references"][0]["mediaType"] = json!("");
        assert_eq!(read::<Reference>(&without).unwrap_err().place, "references[0].mediaType");
        without["references"][0] = json!({"mediaType": "a/b", "digest": {"sha256": "00"}});
        assert_eq!(read::<Reference>(&without).unwrap_err().place, "references[0].downloadLocation");
    }
}
