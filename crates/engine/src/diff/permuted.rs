//! The same rows in another order. What a layer computes stays the same when the layers beside it are reordered to match,
//! and no comparison number by number sees it.

use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher as _;

use serde::Serialize;

use super::float::Number;
use super::pair::Pair;
use crate::weights::WeightsError;

/// Relative difference of row lengths, sorted, that rounding explains.
const SAME_LENGTH: f32 = 1e-3;
/// Sorted lengths of unrelated rows differ by about their spread over the square root of their number. What differs by
/// less than this share of that has the same rows.
const SAME_SPREAD: f64 = 0.1;
/// Rows below which an order says nothing.
const LEAST: usize = 8;
/// Numbers of a vector that are sorted.
const MAX_VECTOR: u64 = 1 << 20;

/// How a permutation is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Permutation {
    /// Both sides hold the same rows, to the bit, in another order.
    SameRows,
    /// Both sides hold the same numbers, to the bit, in another order; of vectors.
    SameNumbers,
    /// Both sides hold rows of the same lengths: what reordered rows, with or without reordered columns, look like.
    SameLengths,
}

/// Whether one side is a permutation of the other.
pub(super) fn permutation<T: Number>(
    pair: &Pair<'_>,
    rows: &[(f32, f32)],
) -> Result<Option<Permutation>, WeightsError> {
    let same_type = pair.old.dtype == pair.new.dtype;
    if !pair.view.matrix {
        let numbers = (LEAST as u64..=MAX_VECTOR).contains(&pair.view.total);
        let same = numbers && sorted_numbers::<T>(pair)?;
        return Ok(same.then_some(Permutation::SameNumbers));
    }
    if rows.len() < LEAST || !lengths_agree(rows) {
        return Ok(None);
    }
    if same_type && same_rows::<T>(pair)? {
        return Ok(Some(Permutation::SameRows));
    }
    Ok(Some(Permutation::SameLengths))
}

/// Whether the lengths of rows, sorted, are the same on both sides, and differ among each other so that this says
/// something.
fn lengths_agree(rows: &[(f32, f32)]) -> bool {
    let sorted = |mut lengths: Vec<f32>| {
        lengths.sort_by(f32::total_cmp);
        lengths
    };
    let old = sorted(rows.iter().map(|row| row.0.sqrt()).collect());
    let new = sorted(rows.iter().map(|row| row.1.sqrt()).collect());
    let near = |(old, new): (&f32, &f32)| (old - new).abs() <= SAME_LENGTH * old.max(*new);
    let squares = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>();
    let apart = squares(&mut old.iter().zip(&new).map(|(old, new)| f64::from(old - new)));
    let mean = old.iter().map(|length| f64::from(*length)).sum::<f64>() / old.len() as f64;
    let spread = squares(&mut old.iter().map(|length| f64::from(*length) - mean));
    old.iter().zip(&new).all(near) && apart.sqrt() < SAME_SPREAD * (spread / old.len() as f64).sqrt()
}

fn same_rows<T: Number>(pair: &Pair<'_>) -> Result<bool, WeightsError> {
    let hash = |row: &[u8]| {
        let mut hasher = DefaultHasher::new();
        hasher.write(row);
        hasher.finish()
    };
    let (mut old, mut new) = pair.fold::<T, _>(
        0,
        || (Vec::new(), Vec::new()),
        |(old, new): &mut (Vec<u64>, Vec<u64>), piece| {
            let length = (pair.view.columns * piece.width()).max(1);
            old.extend(piece.old_bytes.chunks(length).map(hash));
            new.extend(piece.new_bytes.chunks(length).map(hash));
        },
        |whole, partial| {
            whole.0.extend(partial.0);
            whole.1.extend(partial.1);
        },
    )?;
    old.sort_unstable();
    new.sort_unstable();
    Ok(old == new)
}

fn sorted_numbers<T: Number>(pair: &Pair<'_>) -> Result<bool, WeightsError> {
    let common = pair.common::<T>();
    let (mut old, mut new) = pair.fold::<T, _>(
        0,
        || (Vec::new(), Vec::new()),
        |(old, new): &mut (Vec<u64>, Vec<u64>), piece| {
            piece.round(&common);
            old.extend(piece.old.iter().map(|value| value.double().to_bits()));
            new.extend(piece.new.iter().map(|value| value.double().to_bits()));
        },
        |whole, partial| {
            whole.0.extend(partial.0);
            whole.1.extend(partial.1);
        },
    )?;
    old.sort_unstable();
    new.sort_unstable();
    // A handful of values that repeat can be put in order in too many ways to mean anything.
    let distinct = old.chunk_by(|one, other| one == other).count();
    Ok(distinct * 2 >= old.len() && old == new)
}

#[cfg(test)]
mod tests {
    use super::super::sketch::random;
    use super::*;

    fn length(row: u64) -> f32 {
        700.0 + (random(row) % 4096) as f32 / 64.0
    }

    #[test]
    fn lengths_of_the_same_rows_agree_and_of_others_do_not() {
        let rows = |shift: u64| (0..768).map(|row| (length(row), length((row * 5 + shift) % 768))).collect::<Vec<_>>();
        assert!(lengths_agree(&rows(0)));
        let unrelated: Vec<(f32, f32)> = (0..768).map(|row| (length(row), length(row + 768))).collect();
        assert!(!lengths_agree(&unrelated));
    }

    #[test]
    fn equal_lengths_say_nothing() {
        assert!(!lengths_agree(&[(1.0, 1.0); 100]));
    }
}
