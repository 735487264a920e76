//! A credential that was published with the model.

use waag_evidence::finding::{Confidence, Severity};
use waag_formats::fact::FactKind;

use super::finding::Findings;
use super::{Artifact, Meta, Rule};

/// The rule.
#[derive(Debug)]
pub struct EmbeddedSecret;

static META: Meta =
    Meta { id: "embedded-secret", title: "credentials that were published", page: include_str!("embedded_secret.md") };

const NEXT_STEP: &str =
    "if it is yours, revoke it now and publish again without it; if not, tell whoever publishes the model";

impl Rule for EmbeddedSecret {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, artifact: &Artifact<'_>, findings: &mut Findings<'_>) {
        for fact in artifact.facts {
            if let FactKind::Secret { kind, shown } = &fact.kind {
                let message = format!("this holds {kind}: {shown}…");
                let severity = severity_of(artifact, kind);
                let draft = findings.add(severity, fact.position, message, NEXT_STEP);
                draft.confidence(Confidence::Medium).subject(shown);
            }
        }
    }
}

/// Kinds that web pages and applications show to everybody on purpose, restricted in what they open.
const OFTEN_PUBLIC: &[&str] = &["a Google key", "a JSON web token"];
/// Formats of documents and programs, which may be such pages.
const DOCUMENTS: &[&str] = &["text", "xml", "notebook", "python-source", "javascript", "media"];

/// A credential opens an account for everybody who has the model, so that it must not be passed on. Tokens are told
/// with their whole shape, and believed only when they look drawn at random.
fn severity_of(artifact: &Artifact<'_>, kind: &str) -> Severity {
    let is_document = artifact.format.is_none_or(|format| DOCUMENTS.contains(&format.id));
    if is_document && OFTEN_PUBLIC.contains(&kind) { Severity::Medium } else { Severity::High }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{SAFETENSORS, sketch};

    #[test]
    fn a_credential_is_shown_by_its_start_only() {
        let fact = FactKind::Secret { kind: "an AWS access key".into(), shown: "AKIA".into() };
        let said = sketch("config.json", &SAFETENSORS).fact(fact).said(&EmbeddedSecret);
        assert_eq!(said, ["high: this holds an AWS access key: AKIA…"]);
    }

    #[test]
    fn keys_that_pages_show_on_purpose_are_told_from_those_of_a_model() {
        let said = |format| {
            let fact = FactKind::Secret { kind: "a Google key".into(), shown: "AIza".into() };
            sketch("config.json", format).fact(fact)
        };
        assert!(said(&SAFETENSORS).said(&EmbeddedSecret)[0].starts_with("high"));
        assert!(said(&SAFETENSORS).unknown().said(&EmbeddedSecret)[0].starts_with("medium"));
    }
}
