//! Two models compared, tensor by tensor: which changed, and in what way.
//!
//! Containers and shards play no part: tensors are matched by name, and read through a [`TensorStore`]. What is said is
//! what the numbers say. That a change looks like that of a merged adapter does not prove that it was one; a diff never
//! says where a model comes from.

mod change;
mod compare;
mod digest;
mod float;
mod fold;
mod glob;
mod held;
mod linear;
mod matching;
mod measure;
mod number;
pub mod output;
mod pair;
mod permuted;
mod prefix;
mod rank;
pub mod report;
mod scaled;
mod sketch;
mod summary;
mod sums;
#[cfg(test)]
mod tests;
mod view;

pub use change::Change;
pub use float::Grain;
pub use matching::diff;
pub use permuted::Permutation;
pub use report::{Diff, Kind, TensorDiff};
pub use summary::{Class, Summary};

use crate::weights::{TensorStore, WeightsError};

/// A model to compare.
#[derive(Debug, Clone, Copy)]
pub struct Model<'a> {
    /// Where it was read from, for people.
    pub path: &'a str,
    /// Its tensors.
    pub store: &'a dyn TensorStore,
}

/// What to compare.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Only tensors whose name matches: `*` stands for any characters, `?` for one.
    pub only: Option<String>,
}

/// Why there is no comparison.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DiffError {
    /// A tensor could not be read.
    #[error("cannot compare '{tensor}': {source}")]
    Tensor {
        /// Its name, safe to print.
        tensor: String,
        /// What went wrong.
        source: WeightsError,
    },
    /// The pattern leaves nothing to compare.
    #[error("no tensor of either model matches '{0}'")]
    NothingMatches(String),
}

impl DiffError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Tensor { .. } => "check that both files are complete and stay unchanged while they are read",
            Self::NothingMatches(_) => "`waag show FILE` lists the tensors; `*` stands for any characters",
        }
    }
}
