//! Float formats: how values of one are rounded into another, to nearest and ties to even, as hardware and frameworks do.
//!
//! Followed are IEEE 754-2008 for half, single and double, bfloat16 as the upper half of a single, and the OCP 8-bit
//! formats E5M2 and E4M3 (the latter without infinities: what is too large becomes NaN, or its largest value in
//! converters that saturate).

use std::fmt::Debug;
use std::ops::{Add, Mul, Sub};

use serde::Serialize;

use crate::weights::Dtype;

/// A float format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Grain {
    /// 4 bits of exponent, 3 of mantissa, no infinities.
    #[serde(rename = "F8_E4M3")]
    F8E4M3,
    /// 5 bits of exponent, 2 of mantissa.
    #[serde(rename = "F8_E5M2")]
    F8E5M2,
    /// The upper half of a single.
    #[serde(rename = "BF16")]
    Bf16,
    /// IEEE half.
    F16,
    /// IEEE single.
    F32,
    /// IEEE double.
    F64,
}

impl Grain {
    /// Formats that values may have gone through without their container showing it, narrowest first.
    pub(super) const NARROW: [Self; 5] = [Self::F8E5M2, Self::F8E4M3, Self::Bf16, Self::F16, Self::F32];

    /// The format of an element type; none for integers.
    pub(super) const fn of(dtype: Dtype) -> Option<Self> {
        match dtype {
            Dtype::F8E4M3 => Some(Self::F8E4M3),
            Dtype::F8E5M2 => Some(Self::F8E5M2),
            Dtype::Bf16 => Some(Self::Bf16),
            Dtype::F16 => Some(Self::F16),
            Dtype::F32 | Dtype::C64 => Some(Self::F32),
            Dtype::F64 => Some(Self::F64),
            _ => None,
        }
    }

    /// The name of the element type.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::F8E4M3 => "F8_E4M3",
            Self::F8E5M2 => "F8_E5M2",
            Self::Bf16 => "BF16",
            Self::F16 => "F16",
            Self::F32 => "F32",
            Self::F64 => "F64",
        }
    }

    /// Stored bits of mantissa.
    const fn mantissa(self) -> i32 {
        match self {
            Self::F8E4M3 => 3,
            Self::F8E5M2 => 2,
            Self::Bf16 => 7,
            Self::F16 => 10,
            Self::F32 => 23,
            Self::F64 => 52,
        }
    }

    /// Exponent of the smallest normal value.
    const fn least_exponent(self) -> i32 {
        match self {
            Self::F8E4M3 => -6,
            Self::F8E5M2 | Self::F16 => -14,
            Self::Bf16 | Self::F32 => -126,
            Self::F64 => -1022,
        }
    }

    /// The largest finite value.
    const fn largest(self) -> f64 {
        match self {
            Self::F8E4M3 => 448.0,
            Self::F8E5M2 => 57_344.0,
            Self::F16 => 65_504.0,
            Self::Bf16 => 3.389_531_389_251_535_5e38,
            Self::F32 => f32::MAX as f64,
            Self::F64 => f64::MAX,
        }
    }

    /// Whether every value of `other` is a value of this format.
    pub(super) const fn holds(self, other: Self) -> bool {
        self.mantissa() >= other.mantissa() && self.least_exponent() <= other.least_exponent()
    }

    /// The largest unit in the last place of a normal value, as a share of the value.
    pub(super) fn step(self) -> f64 {
        power_of_two(-self.mantissa())
    }

    /// The distance between neighbours around zero.
    pub(super) fn least_step(self) -> f64 {
        power_of_two(self.least_exponent() - self.mantissa())
    }

    /// Energy of the rounding of values, as a share of their own energy: a rounding error is spread evenly over a unit
    /// in the last place, and mantissas evenly over a logarithmic scale.
    pub(super) fn rounding_share(self) -> f64 {
        // (1 - 1/4) / (2 ln 2) is the mean square of 2^exponent / value; an even spread over a unit has variance 1/12.
        0.541_01 / 12.0 * power_of_two(-2 * self.mantissa())
    }
}

/// 2 to a power within the range of normal doubles.
fn power_of_two(exponent: i32) -> f64 {
    let biased = u64::try_from(exponent.saturating_add(1023).clamp(1, 2046)).unwrap_or(1);
    f64::from_bits(biased << 52)
}

/// A number that computations are done in.
pub(super) trait Number:
    Copy
    + Default
    + PartialEq
    + PartialOrd
    + Debug
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
{
    /// From a single, without loss.
    fn from_single(value: f32) -> Self;
    /// From a double, rounded where this number is narrower.
    fn from_double(value: f64) -> Self;
    /// As a double, without loss.
    fn double(self) -> f64;
    /// As a single, rounded.
    fn single(self) -> f32;
    /// Without its sign.
    fn magnitude(self) -> Self;
    /// Whether it takes part in sums: finite, and its square too as a double.
    fn counts(self) -> bool;
    /// Whether two are the same value; NaN is NaN.
    fn same(self, other: Self) -> bool;
    /// How to round into a format; none when that changes nothing.
    fn rounding(grain: Grain) -> Option<Rounding<Self>>;
    /// The value in the format.
    fn rounded(self, rounding: &Rounding<Self>) -> Self;
    /// Whether `target` is what a converter makes of this value, whether it saturates or not.
    fn rounds_to(self, target: Self, rounding: &Rounding<Self>) -> bool {
        let rounded = self.rounded(rounding);
        let overflowed = !rounded.counts() && self.counts();
        let saturated = overflowed && target.magnitude() == rounding.largest && (self * target) > Self::default();
        rounded.same(target) || saturated
    }
}

/// The constants of a rounding.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rounding<T> {
    /// Bits of mantissa that are dropped.
    dropped: u32,
    /// Below this, the distance between neighbours stays the same.
    smallest_normal: T,
    /// Adding and subtracting it rounds to that distance.
    subnormal: T,
    largest: T,
    /// What is too large becomes this.
    overflow: T,
}

macro_rules! number {
    ($type:ty, $bits:ty, $mantissa:literal, $limit:expr) => {
        impl Number for $type {
            fn from_single(value: f32) -> Self {
                <$type>::from(value)
            }

            fn from_double(value: f64) -> Self {
                value as $type
            }

            fn double(self) -> f64 {
                f64::from(self)
            }

            fn single(self) -> f32 {
                self as f32
            }

            fn magnitude(self) -> Self {
                self.abs()
            }

            fn counts(self) -> bool {
                self.abs() <= $limit
            }

            fn same(self, other: Self) -> bool {
                self == other || (self.is_nan() && other.is_nan())
            }

            fn rounding(grain: Grain) -> Option<Rounding<Self>> {
                let dropped = u32::try_from($mantissa - grain.mantissa()).ok().filter(|dropped| *dropped > 0)?;
                let least = grain.least_exponent();
                Some(Rounding {
                    dropped,
                    smallest_normal: power_of_two(least) as $type,
                    subnormal: power_of_two(least - grain.mantissa() + $mantissa) as $type,
                    largest: grain.largest() as $type,
                    overflow: if grain == Grain::F8E4M3 { <$type>::NAN } else { <$type>::INFINITY },
                })
            }

            fn rounded(self, rounding: &Rounding<Self>) -> Self {
                let magnitude = self.abs();
                let bits = magnitude.to_bits();
                let one: $bits = 1;
                let up = (one << (rounding.dropped - 1)) - 1 + ((bits >> rounding.dropped) & 1);
                let normal = <$type>::from_bits(bits.wrapping_add(up) & !((one << rounding.dropped) - 1));
                let subnormal = (magnitude + rounding.subnormal) - rounding.subnormal;
                let rounded = if magnitude < rounding.smallest_normal { subnormal } else { normal };
                let bounded = if rounded > rounding.largest { rounding.overflow } else { rounded };
                let value = if self.is_nan() { self } else { bounded };
                value.copysign(self)
            }
        }
    };
}

number!(f32, u32, 23, f32::MAX);
number!(f64, u64, 52, 1e150);

#[cfg(test)]
mod tests {
    use super::super::number::decode;
    use super::*;

    /// Every value of a format of 8 or 16 bits, as a decoder gives it.
    fn values(dtype: Dtype) -> Vec<f32> {
        let width = dtype.size();
        let bytes: Vec<u8> = match width {
            1 => (0..=u8::MAX).collect(),
            _ => (0..=u16::MAX).flat_map(u16::to_le_bytes).collect(),
        };
        let mut numbers = Vec::new();
        decode(dtype, &bytes, &mut numbers);
        numbers
    }

    const NARROW: [(Dtype, Grain); 4] = [
        (Dtype::F8E5M2, Grain::F8E5M2),
        (Dtype::F8E4M3, Grain::F8E4M3),
        (Dtype::F16, Grain::F16),
        (Dtype::Bf16, Grain::Bf16),
    ];

    #[test]
    fn values_of_a_format_stay_what_they_are() {
        for (dtype, grain) in NARROW {
            let (single, double) = (f32::rounding(grain).unwrap(), f64::rounding(grain).unwrap());
            for value in values(dtype).into_iter().filter(|value| !value.is_infinite()) {
                assert!(value.rounded(&single).same(value), "{value} {grain:?}");
                assert!(f64::from(value).rounded(&double).same(f64::from(value)), "{value} {grain:?}");
            }
        }
    }

    /// The definition, tried with the neighbours on both sides: the nearer one, and at the same distance the one whose
    /// last bit is 0.
    #[test]
    fn between_two_neighbours_the_nearer_one_is_taken() {
        for (dtype, grain) in NARROW {
            let rounding = f64::rounding(grain).unwrap();
            let half = values(dtype).into_iter().take(1 << (dtype.size() * 8 - 1)).map(f64::from);
            let steps: Vec<f64> = half.filter(|value| value.is_finite()).collect();
            for (index, pair) in steps.windows(2).enumerate() {
                let middle = (pair[0] + pair[1]) / 2.0;
                let even = if index % 2 == 0 { pair[0] } else { pair[1] };
                for (value, expected) in [(middle, even), (middle.next_down(), pair[0]), (middle.next_up(), pair[1])] {
                    assert_eq!(value.rounded(&rounding), expected, "{value:e} {grain:?}");
                    assert_eq!((-value).rounded(&rounding), -expected, "{value:e} {grain:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_too_large_overflows_or_saturates() {
        let rounding = f32::rounding(Grain::F8E4M3).unwrap();
        assert!(1e4f32.rounds_to(f32::NAN, &rounding) && 1e4f32.rounds_to(448.0, &rounding));
        assert!(!1e4f32.rounds_to(-448.0, &rounding) && !1e4f32.rounds_to(416.0, &rounding));
        assert_eq!(70_000f32.rounded(&f32::rounding(Grain::F16).unwrap()), f32::INFINITY);
        assert_eq!(65_519f32.rounded(&f32::rounding(Grain::F16).unwrap()), 65_504.0);
        assert_eq!(1e300f64.rounded(&f64::rounding(Grain::F32).unwrap()), f64::INFINITY);
    }

    #[test]
    fn a_double_becomes_the_single_that_hardware_makes() {
        let rounding = f64::rounding(Grain::F32).unwrap();
        for value in [0.1, -1.0 / 3.0, 1e-45, 7e-46, 1e-40, 3.4e38, 1.0 + 2f64.powi(-24), f64::NAN] {
            assert!(value.rounded(&rounding).same(f64::from(value as f32)), "{value:e}");
        }
    }

    #[test]
    fn formats_hold_each_other_as_they_should() {
        assert!(Grain::F32.holds(Grain::Bf16) && Grain::F32.holds(Grain::F16) && Grain::F16.holds(Grain::F8E5M2));
        assert!(Grain::Bf16.holds(Grain::F8E4M3));
        assert!(!Grain::F16.holds(Grain::Bf16) && !Grain::Bf16.holds(Grain::F16));
        assert!((Grain::Bf16.rounding_share().sqrt() - 1.66e-3).abs() < 1e-5);
    }
}
