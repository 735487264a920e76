//! The first pass over a pair: everything that one look at each number can tell.

use super::change::{Change, MOST, first_changes};
use super::digest::Digests;
use super::float::{Grain, Number, Rounding};
use super::held::Kept;
use super::number::count_changed;
use super::pair::{Common, Pair, Piece, subtract};
use super::sketch::Plan;
use super::sums::Sums;
use crate::weights::WeightsError;

/// Numbers that are rounded and compared before anything is decided.
const BLOCK: usize = 256;

/// What the first pass found.
#[derive(Debug, Default)]
pub(super) struct Measured {
    pub(super) sums: Sums,
    /// Numbers that differ: in their bits when both sides have one type, otherwise in their values after the cast.
    pub(super) changed: u64,
    /// Numbers that are not finite, old and new.
    pub(super) odd: (u64, u64),
    /// Squared lengths of all rows, old and new; empty when it is no matrix.
    pub(super) rows: Vec<(f32, f32)>,
    /// Rows that hold changes, and how many; of a matrix.
    pub(super) changed_rows: Vec<(u32, u32)>,
    /// A bit for each column that holds changes, as long as that can be few of them.
    columns: Option<Vec<u64>>,
    /// The first numbers that changed.
    pub(super) first: Vec<Change>,
    /// What holds for all numbers that were seen, one bit for each format in [`Grain::NARROW`].
    pub(super) holds: Holds,
    /// The sketch of the change; of a matrix.
    pub(super) sketch: Option<Vec<f32>>,
}

/// What holds for all numbers, one bit for each format in [`Grain::NARROW`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Holds {
    /// The new value is the old one in this format.
    old_rounds_to_new: u8,
    /// The old value is the new one in this format.
    new_rounds_to_old: u8,
    /// The new value is one of this format.
    new_is_one: u8,
}

impl Default for Holds {
    fn default() -> Self {
        Self { old_rounds_to_new: u8::MAX, new_rounds_to_old: u8::MAX, new_is_one: u8::MAX }
    }
}

impl Holds {
    /// The format, narrower than the container, that the old values were rounded to.
    pub(super) fn rounded_old(&self, container: Grain) -> Option<Grain> {
        narrowest(self.old_rounds_to_new, container)
    }

    /// The format that the new values were rounded to, which gave the old ones.
    pub(super) fn rounded_new(&self, container: Grain) -> Option<Grain> {
        narrowest(self.new_rounds_to_old, container)
    }

    /// The narrowest format that the new values fit into: that of the container, or one that they went through.
    pub(super) fn new_grain(&self, container: Grain) -> Grain {
        narrowest(self.new_is_one, container).unwrap_or(container)
    }

    fn meet(&mut self, other: Self) {
        self.old_rounds_to_new &= other.old_rounds_to_new;
        self.new_rounds_to_old &= other.new_rounds_to_old;
        self.new_is_one &= other.new_is_one;
    }

    /// Clears the bits of what does not hold for these numbers. Most formats fail at the first few.
    fn look<T: Number>(&mut self, old: &[T], new: &[T], container: Grain) {
        for (bit, grain) in Grain::NARROW.into_iter().enumerate().filter(|(_, grain)| is_narrower(*grain, container)) {
            let Some(rounding) = T::rounding(grain) else { continue };
            let keep = |bits: &mut u8, from: &[T], to: &[T]| {
                if *bits & 1 << bit != 0 && !all(from, to, &rounding) {
                    *bits &= !(1 << bit);
                }
            };
            keep(&mut self.old_rounds_to_new, old, new);
            keep(&mut self.new_rounds_to_old, new, old);
            keep(&mut self.new_is_one, new, new);
        }
    }
}

fn narrowest(bits: u8, container: Grain) -> Option<Grain> {
    let held = Grain::NARROW.into_iter().enumerate().filter(|(bit, _)| bits & 1 << bit != 0);
    held.map(|(_, grain)| grain).find(|grain| is_narrower(*grain, container))
}

fn is_narrower(grain: Grain, container: Grain) -> bool {
    grain != container && container.holds(grain)
}

fn all<T: Number>(from: &[T], to: &[T], rounding: &Rounding<T>) -> bool {
    let same = |from: &[T], to: &[T]| {
        from.iter().zip(to).fold(true, |same, (from, to)| same & (from.rounded(rounding) == *to))
    };
    let careful = |from: &[T], to: &[T]| from.iter().zip(to).all(|(from, to)| from.rounds_to(*to, rounding));
    // A block at a time, so that most of the work has no branches.
    from.chunks(BLOCK).zip(to.chunks(BLOCK)).all(|(from, to)| same(from, to) || careful(from, to))
}

impl Measured {
    /// The columns that hold changes; none when they are many, or when it is no matrix.
    pub(super) fn changed_columns(&self) -> Option<Vec<u64>> {
        let bits = self.columns.as_ref()?;
        let is_set = |column: &u64| bits[(column / 64) as usize] >> (column % 64) & 1 == 1;
        Some((0..bits.len() as u64 * 64).filter(is_set).collect())
    }
}

/// Measures a pair in one pass, in which `digests` take up what is read, if it is read in order.
pub(super) fn measure<T: Number>(
    pair: &Pair<'_>,
    plan: Option<&Plan>,
    digests: &mut Digests,
) -> Result<Measured, WeightsError> {
    let same_type = pair.old.dtype == pair.new.dtype;
    let pass = Pass::<T> { pair, plan, common: pair.common(), same_type, container: pair.container() };
    let weight = plan.map_or(0, |plan| plan.size * plan.size * 4) + pair.view.columns / 8 + (1 << 12);
    if pair.is_large() {
        return pair.fold(weight, || pass.empty(), |partial, piece| pass.visit(partial, piece), merge);
    }
    let mut found = pass.empty();
    pair.each(|piece| {
        let starts = pair.starts(piece.number);
        digests.take((starts.0, piece.old_bytes), (starts.1, piece.new_bytes));
        pass.visit(&mut found, piece);
    })?;
    Ok(found)
}

struct Pass<'a, T> {
    pair: &'a Pair<'a>,
    plan: Option<&'a Plan>,
    common: Common<T>,
    same_type: bool,
    /// The wider format of both sides; none for integers.
    container: Option<Grain>,
}

impl<T: Number> Pass<'_, T> {
    fn empty(&self) -> Measured {
        let view = &self.pair.view;
        let columns = view.matrix.then(|| vec![0; view.columns.div_ceil(64)]);
        Measured { columns, sketch: self.plan.map(Plan::empty), ..Measured::default() }
    }

    fn visit(&self, found: &mut Measured, piece: &mut Piece<'_, T>) {
        if let Some(container) = self.container {
            found.holds.look(piece.old, piece.new, container);
        }
        piece.round(&self.common);
        let before = found.changed;
        let changed = self.count(found, piece);
        let has_changed = found.changed > before;
        if has_changed && found.first.len() < MOST {
            found.first.extend(first_changes(piece, self.pair, self.same_type));
            found.first.truncate(MOST);
        }
        self.sum(found, piece);
        self.sketch(found, piece, has_changed.then_some(&*changed));
    }

    /// Counts the changes of each row, before what is not finite is taken out.
    fn count(&self, found: &mut Measured, piece: &Piece<'_, T>) -> Vec<u64> {
        let columns = self.pair.view.columns;
        let rows = piece.old.chunks(columns).zip(piece.new.chunks(columns)).enumerate();
        rows.map(|(at, (old, new))| {
            let bytes = self.same_type.then(|| piece.bytes(at * columns, old.len()));
            let changed = match bytes {
                Some((old_bytes, new_bytes)) => count_changed(piece.width() as u64, old_bytes, new_bytes),
                None => old.iter().zip(new).map(|(old, new)| u64::from(!old.same(*new))).sum(),
            };
            found.changed += changed;
            if self.pair.view.matrix && changed > 0 {
                found.changed_rows.push(((piece.row + at) as u32, changed as u32));
                let differs = |column: usize| match bytes {
                    Some((old, new)) => piece.element(old, column) != piece.element(new, column),
                    None => !old[column].same(new[column]),
                };
                mark_columns(&mut found.columns, old.len(), changed, differs);
            }
            changed
        })
        .collect()
    }

    /// Sums over all rows. Sums tell that there is something that is not finite, which is then taken out.
    fn sum(&self, found: &mut Measured, piece: &mut Piece<'_, T>) {
        let mut sums = self.row_sums(piece);
        if !sums.iter().all(Sums::count_all) {
            let odd = piece.clean();
            found.odd = (found.odd.0 + odd.0, found.odd.1 + odd.1);
            sums = self.row_sums(piece);
        }
        for sums in &sums {
            found.sums.add(sums);
            if self.pair.view.matrix {
                found.rows.push((sums.old_squares as f32, sums.new_squares as f32));
            }
        }
    }

    fn row_sums(&self, piece: &Piece<'_, T>) -> Vec<Sums> {
        let columns = self.pair.view.columns;
        piece.old.chunks(columns).zip(piece.new.chunks(columns)).map(|(old, new)| Sums::of(old, new)).collect()
    }

    /// Sketches the change of a piece, of which so many numbers of each row have changed, and keeps it.
    fn sketch(&self, found: &mut Measured, piece: &mut Piece<'_, T>, changed: Option<&[u64]>) {
        let (Some(plan), Some(sketch)) = (self.plan, &mut found.sketch) else { return };
        let held = &self.pair.held;
        let Some(changed) = changed else { return held.keep(piece.number, Kept::Unchanged) };
        let mut kept = held.buffer(piece.old.len());
        let change = kept.as_mut().unwrap_or(piece.change);
        subtract(change, piece.old, piece.new);
        let mut folded = vec![0.0; plan.size];
        let rows = change.chunks(self.pair.view.columns).zip(changed);
        for (row, (change, _)) in (piece.row..).zip(rows).filter(|(_, (_, changed))| **changed > 0) {
            plan.row(change, &mut folded);
            plan.add_row(row, &folded, sketch);
        }
        if let Some(change) = kept {
            held.keep(piece.number, Kept::Changed(change));
        }
    }
}

/// Notes the columns of a row's changes. A row in which many of them changed ends the search for few of them.
fn mark_columns(columns: &mut Option<Vec<u64>>, length: usize, changed: u64, differs: impl Fn(usize) -> bool) {
    if changed > length as u64 / 4 {
        *columns = None;
    }
    let Some(columns) = columns else { return };
    for column in (0..length).filter(|column| differs(*column)) {
        columns[column / 64] |= 1 << (column % 64);
    }
}

fn merge(whole: &mut Measured, partial: Measured) {
    whole.sums.add(&partial.sums);
    whole.changed += partial.changed;
    whole.odd = (whole.odd.0 + partial.odd.0, whole.odd.1 + partial.odd.1);
    whole.rows.extend(partial.rows);
    whole.changed_rows.extend(partial.changed_rows);
    let room = MOST.saturating_sub(whole.first.len());
    whole.first.extend(partial.first.into_iter().take(room));
    whole.holds.meet(partial.holds);
    match (&mut whole.columns, partial.columns) {
        (Some(columns), Some(more)) => columns.iter_mut().zip(more).for_each(|(bits, more)| *bits |= more),
        (columns, _) => *columns = None,
    }
    if let (Some(sketch), Some(more)) = (&mut whole.sketch, partial.sketch) {
        sketch.iter_mut().zip(more).for_each(|(sum, number)| *sum += number);
    }
}
