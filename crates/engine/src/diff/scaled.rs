//! One factor for all numbers.

use super::float::{Grain, Number};
use super::pair::Pair;
use super::sums::Sums;
use crate::weights::WeightsError;

/// The share of the change's energy that a factor has to explain before every number is looked at.
const EXPLAINED: f64 = 0.5;
/// Steps of the new side's last place by which a number may miss the scaled one: half of one for its rounding, and as
/// much again for that of the factor and of the old number.
const STEPS: f64 = 1.25;

/// The factor between both sides, when every number is the old one times it but for rounding to `grain`.
pub(super) fn factor<T: Number>(pair: &Pair<'_>, sums: &Sums, grain: Grain) -> Result<Option<f64>, WeightsError> {
    // Scaling is done before a cast: the sums of numbers that were cast first would say nothing of it.
    let sums = if pair.cast().is_some() { uncast_sums::<T>(pair)? } else { *sums };
    let Some(factor) = guess(&sums) else { return Ok(None) };
    let (step, least) = (STEPS * grain.step(), STEPS * grain.least_step());
    let fits =
        |old: f64, new: f64| (new - factor * old).abs() <= (step * new.abs().max((factor * old).abs())).max(least);
    let all = pair.fold::<T, _>(
        0,
        || true,
        |fitting, piece| {
            piece.clean();
            *fitting &= piece.old.iter().zip(piece.new.iter()).all(|(old, new)| fits(old.double(), new.double()));
        },
        |whole, partial| *whole &= partial,
    )?;
    Ok(all.then_some(factor))
}

fn uncast_sums<T: Number>(pair: &Pair<'_>) -> Result<Sums, WeightsError> {
    pair.fold::<T, _>(
        0,
        Sums::default,
        |sums, piece| {
            piece.clean();
            sums.add(&Sums::of(piece.old, piece.new));
        },
        |whole, partial| whole.add(&partial),
    )
}

/// The factor that explains most of the change, if it explains enough of it.
fn guess(sums: &Sums) -> Option<f64> {
    if sums.old_squares <= 0.0 || sums.change_squares <= 0.0 {
        return None;
    }
    let factor = sums.product() / sums.old_squares;
    let explained = (factor - 1.0).powi(2) * sums.old_squares / sums.change_squares;
    (factor != 0.0 && explained >= EXPLAINED).then_some(factor)
}
