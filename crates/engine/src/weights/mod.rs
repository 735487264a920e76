//! Weights as numbers: tensors of a model, whatever files hold them, read a piece at a time.
//!
//! A [`TensorStore`] hides container, sharding and layout: what it gives is row-major, little-endian and dense. Nothing
//! is executed to get there. [`open`] gives the store of a file or a folder.

mod archive;
pub mod digest;
mod folder;
mod gather;
mod joined;
mod open;
mod store;

use std::fmt;
use std::path::PathBuf;

pub use open::open;
pub use waag_formats::weights::{Dtype, LeftOut};

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

    /// The first tensor that is the very same view of the same bytes: itself, where nothing is tied to another.
    fn twin(&self, tensor: usize) -> usize {
        tensor
    }

    /// What there is beside tensors, sorted: numbers, texts and objects of a checkpoint.
    fn left_out(&self) -> &[LeftOut] {
        &[]
    }

    /// Texts that the files say of themselves, by key, without a key twice.
    fn metadata(&self) -> &[(String, String)] {
        &[]
    }

    /// The files that were opened, in the order in which they were.
    fn files(&self) -> &[PathBuf] {
        &[]
    }
}

/// Why weights could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The bytes could not be read.
    #[error("cannot read the tensors of '{path}': {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// What went wrong.
        reason: String,
    },
    /// The file holds something that has no faithful form as plain tensors.
    #[error("cannot take '{path}' as plain tensors: {reason}")]
    Unsupported {
        /// The file.
        path: String,
        /// What it is.
        reason: String,
    },
}

impl WeightsError {
    /// What to do next.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => {
                "check that the path is right and the file whole: `waag check` says what is wrong with it"
            }
            Self::Unsupported { .. } => {
                "`waag show` lays the file open; what has no plain form needs the program that wrote it"
            }
        }
    }
}

#[cfg(test)]
mod tests;
