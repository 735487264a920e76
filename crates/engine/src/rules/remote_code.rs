//! The model asks its loader to import and run code that is not the library's.

use waag_evidence::finding::Severity;
use waag_formats::fact::{FactKind, ReferenceKind};

use super::finding::Findings;
use super::{Artifact, Meta, Rule};

/// The rule.
#[derive(Debug)]
pub struct RemoteCode;

static META: Meta = Meta {
    id: "remote-code",
    title: "code that comes with the model or is fetched for it",
    page: include_str!("remote_code.md"),
};

const NEXT_STEP: &str = "leave trust_remote_code off, or read that code at a pinned revision first and allow this file \
                         in waag.toml as `waag explain remote-code` shows";

impl Rule for RemoteCode {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, artifact: &Artifact<'_>, findings: &mut Findings<'_>) {
        for fact in artifact.facts {
            if let FactKind::Reference { kind: ReferenceKind::RemoteCode, target } = &fact.kind {
                let message = format!("this model makes its loader run code that is not the library's: {target}");
                findings.add(Severity::High, fact.position, message, NEXT_STEP).subject(target);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{SAFETENSORS, sketch};

    fn said(kind: ReferenceKind) -> Vec<String> {
        let target = "modeling_odd.OddModel".to_owned();
        sketch("config.json", &SAFETENSORS).fact(FactKind::Reference { kind, target }).said(&RemoteCode)
    }

    #[test]
    fn code_of_the_models_own_denies() {
        assert_eq!(
            said(ReferenceKind::RemoteCode),
            ["high: this model makes its loader run code that is not the library's: modeling_odd.OddModel"]
        );
    }

    #[test]
    fn other_references_are_ordinary() {
        for kind in [ReferenceKind::File, ReferenceKind::Model, ReferenceKind::Address] {
            assert!(said(kind).is_empty());
        }
    }
}
