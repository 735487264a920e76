//! Where the numbers of a model lie: every tensor with its type, its shape and the view of a storage that it is.
//!
//! The other parsers describe a file and go on whatever they meet. These are strict: what they give is meant to be read
//! as numbers, so what is broken, ambiguous or has no faithful form as plain tensors is a [`Problem`], not a fact.

mod dtype;
mod safetensors;
mod views;

use crate::protobuf::Span;

pub use dtype::Dtype;
pub use safetensors::{MAX_HEADER, read as read_safetensors};

/// Tensors of one file; the largest known models have some 200 000.
pub const MAX_TENSORS: usize = 1 << 20;
/// Extents of one tensor; PyTorch takes 64.
pub const MAX_DIMENSIONS: usize = 64;

/// Why weights are not given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The bytes break their format's rules, or end too early.
    #[error("{0}")]
    Broken(String),
    /// They hold something that has no faithful form as plain tensors, or that is not read here.
    #[error("{0}")]
    Unsupported(String),
}

impl Problem {
    /// The bytes break their format's rules.
    pub fn broken(detail: impl Into<String>) -> Self {
        Self::Broken(detail.into())
    }

    /// What there is has no plain form.
    pub fn unsupported(detail: impl Into<String>) -> Self {
        Self::Unsupported(detail.into())
    }
}

impl From<crate::source::ReadError> for Problem {
    fn from(error: crate::source::ReadError) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<crate::budget::Exhausted> for Problem {
    fn from(error: crate::budget::Exhausted) -> Self {
        Self::Unsupported(error.to_string())
    }
}

/// Bytes that tensors are views of.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Storage {
    /// A range of the file.
    Range(Span),
    /// Ranges of the file, one after another.
    Pieces(Vec<Span>),
    /// Chunks of an HDF5 file that went through filters.
    Chunked(Box<crate::hdf5::Chunked>),
    /// A member of the archive that the file is in, by its name, of so many bytes.
    Member {
        /// Name within the archive.
        name: String,
        /// Bytes it has to have at least.
        length: u64,
    },
}

impl Storage {
    /// Bytes of it.
    #[must_use]
    pub fn length(&self) -> u64 {
        match self {
            Self::Range(span) => span.length,
            Self::Pieces(spans) => spans.iter().fold(0, |sum, span| sum.saturating_add(span.length)),
            Self::Chunked(chunked) => chunked.length(),
            Self::Member { length, .. } => *length,
        }
    }
}

/// The elements of a storage that a tensor is made of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct View {
    /// Index into [`Catalogue::storages`].
    pub storage: usize,
    /// Byte of the storage at which the first element starts.
    pub offset: u64,
    /// Elements from one index to the next, for each extent.
    pub strides: Vec<u64>,
    /// Whether the numbers are big-endian.
    pub is_swapped: bool,
}

/// A tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name: for nested dictionaries, the keys with `.` between them.
    pub name: String,
    /// Its element type.
    pub dtype: Dtype,
    /// Extents, outermost first; none for a scalar.
    pub shape: Vec<u64>,
    /// Where its elements are.
    pub view: View,
}

/// Something that is not a tensor, and therefore is in no list of tensors.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// Its name, as tensors are named.
    pub name: String,
    /// What it is: `int 3`, `text 'adam'`, `object of argparse.Namespace` …
    pub what: String,
}

/// All tensors of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue {
    /// The tensors; once [`Catalogue::checked`], sorted by name and no name twice.
    pub tensors: Vec<Entry>,
    /// What they are views of.
    pub storages: Vec<Storage>,
    /// What is not a tensor.
    pub left_out: Vec<LeftOut>,
    /// Texts that the file says of itself.
    pub metadata: Vec<(String, String)>,
}

impl Catalogue {
    /// Adds a storage; gives its index.
    pub fn add_storage(&mut self, storage: Storage) -> usize {
        self.storages.push(storage);
        self.storages.len().saturating_sub(1)
    }

    /// Adds a tensor that is one range of the file, from its first element to its last.
    pub fn add_dense(&mut self, name: String, dtype: Dtype, shape: Vec<u64>, span: Span) {
        let storage = self.add_storage(Storage::Range(span));
        let view = View { storage, offset: 0, strides: row_major(&shape), is_swapped: false };
        self.tensors.push(Entry { name, dtype, shape, view });
    }
}

/// The strides of a tensor whose elements lie one after another, the last index running fastest.
#[must_use]
pub fn row_major(shape: &[u64]) -> Vec<u64> {
    let mut strides = steps(shape.iter().rev());
    strides.reverse();
    strides
}

/// The strides of a tensor whose elements lie one after another, the first index running fastest.
#[must_use]
pub fn column_major(shape: &[u64]) -> Vec<u64> {
    steps(shape.iter())
}

fn steps<'a>(extents: impl Iterator<Item = &'a u64>) -> Vec<u64> {
    let grow = |step: &mut u64, extent: &u64| {
        let before = *step;
        *step = before.saturating_mul((*extent).max(1));
        Some(before)
    };
    extents.scan(1u64, grow).collect()
}

/// A name or a text cut to what can be read in a message.
pub(crate) fn shown(text: &str) -> String {
    crate::facts::shorten(text.chars().take(201).collect(), 200)
}
