//! Callables that a configuration names, each once with how often; and small judgements that several observers share.

use std::collections::BTreeMap;

use crate::callable::judge_target;
use crate::fact::{Anomaly, Callable, FactKind, Gap, Position, Standing, Usage};
use crate::facts::{Facts, shorten};

/// Different callables that are kept of one configuration.
const MAX_CALLABLES: usize = 10_000;
/// Characters of a path to a callable; nothing real is longer.
const MAX_PATH: usize = 300;

/// Callables that were found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    list: BTreeMap<String, Callable>,
    places: BTreeMap<String, u64>,
    overflowed: bool,
}

impl Found {
    /// Adds a callable by its dotted path and judges it. `expression` is the instruction as it was read.
    pub(crate) fn target(&mut self, offset: u64, path: &str, expression: &str) {
        let path = path.trim();
        // A large model names the same few classes thousands of times, and judging them is what costs.
        let kept = shorten(path.chars().take(MAX_PATH).collect(), MAX_PATH);
        if let Some(known) = self.list.get_mut(&kept) {
            known.count = known.count.saturating_add(1);
            return;
        }
        let standing = if path.contains("${") { Standing::Computed } else { judge_target(path) };
        self.judged(offset, path, standing, expression);
    }

    /// Adds a callable that has been judged.
    pub(crate) fn judged(&mut self, offset: u64, path: &str, standing: Standing, expression: &str) {
        let path = shorten(path.chars().take(MAX_PATH).collect(), MAX_PATH);
        if let Some(known) = self.list.get_mut(&path) {
            known.count = known.count.saturating_add(1);
            return;
        }
        if self.list.len() >= MAX_CALLABLES {
            self.overflowed = true;
            return;
        }
        let bare = if matches!(standing, Standing::Dangerous { .. }) { "builtins" } else { "" };
        let (module, name) = path.rsplit_once('.').unwrap_or((bare, &path));
        let expression = shorten(expression.chars().take(MAX_PATH).collect(), MAX_PATH);
        let (module, name) = (module.to_owned(), name.to_owned());
        let callable = Callable { module, name, usage: Usage::Instantiate, standing, expression, count: 1 };
        self.places.insert(path.clone(), offset);
        self.list.insert(path, callable);
    }

    /// Writes all of them down.
    pub(crate) fn finish(&mut self, facts: &mut Facts) {
        if self.overflowed {
            let detail = "more different callables are named than are listed";
            facts.incomplete(0, Gap::Limit, detail);
        }
        for (path, callable) in std::mem::take(&mut self.list) {
            let place = self.places.get(&path).map_or(Position::Whole, |&at| Position::Offset(at));
            facts.push(place, FactKind::Callable(callable));
        }
    }
}

/// Whether a text is a dotted path of Python names, such as `package.module.Class`.
pub(crate) fn is_dotted(text: &str) -> bool {
    text.len() <= MAX_PATH && text.contains('.') && text.split('.').all(is_name)
}

/// Whether a text is a Python name.
pub(crate) fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|first| first == '_' || first.is_alphabetic())
        && characters.all(|c| c == '_' || c.is_alphanumeric())
}

/// Whether a path leads out of the folder it stands in: upwards, from the root, or to an address.
pub(crate) fn leads_out(path: &str) -> bool {
    let path = path.trim();
    path.starts_with(['/', '\\', '~'])
        || path.get(1..3).is_some_and(|drive| drive == ":\\" || drive == ":/")
        || path.contains("://")
        || path.split(['/', '\\']).any(|step| step == "..")
}

/// Notes a path that a loader reads and that leads out of the model.
pub(crate) fn external(offset: u64, key: &str, path: &str, facts: &mut Facts) {
    if leads_out(path) {
        let path: String = path.chars().take(MAX_PATH).collect();
        facts.anomaly(offset, Anomaly::ExternalData, format!("{key}: {path}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dotted_paths_are_told_from_words_and_files() {
        assert!(is_dotted("os.system"));
        assert!(!is_dotted("config.yaml v2"));
        assert!(!is_dotted("1.2"));
        assert!(!is_dotted("system"));
        assert!(!is_dotted("a..b"));
    }

    #[test]
    fn paths_that_lead_out_are_told() {
        for out in ["/etc/passwd", "../x", "a/../../b", "C:\\x", "https://a/b", "~/x"] {
            assert!(leads_out(out), "{out}");
        }
        assert!(!leads_out("a/b..c/d"));
    }
}
