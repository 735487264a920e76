//! In how many directions a change goes: few for an adapter that was merged or a single fact that was edited, as many as
//! there are for a fine-tuned or cast matrix.
//!
//! The sketch of the change says whether few directions can hold it. If so, a basis of them is found (randomised range
//! finder, Halko, Martinsson and Tropp 2011, started in the sketch's own directions), and the change is projected on it:
//! the share of its energy that the basis holds is computed, not estimated. No full decomposition is ever made.

use std::marker::PhantomData;

use super::float::Number;
use super::linear::{dot_single, eigen, eigenvalues, gram, orthonormalize};
use super::pair::Pair;
use super::sketch::Plan;
use crate::weights::WeightsError;

/// The largest rank that is called low.
pub(super) const MOST: usize = 64;
/// Directions beyond those that are expected, so that none of these is lost.
const SPARE: usize = 8;
/// The share of the energy that has to be held.
const ENOUGH: f64 = 0.99;
/// By how much a direction exceeds the largest one of noise, to count as more than noise.
const STANDS_OUT: f64 = 1.3;
/// Columns that are worked on at a time: few enough for a few rows of them to stay in the fastest cache.
const TILE: usize = 512;
/// Numbers of a basis that are held in memory.
const MAX_BASIS: usize = 8 << 20;
/// Numbers of a matrix that is small enough to be read many times.
const SMALL: u64 = 1 << 20;
/// Times that a small matrix is read to find its strongest direction.
const MANY_ROUNDS: usize = 8;
/// Times that a larger one is.
const FEW_ROUNDS: usize = 2;

/// What the directions of a change say.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Directions {
    /// How many hold it, when few do.
    pub(super) low: Option<LowRank>,
    /// Energy over that of the strongest direction: an upper bound, as the strongest is found from below.
    pub(super) stable_rank: Option<f64>,
}

/// A change in few directions.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LowRank {
    /// How many: those that stand out from noise, or fewer if these hold 99 % of the energy.
    pub(super) rank: usize,
    /// The share of the change's energy that they hold: a lower bound.
    pub(super) held: f64,
}

/// Looks for few directions in a change. `energy` is the sum of its squares; `noise` is what rounding alone may have
/// added to it.
pub(super) fn directions<T: Number>(
    pair: &Pair<'_>,
    plan: &Plan,
    sketch: &[f32],
    energy: f64,
    noise: f64,
) -> Result<Directions, WeightsError> {
    let products = gram(sketch, plan.size);
    let basis = if may_be_low(&products, plan.size, noise / energy) {
        let spectrum = Spectrum::of_sketch(products, plan.size, energy);
        // A sketch makes strong directions stronger and weak ones weaker: those that stand out are wanted too.
        spectrum.rank(noise).map(|rank| rank.max(spectrum.standing_out().min(MOST)) + SPARE)
    } else {
        None
    };
    let basis = basis.filter(|size| size * pair.view.rows.max(pair.view.columns) <= MAX_BASIS);
    let search = Search { pair, plan, number: PhantomData::<T> };
    if let Some(size) = basis {
        let found = search.project(&search.range(&spectrum_directions(sketch, plan.size, size))?)?;
        let spectrum = Spectrum::of_basis(&found, size, energy, (pair.view.rows, pair.view.columns));
        let stable_rank = spectrum.stable_rank();
        if let Some(rank) = spectrum.rank(noise).filter(|rank| is_low(*rank, pair)) {
            let held = spectrum.energies.iter().take(rank).sum::<f64>() / energy;
            return Ok(Directions { low: Some(LowRank { rank, held: held.min(1.0) }), stable_rank });
        }
    }
    let start = spectrum_directions(sketch, plan.size, 1);
    let strongest = search.strongest(&plan.unfold(&start[0]))?;
    Ok(Directions { low: None, stable_rank: (strongest > 0.0).then(|| energy / strongest) })
}

/// Whether few directions can hold enough, which all energies together tell sooner than each of them: the sum of so many
/// of them is no more than the root of their number times the sum of all squares (Cauchy and Schwarz). `noise` is a share
/// of the energy.
fn may_be_low(products: &[f64], size: usize, noise: f64) -> bool {
    let total: f64 = (0..size).map(|at| products[at * size + at]).sum();
    let squares: f64 = products.iter().map(|product| product * product).sum();
    let wanted = ENOUGH.min(1.0 - (3.0 * noise).min(0.5));
    // Nothing is decided by the last digits.
    (MOST as f64 * squares).sqrt() * (1.0 + 1e-6) >= wanted * total
}

fn is_low(rank: usize, pair: &Pair<'_>) -> bool {
    rank <= MOST.min(pair.view.full_rank() / 4)
}

/// Energies of directions, strongest first.
#[derive(Debug)]
struct Spectrum {
    energies: Vec<f64>,
    /// Energy of all, also of those not listed.
    total: f64,
    /// Extents of the matrix whose noise they are compared with.
    extents: (usize, usize),
}

impl Spectrum {
    /// `products` are those of the sketch's rows.
    fn of_sketch(mut products: Vec<f64>, size: usize, energy: f64) -> Self {
        let mut energies = eigenvalues(&mut products, size);
        // A sketch keeps energy on average only.
        let scale = energy / energies.iter().sum::<f64>();
        energies.iter_mut().for_each(|energy| *energy *= scale);
        Self { energies, total: energy, extents: (size, size) }
    }

    /// `projected` are the rows of the basis' transpose times the change.
    fn of_basis(projected: &[f32], size: usize, energy: f64, extents: (usize, usize)) -> Self {
        Self { energies: eigen(&mut gram(projected, size), size).0, total: energy, extents }
    }

    fn stable_rank(&self) -> Option<f64> {
        self.energies.first().filter(|strongest| **strongest > 0.0).map(|strongest| self.total / strongest)
    }

    /// The rank, if few directions hold all but what rounding explains.
    fn rank(&self, noise: f64) -> Option<usize> {
        let enough = self.holding(ENOUGH * self.total);
        let standing = self.standing_out();
        let rest = self.total - self.energies.iter().take(standing).sum::<f64>();
        let explained = rest <= (3.0 * noise).min(self.total / 2.0);
        let by_noise = Some(standing).filter(|rank| explained && *rank > 0);
        let rank = enough.into_iter().chain(by_noise).min();
        rank.filter(|rank| *rank <= MOST)
    }

    /// Directions that hold this much energy.
    fn holding(&self, wanted: f64) -> Option<usize> {
        let mut held = 0.0;
        self.energies
            .iter()
            .position(|energy| {
                held += energy;
                held >= wanted
            })
            .map(|at| at + 1)
    }

    /// Directions beyond the edge of noise: of what is left once they are taken away, spread evenly over the matrix.
    fn standing_out(&self) -> usize {
        let (rows, columns) = (self.extents.0 as f64, self.extents.1 as f64);
        let edge = (rows.sqrt() + columns.sqrt()).powi(2) / (rows * columns) * STANDS_OUT.powi(2);
        let mut rest = self.total;
        self.energies
            .iter()
            .take_while(|energy| {
                let stands_out = **energy > edge * (rest - **energy);
                rest -= **energy;
                stands_out
            })
            .count()
    }
}

/// The strongest directions among the columns of a sketch.
fn spectrum_directions(sketch: &[f32], size: usize, count: usize) -> Vec<Vec<f32>> {
    let count = count.min(size);
    let mut directions: Vec<Vec<f32>> = (0..count).map(|at| sketch[at * size..(at + 1) * size].to_vec()).collect();
    // Every row takes part in the start, and none is lost to being zero.
    for (at, row) in sketch.chunks(size).enumerate().skip(count) {
        directions[at % count].iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
    for _ in 0..4 {
        orthonormalize(&mut directions);
        directions = directions.iter().map(|direction| normal_product(sketch, size, direction)).collect();
    }
    orthonormalize(&mut directions);
    directions
}

/// The sketch's transpose times the sketch times a direction.
fn normal_product(sketch: &[f32], size: usize, direction: &[f32]) -> Vec<f32> {
    let mut product = vec![0.0; size];
    for row in sketch.chunks(size) {
        let share = dot_single(row, direction) as f32;
        product.iter_mut().zip(row).for_each(|(sum, value)| *sum += share * value);
    }
    product
}

struct Search<'a, T> {
    pair: &'a Pair<'a>,
    plan: &'a Plan,
    number: PhantomData<T>,
}

impl<T: Number> Search<'_, T> {
    /// An orthonormal basis of what the change makes of the directions, which are those of the sketch.
    fn range(&self, directions: &[Vec<f32>]) -> Result<Vec<Vec<f32>>, WeightsError> {
        let view = &self.pair.view;
        let mut basis = self.pair.fold_change::<T, _>(
            view.rows_per_chunk() * directions.len() * 4,
            || vec![Vec::new(); directions.len()],
            |partial: &mut Vec<Vec<f32>>, row, change| {
                let mut folded = vec![0.0; self.plan.size];
                for change in change.chunks(view.columns) {
                    self.plan.row(change, &mut folded);
                    let images = directions.iter().map(|direction| dot_single(direction, &folded) as f32);
                    partial.iter_mut().zip(images).for_each(|(images, image)| images.push(image));
                }
                let missing = self.missing(row, change);
                partial.iter_mut().for_each(|images| images.resize(images.len() + missing, 0.0));
            },
            |whole, partial| whole.iter_mut().zip(partial).for_each(|(whole, partial)| whole.extend(partial)),
        )?;
        orthonormalize(&mut basis);
        Ok(basis)
    }

    /// The transpose of the basis times the change, row after row.
    fn project(&self, basis: &[Vec<f32>]) -> Result<Vec<f32>, WeightsError> {
        let columns = self.pair.view.columns;
        self.pair.fold_change::<T, _>(
            basis.len() * columns * 4,
            || vec![0.0; basis.len() * columns],
            |partial: &mut Vec<f32>, row, change| {
                for first in (0..columns).step_by(TILE) {
                    let tile = first..columns.min(first + TILE);
                    for (target, vector) in partial.chunks_mut(columns).zip(basis) {
                        let shares = vector.get(row..).unwrap_or_default();
                        accumulate(&mut target[tile.clone()], change, (columns, first), shares);
                    }
                }
            },
            |whole, partial| add(whole, &partial),
        )
    }

    /// The energy of the strongest direction, from below: the largest that is found among the powers of the change's
    /// normal matrix on a start (Lanczos).
    fn strongest(&self, start: &[f32]) -> Result<f64, WeightsError> {
        let mut basis: Vec<Vec<f32>> = vec![start.to_vec()];
        orthonormalize(&mut basis);
        let rounds = if self.pair.view.total <= SMALL { MANY_ROUNDS } else { FEW_ROUNDS };
        let mut images: Vec<Vec<f32>> = Vec::new();
        for round in 0..rounds {
            // What a direction becomes tells all that its share of the energy does; only the next one asks for more.
            let back = round + 1 < rounds;
            let (image, next) = self.forth(&basis[round], back)?;
            images.push(image);
            basis.push(next);
            orthonormalize(&mut basis);
        }
        let mut products = vec![0.0; rounds * rounds];
        for (one, image) in images.iter().enumerate() {
            images.iter().enumerate().for_each(|(at, other)| products[one * rounds + at] = dot_single(image, other));
        }
        Ok(eigen(&mut products, rounds).0.first().copied().unwrap_or(0.0))
    }

    /// The change times a vector, and if it is to go `back`, the change's transpose times that.
    fn forth(&self, vector: &[f32], back: bool) -> Result<(Vec<f32>, Vec<f32>), WeightsError> {
        let view = &self.pair.view;
        self.pair.fold_change::<T, _>(
            (view.columns + view.rows_per_chunk()) * 4,
            || (Vec::new(), vec![0.0; view.columns]),
            |(image, partial): &mut (Vec<f32>, Vec<f32>), row, change| {
                for change in change.chunks(view.columns) {
                    let share = dot_single(change, vector) as f32;
                    image.push(share);
                    if back {
                        partial.iter_mut().zip(change).for_each(|(sum, change)| *sum += share * change);
                    }
                }
                image.resize(image.len() + self.missing(row, change), 0.0);
            },
            |whole, partial| {
                whole.0.extend(partial.0);
                add(&mut whole.1, &partial.1);
            },
        )
    }

    /// Rows of a piece that are not there because nothing in it has changed.
    fn missing(&self, row: usize, change: &[f32]) -> usize {
        let view = &self.pair.view;
        if change.is_empty() { view.rows_per_chunk().min(view.rows - row) } else { 0 }
    }
}

/// Adds a part of each row, from `first` on, to a target, each row by its share; several at a time, so that the target is
/// not always under way.
fn accumulate(target: &mut [f32], change: &[f32], (columns, first): (usize, usize), shares: &[f32]) {
    let width = target.len();
    for (rows, shares) in change.chunks(8 * columns).zip(shares.chunks(8)) {
        let row = |at: usize| &rows[at * columns + first..][..width];
        if let (&[a, b, c, d, e, f, g, h], true) = (shares, rows.len() == 8 * columns) {
            let upper = row(0).iter().zip(row(1)).zip(row(2)).zip(row(3));
            let lower = row(4).iter().zip(row(5)).zip(row(6)).zip(row(7));
            for ((sum, (((p, q), r), s)), (((t, u), v), w)) in target.iter_mut().zip(upper).zip(lower) {
                *sum += ((a * p + b * q) + (c * r + d * s)) + ((e * t + f * u) + (g * v + h * w));
            }
        } else {
            for (at, share) in (0..rows.len() / columns).zip(shares) {
                target.iter_mut().zip(row(at)).for_each(|(sum, value)| *sum += share * value);
            }
        }
    }
}

fn add(whole: &mut [f32], partial: &[f32]) {
    whole.iter_mut().zip(partial).for_each(|(whole, partial)| *whole += partial);
}
