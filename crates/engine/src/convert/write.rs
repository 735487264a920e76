//! Writes one file of safetensors, and reads it back.

use std::os::unix::fs::FileExt as _;
use std::path::Path;

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;
use waag_evidence::Sha256Digest;
use waag_formats::weights::MAX_HEADER;

use super::layout::{File, header, places};
use super::output::{Names, temporary};
use super::{ConvertError, Digested, Plan, digest_of};
use crate::sanitize::sanitize;
use crate::weights::{self, TensorInfo, TensorStore, WeightsError, digest};

/// A file that is written and proven, but has no name yet.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) temporary: NamedTempFile,
    /// As it will be called.
    pub(super) digested: Digested,
    pub(super) tensors: Vec<(TensorInfo, Sha256Digest)>,
}

/// Writes a file's tensors to a temporary file and compares what is read back with what was written.
pub(super) fn write(store: &dyn TensorStore, file: &File, plan: &Plan, names: &Names) -> Result<Written, ConvertError> {
    let path = names.file(file.number, file.of);
    let header = header(store, file);
    if header.len() as u64 > MAX_HEADER {
        let reason = format!("the header would have {} bytes, and readers take {MAX_HEADER}", header.len());
        return Err(ConvertError::Unfit { path: plan.input.clone(), reason });
    }
    let temporary = temporary(&path)?;
    let failed = |source: std::io::Error| ConvertError::Write { path: path.clone(), source };
    temporary.as_file().write_all_at(&header, 0).map_err(failed)?;
    let places = places(store, file);
    let digests: Vec<(usize, Sha256Digest)> = file
        .tensors
        .par_iter()
        .map(|index| {
            let at = header.len() as u64 + places[index];
            copy(store, *index, temporary.as_file(), at).map_err(|error| error.at(&path)).map(|digest| (*index, digest))
        })
        .collect::<Result<_, _>>()?;
    temporary.as_file().sync_all().map_err(failed)?;
    let tensors = digests.iter().map(|(index, digest)| (store.tensors()[*index].clone(), *digest)).collect();
    let (digested, proof) =
        rayon::join(|| digest_of(temporary.path(), &path), || prove(temporary.path(), &path, &tensors));
    proof?;
    Ok(Written { digested: digested?, temporary, tensors })
}

/// Why a tensor was not copied.
enum CopyError {
    Read(WeightsError),
    Write(std::io::Error),
}

impl CopyError {
    fn at(self, path: &Path) -> ConvertError {
        match self {
            Self::Read(error) => ConvertError::Weights(error),
            Self::Write(source) => ConvertError::Write { path: path.to_owned(), source },
        }
    }
}

impl From<WeightsError> for CopyError {
    fn from(error: WeightsError) -> Self {
        Self::Read(error)
    }
}

/// Copies a tensor's bytes to a place in the file; gives their digest.
fn copy(store: &dyn TensorStore, index: usize, file: &std::fs::File, mut at: u64) -> Result<Sha256Digest, CopyError> {
    let mut hasher = Sha256::new();
    digest::read_blocks::<CopyError>(store, index, &mut |block| {
        hasher.update(block);
        file.write_all_at(block, at).map_err(CopyError::Write)?;
        at += block.len() as u64;
        Ok(())
    })?;
    Ok(Sha256Digest::new(hasher.finalize().into()))
}

/// Reads a written file as any file of safetensors, and compares its tensors with what was meant to be in it.
fn prove(place: &Path, path: &Path, meant: &Vec<(TensorInfo, Sha256Digest)>) -> Result<(), ConvertError> {
    let differs = |reason: String| ConvertError::Differs { path: path.to_owned(), reason };
    let store = weights::open(place)?;
    let mut meant: Vec<&(TensorInfo, Sha256Digest)> = meant.iter().collect();
    meant.sort_by(|one, other| one.0.name.cmp(&other.0.name));
    if store.tensors().len() != meant.len() {
        return Err(differs(format!("{} tensors are read back of {}", store.tensors().len(), meant.len())));
    }
    let digests = digest::tensors(&*store)?;
    for ((tensor, digest), (info, expected)) in store.tensors().iter().zip(&digests).zip(meant) {
        if tensor != info || digest != expected {
            return Err(differs(format!("tensor '{}' reads back differently", sanitize(&info.name))));
        }
    }
    Ok(())
}
