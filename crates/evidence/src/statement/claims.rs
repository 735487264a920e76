//! What files and tools say of where artifacts come from, each with the place that says it. A predicate of our own: no
//! other keeps apart what was said from what was proven.
//!
//! A statement of this type proves nothing about what it repeats. Signed, it says who read it there.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ResourceDescriptor;
use super::evidence::{EvidenceType, Maker, reading};
use super::predicate::{InvalidPredicate, Line, Predicate, check_descriptor, check_text, told};
use super::role::Role;
use crate::strict;

/// The predicate's type.
pub const PREDICATE_TYPE: &str = "https://waag.dev/predicates/claims/v1";

/// Claims that are told one by one.
const MAX_LISTED: usize = 10;

pub(super) static TYPE: EvidenceType = EvidenceType {
    id: "claims",
    title: "claims that were read",
    about: "what files and tools say of where it comes from, each with the place; nobody vouches for them",
    uris: &[PREDICATE_TYPE],
    versioned: false,
    specification: "https://waag.dev/predicates/claims/v1",
    maker: Maker::File,
    read: |value| reading::<Claims>(PREDICATE_TYPE, value),
};

/// What was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Claims {
    /// Each claim, in the order of what it was read from.
    #[serde(deserialize_with = "strict::objects")]
    pub claims: Vec<Claim>,
}

/// One artifact had a part in another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Claim {
    /// What was made, or is described.
    pub subject: ResourceDescriptor,
    /// The part that the other one had.
    pub role: Role,
    /// The other one. Often only a name or a URI, where nobody wrote a digest down.
    pub object: ResourceDescriptor,
    /// Who says so.
    pub voice: Voice,
    /// Where it was read.
    pub source: ClaimSource,
    /// When it was said, if the source says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said_at: Option<Timestamp>,
}

/// Who says so, where no signature does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Voice {
    /// Somebody wrote it down: a card, a hand-written file, a tag.
    SelfDeclared,
    /// A tool wrote it into a file of the artifact, or beside it: an adapter's configuration, a GGUF header, a run's record.
    DerivedFromFile,
}

/// Where a claim was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimSource {
    /// The tool or format: `mlflow`, `huggingface-card`, `dvc`.
    pub kind: String,
    /// The file below what was imported, or the address of the record.
    pub location: String,
    /// The place in it: a JSON pointer, a key, a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// SHA-256 of the file, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<crate::Sha256Digest>,
}

impl Predicate for Claims {
    fn check(&self) -> Result<(), InvalidPredicate> {
        for (index, claim) in self.claims.iter().enumerate() {
            let place = |field| format!("claims[{index}].{field}");
            check_descriptor(place("subject"), &claim.subject)?;
            check_descriptor(place("object"), &claim.object)?;
            check_text(place("source.kind"), &claim.source.kind)?;
            check_text(place("source.location"), &claim.source.location)?;
        }
        Ok(())
    }

    fn summary(&self) -> Vec<Line> {
        let line = |claim: &Claim| {
            let Claim { subject, role, object, source, .. } = claim;
            let text = format!("{role} of {}: {} ({})", told(subject), told(object), source.location);
            Line::new("claimed", text)
        };
        let mut lines: Vec<Line> = self.claims.iter().take(MAX_LISTED).map(line).collect();
        let more = self.claims.len().saturating_sub(MAX_LISTED);
        lines.extend((more > 0).then(|| Line::new("claimed", format_args!("and {more} more"))));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_read_as_they_are_written() {
        let text = r#"{"claims":[{"subject":{"name":"adapter","digest":{"gitCommit":"00"}},"role":"base-model","object":{"uri":"pkg:huggingface/a/b"},"voice":"derived-from-file","source":{"kind":"adapter-configuration","location":"adapter_config.json","place":"/base_model_name_or_path"}}]}"#;
        let claims: Claims = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&claims).unwrap(), text);
        assert!(claims.check().is_ok());
        let nowhere = text.replace("adapter_config.json", "");
        let nowhere: Claims = serde_json::from_str(&nowhere).unwrap();
        assert_eq!(nowhere.check().unwrap_err().place, "claims[0].source.location");
    }
}
