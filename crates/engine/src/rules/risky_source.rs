//! Source code beside a model that does what a model's code has no need to do.

use waag_evidence::finding::{Confidence, Persona, Severity};
use waag_formats::fact::{FactKind, Runs, SourceReach};

use super::finding::Findings;
use super::{Artifact, Meta, Rule};

/// The rule.
#[derive(Debug)]
pub struct RiskySource;

static META: Meta = Meta {
    id: "risky-source",
    title: "source code that does more than a model needs",
    page: include_str!("risky_source.md"),
};

const DENY: &str =
    "do not import or run it, and do not load this model with trust_remote_code: read the lines named here first";
const READ: &str = "read the lines named here before you import or run this file";

impl Rule for RiskySource {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, artifact: &Artifact<'_>, findings: &mut Findings<'_>) {
        for fact in artifact.facts {
            let FactKind::SourceReach { expression, reach, runs } = &fact.kind else { continue };
            let severity = severity_of(*reach, *runs);
            let when = match runs {
                Runs::Loaded => "importing this file",
                Runs::Used => "calling what is in this file",
                Runs::Started => "starting this file",
            };
            let (confidence, next_step) = match severity {
                Severity::High | Severity::Critical => (Confidence::High, DENY),
                _ => (Confidence::Medium, READ),
            };
            let persona = if severity < Severity::Medium { Persona::Reviewer } else { Persona::Everyone };
            let message = format!("{when} {}", effect_of(*reach));
            let draft = findings.add(severity, fact.position, message, next_step);
            draft.confidence(confidence).persona(persona).subject(expression).evidence(expression);
        }
    }
}

/// What runs as the file is imported needs nobody to call it, and a model's code has little reason for it.
fn severity_of(reach: SourceReach, runs: Runs) -> Severity {
    match (reach, runs) {
        (SourceReach::HiddenCode | SourceReach::Backdoor, _) => Severity::Critical,
        (SourceReach::Credentials, _) => Severity::High,
        (SourceReach::Program | SourceReach::Evaluation | SourceReach::NativeCode, Runs::Loaded) => Severity::High,
        (SourceReach::Program | SourceReach::Evaluation | SourceReach::NativeCode, Runs::Used) => Severity::Medium,
        // What is installed is code that nobody has read, and it runs at once.
        (SourceReach::Installation, Runs::Loaded) => Severity::High,
        (SourceReach::Network | SourceReach::UnsafeLoad | SourceReach::Files, Runs::Loaded) => Severity::Medium,
        (SourceReach::BuildTool, Runs::Loaded) => Severity::Medium,
        _ => Severity::Low,
    }
}

/// Completes "importing this file …".
fn effect_of(reach: SourceReach) -> &'static str {
    match reach {
        SourceReach::HiddenCode => "runs code that it hides from its reader",
        SourceReach::Backdoor => "opens a way in for somebody else, or sends away what it finds",
        SourceReach::Program => "starts another program",
        SourceReach::Evaluation => "evaluates text as code",
        SourceReach::NativeCode => "loads machine code",
        SourceReach::Library => "loads a library of the system, or one from a path that is put together",
        SourceReach::BuildTool => "starts a tool that builds what is installed",
        SourceReach::Network => "talks over a network",
        SourceReach::UnsafeLoad => "loads a file in a way that runs code",
        SourceReach::Credentials => "reads credentials",
        SourceReach::Installation => "installs software",
        SourceReach::Files => "writes or deletes files outside the model",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{SAFETENSORS, sketch};

    fn said(reach: SourceReach, runs: Runs) -> Vec<String> {
        let fact = FactKind::SourceReach { expression: "os.system('id')".into(), reach, runs };
        sketch("modeling.py", &SAFETENSORS).fact(fact).said(&RiskySource)
    }

    #[test]
    fn what_runs_on_import_denies() {
        assert_eq!(said(SourceReach::Program, Runs::Loaded), ["high: importing this file starts another program"]);
        assert_eq!(said(SourceReach::Installation, Runs::Loaded), ["high: importing this file installs software"]);
        let hidden = said(SourceReach::HiddenCode, Runs::Used);
        assert_eq!(hidden, ["critical: calling what is in this file runs code that it hides from its reader"]);
    }

    #[test]
    fn what_has_to_be_called_first_is_to_be_read() {
        assert_eq!(
            said(SourceReach::Program, Runs::Used),
            ["medium: calling what is in this file starts another program"]
        );
        assert_eq!(
            said(SourceReach::BuildTool, Runs::Loaded),
            ["medium: importing this file starts a tool that builds what is installed"]
        );
        assert!(said(SourceReach::Library, Runs::Loaded)[0].starts_with("low"));
        assert_eq!(said(SourceReach::Network, Runs::Started), ["low: starting this file talks over a network"]);
    }
}
