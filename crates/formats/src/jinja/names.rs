//! What a template's own names stand for, as far as that decides whether a computed name is computed from constants.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use super::lists;
use super::parser::{Arena, Argument, Id, Node};

/// How far an expression is followed, through names and parts.
const MAX_STEPS: u32 = 40;
/// Expressions looked at for one question.
const MAX_LOOKS: u32 = 2_000;
/// The same, for all questions about one template together.
const MAX_ALL_LOOKS: u32 = 2_000_000;
/// Values remembered for one name.
const MAX_VALUES: usize = 64;

/// Where a text comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// From the data that are rendered, or it is a number.
    Data,
    /// A constant of the template.
    Constant,
    /// Put together by the template from constants.
    Built,
}

/// One question being answered.
#[derive(Debug, Default)]
struct Walk {
    looks: u32,
    /// Names being followed: a name that is made from itself (a counter) is made from the rest.
    open: Vec<String>,
}

/// Names that the template gives values.
#[derive(Debug, Default)]
pub(super) struct Names {
    values: BTreeMap<String, Vec<Id>>,
    macros: BTreeMap<String, Vec<String>>,
    /// Parameters of `{% call(…) %}` blocks, which `caller(…)` hands values to.
    called_back: Vec<String>,
    /// Names with more values than are remembered: they could stand for anything.
    overfull: BTreeSet<String>,
    /// Expressions looked at so far.
    looks: Cell<u32>,
}

impl Names {
    pub(super) fn bind(&mut self, name: &str, value: Option<Id>) {
        let values = self.values.entry(name.to_owned()).or_default();
        let Some(value) = value.filter(|value| values.last() != Some(value)) else { return };
        if values.len() < MAX_VALUES {
            values.push(value);
        } else {
            self.overfull.insert(name.to_owned());
        }
    }

    pub(super) fn call_back(&mut self, parameters: Vec<String>) {
        parameters.iter().for_each(|name| self.bind(name, None));
        self.called_back.extend(parameters);
    }

    pub(super) fn define(&mut self, name: &str, parameters: Vec<(String, Option<Id>)>) {
        for (parameter, default) in &parameters {
            self.bind(parameter, *default);
        }
        self.macros.insert(name.to_owned(), parameters.into_iter().map(|(parameter, _)| parameter).collect());
    }

    pub(super) fn is_bound(&self, name: &str) -> bool {
        self.values.contains_key(name) || self.is_macro(name)
    }

    /// What a name is given, in every place.
    pub(super) fn given(&self, name: &str) -> &[Id] {
        self.values.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn is_macro(&self, name: &str) -> bool {
        self.macros.contains_key(name)
    }

    /// A macro's parameters stand for what its calls hand over.
    pub(super) fn pass(&mut self, arena: &Arena) {
        for node in &arena.nodes {
            let Node::Call(callee, arguments) = node else { continue };
            let Some(Node::Name(name)) = arena.get(*callee) else { continue };
            self.keywords(name, arguments);
            if name == "caller" {
                for parameter in self.called_back.clone() {
                    arguments.iter().for_each(|(_, value)| self.bind(&parameter, Some(*value)));
                }
            }
            let Some(parameters) = self.macros.get(name).cloned() else { continue };
            for (index, (keyword, value)) in arguments.iter().enumerate() {
                let positional = parameters.get(index).map_or("varargs", String::as_str);
                let named = keyword
                    .as_deref()
                    .map(|keyword| if parameters.iter().any(|one| one == keyword) { keyword } else { "kwargs" });
                self.bind(named.unwrap_or(positional), Some(*value));
            }
        }
    }

    /// `namespace(a=…)` binds attributes; which namespace does not matter.
    fn keywords(&mut self, name: &str, arguments: &[Argument]) {
        if name == "namespace" {
            for (keyword, value) in arguments {
                self.bind(&format!(".{}", keyword.as_deref().unwrap_or_default()), Some(*value));
            }
        }
    }

    /// Where the text of an expression comes from.
    pub(super) fn origin(&self, arena: &Arena, id: Id) -> Origin {
        self.follow(arena, id, MAX_STEPS, &mut Walk::default())
    }

    fn follow(&self, arena: &Arena, id: Id, steps: u32, walk: &mut Walk) -> Origin {
        walk.looks = walk.looks.saturating_add(1);
        self.looks.set(self.looks.get().saturating_add(1));
        let within = walk.looks < MAX_LOOKS && self.looks.get() < MAX_ALL_LOOKS;
        let (Some(steps), true) = (steps.checked_sub(1), within) else { return Origin::Built };
        match arena.get(id) {
            Some(Node::Name(name)) => return self.values_of(arena, name, steps, walk),
            Some(Node::Attribute(base, name)) => {
                let set = self.values_of(arena, &format!(".{name}"), steps, walk);
                return set.max(self.follow(arena, *base, steps, walk));
            }
            _ => {}
        }
        let mut of = |id: Id| self.follow(arena, id, steps, walk);
        match arena.get(id) {
            Some(Node::Text(_)) => Origin::Constant,
            Some(Node::Group(items)) => items.iter().map(|item| of(*item)).max().unwrap_or(Origin::Data),
            Some(Node::Item(base, _)) => of(*base),
            Some(Node::Slice(base)) => built(of(*base)),
            Some(Node::Binary("~", ..)) => Origin::Built,
            Some(Node::Binary("+" | "%" | "*", left, right)) => built(of(*left).max(of(*right))),
            Some(Node::Binary("or" | "and", left, right)) => of(*left).max(of(*right)),
            Some(Node::Filter(base, name, arguments)) => filtered(*base, name, arguments, &mut of),
            Some(Node::Call(callee, arguments)) => self.called(arena, *callee, arguments, &mut of),
            _ => Origin::Data,
        }
    }

    fn values_of(&self, arena: &Arena, name: &str, steps: u32, walk: &mut Walk) -> Origin {
        if walk.open.iter().any(|open| open == name) {
            return Origin::Data;
        }
        if self.overfull.contains(name) {
            return Origin::Built;
        }
        walk.open.push(name.to_owned());
        let values = self.values.get(name).map(Vec::as_slice).unwrap_or_default();
        let most = values.iter().map(|value| self.follow(arena, *value, steps, walk)).max();
        walk.open.pop();
        most.unwrap_or(Origin::Data)
    }

    /// What a call gives. Functions give text of their own, methods mostly what they are called on.
    fn called(&self, arena: &Arena, callee: Id, arguments: &[Argument], of: &mut dyn FnMut(Id) -> Origin) -> Origin {
        match arena.get(callee) {
            Some(Node::Name(name)) if matches!(name.as_str(), "range" | "dict" | "namespace" | "loop") => {
                arguments.iter().map(|(_, value)| of(*value)).max().unwrap_or(Origin::Data).min(Origin::Constant)
            }
            Some(Node::Name(name)) if name == "strftime_now" && is_date(arena, arguments) => Origin::Data,
            Some(Node::Name(_)) => Origin::Built,
            Some(Node::Attribute(base, name)) if name == "join" => {
                let _separator = of(*base);
                Origin::Built
            }
            Some(Node::Attribute(base, name)) if lists::makes_text(name) => {
                let parts = arguments.iter().map(|(_, value)| of(*value)).max().unwrap_or(Origin::Data);
                built(of(*base).max(if name == "replace" || name == "format" { parts } else { Origin::Data }))
            }
            Some(Node::Attribute(base, name)) if !lists::makes_number(name) => {
                let parts = arguments.iter().map(|(_, value)| of(*value)).max().unwrap_or(Origin::Data);
                let gives_argument = matches!(name.as_str(), "cycle" | "setdefault");
                of(*base).max(if gives_argument { parts } else { Origin::Data })
            }
            _ => Origin::Data,
        }
    }
}

/// Whether a format of dates can give nothing but words for days and months, numbers and what stands between them.
/// `%Z` is empty mostly, so that a name could be written around it.
fn is_date(arena: &Arena, arguments: &[Argument]) -> bool {
    let [(_, format)] = arguments else { return false };
    let Some(Node::Text(format)) = arena.get(*format) else { return false };
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        let plain = matches!(character, ' ' | ',' | '.' | ':' | '-' | '/');
        let field = character == '%' && characters.next().is_some_and(|field| "aAbBdmyYHIMSpjuw".contains(field));
        if !plain && !field {
            return false;
        }
    }
    true
}

/// What was made from constants is computed.
fn built(origin: Origin) -> Origin {
    if origin == Origin::Data { Origin::Data } else { Origin::Built }
}

fn filtered(base: Option<Id>, name: &str, arguments: &[Argument], of: &mut dyn FnMut(Id) -> Origin) -> Origin {
    let base = base.map_or(Origin::Data, &mut *of);
    match name {
        "join" | "format" => Origin::Built,
        "replace" => built(arguments.iter().map(|(_, value)| of(*value)).max().unwrap_or(base).max(base)),
        "map" | "tojson" => built(base),
        "length" | "count" | "int" | "float" | "abs" | "round" | "wordcount" => Origin::Data,
        _ if lists::filter_makes_text(name) => built(base),
        _ => base,
    }
}
