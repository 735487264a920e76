//! Sums over two rows of numbers: what lengths, angles and distances are made of.

use super::float::Number;

/// Numbers that are summed in the precision they came in before a double takes over.
const BLOCK: usize = 1024;
/// Sums that run beside each other, for the sake of vectors.
const LANES: usize = 16;
/// A sum of squares up to which every number takes part in sums ([`Number::counts`]).
const ALL_COUNT: f64 = 1e300;
/// Squares whose sum is smaller may have lost digits to the end of the range.
const TINY: f64 = 1e-28;

/// Sums over pairs of numbers, a old and b new.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Sums {
    /// Of a squared.
    pub(super) old_squares: f64,
    /// Of b squared.
    pub(super) new_squares: f64,
    /// Of (b - a) squared.
    pub(super) change_squares: f64,
    /// Of a.
    pub(super) old: f64,
    /// Of b.
    pub(super) new: f64,
    /// The largest |b - a|.
    pub(super) largest: f64,
}

impl Sums {
    /// The sums of two rows.
    pub(super) fn of<T: Number>(old: &[T], new: &[T]) -> Self {
        let mut sums = Self::default();
        for (old, new) in old.chunks(BLOCK).zip(new.chunks(BLOCK)) {
            sums.add(&block(old, new));
        }
        sums
    }

    /// Whether every number that was summed takes part in sums. That not all do is only certain once they are looked at.
    pub(super) fn count_all(&self) -> bool {
        self.old_squares <= ALL_COUNT && self.new_squares <= ALL_COUNT
    }

    /// Takes up the sums of more numbers.
    pub(super) fn add(&mut self, other: &Self) {
        self.old_squares += other.old_squares;
        self.new_squares += other.new_squares;
        self.change_squares += other.change_squares;
        self.old += other.old;
        self.new += other.new;
        self.largest = self.largest.max(other.largest);
    }

    /// |b - a| as a share of |a|; none when a is zero and b is not.
    pub(super) fn relative(&self) -> Option<f64> {
        match (self.change_squares > 0.0, self.old_squares > 0.0) {
            (false, _) => Some(0.0),
            (true, true) => Some((self.change_squares / self.old_squares).sqrt()),
            (true, false) => None,
        }
    }

    /// Sum of a b.
    pub(super) fn product(&self) -> f64 {
        (self.old_squares + self.new_squares - self.change_squares) / 2.0
    }

    /// The cosine of the angle between both; none when one is zero.
    pub(super) fn cosine(&self) -> Option<f64> {
        let lengths = (self.old_squares * self.new_squares).sqrt();
        (lengths > 0.0).then(|| (self.product() / lengths).clamp(-1.0, 1.0))
    }

    /// The correlation: the cosine once the means are taken away. None when one side is constant.
    pub(super) fn correlation(&self, count: f64) -> Option<f64> {
        let old = self.old_squares - self.old * self.old / count;
        let new = self.new_squares - self.new * self.new / count;
        let spread = old > 1e-9 * self.old_squares && new > 1e-9 * self.new_squares;
        let together = self.product() - self.old * self.new / count;
        spread.then(|| (together / (old * new).sqrt()).clamp(-1.0, 1.0))
    }
}

fn block<T: Number>(old: &[T], new: &[T]) -> Sums {
    let sums = quick(old, new);
    let all = sums.old_squares + sums.new_squares + sums.change_squares;
    let vanishes = |squares: f64, exists: bool| exists && squares < TINY;
    let lossy = vanishes(sums.change_squares, sums.largest > 0.0)
        || vanishes(sums.old_squares, sums.old_squares > 0.0 || sums.old != 0.0)
        || vanishes(sums.new_squares, sums.new_squares > 0.0 || sums.new != 0.0);
    // Squares of singles fit into doubles, however small or large.
    if lossy || !all.is_finite() { careful(old, new) } else { sums }
}

/// The sums, one after the other: of several beside each other a compiler makes no good vectors, and a block stays in the
/// fastest cache between them.
fn quick<T: Number>(old: &[T], new: &[T]) -> Sums {
    let (old_lanes, old_rest) = old.as_chunks::<LANES>();
    let (new_lanes, new_rest) = new.as_chunks::<LANES>();
    let mut sums = careful(old_rest, new_rest);
    let largest = both(old_lanes, new_lanes, |most, old, new| {
        let change = (new - old).magnitude();
        if change > most { change } else { most }
    });
    sums.add(&Sums {
        old_squares: total(&each(old_lanes, |sum, number| sum + number * number)),
        new_squares: total(&each(new_lanes, |sum, number| sum + number * number)),
        change_squares: total(&both(old_lanes, new_lanes, |sum, old, new| sum + (new - old) * (new - old))),
        old: total(&each(old_lanes, |sum, number| sum + number)),
        new: total(&each(new_lanes, |sum, number| sum + number)),
        largest: largest.iter().fold(0.0, |most, value| value.double().max(most)),
    });
    sums
}

/// Takes numbers up in lanes, one step for each.
fn each<T: Number>(numbers: &[[T; LANES]], step: impl Fn(T, T) -> T) -> [T; LANES] {
    let mut lanes = [T::default(); LANES];
    for numbers in numbers {
        for lane in 0..LANES {
            lanes[lane] = step(lanes[lane], numbers[lane]);
        }
    }
    lanes
}

/// The same of two rows of numbers.
fn both<T: Number>(old: &[[T; LANES]], new: &[[T; LANES]], step: impl Fn(T, T, T) -> T) -> [T; LANES] {
    let mut lanes = [T::default(); LANES];
    for (old, new) in old.iter().zip(new) {
        for lane in 0..LANES {
            lanes[lane] = step(lanes[lane], old[lane], new[lane]);
        }
    }
    lanes
}

fn total<T: Number>(lanes: &[T; LANES]) -> f64 {
    lanes.iter().map(|lane| lane.double()).sum()
}

fn careful<T: Number>(old: &[T], new: &[T]) -> Sums {
    let mut sums = Sums::default();
    for (old, new) in old.iter().zip(new) {
        let (old, new) = (old.double(), new.double());
        let change = new - old;
        sums.add(&Sums {
            old_squares: old * old,
            new_squares: new * new,
            change_squares: change * change,
            old,
            new,
            largest: change.abs(),
        });
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_definition() {
        let old: Vec<f32> = (0..5000u16).map(|n| f32::from(n % 17) - 8.0).collect();
        let new: Vec<f32> = (0..5000u16).map(|n| f32::from(n % 13) - 5.5).collect();
        let (sums, plain) = (Sums::of(&old, &new), careful(&old, &new));
        for (one, other) in [
            (sums.old_squares, plain.old_squares),
            (sums.new_squares, plain.new_squares),
            (sums.change_squares, plain.change_squares),
            (sums.old, plain.old),
            (sums.new, plain.new),
            (sums.largest, plain.largest),
        ] {
            assert!((one - other).abs() <= 1e-6 * other.abs(), "{one} {other}");
        }
    }

    #[test]
    fn neither_tiny_nor_huge_numbers_get_lost() {
        for scale in [1e-30f32, 1e30] {
            let (old, new) = (vec![scale; 100], vec![1.5 * scale; 100]);
            assert!((Sums::of(&old, &new).relative().unwrap() - 0.5).abs() < 1e-6, "{scale}");
        }
    }

    #[test]
    fn zero_has_no_share_and_no_angle() {
        let sums = Sums::of(&[0f32; 4], &[1f32; 4]);
        assert_eq!((sums.relative(), sums.cosine(), sums.correlation(4.0)), (None, None, None));
        assert_eq!(Sums::of(&[0f32; 4], &[0f32; 4]).relative(), Some(0.0));
    }
}
