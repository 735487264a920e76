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
use crate::weights::{self, TensorStore, WeightsError, digest};

/// A file that is written and proven, but has no name yet.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) temporary: NamedTempFile,
    /// As it will be called.
    pub(super) digested: Digested,
    /// Each tensor, by its index in the input, with the digest of what was written.
    pub(super) tensors: Vec<(usize, Sha256Digest)>,
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
    let (digested, proof) =
        rayon::join(|| digest_of(temporary.path(), &path), || prove(store, temporary.path(), &path, &digests));
    proof?;
    Ok(Written { digested: digested?, temporary, tensors: digests })
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

/// Reads a written file as any file of safetensors, and compares each of its tensors with the input.
fn prove(
    store: &dyn TensorStore,
    place: &Path,
    path: &Path,
    meant: &[(usize, Sha256Digest)],
) -> Result<(), ConvertError> {
    let differs = |reason: String| ConvertError::Differs { path: path.to_owned(), reason };
    let written = weights::open(place)?;
    let mut meant: Vec<&(usize, Sha256Digest)> = meant.iter().collect();
    meant.sort_by(|one, other| store.tensors()[one.0].name.cmp(&store.tensors()[other.0].name));
    if written.tensors().len() != meant.len() {
        return Err(differs(format!("{} tensors are read back of {}", written.tensors().len(), meant.len())));
    }
    meant.into_par_iter().enumerate().try_for_each(|(place, (index, digest))| {
        let (info, read) = (&store.tensors()[*index], &written.tensors()[place]);
        if info == read && is_same(store, *index, &*written, place, digest)? {
            return Ok(());
        }
        Err(differs(format!("tensor '{}' reads back differently", sanitize(&info.name))))
    })
}

/// Whether two tensors are the same: byte by byte where reading the first again costs little, by its digest where not.
fn is_same(
    store: &dyn TensorStore,
    index: usize,
    written: &dyn TensorStore,
    place: usize,
    digest: &Sha256Digest,
) -> Result<bool, WeightsError> {
    if !store.is_dense(index) {
        return Ok(digest::tensor(written, place)? == *digest);
    }
    let (mut offset, mut is_same, mut block) = (0, true, Vec::new());
    digest::read_blocks::<WeightsError>(written, place, &mut |bytes| {
        block.resize(bytes.len(), 0);
        store.read(index, offset, &mut block)?;
        offset += bytes.len() as u64;
        is_same &= block == bytes;
        Ok(())
    })?;
    Ok(is_same)
}
