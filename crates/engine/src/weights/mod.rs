//! Weights as numbers: tensors of a model, whatever files hold them, read a piece at a time.
//!
//! A [`TensorStore`] hides container, sharding and layout: what it gives is row-major, little-endian and dense. Nothing
//! is executed to get there.

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
    /// IEEE double.
    F64,
    /// Signed, 64 bits.
    I64,
    /// Unsigned, 64 bits.
    U64,
    /// Two singles: real and imaginary part.
    C64,
}

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
            Self::I16 => "I16",
            Self::U16 => "U16",
            Self::F16 => "F16",
            Self::Bf16 => "BF16",
            Self::I32 => "I32",
            Self::U32 => "U32",
            Self::F32 => "F32",
            Self::F64 => "F64",
            Self::I64 => "I64",
            Self::U64 => "U64",
            Self::C64 => "C64",
        }
    }

    /// Bytes of one element.
    #[must_use]
    pub const fn size(self) -> u64 {
        match self {
            Self::Bool | Self::U8 | Self::I8 | Self::F8E5M2 | Self::F8E4M3 => 1,
            Self::I16 | Self::U16 | Self::F16 | Self::Bf16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::F64 | Self::I64 | Self::U64 | Self::C64 => 8,
        }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A tensor without its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Its name: for nested dictionaries, the keys with `.` between them.
    pub name: String,
    /// Its element type.
    pub dtype: Dtype,
    /// Extents, outermost first; none for a scalar.
    pub shape: Vec<u64>,
}

impl TensorInfo {
    /// Number of elements. A store checks at opening that this does not overflow.
    #[must_use]
    pub fn elements(&self) -> u64 {
        self.shape.iter().product()
    }

    /// Bytes of all elements.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.elements() * self.dtype.size()
    }
}

/// Tensors that can be read. Sorted by name; no name twice; sizes checked against the files when it was opened.
pub trait TensorStore: Sync + fmt::Debug {
    /// What there is.
    fn tensors(&self) -> &[TensorInfo];

    /// Fills `buffer` with a tensor's bytes from `offset` on: dense, row-major, little-endian. `tensor` is an index into
    /// [`TensorStore::tensors`]; `offset` and the buffer's length are multiples of the element's size.
    ///
    /// # Errors
    /// When the bytes cannot be read.
    fn read(&self, tensor: usize, offset: u64, buffer: &mut [u8]) -> Result<(), WeightsError>;
}

/// Why weights could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The bytes could not be read.
    #[error("{path}: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// What went wrong.
        reason: String,
    },
    /// The file holds something that has no faithful form as plain tensors.
    #[error("{path}: {reason}")]
    Unsupported {
        /// The file.
        path: String,
        /// What it is.
        reason: String,
    },
}
