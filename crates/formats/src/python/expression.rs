//! Expressions: constants are folded and names followed, as far as that needs no running.

use super::analysis::{Analysis, Reader, plain_target};
use super::calls::{Argument, is_module, names_program, power_of, powerful};
use super::constants;
use super::lexer::{Kind, Token};
use super::names;
use super::reaches;
use super::value::Value;
use crate::fact::SourceReach;

/// Brackets within brackets.
const MAX_DEPTH: usize = 60;
/// Values of one list that are kept.
const MAX_ITEMS: usize = 4_096;
/// Lists of functions that are only named.
const MAX_NAMED: usize = 100;

/// Calls of functions without a name within each other's arguments; each is read twice.
const MAX_PREVIEWS: usize = 3;
/// Tokens of such a function.
const MAX_AHEAD: usize = 2_000;

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
        while let Some(token) = reader.peek() {
            match &token.kind {
                Kind::Operator(operator) if ENDS.contains(operator) => break,
                Kind::Operator(":=") => {
                    let name = reader.at.checked_sub(1).and_then(|at| reader.tokens.get(at)).and_then(Token::name);
                    reader.next();
                    let bound = self.expression(reader, depth.saturating_add(1));
                    if let Some(name) = name {
                        self.bind(name, bound.clone());
                    }
                    value = Some(bound);
                }
                Kind::Operator("(" | "[" | "{") => value = Some(self.join(value, joint, reader, depth)),
                Kind::Operator(operator) => {
                    joint = match *operator {
                        "+" => Joint::Plus,
                        "/" => Joint::Slash,
                        _ => Joint::Other,
                    };
                    reader.next();
                    continue;
                }
                Kind::Name(name, _) if name == "as" => break,
                Kind::Name(name, _) if name == "lambda" => {
                    let body = self.lambda(reader, depth);
                    value = Some(value.map_or(Value::Unknown, |value| value.mixed(&body)));
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
        value.unwrap_or_default()
    }

    fn join(&mut self, value: Option<Value>, joint: Joint, reader: &mut Reader<'_>, depth: usize) -> Value {
        let operand = self.operand(reader, depth);
        match (value, joint) {
            (None, Joint::Other) => operand.clone().mixed(&operand),
            (None, _) => operand,
            (Some(value), Joint::Plus) => value.plus(operand),
            (Some(value), Joint::Slash) => value.slash(&operand),
            (Some(value), Joint::Either) => either(value, operand),
            (Some(value), _) => value.mixed(&operand),
        }
    }

    fn lambda(&mut self, reader: &mut Reader<'_>, depth: usize) -> Value {
        let given = self.given.take();
        let is_called = given.is_some();
        let mut given = given.unwrap_or_default().into_iter();
        reader.next();
        while let Some(token) = reader.peek() {
            if token.is(":") || token.is(")") {
                break;
            }
            if let (Some(name), Some(argument)) = (token.name(), given.next()) {
                self.bind(name, argument.value);
            }
            if token.is("=") {
                reader.next();
                self.expression(reader, depth.saturating_add(1));
            } else {
                reader.next();
            }
        }
        reader.next();
        if is_called {
            return self.expression(reader, depth.saturating_add(1));
        }
        self.lambdas = self.lambdas.saturating_add(1);
        let value = self.expression(reader, depth.saturating_add(1));
        self.lambdas = self.lambdas.saturating_sub(1);
        value
    }

    /// `(lambda o: …)(os)`: what the function is given, where it is called as soon as it is made.
    fn given_at_once(&mut self, reader: &Reader<'_>, depth: usize) -> Option<Vec<Argument>> {
        let is_lambda = reader.word() == Some("lambda") && self.previews < MAX_PREVIEWS;
        let close = closing(reader.tokens, reader.at).filter(|_| is_lambda)?;
        let opens = reader.tokens.get(close.saturating_add(1)).is_some_and(|token| token.is("("));
        let mut ahead = Reader { tokens: reader.tokens, at: close.saturating_add(2) };
        let (found, shells) = self.mark();
        self.previews = self.previews.saturating_add(1);
        let given = opens.then(|| self.arguments(&mut ahead, depth.saturating_add(1)));
        self.previews = self.previews.saturating_sub(1);
        // It is read again in its place, and what it does is said there.
        self.found.truncate(found);
        self.shells.truncate(shells);
        given
    }

    fn operand(&mut self, reader: &mut Reader<'_>, depth: usize) -> Value {
        let start = reader.at;
        let Some(token) = reader.next() else { return Value::Unknown };
        let mut value = match &token.kind {
            Kind::Text(text) => {
                let mut text = text.clone();
                while let Some(Token { kind: Kind::Text(more), .. }) = reader.peek() {
                    if text.len() < super::value::MAX_TEXT {
                        text.push_str(more);
                    }
                    reader.next();
                }
                self.has_payload |= constants::is_payload(&text);
                Value::Text(text, false)
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
                        self.forget(&changed);
                    }
                    reader.next();
                    let arguments = self.arguments(reader, depth);
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
            Value::Path(path, hidden) if matches!(name, "__dict__" | "__getattribute__" | "__call__") => {
                let suffix = if name == "__dict__" && path != "builtins" { ".__dict__" } else { "" };
                Value::Path(format!("{path}{suffix}"), hidden)
            }
            Value::Path(path, hidden) => {
                let member = Value::member(&path, name, hidden || foreign);
                let known = member.path().and_then(|path| self.bindings.get(path)).filter(|_| path != name);
                known.cloned().unwrap_or(member)
            }
            Value::Text(..) | Value::List(_) | Value::Number(_) if name == "__class__" => {
                Value::Path("().__class__".into(), false)
            }
            Value::Text(..) => Value::Method(Box::new(value), name.to_owned()),
            Value::List(_) if matches!(name, "get" | "pop" | "__getitem__" | "setdefault") => {
                Value::Method(Box::new(value), name.to_owned())
            }
            _ if names::is_namespace(name) => Value::Path(name.to_owned(), true),
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
            if reader.at > before && items.len() < MAX_ITEMS {
                items.push(value);
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
            if reader.at > before && arguments.len() < MAX_ITEMS {
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
        let backwards = matches!(
            (reader.peek(), reader.ahead(1), reader.ahead(2), reader.ahead(3), reader.ahead(4)),
            (Some(a), Some(b), Some(c), Some(d), Some(e))
                if a.is(":") && b.is(":") && c.is("-") && d.kind == Kind::Number(Some(1)) && e.is("]")
        );
        let (items, lone) = self.items(reader, depth);
        let index = items.first().filter(|_| lone);
        match (value, index) {
            (Value::Text(text, _), _) if backwards => Value::Text(text.chars().rev().collect(), true),
            (Value::Text(text, _), Some(Value::Number(at))) => {
                let at = usize::try_from(*at).unwrap_or(usize::MAX);
                text.chars().nth(at).map_or(Value::Unknown, |c| Value::Text(c.to_string(), true))
            }
            (Value::List(items), Some(Value::Number(at))) => {
                usize::try_from(*at).ok().and_then(|at| items.get(at).cloned()).unwrap_or_default()
            }
            (Value::List(items), Some(key @ Value::Text(..))) => entry_of(&items, key),
            // Of classes, one is as good a way to all of them as another.
            (Value::Path(path, base), Some(Value::Number(_))) if path.contains("__class__") => Value::Path(path, base),
            (Value::Path(path, base), Some(Value::Text(name, hidden))) => self.entry(&path, name, *hidden || base),
            (value, _) => value.origin().filter(|_| value.path().is_none()).map_or(Value::Unknown, Value::From),
        }
    }

    /// An entry of a table of names.
    pub(super) fn entry(&self, table: &str, name: &str, hidden: bool) -> Value {
        let table = names::own(table);
        match table {
            "sys.modules" => Value::Path(name.to_owned(), hidden),
            _ if names::is_namespace(table) => names::held_by(name),
            _ if table.starts_with("ctypes.") => Value::member(table, name, hidden),
            "builtins" | "__builtins__" => Value::Path(name.to_owned(), hidden),
            "globals()" | "locals()" | "vars()" if name == "__builtins__" => Value::Path("builtins".into(), hidden),
            "globals()" | "locals()" | "vars()" => self.named(name, hidden),
            _ => match table.strip_suffix(".__dict__") {
                Some(module) => Value::member(module, name, hidden),
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
    let matters = |value: &Value| value.path().is_some_and(|path| reaches::of(path).is_some());
    match (matters(&one), &one) {
        (true, _) => one,
        (false, Value::Unknown) => other,
        _ if matters(&other) => other,
        _ => one,
    }
}

fn is_called(reader: &Reader<'_>) -> bool {
    reader.word() == Some("print") && reader.ahead(1).is_some_and(|token| token.is("("))
}
