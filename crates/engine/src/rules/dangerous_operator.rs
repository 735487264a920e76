//! A graph that reaches the machine it runs on: files, programs, Python.

use waag_evidence::finding::Severity;
use waag_formats::fact::{Effect, FactKind};

use super::finding::Findings;
use super::{Artifact, Meta, Rule, operator_name};

/// The rule.
#[derive(Debug)]
pub struct DangerousOperator;

static META: Meta = Meta {
    id: "dangerous-operator",
    title: "operators that reach the machine they run on",
    page: include_str!("dangerous_operator.md"),
};

const NEXT_STEP: &str =
    "do not run it with its graph: ask the publisher what the operator is for, and for a model exported without it";

impl Rule for DangerousOperator {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, artifact: &Artifact<'_>, findings: &mut Findings<'_>) {
        for fact in artifact.facts {
            let FactKind::Operator(operator) = &fact.kind else { continue };
            let Effect::Reaches { what, critical } = &operator.effect else { continue };
            let severity = if *critical { Severity::Critical } else { Severity::High };
            let message = format!("running this model {what}: operator {}", operator_name(operator));
            findings.add(severity, fact.position, message, NEXT_STEP).subject(&operator.name).count(operator.count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{SAFETENSORS, operator, sketch};

    #[test]
    fn what_reaches_the_machine_denies() {
        let reaches = |critical| Effect::Reaches { what: "writes files".into(), critical };
        let said = |critical| {
            let fact = operator("WriteFile", "", reaches(critical));
            sketch("saved_model.pb", &SAFETENSORS).fact(fact).said(&DangerousOperator)
        };
        assert_eq!(said(true), ["critical: running this model writes files: operator WriteFile"]);
        assert_eq!(said(false), ["high: running this model writes files: operator WriteFile"]);
    }

    #[test]
    fn what_computes_is_ordinary() {
        let file = sketch("saved_model.pb", &SAFETENSORS).fact(operator("MatMul", "", Effect::Computes));
        assert!(file.said(&DangerousOperator).is_empty());
    }
}
