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

const INDEX: &str =
    "find out whose index it is before anything is installed from it: what it serves under a known name is its choice";

impl Rule for NetworkAddress {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, artifact: &Artifact<'_>, findings: &mut Findings<'_>) {
        for fact in artifact.facts {
            let FactKind::Reference { kind, target } = &fact.kind else { continue };
            let (severity, what, next_step) = match kind {
                ReferenceKind::Address => {
                    (Severity::High, "this names an address that a model has no use for", NEXT_STEP)
                }
                ReferenceKind::PackageIndex => {
                    (Severity::Medium, "packages are taken from an index that is not the usual one", INDEX)
                }
                _ => continue,
            };
            let draft = findings.add(severity, fact.position, format!("{what}: {target}"), next_step);
            draft.confidence(Confidence::Medium).subject(target);
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
    fn an_index_of_ones_own_is_inconclusive() {
        let target = "--index-url https://pypi.example.org/simple".to_owned();
        let fact = FactKind::Reference { kind: ReferenceKind::PackageIndex, target };
        assert_eq!(
            sketch("requirements.txt", &SAFETENSORS).fact(fact).said(&NetworkAddress),
            [
                "medium: packages are taken from an index that is not the usual one: --index-url https://pypi.example.org/simple"
            ]
        );
    }

    #[test]
    fn other_references_are_not_its_business() {
        let target = "model.bin".to_owned();
        let file = sketch("a.onnx", &SAFETENSORS).fact(FactKind::Reference { kind: ReferenceKind::File, target });
        assert!(file.said(&NetworkAddress).is_empty());
    }
}
