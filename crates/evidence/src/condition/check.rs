//! Checks a condition before anything is evaluated: names, types, and how many steps it could take at most.

use cel::Env;
use cel::IdedExpr;
use cel::common::ast::{CallExpr, Expr, LiteralValue, SelectExpr, SourceInfo};

use super::variables::{Kind, VARIABLES};
use super::{InvalidCondition, MAX_ITEMS};

/// Steps that a condition could take at most: one list within another is let in, and takes seconds where both are as long as
/// they may be; a third is not.
const MAX_STEPS: u64 = 15_000_000;

/// Checks a text, and names the variables that it asks for.
pub(super) fn check(text: &str, depth: u16) -> Result<Vec<String>, InvalidCondition> {
    // Without macros, so that what was written is seen, and not what becomes of it.
    let parser = Env::default().with_optional_support(false).parser().max_recursion_depth(depth);
    let (expression, source) = parser.parse_with_source_info(text).map_err(|errors| {
        let first = errors.errors.first();
        let message = first.map_or_else(|| "it is no expression".to_owned(), |error| error.msg.clone());
        InvalidCondition { message, at: first.map_or(0, |error| offset(text, error.pos)) }
    })?;
    let mut checker = Checker { source, locals: Vec::new(), asked: Vec::new() };
    let found = checker.expression(&expression)?;
    if found.kind != Kind::Bool {
        return Err(checker.refuse(&expression, format!("a condition is true or false, and this is a {}", found.kind)));
    }
    if found.steps > MAX_STEPS {
        return Err(checker.refuse(&expression, format!("it could take more than {MAX_STEPS} steps: nest less")));
    }
    checker.asked.sort();
    checker.asked.dedup();
    Ok(checker.asked)
}

/// The character at a line, counted from 1, and a column.
fn offset(text: &str, (line, column): (isize, isize)) -> usize {
    let (line, column) = (usize::try_from(line).unwrap_or(1).max(1), usize::try_from(column).unwrap_or(0));
    let before = text.split_inclusive('\n').take(line - 1).map(|line| line.chars().count()).sum::<usize>();
    (before + column.saturating_sub(1)).min(text.chars().count())
}

/// What an expression is.
#[derive(Clone, Copy)]
struct Found {
    kind: Kind,
    /// Steps that it takes at most.
    steps: u64,
    /// Entries that it has at most, where it is a list.
    items: u64,
}

impl Found {
    const fn scalar(kind: Kind, steps: u64) -> Self {
        Self { kind, steps: steps.saturating_add(1), items: MAX_ITEMS as u64 }
    }
}

struct Checker {
    source: SourceInfo,
    /// Variables of macros, innermost last.
    locals: Vec<(String, Kind)>,
    asked: Vec<String>,
}

type Checked = Result<Found, InvalidCondition>;

impl Checker {
    fn refuse(&self, at: &IdedExpr, message: impl Into<String>) -> InvalidCondition {
        let at = self.source.offset_for(at.id).map_or(0, |(start, _)| start as usize);
        InvalidCondition { message: message.into(), at }
    }

    fn expression(&mut self, expression: &IdedExpr) -> Checked {
        match &expression.expr {
            Expr::Literal(literal) => self.literal(expression, literal),
            Expr::Ident(name) => self.name(expression, name),
            Expr::Select(select) => self.select(expression, select),
            Expr::Call(call) => self.call(expression, call),
            Expr::List(list) => self.list(expression, &list.elements),
            _ => Err(self.refuse(expression, "objects and messages cannot be made here")),
        }
    }

    fn literal(&self, at: &IdedExpr, literal: &LiteralValue) -> Checked {
        match literal {
            LiteralValue::Boolean(_) => Ok(Found::scalar(Kind::Bool, 0)),
            LiteralValue::Int(_) => Ok(Found::scalar(Kind::Int, 0)),
            LiteralValue::String(_) => Ok(Found::scalar(Kind::Text, 0)),
            _ => Err(self.refuse(at, "only true, false, whole numbers and texts stand here")),
        }
    }

    fn name(&mut self, at: &IdedExpr, name: &str) -> Checked {
        if let Some((_, kind)) = self.locals.iter().rev().find(|(local, _)| local == name) {
            return Ok(Found::scalar(*kind, 0));
        }
        let Some(variable) = VARIABLES.iter().find(|variable| variable.name == name) else {
            let names: Vec<&str> = VARIABLES.iter().map(|variable| variable.name).collect();
            return Err(self.refuse(at, format!("there is no variable '{name}'; there are {}", names.join(", "))));
        };
        self.asked.push(name.to_owned());
        Ok(Found::scalar(variable.kind, 0))
    }

    fn select(&mut self, at: &IdedExpr, select: &SelectExpr) -> Checked {
        let operand = self.expression(&select.operand)?;
        let kind = self.field(at, operand.kind, &select.field)?;
        Ok(Found::scalar(kind, operand.steps))
    }

    fn field(&self, at: &IdedExpr, kind: Kind, name: &str) -> Result<Kind, InvalidCondition> {
        match kind {
            Kind::Object(fields) => match fields.iter().find(|field| field.name == name) {
                Some(field) => Ok(field.kind),
                None => {
                    let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
                    Err(self.refuse(at, format!("there is no field '{name}'; there are {}", names.join(", "))))
                }
            },
            Kind::Outcomes => self.control(at, name),
            kind => Err(self.refuse(at, format!("a {kind} has no field '{name}'"))),
        }
    }

    fn control(&self, at: &IdedExpr, id: &str) -> Result<Kind, InvalidCondition> {
        match crate::control::find(id) {
            Some(_) => Ok(Kind::Text),
            None => Err(self.refuse(at, format!("there is no control '{id}'"))),
        }
    }

    fn list(&mut self, at: &IdedExpr, elements: &[IdedExpr]) -> Checked {
        let mut steps: u64 = 1;
        let mut kind = None;
        for element in elements {
            let found = self.expression(element)?;
            // Lists of lists and of what was found could grow with every level.
            if !matches!(element.expr, Expr::Literal(_)) || kind.is_some_and(|kind| kind != found.kind) {
                return Err(self.refuse(element, "lists hold numbers or texts that are written out, of one kind"));
            }
            kind = Some(found.kind);
            steps = steps.saturating_add(found.steps);
        }
        let kind = match kind {
            Some(Kind::Text) => &Kind::Text,
            Some(Kind::Int) => &Kind::Int,
            Some(Kind::Bool) => &Kind::Bool,
            _ => return Err(self.refuse(at, "the list is empty")),
        };
        Ok(Found { kind: Kind::List(kind), steps, items: elements.len() as u64 })
    }

    fn call(&mut self, at: &IdedExpr, call: &CallExpr) -> Checked {
        match (call.func_name.as_str(), call.target.as_deref(), call.args.as_slice()) {
            ("exists" | "all" | "exists_one" | "filter", Some(list), [variable, body]) => {
                self.over(at, &call.func_name, list, variable, body)
            }
            ("has", None, [field]) => match &field.expr {
                Expr::Select(_) => Ok(Found { kind: Kind::Bool, ..self.expression(field)? }),
                _ => Err(self.refuse(at, "has() asks for a field, as in has(subject.name)")),
            },
            ("size", None, [of]) | ("size", Some(of), []) => self.size(at, of),
            ("contains" | "startsWith" | "endsWith", Some(text), [part]) => {
                self.same(at, &call.func_name, &[text, part], Kind::Text, Kind::Bool)
            }
            (operator, None, operands) => self.operator(at, operator, operands),
            (name, Some(_), _) => Err(self.no_function(at, name)),
        }
    }

    fn no_function(&self, at: &IdedExpr, name: &str) -> InvalidCondition {
        let known = "exists, all, exists_one, filter, has, size, contains, startsWith, endsWith and in";
        self.refuse(at, format!("there is no function '{name}' of these arguments; there are {known}"))
    }

    /// A macro over the entries of a list.
    fn over(&mut self, at: &IdedExpr, name: &str, list: &IdedExpr, variable: &IdedExpr, body: &IdedExpr) -> Checked {
        let range = self.expression(list)?;
        let Kind::List(kind) = range.kind else {
            return Err(self.refuse(list, format!("'{name}' goes over a list, and this is a {}", range.kind)));
        };
        let Expr::Ident(local) = &variable.expr else {
            return Err(self.refuse(variable, "the first argument is the name of an entry"));
        };
        self.locals.push((local.clone(), *kind));
        let found = self.expression(body);
        self.locals.pop();
        let found = found?;
        if found.kind != Kind::Bool {
            return Err(self.refuse(body, format!("this is true or false of an entry, and it is a {}", found.kind)));
        }
        const STEPS_OF_A_ROUND: u64 = 4;
        let rounds = range.items.saturating_mul(found.steps.saturating_add(STEPS_OF_A_ROUND));
        let steps = range.steps.saturating_add(rounds).saturating_add(1);
        let kind = if name == "filter" { range.kind } else { Kind::Bool };
        let _ = at;
        Ok(Found { kind, steps, items: range.items })
    }

    fn size(&mut self, at: &IdedExpr, of: &IdedExpr) -> Checked {
        let found = self.expression(of)?;
        match found.kind {
            Kind::List(_) | Kind::Text => Ok(Found::scalar(Kind::Int, found.steps)),
            kind => Err(self.refuse(at, format!("a {kind} has no size"))),
        }
    }

    fn operator(&mut self, at: &IdedExpr, operator: &str, operands: &[IdedExpr]) -> Checked {
        let all: Vec<&IdedExpr> = operands.iter().collect();
        match (operator, operands) {
            ("_&&_" | "_||_", [_, _]) | ("!_", [_]) => self.same(at, operator, &all, Kind::Bool, Kind::Bool),
            ("_+_" | "_-_" | "_*_" | "_/_" | "_%_", [_, _]) | ("-_", [_]) => {
                self.same(at, operator, &all, Kind::Int, Kind::Int)
            }
            ("_<_" | "_<=_" | "_>_" | "_>=_", [_, _]) => self.same(at, operator, &all, Kind::Int, Kind::Bool),
            ("_==_" | "_!=_", [one, _]) => {
                let kind = self.expression(one)?.kind;
                if !matches!(kind, Kind::Bool | Kind::Int | Kind::Text) {
                    return Err(self.refuse(at, format!("a {kind} cannot be compared")));
                }
                self.same(at, operator, &all, kind, Kind::Bool)
            }
            ("@in", [one, list]) => self.is_in(at, one, list),
            ("_[_]", [of, key]) => self.index(at, of, key),
            ("_?_:_", [condition, one, other]) => self.choice(at, condition, one, other),
            _ => Err(self.no_function(at, operator)),
        }
    }

    /// Operands that all have to be of one kind.
    fn same(&mut self, at: &IdedExpr, operator: &str, operands: &[&IdedExpr], wanted: Kind, result: Kind) -> Checked {
        let mut steps: u64 = 0;
        for operand in operands {
            let found = self.expression(operand)?;
            if found.kind != wanted {
                let operator = operator.replace('_', "");
                return Err(
                    self.refuse(operand, format!("'{operator}' needs a {wanted} here, and this is a {}", found.kind))
                );
            }
            steps = steps.saturating_add(found.steps);
        }
        let _ = at;
        Ok(Found::scalar(result, steps))
    }

    fn is_in(&mut self, at: &IdedExpr, one: &IdedExpr, list: &IdedExpr) -> Checked {
        let (found, range) = (self.expression(one)?, self.expression(list)?);
        match range.kind {
            Kind::List(kind) if *kind == found.kind && !matches!(kind, Kind::Object(_)) => {
                Ok(Found::scalar(Kind::Bool, found.steps.saturating_add(range.steps).saturating_add(range.items)))
            }
            kind => Err(self.refuse(at, format!("a {} cannot be in a {kind}", found.kind))),
        }
    }

    fn index(&mut self, at: &IdedExpr, of: &IdedExpr, key: &IdedExpr) -> Checked {
        let (found, index) = (self.expression(of)?, self.expression(key)?);
        let steps = found.steps.saturating_add(index.steps);
        match (found.kind, index.kind, &key.expr) {
            (Kind::List(kind), Kind::Int, _) => Ok(Found::scalar(*kind, steps)),
            (Kind::Outcomes, Kind::Text, Expr::Literal(LiteralValue::String(id))) => {
                Ok(Found::scalar(self.control(key, id.inner())?, steps))
            }
            (kind, _, _) => Err(self.refuse(at, format!("a {kind} is not asked for an entry like this"))),
        }
    }

    fn choice(&mut self, at: &IdedExpr, condition: &IdedExpr, one: &IdedExpr, other: &IdedExpr) -> Checked {
        let asked = self.same(at, "?", &[condition], Kind::Bool, Kind::Bool)?;
        let (one, other) = (self.expression(one)?, self.expression(other)?);
        if one.kind != other.kind {
            return Err(self.refuse(at, format!("one answer is a {} and the other a {}", one.kind, other.kind)));
        }
        let steps = asked.steps.saturating_add(one.steps.max(other.steps));
        Ok(Found { kind: one.kind, steps, items: one.items.max(other.items) })
    }
}
