//! What rules ask of all of a file's calls and imports, looked up: a rule that goes over every call for every call takes
//! hours for a long file.

use std::collections::HashSet;

use super::script::{Call, Import, Script};

/// What a call says, in a function or class or in all of the file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Said {
    /// Something that stands for this path is called in a scope.
    Called(usize, String),
    /// A function of this name is given, by place, what has the other name, in a scope.
    Given(usize, String, String),
    /// A method of this name is called on what has the other name, in a scope.
    Asked(usize, String, String),
    /// A function of this name has this text as its first argument.
    Takes(String, String),
    /// An argument of this name is this text.
    Named(String, String),
}

/// All that is looked up.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    said: HashSet<Said>,
    /// Modules that are imported, and those that they are in.
    modules: HashSet<String>,
}

impl Index {
    pub(super) fn new(script: &Script) -> Self {
        let said = script.calls.iter().flat_map(said).collect();
        let imports = script.imports.iter().filter(|import| import.level == 0);
        Self { said, modules: imports.flat_map(modules).collect() }
    }

    /// Whether this is called in a scope.
    pub(crate) fn is_called(&self, scope: usize, path: &str) -> bool {
        self.said.contains(&Said::Called(scope, path.to_owned()))
    }

    /// Whether a function of this name is given, by place, what has another name, in a scope.
    pub(crate) fn is_given(&self, scope: usize, function: &str, name: &str) -> bool {
        self.said.contains(&Said::Given(scope, function.to_owned(), name.to_owned()))
    }

    /// Whether a method of this name is called on what has another name, in a scope.
    pub(crate) fn is_asked(&self, scope: usize, method: &str, name: &str) -> bool {
        self.said.contains(&Said::Asked(scope, method.to_owned(), name.to_owned()))
    }

    /// Whether a function of this name has a text as its first argument, anywhere.
    pub(crate) fn takes(&self, function: &str, text: &str) -> bool {
        self.said.contains(&Said::Takes(function.to_owned(), text.to_owned()))
    }

    /// Whether an argument of this name is a text, anywhere.
    pub(crate) fn names(&self, keyword: &str, text: &str) -> bool {
        self.said.contains(&Said::Named(keyword.to_owned(), text.to_owned()))
    }

    /// Whether a module, or something in it, is imported.
    pub(crate) fn imports(&self, module: &str) -> bool {
        self.modules.contains(module)
    }
}

fn said(call: &Call) -> impl Iterator<Item = Said> {
    let (scope, name) = (call.scope, || call.callee.name.clone());
    let called = (!call.callee.path.is_empty()).then(|| Said::Called(scope, call.callee.path.clone()));
    let asked = call.callee.receiver.clone().map(|receiver| Said::Asked(scope, name(), receiver));
    let takes = call.first().and_then(|first| first.value.text()).map(|text| Said::Takes(name(), text.to_owned()));
    let names = call.positional.iter().filter_map(|argument| argument.name.clone());
    let given = names.map(move |argument| Said::Given(scope, call.callee.name.clone(), argument));
    let named = call.keywords.iter().filter_map(|(keyword, argument)| {
        argument.value.text().map(|text| Said::Named(keyword.clone(), text.to_owned()))
    });
    called.into_iter().chain(asked).chain(takes).chain(given).chain(named)
}

/// The module and those around it: `torch.nn.init`, `torch.nn`, `torch`.
fn modules(import: &Import) -> impl Iterator<Item = String> {
    let path = import.path.as_str();
    let ends = path.match_indices('.').map(|(at, _)| at).take(MAX_DOTS).chain([path.len()]);
    ends.map(move |end| path[..end].to_owned())
}

/// Dots in a module's name that are looked at.
const MAX_DOTS: usize = 8;

#[cfg(test)]
mod tests {
    use super::super::read;

    #[test]
    fn what_was_said_is_found_where_it_was() {
        let script = read(
            "import torch.nn as n\nfrom .a import b\nfiles.sort()\ndef f():\n  os.remove(p)\n  save('x', to='y')\n",
        );
        let index = script.index();
        assert!(index.is_asked(0, "sort", "files") && !index.is_asked(1, "sort", "files"));
        assert!(index.is_given(1, "remove", "p") && !index.is_given(0, "remove", "p"));
        assert!(index.takes("save", "x") && index.names("to", "y") && !index.takes("save", "y"));
        assert!(index.imports("torch") && index.imports("torch.nn") && !index.imports("tor") && !index.imports("a"));
    }
}
