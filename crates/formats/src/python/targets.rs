//! Targets: what an assignment or a loop gives its value to.

use super::analysis::{Analysis, Reader, plain_target};
use super::lexer::{Kind, Token};
use super::names::{gravest, gravity};
use super::unknown;
use super::value::Value;

/// Brackets within brackets of a target.
const MAX_LEVELS: usize = 8;

impl Analysis<'_> {
    /// `a = b = value`, `a: int = value`, or an expression alone.
    pub(super) fn assignment(&mut self, reader: &mut Reader<'_>) {
        let mut targets: Vec<&[Token]> = Vec::new();
        loop {
            let start = reader.at;
            let is_lambda = reader.word() == Some("lambda");
            self.lambda_name = targets.last().filter(|_| is_lambda).and_then(|target| plain_target(target));
            let value = self.values(reader);
            let read = reader.tokens.get(start..reader.at).unwrap_or_default();
            match reader.next() {
                Some(token) if token.is("=") => targets.push(read),
                Some(token) if token.is("+=") => {
                    let added = self.values(reader);
                    self.add_to(plain_target(read), added);
                }
                Some(token) if token.is(":") => {
                    self.expression(reader, 0);
                    reader.next();
                    targets.push(read);
                }
                other => {
                    for target in targets.drain(..) {
                        self.assign(target, &value, reader.tokens, MAX_LEVELS);
                    }
                    if other.is_none() {
                        return;
                    }
                }
            }
        }
    }

    /// `a`, or `a, b`, which is a list.
    pub(super) fn values(&mut self, reader: &mut Reader<'_>) -> Value {
        let first = self.expression(reader, 0);
        if !reader.is(",") {
            return first;
        }
        let mut items = vec![first];
        while reader.is(",") {
            reader.next();
            let before = reader.at;
            let value = self.expression(reader, 0);
            if reader.at > before {
                super::expression::keep(&mut items, value);
            }
        }
        Value::List(items)
    }

    /// `a += value`
    fn add_to(&mut self, target: Option<String>, added: Value) {
        let Some(target) = target else { return };
        match self.recall(&target).map(|old| old.plus(added)) {
            Some(sum @ (Value::Text(..) | Value::List(_))) => self.bind(&target, sum),
            _ => self.names.forget(&target),
        }
    }

    fn assign(&mut self, target: &[Token], value: &Value, tokens: &[Token], levels: usize) {
        if let Some(name) = plain_target(target) {
            self.given_to(&name, value, tokens);
            self.names_itself(value);
            if let Some(class) = self.blocks.class() {
                let member = format!("{class}.{name}");
                self.bind(&member, value.clone());
            }
            return self.bind(&name, value.clone());
        }
        let (Some(below), Some((base, key))) = (levels.checked_sub(1), entry_target(target)) else {
            return self.spread(target, value, tokens, levels);
        };
        match below {
            _ if is_table_of_names(base) => self.named_entry(key, value),
            _ => self.set_entry(base, key, value),
        }
    }

    /// `a, (b, *c) = value`
    fn spread(&mut self, target: &[Token], value: &Value, tokens: &[Token], levels: usize) {
        let Some(below) = levels.checked_sub(1) else { return };
        let (parts, is_spread) = parts(target);
        if !is_spread {
            return;
        }
        let items = match value {
            Value::List(items) if items.len() == parts.len() && !parts.iter().any(|part| is_starred(part)) => {
                Some(items)
            }
            _ => None,
        };
        let any = gravest(value).cloned().unwrap_or_default();
        for (at, part) in parts.iter().enumerate() {
            let part = if is_starred(part) { part.get(1..).unwrap_or_default() } else { part };
            let item = items.and_then(|items| items.get(at)).unwrap_or(&any);
            self.assign(part, item, tokens, below);
        }
    }

    /// `globals()["a"] = value`
    fn named_entry(&mut self, key: &[Token], value: &Value) {
        if let [Token { kind: Kind::Text(name), .. }] = key {
            self.uncertain = self.uncertain.saturating_add(1);
            self.bind(name, value.clone());
            self.uncertain = self.uncertain.saturating_sub(1);
        }
    }

    /// `a["b"] = value`: what matters is found again under its key, or any.
    fn set_entry(&mut self, base: &[Token], key: &[Token], value: &Value) {
        let Some(name) = plain_target(base) else { return };
        if gravity(value) < 2 || !matches!(value, Value::Path(..)) {
            return self.names.forget(&name);
        }
        let old = self.names.get(&name).filter(|old| gravity(old) > 1).cloned();
        let mut items = match (old, key) {
            (Some(Value::List(items)), _) => items,
            _ => Vec::new(),
        };
        if let [Token { kind: Kind::Text(key), .. }] = key {
            super::expression::keep(&mut items, Value::Text(key.clone(), false));
        }
        super::expression::keep(&mut items, value.clone());
        self.bind(&name, Value::List(items));
    }

    /// `for target in value`
    pub(super) fn loop_over(&mut self, target: &[Token], value: &Value) {
        let item = match value {
            Value::List(items) => items.iter().find(|item| gravity(item) > 1).cloned(),
            Value::Path(path, _) => unknown::each_of(path),
            _ => None,
        };
        match item {
            Some(item @ Value::Path(..)) => {
                for part in parts(target).0 {
                    self.assign(part, &item, target, MAX_LEVELS);
                }
            }
            item => self.assign(target, &item.unwrap_or_default(), target, MAX_LEVELS),
        }
    }
}

/// The place after the `in` that ends the targets of a loop, and those targets.
pub(super) fn loop_targets<'t>(reader: &mut Reader<'t>) -> Option<&'t [Token]> {
    const MOST: usize = 60;
    let rest = reader.tokens.get(reader.at..)?;
    let end = rest.iter().take(MOST).position(|token| token.name() == Some("in"))?;
    reader.at = reader.at.saturating_add(end).saturating_add(1);
    rest.get(..end)
}

fn is_starred(part: &[Token]) -> bool {
    part.first().is_some_and(|first| first.is("*"))
}

/// What a target of several consists of, and whether it does.
fn parts(target: &[Token]) -> (Vec<&[Token]>, bool) {
    let inner = match target {
        [first, inner @ .., last] if first.is("(") && last.is(")") || first.is("[") && last.is("]") => Some(inner),
        _ => None,
    };
    let (mut parts, mut depth, mut start) = (Vec::new(), 0usize, 0usize);
    let tokens = inner.unwrap_or(target);
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Operator("(" | "[" | "{") => depth = depth.saturating_add(1),
            Kind::Operator(")" | "]" | "}") => depth = depth.saturating_sub(1),
            Kind::Operator(",") if depth == 0 => {
                parts.extend(tokens.get(start..at));
                start = at.saturating_add(1);
            }
            _ => {}
        }
    }
    let is_several = !parts.is_empty() || inner.is_some();
    parts.extend(tokens.get(start..).filter(|last| !last.is_empty()));
    (parts, is_several)
}

/// `a` and `b` of `a[b]`.
fn entry_target(target: &[Token]) -> Option<(&[Token], &[Token])> {
    let (last, before) = target.split_last()?;
    let open = before.iter().rposition(|token| token.is("["))?;
    let (base, key) = before.split_at(open);
    (last.is("]") && !base.is_empty()).then_some((base, key.get(1..)?))
}

fn is_table_of_names(base: &[Token]) -> bool {
    let [name, open, close] = base else { return false };
    matches!(name.name(), Some("globals" | "locals" | "vars")) && open.is("(") && close.is(")")
}
