//! Digests of the tensors of a pair. Where both hold the same, one computation serves both.

use sha2::{Digest as _, Sha256};
use waag_evidence::Sha256Digest;

use super::pair::{LARGE, Side};
use super::report::TensorSide;
use crate::weights::{self, TensorInfo, WeightsError};

/// Bytes that are read at a time; a multiple of the size of every element.
const PIECE: usize = 1 << 20;

/// The digests of two tensors, which are equal if and only if their bytes are.
pub(super) fn digests(old: &Side<'_>, new: &Side<'_>) -> Result<(Sha256Digest, Sha256Digest), WeightsError> {
    if length(old) != length(new) {
        return Ok((whole(old)?, whole(new)?));
    }
    let (mut old_hash, mut new_hash) = (Sha256::new(), None);
    let (mut old_buffer, mut new_buffer) = (Vec::new(), Vec::new());
    for (start, piece) in pieces(length(old)) {
        let old_bytes = old.bytes(start, piece, &mut old_buffer)?;
        let new_bytes = new.bytes(start, piece, &mut new_buffer)?;
        // As long as both hold the same, one hash stands for both.
        if new_hash.is_none() && old_bytes != new_bytes {
            new_hash = Some(old_hash.clone());
        }
        match &mut new_hash {
            Some(hash) => both(length(old) >= LARGE, || old_hash.update(old_bytes), || hash.update(new_bytes)),
            None => old_hash.update(old_bytes),
        }
    }
    let old = finish(old_hash);
    Ok((old, new_hash.map_or(old, finish)))
}

/// Where pieces start, and how long they are.
fn pieces(length: u64) -> impl Iterator<Item = (u64, usize)> {
    let starts = (0..length).step_by(PIECE);
    starts.map(move |start| (start, usize::try_from(length - start).map_or(PIECE, |rest| rest.min(PIECE))))
}

/// Does both, at the same time when that pays.
fn both(pays: bool, one: impl FnOnce() + Send, other: impl FnOnce() + Send) {
    if pays {
        rayon::join(one, other);
    } else {
        one();
        other();
    }
}

fn whole(side: &Side<'_>) -> Result<Sha256Digest, WeightsError> {
    let (mut hash, mut buffer) = (Sha256::new(), Vec::new());
    for (start, piece) in pieces(length(side)) {
        hash.update(side.bytes(start, piece, &mut buffer)?);
    }
    Ok(finish(hash))
}

fn length(side: &Side<'_>) -> u64 {
    side.store.tensors()[side.index].bytes()
}

fn finish(hash: Sha256) -> Sha256Digest {
    Sha256Digest::new(hash.finalize().into())
}

/// A tensor with its digest.
pub(super) fn side(tensor: &TensorInfo, sha256: Sha256Digest) -> TensorSide {
    TensorSide { name: tensor.name.clone(), dtype: tensor.dtype, shape: tensor.shape.clone(), sha256 }
}

/// The digest over all tensors of a side.
pub(super) fn root<'a>(sides: impl Iterator<Item = &'a TensorSide>) -> Sha256Digest {
    let tensor =
        |side: &TensorSide| TensorInfo { name: side.name.clone(), dtype: side.dtype, shape: side.shape.clone() };
    let (tensors, digests): (Vec<TensorInfo>, Vec<Sha256Digest>) =
        sides.map(|side| (tensor(side), side.sha256)).unzip();
    weights::digest::root(&tensors, &digests)
}
