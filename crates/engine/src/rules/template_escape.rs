//! A chat template that reaches beyond what chat templates need.

use waag_evidence::finding::{Confidence, Severity};
use waag_formats::fact::{FactKind, Reach};

use super::finding::Findings;
use super::{Artifact, Meta, Rule};

/// The rule.
#[derive(Debug)]
pub struct TemplateEscape;

static META: Meta = Meta {
    id: "template-escape",
    title: "chat templates that reach beyond the conversation",
    page: include_str!("template_escape.md"),
};

const NEXT_STEP: &str = "do not render this template: set your own chat template, best that of the base model's \
                         publisher, and render in a sandbox";

impl Rule for TemplateEscape {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, artifact: &Artifact<'_>, findings: &mut Findings<'_>) {
        for fact in artifact.facts {
            let FactKind::TemplateReach { expression, reach } = &fact.kind else { continue };
            let (severity, confidence, message) = judge(*reach);
            findings
                .add(severity, fact.position, message, NEXT_STEP)
                .confidence(confidence)
                .subject(expression)
                .evidence(expression);
        }
    }
}

fn judge(reach: Reach) -> (Severity, Confidence, &'static str) {
    match reach {
        Reach::Internals => (
            Severity::Critical,
            Confidence::High,
            "rendering this template reaches into Python's internals, the way out of a sandbox",
        ),
        Reach::ComputedName => (
            Severity::High,
            Confidence::High,
            "rendering this template reaches an attribute whose name is only known while rendering",
        ),
        Reach::Host => {
            (Severity::High, Confidence::High, "rendering this template reaches the program that renders it")
        }
        Reach::Unlisted => (
            Severity::Medium,
            Confidence::Medium,
            "rendering this template uses something that is not on the list of what chat templates need",
        ),
        Reach::Exhaustion => {
            (Severity::High, Confidence::High, "rendering this template can take all time or memory there is")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{SAFETENSORS, sketch};

    fn severity(reach: Reach) -> Severity {
        let kind = FactKind::TemplateReach { expression: "''.__class__".into(), reach };
        let findings = sketch("chat_template.jinja", &SAFETENSORS).fact(kind).findings(&TemplateEscape);
        assert_eq!(findings[0].evidence.as_deref(), Some("''.__class__"));
        findings[0].severity
    }

    #[test]
    fn each_reach_has_its_severity() {
        for (reach, expected) in [
            (Reach::Internals, Severity::Critical),
            (Reach::ComputedName, Severity::High),
            (Reach::Host, Severity::High),
            (Reach::Unlisted, Severity::Medium),
            (Reach::Exhaustion, Severity::High),
        ] {
            assert_eq!(severity(reach), expected, "{reach:?}");
        }
    }

    #[test]
    fn a_template_as_such_is_ordinary() {
        let kind = FactKind::Template { name: "chat_template".into(), text: "{{ ''.__class__ }}".into() };
        assert!(sketch("chat_template.jinja", &SAFETENSORS).fact(kind).said(&TemplateEscape).is_empty());
    }
}
