//! Names: what they are bound to, and where that holds.
//!
//! What a function or a class binds is its own, and what was bound before it holds again after it. Where a binding may
//! or may not happen, both values may be meant; the graver of them is the one that is kept.

use std::collections::{BTreeMap, BTreeSet};

use super::calls::{is_module, powerful};
use super::reaches;
use super::unknown;
use super::value::{MAX_TEXT, Value};

/// Names whose values are remembered, and as many again of those that matter.
const MAX_BINDINGS: usize = 20_000;
/// Bytes of all bound values together.
const MAX_HELD: usize = 16 << 20;
/// Other texts that a name may stand for.
const MAX_OTHERS: usize = 8;
/// Lists within lists in which something is looked for.
const MAX_LEVELS: usize = 6;

/// Where a name is bound.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Functions and classes around it.
    pub(super) depth: usize,
    pub(super) is_class: bool,
    /// Whether it happens for certain when its surroundings run.
    pub(super) is_certain: bool,
}

/// The names of a file.
#[derive(Debug, Default)]
pub(super) struct Names {
    known: BTreeMap<String, Value>,
    /// Bytes of all values.
    held: usize,
    /// What names were bound to outside the function or class at this depth that binds them too.
    outer: BTreeMap<(usize, String), Option<Value>>,
    globals: BTreeSet<(usize, String)>,
    /// Bound by a function that has ended, for itself.
    leaked: BTreeSet<String>,
    /// Texts that a name may stand for as well.
    others: BTreeMap<String, Vec<String>>,
    /// Whether a name was not remembered that may matter.
    pub(super) is_full: bool,
}

impl Names {
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.known.get(name)
    }

    /// Texts that a name stands for where what it is bound to did not happen.
    pub(super) fn others(&self, name: &str) -> &[String] {
        self.others.get(name).map_or(&[], Vec::as_slice)
    }

    /// `global name`, in the function at this depth.
    pub(super) fn declare_global(&mut self, depth: usize, name: &str) {
        if self.globals.len() < MAX_BINDINGS {
            self.globals.insert((depth, name.to_owned()));
        }
    }

    pub(super) fn bind(&mut self, name: &str, value: Value, place: Place) {
        let key = (place.depth, name.to_owned());
        let is_member = name.contains('.');
        let is_global = self.globals.contains(&key);
        let is_here = place.depth == 0 || is_member || is_global || self.outer.contains_key(&key);
        let is_replaced = match is_here {
            true => place.is_certain && !is_global && !(is_member && (place.depth > 0 || implied(name) > 0)),
            false => !place.is_class,
        };
        if !is_here {
            self.save(key);
        }
        if !is_replaced && self.gravity_of(name) > gravity(&value) {
            return;
        }
        self.remember_other(name, &value, is_replaced);
        self.leaked.remove(name);
        self.insert(name, value);
    }

    /// What a call gives back is known from here on.
    pub(super) fn give(&mut self, call: &str, value: Value) {
        self.insert(call, value);
    }

    /// A constant that is changed is known no more, unless it holds what matters.
    pub(super) fn forget(&mut self, name: &str) {
        let Some(value @ (Value::Text(..) | Value::List(_))) = self.known.get(name) else { return };
        if gravity(value) == 0 {
            self.held = self.held.saturating_sub(value.weight());
            self.known.remove(name);
        }
    }

    /// What functions and classes below this depth have bound is bound no more.
    pub(super) fn leave(&mut self, depth: usize) {
        while self.globals.last().is_some_and(|(inner, _)| *inner > depth) {
            self.globals.pop_last();
        }
        while self.outer.last_key_value().is_some_and(|((inner, _), _)| *inner > depth) {
            let Some(((_, name), old)) = self.outer.pop_last() else { return };
            self.others.remove(&name);
            match old {
                Some(old) => {
                    self.held = self.held.saturating_sub(old.weight());
                    self.replace(&name, old);
                }
                None if is_own(&name) => self.remove(&name),
                // A function of another name may be the one that binds it for all.
                None => {
                    self.leaked.insert(name);
                }
            }
        }
    }

    fn save(&mut self, key: (usize, String)) {
        let old = self.known.get(&key.1);
        let weight = old.map_or(0, Value::weight);
        let is_kept = self.outer.len() < MAX_BINDINGS && self.held.saturating_add(weight) <= MAX_HELD;
        if is_kept || old.is_some_and(|old| gravity(old) > 1) && self.outer.len() < MAX_BINDINGS.saturating_mul(2) {
            self.held = self.held.saturating_add(weight);
            self.outer.insert(key, old.cloned());
        } else {
            self.is_full = true;
        }
    }

    fn gravity_of(&self, name: &str) -> u8 {
        match self.known.get(name) {
            Some(_) if self.leaked.contains(name) => 0,
            Some(value) => gravity(value),
            None => implied(name),
        }
    }

    /// Of two texts, none is the graver as long as they are not read.
    fn remember_other(&mut self, name: &str, value: &Value, is_replaced: bool) {
        if is_replaced {
            self.others.remove(name);
            return;
        }
        let Some(Value::Text(old, _)) = self.known.get(name).filter(|old| *old != value) else { return };
        if self.held.saturating_add(old.len()) > MAX_HELD {
            self.is_full = true;
            return;
        }
        self.held = self.held.saturating_add(old.len());
        let old = old.clone();
        let others = self.others.entry(name.to_owned()).or_default();
        if others.len() < MAX_OTHERS && !others.contains(&old) {
            others.push(old);
        }
    }

    /// What is not remembered is not known, rather than what it was before.
    fn insert(&mut self, name: &str, value: Value) {
        let weight = value.weight();
        let others = self.held.saturating_sub(self.known.get(name).map_or(0, Value::weight));
        let has_room = self.known.len() < MAX_BINDINGS || self.known.contains_key(name);
        let fits = has_room || self.known.len() < MAX_BINDINGS.saturating_mul(2) && gravity(&value) > 1;
        // Lines that each double what the one before gave would soon hold everything.
        let is_light = weight <= MAX_TEXT && others.saturating_add(weight) <= MAX_HELD;
        if matches!(value, Value::Unknown) {
            self.forget(name);
        } else if fits && (is_light || gravity(&value) > 1 && weight <= MAX_TEXT) {
            self.replace(name, value);
        } else {
            self.is_full |= gravity(&value) > 0;
            self.forget(name);
        }
    }

    fn replace(&mut self, name: &str, value: Value) {
        let weight = value.weight();
        let old = self.known.insert(name.to_owned(), value);
        self.held = self.held.saturating_sub(old.as_ref().map_or(0, Value::weight)).saturating_add(weight);
    }

    fn remove(&mut self, name: &str) {
        let old = self.known.remove(name);
        self.held = self.held.saturating_sub(old.as_ref().map_or(0, Value::weight));
    }
}

/// Functions of Python itself that give what matters.
const GIVERS: &[&str] =
    &[unknown::MODULE, "__import__", "getattr", "compile", "globals", "vars", "importlib.import_module"];

/// How grave it is to take one value for another: 2 where programs or code are started, 1 where something is reached.
pub(super) fn gravity(value: &Value) -> u8 {
    gravity_within(value, MAX_LEVELS)
}

fn gravity_within(value: &Value, levels: usize) -> u8 {
    match (value, levels.checked_sub(1)) {
        (Value::List(items), Some(below)) => {
            items.iter().map(|item| gravity_within(item, below)).max().unwrap_or_default()
        }
        (Value::Path(path, _), _) if is_module(value) || powerful(value).is_some() => 2.max(implied(path)),
        (Value::Path(path, _), _) => implied(path),
        (Value::Text(text, _), _) if is_module(&Value::Path(text.clone(), false)) => 2,
        _ => 0,
    }
}

/// Whether this is a name of Python's own, or of a module, that gives programs or code.
fn is_own(path: &str) -> bool {
    let is_module = matches!(path, "os" | "posix" | "nt" | "subprocess" | "pty" | "builtins" | "__builtins__");
    is_module || GIVERS.contains(&path) || reaches::EVALUATORS.contains(&path)
}

/// How grave what a path stands for is that nothing is bound to.
fn implied(path: &str) -> u8 {
    let is_grave = is_own(path);
    let reaches = || reaches::of(path).is_some() || reaches::names_of(path).next().is_some();
    match is_grave || powerful(&Value::Path(path.to_owned(), false)).is_some() {
        true => 2,
        false => u8::from(reaches()),
    }
}

/// The gravest that a value holds, where that is programs, code or a module that has them.
pub(super) fn gravest(value: &Value) -> Option<&Value> {
    gravest_within(value, MAX_LEVELS)
}

fn gravest_within(value: &Value, levels: usize) -> Option<&Value> {
    let below = levels.checked_sub(1)?;
    match value {
        Value::List(items) => items.iter().find_map(|item| gravest_within(item, below)),
        Value::Path(..) => (gravity(value) > 1).then_some(value),
        _ => None,
    }
}
