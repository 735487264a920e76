//! Arrays that Flax packs in pieces: a map with a mark, the shape of the whole, and the pieces.

use super::Value;
use crate::fact::Anomaly;
use crate::facts::Facts;
use crate::json::{Segment, path_text};

/// The key by which Flax tells such a map.
const MARK: &str = "__msgpack_chunked_array__";

/// The array in pieces that is being read.
#[derive(Default)]
pub(super) struct Chunked {
    /// How deep its map lies; nothing is read while there is none.
    depth: Option<usize>,
    announced: Option<u64>,
    found: u64,
}

impl Chunked {
    /// Any value of the file.
    pub(super) fn value(&mut self, path: &[Segment], at: u64, value: &Value<'_>, facts: &mut Facts) {
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

    /// An array, which may be a piece.
    pub(super) fn array(&mut self, path: &[Segment], shape: &[u64]) {
        if self.is_within(path, "chunks") {
            let elements = shape.iter().fold(1_u64, |product, extent| product.saturating_mul(*extent));
            self.found = self.found.saturating_add(elements);
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
