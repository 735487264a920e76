//! Streams that are small but make a loader take far more memory or time than any file of their size is worth.

use crate::fact::Anomaly;

use super::global::GlobalId;
use super::machine::Machine;
use super::value::{NodeKind, Value};

/// Containers within containers. CPython's own pickler gives up at its recursion limit, 1,000.
const MAX_HONEST_DEPTH: u16 = 5_000;
/// Objects that walking a value would visit, counting shared ones each time. Honest sharing multiplies little.
const MAX_HONEST_WEIGHT: f32 = 1e12;
/// Marks open at once.
const MAX_HONEST_MARKS: usize = 10_000;
/// Bytes or elements that one call may allocate by a number.
const MAX_HONEST_ALLOCATION: u64 = 1 << 36;

/// Callables that allocate what a number says.
const ALLOCATING: &[(&str, &[&str])] = &[
    ("builtins", &["bytes", "bytearray", "range", "str", "int", "pow"]),
    ("numpy", &["ndarray", "zeros", "empty", "ones", "full", "arange"]),
    ("numpy.core.multiarray", &["_reconstruct"]),
    ("numpy._core.multiarray", &["_reconstruct"]),
    ("array", &["array", "_array_reconstructor"]),
];
/// Callables that use up what they are given to the end.
const EXHAUSTING: &[&str] = &["list", "tuple", "set", "frozenset", "bytes", "bytearray", "dict", "sorted", "sum"];

impl Machine<'_> {
    /// Notes a container that is too deep, or too heavy to walk.
    pub(super) fn check_weight(&mut self, value: Value) {
        let Value::Node(id) = value else { return };
        let Some(node) = self.nodes.get(id) else { return };
        if node.depth > MAX_HONEST_DEPTH {
            let detail =
                format!("containers are nested more than {MAX_HONEST_DEPTH} deep, which breaks whatever walks them");
            self.uses.once(self.at, Anomaly::AllocationBomb, detail);
        }
        if node.weight > MAX_HONEST_WEIGHT {
            let detail = "a container holds itself so often over that walking it never ends".to_owned();
            self.uses.once(self.at, Anomaly::ExpansionBomb, detail);
        }
    }

    pub(super) fn check_marks(&mut self) {
        if self.stack.open_marks() > MAX_HONEST_MARKS {
            let detail = format!("more than {MAX_HONEST_MARKS} marks are open at once");
            self.uses.once(self.at, Anomaly::AllocationBomb, detail);
        }
    }

    /// Notes an inert call that allocates by a number in its arguments, or runs through a range.
    pub(super) fn check_allocation(&mut self, id: GlobalId, arguments: Value) {
        let Some(global) = self.globals.get(id) else { return };
        let (module, name) = (global.module.as_str(), global.name.as_str());
        let items = self.items(arguments);
        let exhausts =
            module == "builtins" && EXHAUSTING.contains(&name) && items.iter().any(|item| self.is_range(*item));
        let allocates = ALLOCATING.iter().any(|(of, names)| *of == module && names.contains(&name))
            && self.product(&items) > MAX_HONEST_ALLOCATION;
        // A range of its own takes no room.
        if (allocates && name != "range") || exhausts {
            let detail = format!("{} is told to make far more than this file holds", global.path());
            self.uses.once(self.at, Anomaly::AllocationBomb, detail);
        }
    }

    fn is_range(&self, value: Value) -> bool {
        self.class_of(value).and_then(|id| self.globals.get(id)).is_some_and(|global| global.is("builtins", "range"))
    }

    /// The product of all numbers among values and the tuples within them: a size, when they are extents.
    fn product(&self, values: &[Value]) -> u64 {
        values.iter().fold(1u64, |product, value| {
            let factor = match value {
                Value::Node(node) if self.kind_of(*node) == Some(NodeKind::Tuple) => self
                    .nodes
                    .items(*node)
                    .iter()
                    .fold(1u64, |product, value| product.saturating_mul(self.extent(*value))),
                value => self.extent(*value),
            };
            product.saturating_mul(factor)
        })
    }

    fn extent(&self, value: Value) -> u64 {
        self.integer(value).unwrap_or(1).max(1)
    }
}
