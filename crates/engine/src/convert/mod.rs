//! From any file of weights to safetensors, without executing anything, and with proof that no number has changed.
//!
//! Tensors are written a block at a time to a temporary file beside the output, read back through the reader of
//! safetensors, and compared by digest; only then does the output get its name. A statement of where it came from is
//! written beside it ([`statement`]).

mod layout;
mod output;
pub mod statement;
mod write;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use waag_evidence::Sha256Digest;
use waag_formats::source::Source as _;

use crate::io::{FileSource, sha256};
use crate::sanitize::sanitize;
use crate::weights::{self, Dtype, LeftOut, WeightsError, digest};

/// Threads at the most: each holds a block, and memory stays flat however many cores there are.
const MAX_THREADS: usize = 16;

/// What to do with tensors that are the very same bytes under several names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tied {
    /// Each name gets its bytes: every loader finds every name.
    #[default]
    Copy,
    /// The first name keeps them; the metadata say which name stands for which, as `safetensors.torch.save_model` does.
    One,
}

impl Tied {
    /// The name on the command line and in statements.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::One => "one",
        }
    }
}

/// What to convert, and how.
#[derive(Debug, Clone)]
pub struct Plan {
    /// A file, an index of shards, or a folder.
    pub input: PathBuf,
    /// A file that ends with `.safetensors`, or a folder for `model.safetensors`.
    pub output: PathBuf,
    /// Whether files that exist are replaced.
    pub force: bool,
    /// What becomes of tied tensors.
    pub tied: Tied,
    /// The most bytes of tensors in one file; a single larger tensor has a file of its own.
    pub shard_size: Option<u64>,
}

/// A file that was read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digested {
    /// Where it is.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its digest.
    pub sha256: Sha256Digest,
}

/// What was done.
#[derive(Debug, Clone)]
pub struct Converted {
    /// The files that were read.
    pub inputs: Vec<Digested>,
    /// The files that were written, without the statement.
    pub outputs: Vec<Digested>,
    /// Number of tensors.
    pub tensors: usize,
    /// Bytes of all tensors.
    pub bytes: u64,
    /// Bytes of the tensors of each type.
    pub dtypes: BTreeMap<Dtype, u64>,
    /// The digest of all tensors with their names, types and shapes.
    pub root: Sha256Digest,
    /// Names that were left out because another name has the same bytes: the name, and the other.
    pub tied: Vec<(String, String)>,
    /// What the input has beside tensors, none of which is in the output.
    pub left_out: Vec<LeftOut>,
    /// Where the statement is.
    pub statement: PathBuf,
}

/// Why nothing was converted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// The input cannot be read, or has no faithful form.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A file stands where the output would.
    #[error("cannot write '{}': it exists", sanitize(&path.display().to_string()))]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The output cannot be written.
    #[error("cannot write '{}': {source}", sanitize(&path.display().to_string()))]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is nothing to convert, or too much for the format.
    #[error("cannot convert '{}': {reason}", sanitize(&path.display().to_string()))]
    Unfit {
        /// The input.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// What was read back is not what was read.
    #[error("cannot vouch for '{}': {reason}", sanitize(&path.display().to_string()))]
    Differs {
        /// The output.
        path: PathBuf,
        /// What differs.
        reason: String,
    },
}

impl ConvertError {
    /// What to do next.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Weights(error) => error.hint(),
            Self::Exists { .. } => "name another output, or replace it with --force",
            Self::Write { .. } => "name an output in a folder that exists and has room",
            Self::Unfit { .. } => "`waag show` lays the file open",
            Self::Differs { .. } => {
                "nothing was written under that name; the input may have changed meanwhile, or the disk is failing"
            }
        }
    }
}

/// Converts as planned. Nothing is left behind when it fails.
///
/// # Errors
/// When the input has no faithful plain form, the output exists or cannot be written, or does not read back the same.
pub fn convert(plan: &Plan) -> Result<Converted, ConvertError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
    match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
        Ok(pool) => pool.install(|| run(plan)),
        Err(_) => run(plan),
    }
}

fn run(plan: &Plan) -> Result<Converted, ConvertError> {
    let store = weights::open(&plan.input)?;
    let names = output::Names::of(plan);
    let chosen = layout::choose(&*store, plan.tied);
    if chosen.tensors.is_empty() {
        return Err(ConvertError::Unfit { path: plan.input.clone(), reason: "there are no tensors in it".to_owned() });
    }
    let files = layout::files(&*store, &chosen, plan.shard_size);
    names.check_free(plan.force, files.len())?;
    let (written, inputs) = rayon::join(
        || files.iter().map(|file| write::write(&*store, file, plan, &names)).collect::<Result<Vec<_>, _>>(),
        || digest_all(store.files()),
    );
    let (written, inputs) = (written?, inputs?);
    let (tensors, digests): (Vec<_>, Vec<_>) = written.iter().flat_map(|file| file.tensors.iter().cloned()).unzip();
    let root = digest::root(&tensors, &digests);
    let index = layout::index(&*store, &files, |file| names.file_name(file.number, file.of));
    let index_path = names.index();
    let index = (files.len() > 1).then_some((index_path.as_path(), index.as_str()));
    let mut outputs = output::publish(written, index, plan.force)?;
    outputs.sort_by(|one, other| one.path.cmp(&other.path));
    let mut dtypes = BTreeMap::new();
    tensors.iter().for_each(|tensor| *dtypes.entry(tensor.dtype).or_default() += tensor.bytes());
    let converted = Converted {
        inputs,
        outputs,
        tensors: tensors.len(),
        bytes: tensors.iter().map(weights::TensorInfo::bytes).sum(),
        dtypes,
        root,
        tied: chosen.tied,
        left_out: store.left_out().to_vec(),
        statement: names.statement(),
    };
    let text = statement::statement(plan, &converted, statement::time());
    output::write_text(&converted.statement, &text, plan.force)?;
    Ok(converted)
}

fn digest_all(paths: &[PathBuf]) -> Result<Vec<Digested>, ConvertError> {
    paths.par_iter().map(|path| digest_of(path, path)).collect()
}

/// The digest of the file at `place`, which is or will be called `path`.
fn digest_of(place: &Path, path: &Path) -> Result<Digested, ConvertError> {
    let failed = |reason: String| {
        let path = sanitize(&path.display().to_string());
        ConvertError::Weights(WeightsError::Unreadable { path, reason })
    };
    let source = FileSource::open(place).map_err(|error| failed(error.to_string()))?;
    let sha256 = sha256(&source).map_err(|error| failed(error.to_string()))?;
    Ok(Digested { path: path.to_owned(), bytes: source.len(), sha256 })
}
