//! Code that travels within data: a layer, a step or a value that is a function.

use waag_evidence::finding::{Persona, Severity};
use waag_formats::fact::{FactKind, Runs};

use super::finding::Findings;
use super::{Artifact, Meta, Rule};

/// The rule.
#[derive(Debug)]
pub struct EmbeddedCode;

static META: Meta =
    Meta { id: "embedded-code", title: "code that is kept within a model", page: include_str!("embedded_code.md") };

const NEXT_STEP: &str = "do not load or use it: read the code first (`waag show FILE`), or ask for a model made of the framework's own parts";
const READ: &str = "nothing to do unless you start it: read it first, as any code from someone else";

impl Rule for EmbeddedCode {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, artifact: &Artifact<'_>, findings: &mut Findings<'_>) {
        for fact in artifact.facts {
            let FactKind::Code(code) = &fact.kind else { continue };
            let (severity, when, next_step) = match code.runs {
                Runs::Loaded => (Severity::Critical, "loading this model runs code that is kept in it", NEXT_STEP),
                Runs::Used => (Severity::High, "using this model runs code that is kept in it", NEXT_STEP),
                Runs::Started => (Severity::Info, "this holds code for somebody to start", READ),
            };
            let persona = if code.runs == Runs::Started { Persona::Reviewer } else { Persona::Everyone };
            let message = format!("{when}: {} in {}", code.language, code.name);
            let draft = findings.add(severity, fact.position, message, next_step);
            draft.persona(persona).subject(&code.name).evidence(&code.excerpt);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{SAFETENSORS, sketch};
    use waag_formats::fact::Code;

    fn said(runs: Runs) -> Vec<String> {
        let code =
            Code { name: "layer lambda_1".into(), language: "Python bytecode".into(), runs, excerpt: String::new() };
        sketch("model.keras", &SAFETENSORS).fact(FactKind::Code(code)).said(&EmbeddedCode)
    }

    #[test]
    fn code_is_as_grave_as_it_runs_early() {
        let what = "Python bytecode in layer lambda_1";
        assert_eq!(said(Runs::Loaded), [format!("critical: loading this model runs code that is kept in it: {what}")]);
        assert_eq!(said(Runs::Used), [format!("high: using this model runs code that is kept in it: {what}")]);
        assert_eq!(said(Runs::Started), [format!("info: this holds code for somebody to start: {what}")]);
    }
}
