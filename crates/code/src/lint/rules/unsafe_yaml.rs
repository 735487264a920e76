//! YAML that can name any class of Python.

use waag_engine::rules::Meta;

use super::super::problem::{Edit, Problem};
use super::super::rule::{Rule, View};
use super::super::syntax::{Argument, Call, Span};

/// Who it is.
pub static META: Meta = Meta {
    id: "unsafe-yaml",
    title: "YAML is read with a loader that makes any object",
    page: include_str!("unsafe_yaml.md"),
};

/// The rule.
pub(crate) struct UnsafeYaml;

impl Rule for UnsafeYaml {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn script(&self, view: &View<'_>, problems: &mut Vec<Problem>) {
        let is_extended = EXTENSIONS.iter().any(|word| view.unit.source.text.contains(word));
        for mut problem in view.script.calls.iter().filter_map(|call| judge(view, call)) {
            if is_extended {
                problem.edits.clear();
            }
            problems.push(problem);
        }
    }
}

/// What gives a loader tags of the program's own: SafeLoader does not have them.
const EXTENSIONS: &[&str] = &[
    "add_constructor",
    "add_multi_constructor",
    "add_implicit_resolver",
    "add_path_resolver",
    "YAMLObject",
    "yaml_tag",
];

const NEXT: &str = "Use `yaml.safe_load`, which makes texts, numbers, lists and dictionaries alone.";

fn judge(view: &View<'_>, call: &Call) -> Option<Problem> {
    let found = |edits: Vec<Edit>| {
        let message = "the YAML may name any class or function, which is then called";
        Some(Problem::new(&META, call.span, message, NEXT).about(call.callee.path.clone()).fixed_by(edits))
    };
    match call.callee.path.as_str() {
        "yaml.unsafe_load" | "yaml.unsafe_load_all" => found(renamed(view, call, "unsafe_", "safe_")),
        "yaml.load" | "yaml.load_all" => match call.argument("Loader", Some(1)) {
            None if call.is_open => None,
            None => found(if call.keywords.is_empty() && call.positional.len() == 1 {
                renamed(view, call, "", "safe_")
            } else {
                Vec::new()
            }),
            Some(loader) => {
                let path = loader.value.path()?;
                let is_unsafe = matches!(
                    path,
                    "yaml.Loader"
                        | "yaml.UnsafeLoader"
                        | "yaml.CLoader"
                        | "yaml.loader.Loader"
                        | "yaml.loader.UnsafeLoader"
                );
                if is_unsafe { found(other_loader(view, loader)) } else { None }
            }
        },
        "ruamel.yaml.YAML" if call.argument("typ", None).is_some_and(|typ| typ.value.text() == Some("unsafe")) => {
            found(Vec::new())
        }
        _ => None,
    }
}

/// Another name for the function, where it is written as an attribute: `yaml.load` becomes `yaml.safe_load`.
fn renamed(view: &View<'_>, call: &Call, old: &str, new: &str) -> Vec<Edit> {
    let written = view.unit.source.slice(call.callee.span);
    let is_plain = call.callee.is_method && call.callee.receiver.is_some();
    let name = call.callee.name.as_str();
    if !is_plain || !written.ends_with(name) || !name.starts_with(old) {
        return Vec::new();
    }
    let Ok(length) = u32::try_from(name.len()) else { return Vec::new() };
    let start = call.callee.span.end.saturating_sub(length);
    vec![Edit { span: Span { start, end: call.callee.span.end }, text: format!("{new}{}", &name[old.len()..]) }]
}

/// `yaml.Loader` becomes `yaml.SafeLoader`, where it is written so.
fn other_loader(view: &View<'_>, loader: &Argument) -> Vec<Edit> {
    let written = view.unit.source.slice(loader.span);
    let safe = match written {
        "yaml.CLoader" => "yaml.CSafeLoader",
        "yaml.Loader" | "yaml.UnsafeLoader" => "yaml.SafeLoader",
        _ => return Vec::new(),
    };
    vec![Edit { span: loader.span, text: safe.to_owned() }]
}
