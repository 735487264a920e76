//! What rules ask of all of a file's imports and classes, looked up: a rule that goes over all of them for every call takes
//! hours for a long file.

use std::collections::{HashMap, HashSet};

use super::script::{Import, Script};

/// All that is looked up.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    /// Modules that are imported, and those that they are in.
    modules: HashSet<String>,
    /// What each function or class of a name is, the first of them.
    scopes: HashMap<String, usize>,
}

impl Index {
    pub(super) fn new(script: &Script) -> Self {
        let imports = script.imports.iter().filter(|import| import.level == 0);
        let scopes = script.scopes.iter().enumerate().rev().map(|(place, scope)| (scope.name.clone(), place));
        Self { modules: imports.flat_map(modules).collect(), scopes: scopes.collect() }
    }

    /// Whether a module, or something in it, is imported.
    pub(crate) fn imports(&self, module: &str) -> bool {
        self.modules.contains(module)
    }

    /// The function or class of this name.
    pub(super) fn scope(&self, name: &str) -> Option<usize> {
        self.scopes.get(name).copied()
    }
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
        let script = read("import torch.nn as n\nfrom .a import b\nclass Own(n.Module): pass\nOwn()\n");
        let index = script.index();
        assert!(index.imports("torch") && index.imports("torch.nn") && !index.imports("tor") && !index.imports("a"));
        assert_eq!(script.bases(&script.calls[0].callee.path).collect::<Vec<_>>(), ["torch.nn.Module"]);
        assert_eq!(script.bases("Own").count(), 0, "what is imported under this name is another");
    }
}
