//! Element types: how large an element is, and which field holds it when the bytes are not raw.

/// The field for numbers of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Store {
    Floats,
    Int32s,
    Strings,
    Int64s,
    Doubles,
    Uint64s,
}

impl Store {
    /// Its field in a tensor.
    pub(super) fn of(field: u32) -> Option<Self> {
        Some(match field {
            4 => Self::Floats,
            5 => Self::Int32s,
            6 => Self::Strings,
            7 => Self::Int64s,
            10 => Self::Doubles,
            11 => Self::Uint64s,
            _ => return None,
        })
    }
}

impl std::fmt::Display for Store {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Floats => "32-bit floats",
            Self::Int32s => "32-bit integers",
            Self::Strings => "texts",
            Self::Int64s => "64-bit integers",
            Self::Doubles => "64-bit floats",
            Self::Uint64s => "unsigned integers",
        })
    }
}

/// An element type.
#[derive(Debug)]
pub(super) struct ElementType {
    pub(super) name: &'static str,
    /// Bits of an element in raw bytes; 0 where they may not be raw.
    pub(super) bits: u64,
    pub(super) store: Store,
    /// Elements that one stored number holds, and stored numbers that one element takes.
    ratio: (u64, u64),
}

const fn plain(name: &'static str, bits: u64, store: Store) -> ElementType {
    ElementType { name, bits, store, ratio: (1, 1) }
}

const fn several(name: &'static str, bits: u64, held: u64) -> ElementType {
    ElementType { name, bits, store: Store::Int32s, ratio: (held, 1) }
}

const fn complex(name: &'static str, bits: u64, store: Store) -> ElementType {
    ElementType { name, bits, store, ratio: (1, 2) }
}

/// By number, from 1 on.
static TYPES: &[ElementType] = &[
    plain("FLOAT", 32, Store::Floats),
    plain("UINT8", 8, Store::Int32s),
    plain("INT8", 8, Store::Int32s),
    plain("UINT16", 16, Store::Int32s),
    plain("INT16", 16, Store::Int32s),
    plain("INT32", 32, Store::Int32s),
    plain("INT64", 64, Store::Int64s),
    plain("STRING", 0, Store::Strings),
    plain("BOOL", 8, Store::Int32s),
    plain("FLOAT16", 16, Store::Int32s),
    plain("DOUBLE", 64, Store::Doubles),
    plain("UINT32", 32, Store::Uint64s),
    plain("UINT64", 64, Store::Uint64s),
    complex("COMPLEX64", 64, Store::Floats),
    complex("COMPLEX128", 128, Store::Doubles),
    plain("BFLOAT16", 16, Store::Int32s),
    plain("FLOAT8E4M3FN", 8, Store::Int32s),
    plain("FLOAT8E4M3FNUZ", 8, Store::Int32s),
    plain("FLOAT8E5M2", 8, Store::Int32s),
    plain("FLOAT8E5M2FNUZ", 8, Store::Int32s),
    several("UINT4", 4, 2),
    several("INT4", 4, 2),
    several("FLOAT4E2M1", 4, 2),
    plain("FLOAT8E8M0", 8, Store::Int32s),
    several("UINT2", 2, 4),
    several("INT2", 2, 4),
    plain("FLOAT6E2M3", 6, Store::Int32s),
    plain("FLOAT6E3M2", 6, Store::Int32s),
];

impl ElementType {
    /// The type of this number.
    pub(super) fn find(number: u64) -> Option<&'static Self> {
        TYPES.get(usize::try_from(number.checked_sub(1)?).ok()?)
    }

    /// Bytes that so many elements take raw; none when they overflow, or may not be raw.
    pub(super) fn bytes(&self, elements: u64) -> Option<u64> {
        let bits = elements.checked_mul(self.bits).filter(|_| self.bits > 0)?;
        Some(bits.div_ceil(8))
    }

    /// Numbers that so many elements take in their field.
    pub(super) fn numbers(&self, elements: u64) -> Option<u64> {
        let (held, taken) = self.ratio;
        elements.div_ceil(held.max(1)).checked_mul(taken)
    }

    /// Whether the packing of elements into numbers is a matter of the writer: some pack six bits, some do not.
    pub(super) fn is_loose(&self) -> bool {
        !self.bits.is_multiple_of(8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_follow_the_type() {
        let size = |number: u64, elements| ElementType::find(number).and_then(|kind| kind.bytes(elements));
        assert_eq!(size(1, 3), Some(12));
        assert_eq!(size(22, 3), Some(2));
        assert_eq!(size(25, 5), Some(2));
        assert_eq!(size(28, 3), Some(3));
        assert_eq!(size(15, 2), Some(32));
        assert_eq!(size(8, 2), None);
        assert_eq!(size(1, u64::MAX), None);
        assert!(ElementType::find(0).is_none() && ElementType::find(29).is_none());
    }
}
