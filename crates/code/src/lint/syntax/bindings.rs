//! What names are bound to, in every function and class.

use std::collections::{HashMap, HashSet};

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{
    Comprehension, ExceptHandler, Expr, Identifier, Parameters, Pattern, Stmt, StmtAssign, StmtClassDef,
    StmtFunctionDef, StmtImport, StmtImportFrom, WithItem,
};
use ruff_text_size::Ranged as _;

use super::record::{argument_name, caught_name, pattern_name};
use super::script::Scope;

/// What a name stands for.
#[derive(Debug, Clone)]
pub(super) enum Binding<'a> {
    /// A module or something in one.
    Import(String),
    /// An expression, evaluated in a scope.
    Value(&'a Expr, usize),
    /// Something of a type.
    Typed(&'a Expr, usize),
    /// A function of this file.
    Defined,
    /// A class of this file.
    Class(&'a str),
    /// Anything.
    Unknown,
}

/// The names of one function, class or file.
#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    pub(super) parent: Option<usize>,
    pub(super) is_class: bool,
    names: HashMap<&'a str, Binding<'a>>,
    /// What methods keep in `self`.
    kept: HashMap<&'a str, Binding<'a>>,
    globals: HashSet<&'a str>,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Bindings<'a> {
    pub(super) scopes: Vec<Names<'a>>,
    pub(super) told: Vec<Scope>,
    /// The scope of a definition, by where it starts.
    by_start: HashMap<u32, usize>,
    /// Whether names may come from anywhere: `from x import *`.
    pub(super) has_star: bool,
    current: usize,
}

impl<'a> Bindings<'a> {
    pub(super) fn new(body: &'a [Stmt]) -> Self {
        let mut all = Self::default();
        all.scopes.push(Names::default());
        all.told.push(Scope::default());
        all.visit_body(body);
        all
    }

    /// The scope of a definition.
    pub(super) fn scope_of(&self, statement: &Stmt) -> usize {
        self.by_start.get(&statement.range().start().to_u32()).copied().unwrap_or(0)
    }

    /// What a name stands for where it is used. None when nothing here binds it.
    pub(super) fn find(&self, name: &str, scope: usize) -> Option<&Binding<'a>> {
        let mut next = Some(scope);
        while let Some(index) = next {
            let names = self.scopes.get(index)?;
            // What stands in a class is not seen from its methods.
            if let Some(found) = names.names.get(name).filter(|_| !names.is_class || index == scope) {
                return Some(found);
            }
            next = names.parent;
        }
        None
    }

    /// What a method's class keeps under this name.
    pub(super) fn kept(&self, name: &str, scope: usize) -> Option<&Binding<'a>> {
        let class = self.class_of(scope)?;
        let names = self.scopes.get(class)?;
        names.kept.get(name).or_else(|| names.names.get(name))
    }

    fn class_of(&self, scope: usize) -> Option<usize> {
        let mut next = Some(scope);
        while let Some(index) = next {
            let names = self.scopes.get(index)?;
            if names.is_class {
                return Some(index);
            }
            next = names.parent;
        }
        None
    }

    fn bind(&mut self, name: &'a str, binding: Binding<'a>) {
        let is_global = self.scopes[self.current].globals.contains(name);
        let scope = if is_global { 0 } else { self.current };
        join(&mut self.scopes[scope].names, name, binding);
    }

    /// Whatever an assignment or loop binds.
    fn bind_target(&mut self, target: &'a Expr, value: Option<&'a Expr>) {
        match (target, value) {
            (Expr::Name(name), Some(value)) => self.bind(name.id.as_str(), Binding::Value(value, self.current)),
            (Expr::Name(name), None) => self.bind(name.id.as_str(), Binding::Unknown),
            (Expr::Tuple(many), _) => self.bind_each(&many.elts, value),
            (Expr::List(many), _) => self.bind_each(&many.elts, value),
            (Expr::Starred(starred), _) => self.bind_target(&starred.value, None),
            (Expr::Attribute(attribute), value) => {
                let is_self = attribute.value.as_name_expr().is_some_and(|name| name.id.as_str() == "self");
                if let Some(class) = self.class_of(self.current).filter(|_| is_self) {
                    let binding = value.map_or(Binding::Unknown, |value| Binding::Value(value, self.current));
                    join(&mut self.scopes[class].kept, attribute.attr.as_str(), binding);
                }
            }
            _ => {}
        }
    }

    fn bind_each(&mut self, targets: &'a [Expr], value: Option<&'a Expr>) {
        let values: &[Expr] = match value {
            Some(Expr::Tuple(values)) if values.elts.len() == targets.len() => &values.elts,
            Some(Expr::List(values)) if values.elts.len() == targets.len() => &values.elts,
            _ => &[],
        };
        for (index, target) in targets.iter().enumerate() {
            self.bind_target(target, values.get(index));
        }
    }

    fn enter(&mut self, statement_start: u32, name: &str, is_class: bool) -> usize {
        let index = self.scopes.len();
        self.scopes.push(Names { parent: Some(self.current), is_class, ..Names::default() });
        self.told.push(Scope { name: name.to_owned(), ..Scope::default() });
        self.by_start.insert(statement_start, index);
        std::mem::replace(&mut self.current, index)
    }

    fn function(&mut self, function: &'a StmtFunctionDef) {
        self.bind(function.name.as_str(), Binding::Defined);
        // Defaults and decorators are evaluated outside.
        for decorator in &function.decorator_list {
            self.visit_decorator(decorator);
        }
        let outer = self.enter(function.range().start().to_u32(), function.name.as_str(), false);
        self.parameters(&function.parameters);
        self.visit_body(&function.body);
        self.current = outer;
    }

    fn parameters(&mut self, parameters: &'a Parameters) {
        for parameter in parameters.iter() {
            let parameter = parameter.as_parameter();
            let binding = parameter.annotation().map_or(Binding::Unknown, |of| Binding::Typed(of, self.current));
            self.bind(parameter.name.as_str(), binding);
        }
    }

    fn class(&mut self, class: &'a StmtClassDef) {
        self.bind(class.name.as_str(), Binding::Class(class.name.as_str()));
        let outer = self.enter(class.range().start().to_u32(), class.name.as_str(), true);
        self.visit_body(&class.body);
        self.current = outer;
    }

    fn import(&mut self, import: &'a StmtImport) {
        for alias in &import.names {
            match &alias.asname {
                Some(name) => self.bind(name.as_str(), Binding::Import(alias.name.to_string())),
                None => {
                    let first = alias.name.as_str().split('.').next().unwrap_or_default();
                    self.bind(first, Binding::Import(first.to_owned()));
                }
            }
        }
    }

    fn import_from(&mut self, import: &'a StmtImportFrom) {
        let module = import.module.as_ref().map(Identifier::as_str).unwrap_or_default();
        for alias in &import.names {
            if alias.name.as_str() == "*" {
                self.has_star = true;
                continue;
            }
            let name = alias.asname.as_ref().unwrap_or(&alias.name);
            let dots = ".".repeat(import.level.min(8) as usize);
            let dot = if module.is_empty() { "" } else { "." };
            self.bind(name.as_str(), Binding::Import(format!("{dots}{module}{dot}{}", alias.name)));
        }
    }

    fn assign(&mut self, assign: &'a StmtAssign) {
        for target in &assign.targets {
            self.bind_target(target, Some(&assign.value));
        }
    }
}

/// A name that is bound twice stands for anything, unless imports alone bind it, a library or what replaces it, or it is
/// of one type each time.
fn join<'a>(names: &mut HashMap<&'a str, Binding<'a>>, name: &'a str, binding: Binding<'a>) {
    let Some(known) = names.get_mut(name) else {
        names.insert(name, binding);
        return;
    };
    let is_none = |binding: &Binding<'_>| matches!(binding, Binding::Value(Expr::NoneLiteral(_), _));
    match (&*known, &binding) {
        (Binding::Import(_), Binding::Import(_)) => {}
        (Binding::Import(_), other) if is_none(other) => {}
        (other, Binding::Import(_)) if is_none(other) => *known = binding,
        (Binding::Value(Expr::Call(first), scope), Binding::Value(Expr::Call(second), _))
            if is_same(&first.func, &second.func) =>
        {
            *known = Binding::Typed(&first.func, *scope);
        }
        (Binding::Typed(of, _), Binding::Value(Expr::Call(again), _)) if is_same(of, &again.func) => {}
        _ => *known = Binding::Unknown,
    }
}

/// Whether two expressions are the same name.
fn is_same(one: &Expr, other: &Expr) -> bool {
    let name = argument_name(one);
    name.is_some() && name == argument_name(other)
}

impl<'a> Visitor<'a> for Bindings<'a> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::FunctionDef(function) => return self.function(function),
            Stmt::ClassDef(class) => return self.class(class),
            Stmt::Import(import) => return self.import(import),
            Stmt::ImportFrom(import) => return self.import_from(import),
            Stmt::Global(global) => {
                let names = global.names.iter().map(Identifier::as_str);
                self.scopes[self.current].globals.extend(names);
            }
            Stmt::Assign(assign) => self.assign(assign),
            Stmt::AnnAssign(assign) => self.bind_target(&assign.target, assign.value.as_deref()),
            Stmt::AugAssign(assign) => {
                // What is added to was bound before: twice in all.
                self.bind_target(&assign.target, None);
                self.bind_target(&assign.target, None);
            }
            Stmt::For(each) => self.bind_target(&each.target, None),
            Stmt::Delete(delete) => delete.targets.iter().for_each(|target| self.bind_target(target, None)),
            _ => {}
        }
        visitor::walk_stmt(self, statement);
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        match expression {
            Expr::Named(named) => self.bind_target(&named.target, Some(&named.value)),
            Expr::Lambda(lambda) => {
                for parameter in lambda.parameters.iter().flat_map(|parameters| parameters.iter()) {
                    self.bind(parameter.name().as_str(), Binding::Unknown);
                }
            }
            // Nothing below these binds a name.
            Expr::Name(_) | Expr::StringLiteral(_) | Expr::NumberLiteral(_) | Expr::BooleanLiteral(_) => return,
            _ => {}
        }
        visitor::walk_expr(self, expression);
    }

    fn visit_annotation(&mut self, _: &'a Expr) {}

    fn visit_comprehension(&mut self, comprehension: &'a Comprehension) {
        self.bind_target(&comprehension.target, None);
        visitor::walk_comprehension(self, comprehension);
    }

    fn visit_with_item(&mut self, item: &'a WithItem) {
        if let Some(target) = &item.optional_vars {
            self.bind_target(target, Some(&item.context_expr));
        }
        visitor::walk_with_item(self, item);
    }

    fn visit_except_handler(&mut self, handler: &'a ExceptHandler) {
        if let Some(name) = caught_name(handler) {
            self.bind(name, Binding::Unknown);
        }
        visitor::walk_except_handler(self, handler);
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        if let Some(name) = pattern_name(pattern) {
            self.bind(name, Binding::Unknown);
        }
        visitor::walk_pattern(self, pattern);
    }
}
