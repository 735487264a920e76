//! Methods and functions that are called without being named where that happens.

use super::analysis::{Analysis, starts};
use super::calls::is_module;
use super::lexer::Token;
use super::value::Value;

/// Whether a function calls what it is given while it runs, or the process does when it ends.
pub(super) fn runs_given(callee: &Value) -> bool {
    const RUNNERS: &[&str] = &["sorted", "map", "filter", "min", "max", "functools.reduce", "reduce"];
    const METHODS: &[&str] = &[".sort", ".submit", ".map"];
    let Some(path) = callee.path() else { return false };
    starts(path) || RUNNERS.contains(&path) || METHODS.iter().any(|method| path.ends_with(method))
}

/// The class of an object that was made here.
fn class_of(value: &Value) -> Option<&str> {
    value.path()?.strip_suffix("()")
}

impl Analysis<'_> {
    fn calls_methods(&mut self, class: &str, methods: &[&str]) {
        for method in methods {
            self.blocks.call(self.scope(), &format!("{class}.{method}"));
        }
    }

    /// `with value:`
    pub(super) fn enters(&mut self, value: &Value) {
        if let Some(class) = class_of(value) {
            self.calls_methods(class, &["__enter__", "__exit__"]);
        }
    }

    /// `for target in value:`
    pub(super) fn goes_through(&mut self, value: &Value) {
        if let Some(class) = class_of(value) {
            self.calls_methods(class, &["__iter__", "__next__", "__getitem__"]);
        }
    }

    /// An object is given a name in the body of a class.
    pub(super) fn names_itself(&mut self, value: &Value) {
        if let Some(class) = class_of(value).filter(|_| self.blocks.is_class_body()) {
            self.calls_methods(class, &["__set_name__"]);
        }
    }

    /// `class A(base, metaclass=made):`
    pub(super) fn subclasses(&mut self, bases: &Value, tokens: &[Token]) {
        let bases = std::slice::from_ref(bases).iter().chain(super::calls::items_of(bases));
        for base in bases.filter(|base| base.path().is_some()) {
            match class_of(base) {
                Some(class) => self.calls_methods(class, &["__mro_entries__"]),
                None => self.calls_methods(base.path().unwrap_or_default(), &["__init_subclass__"]),
            }
        }
        let metaclass = tokens.windows(3).find_map(|three| match three {
            [name, equals, made] if name.name() == Some("metaclass") && equals.is("=") => made.name(),
            _ => None,
        });
        if let Some(class) = metaclass {
            self.blocks.call(self.scope(), class);
            self.calls_methods(class, &["__prepare__"]);
        }
    }

    /// What a function of this file gives back, where that is a module with programs or code.
    pub(super) fn returns(&mut self, value: Value) {
        if let Some(function) = self.blocks.function().filter(|_| is_module(&value)) {
            // As long as it is read, it is in its own scope; what it gives back is everybody's.
            self.names.give(&format!("{function}()"), value);
        }
    }
}
