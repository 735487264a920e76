//! `setup.py`: what its call of `setup` says in so many words. It is read as a syntax tree and never run; what is computed is
//! said to be, and not guessed. <https://setuptools.pypa.io/en/latest/references/keywords.html>

mod known;

use ruff_python_ast::{Expr, ExprCall, ModModule};
use ruff_text_size::Ranged as _;

use self::known::Known;
use super::Page;
use crate::dependencies::text::python_lines;
use waag_evidence::dependency::normalised;

/// Bytes of a file that is parsed: nesting costs stack, and so few bytes cannot nest deeper than the stack below.
const MAX_BYTES: usize = 256 << 10;
/// Stack of the thread that parses.
const STACK: usize = 512 << 20;

/// Something that was found: plain values, since the tree stays on its thread.
enum Found {
    Name(String),
    Python(usize, String),
    Requirement(usize, String, Option<String>),
    Unknown(usize, &'static str),
}

pub(super) fn read(page: &mut Page<'_>) {
    if page.text.text.len() > MAX_BYTES {
        return page.incomplete(1, "it is longer than is parsed");
    }
    let source = page.text.text.clone();
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(move || look(&source));
    let Some(found) = thread.ok().and_then(|thread| thread.join().ok()) else {
        return page.incomplete(1, "it could not be parsed");
    };
    for found in found {
        match found {
            Found::Name(name) => page.file.own_names.push(name),
            Found::Python(at, constraint) => page.python(&constraint, page.text.line_at(at)),
            Found::Requirement(at, written, group) => {
                page.requirement(&written, page.text.line_at(at), group.as_deref())
            }
            Found::Unknown(at, what) => {
                let line = page.text.line_at(at);
                page.incomplete(line, &format!("{what}; what is computed when setup.py runs was not looked at"));
            }
        }
    }
}

fn look(source: &str) -> Vec<Found> {
    let Ok(parsed) = ruff_python_parser::parse_module(source) else {
        return vec![Found::Unknown(0, "it is no Python that can be parsed")];
    };
    let module: &ModModule = parsed.syntax();
    let mut known = Known::of(&module.body);
    known.close();
    let mut found = Vec::new();
    for call in &known.calls {
        arguments(call, &known, &mut found);
    }
    found.extend(known.unfollowed.iter().map(|(at, what)| Found::Unknown(*at, what)));
    // A module of a package may be called so too.
    let packs = ["setuptools", "distutils", "skbuild"].iter().any(|tool| source.contains(tool));
    if found.is_empty() && known.calls.is_empty() && packs {
        found.push(Found::Unknown(0, "it has no call of setup() that can be followed"));
    }
    found
}

fn arguments<'a>(call: &'a ExprCall, known: &Known<'a>, found: &mut Vec<Found>) {
    for keyword in &call.arguments.keywords {
        let at = keyword.range().start().to_usize();
        match keyword.arg.as_ref().map(|name| name.as_str()) {
            Some("name") => found.extend(known.text(&keyword.value).map(|name| Found::Name(normalised(&name)))),
            Some("install_requires" | "requires") => {
                list(&keyword.value, None, known, found, "what it needs is not a plain list");
            }
            Some("setup_requires") => {
                list(&keyword.value, Some("build-system"), known, found, "what building it needs is not a plain list");
            }
            Some("tests_require") => {
                list(&keyword.value, Some("test"), known, found, "what its tests need is not a plain list");
            }
            Some("extras_require") => extras(&keyword.value, known, found),
            Some("python_requires") => match known.text(&keyword.value) {
                Some(constraint) => found.push(Found::Python(at, constraint)),
                None => found.push(Found::Unknown(at, "the Python that it needs is not a plain text")),
            },
            None => found.push(Found::Unknown(at, "arguments of setup() come from a variable")),
            _ => {}
        }
    }
}

fn list<'a>(value: &'a Expr, group: Option<&str>, known: &Known<'a>, found: &mut Vec<Found>, unknown: &'static str) {
    let items: &[Expr] = match known.resolved(value) {
        Expr::List(list) => &list.elts,
        Expr::Tuple(tuple) => &tuple.elts,
        Expr::StringLiteral(literal) => {
            let at = literal.range().start().to_usize();
            let lines = python_lines(literal.value.to_str()).map(|(_, line)| line.trim());
            let lines = lines.filter(|line| !line.is_empty());
            found.extend(lines.map(|line| Found::Requirement(at, line.to_owned(), group.map(str::to_owned))));
            return;
        }
        other => return found.push(Found::Unknown(other.range().start().to_usize(), unknown)),
    };
    for item in items {
        let at = item.range().start().to_usize();
        match known.text(item) {
            Some(written) => found.push(Found::Requirement(at, written, group.map(str::to_owned))),
            None => found.push(Found::Unknown(at, "one of the things that it needs is not a plain text")),
        }
    }
}

fn extras<'a>(value: &'a Expr, known: &Known<'a>, found: &mut Vec<Found>) {
    let Expr::Dict(dict) = known.resolved(value) else {
        let at = value.range().start().to_usize();
        return found.push(Found::Unknown(at, "what its extras need is not a plain table"));
    };
    for item in &dict.items {
        let name = item.key.as_ref().and_then(|key| known.text(key));
        list(
            &item.value,
            Some(name.as_deref().unwrap_or("?")),
            known,
            found,
            "what an extra needs is not a plain list",
        );
    }
}
