//! What expressions are and stand for, without running them; each answer costs a bounded number of steps.

use std::cell::Cell;

use ruff_python_ast::{
    Expr, ExprBinOp, ExprCall, ExprFString, FStringPart, InterpolatedStringElement, Number, Operator,
};

use super::bindings::{Binding, Bindings};
use super::paths::spelt;
use super::script::{Text, Value};

/// Steps of one answer.
const MAX_STEPS: u32 = 512;
/// Expressions within expressions that are followed.
const MAX_DEPTH: u32 = 24;
/// Bytes of a text that is put together.
const MAX_TEXT: usize = 4096;
/// Items of a list that are looked at.
const MAX_ITEMS: usize = 64;

/// Bytes of all answers about one file: what a long text is given many names for would take any memory.
const MAX_ANSWERS: usize = 64 << 20;

/// Looks at expressions of one file.
#[derive(Debug)]
pub(super) struct Fold<'a, 'b> {
    bindings: &'b Bindings<'a>,
    steps: Cell<u32>,
    /// Bytes that answers may still have.
    room: Cell<usize>,
}

impl<'a, 'b> Fold<'a, 'b> {
    pub(super) const fn new(bindings: &'b Bindings<'a>) -> Self {
        Self { bindings, steps: Cell::new(0), room: Cell::new(MAX_ANSWERS) }
    }

    /// The dotted name that an expression stands for, in the one spelling.
    pub(super) fn path(&self, expression: &Expr, scope: usize) -> Option<String> {
        if self.is_full() {
            return None;
        }
        self.steps.set(0);
        let path = self.path_of(expression, scope, 0).map(spelt)?;
        self.take(path.len());
        Some(path)
    }

    /// What an expression is.
    pub(super) fn value(&self, expression: &Expr, scope: usize) -> Value {
        if self.is_full() {
            return Value::Unknown;
        }
        self.steps.set(0);
        let value = self.value_of(expression, scope, 0);
        self.take(value.bytes());
        value
    }

    /// Whether the answers are so long that there are no more.
    pub(super) fn is_full(&self) -> bool {
        self.room.get() == 0
    }

    fn take(&self, bytes: usize) {
        self.room.set(self.room.get().saturating_sub(bytes));
    }

    fn may_go_on(&self, depth: u32) -> bool {
        self.steps.set(self.steps.get() + 1);
        depth < MAX_DEPTH && self.steps.get() < MAX_STEPS
    }

    fn path_of(&self, expression: &Expr, scope: usize, depth: u32) -> Option<String> {
        if !self.may_go_on(depth) {
            return None;
        }
        match expression {
            Expr::Name(name) => match self.bindings.find(name.id.as_str(), scope) {
                Some(binding) => self.bound(binding, depth),
                None => (!self.bindings.has_star || is_builtin(&name.id)).then(|| name.id.to_string()),
            },
            Expr::Attribute(attribute) => {
                let is_self = attribute.value.as_name_expr().is_some_and(|name| name.id.as_str() == "self");
                if is_self {
                    return self.bound(self.bindings.kept(attribute.attr.as_str(), scope)?, depth);
                }
                let object = self.path_of(&attribute.value, scope, depth + 1)?;
                Some(format!("{object}.{}", attribute.attr))
            }
            Expr::Call(call) => self.called(call, scope, depth),
            Expr::Await(awaited) => self.path_of(&awaited.value, scope, depth + 1),
            Expr::Named(named) => self.path_of(&named.value, scope, depth + 1),
            Expr::Subscript(subscript) => Some(format!("{}[]", self.path_of(&subscript.value, scope, depth + 1)?)),
            _ => None,
        }
    }

    fn bound(&self, binding: &Binding<'a>, depth: u32) -> Option<String> {
        match binding {
            Binding::Import(path) => Some(spelt(format!("{path}."))).map(|path| path.trim_end_matches('.').to_owned()),
            Binding::Value(value, scope) => self.path_of(value, *scope, depth + 1),
            Binding::Typed(of, scope) => Some(format!("{}()", self.path_of(of, *scope, depth + 1)?)),
            // As what a package has itself: `.Own().train`.
            Binding::Class(name) => Some(format!(".{name}")),
            Binding::Defined | Binding::Unknown => None,
        }
    }

    /// What a call gives: a module where it imports one by a known name.
    fn called(&self, call: &ExprCall, scope: usize, depth: u32) -> Option<String> {
        let path = spelt(self.path_of(&call.func, scope, depth + 1)?);
        if matches!(path.as_str(), "__import__" | "importlib.import_module") {
            return self.value_of(call.arguments.args.first()?, scope, depth + 1).text().map(str::to_owned);
        }
        if path == "getattr"
            && let [object, name] = &*call.arguments.args
        {
            let object = self.path_of(object, scope, depth + 1)?;
            return Some(format!("{object}.{}", self.value_of(name, scope, depth + 1).text()?));
        }
        Some(format!("{path}()"))
    }

    fn value_of(&self, expression: &Expr, scope: usize, depth: u32) -> Value {
        if !self.may_go_on(depth) {
            return Value::Unknown;
        }
        match expression {
            Expr::NoneLiteral(_) => Value::Nothing,
            Expr::BooleanLiteral(literal) => Value::Bool(literal.value),
            Expr::NumberLiteral(literal) => number(&literal.value),
            Expr::StringLiteral(literal) => whole(literal.value.to_str()),
            Expr::FString(formatted) => self.formatted(formatted, scope, depth),
            Expr::BinOp(operation) => self.operation(operation, scope, depth),
            Expr::List(list) => self.items(&list.elts, scope, depth),
            Expr::Tuple(tuple) => self.items(&tuple.elts, scope, depth),
            Expr::Dict(dict) => {
                let items = dict.items.iter().take(MAX_ITEMS).filter_map(|item| {
                    let key = self.value_of(item.key.as_ref()?, scope, depth + 1).text()?.to_owned();
                    Some((key, self.value_of(&item.value, scope, depth + 1)))
                });
                Value::Table(items.collect())
            }
            Expr::Name(name) => match self.bindings.find(name.id.as_str(), scope) {
                Some(Binding::Value(value, scope)) => self.value_of(value, *scope, depth + 1),
                _ => self.as_path(expression, scope, depth),
            },
            Expr::Call(call) => self.made(call, scope, depth),
            _ => self.as_path(expression, scope, depth),
        }
    }

    fn as_path(&self, expression: &Expr, scope: usize, depth: u32) -> Value {
        if let Expr::Attribute(attribute) = expression
            && attribute.value.as_name_expr().is_some_and(|name| name.id.as_str() == "self")
            && let Some(Binding::Value(value, scope)) = self.bindings.kept(attribute.attr.as_str(), scope)
        {
            return self.value_of(value, *scope, depth + 1);
        }
        self.path_of(expression, scope, depth + 1).map_or(Value::Unknown, |path| Value::Path(spelt(path)))
    }

    fn items(&self, items: &[Expr], scope: usize, depth: u32) -> Value {
        Value::Items(items.iter().take(MAX_ITEMS).map(|item| self.value_of(item, scope, depth + 1)).collect())
    }

    fn operation(&self, operation: &ExprBinOp, scope: usize, depth: u32) -> Value {
        if !matches!(operation.op, Operator::Add | Operator::Div) {
            return Value::Unknown;
        }
        let left = self.value_of(&operation.left, scope, depth + 1);
        let right = self.value_of(&operation.right, scope, depth + 1);
        match (operation.op, left, right) {
            (Operator::Add, Value::Text(left), right) => joined(&left, "", &right),
            (Operator::Add, left, Value::Text(right)) if !left.is_known() => {
                let start = Text { known: "\0".into(), is_whole: false, is_file: false };
                joined(&start, "", &Value::Text(right))
            }
            (Operator::Div, Value::Text(left), right) if left.is_file => joined(&left, "/", &right),
            (Operator::Div, _, Value::Text(right)) => {
                let start = Text { known: "\0".into(), is_whole: false, is_file: true };
                joined(&start, "/", &Value::Text(right))
            }
            _ => Value::Unknown,
        }
    }

    fn formatted(&self, formatted: &ExprFString, scope: usize, depth: u32) -> Value {
        let mut text = Text { known: String::new(), is_whole: true, is_file: false };
        for part in formatted.value.iter() {
            match part {
                FStringPart::Literal(literal) => add(&mut text, literal.as_str()),
                FStringPart::FString(inner) => {
                    for element in inner.elements.iter() {
                        match element {
                            InterpolatedStringElement::Literal(literal) => add(&mut text, &literal.value),
                            InterpolatedStringElement::Interpolation(expression) => {
                                self.interpolate(&mut text, &expression.expression, scope, depth);
                            }
                        }
                    }
                }
            }
        }
        Value::Text(text)
    }

    fn interpolate(&self, text: &mut Text, expression: &Expr, scope: usize, depth: u32) {
        match self.value_of(expression, scope, depth + 1) {
            Value::Text(inner) => {
                text.is_whole &= inner.is_whole;
                add(text, &inner.known);
            }
            Value::Integer(value) => add(text, &value.to_string()),
            _ => {
                text.is_whole = false;
                add(text, "\0");
            }
        }
    }

    /// What some calls give: paths of files that are put together.
    fn made(&self, call: &ExprCall, scope: usize, depth: u32) -> Value {
        let Some(path) = self.path_of(&call.func, scope, depth + 1).map(spelt) else { return Value::Unknown };
        let arguments = &call.arguments.args;
        let is_path = matches!(path.as_str(), "pathlib.Path" | "pathlib.PurePath" | "pathlib.PosixPath");
        let joins = path == "os.path.join" || is_path;
        let keeps = matches!(path.as_str(), "str" | "os.path.abspath" | "os.path.expanduser" | "os.path.realpath");
        match arguments.first() {
            Some(first) if joins || keeps => {
                let mut text = match self.value_of(first, scope, depth + 1) {
                    Value::Text(text) => text,
                    // What is not known may be a text: a file's path all the same where it is joined.
                    _ if joins => Text { known: "\0".into(), is_whole: false, is_file: true },
                    other => return other,
                };
                text.is_file |= path != "str";
                for argument in arguments.iter().skip(1).filter(|_| joins).take(MAX_ITEMS) {
                    let next = self.value_of(argument, scope, depth + 1);
                    match joined(&text, "/", &next) {
                        Value::Text(longer) => text = longer,
                        _ => return Value::Unknown,
                    }
                }
                Value::Text(text)
            }
            _ => self.called(call, scope, depth).map_or(Value::Unknown, |path| Value::Path(spelt(path))),
        }
    }
}

fn number(number: &Number) -> Value {
    match number {
        Number::Int(value) => Value::Integer(value.as_i64().unwrap_or(i64::MAX)),
        _ => Value::Number,
    }
}

fn whole(text: &str) -> Value {
    let mut value = Text { known: String::new(), is_whole: true, is_file: false };
    add(&mut value, text);
    Value::Text(value)
}

/// Adds to a text as far as it may grow.
fn add(text: &mut Text, more: &str) {
    let room = MAX_TEXT.saturating_sub(text.known.len());
    let cut = more.floor_char_boundary(room);
    text.is_whole &= cut == more.len();
    text.known.push_str(&more[..cut]);
}

fn joined(left: &Text, between: &str, right: &Value) -> Value {
    let mut text = left.clone();
    if !between.is_empty() && !text.known.ends_with('/') {
        add(&mut text, between);
    }
    match right {
        Value::Text(right) => {
            text.is_whole &= right.is_whole;
            text.is_file |= right.is_file;
            add(&mut text, &right.known);
        }
        _ => {
            text.is_whole = false;
            add(&mut text, "\0");
        }
    }
    Value::Text(text)
}

/// Names that need no import.
fn is_builtin(name: &str) -> bool {
    matches!(
        name,
        "open"
            | "exec"
            | "eval"
            | "compile"
            | "sorted"
            | "set"
            | "frozenset"
            | "list"
            | "tuple"
            | "enumerate"
            | "len"
            | "sum"
            | "min"
            | "max"
            | "getattr"
            | "__import__"
            | "int"
            | "str"
            | "input"
            | "hash"
            | "id"
            | "print"
    )
}
