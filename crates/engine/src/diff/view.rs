//! A tensor as a matrix: which of its extents are rows, and which are columns.

use super::number::numbers_per_element;
use crate::weights::TensorInfo;

/// Numbers that are read at a time: few enough for both sides, as bytes and as numbers, to stay in a fast cache.
pub(super) const CHUNK: usize = 1 << 15;
/// Rows of which each is measured. The largest vocabularies have fewer.
const MAX_ROWS: u64 = 1 << 19;
/// Columns of a row that is measured.
const MAX_COLUMNS: u64 = 1 << 20;

/// How the numbers of a tensor are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct View {
    /// Rows; those of something that is no matrix are pieces of equal length, the last of them shorter.
    pub(super) rows: usize,
    /// Numbers in a row.
    pub(super) columns: usize,
    /// Numbers in all.
    pub(super) total: u64,
    /// Whether rows and columns mean anything.
    pub(super) matrix: bool,
}

impl View {
    /// The view of a tensor. Of the ways to split extents into rows and columns, the one nearer to a square is taken:
    /// a convolution is one matrix, and stacked experts are one tall one.
    pub(super) fn of(tensor: &TensorInfo) -> Self {
        let per_element = numbers_per_element(tensor.dtype);
        let total = tensor.elements().saturating_mul(per_element);
        let (Some(first), Some(last)) = (tensor.shape.first().copied(), tensor.shape.last().copied()) else {
            return Self::flat(total);
        };
        let last = last.saturating_mul(per_element);
        let split = |rows: u64| (rows, total.checked_div(rows).unwrap_or(0));
        let (by_first, by_last) = (split(first), split(total.checked_div(last).unwrap_or(0)));
        let narrowest = |(rows, columns): (u64, u64)| rows.min(columns);
        let (rows, columns) = if narrowest(by_last) > narrowest(by_first) { by_last } else { by_first };
        let fits = (2..=MAX_ROWS).contains(&rows) && (2..=MAX_COLUMNS).contains(&columns);
        match (usize::try_from(rows), usize::try_from(columns)) {
            (Ok(rows), Ok(columns)) if fits && tensor.shape.len() > 1 => Self { rows, columns, total, matrix: true },
            _ => Self::flat(total),
        }
    }

    /// Numbers without rows and columns.
    fn flat(total: u64) -> Self {
        let columns = CHUNK.min(usize::try_from(total).unwrap_or(CHUNK)).max(1);
        Self { rows: usize::try_from(total.div_ceil(columns as u64)).unwrap_or(0), columns, total, matrix: false }
    }

    /// The smaller of the two extents of a matrix: the largest rank it can have.
    pub(super) fn full_rank(&self) -> usize {
        if self.matrix { self.rows.min(self.columns) } else { 1 }
    }

    /// Rows that are read at a time.
    pub(super) fn rows_per_chunk(&self) -> usize {
        (CHUNK / self.columns.max(1)).max(1)
    }

    /// Pieces in which all is read.
    pub(super) fn chunks(&self) -> usize {
        self.rows.div_ceil(self.rows_per_chunk())
    }

    /// The numbers of a piece: the first, and how many.
    pub(super) fn range(&self, chunk: usize) -> (u64, u64) {
        let length = (self.rows_per_chunk() as u64).saturating_mul(self.columns as u64);
        let start = length.saturating_mul(chunk as u64).min(self.total);
        (start, length.min(self.total - start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::Dtype;

    fn view(dtype: Dtype, shape: &[u64]) -> View {
        View::of(&TensorInfo { name: String::new(), dtype, shape: shape.to_vec() })
    }

    #[test]
    fn extents_become_rows_and_columns() {
        let sides = |shape: &[u64]| {
            let view = view(Dtype::F32, shape);
            (view.rows, view.columns, view.matrix)
        };
        assert_eq!(sides(&[768, 3072]), (768, 3072, true));
        assert_eq!(sides(&[768, 3, 16, 16]), (768, 768, true));
        assert_eq!(sides(&[8, 14_336, 4096]), (114_688, 4096, true));
        assert_eq!(sides(&[768]), (1, 768, false));
        assert_eq!(sides(&[]), (1, 1, false));
        assert_eq!(sides(&[0, 5]), (0, 1, false));
        assert_eq!(sides(&[1 << 40, 4]), ((1 << 42) / CHUNK, CHUNK, false));
        assert_eq!(view(Dtype::C64, &[4, 4]).columns, 8);
    }

    #[test]
    fn pieces_cover_everything_once() {
        for shape in [&[1000, 700][..], &[3 << 18], &[5], &[0], &[2, 1 << 20]] {
            let view = view(Dtype::F32, shape);
            let mut at = 0;
            for chunk in 0..view.chunks() {
                let (start, length) = view.range(chunk);
                assert_eq!(start, at, "{shape:?}");
                at += length;
            }
            assert_eq!(at, view.total, "{shape:?}");
        }
    }
}
