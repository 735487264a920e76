//! What is known of callables: which only build data, which are dangerous, and whose they are.
//!
//! Callables are allowed by list. The lists are data, one file a library, each entry with its reason
//! (`lists/*.toml`); a list is parsed when the first name of its library is met. The list of dangerous callables
//! never decides between allowing and reporting: it only says how bad a reported one is.

pub mod arguments;
pub mod list;
pub mod target;

pub use target::{judge_danger, judge_named, judge_target};

use crate::fact::{Standing, Usage};
use arguments::{ArgumentKind, Expected};

/// What is known of a callable in this use. `arguments` gives the kind of each positional argument, when it is called.
#[must_use]
pub fn judge(module: &str, name: &str, usage: Usage, arguments: Option<&[ArgumentKind]>) -> Standing {
    if is_torchscript(module) && !name.contains('.') && matches!(usage, Usage::Reference | Usage::New | Usage::Build) {
        let reason =
            "A class of the TorchScript program in the same archive: its own interpreter makes it, not Python.";
        return Standing::Inert { reason: reason.into() };
    }
    let entries = list::inert(module, name);
    let fits = |entry: &&&list::Entry| {
        entry.allows(usage) && arguments.is_none_or(|given| Expected::all_fit(entry.arguments.as_deref(), given))
    };
    if let Some(entry) = entries.iter().find(fits) {
        return Standing::Inert { reason: entry.reason.as_str().into() };
    }
    if let Some(danger) = list::danger(module, name) {
        return Standing::Dangerous { effect: danger.effect.clone(), critical: danger.critical };
    }
    if let Some(entry) = entries.first() {
        return Standing::Misused { expected: entry.describe() };
    }
    match list::library(module) {
        Some(library) => Standing::Unlisted { library: library.to_owned() },
        None => Standing::Unknown,
    }
}

/// Names that only TorchScript's own reader resolves; Python has no such module.
#[must_use]
pub fn is_torchscript(module: &str) -> bool {
    module == "__torch__" || module.starts_with("__torch__.")
}

/// Whether the standing of this use depends on the arguments.
#[must_use]
pub fn depends_on_arguments(module: &str, name: &str) -> bool {
    list::inert(module, name).iter().any(|entry| entry.arguments.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(module: &str, name: &str, usage: Usage) -> Standing {
        judge(module, name, usage, None)
    }

    #[test]
    fn inert_callables_are_inert_only_as_listed() {
        assert!(matches!(standing("collections", "OrderedDict", Usage::Reduce), Standing::Inert { .. }));
        assert!(matches!(standing("numpy", "dtype", Usage::Reference), Standing::Inert { .. }));
        assert!(matches!(standing("numpy", "dtype", Usage::Append), Standing::Misused { .. }));
    }

    #[test]
    fn what_no_list_names_is_told_apart_by_whose_it_is() {
        assert!(matches!(standing("numpy", "no_such_name", Usage::Reduce), Standing::Unlisted { .. }));
        assert!(matches!(standing("my_project.model", "Net", Usage::New), Standing::Unknown));
    }

    #[test]
    fn danger_is_known_by_module_and_by_name() {
        for (module, name) in [("os", "system"), ("posix", "system"), ("builtins", "eval"), ("subprocess", "Popen")] {
            assert!(matches!(standing(module, name, Usage::Reduce), Standing::Dangerous { .. }), "{module}.{name}");
        }
    }

    #[test]
    fn a_dotted_name_is_another_name() {
        assert!(!matches!(standing("collections", "OrderedDict.fromkeys", Usage::Reduce), Standing::Inert { .. }));
    }
}
