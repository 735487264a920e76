//! Arrays that Flax packs in pieces: a map with a mark, the shape of the whole, and the pieces.

use super::{Value, ndarray, walk};
use crate::budget::Budget;
use crate::fact::Anomaly;
use crate::facts::Facts;
use crate::json::{Segment, path_text};
use crate::protobuf::Span;
use crate::source::Source;

/// The key by which Flax tells such a map.
const MARK: &str = "__msgpack_chunked_array__";

/// The type of an array.
const NDARRAY: i8 = 1;

/// Holds the pieces of such arrays against their shapes.
pub(super) fn check(source: &dyn Source, budget: &Budget, facts: &mut Facts) {
    let mut chunked = Chunked::default();
    walk(source, Span::whole(source), budget, &mut |path, at, value| match value {
        Value::Extension(NDARRAY, span) if chunked.is_within(path, "chunks") => {
            chunked.found = chunked.found.saturating_add(ndarray::elements(source, span, budget));
        }
        value => chunked.value(path, at, &value, facts),
    });
}

/// The array in pieces that is being read.
#[derive(Default)]
struct Chunked {
    /// How deep its map lies; nothing is read while there is none.
    depth: Option<usize>,
    announced: Option<u64>,
    found: u64,
}

impl Chunked {
    /// Any value of the file.
    fn value(&mut self, path: &[Segment], at: u64, value: &Value<'_>, facts: &mut Facts) {
        if path.last().and_then(Segment::key) == Some(MARK) {
            *self = Self { depth: path.len().checked_sub(1), announced: Some(1), found: 0 };
        }
        let Some(depth) = self.depth else { return };
        match value {
            Value::MapEnd if path.len() == depth => self.close(path, at, facts),
            Value::Integer(extent) if self.is_within(path, "shape") => {
                let extent = u64::try_from(*extent).ok();
                self.announced = self.announced.zip(extent).and_then(|(product, extent)| product.checked_mul(extent));
            }
            _ => {}
        }
    }

    fn is_within(&self, path: &[Segment], key: &str) -> bool {
        let parent = self.depth.and_then(|depth| path.get(depth));
        parent.and_then(Segment::key) == Some(key)
    }

    fn close(&mut self, path: &[Segment], at: u64, facts: &mut Facts) {
        if self.announced != Some(self.found) {
            let announced = self.announced.map_or("more than 64 bits of".to_owned(), |announced| announced.to_string());
            let detail =
                format!("'{}' has {announced} elements by its shape and {} in its pieces", path_text(path), self.found);
            facts.anomaly(at, Anomaly::SizeMismatch, detail);
        }
        self.depth = None;
    }
}
