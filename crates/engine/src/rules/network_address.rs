//! An address in a place where a model needs none.

use waag_evidence::finding::{Confidence, Severity};
use waag_formats::fact::{FactKind, ReferenceKind};

use super::finding::Findings;
use super::{Artifact, Meta, Rule};

/// The rule.
#[derive(Debug)]
pub struct NetworkAddress;

static META: Meta =
    Meta { id: "network-address", title: "network addresses in data", page: include_str!("network_address.md") };

const NEXT_STEP: &str =
    "look where the address leads, without opening it from your own machine, and ask the publisher what it is for";

impl Rule for NetworkAddress {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, artifact: &Artifact<'_>, findings: &mut Findings<'_>) {
        for fact in artifact.facts {
            if let FactKind::Reference { kind: ReferenceKind::Address, target } = &fact.kind {
                let message = format!("this names an address that a model has no use for: {target}");
                let draft = findings.add(Severity::High, fact.position, message, NEXT_STEP);
                draft.confidence(Confidence::Medium).subject(target);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{SAFETENSORS, sketch};

    #[test]
    fn an_address_denies() {
        let target = "203.0.113.7:4444".to_owned();
        let file = sketch("a.onnx", &SAFETENSORS).fact(FactKind::Reference { kind: ReferenceKind::Address, target });
        assert_eq!(
            file.said(&NetworkAddress),
            ["high: this names an address that a model has no use for: 203.0.113.7:4444"]
        );
    }

    #[test]
    fn other_references_are_not_its_business() {
        let target = "model.bin".to_owned();
        let file = sketch("a.onnx", &SAFETENSORS).fact(FactKind::Reference { kind: ReferenceKind::File, target });
        assert!(file.said(&NetworkAddress).is_empty());
    }
}
