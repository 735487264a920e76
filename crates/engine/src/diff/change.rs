//! Single numbers that changed, where that is all there is to tell.

use serde::Serialize;

use super::float::Number;
use super::pair::{Pair, Piece};
use crate::weights::TensorInfo;

/// Changes that are kept; what has more of them is no change of single numbers.
pub(super) const MOST: usize = 64;

/// A number that changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// Where: the index in every dimension, outermost first; none for a scalar.
    pub index: Vec<u64>,
    /// The number before. Absent when it was not finite.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<f64>,
    /// The number after. Absent when it is not finite.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<f64>,
    /// Bits that differ between both. Absent when the element types differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bits: Option<u32>,
    /// Which number of the tensor it is.
    #[serde(skip)]
    flat: u64,
}

impl Change {
    /// Turns the number's place into an index in every dimension.
    pub(super) fn locate(&mut self, tensor: &TensorInfo) {
        let mut rest = self.flat / super::number::numbers_per_element(tensor.dtype);
        let mut index: Vec<u64> = Vec::new();
        for extent in tensor.shape.iter().rev() {
            index.push(rest % extent.max(&1));
            rest /= extent.max(&1);
        }
        index.reverse();
        self.index = index;
    }
}

/// The first changes of a piece.
pub(super) fn first_changes<T: Number>(piece: &Piece<'_, T>, pair: &Pair<'_>, same_type: bool) -> Vec<Change> {
    let start = piece.row as u64 * pair.view.columns as u64;
    let mut changes = Vec::new();
    for (at, (old, new)) in piece.old.iter().zip(piece.new.iter()).enumerate() {
        let bits = same_type.then(|| flipped(piece.bytes(at, 1)));
        if bits.map_or(!old.same(*new), |bits| bits > 0) {
            let finite = |value: &T| Some(value.double()).filter(|value| value.is_finite());
            let (before, after) = (finite(old), finite(new));
            changes.push(Change { index: Vec::new(), before, after, bits, flat: start + at as u64 });
        }
        if changes.len() == MOST {
            break;
        }
    }
    changes
}

fn flipped((old, new): (&[u8], &[u8])) -> u32 {
    old.iter().zip(new).map(|(old, new)| (old ^ new).count_ones()).sum()
}
