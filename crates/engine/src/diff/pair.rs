//! Two tensors side by side, read a piece at a time, as often as a question needs.

use rayon::prelude::*;

use super::float::{Grain, Number, Rounding};
use super::held::{Held, Kept, Room};
use super::number::decode;
use super::view::View;
use crate::weights::{Dtype, TensorStore, WeightsError};

/// Bytes of a tensor that are kept between passes; a larger one is read again, mostly from the system's own cache.
const HELD: u64 = 4 << 20;
/// Bytes of a tensor from which on all threads work on it. Smaller ones are done one by each thread.
pub(super) const LARGE: u64 = if cfg!(test) { 1 << 20 } else { 256 << 20 };
/// Pieces that one partial result is made of, where all threads work on a tensor.
const GROUP: usize = 4;
/// Bytes that the partial results of all threads may take up.
const PARTIALS: usize = 64 << 20;

/// A tensor of one side.
#[derive(Debug)]
pub(super) struct Side<'a> {
    pub(super) store: &'a dyn TensorStore,
    pub(super) index: usize,
    pub(super) dtype: Dtype,
    held: Option<Vec<u8>>,
}

impl<'a> Side<'a> {
    /// A tensor of a store, read already when it is small.
    pub(super) fn new(store: &'a dyn TensorStore, index: usize) -> Result<Self, WeightsError> {
        let tensor = &store.tensors()[index];
        let bytes = tensor.bytes();
        let held = match usize::try_from(bytes) {
            Ok(length) if bytes <= HELD => {
                let mut held = vec![0; length];
                store.read(index, 0, &mut held)?;
                Some(held)
            }
            _ => None,
        };
        Ok(Self { store, index, dtype: tensor.dtype, held })
    }

    /// The bytes from `start` on: those that are held, or read into `buffer`.
    pub(super) fn bytes<'b>(
        &'b self,
        start: u64,
        length: usize,
        buffer: &'b mut Vec<u8>,
    ) -> Result<&'b [u8], WeightsError> {
        if let (Some(held), Ok(start)) = (&self.held, usize::try_from(start)) {
            return Ok(held.get(start..start.saturating_add(length)).unwrap_or_default());
        }
        buffer.resize(length, 0);
        self.store.read(self.index, start, buffer)?;
        Ok(buffer)
    }

    /// Bytes of one number.
    fn number_size(&self) -> u64 {
        self.dtype.size() / super::number::numbers_per_element(self.dtype)
    }

    /// Numbers in the shared view, of this side's bytes.
    fn numbers<'b>(&'b self, at: (u64, u64), buffer: &'b mut Vec<u8>) -> Result<&'b [u8], WeightsError> {
        let width = self.number_size();
        let length = usize::try_from(at.1.saturating_mul(width)).unwrap_or(0);
        self.bytes(at.0.saturating_mul(width), length, buffer)
    }
}

/// Two tensors and how both are laid out.
#[derive(Debug)]
pub(super) struct Pair<'a> {
    pub(super) old: Side<'a>,
    pub(super) new: Side<'a>,
    pub(super) view: View,
    /// What is kept of the change; of a matrix.
    pub(super) held: Held<'a>,
}

/// A piece of both tensors.
#[derive(Debug)]
pub(super) struct Piece<'a, T> {
    /// Which one it is, in order.
    pub(super) number: usize,
    /// Its first row.
    pub(super) row: usize,
    /// The old bytes.
    pub(super) old_bytes: &'a [u8],
    /// The new bytes.
    pub(super) new_bytes: &'a [u8],
    /// The old numbers.
    pub(super) old: &'a mut Vec<T>,
    /// The new numbers.
    pub(super) new: &'a mut Vec<T>,
    /// A buffer for what is made of them.
    pub(super) change: &'a mut Vec<f32>,
}

/// How to bring both sides to one precision: what the wider side has to be rounded to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Common<T> {
    old: Option<Rounding<T>>,
    new: Option<Rounding<T>>,
}

/// Which side is rounded before a comparison, and to what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cast {
    /// The old side, to the new side's format.
    Old(Grain),
    /// The new side, to the old side's format.
    New(Grain),
}

impl<'a> Pair<'a> {
    /// A pair in the view that both share. What is kept of its change is kept in `room`.
    pub(super) fn new(old: Side<'a>, new: Side<'a>, view: View, room: &'a Room) -> Self {
        let held = Held::new(room, if view.matrix { view.chunks() } else { 0 });
        Self { old, new, view, held }
    }

    /// The cast that brings both sides to one format. The wider side is rounded, so that a change of format is told
    /// apart from a change of the model.
    pub(super) fn cast(&self) -> Option<Cast> {
        let (old, new) = (Grain::of(self.old.dtype)?, Grain::of(self.new.dtype)?);
        match old {
            _ if old == new => None,
            _ if new.holds(old) => Some(Cast::New(old)),
            _ => Some(Cast::Old(new)),
        }
    }

    /// The wider format of both sides; none for integers.
    pub(super) fn container(&self) -> Option<Grain> {
        let (old, new) = (Grain::of(self.old.dtype)?, Grain::of(self.new.dtype)?);
        Some(if old.holds(new) { old } else { new })
    }

    pub(super) fn common<T: Number>(&self) -> Common<T> {
        match self.cast() {
            None => Common { old: None, new: None },
            Some(Cast::Old(grain)) => Common { old: T::rounding(grain), new: None },
            Some(Cast::New(grain)) => Common { old: None, new: T::rounding(grain) },
        }
    }

    /// Whether all threads work on it.
    pub(super) fn is_large(&self) -> bool {
        self.view.total.saturating_mul(self.old.dtype.size()) >= LARGE
    }

    /// Reads all pieces in order and takes them up in a result. Of a large tensor, all threads make partial results of
    /// some pieces each, which are merged in order: the same result whatever the number of threads. `weight` is the size
    /// of a partial result in bytes.
    pub(super) fn fold<T: Number, P: Send>(
        &self,
        weight: usize,
        make: impl Fn() -> P + Sync,
        visit: impl Fn(&mut P, &mut Piece<'_, T>) + Sync,
        merge: impl Fn(&mut P, P),
    ) -> Result<P, WeightsError> {
        let step = |partial: &mut P, scratch: &mut Scratch<T>, chunk: usize| {
            self.piece(chunk, scratch, |piece| visit(partial, piece))
        };
        self.drive(weight, make, step, merge)
    }

    /// The same of the change alone, with both sides brought to one precision: the first row of each piece, and its
    /// numbers; none where it is known that all are zero.
    pub(super) fn fold_change<T: Number, P: Send>(
        &self,
        weight: usize,
        make: impl Fn() -> P + Sync,
        visit: impl Fn(&mut P, usize, &[f32]) + Sync,
        merge: impl Fn(&mut P, P),
    ) -> Result<P, WeightsError> {
        let common = self.common::<T>();
        let step = |partial: &mut P, scratch: &mut Scratch<T>, chunk: usize| {
            let row = chunk * self.view.rows_per_chunk();
            match self.held.piece(chunk) {
                Some(Kept::Unchanged) => {
                    visit(partial, row, &[]);
                    Ok(())
                }
                Some(Kept::Changed(change)) => {
                    visit(partial, row, change);
                    Ok(())
                }
                None => self.piece(chunk, scratch, |piece| {
                    piece.settle(&common);
                    subtract(piece.change, piece.old, piece.new);
                    visit(partial, row, piece.change);
                }),
            }
        };
        self.drive(weight, make, step, merge)
    }

    fn drive<S: Default, P: Send>(
        &self,
        weight: usize,
        make: impl Fn() -> P + Sync,
        step: impl Fn(&mut P, &mut S, usize) -> Result<(), WeightsError> + Sync,
        merge: impl Fn(&mut P, P),
    ) -> Result<P, WeightsError> {
        let chunks = self.view.chunks();
        let mut whole = make();
        if !self.is_large() {
            let mut scratch = S::default();
            (0..chunks).try_for_each(|chunk| step(&mut whole, &mut scratch, chunk))?;
            return Ok(whole);
        }
        let group = |scratch: &mut S, group: usize| {
            let mut partial = make();
            let mut pieces = group * GROUP..chunks.min((group + 1) * GROUP);
            pieces.try_for_each(|chunk| step(&mut partial, scratch, chunk)).map(|()| partial)
        };
        let groups = chunks.div_ceil(GROUP);
        let wave = rayon::current_num_threads().min(PARTIALS / weight.max(1)).max(1);
        for start in (0..groups).step_by(wave) {
            let partials = (start..groups.min(start + wave)).into_par_iter().map_init(S::default, group);
            let partials: Result<Vec<P>, WeightsError> = partials.collect();
            partials?.into_iter().for_each(|partial| merge(&mut whole, partial));
        }
        Ok(whole)
    }

    /// Reads a piece.
    fn piece<T: Number>(
        &self,
        chunk: usize,
        scratch: &mut Scratch<T>,
        visit: impl FnOnce(&mut Piece<'_, T>),
    ) -> Result<(), WeightsError> {
        let at = self.view.range(chunk);
        let Scratch { old_bytes, new_bytes, old, new, change } = scratch;
        let old_bytes = self.old.numbers(at, old_bytes)?;
        let new_bytes = self.new.numbers(at, new_bytes)?;
        decode(self.old.dtype, old_bytes, old);
        decode(self.new.dtype, new_bytes, new);
        let row = chunk * self.view.rows_per_chunk();
        visit(&mut Piece { number: chunk, row, old_bytes, new_bytes, old, new, change });
        Ok(())
    }

    /// Reads all pieces in order, on this thread.
    pub(super) fn each<T: Number>(&self, mut visit: impl FnMut(&mut Piece<'_, T>)) -> Result<(), WeightsError> {
        let mut scratch = Scratch::default();
        (0..self.view.chunks()).try_for_each(|chunk| self.piece(chunk, &mut scratch, &mut visit))
    }

    /// Where the bytes of a piece start, old and new.
    pub(super) fn starts(&self, chunk: usize) -> (u64, u64) {
        let first = self.view.range(chunk).0;
        (first.saturating_mul(self.old.number_size()), first.saturating_mul(self.new.number_size()))
    }
}

/// Replaces `change` by the new numbers less the old ones.
pub(super) fn subtract<T: Number>(change: &mut Vec<f32>, old: &[T], new: &[T]) {
    change.clear();
    change.extend(old.iter().zip(new).map(|(old, new)| (*new - *old).single()));
}

impl<T: Number> Piece<'_, T> {
    /// Brings both sides to one precision.
    pub(super) fn round(&mut self, common: &Common<T>) {
        round(self.old, common.old.as_ref());
        round(self.new, common.new.as_ref());
    }

    /// Takes what is no finite number out of both sides. Gives how many each side had of those.
    pub(super) fn clean(&mut self) -> (u64, u64) {
        // Nearly always there is nothing to do, which a sum without branches tells sooner.
        let all = |numbers: &[T]| numbers.iter().fold(true, |all, number| all & number.counts());
        if all(self.old) && all(self.new) {
            return (0, 0);
        }
        let odd = |numbers: &[T]| numbers.iter().filter(|number| !number.counts()).count() as u64;
        let found = (odd(self.old), odd(self.new));
        for (old, new) in self.old.iter_mut().zip(self.new.iter_mut()) {
            if !(old.counts() && new.counts()) {
                (*old, *new) = (T::default(), T::default());
            }
        }
        found
    }

    /// Both, for passes that only compute.
    pub(super) fn settle(&mut self, common: &Common<T>) {
        self.round(common);
        self.clean();
    }

    /// Bytes of one old number, which are those of a new one when both sides have one type.
    pub(super) fn width(&self) -> usize {
        self.old_bytes.len() / self.old.len().max(1)
    }

    /// The bytes of some numbers, old and new, when both sides have one type.
    pub(super) fn bytes(&self, start: usize, count: usize) -> (&[u8], &[u8]) {
        let range = start * self.width()..(start + count) * self.width();
        (&self.old_bytes[range.clone()], &self.new_bytes[range])
    }

    /// The bytes of one number of a row's.
    pub(super) fn element<'b>(&self, row: &'b [u8], column: usize) -> &'b [u8] {
        &row[column * self.width()..(column + 1) * self.width()]
    }
}

fn round<T: Number>(numbers: &mut [T], rounding: Option<&Rounding<T>>) {
    if let Some(rounding) = rounding {
        numbers.iter_mut().for_each(|number| *number = number.rounded(rounding));
    }
}

/// Buffers that are used again for every piece.
#[derive(Debug, Default)]
struct Scratch<T> {
    old_bytes: Vec<u8>,
    new_bytes: Vec<u8>,
    old: Vec<T>,
    new: Vec<T>,
    change: Vec<f32>,
}
