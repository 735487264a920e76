//! What chat templates need, by name. Everything else is reported; this is a list of what is allowed, not of what is feared.

use crate::fact::Reach;

/// Functions that the libraries which render chat templates provide, and those of Jinja2 that only make data.
const FUNCTIONS: &[&str] = &["raise_exception", "strftime_now", "namespace", "range", "dict", "caller", "loop"];

/// Filters that turn data into data.
const FILTERS: &[&str] = &[
    "abs",
    "batch",
    "capitalize",
    "center",
    "count",
    "d",
    "default",
    "dictsort",
    "e",
    "escape",
    "first",
    "float",
    "forceescape",
    "format",
    "from_json",
    "fromjson",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "string",
    "striptags",
    "sum",
    "title",
    "tojson",
    "trim",
    "truncate",
    "unique",
    "upper",
    "urlencode",
    "wordcount",
    "wordwrap",
];

/// Tests, all of which only look.
const TESTS: &[&str] = &[
    "boolean",
    "callable",
    "defined",
    "divisibleby",
    "eq",
    "equalto",
    "escaped",
    "even",
    "false",
    "filter",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "None",
    "number",
    "odd",
    "sameas",
    "sequence",
    "string",
    "test",
    "true",
    "undefined",
    "upper",
    "True",
    "False",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
];

/// Methods of strings, lists, dictionaries and `loop` that only make data.
const METHODS: &[&str] = &[
    "append",
    "capitalize",
    "center",
    "copy",
    "count",
    "cycle",
    "changed",
    "endswith",
    "extend",
    "find",
    "get",
    "index",
    "insert",
    "isalnum",
    "isalpha",
    "isdecimal",
    "isdigit",
    "islower",
    "isnumeric",
    "isspace",
    "istitle",
    "isupper",
    "items",
    "join",
    "keys",
    "ljust",
    "lower",
    "lstrip",
    "partition",
    "pop",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "setdefault",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "swapcase",
    "title",
    "update",
    "upper",
    "values",
    "zfill",
];

/// Methods that make text out of text.
const TEXT_METHODS: &[&str] = &[
    "capitalize",
    "center",
    "format",
    "format_map",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "removeprefix",
    "removesuffix",
    "replace",
    "rjust",
    "rstrip",
    "strip",
    "swapcase",
    "title",
    "translate",
    "upper",
    "zfill",
];

/// Filters that make text out of text.
const TEXT_FILTERS: &[&str] = &[
    "capitalize",
    "center",
    "from_json",
    "fromjson",
    "lower",
    "replace",
    "reverse",
    "string",
    "title",
    "trim",
    "truncate",
    "upper",
    "urlencode",
    "escape",
    "e",
    "forceescape",
    "random",
    "indent",
    "striptags",
    "urlize",
    "wordwrap",
];

/// Names that Jinja2 or a web framework defines and that lead to the host.
const HOST_NAMES: &[&str] = &["cycler", "joiner", "lipsum", "self", "_self"];

/// The same, unless the template gives the name a meaning of its own.
const HOST_NAMES_UNLESS_BOUND: &[&str] = &[
    "application",
    "config",
    "current_app",
    "get_flashed_messages",
    "g",
    "os",
    "request",
    "session",
    "settings",
    "subprocess",
    "sys",
    "url_for",
    "importlib",
    "builtins",
];

/// Functions of Python that no template environment provides, and whose call shows what is wanted.
const HOST_FUNCTIONS: &[&str] = &[
    "eval",
    "exec",
    "compile",
    "open",
    "getattr",
    "setattr",
    "delattr",
    "vars",
    "dir",
    "globals",
    "locals",
    "input",
    "type",
    "object",
    "exit",
    "quit",
    "breakpoint",
    "popen",
    "system",
    "url_for",
    "get_flashed_messages",
];

/// Filters and methods that reach attributes or the host.
const HOST_FILTERS: &[&str] = &["attr", "pprint", "debug", "eval", "exec", "system", "open"];
const HOST_METHODS: &[&str] =
    &["popen", "system", "eval", "exec", "spawn", "check_output", "run", "call", "open", "load_module"];

/// Attributes without double underscores that lead from an object into the interpreter.
const INTERNALS: &[&str] = &[
    "mro",
    "func_globals",
    "func_code",
    "im_func",
    "im_self",
    "im_class",
    "gi_frame",
    "gi_code",
    "gi_yieldfrom",
    "cr_frame",
    "cr_code",
    "cr_await",
    "ag_frame",
    "ag_code",
    "ag_await",
    "f_globals",
    "f_locals",
    "f_builtins",
    "f_back",
    "f_code",
    "tb_frame",
    "tb_next",
    "co_consts",
    "co_code",
    "format_map",
];

/// What Jinja2 keeps on its own objects, reached by name only: as texts these are ordinary words.
const PRIVATE: &[&str] = &["_environment", "_func", "_invoke", "_module", "_undefined", "_body_stream"];

/// Special names of Python whose mere mention as a string is reason to look. Without their underscores.
const SPECIAL: &[&str] = &[
    "base",
    "bases",
    "builtins",
    "call",
    "class",
    "closure",
    "code",
    "delattr",
    "dict",
    "func",
    "getattr",
    "getattribute",
    "getitem",
    "globals",
    "import",
    "init",
    "init_subclass",
    "kwdefaults",
    "loader",
    "module",
    "mro",
    "new",
    "reduce",
    "reduce_ex",
    "self",
    "setattr",
    "spec",
    "subclasses",
    "wrapped",
    "defaults",
    "traceback",
    "context",
    "subclasshook",
    "main",
    "getstate",
    "setstate",
];

pub(super) fn function(name: &str) -> Option<Reach> {
    if FUNCTIONS.contains(&name) {
        return None;
    }
    Some(if HOST_FUNCTIONS.contains(&name) { Reach::Host } else { Reach::Unlisted })
}

pub(super) fn filter(name: &str) -> Option<Reach> {
    if FILTERS.contains(&name) {
        return None;
    }
    Some(if HOST_FILTERS.contains(&name) { Reach::Host } else { Reach::Unlisted })
}

pub(super) fn test(name: &str) -> Option<Reach> {
    if TESTS.contains(&name) { None } else { Some(Reach::Unlisted) }
}

pub(super) fn method(name: &str) -> Option<Reach> {
    if METHODS.contains(&name) || name == "format" {
        return None;
    }
    Some(if HOST_METHODS.contains(&name) { Reach::Host } else { Reach::Unlisted })
}

pub(super) fn makes_text(method: &str) -> bool {
    TEXT_METHODS.contains(&method)
}

pub(super) fn makes_number(method: &str) -> bool {
    matches!(method, "count" | "index" | "find" | "rfind" | "rindex") || method.starts_with("is")
}

pub(super) fn filter_makes_text(name: &str) -> bool {
    TEXT_FILTERS.contains(&name)
}

/// A variable's name, given whether the template itself gives it a meaning.
pub(super) fn variable(name: &str, is_bound: bool) -> Option<Reach> {
    if name.starts_with("__") || name.contains("__context") {
        return Some(Reach::Internals);
    }
    let host = HOST_NAMES.contains(&name) || (!is_bound && HOST_NAMES_UNLESS_BOUND.contains(&name));
    host.then_some(Reach::Host)
}

/// An attribute's or item's name.
pub(super) fn attribute(name: &str) -> Option<Reach> {
    let internal = name.starts_with("__") || name.contains("__context") || INTERNALS.contains(&name);
    let internal = internal || PRIVATE.contains(&name);
    internal.then_some(Reach::Internals)
}

/// A constant text: a name that leads into the interpreter needs no subscript beside it to be telling.
pub(super) fn text(text: &str) -> Option<Reach> {
    (mentions_special(text) || is_special(text) || INTERNALS.contains(&text)).then_some(Reach::Internals)
}

/// `__any__`: a text that is a special name and nothing else.
fn is_special(text: &str) -> bool {
    let inner = text.strip_prefix("__").and_then(|rest| rest.strip_suffix("__"));
    inner.is_some_and(|inner| !inner.is_empty() && inner.chars().all(|c| c.is_alphanumeric() || c == '_'))
}

/// Text that has a special name of Python in it.
pub(super) fn mentions_special(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let mut rest = lower.as_str();
    while let Some((_, after)) = rest.split_once("__") {
        let word: &str = after.split("__").next().unwrap_or_default();
        if after.len() > word.len() && SPECIAL.contains(&word) {
            return true;
        }
        rest = after;
    }
    false
}
