//! Functions that a model defines: which they are, which call which, and how much they come to when each call is
//! replaced by what is called, as runtimes do.

use std::collections::{BTreeMap, BTreeSet};

use crate::fact::{Anomaly, Gap};
use crate::facts::Facts;
use crate::protobuf::Span;

use super::graph;
use super::model::{MAX_DEPTH, Model, opset};
use super::operators::{domain, is_standard};
use super::schema::{FUNCTION, VALUE};

/// Functions of one model.
const MAX_FUNCTIONS: usize = 20_000;
/// Bytes of different calls of all functions together.
const MAX_CALLS: usize = 32 << 20;
/// What a call costs besides its names.
const CALL: usize = 120;
/// Nodes that a model may come to; the largest real ones have some hundred thousand.
const MAX_EXPANDED: u64 = 50_000_000;

/// A set and a name.
type Key = (String, String);

#[derive(Debug)]
struct Function {
    key: Key,
    at: u64,
    /// What it calls, and how often.
    calls: BTreeMap<Key, u64>,
}

/// The functions of a model. The graphs outside of them are the first.
#[derive(Debug)]
pub(super) struct Functions {
    list: Vec<Function>,
    /// The one that nodes belong to.
    current: usize,
    calls: usize,
    identities: BTreeSet<(Key, String)>,
}

impl Default for Functions {
    fn default() -> Self {
        let main = Function { key: Key::default(), at: 0, calls: BTreeMap::new() };
        Self { list: vec![main], current: 0, calls: 0, identities: BTreeSet::new() }
    }
}

/// Reads a function.
pub(super) fn read(model: &mut Model<'_, '_>, span: Span) {
    if model.functions.list.len() > MAX_FUNCTIONS {
        let detail = format!("more than {MAX_FUNCTIONS} functions");
        return model.reader.facts.incomplete(span.offset, Gap::Limit, detail);
    }
    let function = Function { key: Key::default(), at: span.offset, calls: BTreeMap::new() };
    model.functions.current = model.functions.list.len();
    model.functions.list.push(function);
    let (mut name, mut set, mut overload) = (String::new(), String::new(), String::new());
    let mut sets = BTreeMap::new();
    let mut fields = model.reader.open(span, &FUNCTION);
    while let Some(field) = model.reader.next(&mut fields) {
        let Some(inner) = field.span() else { continue };
        match field.number {
            1 => name = model.reader.name(inner),
            7 => graph::node(model, inner, MAX_DEPTH),
            8 => model.describe("doc_string", inner),
            9 => opset(&mut model.reader, inner, &mut sets),
            10 => set = domain(&model.reader.name(inner)).to_owned(),
            11 => graph::attribute_alone(model, inner, MAX_DEPTH),
            12 => model.reader.verify(inner, &VALUE, MAX_DEPTH),
            13 => overload = model.reader.name(inner),
            14 => model.metadata(inner),
            _ => {}
        }
    }
    model.functions.close((set, name), overload, span.offset, model.reader.facts);
}

impl Functions {
    /// A node calls something.
    pub(super) fn calls(&mut self, set: &str, name: &str) {
        let Some(function) = self.list.get_mut(self.current) else { return };
        // The model's own graph calls what it likes: it is counted among the operators.
        let key = (set.to_owned(), name.to_owned());
        if let Some(count) = function.calls.get_mut(&key) {
            *count = count.saturating_add(1);
        } else if self.calls < MAX_CALLS {
            self.calls = self.calls.saturating_add(set.len()).saturating_add(name.len()).saturating_add(CALL);
            function.calls.insert(key, 1);
        }
    }

    fn close(&mut self, key: Key, overload: String, at: u64, facts: &mut Facts) {
        if is_standard(&key.0, &key.1) {
            let detail = format!("the model defines `{}` anew, and runtimes differ in which they run", key.1);
            facts.anomaly(at, Anomaly::ReaderDisagreement, detail);
        }
        if !self.identities.insert((key.clone(), overload)) {
            let detail = format!("the function `{}` is defined twice", key.1);
            facts.anomaly(at, Anomaly::DuplicateName, detail);
        }
        if let Some(function) = self.list.get_mut(self.current) {
            function.key = key;
        }
        self.current = 0;
    }

    /// The functions' names.
    pub(super) fn names(&self) -> BTreeSet<Key> {
        self.list.iter().skip(1).map(|function| function.key.clone()).collect()
    }

    /// Functions must not call themselves, and not come to more nodes than can be held.
    pub(super) fn check(&self, facts: &mut Facts) {
        if self.calls >= MAX_CALLS {
            facts.incomplete(0, Gap::Limit, "there are more calls between functions than are followed");
        }
        let index: BTreeMap<&Key, usize> =
            self.list.iter().enumerate().skip(1).map(|(index, function)| (&function.key, index)).collect();
        let edges: Vec<Vec<(Option<usize>, u64)>> = self.list.iter().map(|function| called(function, &index)).collect();
        match expand(&edges) {
            Err(recursive) => {
                let Some(function) = self.list.get(recursive) else { return };
                let detail = format!("the function `{}` calls itself", function.key.1);
                facts.anomaly(function.at, Anomaly::Malformed, detail);
            }
            Ok(nodes) if nodes > MAX_EXPANDED => {
                let detail = format!("its functions come to {nodes} nodes when they are put in place of their calls");
                facts.anomaly(0, Anomaly::AllocationBomb, detail);
            }
            Ok(_) => {}
        }
    }
}

/// What a function calls: another, or an operator.
fn called(function: &Function, index: &BTreeMap<&Key, usize>) -> Vec<(Option<usize>, u64)> {
    let is_own = |key: &&Key| !is_standard(&key.0, &key.1);
    function
        .calls
        .iter()
        .map(|(key, count)| (Some(key).filter(is_own).and_then(|key| index.get(key).copied()), *count))
        .collect()
}

/// The nodes of the largest function with all calls replaced; or one that calls itself. No recursion: a model may have
/// thousands that call each other in a row.
fn expand(edges: &[Vec<(Option<usize>, u64)>]) -> Result<u64, usize> {
    let mut sizes: Vec<Option<u64>> = vec![None; edges.len()];
    let mut is_open = vec![false; edges.len()];
    let mut stack: Vec<(usize, usize, u64)> = Vec::new();
    let mut largest = 0u64;
    for start in 0..edges.len() {
        if sizes.get(start).copied().flatten().is_none() {
            stack.push((start, 0, 0));
        }
        while let Some((at, next, size)) = stack.pop() {
            if let Some(open) = is_open.get_mut(at) {
                *open = true;
            }
            match edges.get(at).and_then(|calls| calls.get(next)) {
                None => {
                    largest = largest.max(size);
                    close(at, size, &mut sizes, &mut is_open);
                }
                Some((Some(callee), count)) => match sizes.get(*callee).copied().flatten() {
                    Some(inner) => {
                        let more = inner.saturating_add(1).saturating_mul(*count);
                        stack.push((at, next.saturating_add(1), size.saturating_add(more)));
                    }
                    None if is_open.get(*callee) == Some(&true) => return Err(*callee),
                    None => {
                        stack.push((at, next, size));
                        stack.push((*callee, 0, 0));
                    }
                },
                Some((None, count)) => stack.push((at, next.saturating_add(1), size.saturating_add(*count))),
            }
        }
    }
    Ok(largest)
}

fn close(at: usize, size: u64, sizes: &mut [Option<u64>], is_open: &mut [bool]) {
    if let Some(slot) = sizes.get_mut(at) {
        *slot = Some(size);
    }
    if let Some(open) = is_open.get_mut(at) {
        *open = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_kept_only_as_far_as_there_is_room() {
        let mut functions = Functions::default();
        (0..400_000u32).for_each(|call| functions.calls("", &call.to_string()));
        let kept: usize = functions.list.iter().map(|function| function.calls.len()).sum();
        assert!((200_000..300_000).contains(&kept), "{kept}");
        let mut facts = Facts::new();
        functions.check(&mut facts);
        assert!(matches!(facts.list().first().map(|fact| &fact.kind), Some(crate::fact::FactKind::Incomplete { .. })));
    }
}
