//! One pair of tensors with the same extents: what kind of change it is. The questions run from the most particular
//! answer to the most general one, and each is asked only when those before it were answered no.

use std::collections::BTreeSet;

use super::digest::Digests;
use super::float::{Grain, Number};
use super::measure::{Measured, measure};
use super::number::needs_double;
use super::pair::{Cast, Pair};
use super::permuted::permutation;
use super::rank::directions;
use super::report::{Details, Kind, Lines, Measures};
use super::scaled::factor;
use super::sketch::Plan;
use crate::weights::{TensorInfo, WeightsError};

/// Rows and columns that are listed.
const MAX_LINES: usize = 8;
/// Changed rows are few when they are at most one in so many; the same for columns.
const FEW_LINES: u64 = 4;
/// Numbers are few when they are at most one in so many.
const FEW_NUMBERS: u64 = 100;
/// Values that a tensor has to have before they say what it was rounded to.
const VARIED: usize = 16;
/// Standard deviations of an unrelated pair's correlation that are still called unrelated.
const UNRELATED_DEVIATIONS: f64 = 5.0;
/// A correlation that is called unrelated, however large the tensor.
const UNRELATED: f64 = 0.02;

/// The answer about a pair.
#[derive(Debug)]
pub(super) struct Compared {
    pub(super) kind: Kind,
    pub(super) measures: Measures,
    pub(super) details: Details,
}

/// Compares two tensors, of which some bytes or the types differ. `tensor` has the extents that both share.
/// `digests` take up what is read.
pub(super) fn compare(pair: &Pair<'_>, tensor: &TensorInfo, digests: &mut Digests) -> Result<Compared, WeightsError> {
    if needs_double(pair.old.dtype) || needs_double(pair.new.dtype) {
        Comparison::<f64>::run(pair, tensor, digests)
    } else {
        Comparison::<f32>::run(pair, tensor, digests)
    }
}

struct Comparison<'a, T> {
    pair: &'a Pair<'a>,
    plan: Option<Plan>,
    found: Measured,
    measures: Measures,
    details: Details,
    number: std::marker::PhantomData<T>,
}

impl<'a, T: Number> Comparison<'a, T> {
    fn run(pair: &'a Pair<'a>, tensor: &TensorInfo, digests: &mut Digests) -> Result<Compared, WeightsError> {
        let view = &pair.view;
        let plan = if view.matrix { Plan::new(view.rows, view.columns) } else { None };
        let found = measure::<T>(pair, plan.as_ref(), digests)?;
        let measures = measures(&found, pair);
        let number = std::marker::PhantomData;
        let mut this = Self { pair, plan, found, measures, details: Details::default(), number };
        let kind = this.kind()?;
        if matches!(kind, Kind::BitLevel | Kind::Sparse) {
            this.details.changes = std::mem::take(&mut this.found.first);
            this.details.changes.iter_mut().for_each(|change| change.locate(tensor));
        }
        Ok(Compared { kind, measures: this.measures, details: this.details })
    }

    fn kind(&mut self) -> Result<Kind, WeightsError> {
        if self.found.changed == 0 && self.pair.old.dtype == self.pair.new.dtype {
            return Ok(Kind::Identical);
        }
        if self.is_recast()? {
            return Ok(Kind::Recast);
        }
        if let Some(kind) = self.localised() {
            return Ok(kind);
        }
        if let Some(factor) =
            self.grain().map(|grain| factor::<T>(self.pair, &self.found.sums, grain)).transpose()?.flatten()
        {
            self.details.factor = Some(factor);
            return Ok(Kind::Scaled);
        }
        if self.is_unrelated() {
            self.details.permutation = permutation::<T>(self.pair, &self.found.rows)?;
            return Ok(if self.details.permutation.is_some() { Kind::Permuted } else { Kind::Unrelated });
        }
        Ok(if self.is_low_rank()? { Kind::LowRank } else { Kind::Dense })
    }

    /// The narrowest format that the new values fit into; none for integers.
    fn grain(&self) -> Option<Grain> {
        Some(self.found.holds.new_grain(Grain::of(self.pair.new.dtype)?))
    }

    /// The energy that rounding may have added to the change: once with the new side, and once more if a side was cast
    /// for the comparison.
    fn noise(&self) -> f64 {
        let (grain, times) = match self.pair.cast() {
            Some(Cast::Old(grain) | Cast::New(grain)) => (Some(grain), 2.0),
            None => (self.grain(), 1.0),
        };
        grain.map_or(0.0, |grain| times * grain.rounding_share() * self.found.sums.new_squares)
    }

    fn is_recast(&mut self) -> Result<bool, WeightsError> {
        let holds = &self.found.holds;
        let (format, reversed) = match self.pair.cast() {
            Some(Cast::Old(grain)) if self.found.changed == 0 => (Some(grain), false),
            Some(Cast::New(grain)) if self.found.changed == 0 => (Some(grain), true),
            _ => match self.pair.container() {
                Some(container) => {
                    let forth = holds.rounded_old(container);
                    let format = forth.or_else(|| holds.rounded_new(container));
                    let is_told = format.is_some() && self.is_varied(forth.is_none())?;
                    (format.filter(|_| is_told), forth.is_none())
                }
                // Integers of other widths with the same values.
                None => return Ok(self.found.changed == 0 && self.pair.old.dtype != self.pair.new.dtype),
            },
        };
        (self.details.format, self.details.reversed) = (format, reversed && format.is_some());
        Ok(format.is_some())
    }

    /// Whether a side has so many values that all of them being those of a narrow format is no accident: a tensor of
    /// ones is what many others round to.
    fn is_varied(&self, old: bool) -> Result<bool, WeightsError> {
        let seen = self.pair.fold::<T, _>(
            0,
            BTreeSet::new,
            |seen: &mut BTreeSet<u64>, piece| {
                let numbers = if old { &*piece.old } else { &*piece.new };
                let bits = numbers.iter().map(|number| number.double().to_bits());
                for bits in bits {
                    if seen.len() >= VARIED {
                        break;
                    }
                    seen.insert(bits);
                }
            },
            |whole, partial| whole.extend(partial),
        )?;
        Ok(seen.len() >= VARIED)
    }

    /// A change of few places: numbers, rows or columns.
    fn localised(&mut self) -> Option<Kind> {
        let (changed, total) = (self.found.changed, self.pair.view.total);
        let rows = self.changed_rows();
        let columns = self.changed_columns();
        let whole = |lines: &Option<Lines>, length: usize| {
            lines.as_ref().is_some_and(|lines| changed.saturating_mul(2) > lines.count.saturating_mul(length as u64))
        };
        let whole_lines = whole(&rows, self.pair.view.columns) || whole(&columns, self.pair.view.rows);
        let single = changed == 1 || changed <= super::change::MOST as u64 && changed.saturating_mul(4) <= total;
        if single && !(whole_lines && changed > 1) {
            return Some(Kind::BitLevel);
        }
        let few = |lines: &Lines| lines.count.saturating_mul(FEW_LINES) <= lines.of;
        if let Some(rows) = rows.filter(few) {
            self.details.lines = Some(rows);
            return Some(Kind::Rows);
        }
        if let Some(columns) = columns.filter(few) {
            self.details.lines = Some(columns);
            return Some(Kind::Columns);
        }
        (changed.saturating_mul(FEW_NUMBERS) <= total).then_some(Kind::Sparse)
    }

    fn changed_rows(&self) -> Option<Lines> {
        let rows = &self.found.changed_rows;
        let first = rows.iter().take(MAX_LINES).map(|(row, _)| u64::from(*row)).collect();
        let lines = Lines { count: rows.len() as u64, of: self.pair.view.rows as u64, first };
        self.pair.view.matrix.then_some(lines)
    }

    fn changed_columns(&self) -> Option<Lines> {
        let columns = self.found.changed_columns()?;
        let first = columns.iter().take(MAX_LINES).copied().collect();
        Some(Lines { count: columns.len() as u64, of: self.pair.view.columns as u64, first })
    }

    /// Vectors of which one side is constant cannot be told to be unrelated.
    fn is_unrelated(&self) -> bool {
        let deviation = 1.0 / (self.pair.view.total.max(1) as f64).sqrt();
        let bound = UNRELATED.max(UNRELATED_DEVIATIONS * deviation);
        bound < 1.0 && self.measures.correlation.is_some_and(|correlation| correlation.abs() < bound)
    }

    fn is_low_rank(&mut self) -> Result<bool, WeightsError> {
        let sums = &self.found.sums;
        let (Some(plan), Some(sketch)) = (&self.plan, self.found.sketch.take()) else { return Ok(false) };
        if sums.change_squares <= 0.0 || !sketch.iter().all(|value| value.is_finite()) {
            return Ok(false);
        }
        let found = directions::<T>(self.pair, plan, &sketch, sums.change_squares, self.noise())?;
        self.measures.stable_rank = found.stable_rank;
        if let Some(low) = &found.low {
            (self.details.rank, self.details.held) = (Some(low.rank as u64), Some(low.held));
        }
        Ok(found.low.is_some())
    }
}

fn measures(found: &Measured, pair: &Pair<'_>) -> Measures {
    let sums = &found.sums;
    let count = pair.view.total.saturating_sub(found.odd.0.max(found.odd.1)).max(1) as f64;
    Measures {
        numbers: pair.view.total,
        changed: found.changed,
        relative: sums.relative(),
        cosine: sums.cosine(),
        correlation: sums.correlation(count),
        unrelated_below: (3.0 / count.sqrt()).min(1.0),
        largest: sums.largest,
        not_finite_old: found.odd.0,
        not_finite_new: found.odd.1,
        changed_rows: pair.view.matrix.then_some(found.changed_rows.len() as u64),
        stable_rank: None,
    }
}
