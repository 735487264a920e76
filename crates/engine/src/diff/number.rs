//! Bytes of tensors as numbers that can be computed with.

use super::float::Number;
use crate::weights::Dtype;

/// Whether the values of a type need a double to be told apart.
pub(super) const fn needs_double(dtype: Dtype) -> bool {
    matches!(dtype, Dtype::F64 | Dtype::I32 | Dtype::U32 | Dtype::I64 | Dtype::U64)
}

/// Numbers in one element: a complex one has two.
pub(super) const fn numbers_per_element(dtype: Dtype) -> u64 {
    if matches!(dtype, Dtype::C64) { 2 } else { 1 }
}

/// Whether values of both types are numbers on the same scale: of one type, both floats, or both integers.
pub(super) fn is_comparable(one: Dtype, other: Dtype) -> bool {
    let float = |dtype: Dtype| super::float::Grain::of(dtype).is_some();
    one == other || (float(one) == float(other) && numbers_per_element(one) == numbers_per_element(other))
}

/// Replaces `numbers` by those of `bytes`, which are little-endian.
pub(super) fn decode<T: Number>(dtype: Dtype, bytes: &[u8], numbers: &mut Vec<T>) {
    match dtype {
        Dtype::F32 | Dtype::C64 => each(bytes, numbers, |value| T::from_single(f32::from_le_bytes(value))),
        Dtype::Bf16 => each(bytes, numbers, |value| T::from_single(bfloat16(u16::from_le_bytes(value)))),
        Dtype::F16 => each(bytes, numbers, |value| T::from_single(half(u16::from_le_bytes(value)))),
        Dtype::F64 => each(bytes, numbers, |value| T::from_double(f64::from_le_bytes(value))),
        Dtype::F8E5M2 => tabled(bytes, numbers, |byte| half(u16::from(byte) << 8)),
        Dtype::F8E4M3 => tabled(bytes, numbers, e4m3),
        Dtype::F8E4M3Fnuz => tabled(bytes, numbers, |byte| if byte == 0x80 { f32::NAN } else { small(byte, 3, 8) }),
        Dtype::F8E5M2Fnuz => tabled(bytes, numbers, |byte| if byte == 0x80 { f32::NAN } else { small(byte, 2, 16) }),
        Dtype::F8E8M0 => tabled(bytes, numbers, |byte| if byte == 0xff { f32::NAN } else { scale(byte) }),
        Dtype::I8 => tabled(bytes, numbers, |byte| f32::from(byte.cast_signed())),
        Dtype::I16 => each(bytes, numbers, |value| T::from_single(f32::from(i16::from_le_bytes(value)))),
        Dtype::U16 => each(bytes, numbers, |value| T::from_single(f32::from(u16::from_le_bytes(value)))),
        Dtype::I32 => each(bytes, numbers, |value| T::from_double(f64::from(i32::from_le_bytes(value)))),
        Dtype::U32 => each(bytes, numbers, |value| T::from_double(f64::from(u32::from_le_bytes(value)))),
        Dtype::I64 => each(bytes, numbers, |value| T::from_double(i64::from_le_bytes(value) as f64)),
        Dtype::U64 => each(bytes, numbers, |value| T::from_double(u64::from_le_bytes(value) as f64)),
        _ => tabled(bytes, numbers, f32::from),
    }
}

fn each<T, const WIDTH: usize>(bytes: &[u8], numbers: &mut Vec<T>, number: impl Fn([u8; WIDTH]) -> T) {
    let (values, _) = bytes.as_chunks::<WIDTH>();
    numbers.clear();
    numbers.extend(values.iter().map(|value| number(*value)));
}

fn tabled<T: Number>(bytes: &[u8], numbers: &mut Vec<T>, number: impl Fn(u8) -> f32) {
    let table: [T; 256] = std::array::from_fn(|byte| T::from_single(number(byte as u8)));
    each(bytes, numbers, |[byte]: [u8; 1]| table[usize::from(byte)]);
}

fn bfloat16(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// Without branches, so that a compiler makes vectors of it.
fn half(bits: u16) -> f32 {
    const EXPONENT: u32 = 0x1f << 23;
    let shifted = (u32::from(bits) & 0x7fff) << 13;
    let rebiased = shifted + (112 << 23);
    let special = shifted | 0x7f80_0000;
    // A subnormal half is a normal single once its hidden bit, which is not there, has been taken away.
    let subnormal = f32::from_bits(rebiased + (1 << 23)) - f32::from_bits(113 << 23);
    let exponent = shifted & EXPONENT;
    let magnitude = if exponent == 0 { subnormal.to_bits() } else { rebiased };
    let magnitude = if exponent == EXPONENT { special } else { magnitude };
    f32::from_bits(magnitude | (u32::from(bits) & 0x8000) << 16)
}

fn e4m3(byte: u8) -> f32 {
    if byte & 0x7f == 0x7f { f32::NAN } else { small(byte, 3, 7) }
}

/// A float of 8 bits, this many of them mantissa, without infinities or NaN.
fn small(byte: u8, mantissa_bits: u32, bias: i32) -> f32 {
    let magnitude = u32::from(byte & 0x7f);
    let (exponent, mantissa) = (magnitude >> mantissa_bits, magnitude & ((1 << mantissa_bits) - 1));
    let fraction = mantissa as f32 / (1 << mantissa_bits) as f32;
    let value = match exponent {
        0 => fraction * 2f32.powi(1 - bias),
        _ => (1.0 + fraction) * 2f32.powi(exponent.cast_signed() - bias),
    };
    if byte & 0x80 == 0 { value } else { -value }
}

/// A power of two: all bits are exponent.
fn scale(byte: u8) -> f32 {
    // The smallest one is below what a single holds as a normal number.
    f32::from_bits(if byte == 0 { 1 << 22 } else { u32::from(byte) << 23 })
}

/// How many values differ in their bits.
pub(super) fn count_changed(width: u64, old: &[u8], new: &[u8]) -> u64 {
    match width {
        1 => count(old.as_chunks::<1>().0, new.as_chunks::<1>().0, |value| value[0]),
        2 => count_pairs(old.as_chunks::<2>().0, new.as_chunks::<2>().0),
        4 => count(old.as_chunks::<4>().0, new.as_chunks::<4>().0, |value| u32::from_le_bytes(*value)),
        _ => count(old.as_chunks::<8>().0, new.as_chunks::<8>().0, |value| u64::from_le_bytes(*value)),
    }
}

fn count<V, B: PartialEq>(old: &[V], new: &[V], bits: impl Fn(&V) -> B) -> u64 {
    // Counters of 32 bits per piece make better vectors than one of 64.
    let pieces = old.chunks(1 << 16).zip(new.chunks(1 << 16));
    pieces
        .map(|(old, new)| u64::from(old.iter().zip(new).map(|(a, b)| u32::from(bits(a) != bits(b))).sum::<u32>()))
        .sum()
}

/// The same of values of two bytes, which counters of their own size make better vectors of.
fn count_pairs(old: &[[u8; 2]], new: &[[u8; 2]]) -> u64 {
    let differs = |(a, b): (&[u8; 2], &[u8; 2])| u16::from(u16::from_le_bytes(*a) != u16::from_le_bytes(*b));
    let pieces = old.chunks(1 << 13).zip(new.chunks(1 << 13));
    pieces.map(|(old, new)| u64::from(old.iter().zip(new).map(differs).sum::<u16>())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(dtype: Dtype, bytes: &[u8]) -> Vec<f64> {
        let mut numbers = Vec::new();
        decode(dtype, bytes, &mut numbers);
        numbers
    }

    /// By the definition of the format, for each of its values.
    #[test]
    fn halves_are_what_ieee_says() {
        for bits in 0..=u16::MAX {
            let (exponent, mantissa) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
            let magnitude = match exponent {
                0 => mantissa * 2f64.powi(-24),
                31 if mantissa == 0.0 => f64::INFINITY,
                31 => f64::NAN,
                _ => (1.0 + mantissa / 1024.0) * 2f64.powi(exponent - 15),
            };
            let expected = if bits >> 15 == 0 { magnitude } else { -magnitude };
            assert!(decoded(Dtype::F16, &bits.to_le_bytes())[0].same(expected), "{bits:#x}");
        }
    }

    #[test]
    fn each_type_is_read() {
        for (dtype, bytes, expected) in [
            (Dtype::Bool, &[1][..], 1.0),
            (Dtype::U8, &[255], 255.0),
            (Dtype::I8, &[255], -1.0),
            (Dtype::F8E4M3, &[0x7e], 448.0),
            (Dtype::F8E4M3, &[0x81], -0.001_953_125),
            (Dtype::F8E4M3Fnuz, &[0x7f], 240.0),
            (Dtype::F8E4M3Fnuz, &[0x81], -0.000_976_562_5),
            (Dtype::F8E5M2Fnuz, &[0x7f], 57_344.0),
            (Dtype::F8E8M0, &[127], 1.0),
            (Dtype::F8E8M0, &[0], 5.877_471_754_111_438e-39),
            (Dtype::F8E5M2, &[0x7b], 57_344.0),
            (Dtype::F8E5M2, &[0x01], 1.525_878_906_25e-5),
            (Dtype::Bf16, &[0x80, 0x3f], 1.0),
            (Dtype::I16, &[0xff, 0xff], -1.0),
            (Dtype::U16, &[0xff, 0xff], 65_535.0),
            (Dtype::I32, &[0xff, 0xff, 0xff, 0x7f], 2_147_483_647.0),
            (Dtype::U32, &[0xff; 4], 4_294_967_295.0),
            (Dtype::I64, &[0xff; 8], -1.0),
            (Dtype::U64, &[1, 0, 0, 0, 0, 0, 0, 0], 1.0),
            (Dtype::F64, &1e300f64.to_le_bytes(), 1e300),
        ] {
            assert_eq!(decoded(dtype, bytes), [expected], "{dtype}");
        }
    }

    #[test]
    fn changes_are_counted_by_bits() {
        for width in [1, 2, 4, 8] {
            let (old, mut new) = (vec![0u8; 16], vec![0u8; 16]);
            new[0] = 0x80;
            new[15] = 1;
            assert_eq!(count_changed(width, &old, &new), 2, "{width}");
        }
    }
}
