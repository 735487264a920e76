//! The second reading: with every name known, what is called, stored and imported.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{
    Comprehension, ElifElseClause, Expr, ExprCall, ExprContext, ExprIpyEscapeCommand, IpyEscapeKind, Stmt, StmtImport,
    StmtImportFrom, WithItem,
};
use ruff_text_size::Ranged as _;

use super::bindings::Bindings;
use super::fold::Fold;
use super::record::{argument_name, span_of};
use super::script::{Argument, Call, Callee, Command, Import, Script, Span, Store, Value};

/// Arguments that are looked at, of one call.
const MAX_ARGUMENTS: usize = 128;
/// Bytes of a text that is kept for rules about texts.
const MAX_TEXT: usize = 4096;

/// Reads a file whose tree there is.
pub(super) fn read(body: &[Stmt]) -> Script {
    let bindings = Bindings::new(body);
    let mut reader = Reader {
        fold: Fold::new(&bindings),
        bindings: &bindings,
        script: Script { scopes: bindings.told.clone(), ..Script::default() },
        scope: 0,
        place: Place::default(),
    };
    reader.visit_body(body);
    Script { is_cut: reader.fold.is_full(), ..reader.script }
}

struct Reader<'a, 'b> {
    bindings: &'b Bindings<'a>,
    fold: Fold<'a, 'b>,
    script: Script,
    scope: usize,
    /// Where the next expression stands.
    place: Place,
}

/// What becomes of an expression. Nothing of these: it is taken into something.
#[derive(Debug, Clone, Default)]
struct Place {
    /// The call that it is an argument of, by itself.
    within: Option<usize>,
    /// The call that its items go into.
    feeds: Option<usize>,
    is_iterated: bool,
    is_tested: bool,
    assigned: Option<String>,
}

impl Place {
    fn tested() -> Self {
        Self { is_tested: true, ..Self::default() }
    }

    /// Of what is joined to others, or gone over, on the way there.
    fn through(&self) -> Self {
        Self { within: None, is_iterated: false, ..self.clone() }
    }
}

impl<'a> Reader<'a, '_> {
    fn at(&mut self, place: Place, expression: &'a Expr) {
        self.place = place;
        self.visit_expr(expression);
    }

    fn call(&mut self, call: &'a ExprCall, place: Place) {
        let index = self.script.calls.len();
        let record = Call {
            callee: self.callee(&call.func),
            span: span_of(call.range()),
            parentheses: span_of(call.arguments.range),
            positional: Vec::new(),
            keywords: Vec::new(),
            is_open: call.arguments.args.iter().any(Expr::is_starred_expr)
                || call.arguments.keywords.iter().any(|keyword| keyword.arg.is_none()),
            within: place.within,
            feeds: place.feeds,
            is_iterated: place.is_iterated,
            is_tested: place.is_tested,
            assigned: place.assigned,
            scope: self.scope,
        };
        self.script.calls.push(record);
        self.fill(index, call);
        self.visit_expr(&call.func);
        let keywords = call.arguments.keywords.iter().map(|keyword| &keyword.value);
        for argument in call.arguments.args.iter().chain(keywords) {
            self.at(Place { within: Some(index), feeds: Some(index), ..Place::default() }, argument);
        }
    }

    /// What is only a way to where an expression goes; whether it was one.
    fn way(&mut self, expression: &'a Expr, place: &Place) -> bool {
        match expression {
            // `await load()` is still the argument or the thing that is gone over.
            Expr::Await(awaited) => self.at(place.clone(), &awaited.value),
            Expr::Starred(starred) => self.at(place.through(), &starred.value),
            Expr::BinOp(operation) => {
                self.at(place.through(), &operation.left);
                self.at(place.through(), &operation.right);
            }
            Expr::BoolOp(operation) => {
                operation.values.iter().for_each(|value| self.at(place.through(), value));
            }
            Expr::If(choice) => {
                self.at(Place::tested(), &choice.test);
                self.at(place.through(), &choice.body);
                self.at(place.through(), &choice.orelse);
            }
            Expr::UnaryOp(operation) => self.at(Place::tested(), &operation.operand),
            Expr::Compare(compare) => {
                let compared = std::iter::once(&*compare.left).chain(&compare.comparators);
                compared.for_each(|compared| self.at(Place::tested(), compared));
            }
            Expr::Named(named) => {
                self.at(Place { assigned: argument_name(&named.target), ..place.through() }, &named.value);
            }
            Expr::ListComp(made) => self.comprehension(&made.generators, &made.elt, place),
            Expr::Generator(made) => self.comprehension(&made.generators, &made.elt, place),
            // A set has no order.
            Expr::SetComp(made) => self.comprehension(&made.generators, &made.elt, &Place::tested()),
            _ => return false,
        }
        true
    }

    fn comprehension(&mut self, over: &'a [Comprehension], made: &'a Expr, place: &Place) {
        for each in over {
            self.at(Place { is_iterated: true, ..place.through() }, &each.iter);
            each.ifs.iter().for_each(|condition| self.at(Place::tested(), condition));
        }
        self.at(Place::default(), made);
    }

    fn fill(&mut self, index: usize, call: &'a ExprCall) {
        let positional: Vec<Argument> =
            call.arguments.args.iter().take(MAX_ARGUMENTS).map(|argument| self.argument(argument)).collect();
        let mut keywords = Vec::new();
        for keyword in call.arguments.keywords.iter().take(MAX_ARGUMENTS) {
            match &keyword.arg {
                Some(name) => keywords.push((name.to_string(), self.argument(&keyword.value))),
                // `**{"a": 1}` and `**known` say what they give.
                None => {
                    if let Value::Table(items) = self.fold.value(&keyword.value, self.scope) {
                        let span = span_of(keyword.range());
                        let given = items.into_iter().map(|(key, value)| (key, Argument { value, span, name: None }));
                        keywords.extend(given);
                    }
                }
            }
        }
        if let Some(record) = self.script.calls.get_mut(index) {
            record.positional = positional;
            record.keywords = keywords;
        }
    }

    fn callee(&self, function: &'a Expr) -> Callee {
        let path = self.fold.path(function, self.scope).unwrap_or_default();
        let (name, is_method, receiver) = match function {
            Expr::Name(name) => (name.id.to_string(), false, None),
            Expr::Attribute(attribute) => (attribute.attr.to_string(), true, argument_name(&attribute.value)),
            _ => (String::new(), false, None),
        };
        Callee { path, name, is_method, receiver, span: span_of(function.range()) }
    }

    fn argument(&self, argument: &'a Expr) -> Argument {
        Argument {
            value: self.fold.value(argument, self.scope),
            span: span_of(argument.range()),
            name: argument_name(argument),
        }
    }

    fn store(&mut self, target: &'a Expr, value: &'a Expr) {
        let (object, key) = match target {
            Expr::Attribute(_) => (target, None),
            Expr::Subscript(subscript) => {
                let key = self.fold.value(&subscript.slice, self.scope);
                (&*subscript.value, key.text().map(str::to_owned))
            }
            _ => return,
        };
        if let Some(path) = self.fold.path(object, self.scope) {
            let (value, span) = (self.fold.value(value, self.scope), span_of(target.range()));
            self.script.stores.push(Store { path, key, value, span, scope: self.scope });
        }
    }

    fn import(&mut self, import: &StmtImport) {
        for alias in &import.names {
            let span = span_of(import.range());
            self.script.imports.push(Import { path: alias.name.to_string(), level: 0, span });
        }
    }

    fn import_from(&mut self, import: &StmtImportFrom) {
        let module = import.module.as_ref().map(|module| module.as_str()).unwrap_or_default();
        for alias in &import.names {
            let dot = if module.is_empty() { "" } else { "." };
            let path = match alias.name.as_str() {
                "*" => module.to_owned(),
                name => format!("{module}{dot}{name}"),
            };
            self.script.imports.push(Import { path, level: import.level, span: span_of(import.range()) });
        }
    }

    fn inside(&mut self, statement: &'a Stmt) {
        let outer = std::mem::replace(&mut self.scope, self.bindings.scope_of(statement));
        match statement {
            Stmt::FunctionDef(function) => self.visit_body(&function.body),
            Stmt::ClassDef(class) => self.visit_body(&class.body),
            _ => {}
        }
        self.scope = outer;
    }

    fn command(&mut self, kind: IpyEscapeKind, text: &str, span: Span) {
        let is_shell = matches!(kind, IpyEscapeKind::Shell | IpyEscapeKind::ShCap);
        if is_shell || matches!(kind, IpyEscapeKind::Magic) {
            self.script.commands.push(Command { text: text.to_owned(), span, is_shell });
        }
    }
}

impl<'a> Visitor<'a> for Reader<'a, '_> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        self.place = Place::default();
        match statement {
            Stmt::FunctionDef(function) => {
                function.decorator_list.iter().for_each(|decorator| self.visit_decorator(decorator));
                self.visit_parameters(&function.parameters);
                return self.inside(statement);
            }
            Stmt::ClassDef(class) => {
                let scope = self.bindings.scope_of(statement);
                if let Some(arguments) = &class.arguments {
                    let bases = arguments.args.iter().filter_map(|base| self.fold.path(base, self.scope)).collect();
                    if let Some(told) = self.script.scopes.get_mut(scope) {
                        told.bases = bases;
                    }
                    self.visit_arguments(arguments);
                }
                return self.inside(statement);
            }
            Stmt::Import(import) => return self.import(import),
            Stmt::ImportFrom(import) => return self.import_from(import),
            Stmt::Assign(assign) => {
                assign.targets.iter().for_each(|target| self.store(target, &assign.value));
                let assigned = assign.targets.first().and_then(argument_name);
                self.at(Place { assigned, ..Place::default() }, &assign.value);
                assign.targets.iter().for_each(|target| self.visit_expr(target));
                return;
            }
            Stmt::AnnAssign(assign) => {
                if let Some(value) = &assign.value {
                    self.store(&assign.target, value);
                    self.at(Place { assigned: argument_name(&assign.target), ..Place::default() }, value);
                }
                return self.visit_expr(&assign.target);
            }
            Stmt::AugAssign(assign) => {
                self.at(Place { assigned: argument_name(&assign.target), ..Place::default() }, &assign.value);
                return self.visit_expr(&assign.target);
            }
            Stmt::For(each) => {
                self.at(Place { is_iterated: true, ..Place::default() }, &each.iter);
                self.visit_body(&each.body);
                return self.visit_body(&each.orelse);
            }
            Stmt::If(branch) => {
                self.script.is_started |= is_main(&branch.test);
                self.place = Place::tested();
            }
            // What is asked first, or given to nothing.
            Stmt::While(_) | Stmt::Assert(_) | Stmt::Expr(_) => self.place = Place::tested(),
            Stmt::IpyEscapeCommand(command) => self.command(command.kind, &command.value, span_of(command.range)),
            _ => {}
        }
        visitor::walk_stmt(self, statement);
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        let place = std::mem::take(&mut self.place);
        match expression {
            Expr::Call(call) => return self.call(call, place),
            Expr::StringLiteral(literal) => {
                let text = literal.value.to_str();
                if (4..MAX_TEXT).contains(&text.len()) {
                    self.script.texts.push((span_of(literal.range), text.to_owned()));
                }
            }
            Expr::IpyEscapeCommand(ExprIpyEscapeCommand { kind, value, range, .. }) => {
                self.command(*kind, value, span_of(*range));
            }
            Expr::Name(_) | Expr::NumberLiteral(_) | Expr::BooleanLiteral(_) | Expr::NoneLiteral(_) => {}
            _ if self.way(expression, &place) => {}
            _ => visitor::walk_expr(self, expression),
        }
        self.place = Place::default();
    }

    fn visit_expr_context(&mut self, _: &'a ExprContext) {}

    fn visit_annotation(&mut self, _: &'a Expr) {}

    fn visit_comprehension(&mut self, comprehension: &'a Comprehension) {
        self.at(Place { is_iterated: true, ..Place::default() }, &comprehension.iter);
        comprehension.ifs.iter().for_each(|condition| self.at(Place::tested(), condition));
    }

    fn visit_with_item(&mut self, item: &'a WithItem) {
        let assigned = item.optional_vars.as_deref().and_then(argument_name);
        self.at(Place { assigned, ..Place::default() }, &item.context_expr);
        item.optional_vars.iter().for_each(|target| self.visit_expr(target));
    }

    fn visit_elif_else_clause(&mut self, clause: &'a ElifElseClause) {
        if let Some(test) = &clause.test {
            self.at(Place::tested(), test);
        }
        self.visit_body(&clause.body);
    }
}

/// `__name__ == "__main__"`, either way round.
fn is_main(test: &Expr) -> bool {
    let Expr::Compare(compare) = test else { return false };
    let is_name = |expression: &Expr| expression.as_name_expr().is_some_and(|name| name.id.as_str() == "__name__");
    is_name(&compare.left) || compare.comparators.iter().any(is_name)
}
