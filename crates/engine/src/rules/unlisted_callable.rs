//! Loading calls what no list clears. Harmless callables are listed; everything else has to be asked about.

use waag_evidence::finding::{Confidence, Severity};
use waag_formats::fact::{Callable, Position, Standing, Usage};

use super::finding::Findings;
use super::{Artifact, Meta, Rule, path_of};

/// The rule.
#[derive(Debug)]
pub struct UnlistedCallable;

static META: Meta = Meta {
    id: "unlisted-callable",
    title: "callables that no list clears",
    page: include_str!("unlisted_callable.md"),
};

const LISTED_LIBRARY: &str = "ask the publisher for safetensors, or for a file that torch.load(weights_only=True) \
                              accepts; if you know the callable and trust who wrote the file, allow it in waag.toml as \
                              `waag explain unlisted-callable` shows";
const OWN_CODE: &str = "ask the publisher for safetensors or for plain weights; if the code is yours and you trust who \
                        wrote the file, allow it in waag.toml as `waag explain unlisted-callable` shows";

impl Rule for UnlistedCallable {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, artifact: &Artifact<'_>, findings: &mut Findings<'_>) {
        for (position, callable) in artifact.callables() {
            judge(callable, position, findings);
        }
    }
}

fn judge(callable: &Callable, position: Position, findings: &mut Findings<'_>) {
    let used = format!("loading this file {}", use_of(callable));
    let (severity, confidence, message, next_step) = match (&callable.standing, callable.usage) {
        (_, Usage::Instantiate) => return,
        (Standing::Misused { expected }, _) => {
            let message = format!("{used} in a way its listing does not cover: {expected} is expected");
            (Severity::High, Confidence::High, message, LISTED_LIBRARY)
        }
        (Standing::Unlisted { library }, usage) => {
            let severity = if usage == Usage::Reference { Severity::Medium } else { Severity::High };
            let message = format!("{used}, which is not on the list of what {library} needs to rebuild data");
            (severity, Confidence::Medium, message, LISTED_LIBRARY)
        }
        (Standing::Unknown, usage) => {
            let severity = if usage == Usage::Reduce { Severity::High } else { Severity::Medium };
            (severity, Confidence::Medium, format!("{used}: code that no list knows"), OWN_CODE)
        }
        _ => return,
    };
    findings
        .add(severity, position, message, next_step)
        .confidence(confidence)
        .subject(path_of(callable))
        .evidence(&callable.expression)
        .count(callable.count);
}

fn use_of(callable: &Callable) -> String {
    let name = path_of(callable);
    match callable.usage {
        Usage::Reference => format!("imports the module of {name}"),
        Usage::Reduce => format!("calls {name}"),
        Usage::New => format!("makes an instance of {name}"),
        Usage::Build => format!("sets the state of an instance of {name}"),
        Usage::Append => format!("appends to an instance of {name}"),
        Usage::SetItem => format!("assigns items of an instance of {name}"),
        Usage::AddItem => format!("adds items to an instance of {name}"),
        Usage::Instantiate => format!("makes {name} as a configuration says"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{PICKLE, sketch};

    const USAGES: [Usage; 7] =
        [Usage::Reference, Usage::Reduce, Usage::New, Usage::Build, Usage::Append, Usage::SetItem, Usage::AddItem];

    fn said(usage: Usage, standing: Standing) -> Vec<String> {
        sketch("model.pkl", &PICKLE).callable(usage, standing).said(&UnlistedCallable)
    }

    fn severity(usage: Usage, standing: Standing) -> Severity {
        sketch("model.pkl", &PICKLE).callable(usage, standing).findings(&UnlistedCallable)[0].severity
    }

    #[test]
    fn from_a_listed_library_every_use_but_a_look_up_denies() {
        for usage in USAGES {
            let expected = if usage == Usage::Reference { Severity::Medium } else { Severity::High };
            assert_eq!(severity(usage, Standing::Unlisted { library: "numpy".into() }), expected, "{usage:?}");
        }
    }

    #[test]
    fn of_unknown_code_only_a_call_denies() {
        for usage in USAGES {
            let expected = if usage == Usage::Reduce { Severity::High } else { Severity::Medium };
            assert_eq!(severity(usage, Standing::Unknown), expected, "{usage:?}");
        }
    }

    #[test]
    fn misuse_of_a_listed_callable_denies_whatever_the_use() {
        for usage in USAGES {
            let expected = "a type as the only argument".to_owned();
            assert_eq!(severity(usage, Standing::Misused { expected }), Severity::High, "{usage:?}");
        }
    }

    #[test]
    fn the_message_names_use_and_callable() {
        assert_eq!(
            said(Usage::Append, Standing::Unknown),
            ["medium: loading this file appends to an instance of some.module.thing: code that no list knows"]
        );
        assert_eq!(
            said(Usage::Reduce, Standing::Unlisted { library: "numpy".into() }),
            ["high: loading this file calls some.module.thing, which is not on the list of what numpy needs to \
              rebuild data"]
        );
    }

    #[test]
    fn listed_and_dangerous_callables_are_not_its_business() {
        let dangerous = Standing::Dangerous { effect: "runs a shell command".into(), critical: true };
        for standing in [Standing::Inert { reason: "".into() }, dangerous, Standing::Computed] {
            assert!(said(Usage::Reduce, standing).is_empty());
        }
    }
}
