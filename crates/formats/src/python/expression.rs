//! Expressions: constants are folded and names followed, as far as that needs no running.

use super::analysis::{Analysis, Reader, plain_target};
use super::calls::{Argument, GETATTRIBUTE, is_module, names_program, power_of, powerful};
use super::constants;
use super::lexer::{Kind, Token};
use super::names::{gravest, gravity};
use super::slices;
use super::targets::loop_targets;
use super::unasked::runs_given;
use super::unknown;
use super::value::Value;
use super::ways_round;
use crate::fact::SourceReach;

/// Brackets within brackets.
const MAX_DEPTH: usize = 60;
/// Values of one list that are kept, and as many again of those that matter.
const MAX_ITEMS: usize = 4_096;
/// Lists of functions that are only named.
const MAX_NAMED: usize = 100;

/// Calls of functions without a name within each other's arguments; each is read twice.
const MAX_PREVIEWS: usize = 3;
/// Tokens of such a function.
const MAX_AHEAD: usize = 10_000;

const ENDS: &[&str] = &[
    ",", ")", "]", "}", ";", "=", ":", "+=", "-=", "*=", "/=", "//=", "%=", "**=", "&=", "|=", "^=", "@=", ">>=",
    "<<=", "->",
];
const CONNECTIVES: &[&str] =
    &["and", "or", "not", "in", "is", "if", "else", "for", "await", "async", "yield", "from", "print"];

/// How the next operand joins what is before it.
#[derive(Clone, Copy, PartialEq)]
enum Joint {
    None,
    Plus,
    Slash,
    Percent,
    Either,
    Other,
}

impl Analysis<'_> {
    /// Reads one expression, up to what cannot be part of it.
    pub(super) fn expression(&mut self, reader: &mut Reader<'_>, depth: usize) -> Value {
        if depth >= MAX_DEPTH {
            // What is not read is said.
            self.too_deep = self.too_deep.or(reader.peek().map(|token| token.line));
            reader.at = reader.tokens.len();
            return Value::Unknown;
        }
        let mut value: Option<Value> = None;
        let mut joint = Joint::None;
        let (start, mut made) = (reader.at, None);
        while let Some(token) = reader.peek() {
            match &token.kind {
                Kind::Operator(operator) if ENDS.contains(operator) => break,
                Kind::Operator(":=") => {
                    let name = reader.at.checked_sub(1).and_then(|at| reader.tokens.get(at)).and_then(Token::name);
                    reader.next();
                    let bound = self.expression(reader, depth.saturating_add(1));
                    if let Some(name) = name {
                        self.uncertain = self.uncertain.saturating_add(1);
                        self.bind(name, bound.clone());
                        self.uncertain = self.uncertain.saturating_sub(1);
                    }
                    value = Some(bound);
                }
                Kind::Operator("(" | "[" | "{") => value = Some(self.join(value, joint, reader, depth)),
                Kind::Operator(operator) => {
                    joint = match *operator {
                        "+" => Joint::Plus,
                        "/" => Joint::Slash,
                        "%" => Joint::Percent,
                        _ => Joint::Other,
                    };
                    reader.next();
                    continue;
                }
                Kind::Name(name, _) if name == "as" => break,
                Kind::Name(name, _) if name == "lambda" => {
                    let body = self.lambda(reader, depth);
                    let matters = is_module(&body) || powerful(&body).is_some();
                    let given = if matters { body.clone() } else { Value::Unknown };
                    value = Some(value.map_or(given, |value| value.mixed(&body)));
                }
                Kind::Name(name, _) if name == "for" && depth > 0 && value.is_some() => {
                    made = self.comprehension(reader, start, depth).or(made);
                }
                Kind::Name(name, _) if CONNECTIVES.contains(&name.as_str()) && !is_called(reader) => {
                    joint = if matches!(name.as_str(), "or" | "and" | "if" | "else") {
                        Joint::Either
                    } else {
                        Joint::Other
                    };
                    reader.next();
                    continue;
                }
                _ => value = Some(self.join(value, joint, reader, depth)),
            }
            joint = Joint::None;
        }
        made.or(value).unwrap_or_default()
    }

    fn join(&mut self, value: Option<Value>, joint: Joint, reader: &mut Reader<'_>, depth: usize) -> Value {
        let operand = self.operand(reader, depth);
        match (value, joint) {
            (None, Joint::Other) => operand.clone().mixed(&operand),
            (None, _) => operand,
            (Some(value), Joint::Plus) => value.plus(operand),
            (Some(value), Joint::Slash) => value.slash(&operand),
            (Some(value), Joint::Percent) => constants::percent(value, &operand),
            (Some(value), Joint::Either) => either(value, operand),
            (Some(value), _) => value.mixed(&operand),
        }
    }

    /// `x for y in z`: when `z` has what matters, `x` is read again with `y` as that.
    fn comprehension(&mut self, reader: &mut Reader<'_>, start: usize, depth: usize) -> Option<Value> {
        let end = reader.at;
        reader.next();
        let target = loop_targets(reader)?;
        let value = self.operand(reader, depth.saturating_add(1));
        let matters = gravity(&value) > 1 || value.path().is_some_and(|path| unknown::each_of(path).is_some());
        if !matters || self.previews >= MAX_PREVIEWS {
            return None;
        }
        self.uncertain = self.uncertain.saturating_add(1);
        self.loop_over(target, &value);
        self.uncertain = self.uncertain.saturating_sub(1);
        self.previews = self.previews.saturating_add(1);
        let tokens = reader.tokens.get(..end).unwrap_or_default();
        let made = self.expression(&mut Reader { tokens, at: start }, depth.saturating_add(1));
        self.previews = self.previews.saturating_sub(1);
        Some(made)
    }

    fn lambda(&mut self, reader: &mut Reader<'_>, depth: usize) -> Value {
        self.within = self.within.saturating_add(1);
        let value = self.lambda_within(reader, depth);
        self.within = self.within.saturating_sub(1);
        let depth = self.depth();
        self.names.leave(depth);
        value
    }

    fn lambda_within(&mut self, reader: &mut Reader<'_>, depth: usize) -> Value {
        let name = self.lambda_name.take();
        let runs = std::mem::take(&mut self.runs_given);
        let given = self.given.take();
        let is_called = given.is_some();
        let mut given = given.unwrap_or_default().into_iter();
        reader.next();
        let mut parameter = None;
        while let Some(token) = reader.peek() {
            if token.is(":") || token.is(")") {
                break;
            }
            parameter = token.name().or(parameter);
            if let (Some(name), Some(argument)) = (token.name(), given.next()) {
                self.bind(name, argument.value);
            }
            reader.next();
            if token.is("=") {
                let default = self.expression(reader, depth.saturating_add(1));
                if let Some(name) = parameter.filter(|_| gravity(&default) > 1) {
                    self.bind(name, default);
                }
            }
        }
        reader.next();
        if is_called || runs {
            let value = self.expression(reader, depth.saturating_add(1));
            self.runs_given = runs;
            return value;
        }
        if let Some(name) = &name {
            self.blocks.define(name);
        }
        self.lambdas.push(name.unwrap_or_else(|| "<lambda>".into()));
        let value = self.expression(reader, depth.saturating_add(1));
        self.lambdas.pop();
        value
    }

    /// `(lambda o: …)(os)`: what the function is given, where it is called as soon as it is made.
    fn given_at_once(&mut self, reader: &Reader<'_>, depth: usize) -> Option<Vec<Argument>> {
        let is_lambda = reader.word() == Some("lambda") && self.previews < MAX_PREVIEWS;
        if !is_lambda {
            return None;
        }
        let close = closing(reader.tokens, reader.at);
        let seen = close.unwrap_or(usize::MAX).saturating_sub(reader.at).min(MAX_AHEAD);
        if self.budget.operate(seen as u64).is_err() || close.is_none() && reader.rest().len() >= MAX_AHEAD {
            self.left_out = self.left_out.or(reader.peek().map(|token| token.line));
        }
        let close = close?;
        let opens = reader.tokens.get(close.saturating_add(1)).is_some_and(|token| token.is("("));
        let mut ahead = Reader { tokens: reader.tokens, at: close.saturating_add(2) };
        let before = self.mark();
        self.previews = self.previews.saturating_add(1);
        let given = opens.then(|| self.arguments(&mut ahead, depth.saturating_add(1)));
        self.previews = self.previews.saturating_sub(1);
        // It is read again in its place, and what it does is said there.
        self.take_back(before);
        given
    }

    fn operand(&mut self, reader: &mut Reader<'_>, depth: usize) -> Value {
        let start = reader.at;
        let Some(token) = reader.next() else { return Value::Unknown };
        let mut value = match &token.kind {
            Kind::Text(text) => {
                let mut text = text.clone();
                let mut is_whole = true;
                while let Some(Token { kind: Kind::Text(more), .. }) = reader.peek() {
                    is_whole &= text.len() < super::value::MAX_TEXT;
                    if is_whole {
                        text.push_str(more);
                    }
                    reader.next();
                }
                self.has_payload |= constants::is_payload(&text);
                if is_whole { Value::Text(text, false) } else { Value::Unknown }
            }
            Kind::Number(number) => number.map_or(Value::Unknown, Value::Number),
            Kind::Name(name, foreign) => {
                self.uses_list(name, reader.tokens.get(..start).unwrap_or_default());
                self.named(name, *foreign)
            }
            Kind::Operator("(") => {
                self.given = self.given_at_once(reader, depth);
                self.group(reader, depth, ")")
            }
            Kind::Operator("[") => {
                let list = self.group(reader, depth, "]");
                let (before, after) = reader.tokens.split_at(start.min(reader.tokens.len()));
                let tokens = after.get(..reader.at.saturating_sub(start)).unwrap_or(after);
                if !self.only_names(&list, before, tokens, tokens.len() == after.len()) {
                    self.listed(&list, tokens);
                }
                list
            }
            Kind::Operator("{") => {
                let group = self.group(reader, depth, "}");
                self.listed(&group, reader.tokens.get(start..reader.at).unwrap_or_default());
                table(group)
            }
            Kind::Operator(_) => Value::Unknown,
        };
        while let Some(token) = reader.peek() {
            value = match &token.kind {
                Kind::Operator(".") => {
                    reader.next();
                    match reader.next().map(|token| &token.kind) {
                        Some(Kind::Name(name, foreign)) => self.attribute(value, name, *foreign),
                        _ => Value::Unknown,
                    }
                }
                Kind::Operator("(") => {
                    if let Some(changed) = changed(reader.tokens.get(start..reader.at).unwrap_or_default()) {
                        self.names.forget(&changed);
                    }
                    reader.next();
                    let outer = std::mem::replace(&mut self.runs_given, runs_given(&value));
                    let arguments = self.arguments(reader, depth);
                    self.runs_given = outer;
                    self.call(&value, &arguments, reader.tokens.get(start..reader.at).unwrap_or_default())
                }
                Kind::Operator("[") => self.subscript(value, reader, depth),
                _ => break,
            };
        }
        value
    }

    /// A list of several such functions that is given a name, or compared with, calls none of them by itself.
    fn only_names(&mut self, list: &Value, before: &[Token], tokens: &[Token], is_last: bool) -> bool {
        let (Value::List(items), Some(reach)) = (list, power_of(list)) else { return false };
        if items.len() < 2 || reach == SourceReach::HiddenCode {
            return false;
        }
        let name =
            before.split_last().filter(|(sign, _)| is_last && sign.is("=")).and_then(|(_, name)| plain_target(name));
        match (name, tokens.first(), tokens.last()) {
            (Some(name), Some(first), Some(last)) if self.named.len() < MAX_NAMED => {
                let shown = self.text.get(first.start..last.end).unwrap_or_default().chars().take(1_000);
                let found = self.founding(reach, first.line, &shown.collect::<String>());
                self.named.insert(name, found);
                true
            }
            _ => is_compared(before),
        }
    }

    /// Such a list is used otherwise, after all.
    fn uses_list(&mut self, name: &str, before: &[Token]) {
        // What is read ahead is read again.
        if self.previews == 0 && self.named.contains_key(name) && !is_compared(before) {
            self.found.extend(self.named.remove(name));
        }
    }

    pub(super) fn named(&self, name: &str, foreign: bool) -> Value {
        let known = self.recall(name);
        match known.unwrap_or_else(|| Value::Path(name.to_owned(), foreign)) {
            Value::Path(path, hidden) => Value::Path(path, hidden || foreign),
            other => other,
        }
    }

    pub(super) fn attribute(&self, value: Value, name: &str, foreign: bool) -> Value {
        match value {
            Value::Path(..) if name == GETATTRIBUTE => Value::Method(Box::new(value), name.to_owned()),
            Value::Path(path, hidden) if matches!(name, "__dict__" | "__call__") => {
                let suffix = if name == "__dict__" && path != "builtins" { ".__dict__" } else { "" };
                Value::Path(format!("{path}{suffix}"), hidden)
            }
            Value::Path(path, hidden) => {
                let member = Value::member(&path, name, hidden || foreign);
                let known = member.path().and_then(|path| self.names.get(path)).filter(|_| path != name);
                known.cloned().unwrap_or(member)
            }
            Value::Text(..) | Value::List(_) | Value::Number(_) if name == "__class__" => {
                Value::Path("().__class__".into(), false)
            }
            Value::Text(..) => Value::Method(Box::new(value), name.to_owned()),
            Value::List(_) if matches!(name, "get" | "pop" | "__getitem__" | "setdefault") => {
                Value::Method(Box::new(value), name.to_owned())
            }
            _ if ways_round::is_namespace(name) => Value::Path(name.to_owned(), true),
            Value::From(origin) => Value::From(origin),
            _ => Value::Unknown,
        }
    }

    /// What is in brackets, whose first is read: one value, or a list.
    fn group(&mut self, reader: &mut Reader<'_>, depth: usize, close: &str) -> Value {
        let (mut items, lone) = self.items(reader, depth);
        match items.pop() {
            Some(item) if lone && close == ")" => item,
            Some(item) => {
                items.push(item);
                Value::List(items)
            }
            None => Value::List(items),
        }
    }

    /// Values up to the closing bracket, and whether it is one without a comma.
    fn items(&mut self, reader: &mut Reader<'_>, depth: usize) -> (Vec<Value>, bool) {
        let (mut items, mut lone) = (Vec::new(), true);
        loop {
            let before = reader.at;
            let value = self.expression(reader, depth.saturating_add(1));
            if reader.at > before {
                keep(&mut items, value);
            }
            match reader.next() {
                None => return (items, lone),
                Some(token) if token.is(")") || token.is("]") || token.is("}") => return (items, lone),
                Some(_) => lone = false,
            }
        }
    }

    fn arguments(&mut self, reader: &mut Reader<'_>, depth: usize) -> Vec<Argument> {
        let mut arguments = Vec::new();
        loop {
            let named = reader.ahead(1).is_some_and(|token| token.is("="));
            let name = reader.word().filter(|_| named).map(str::to_owned);
            if name.is_some() {
                reader.next();
                reader.next();
            }
            let before = reader.at;
            let value = self.expression(reader, depth.saturating_add(1));
            if reader.at > before && (arguments.len() < MAX_ITEMS || arguments.len() < room_for(&value)) {
                arguments.push(Argument { name, value });
            }
            match reader.next() {
                None => return arguments,
                Some(token) if token.is(")") || token.is("]") || token.is("}") => return arguments,
                Some(_) => {}
            }
        }
    }

    fn subscript(&mut self, value: Value, reader: &mut Reader<'_>, depth: usize) -> Value {
        reader.next();
        let numbers = slices::read(reader.rest());
        let (items, lone) = self.items(reader, depth);
        let index = items.first().filter(|_| lone);
        match (value, index) {
            (Value::Text(text, hidden), _) if numbers.is_some() => {
                numbers.map_or(Value::Unknown, |numbers| slices::take(&text, hidden, numbers))
            }
            (Value::List(items), Some(Value::Number(at))) => {
                let item = usize::try_from(*at).ok().and_then(|at| items.get(at)).cloned();
                item.or_else(|| gravest(&Value::List(items)).cloned()).unwrap_or_default()
            }
            (Value::List(items), Some(key @ Value::Text(..))) => entry_of(&items, key),
            // One of those in it, and any of them may be meant.
            (list @ Value::List(_), _) if gravest(&list).is_some() => gravest(&list).cloned().unwrap_or_default(),
            (Value::Path(path, _), index)
                if index.and_then(Value::text).is_none() && unknown::each_of(&path).is_some() =>
            {
                unknown::each_of(&path).unwrap_or_default()
            }
            // Of classes, one is as good a way to all of them as another.
            (Value::Path(path, base), Some(Value::Number(_))) if path.contains("__class__") => Value::Path(path, base),
            (Value::Path(path, base), Some(Value::Text(name, hidden))) => self.entry(&path, name, *hidden || base),
            (value, _) => value.origin().filter(|_| value.path().is_none()).map_or(Value::Unknown, Value::From),
        }
    }

    /// An entry of a table of names.
    pub(super) fn entry(&self, table: &str, name: &str, hidden: bool) -> Value {
        let table = ways_round::own(table);
        match table {
            "sys.modules" => Value::Path(name.to_owned(), hidden),
            _ if ways_round::is_namespace(table) => ways_round::held_by(name),
            _ if table.starts_with("ctypes.") => Value::member(table, name, hidden),
            "builtins" | "__builtins__" => Value::Path(name.to_owned(), hidden),
            "globals()" | "locals()" | "vars()" if name == "__builtins__" => Value::Path("builtins".into(), hidden),
            "globals()" | "locals()" | "vars()" => self.named(name, hidden),
            _ => match table.strip_suffix(".__dict__") {
                Some(module) => Value::member(module, name, hidden),
                // All that a module has, as a table: `dict(inspect.getmembers(os))`.
                None if is_module(&Value::Path(table.to_owned(), false)) => Value::member(table, name, hidden),
                None => Value::Unknown,
            },
        }
    }
}

/// A dictionary, as its keys and values in turn, where it holds what is worth following.
fn table(group: Value) -> Value {
    let matters = |value: &Value| is_module(value) || powerful(value).is_some() || names_program(value);
    match &group {
        Value::List(items) if items.iter().any(matters) => group,
        _ => group.origin().map_or(Value::Unknown, Value::From),
    }
}

/// Room for a value in a list: what matters has some of its own.
fn room_for(value: &Value) -> usize {
    if gravity(value) > 1 { MAX_ITEMS.saturating_mul(2) } else { MAX_ITEMS }
}

/// Puts a value into a list. One that is too long is told from a whole one by a last value that is not known.
pub(super) fn keep(items: &mut Vec<Value>, value: Value) {
    if items.len() == MAX_ITEMS {
        items.push(Value::Unknown);
    }
    if items.len() < MAX_ITEMS || items.len() < room_for(&value) {
        items.push(value);
    }
}

/// What stands behind a key of a dictionary that was kept.
pub(super) fn entry_of(items: &[Value], key: &Value) -> Value {
    let pairs = items.chunks_exact(2);
    let found = pairs.filter_map(|pair| Some((pair.first()?, pair.get(1)?))).find(|(own, _)| own.text() == key.text());
    found.map_or(Value::Unknown, |(_, value)| value.clone())
}

/// The list that a call changes: `a` in `a.append`.
fn changed(callee: &[Token]) -> Option<String> {
    let (method, list) = callee.split_last().and_then(|(method, rest)| Some((method, rest.split_last()?.1)))?;
    let changes = matches!(method.name(), Some("append" | "extend" | "insert"));
    plain_target(list).filter(|_| changes)
}

/// Whether what comes next is only compared: `x in`, where no loop goes through it.
fn is_compared(before: &[Token]) -> bool {
    let mut back = before.iter().rev().map(Token::name);
    back.next() == Some(Some("in"))
        && !back
            .map_while(|word| match word {
                Some("if" | "elif" | "while" | "and" | "or" | "not" | "return" | "assert") => None,
                word => Some(word == Some("for")),
            })
            .any(|is_loop| is_loop)
}

/// The bracket that closes the one before this place.
fn closing(tokens: &[Token], from: usize) -> Option<usize> {
    let mut depth = 1usize;
    for (at, token) in tokens.iter().enumerate().skip(from).take(MAX_AHEAD) {
        if token.is("(") || token.is("[") || token.is("{") {
            depth = depth.saturating_add(1);
        } else if token.is(")") || token.is("]") || token.is("}") {
            depth = depth.saturating_sub(1);
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// Of two values that an expression may have, the one that matters.
fn either(one: Value, other: Value) -> Value {
    match &one {
        _ if gravity(&other) > gravity(&one) => other,
        Value::Unknown => other,
        _ => one,
    }
}

fn is_called(reader: &Reader<'_>) -> bool {
    reader.word() == Some("print") && reader.ahead(1).is_some_and(|token| token.is("("))
}
