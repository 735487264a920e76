//! Datasets in chunks: where each chunk belongs, and what it holds when it has come back through its filters.

use std::io::Read as _;

use super::btree;
use super::file::File;
use super::layout::{Chunks, Filter, Index};
use crate::budget::Budget;
use crate::source::{Source, read_exact_at};
use crate::weights::{Entry, Problem, shown};

/// Chunks of one dataset.
const MAX_CHUNKS: usize = 1 << 20;
/// Bytes of a chunk, which is held whole.
const MAX_CHUNK: u64 = 64 << 20;

/// A dataset in chunks. Every element is in one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunked {
    /// Extents of the dataset.
    shape: Vec<u64>,
    /// Extents of a chunk.
    extents: Vec<u64>,
    /// Bytes of an element.
    element: u64,
    list: Vec<Chunk>,
    filters: Vec<Known>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Chunk {
    /// Index of its first element, in each dimension.
    first: Vec<u64>,
    offset: u64,
    size: u64,
    /// Filters that it did not go through.
    mask: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Deflate,
    Shuffle,
    Fletcher,
}

/// A run of elements of a chunk that lie together in the dataset too: byte of the dataset, and bytes of the chunk.
pub type Run = (u64, std::ops::Range<usize>);

impl Chunked {
    pub(super) fn read(file: &File<'_>, chunks: &Chunks, entry: &Entry, filters: &[Filter]) -> Result<Self, Problem> {
        let name = shown(&entry.name);
        let element = entry.dtype.size();
        let Some((&last, extents)) = chunks.extents.split_last() else {
            return Err(Problem::broken(format!("the chunks of '{name}' have no extents")));
        };
        let whole = extents.iter().try_fold(element, |product, extent| product.checked_mul(*extent));
        let fits = extents.len() == entry.shape.len() && last == element && !extents.contains(&0);
        if !fits || whole.is_none_or(|whole| whole > MAX_CHUNK) {
            return Err(Problem::unsupported(format!("the chunks of '{name}' are not like it, or too large")));
        }
        let filters = filters.iter().map(|filter| known(filter, &name)).collect::<Result<Vec<_>, _>>()?;
        let list = list(file, chunks, extents.len(), whole.unwrap_or(0))
            .ok_or_else(|| Problem::unsupported(format!("the index of the chunks of '{name}' is not read here")))?;
        let chunked = Self { shape: entry.shape.clone(), extents: extents.to_vec(), element, list, filters };
        chunked.check(&name)?;
        Ok(chunked)
    }

    /// Every chunk is in its place, and none is missing or there twice.
    fn check(&self, name: &str) -> Result<(), Problem> {
        let grid = self.shape.iter().zip(&self.extents).map(|(shape, extent)| shape.div_ceil(*extent));
        let wanted = grid.fold(1u64, u64::saturating_mul);
        let mut places: Vec<&Vec<u64>> = self.list.iter().map(|chunk| &chunk.first).collect();
        places.sort_unstable();
        places.dedup();
        let is_placed = |chunk: &Chunk| {
            let mut dimensions = chunk.first.iter().zip(self.shape.iter().zip(&self.extents));
            dimensions.all(|(first, (shape, extent))| first < shape && first.checked_rem(*extent) == Some(0))
        };
        if places.len() as u64 != wanted || self.list.len() as u64 != wanted || !self.list.iter().all(is_placed) {
            let detail = format!("'{name}' has {} chunks of {wanted}: the others were never written", places.len());
            return Err(Problem::unsupported(detail));
        }
        Ok(())
    }

    /// Number of chunks.
    #[must_use]
    pub fn chunks(&self) -> usize {
        self.list.len()
    }

    /// Bytes of the whole dataset.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.shape.iter().fold(self.element, |product, extent| product.saturating_mul(*extent))
    }

    fn whole(&self) -> u64 {
        self.extents.iter().fold(self.element, |product, extent| product.saturating_mul(*extent))
    }

    /// The bytes of a chunk, as they were before they went through filters.
    ///
    /// # Errors
    /// When they cannot be read, or do not come out as long as they should be.
    pub fn chunk(&self, source: &dyn Source, index: usize, budget: &Budget) -> Result<Vec<u8>, Problem> {
        let Some(chunk) = self.list.get(index) else { return Err(Problem::broken("there is no such chunk")) };
        let whole = self.whole();
        if chunk.size > MAX_CHUNK.saturating_mul(2) {
            return Err(Problem::unsupported("a chunk is too large to be held"));
        }
        // Chunks may lie in the same bytes: each is paid for, filtered or not.
        budget.expand(whole)?;
        let mut bytes = vec![0; usize::try_from(chunk.size).unwrap_or(0)];
        read_exact_at(source, chunk.offset, &mut bytes)?;
        for (place, filter) in self.filters.iter().enumerate().rev() {
            let is_left_out =
                u32::try_from(place).ok().and_then(|place| chunk.mask.checked_shr(place)).unwrap_or(0) & 1;
            if is_left_out == 0 {
                bytes = self.undo(*filter, bytes)?;
            }
        }
        if bytes.len() as u64 != whole {
            return Err(Problem::broken(format!("a chunk holds {} bytes where {whole} are due", bytes.len())));
        }
        Ok(bytes)
    }

    fn undo(&self, filter: Known, mut bytes: Vec<u8>) -> Result<Vec<u8>, Problem> {
        match filter {
            Known::Fletcher => {
                let data = bytes.len().checked_sub(4).ok_or_else(|| Problem::broken("a chunk lacks its checksum"))?;
                bytes.truncate(data);
                Ok(bytes)
            }
            Known::Shuffle => Ok(unshuffled(&bytes, usize::try_from(self.element).unwrap_or(1))),
            Known::Deflate => {
                // One byte more than there should be, so that too many are noticed; four for a checksum behind.
                let most = self.whole().saturating_add(5);
                let mut inflated = Vec::new();
                let decoder = flate2::read::ZlibDecoder::new(bytes.as_slice());
                let mut limited = decoder.take(most);
                let mut block = vec![0; 64 * 1024];
                loop {
                    let count = limited
                        .read(&mut block)
                        .map_err(|error| Problem::broken(format!("a chunk is damaged: {error}")))?;
                    match block.get(..count) {
                        Some(read) if count > 0 => inflated.extend_from_slice(read),
                        _ => return Ok(inflated),
                    }
                }
            }
        }
    }

    /// Where the elements of a chunk belong. Elements beyond the dataset's edge belong nowhere.
    #[must_use]
    pub fn runs(&self, index: usize) -> Vec<Run> {
        let mut runs = Vec::new();
        let Some(chunk) = self.list.get(index) else { return runs };
        let inner = self.extents.len().saturating_sub(1);
        let rows = self.extents.iter().take(inner).fold(1u64, |product, extent| product.saturating_mul(*extent));
        let (row, first) = match (self.extents.last(), chunk.first.last(), self.shape.last()) {
            (Some(row), Some(first), Some(shape)) => ((*row).min(shape.saturating_sub(*first)), *first),
            _ => (1, 0),
        };
        let width = self.extents.last().copied().unwrap_or(1);
        for number in 0..rows {
            if let Some(start) = self.row(chunk, number, inner) {
                let at = start.saturating_add(first).saturating_mul(self.element);
                let from = number.saturating_mul(width).saturating_mul(self.element);
                let to = from.saturating_add(row.saturating_mul(self.element));
                runs.push((at, usize::try_from(from).unwrap_or(0)..usize::try_from(to).unwrap_or(0)));
            }
        }
        runs
    }

    /// The element of the dataset, in its first column, at which a row of a chunk starts; none beyond the edge.
    fn row(&self, chunk: &Chunk, number: u64, inner: usize) -> Option<u64> {
        let mut rest = number;
        let mut step = self.shape.last().copied().unwrap_or(1);
        let mut start = 0u64;
        for dimension in (0..inner).rev() {
            let (extent, shape) = (self.extents.get(dimension)?, self.shape.get(dimension)?);
            let index = chunk.first.get(dimension)?.checked_add(rest.checked_rem(*extent)?)?;
            rest = rest.checked_div(*extent)?;
            if index >= *shape {
                return None;
            }
            start = start.checked_add(index.checked_mul(step)?)?;
            step = step.checked_mul(*shape)?;
        }
        Some(start)
    }
}

fn known(filter: &Filter, name: &str) -> Result<Known, Problem> {
    match filter.known {
        Some("deflate") => Ok(Known::Deflate),
        Some("shuffle") => Ok(Known::Shuffle),
        Some("fletcher32") => Ok(Known::Fletcher),
        _ => {
            let detail = format!(
                "'{name}' went through filter {} ({}), which is not undone here",
                filter.id,
                shown(&filter.name)
            );
            Err(Problem::unsupported(detail))
        }
    }
}

/// Bytes of elements that were sorted by their place in the element, back in order. What is left over stays as it is.
fn unshuffled(bytes: &[u8], element: usize) -> Vec<u8> {
    let count = bytes.len().checked_div(element).unwrap_or(0);
    let shuffled = count.saturating_mul(element);
    let mut plain = bytes.to_vec();
    for (index, target) in plain.iter_mut().take(shuffled).enumerate() {
        let (place, within) = (index.checked_div(element).unwrap_or(0), index.checked_rem(element).unwrap_or(0));
        if let Some(byte) = bytes.get(within.saturating_mul(count).saturating_add(place)) {
            *target = *byte;
        }
    }
    plain
}

/// The chunks with their places, for the kinds of index that say them.
fn list(file: &File<'_>, chunks: &Chunks, rank: usize, whole: u64) -> Option<Vec<Chunk>> {
    let mut list = Vec::new();
    let Some(index) = chunks.index else { return Some(list) };
    match chunks.kind {
        Index::Tree => {
            let key = rank.checked_add(1)?.checked_mul(8)?.checked_add(8)?;
            btree::children(file, index, 1, key, &mut |key, address| {
                let mut fields = file.fields(key);
                let (size, mask) = (u64::from(fields.u32()?), u64::from(fields.u32()?));
                let first = (0..rank).map(|_| fields.number(8)).collect::<Option<Vec<_>>>()?;
                list.push(Chunk { first, offset: file.offset(address), size, mask });
                (list.len() <= MAX_CHUNKS).then_some(())
            })?;
        }
        Index::Single(size) => {
            let size = size.unwrap_or(whole);
            list.push(Chunk { first: vec![0; rank], offset: file.offset(index), size, mask: 0 });
        }
        Index::Implicit | Index::Array | Index::NewTree | Index::GrowingArray => return None,
    }
    let is_inside = |chunk: &Chunk| chunk.offset.checked_add(chunk.size).is_some_and(|end| end <= file.source.len());
    list.iter().all(is_inside).then_some(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shuffled_bytes_come_back_in_order() {
        assert_eq!(unshuffled(b"abcABC123", 3), b"aA1bB2cC3");
        assert_eq!(unshuffled(b"acbdX", 2), b"abcdX");
        assert_eq!(unshuffled(b"abc", 1), b"abc");
    }

    #[test]
    fn chunks_at_the_edge_are_cut() {
        let chunk = |first: [u64; 2]| Chunk { first: first.to_vec(), offset: 0, size: 0, mask: 0 };
        let list = vec![chunk([0, 0]), chunk([0, 2]), chunk([2, 0]), chunk([2, 2])];
        let chunked = Chunked { shape: vec![3, 3], extents: vec![2, 2], element: 4, list, filters: Vec::new() };
        assert_eq!(chunked.check("w"), Ok(()));
        assert_eq!(chunked.runs(0), [(0, 0..8), (12, 8..16)]);
        assert_eq!(chunked.runs(1), [(8, 0..4), (20, 8..12)]);
        assert_eq!(chunked.runs(3), [(32, 0..4)]);
        let fewer = Chunked { list: chunked.list[1..].to_vec(), ..chunked };
        assert!(fewer.check("w").is_err());
    }
}
