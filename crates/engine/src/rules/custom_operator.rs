//! A graph that its runtime cannot run alone: operators and kernels that come from somewhere else.

use waag_evidence::finding::{Confidence, Severity};
use waag_formats::fact::{Effect, FactKind, ReferenceKind};

use super::finding::Findings;
use super::{Artifact, Meta, Rule, operator_name};

/// The rule.
#[derive(Debug)]
pub struct CustomOperator;

static META: Meta = Meta {
    id: "custom-operator",
    title: "operators and libraries that no runtime brings with it",
    page: include_str!("custom_operator.md"),
};

const NEXT_STEP: &str =
    "find out which package provides it, and read or trust that package first: the model cannot run without it";
const LIBRARY: &str =
    "do not load it: a model that opens a library of machine code runs that code. Ask for one that does not";

impl Rule for CustomOperator {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, artifact: &Artifact<'_>, findings: &mut Findings<'_>) {
        for fact in artifact.facts {
            match &fact.kind {
                FactKind::Operator(operator) if operator.effect == Effect::Custom => {
                    let name = operator_name(operator);
                    let message =
                        format!("running this model needs code that its runtime does not have: operator {name}");
                    let draft = findings.add(Severity::Medium, fact.position, message, NEXT_STEP);
                    draft.confidence(Confidence::Medium).subject(&operator.name).count(operator.count);
                }
                FactKind::Reference { kind: ReferenceKind::Library, target } => {
                    let message = format!("running this model opens a library of machine code: {target}");
                    findings.add(Severity::High, fact.position, message, LIBRARY).subject(target);
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{SAFETENSORS, operator, sketch};

    #[test]
    fn an_operator_nobody_brings_is_inconclusive() {
        let file = sketch("model.onnx", &SAFETENSORS).fact(operator("Odd", "org.example", Effect::Custom));
        assert_eq!(
            file.said(&CustomOperator),
            ["medium: running this model needs code that its runtime does not have: operator org.example::Odd"]
        );
    }

    #[test]
    fn a_library_denies() {
        let target = "/tmp/kernels.so".to_owned();
        let file = sketch("a.pb", &SAFETENSORS).fact(FactKind::Reference { kind: ReferenceKind::Library, target });
        assert_eq!(
            file.said(&CustomOperator),
            ["high: running this model opens a library of machine code: /tmp/kernels.so"]
        );
    }

    #[test]
    fn ordinary_operators_give_no_finding() {
        let file = sketch("model.onnx", &SAFETENSORS).fact(operator("Gemm", "", Effect::Computes));
        assert!(file.said(&CustomOperator).is_empty());
    }
}
