//! Modules and members whose names cannot be told without running something, and what calling them may reach.

use super::calls::is_powerful;
use super::value::Value;
use crate::fact::SourceReach;

/// A module of any name.
pub(super) const MODULE: &str = "__import__()";
/// A member of any name.
pub(super) const MEMBER: &str = "?";

/// Functions that give a module of a name.
pub(super) const IMPORTERS: &[&str] =
    &["__import__", "importlib.import_module", "importlib.__import__", "importlib._bootstrap._gcd_import"];

/// Names that nothing has but what starts programs.
const SHARP: &[&str] = &[
    "system",
    "popen",
    "Popen",
    "execl",
    "execle",
    "execlp",
    "execlpe",
    "execv",
    "execve",
    "execvp",
    "execvpe",
    "spawnl",
    "spawnle",
    "spawnlp",
    "spawnlpe",
    "spawnv",
    "spawnve",
    "spawnvp",
    "spawnvpe",
    "posix_spawn",
    "posix_spawnp",
    "fork_exec",
    "check_call",
    "check_output",
    "getoutput",
    "getstatusoutput",
    "create_subprocess_shell",
    "create_subprocess_exec",
];

/// Whether a text has something that is asked of a module whose name it does not say: `module.system`, or by a name in a text.
pub(super) fn is_asked_of_any(text: &str) -> bool {
    let is_asked = |name: &&str| {
        text.match_indices(*name).any(|(at, _)| text.get(..at).is_some_and(|before| before.ends_with('.')))
    };
    ["getattr", "__dict__", "vars("].iter().any(|way| text.contains(way)) || SHARP.iter().any(is_asked)
}

/// Any module, without its name.
pub(super) fn module() -> Value {
    Value::Path(MODULE.to_owned(), false)
}

/// What calling a path reaches whose module cannot be told, or was told wrongly. What plugins are loaded with in
/// functions everywhere counts only where it runs at once.
pub(super) fn reach(path: &str, hidden: bool, is_top: bool) -> Option<SourceReach> {
    let (base, last) = path.rsplit_once('.')?;
    let is_sharp = SHARP.contains(&last);
    let is_unknown = is_any(base);
    match (is_unknown, is_sharp) {
        (true, true) => Some(SourceReach::HiddenCode),
        (true, false) => {
            (is_top && matches!(last, "run" | "call" | "spawn" | MEMBER)).then_some(SourceReach::UnsafeLoad)
        }
        (false, _) if last == MEMBER && is_powerful(base) => Some(SourceReach::Evaluation),
        (false, true) if is_powerful(base) => Some(SourceReach::Program),
        (false, true) if hidden => Some(SourceReach::HiddenCode),
        _ => None,
    }
}

fn is_any(base: &str) -> bool {
    ["__import__()", "importlib.import_module()", "sys.modules.get()", "sys.modules.pop()"]
        .iter()
        .any(|start| base.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}

/// What a loop through all modules, or through all that a module has, goes through.
pub(super) fn each_of(table: &str) -> Option<Value> {
    let all = [".items()", ".values()", ".copy()"].iter().find_map(|end| table.strip_suffix(end)).unwrap_or(table);
    match all.strip_suffix(".__dict__") {
        _ if all == "sys.modules" => Some(module()),
        Some(base) if is_powerful(base) => Some(Value::Path(format!("{base}.{MEMBER}"), true)),
        _ => None,
    }
}
