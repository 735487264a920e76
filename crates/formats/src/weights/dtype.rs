//! Element types.

use std::fmt;

/// Element types, spelled as safetensors spells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Dtype {
    /// A byte that is 0 or 1.
    Bool,
    /// Unsigned, 8 bits.
    U8,
    /// Signed, 8 bits.
    I8,
    /// Float of 8 bits: 5 of exponent, 2 of mantissa.
    F8E5M2,
    /// Float of 8 bits: 4 of exponent, 3 of mantissa, without infinities.
    F8E4M3,
    /// Float of 8 bits: all of them exponent, a scale.
    F8E8M0,
    /// As [`Dtype::F8E4M3`], with one zero and one NaN.
    F8E4M3Fnuz,
    /// As [`Dtype::F8E5M2`], with one zero and one NaN.
    F8E5M2Fnuz,
    /// Signed, 16 bits.
    I16,
    /// Unsigned, 16 bits.
    U16,
    /// IEEE half.
    F16,
    /// The upper half of a single.
    Bf16,
    /// Signed, 32 bits.
    I32,
    /// Unsigned, 32 bits.
    U32,
    /// IEEE single.
    F32,
    /// Two singles: real and imaginary part.
    C64,
    /// IEEE double.
    F64,
    /// Signed, 64 bits.
    I64,
    /// Unsigned, 64 bits.
    U64,
}

/// All of them, in the order in which the safetensors library ranks them.
const ALL: &[Dtype] = &[
    Dtype::Bool,
    Dtype::U8,
    Dtype::I8,
    Dtype::F8E5M2,
    Dtype::F8E4M3,
    Dtype::F8E8M0,
    Dtype::F8E4M3Fnuz,
    Dtype::F8E5M2Fnuz,
    Dtype::I16,
    Dtype::U16,
    Dtype::F16,
    Dtype::Bf16,
    Dtype::I32,
    Dtype::U32,
    Dtype::F32,
    Dtype::C64,
    Dtype::F64,
    Dtype::I64,
    Dtype::U64,
];

impl Dtype {
    /// The name in a safetensors header.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bool => "BOOL",
            Self::U8 => "U8",
            Self::I8 => "I8",
            Self::F8E5M2 => "F8_E5M2",
            Self::F8E4M3 => "F8_E4M3",
            Self::F8E8M0 => "F8_E8M0",
            Self::F8E4M3Fnuz => "F8_E4M3FNUZ",
            Self::F8E5M2Fnuz => "F8_E5M2FNUZ",
            Self::I16 => "I16",
            Self::U16 => "U16",
            Self::F16 => "F16",
            Self::Bf16 => "BF16",
            Self::I32 => "I32",
            Self::U32 => "U32",
            Self::F32 => "F32",
            Self::C64 => "C64",
            Self::F64 => "F64",
            Self::I64 => "I64",
            Self::U64 => "U64",
        }
    }

    /// The type of a name in a safetensors header.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        ALL.iter().copied().find(|dtype| dtype.name() == name)
    }

    /// Bytes of one element.
    #[must_use]
    pub const fn size(self) -> u64 {
        match self {
            Self::Bool
            | Self::U8
            | Self::I8
            | Self::F8E5M2
            | Self::F8E4M3
            | Self::F8E8M0
            | Self::F8E4M3Fnuz
            | Self::F8E5M2Fnuz => 1,
            Self::I16 | Self::U16 | Self::F16 | Self::Bf16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::F64 | Self::I64 | Self::U64 | Self::C64 => 8,
        }
    }

    /// Bytes of one number: of one part, for complex ones. This is what byte order turns round.
    #[must_use]
    pub const fn number_size(self) -> usize {
        match self {
            Self::C64 => 4,
            other => other.size() as usize,
        }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_those_of_the_reference_library_in_its_order() {
        use safetensors::Dtype as Theirs;
        let theirs = |dtype: Dtype| serde_json::from_str::<Theirs>(&format!("\"{dtype}\"")).unwrap();
        for dtype in ALL {
            assert_eq!(theirs(*dtype).bitsize() as u64, dtype.size() * 8, "{dtype}");
            assert_eq!(Dtype::of_name(dtype.name()), Some(*dtype));
        }
        assert!(ALL.is_sorted_by_key(|dtype| theirs(*dtype)));
        assert!(ALL.is_sorted());
        assert_eq!(Dtype::of_name("F4"), None);
    }
}
