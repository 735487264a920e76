//! Names that lead to a module by a way round: through another module, through a function's own names, or as text.

use super::calls::{Argument, argument};
use super::reaches;
use super::value::Value;
use crate::fact::SourceReach;

/// Modules that others import, so that they are reached through them: `shutil.os`.
const MODULES: &[&str] = &[
    "os",
    "posix",
    "nt",
    "sys",
    "subprocess",
    "asyncio",
    "builtins",
    "__builtins__",
    "pty",
    "ctypes",
    "importlib",
    "runpy",
    "pickle",
    "marshal",
];
/// Names by which modules of the standard library import others.
const PRIVATE: &[(&str, &str)] = &[("_os", "os"), ("_sys", "sys"), ("_subprocess", "subprocess")];
/// Tables of the names that a function, or a frame that runs, knows.
const NAMESPACES: &[&str] = &["__globals__", "f_globals", "f_builtins", "f_locals"];
/// Last words of functions that give what a text names.
const NAMERS: &[&str] = &[
    "import_module",
    "_gcd_import",
    "__import__",
    "load_module",
    "resolve_name",
    "locate",
    "safeimport",
    "import_string",
    "import_from_string",
    "load_object",
    "get_method",
    "get_object",
    "get_callable",
    "symbol_by_name",
];

fn module_of(name: &str) -> Option<&str> {
    let private = PRIVATE.iter().find(|(private, _)| *private == name).map(|(_, module)| *module);
    private.or_else(|| MODULES.contains(&name).then_some(name))
}

/// A path from the last module in it that could do harm: `shutil.os.system` is `os.system`.
pub(super) fn own(path: &str) -> &str {
    if !path.contains('.') {
        return path;
    }
    let mut end = path.len();
    while let Some(dot) = path.get(..end).and_then(|before| before.rfind('.')) {
        // The last name is what is called, and the first stands for itself.
        let start = path.get(..dot).and_then(|before| before.rfind('.')).map_or(0, |dot| dot.saturating_add(1));
        let name = path.get(start..dot).unwrap_or_default();
        let before = path.get(..start.saturating_sub(1)).unwrap_or_default();
        // A module of the package itself may have that name: `from . import os`.
        let is_relative = before.is_empty() || before.ends_with('.');
        match module_of(name) {
            Some(module) if start > 0 && !is_relative && !is_asyncio(before, module) => {
                return rest_of(path, start, dot, name, module);
            }
            _ => end = dot,
        }
    }
    path
}

/// `asyncio.subprocess` is a module of its own.
fn is_asyncio(before: &str, module: &str) -> bool {
    module == "subprocess" && (before == "asyncio" || before.ends_with(".asyncio"))
}

fn rest_of<'p>(path: &'p str, start: usize, dot: usize, name: &str, module: &str) -> &'p str {
    // `_os` ends with `os`.
    let start = start.saturating_add(name.len().saturating_sub(module.len()));
    let is_base = matches!(module, "builtins" | "__builtins__");
    path.get(if is_base { dot.saturating_add(1) } else { start }..).unwrap_or(path)
}

/// A module that is imported by its whole name.
pub(super) fn module(path: &str, foreign: bool) -> Value {
    match path.rsplit_once('.') {
        Some((before, name)) => imported(before, name, foreign),
        None => Value::Path(path.to_owned(), foreign),
    }
}

/// What `from module import name` gives.
pub(super) fn imported(before: &str, name: &str, foreign: bool) -> Value {
    match module_of(name) {
        Some(module) if !before.starts_with('.') && !before.is_empty() && !is_asyncio(before, module) => {
            Value::Path(module.to_owned(), foreign)
        }
        _ => Value::member(before, name, foreign),
    }
}

/// Whether this is a table of names that nobody reads in an ordinary way.
pub(super) fn is_namespace(path: &str) -> bool {
    NAMESPACES.contains(&path.rsplit('.').next().unwrap_or_default())
}

/// What such a table has by a name: a module, or a function of one that is not known.
pub(super) fn held_by(name: &str) -> Value {
    let of_os = format!("os.{name}");
    Value::Path(
        match name {
            "__builtins__" => "builtins".to_owned(),
            _ if reaches::of(&of_os) == Some(SourceReach::Program) => of_os,
            _ => module_of(name).unwrap_or(name).chars().take(100).collect(),
        },
        true,
    )
}

/// What a function gives that is called with a name as text: `pydoc.locate("os.system")`.
pub(super) fn named_by(path: &str, arguments: &[Argument]) -> Option<Value> {
    let (_, last) = path.rsplit_once('.').filter(|(_, last)| NAMERS.contains(last))?;
    let given = argument(arguments, 0, "name").or_else(|| argument(arguments, 0, "path"))?;
    let Value::Text(text, computed) = given else { return None };
    let target = text.replace(':', ".");
    let first = target.split('.').next().unwrap_or_default();
    let matters = module_of(first).is_some() || reaches::of(&target).is_some();
    // `importlib.import_module` is looked up by itself.
    let is_usual = path.starts_with("importlib.") && matches!(last, "import_module" | "__import__");
    (matters && !is_usual && target.len() < 100).then(|| match target.strip_prefix("builtins.") {
        Some(name) => Value::Path(name.to_owned(), *computed),
        None => Value::Path(target.clone(), *computed),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_found_in_others() {
        for (path, expected) in [
            ("shutil.os.system", "os.system"),
            ("random._os.system", "os.system"),
            ("os.path.os.path.os.system", "os.system"),
            ("six.moves.builtins.exec", "exec"),
            ("x.asyncio.subprocess.create_subprocess_exec", "asyncio.subprocess.create_subprocess_exec"),
            ("asyncio.subprocess.PIPE", "asyncio.subprocess.PIPE"),
            ("os.path.join", "os.path.join"),
            ("args.os", "args.os"),
            (".os.system", ".os.system"),
            ("..os.system", "..os.system"),
            (".utils.os.system", "os.system"),
            ("os", "os"),
        ] {
            assert_eq!(own(path), expected);
        }
        assert_eq!(imported("shutil", "os", false), Value::Path("os".into(), false));
        assert_eq!(imported(".", "os", false).path(), Some("..os"));
    }
}
