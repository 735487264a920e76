//! Loading hands the machine over: a callable that does harm, or one whose name nobody can know beforehand.

use waag_evidence::finding::Severity;
use waag_formats::fact::{Callable, Position, Standing, Usage};

use super::finding::Findings;
use super::{Artifact, Meta, Rule, path_of};

/// The rule.
#[derive(Debug)]
pub struct CodeExecution;

static META: Meta = Meta {
    id: "code-execution",
    title: "code that runs when the file is loaded",
    page: include_str!("code_execution.md"),
};

const NEXT_STEP: &str = "do not load it, not even to look: quarantine the file, tell whoever publishes it, and take \
                         weights in safetensors or GGUF instead";

impl Rule for CodeExecution {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, artifact: &Artifact<'_>, findings: &mut Findings<'_>) {
        for (position, callable) in artifact.callables() {
            if callable.usage == Usage::Instantiate {
                continue;
            }
            match &callable.standing {
                Standing::Dangerous { effect, critical } => dangerous(callable, effect, *critical, position, findings),
                Standing::Computed => computed(callable, position, findings),
                _ => {}
            }
        }
    }
}

fn dangerous(callable: &Callable, effect: &str, critical: bool, position: Position, findings: &mut Findings<'_>) {
    let name = path_of(callable);
    let (severity, message) = match callable.usage {
        Usage::Reference => (
            Severity::High,
            format!("loading this file looks up {name}, which nothing inert needs: called, it {effect}"),
        ),
        _ if critical => (Severity::Critical, format!("loading this file {effect}: {name}")),
        _ => (Severity::High, format!("loading this file {effect}: {name}")),
    };
    findings
        .add(severity, position, message, NEXT_STEP)
        .subject(name)
        .evidence(&callable.expression)
        .count(callable.count);
}

fn computed(callable: &Callable, position: Position, findings: &mut Findings<'_>) {
    let (severity, message) = match callable.usage {
        Usage::Reference => {
            (Severity::High, "loading this file looks up something whose name is only known while loading")
        }
        _ => (Severity::Critical, "loading this file calls something whose name is only known while loading"),
    };
    findings.add(severity, position, message, NEXT_STEP).evidence(&callable.expression).count(callable.count);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{PICKLE, sketch};

    fn said(usage: Usage, standing: Standing) -> Vec<String> {
        sketch("model.pkl", &PICKLE).callable(usage, standing).said(&CodeExecution)
    }

    fn shell(critical: bool) -> Standing {
        Standing::Dangerous { effect: "runs a shell command".into(), critical }
    }

    #[test]
    fn a_call_is_as_grave_as_the_list_says() {
        let message = "loading this file runs a shell command: some.module.thing";
        assert_eq!(said(Usage::Reduce, shell(true)), [format!("critical: {message}")]);
        assert_eq!(said(Usage::Build, shell(false)), [format!("high: {message}")]);
    }

    #[test]
    fn a_look_up_is_reported_although_nothing_is_called() {
        let expected = "high: loading this file looks up some.module.thing, which nothing inert needs: called, it runs \
                        a shell command";
        assert_eq!(said(Usage::Reference, shell(true)), [expected]);
    }

    #[test]
    fn a_name_known_only_while_loading_is_as_bad_as_any() {
        assert!(said(Usage::Reduce, Standing::Computed)[0].starts_with("critical: loading this file calls something"));
        assert!(said(Usage::Reference, Standing::Computed)[0].starts_with("high: loading this file looks up"));
    }

    #[test]
    fn what_was_called_is_kept_as_evidence() {
        let findings = sketch("model.pkl", &PICKLE).callable(Usage::Reduce, shell(true)).findings(&CodeExecution);
        assert_eq!(findings[0].evidence.as_deref(), Some("some.module.thing('argument')"));
        assert_eq!(findings[0].location.offset, Some(7));
    }

    #[test]
    fn other_standings_are_not_its_business() {
        for standing in [
            Standing::Inert { reason: "".into() },
            Standing::Misused { expected: String::new() },
            Standing::Unlisted { library: "numpy".into() },
            Standing::Unknown,
        ] {
            assert!(said(Usage::Reduce, standing).is_empty());
        }
    }
}
