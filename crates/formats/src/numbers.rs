//! The numbers of tensors, a sample of them: not finite, all the same, or spelling something else than numbers.
//!
//! The work is bounded by what is sampled, not by the file: the start of the largest arrays, of floating-point ones
//! and of bytes.

use crate::budget::Budget;
use crate::fact::{Anomaly, Gap};
use crate::facts::{Facts, shorten};
use crate::source::{Source, read_up_to};

mod payload;

/// Arrays of each class that are looked at.
const MAX_ARRAYS: usize = 64;
/// Arrays that are held while the largest are chosen.
const MAX_HELD: usize = 2_048;
/// Bytes of each that are read.
const SAMPLE: usize = 64 * 1024;
/// Bytes at its middle and its end that must be like its start for all of it to be taken as the same.
const GLANCE: usize = 4096;
/// Rows and columns from which on a matrix has weights, not settings.
const MATRIX: u64 = 16;
/// Parts of names of arrays whose numbers are all the same, or not finite, on purpose.
const EVEN: &[&str] = &[
    "norm",
    "bias",
    "mask",
    "lora_b",
    "position",
    "token_type",
    "running",
    "inv_freq",
    "scale",
    "zero",
    "ln_",
    "gamma",
    "beta",
    "buffer",
    "padding",
    "anchor",
    "causal",
    "step",
    "embed_positions",
    "gate",
    "num_batches",
    "amax",
    "qzeros",
];

/// What the numbers of an array are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Element {
    F64,
    F32,
    F16,
    BF16,
    Byte,
}

impl Element {
    /// The element of this name, in any format's spelling.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "F64" | "float64" | "<f8" | "DoubleStorage" => Self::F64,
            "F32" | "float32" | "<f4" | "FloatStorage" => Self::F32,
            "F16" | "float16" | "<f2" | "HalfStorage" => Self::F16,
            "BF16" | "bfloat16" | "BFloat16Storage" => Self::BF16,
            "U8" | "I8" | "uint8" | "int8" | "|u1" | "|i1" | "ByteStorage" | "CharStorage" => Self::Byte,
            _ => return None,
        })
    }

    fn size(self) -> usize {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::BF16 => 2,
            Self::Byte => 1,
        }
    }

    /// Bits below the exponent.
    fn mantissa(self) -> u32 {
        match self {
            Self::F64 => 52,
            Self::F32 => 23,
            Self::F16 => 10,
            Self::BF16 => 7,
            Self::Byte => 0,
        }
    }

    /// Bits of the exponent, all set where a number is not finite.
    fn exponent(self) -> u64 {
        match self {
            Self::F64 => 0x7FF0_0000_0000_0000,
            Self::F32 => 0x7F80_0000,
            Self::F16 => 0x7C00,
            Self::BF16 => 0x7F80,
            Self::Byte => u64::MAX,
        }
    }
}

/// An array, where it is.
#[derive(Debug, Clone)]
pub(crate) struct Array {
    pub(crate) name: String,
    pub(crate) element: Element,
    pub(crate) offset: u64,
    pub(crate) length: u64,
    pub(crate) shape: Vec<u64>,
}

/// The largest arrays of a file.
#[derive(Debug, Default)]
pub(crate) struct Arrays {
    floats: Vec<Array>,
    bytes: Vec<Array>,
    /// Whether these are data, of which nothing is expected but that they are numbers.
    is_data: bool,
}

impl Arrays {
    /// Arrays that are data of any kind.
    pub(crate) fn of_data() -> Self {
        Self { is_data: true, ..Self::default() }
    }

    pub(crate) fn add(&mut self, array: Array) {
        let list = if array.element == Element::Byte { &mut self.bytes } else { &mut self.floats };
        list.push(array);
        if list.len() >= MAX_HELD {
            keep_largest(list);
        }
    }

    /// Looks at a sample of each of the largest.
    pub(crate) fn observe(mut self, source: &dyn Source, budget: &Budget, facts: &mut Facts) {
        keep_largest(&mut self.floats);
        keep_largest(&mut self.bytes);
        let (mut not_finite, mut even) = (Vec::new(), Vec::new());
        for array in self.floats.iter().chain(&self.bytes) {
            let most = usize::try_from(array.length).unwrap_or(SAMPLE).min(SAMPLE);
            let sample = read_up_to(source, array.offset, most);
            if budget.operate(sample.len() as u64).is_err() {
                return;
            }
            if let Some(what) = payload::find(array.element, &sample) {
                facts.anomaly(array.offset, Anomaly::Steganography, format!("tensor '{}': {what}", array.name));
            }
            if self.is_data || is_ordinary(&array.name) {
                continue;
            }
            match state(array, &sample, source) {
                State::NotFinite => not_finite.push(array),
                State::Even => even.push(array),
                State::Ordinary => {}
            }
        }
        summarise(&not_finite, Anomaly::NotFinite, facts);
        summarise(&even, Anomaly::Degenerate, facts);
    }
}

/// What a storage spells whose numbers are of a kind that stands elsewhere.
pub(crate) fn storage(source: &dyn Source, budget: &Budget, facts: &mut Facts) {
    let sample = read_up_to(source, 0, SAMPLE);
    if budget.operate(sample.len() as u64).is_err() {
        return facts.incomplete(0, Gap::Limit, "the numbers were not looked at");
    }
    if let Some(what) = payload::find_anywhere(&sample) {
        facts.anomaly(0, Anomaly::Steganography, what);
    }
}

fn keep_largest(list: &mut Vec<Array>) {
    list.sort_by(|one, other| other.length.cmp(&one.length).then(one.offset.cmp(&other.offset)));
    list.truncate(MAX_ARRAYS);
}

fn is_ordinary(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    EVEN.iter().any(|part| name.contains(part))
}

/// One fact for all arrays of a kind.
fn summarise(arrays: &[&Array], anomaly: Anomaly, facts: &mut Facts) {
    let Some(first) = arrays.first() else { return };
    let names: Vec<String> = arrays.iter().take(3).map(|array| format!("'{}'", array.name)).collect();
    let more = if arrays.len() > 3 { format!(" and {} more", arrays.len().saturating_sub(3)) } else { String::new() };
    let what = if anomaly == Anomaly::Degenerate { ", all of whose numbers are the same" } else { "" };
    facts.anomaly(first.offset, anomaly, shorten(format!("{}{more}{what}", names.join(", ")), 400));
}

enum State {
    Ordinary,
    NotFinite,
    Even,
}

fn state(array: &Array, sample: &[u8], source: &dyn Source) -> State {
    let size = array.element.size();
    if array.element == Element::Byte {
        return State::Ordinary;
    }
    let exponent = array.element.exponent();
    if sample.chunks_exact(size).any(|bytes| number(bytes) & exponent == exponent) {
        return State::NotFinite;
    }
    let large = array.shape.iter().filter(|extent| **extent >= MATRIX).count() >= 2;
    match sample.get(..size).filter(|_| large && array.length >= GLANCE as u64) {
        Some(first) if is_all(sample, first) && is_all_further(array, first, source) => State::Even,
        _ => State::Ordinary,
    }
}

fn is_all(bytes: &[u8], value: &[u8]) -> bool {
    bytes.chunks_exact(value.len().max(1)).all(|bytes| bytes == value)
}

fn is_all_further(array: &Array, value: &[u8], source: &dyn Source) -> bool {
    let size = value.len() as u64;
    let middle = (array.length / 2).checked_div(size).unwrap_or(0).saturating_mul(size);
    let last = array.length.saturating_sub(GLANCE as u64);
    let last = last.checked_div(size).unwrap_or(0).saturating_mul(size);
    [middle, last].iter().all(|at| {
        let most = usize::try_from(array.length.saturating_sub(*at)).unwrap_or(GLANCE).min(GLANCE);
        is_all(&read_up_to(source, array.offset.saturating_add(*at), most), value)
    })
}

/// Little-endian, of up to eight bytes.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests;
