//! Functions that run text among other things: constants are read for what they do, and the rest is left to those that
//! use it.

use super::analysis::Analysis;
use super::calls::{Argument, argument, items_of};
use super::lexer::Token;
use super::reaches;
use super::value::{Origin, Value};
use crate::commands;
use crate::fact::SourceReach;

/// Functions that compute what a text says, in Python or nearly.
const COMPUTERS: &[&str] = &[
    "pandas.eval",
    "pandas.core.computation.eval.eval",
    "numexpr.evaluate",
    "sympy.S",
    "sympy.sympify",
    "sympy.core.sympify.sympify",
    "sympy.parse_expr",
    "sympy.parsing.sympy_parser.parse_expr",
    "typing.ForwardRef",
    "types.FunctionType",
];
/// Methods that compute what a text says of a table, which may name what is outside of it.
const METHODS: &[&str] = &[".query", ".eval"];
/// Functions that read a text as a template.
const TEMPLATES: &[&str] = &["jinja2.Template", "jinja2.Environment().from_string", "mako.template.Template"];
/// Names that a template needs only to leave what it is given.
const WAYS_OUT: &[&str] = &["__globals__", "__class__", "__subclasses__", "__builtins__", "__import__"];
/// Loaders of one file, and the place of its path.
const LOADERS: &[(&str, usize)] = &[
    ("importlib.machinery.SourceFileLoader", 1),
    ("importlib.machinery.SourcelessFileLoader", 1),
    ("importlib.util.spec_from_file_location", 1),
    ("imp.load_source", 1),
    ("imp.load_compiled", 1),
    ("zipimport.zipimporter", 0),
    ("sys.path.append", 0),
    ("sys.path.insert", 1),
];
/// Whose kernels everybody loads.
const KERNELS: &str = "kernels-community/";

impl Analysis<'_> {
    /// Reads the texts that a call runs, or computes.
    pub(super) fn reads_text(&mut self, path: &str, arguments: &[Argument], tokens: &[Token]) {
        let first = arguments.first().map(|argument| &argument.value);
        match first {
            Some(Value::Text(text, hidden)) => {
                for code in codes(path, text) {
                    self.runs_constant(&code, *hidden, tokens);
                }
                if TEMPLATES.contains(&path) && WAYS_OUT.iter().any(|way| text.contains(way)) {
                    self.report(SourceReach::HiddenCode, tokens);
                }
            }
            Some(list @ Value::List(_)) if path == "timeit.main" => {
                for code in items_of(list).iter().filter_map(Value::text) {
                    self.runs_constant(code, false, tokens);
                }
            }
            _ => {}
        }
    }

    /// A constant that is run does what it says; one that is put together hides it.
    fn runs_constant(&mut self, code: &str, hidden: bool, tokens: &[Token]) {
        let before = self.mark().0;
        self.nested(code, tokens.first().map_or(0, |token| token.line));
        if hidden && self.mark().0 > before {
            self.report(SourceReach::HiddenCode, tokens);
        }
    }

    /// `f.__code__ = compile(…)`: what is called by a name is something else from here on.
    pub(super) fn becomes_code(&mut self, value: &Value, tokens: &[Token]) {
        match value {
            Value::Text(code, hidden) => self.runs_constant(code, *hidden, tokens),
            Value::From(Origin::Restored | Origin::Decoded | Origin::Fetched) => {
                self.report(SourceReach::HiddenCode, tokens);
            }
            Value::From(_) => self.report(SourceReach::Evaluation, tokens),
            Value::Path(path, _) if path == "compile()" => self.report(SourceReach::Evaluation, tokens),
            _ => {}
        }
    }
}

/// The texts that a call runs of the one that it is given.
fn codes(path: &str, text: &str) -> Vec<String> {
    let leaves = text.contains('@') || text.contains("__");
    match path {
        _ if COMPUTERS.contains(&path) || METHODS.iter().any(|method| path.ends_with(method)) && leaves => {
            vec![text.trim_start().replace('@', "")]
        }
        "doctest.run_docstring_examples" => vec![examples(text)],
        "mako.template.Template" => between(text),
        _ => Vec::new(),
    }
}

/// The lines of a text that a reader would type.
fn examples(text: &str) -> String {
    let typed = text
        .lines()
        .map(str::trim_start)
        .filter_map(|line| line.strip_prefix(">>> ").or_else(|| line.strip_prefix("... ")));
    typed.collect::<Vec<_>>().join("\n")
}

/// What stands in `<% … %>` and `${ … }`.
fn between(text: &str) -> Vec<String> {
    let parts = |open: &str, close: &str| -> Vec<String> {
        let inner = text.split(open).skip(1).map(|part| part.split(close).next().unwrap_or_default());
        inner.map(|part| part.trim_start_matches('!').trim().to_owned()).take(100).collect()
    };
    let mut all = parts("<%", "%>");
    all.extend(parts("${", "}"));
    all
}

/// Code that is loaded from what nobody takes for code, or from elsewhere.
pub(super) fn loading(path: &str, arguments: &[Argument]) -> Option<SourceReach> {
    if let Some((_, place)) = LOADERS.iter().find(|(loader, _)| *loader == path) {
        let file = argument(arguments, *place, if *place == 0 { "archivepath" } else { "path" });
        let file = file.or_else(|| argument(arguments, *place, "location")).and_then(Value::text);
        return file.is_some_and(reaches::is_data).then_some(SourceReach::Evaluation);
    }
    let first = arguments.first().and_then(|argument| argument.value.text()).unwrap_or_default();
    match path {
        "webbrowser.get" if first.contains("%s") => Some(commands::judge(first).unwrap_or(SourceReach::Program)),
        _ => None,
    }
}

/// Whether a call loads what so many load that it tells nothing.
pub(super) fn is_usual(path: &str, arguments: &[Argument]) -> bool {
    let first = arguments.first().and_then(|argument| argument.value.text()).unwrap_or_default();
    path == "kernels.get_kernel" && first.starts_with(KERNELS)
}

/// The place of the command among the arguments of what starts programs.
pub(super) fn place_of_command(path: &str) -> usize {
    let fits = |name: &str| name.strip_prefix('*').map_or(path == name, |end| path.ends_with(end));
    reaches::COMMANDS_AT.iter().find(|(name, _)| fits(name)).map_or(0, |(_, place)| *place)
}
