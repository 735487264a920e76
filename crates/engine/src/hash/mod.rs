//! Digests of a model's files, from one read of every byte: what signatures, locks and checksum lists are made of.
//!
//! Which files a model has is told by [`files_of`] as the OpenSSF Model Signing specification tells it; [`digest_files`]
//! reads them on all cores; [`manifest_of`] makes of both what is signed.

mod block;
mod digest;
mod enumerate;
mod manifest;

use std::io;

pub use digest::{HashedFile, Wanted, digest_files};
pub use enumerate::{DEFAULT_IGNORED, Files, ModelFile, Uncovered, UncoveredReason, files_of, ignored_in_models};
pub use manifest::{ModelFiles, manifest_of, manifest_of_files};

/// Why a model could not be digested.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HashError {
    /// A path cannot be read.
    #[error("cannot read '{}': {source}", crate::sanitize::sanitize(path))]
    Unreadable {
        /// The path, as a person would write it.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// A file became shorter or longer while it was read.
    #[error("'{}' changed while it was read", crate::sanitize::sanitize(.0))]
    Changed(String),
    /// A link, where links do not count.
    #[error("'{}' is a link to '{}'", crate::sanitize::sanitize(path), crate::sanitize::sanitize(target))]
    Link {
        /// The link.
        path: String,
        /// Where it leads.
        target: String,
    },
    /// A pipe, socket or device.
    #[error("'{}' is neither a file nor a folder", crate::sanitize::sanitize(.0))]
    Special(String),
    /// A name that no list of digests can hold.
    #[error("the name '{}' is not UTF-8", crate::sanitize::sanitize(.0))]
    Name(String),
    /// More files or folders than are walked.
    #[error("'{}' has more files or folders within folders than are walked", crate::sanitize::sanitize(.0))]
    TooMany(String),
    /// Shards so small that their digests would be longer than the file.
    #[error("shards of {size} bytes are too small for '{}'", crate::sanitize::sanitize(path))]
    TooManyShards {
        /// The file.
        path: String,
        /// Bytes of a shard.
        size: u64,
    },
    /// What was found makes no manifest.
    #[error("{0}")]
    Manifest(#[from] waag_evidence::manifest::ManifestError),
}

impl HashError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Unreadable { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                "check the spelling; waag reads local paths only".into()
            }
            Self::Unreadable { .. } => "check the permissions of the file and of the folders above it".into(),
            Self::Changed(_) => "wait until whatever writes to it is done, and try again".into(),
            Self::Link { .. } => {
                "a digest of a link says nothing about what it leads to tomorrow: put the file in its place, or count \
                 links as what they lead to with --allow-symlinks"
                    .into()
            }
            Self::Special(_) => "move it out of the model's folder, or leave it out with --ignore".into(),
            Self::Name(_) => "rename it: a name has to be text".into(),
            Self::TooMany(_) => "name the folder of one model".into(),
            Self::TooManyShards { .. } => "take larger shards; 1 GB is usual".into(),
            Self::Manifest(_) => "name the folder that holds the model's files".into(),
        }
    }
}
