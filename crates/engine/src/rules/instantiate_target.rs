//! A configuration that names code: its loader imports it, and calls it with what the configuration says.

use waag_evidence::finding::{Confidence, Severity};
use waag_formats::fact::{Callable, Position, Standing, Usage};

use super::finding::Findings;
use super::{Artifact, Meta, Rule, path_of};

/// The rule.
#[derive(Debug)]
pub struct InstantiateTarget;

static META: Meta = Meta {
    id: "instantiate-target",
    title: "code that a configuration makes its loader call",
    page: include_str!("instantiate_target.md"),
};

const DANGEROUS: &str = "do not load it: this configuration is a program. Tell whoever publishes it";
const UNKNOWN: &str = "find out which package the class comes from; if you know it and trust who wrote the file, allow it in waag.toml as `waag explain instantiate-target` shows";

impl Rule for InstantiateTarget {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, artifact: &Artifact<'_>, findings: &mut Findings<'_>) {
        for (position, callable) in artifact.callables() {
            if callable.usage == Usage::Instantiate {
                judge(callable, position, findings);
            }
        }
    }
}

fn judge(callable: &Callable, position: Position, findings: &mut Findings<'_>) {
    let name = path_of(callable);
    let made = format!("a loader told by this file makes {name}");
    let (severity, confidence, message, next_step) = match &callable.standing {
        Standing::Inert { .. } => return,
        Standing::Dangerous { effect, critical } => {
            let severity = if *critical { Severity::Critical } else { Severity::High };
            (severity, Confidence::High, format!("a loader told by this file {effect}: {name}"), DANGEROUS)
        }
        Standing::Computed => {
            let message = "a loader told by this file makes something whose name is only known then".to_owned();
            (Severity::High, Confidence::High, message, DANGEROUS)
        }
        Standing::Misused { expected } => {
            let message = format!("{made} in a way its listing does not cover: {expected} is expected");
            (Severity::Medium, Confidence::Medium, message, UNKNOWN)
        }
        Standing::Unlisted { library } => {
            let message = format!("{made}, which is not on the list of what configurations of {library} name");
            (Severity::Medium, Confidence::Medium, message, UNKNOWN)
        }
        Standing::Unknown => {
            (Severity::Medium, Confidence::Medium, format!("{made}: code that no list knows"), UNKNOWN)
        }
    };
    findings
        .add(severity, position, message, next_step)
        .confidence(confidence)
        .subject(name)
        .evidence(&callable.expression)
        .count(callable.count);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{SAFETENSORS, sketch};

    fn said(usage: Usage, standing: Standing) -> Vec<String> {
        sketch("config.yaml", &SAFETENSORS).callable(usage, standing).said(&InstantiateTarget)
    }

    #[test]
    fn a_dangerous_target_denies() {
        let standing = Standing::Dangerous { effect: "runs a shell command".into(), critical: true };
        assert_eq!(
            said(Usage::Instantiate, standing),
            ["critical: a loader told by this file runs a shell command: some.module.thing"]
        );
        assert!(said(Usage::Instantiate, Standing::Computed)[0].starts_with("high"));
    }

    #[test]
    fn an_unknown_target_is_inconclusive() {
        assert_eq!(
            said(Usage::Instantiate, Standing::Unknown),
            ["medium: a loader told by this file makes some.module.thing: code that no list knows"]
        );
        assert!(said(Usage::Instantiate, Standing::Unlisted { library: "keras".into() })[0].starts_with("medium"));
    }

    #[test]
    fn inert_targets_and_other_uses_are_not_its_business() {
        assert!(said(Usage::Instantiate, Standing::Inert { reason: "a layer".into() }).is_empty());
        assert!(said(Usage::Reduce, Standing::Unknown).is_empty());
    }
}
