//! Tensors whose elements do not lie one after another: transposed, sliced, repeated.
//!
//! A piece of such a tensor is cut into boxes, and each box is gathered from as few reads as its strides allow: the
//! dimension that runs fastest in the file is read as one run, whichever it is in the tensor.

use waag_formats::source::ReadError;
use waag_formats::weights::Entry;

/// Bytes read at once, of which only some may be wanted.
const MAX_RUN: u64 = 1 << 20;
/// Bytes read for each byte that is wanted, before each element is read for itself.
const MAX_WASTE: u64 = 64;

/// Reads bytes of the storage.
type Read<'a> = dyn FnMut(u64, &mut [u8]) -> Result<(), ReadError> + 'a;

/// One dimension of a box: how many, and how far apart in the storage and in the buffer, in bytes.
#[derive(Debug, Clone, Copy)]
struct Step {
    count: u64,
    from: u64,
    to: u64,
}

/// Fills `buffer` with the bytes of a tensor from `offset` on, dense and row-major. Both are whole elements.
pub(super) fn fill(entry: &Entry, offset: u64, buffer: &mut [u8], read: &mut Read<'_>) -> Result<(), ReadError> {
    let size = entry.dtype.size();
    let mut gather = Gather { size, read, run: Vec::new() };
    let (mut next, end) = (offset / size, (offset + buffer.len() as u64) / size);
    let mut at = 0;
    while next < end {
        let (steps, start, count) = next_box(entry, next, end - next);
        gather.pour(&steps, start, at, buffer)?;
        next += count;
        at += count * size;
    }
    Ok(())
}

/// The largest box of elements that starts at an element and has at most so many: its dimensions, where it starts in the
/// storage, and how many elements it has.
fn next_box(entry: &Entry, element: u64, most: u64) -> (Vec<Step>, u64, u64) {
    let size = entry.dtype.size();
    let (mut rest, mut start, mut count) = (element, entry.view.offset, 1);
    let mut steps = Vec::new();
    let mut is_open = true;
    for (extent, stride) in entry.shape.iter().zip(&entry.view.strides).rev() {
        let index = rest % extent;
        rest /= extent;
        start += index * stride * size;
        if is_open {
            let taken = (extent - index).min(most / count).max(1);
            steps.push(Step { count: taken, from: stride * size, to: count * size });
            count *= taken;
            is_open = taken == *extent && count < most;
        }
    }
    // The largest stride is gone through outermost, so that what lies together is read together.
    steps.retain(|step| step.count > 1);
    steps.sort_by_key(|step| std::cmp::Reverse(step.from));
    (steps, start, count)
}

struct Gather<'r, 'a> {
    size: u64,
    read: &'r mut Read<'a>,
    run: Vec<u8>,
}

impl Gather<'_, '_> {
    /// Gathers a box: as one run, or along its first dimension.
    fn pour(&mut self, steps: &[Step], from: u64, to: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        let reach: u64 = steps.iter().map(|step| (step.count - 1) * step.from).sum::<u64>() + self.size;
        let wanted: u64 = steps.iter().filter(|step| step.from > 0).map(|step| step.count).product::<u64>() * self.size;
        if let Some((first, rest)) = steps.split_first()
            && (reach > MAX_RUN || reach > wanted.saturating_mul(MAX_WASTE))
        {
            return (0..first.count)
                .try_for_each(|index| self.pour(rest, from + index * first.from, to + index * first.to, buffer));
        }
        self.run.resize(usize::try_from(reach).unwrap_or(usize::MAX), 0);
        (self.read)(from, &mut self.run)?;
        scatter(steps, &self.run, buffer, (0, to), self.size);
        Ok(())
    }
}

/// Copies the elements of a box from a run to where they belong.
fn scatter(steps: &[Step], run: &[u8], buffer: &mut [u8], (from, to): (u64, u64), size: u64) {
    let Some((first, rest)) = steps.split_first() else {
        let (from, to, size) = (from as usize, to as usize, size as usize);
        return buffer[to..to + size].copy_from_slice(&run[from..from + size]);
    };
    if rest.is_empty() {
        return scatter_row(*first, run, buffer, (from, to), size);
    }
    for index in 0..first.count {
        scatter(rest, run, buffer, (from + index * first.from, to + index * first.to), size);
    }
}

/// The innermost dimension, where nearly all of the time goes: one loop for each size of an element.
fn scatter_row(step: Step, run: &[u8], buffer: &mut [u8], (from, to): (u64, u64), size: u64) {
    let (from, to) = (from as usize, to as usize);
    match size {
        1 => row::<1>(step, &run[from..], &mut buffer[to..]),
        2 => row::<2>(step, &run[from..], &mut buffer[to..]),
        4 => row::<4>(step, &run[from..], &mut buffer[to..]),
        _ => row::<8>(step, &run[from..], &mut buffer[to..]),
    }
}

fn row<const SIZE: usize>(step: Step, run: &[u8], buffer: &mut [u8]) {
    let (count, from, to) = (step.count as usize, step.from as usize, step.to as usize);
    for index in 0..count {
        let (source, target) = (index * from, index * to);
        buffer[target..target + SIZE].copy_from_slice(&run[source..source + SIZE]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use waag_formats::weights::{Dtype, View};

    /// What a tensor holds, element by element, as NumPy defines a strided view.
    fn plain(entry: &Entry, storage: &[u8]) -> Vec<u8> {
        let size = entry.dtype.size();
        let count: u64 = entry.shape.iter().product();
        let mut bytes = Vec::new();
        for element in 0..count {
            let (mut rest, mut at) = (element, entry.view.offset);
            for (extent, stride) in entry.shape.iter().zip(&entry.view.strides).rev() {
                at += rest % extent * stride * size;
                rest /= extent;
            }
            bytes.extend(&storage[at as usize..(at + size) as usize]);
        }
        bytes
    }

    fn tensors() -> impl Strategy<Value = (Entry, Vec<u8>)> {
        let dtype = prop::sample::select(vec![Dtype::U8, Dtype::F16, Dtype::F32, Dtype::C64]);
        let dimensions = prop::collection::vec((1u64..7, 0u64..40), 0..5);
        (dtype, dimensions, 0u64..5).prop_map(|(dtype, dimensions, skipped)| {
            let (shape, strides): (Vec<u64>, Vec<u64>) = dimensions.into_iter().unzip();
            let last: u64 = shape.iter().zip(&strides).map(|(extent, stride)| (extent - 1) * stride).sum();
            let length = (skipped + last + 1) * dtype.size();
            let storage = (0..length).map(|index| (index * 7 % 251) as u8).collect();
            let view = View { storage: 0, offset: skipped * dtype.size(), strides, is_swapped: false };
            (Entry { name: String::new(), dtype, shape, view }, storage)
        })
    }

    proptest! {
        #[test]
        fn any_piece_of_any_view_is_what_indexing_gives((entry, storage) in tensors(), cut in 0usize..2000, piece in 1usize..500) {
            let all = plain(&entry, &storage);
            let size = entry.dtype.size() as usize;
            let start = (cut * size).min(all.len() - size) / size * size;
            let end = (start + piece * size).min(all.len());
            let mut buffer = vec![0; end - start];
            let mut read = |offset: u64, bytes: &mut [u8]| {
                let from = offset as usize;
                bytes.copy_from_slice(&storage[from..from + bytes.len()]);
                Ok(())
            };
            fill(&entry, start as u64, &mut buffer, &mut read).unwrap();
            prop_assert_eq!(&buffer[..], &all[start..end]);
        }
    }
}
