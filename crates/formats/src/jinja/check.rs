//! Every expression against what chat templates need.

use super::lists;
use super::names::{Names, Origin};
use super::parser::{Arena, Argument, Id, Node};
use super::statement::argument;
use crate::fact::Reach;

/// A range, a repetition or a width that no prompt needs.
const MAX_COUNT: u64 = 100_000;
/// Values of one name that are looked at for the largest number among them.
const MAX_GIVEN: usize = 8;

/// What is checked against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Check<'a> {
    pub(super) arena: &'a Arena,
    pub(super) names: &'a Names,
}

impl Check<'_> {
    /// What one expression reaches, if anything that is not needed.
    pub(super) fn node(&self, id: Id) -> Option<Reach> {
        match self.arena.get(id)? {
            Node::Name(name) => lists::variable(name, self.names.is_bound(name)),
            Node::Text(text) => lists::text(text),
            Node::Attribute(base, name) => lists::attribute(name).or_else(|| self.private(*base, name)),
            Node::Item(base, index) => self.index(*base, *index),
            Node::Call(callee, arguments) => self.call(*callee, arguments),
            Node::Filter(base, name, arguments) => self.filter(*base, name, arguments),
            Node::Test(name, arguments) => lists::test(name).or_else(|| keywords(arguments)),
            Node::Binary(operator, left, right) => self.binary(operator, *left, *right),
            _ => None,
        }
    }

    fn constant(&self, id: Id) -> Option<&str> {
        match self.arena.get(id) {
            Some(Node::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// What Jinja2 itself keeps on a macro or a function, under names with one underscore.
    fn private(&self, base: Id, name: &str) -> Option<Reach> {
        let Some(Node::Name(base)) = self.arena.get(base) else { return None };
        let own = self.names.is_macro(base) || lists::function(base).is_none();
        (own && name.starts_with('_')).then_some(Reach::Internals)
    }

    /// `x[…]`
    fn index(&self, base: Id, index: Id) -> Option<Reach> {
        if let Some(text) = self.constant(index) {
            return lists::attribute(text).or_else(|| self.private(base, text));
        }
        // A text has characters by number; by any other name it has only attributes.
        if self.constant(base).is_some() && !self.is_place(index, 8) {
            return Some(Reach::ComputedName);
        }
        (self.names.origin(self.arena, index) == Origin::Built).then_some(Reach::ComputedName)
    }

    fn call(&self, callee: Id, arguments: &[Argument]) -> Option<Reach> {
        let reach = match self.arena.get(callee)? {
            Node::Name(name) if self.names.is_macro(name) => None,
            Node::Name(name) => lists::function(name).or_else(|| self.range(name, arguments)),
            Node::Attribute(base, name) => self.method(*base, name, arguments),
            Node::Item(base, index) => match self.constant(*index) {
                Some(name) => self.method(*base, name, arguments),
                None => Some(Reach::ComputedName),
            },
            _ => Some(Reach::Unlisted),
        };
        reach.or_else(|| keywords(arguments))
    }

    fn method(&self, base: Id, name: &str, arguments: &[Argument]) -> Option<Reach> {
        match name {
            "format" => self.format(Some(base)),
            "center" | "ljust" | "rjust" | "zfill" => self.wide(arguments),
            _ => lists::method(name),
        }
    }

    /// A format string may name attributes itself, and may make any character out of a number.
    fn format(&self, pattern: Option<Id>) -> Option<Reach> {
        let Some(pattern) = pattern.and_then(|id| self.constant(id)) else { return Some(Reach::ComputedName) };
        if fills_memory(pattern) {
            return Some(Reach::Exhaustion);
        }
        let fields = pattern.split('{').skip(1).filter_map(|rest| rest.split('}').next());
        let reaches = fields.into_iter().any(|field| field.contains(['.', '[']));
        (reaches || makes_characters(pattern)).then_some(Reach::ComputedName)
    }

    fn filter(&self, base: Option<Id>, name: &str, arguments: &[Argument]) -> Option<Reach> {
        let reach = match name {
            "attr" => Some(self.attribute(argument(arguments, "name", 0)).unwrap_or(Reach::Host)),
            "map" => self.map(arguments),
            "selectattr" | "rejectattr" => {
                self.attribute(argument(arguments, "", 0)).or_else(|| self.named_test(argument(arguments, "", 1)))
            }
            "select" | "reject" => self.named_test(argument(arguments, "", 0)),
            "groupby" => self.attribute(argument(arguments, "attribute", 0)),
            "sort" | "unique" | "sum" | "min" | "max" | "join" => self.keyword_attribute(arguments),
            "format" => self.percent(base),
            "center" | "indent" | "batch" | "slice" => self.wide(arguments),
            "tojson" => self.wide(arguments).or_else(|| lists::filter(name)),
            _ => lists::filter(name),
        };
        reach.or_else(|| keywords(arguments))
    }

    fn map(&self, arguments: &[Argument]) -> Option<Reach> {
        if let Some((_, value)) = arguments.iter().find(|(name, _)| name.as_deref() == Some("attribute")) {
            return self.attribute(Some(*value));
        }
        let first = argument(arguments, "", 0)?;
        match self.constant(first) {
            Some("attr") => Some(self.attribute(argument(arguments, "", 1)).unwrap_or(Reach::Host)),
            Some("format" | "map") => Some(Reach::ComputedName),
            Some(name) => lists::filter(name),
            None => Some(Reach::ComputedName),
        }
    }

    fn named_test(&self, name: Option<Id>) -> Option<Reach> {
        match self.constant(name?) {
            Some(name) => lists::test(name),
            None => Some(Reach::ComputedName),
        }
    }

    fn keyword_attribute(&self, arguments: &[Argument]) -> Option<Reach> {
        let found = arguments.iter().find(|(name, _)| name.as_deref() == Some("attribute"))?;
        self.attribute(Some(found.1))
    }

    /// A name of an attribute as a value: fine as long as it can be read here. Dots separate several.
    fn attribute(&self, value: Option<Id>) -> Option<Reach> {
        let value = value?;
        if let Some(Node::Number(_)) = self.arena.get(value) {
            return None;
        }
        match self.constant(value) {
            Some(text) => text.split('.').find_map(lists::attribute),
            None => Some(Reach::ComputedName),
        }
    }

    /// `'%c' % 95` makes characters that are not in the template.
    fn percent(&self, pattern: Option<Id>) -> Option<Reach> {
        let pattern = self.constant(pattern?)?;
        if fills_memory(pattern) {
            return Some(Reach::Exhaustion);
        }
        makes_characters(pattern).then_some(Reach::ComputedName)
    }

    fn binary(&self, operator: &str, left: Id, right: Id) -> Option<Reach> {
        match operator {
            "%" => self.percent(Some(left)),
            "*" => {
                let most = self.number(left, 8).max(self.number(right, 8))?;
                (most > MAX_COUNT && !(self.is_number(left) && self.is_number(right))).then_some(Reach::Exhaustion)
            }
            "**" => {
                let power = self.number(right, 8)?;
                let base = self.number(left, 8).unwrap_or(2);
                let fits = u32::try_from(power).ok().and_then(|power| base.checked_pow(power)).is_some();
                (!fits).then_some(Reach::Exhaustion)
            }
            _ => None,
        }
    }

    /// Whether an index is a number, as far as the template shows.
    fn is_place(&self, index: Id, steps: u32) -> bool {
        let Some(steps) = steps.checked_sub(1) else { return false };
        match self.arena.get(index) {
            Some(Node::Number(_)) => true,
            Some(Node::Unary(inner)) => self.is_place(*inner, steps),
            Some(Node::Attribute(_, name)) => name.contains("index"),
            Some(Node::Name(name)) => self.names.is_bound(name),
            Some(Node::Filter(_, name, _)) => matches!(name.as_str(), "length" | "count" | "int"),
            Some(Node::Binary("+" | "-" | "*" | "/" | "%", left, right)) => {
                self.is_place(*left, steps) || self.is_place(*right, steps)
            }
            _ => false,
        }
    }

    fn is_number(&self, id: Id) -> bool {
        self.number(id, 8).is_some()
    }

    fn range(&self, name: &str, arguments: &[Argument]) -> Option<Reach> {
        if name == "range" { self.wide(arguments) } else { None }
    }

    /// True when an argument is a number that no prompt needs.
    fn wide(&self, arguments: &[Argument]) -> Option<Reach> {
        let most = arguments.iter().filter_map(|(_, value)| self.number(*value, 8)).max()?;
        (most > MAX_COUNT).then_some(Reach::Exhaustion)
    }

    /// Whether what a name is given is twice the name itself: a loop that does so fills memory in thirty rounds.
    pub(super) fn doubles(&self, name: &str, value: Id) -> bool {
        self.mentions(name, value, 12) > 1
    }

    /// How often a name is a part of a text that is put together.
    fn mentions(&self, name: &str, id: Id, steps: u32) -> u32 {
        let Some(steps) = steps.checked_sub(1) else { return 0 };
        let of = |id: &Id| self.mentions(name, *id, steps);
        match self.arena.get(id) {
            Some(Node::Name(other)) => u32::from(other == name),
            Some(Node::Attribute(base, attribute)) => match self.arena.get(*base) {
                Some(Node::Name(base)) => u32::from(name.split_once('.') == Some((base, attribute))),
                _ => 0,
            },
            Some(Node::Binary("~" | "+", left, right)) => of(left).saturating_add(of(right)),
            _ => 0,
        }
    }

    /// How often a loop runs, as far as constants say.
    pub(super) fn repetitions(&self, over: Id) -> u64 {
        let Some(Node::Call(callee, arguments)) = self.arena.get(over) else { return 1 };
        match self.arena.get(*callee) {
            Some(Node::Name(name)) if name == "range" => {
                arguments.iter().take(2).filter_map(|(_, value)| self.number(*value, 8)).max().unwrap_or(1)
            }
            _ => 1,
        }
    }

    fn largest(&self, name: &str, steps: u32) -> Option<u64> {
        let given = self.names.given(name).iter().take(MAX_GIVEN);
        given.filter_map(|value| self.number(*value, steps)).max()
    }

    /// The value of an expression of constant numbers.
    fn number(&self, id: Id, steps: u32) -> Option<u64> {
        let steps = steps.checked_sub(1)?;
        match self.arena.get(id)? {
            Node::Number(value) => *value,
            Node::Unary(inner) => self.number(*inner, steps),
            // A name is what it is given, of which the largest counts; names of names are followed no further.
            Node::Name(name) => self.largest(name, steps.min(3)),
            Node::Attribute(_, name) => self.largest(&format!(".{name}"), steps.min(3)),
            Node::Binary(operator, left, right) => {
                let (left, right) = (self.number(*left, steps)?, self.number(*right, steps)?);
                match *operator {
                    "+" => Some(left.saturating_add(right)),
                    "*" => Some(left.saturating_mul(right)),
                    "**" => Some(left.saturating_pow(u32::try_from(right).unwrap_or(u32::MAX))),
                    "-" => Some(left.saturating_sub(right)),
                    _ => Some(left),
                }
            }
            _ => None,
        }
    }
}

/// A width that fills memory, or one that is not written in the pattern: `%*d`, `{:{}}`.
fn fills_memory(pattern: &str) -> bool {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let flags = ['0', '-', '+', ' ', '#', '<', '>', '^', '='];
    let percent = pattern.split('%').skip(1).map(|field| field.trim_start_matches(flags));
    let braces = pattern.split('{').skip(1).filter_map(|field| field.split('}').next()?.split_once(':'));
    let is_wide = |field: &str| digits(field) > 6 || field.split_once('.').is_some_and(|(_, rest)| digits(rest) > 6);
    percent.into_iter().any(|field| field.starts_with('*') || is_wide(field))
        || braces.map(|(_, width)| width.trim_start_matches(flags)).any(is_wide)
        || [":{}", ":>{", ":<{", ":^{", ":{0", ":{1", ":{w", ":{n"].iter().any(|width| pattern.contains(width))
}

/// A `%c`.
fn makes_characters(pattern: &str) -> bool {
    let fields = pattern.split('%').skip(1);
    fields.into_iter().any(|field| {
        let rest =
            field.trim_start_matches(['0', '-', '+', ' ', '#', '.', '*', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
        rest.starts_with('c')
    }) || pattern.split('{').skip(1).any(|rest| rest.split('}').next().is_some_and(|field| field.ends_with(":c")))
}

/// Keyword arguments whose names are no ordinary ones: `dict(__class__=1)` is a way to spell a text.
fn keywords(arguments: &[Argument]) -> Option<Reach> {
    arguments.iter().filter_map(|(name, _)| name.as_deref()).find_map(lists::attribute)
}
