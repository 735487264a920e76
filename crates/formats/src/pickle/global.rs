//! Callables by number: every (module, name) of a stream once, with what is known of each of its uses.

use std::collections::HashMap;

use super::reading::is_identifier_path;
use crate::callable::arguments::ArgumentKind;
use crate::callable::list::{StateConditions, danger, state_conditions};
use crate::callable::{depends_on_arguments, is_torchscript, judge};
use crate::fact::{Standing, Usage};

/// Different callables remembered in one stream; real pickles have dozens, whole libraries a few thousand.
const MAX_GLOBALS: usize = 1 << 16;

/// Number of a callable within one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct GlobalId(u32);

/// A callable and what is known of it.
#[derive(Debug)]
pub(super) struct Global {
    pub(super) module: String,
    pub(super) name: String,
    depends_on_arguments: bool,
    /// What its list demands of a state that is set on an instance.
    pub(super) state_conditions: Option<&'static StateConditions>,
    known: Vec<(Usage, Standing)>,
}

impl Global {
    /// `module.name`, as people write it.
    pub(super) fn path(&self) -> String {
        format!("{}.{}", self.module, self.name)
    }

    /// Whether there can be a module and something in it that are called so.
    pub(super) fn is_name(&self) -> bool {
        is_identifier_path(&self.module) && is_identifier_path(&self.name)
    }

    pub(super) fn is(&self, module: &str, name: &str) -> bool {
        self.module == module && self.name == name
    }
}

/// All callables of one stream.
#[derive(Debug, Default)]
pub(super) struct Globals {
    /// Whether names of `__torch__` are those of a program in the same archive. Python would import a module of that name.
    pub(super) torchscript: bool,
    list: Vec<Global>,
    numbers: HashMap<(String, String), GlobalId>,
}

impl Globals {
    /// The number of a callable; none when there are too many.
    pub(super) fn number(&mut self, module: &str, name: &str) -> Option<GlobalId> {
        let key = (module.to_owned(), name.to_owned());
        if let Some(id) = self.numbers.get(&key) {
            return Some(*id);
        }
        // A flood of names does not end with the one that matters unseen.
        let most = if danger(module, name).is_some() { 2 * MAX_GLOBALS } else { MAX_GLOBALS };
        if self.list.len() >= most {
            return None;
        }
        let id = GlobalId(u32::try_from(self.list.len()).ok()?);
        self.list.push(Global {
            module: key.0.clone(),
            name: key.1.clone(),
            depends_on_arguments: depends_on_arguments(module, name),
            state_conditions: state_conditions(module, name),
            known: Vec::new(),
        });
        self.numbers.insert(key, id);
        Some(id)
    }

    /// A callable as lists name it: `module:name`.
    pub(super) fn key(&self, id: GlobalId) -> String {
        self.get(id).map(|global| format!("{}:{}", global.module, global.name)).unwrap_or_default()
    }

    pub(super) fn get(&self, id: GlobalId) -> Option<&Global> {
        self.list.get(id.0 as usize)
    }

    /// Whether the standing of a call can be told without looking at its arguments.
    pub(super) fn ignores_arguments(&self, id: GlobalId) -> bool {
        self.get(id).is_some_and(|global| !global.depends_on_arguments)
    }

    /// What is known of a use, remembered when it does not depend on arguments.
    pub(super) fn standing(&mut self, id: GlobalId, usage: Usage, arguments: Option<&[ArgumentKind]>) -> Standing {
        let Some(global) = self.list.get_mut(id.0 as usize) else { return Standing::Unknown };
        if arguments.is_some() {
            return judge(&global.module, &global.name, usage, arguments);
        }
        if let Some((_, standing)) = global.known.iter().find(|(known, _)| *known == usage) {
            return standing.clone();
        }
        let is_foreign = !self.torchscript && is_torchscript(&global.module);
        let standing = if is_foreign { Standing::Unknown } else { judge(&global.module, &global.name, usage, None) };
        global.known.push((usage, standing.clone()));
        standing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_names_leaves_room_for_the_dangerous_one() {
        let mut globals = Globals::default();
        for number in 0..MAX_GLOBALS {
            assert!(globals.number("int", &number.to_string()).is_some());
        }
        assert!(globals.number("int", "one.more").is_none());
        assert!(globals.number("os", "system").is_some());
    }
}
