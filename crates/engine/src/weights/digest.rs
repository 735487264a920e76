//! Digests of tensors: of each one's numbers, and of all of them with their names, types and shapes.
//!
//! They do not depend on the container, on the order of tensors in it, or on how they are spread over files. How they
//! are made is written down in `docs/tensor-root.md`, with a script that makes them again.

use std::fmt::Write as _;

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};
use waag_evidence::Sha256Digest;

use super::{TensorInfo, TensorStore, WeightsError};

/// Bytes of a tensor that are read at once where they lie as they are given: what is digested, compared or written next is
/// still in a fast cache then.
const BLOCK: usize = 256 << 10;
/// The same where they are gathered, which is worth doing for many at a time: for every thread, so that memory stays flat.
const GATHERED: usize = 4 << 20;

/// The SHA-256 of a tensor's bytes: dense, row-major, little-endian.
///
/// # Errors
/// When they cannot be read.
pub fn tensor(store: &dyn TensorStore, index: usize) -> Result<Sha256Digest, WeightsError> {
    let mut hasher = Sha256::new();
    read_blocks::<WeightsError>(store, index, &mut |block| {
        hasher.update(block);
        Ok(())
    })?;
    Ok(Sha256Digest::new(hasher.finalize().into()))
}

/// Gives all bytes of a tensor, in order, a block at a time.
pub(crate) fn read_blocks<E: From<WeightsError>>(
    store: &dyn TensorStore,
    index: usize,
    take: &mut dyn FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let bytes = store.tensors().get(index).map_or(0, TensorInfo::bytes);
    let most = if store.is_dense(index) { BLOCK } else { GATHERED };
    let mut block = vec![0; usize::try_from(bytes).unwrap_or(most).min(most)];
    let mut offset = 0;
    while offset < bytes {
        let count = usize::try_from(bytes - offset).unwrap_or(most).min(most);
        store.read(index, offset, &mut block[..count])?;
        take(&block[..count])?;
        offset += count as u64;
    }
    Ok(())
}

/// The digests of all tensors, in the store's order.
///
/// # Errors
/// When a tensor cannot be read.
pub fn tensors(store: &dyn TensorStore) -> Result<Vec<Sha256Digest>, WeightsError> {
    (0..store.tensors().len()).into_par_iter().map(|index| tensor(store, index)).collect()
}

/// The root of tensors and their digests: the SHA-256 of all their [lines](line), sorted.
#[must_use]
pub fn root(tensors: &[TensorInfo], digests: &[Sha256Digest]) -> Sha256Digest {
    root_of(tensors.iter().zip(digests))
}

/// As [`root`], of any tensors with their digests.
#[must_use]
pub fn root_of<'a>(tensors: impl Iterator<Item = (&'a TensorInfo, &'a Sha256Digest)>) -> Sha256Digest {
    let mut lines: Vec<String> = tensors.map(|(tensor, digest)| line(tensor, digest)).collect();
    lines.sort_unstable();
    let mut hasher = Sha256::new();
    lines.iter().for_each(|line| hasher.update(line));
    Sha256Digest::new(hasher.finalize().into())
}

/// A tensor's line: `<digest>  <type> [<extent>,<extent>…] <name>` and a newline. What would break a line in a name, and
/// the backslash, are written as in JSON.
#[must_use]
pub fn line(tensor: &TensorInfo, digest: &Sha256Digest) -> String {
    let shape = tensor.shape.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
    let mut line = format!("{digest}  {} [{shape}] ", tensor.dtype);
    for character in tensor.name.chars() {
        match character {
            '\\' => line.push_str("\\\\"),
            '\n' => line.push_str("\\n"),
            other => line.push(other),
        }
    }
    let _ = writeln!(line);
    line
}
