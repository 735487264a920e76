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
use super::{ConvertError, Digested, Plan};
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
    let proof = Proof { store, place: temporary.path(), path: &path };
    let digested = proof.of(&header, &digests)?;
    Ok(Written { digested, temporary, tensors: digests })
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

/// Reads a written file as any file of safetensors, and compares each of its tensors with the input. It is read once: what
/// is compared goes into the file's digest.
struct Proof<'a> {
    store: &'a dyn TensorStore,
    /// The file that was written.
    place: &'a Path,
    /// As it will be called.
    path: &'a Path,
}

impl Proof<'_> {
    /// The file as it was read: this header, and these tensors one after another, each as in the input.
    fn of(&self, header: &[u8], meant: &[(usize, Sha256Digest)]) -> Result<Digested, ConvertError> {
        let written = weights::open(self.place)?;
        if written.tensors().len() != meant.len() {
            return Err(self.differs(format!("{} tensors are read back of {}", written.tensors().len(), meant.len())));
        }
        let mut hasher = Sha256::new();
        hasher.update(self.header(header)?);
        let mut bytes = header.len() as u64;
        for (index, digest) in meant {
            let info = &self.store.tensors()[*index];
            let place = written.tensors().binary_search_by(|read| read.name.cmp(&info.name)).ok();
            let place = place.filter(|place| written.tensors()[*place] == *info);
            let same = |place: usize| is_same(self.store, *index, (&*written, place), digest, &mut hasher);
            if !place.map(same).transpose()?.unwrap_or(false) {
                return Err(self.differs(format!("tensor '{}' reads back differently", sanitize(&info.name))));
            }
            bytes += info.bytes();
        }
        // Header and tensors are all there is: no byte is left that was not digested.
        let length = self.place.metadata().map_err(|error| self.unreadable(&error))?.len();
        if length != bytes {
            return Err(self.differs(format!("it has {length} bytes instead of {bytes}")));
        }
        Ok(Digested { path: self.path.to_owned(), bytes, sha256: Sha256Digest::new(hasher.finalize().into()) })
    }

    /// The header as it is read back.
    fn header(&self, meant: &[u8]) -> Result<Vec<u8>, ConvertError> {
        let mut read = vec![0; meant.len()];
        let file = std::fs::File::open(self.place).map_err(|error| self.unreadable(&error))?;
        file.read_exact_at(&mut read, 0).map_err(|error| self.unreadable(&error))?;
        if read == meant { Ok(read) } else { Err(self.differs("the header reads back differently".to_owned())) }
    }

    fn differs(&self, reason: String) -> ConvertError {
        ConvertError::Differs { path: self.path.to_owned(), reason }
    }

    fn unreadable(&self, error: &std::io::Error) -> ConvertError {
        self.differs(format!("it cannot be read back: {error}"))
    }
}

/// Whether two tensors are the same: byte by byte where reading the first again costs little, by its digest where not.
/// What is read of the written one goes into `hasher`.
fn is_same(
    store: &dyn TensorStore,
    index: usize,
    (written, place): (&dyn TensorStore, usize),
    digest: &Sha256Digest,
    hasher: &mut Sha256,
) -> Result<bool, WeightsError> {
    let by_bytes = store.is_dense(index);
    let (mut offset, mut is_same, mut block, mut tensor) = (0, true, Vec::new(), Sha256::new());
    digest::read_blocks::<WeightsError>(written, place, &mut |bytes| {
        if by_bytes {
            hasher.update(bytes);
            block.resize(bytes.len(), 0);
            store.read(index, offset, &mut block)?;
            offset += bytes.len() as u64;
            is_same &= block == bytes;
        } else {
            rayon::join(|| hasher.update(bytes), || tensor.update(bytes));
        }
        Ok(())
    })?;
    Ok(is_same && (by_bytes || Sha256Digest::new(tensor.finalize().into()) == *digest))
}
