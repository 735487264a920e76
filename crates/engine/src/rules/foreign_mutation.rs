//! Loading changes what the file did not make: a module, a class, a registry of the running program.

use waag_evidence::finding::Severity;
use waag_formats::fact::FactKind;

use super::finding::Findings;
use super::{Artifact, Meta, Rule};

/// The rule.
#[derive(Debug)]
pub struct ForeignMutation;

static META: Meta = Meta {
    id: "foreign-mutation",
    title: "changes to what the file did not make",
    page: include_str!("foreign_mutation.md"),
};

/// Modules on which everything in a Python process stands: whoever changes these decides what later code does.
const FOUNDATIONS: &[&str] = &[
    "__builtin__",
    "__builtins__",
    "__main__",
    "builtins",
    "codecs",
    "copy_reg",
    "copyreg",
    "importlib",
    "io",
    "os",
    "pickle",
    "posix",
    "subprocess",
    "sys",
];

const NEXT_STEP: &str = "do not load it: data has no reason to change the program that reads it. Take weights in \
                         safetensors or GGUF, and tell whoever publishes the file";

impl Rule for ForeignMutation {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, artifact: &Artifact<'_>, findings: &mut Findings<'_>) {
        for fact in artifact.facts {
            let FactKind::Mutation { target, change } = &fact.kind else { continue };
            let severity = if is_foundation(target) { Severity::Critical } else { Severity::High };
            let message = format!("loading this file changes {target}, which it did not make");
            findings.add(severity, fact.position, message, NEXT_STEP).subject(target).evidence(change);
        }
    }
}

fn is_foundation(target: &str) -> bool {
    let module = target.split(|character: char| !character.is_alphanumeric() && character != '_').next();
    module.is_some_and(|module| FOUNDATIONS.contains(&module))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{PICKLE, sketch};

    fn said(target: &str) -> Vec<String> {
        let kind = FactKind::Mutation { target: target.into(), change: "os = fake".into() };
        sketch("model.pkl", &PICKLE).fact(kind).said(&ForeignMutation)
    }

    #[test]
    fn the_interpreter_itself_is_graver_than_a_library() {
        assert_eq!(said("sys.modules"), ["critical: loading this file changes sys.modules, which it did not make"]);
        assert_eq!(said("numpy.size"), ["high: loading this file changes numpy.size, which it did not make"]);
        assert!(said("system.modules")[0].starts_with("high"));
        assert!(said("sys")[0].starts_with("critical"));
    }

    #[test]
    fn ordinary_facts_give_no_finding() {
        let steps = FactKind::Step { text: "sys.modules['os'] = fake".into() };
        assert!(sketch("model.pkl", &PICKLE).fact(steps).said(&ForeignMutation).is_empty());
    }
}
