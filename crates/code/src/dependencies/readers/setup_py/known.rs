//! What the names of a `setup.py` stand for, as far as nothing can have changed it, and its calls of `setup`.
//!
//! A name stands for a value where it is bound once and where no other code gets hold of it: a list that is passed on, added
//! to, or looped over may hold something else by the time that `setup` is called. Texts cannot be changed.

use std::collections::{BTreeMap, BTreeSet};

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{Alias, ExceptHandler, Expr, ExprCall, ExprContext, ExprName, Parameter, Pattern, Stmt};
use ruff_text_size::Ranged as _;

use crate::lint::syntax::{caught_name, pattern_name};

/// Expressions and blocks within each other that are looked into.
const MAX_DEPTH: usize = 500;

/// What is known.
pub(super) struct Known<'a> {
    values: BTreeMap<&'a str, Option<&'a Expr>>,
    /// Names that other code gets hold of.
    escaped: BTreeSet<&'a str>,
    /// Names that are a part of the value of another one.
    parts: BTreeMap<&'a str, Vec<&'a str>>,
    /// Names of `setup`.
    setup: BTreeSet<&'a str>,
    /// Its calls.
    pub(super) calls: Vec<&'a ExprCall>,
    /// What could not be followed, and where.
    pub(super) unfollowed: Vec<(usize, &'static str)>,
    depth: usize,
}

impl<'a> Known<'a> {
    pub(super) fn of(body: &'a [Stmt]) -> Self {
        let mut known = Self {
            values: BTreeMap::new(),
            escaped: BTreeSet::new(),
            parts: BTreeMap::new(),
            setup: BTreeSet::from(["setup"]),
            calls: Vec::new(),
            unfollowed: Vec::new(),
            depth: 0,
        };
        known.visit_body(body);
        known
    }

    /// Whoever gets hold of a value gets hold of its parts.
    pub(super) fn close(&mut self) {
        let mut open: Vec<&str> = self.escaped.iter().copied().collect();
        while let Some(name) = open.pop() {
            for part in self.parts.get(name).into_iter().flatten() {
                if self.escaped.insert(part) {
                    open.push(part);
                }
            }
        }
    }

    /// The value of an expression, where it is a name for one.
    pub(super) fn resolved(&self, expression: &'a Expr) -> &'a Expr {
        let Expr::Name(name) = expression else { return expression };
        let value = self.values.get(name.id.as_str()).copied().flatten();
        let is_kept = |value: &&Expr| value.is_string_literal_expr() || !self.escaped.contains(name.id.as_str());
        value.filter(is_kept).unwrap_or(expression)
    }

    pub(super) fn text(&self, expression: &'a Expr) -> Option<String> {
        match self.resolved(expression) {
            Expr::StringLiteral(literal) => Some(literal.value.to_str().to_owned()),
            _ => None,
        }
    }

    /// A name that is bound twice, or to what is not followed, stands for nothing that is known.
    fn bind(&mut self, name: &'a str, value: Option<&'a Expr>) {
        let value = value.filter(|_| !self.values.contains_key(name));
        self.values.insert(name, value);
    }

    fn assign(&mut self, target: &'a Expr, value: &'a Expr) {
        match target {
            Expr::Name(name) => {
                self.bind(name.id.as_str(), Some(value));
                self.held(value, Some(name.id.as_str()));
            }
            other => {
                self.visit_expr(other);
                self.visit_expr(value);
            }
        }
    }

    /// A value that is held by a name or an argument of `setup`: its parts are not passed on by that.
    fn held(&mut self, value: &'a Expr, holder: Option<&'a str>) {
        match value {
            Expr::Name(name) => {
                if let Some(holder) = holder {
                    self.parts.entry(holder).or_default().push(name.id.as_str());
                }
                self.setup_passed_on(name);
            }
            Expr::List(list) => list.elts.iter().for_each(|item| self.held(item, holder)),
            Expr::Tuple(tuple) => tuple.elts.iter().for_each(|item| self.held(item, holder)),
            Expr::Dict(dict) => {
                dict.items.iter().filter_map(|item| item.key.as_ref()).for_each(|key| self.visit_expr(key));
                dict.items.iter().for_each(|item| self.held(&item.value, holder));
            }
            other => self.visit_expr(other),
        }
    }

    fn setup_passed_on(&mut self, name: &'a ExprName) {
        if self.setup.contains(name.id.as_str()) {
            self.unfollowed.push((name.range().start().to_usize(), "setup() goes by a name that is not followed"));
        }
    }

    fn name(&mut self, name: &'a ExprName) {
        if name.ctx == ExprContext::Load {
            self.setup_passed_on(name);
            self.escaped.insert(name.id.as_str());
        } else {
            self.bind(name.id.as_str(), None);
        }
    }

    /// Looks into something, as long as it does not lie too deep.
    fn deeper(&mut self, at: usize, look: impl FnOnce(&mut Self)) {
        if self.depth >= MAX_DEPTH {
            return self.unfollowed.push((at, "something lies deeper than is looked into"));
        }
        self.depth += 1;
        look(self);
        self.depth -= 1;
    }

    fn within(&mut self, expression: &'a Expr) {
        match expression {
            Expr::BinOp(operation) => [&operation.left, &operation.right].into_iter().for_each(|it| self.operand(it)),
            Expr::Compare(compare) => {
                std::iter::once(&*compare.left).chain(&compare.comparators).for_each(|it| self.operand(it));
            }
            Expr::Starred(starred) if starred.ctx == ExprContext::Load => self.operand(&starred.value),
            other => visitor::walk_expr(self, other),
        }
    }

    /// What is compared or added up is read alone.
    fn operand(&mut self, expression: &'a Expr) {
        if !expression.is_name_expr() {
            self.visit_expr(expression);
        }
    }

    fn is_setup(&self, callee: &Expr) -> bool {
        match callee {
            Expr::Name(name) => self.setup.contains(name.id.as_str()),
            Expr::Attribute(attribute) => attribute.attr.as_str() == "setup",
            _ => false,
        }
    }

    fn call_of_setup(&mut self, call: &'a ExprCall) {
        self.calls.push(call);
        if let Expr::Attribute(attribute) = &*call.func {
            self.visit_expr(&attribute.value);
        }
        call.arguments.args.iter().for_each(|argument| self.visit_expr(argument));
        call.arguments.keywords.iter().for_each(|keyword| self.held(&keyword.value, None));
    }
}

impl<'a> Visitor<'a> for Known<'a> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::Assign(assign) => {
                // Two names of one list: by either it can be changed.
                if let [target] = assign.targets.as_slice() {
                    return self.assign(target, &assign.value);
                }
            }
            Stmt::AnnAssign(assign) => {
                if let Some(value) = &assign.value {
                    self.assign(&assign.target, value);
                }
                return;
            }
            Stmt::FunctionDef(function) => self.bind(function.name.as_str(), None),
            Stmt::ClassDef(class) => self.bind(class.name.as_str(), None),
            _ => {}
        }
        self.deeper(statement.range().start().to_usize(), |known| visitor::walk_stmt(known, statement));
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        match expression {
            Expr::Name(name) => self.name(name),
            Expr::Call(call) if self.is_setup(&call.func) => self.call_of_setup(call),
            other => self.deeper(other.range().start().to_usize(), |known| known.within(other)),
        }
    }

    fn visit_annotation(&mut self, _: &'a Expr) {}

    fn visit_alias(&mut self, alias: &'a Alias) {
        let name = alias.asname.as_ref().unwrap_or(&alias.name).as_str();
        match alias.name.as_str() {
            "setup" => {
                self.setup.insert(name);
            }
            "*" => self.unfollowed.push((alias.range.start().to_usize(), "names come from a module that was not read")),
            _ => self.bind(name.split('.').next().unwrap_or(name), None),
        }
    }

    fn visit_parameter(&mut self, parameter: &'a Parameter) {
        self.bind(parameter.name.as_str(), None);
    }

    fn visit_except_handler(&mut self, handler: &'a ExceptHandler) {
        if let Some(name) = caught_name(handler) {
            self.bind(name, None);
        }
        visitor::walk_except_handler(self, handler);
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        if let Some(name) = pattern_name(pattern) {
            self.bind(name, None);
        }
        visitor::walk_pattern(self, pattern);
    }
}
