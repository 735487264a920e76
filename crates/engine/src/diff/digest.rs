//! Digests of the tensors of a pair. Where both hold the same, one computation serves both.

use sha2::{Digest as _, Sha256};
use waag_evidence::Sha256Digest;

use super::pair::{LARGE, Side};
use super::report::TensorSide;
use crate::weights::{self, TensorInfo, WeightsError};

/// Bytes that are read at a time: few enough to stay in a fast cache; a multiple of the size of every element.
const PIECE: usize = 1 << 18;

/// The digests of a pair in the making.
#[derive(Debug)]
pub(super) struct Digests {
    old: Half,
    /// None as long as both sides hold the same, so that one digest stands for both.
    new: Option<Half>,
}

/// The digest of one side, up to some place.
#[derive(Debug, Clone, Default)]
struct Half {
    hash: Sha256,
    at: u64,
}

impl Digests {
    /// Reads what both sides have in common: from the start up to the first piece that differs.
    pub(super) fn of_common(old: &Side<'_>, new: &Side<'_>) -> Result<Self, WeightsError> {
        let mut common = Half::default();
        if length(old) != length(new) {
            return Ok(Self { new: Some(common.clone()), old: common });
        }
        let (mut old_buffer, mut new_buffer) = (Vec::new(), Vec::new());
        for (start, piece) in pieces(0, length(old)) {
            let old_bytes = old.bytes(start, piece, &mut old_buffer)?;
            if old_bytes != new.bytes(start, piece, &mut new_buffer)? {
                return Ok(Self { new: Some(common.clone()), old: common });
            }
            common.take(start, old_bytes);
        }
        Ok(Self { old: common, new: None })
    }

    /// Whether all bytes of both were read, and are the same.
    pub(super) fn are_same(&self) -> bool {
        self.new.is_none()
    }

    /// Takes up bytes of both sides that start at these places: what was read for another purpose is not read again.
    /// Everything before them was taken up already; of what was, nothing is taken twice.
    pub(super) fn take(&mut self, old: (u64, &[u8]), new: (u64, &[u8])) {
        if let Some(half) = &mut self.new {
            self.old.take(old.0, old.1);
            half.take(new.0, new.1);
        }
    }

    /// Reads what is left.
    pub(super) fn complete(&mut self, old: &Side<'_>, new: &Side<'_>) -> Result<(), WeightsError> {
        let Some(half) = &mut self.new else { return Ok(()) };
        let (one, other) = if length(old) >= LARGE {
            rayon::join(|| self.old.complete(old), || half.complete(new))
        } else {
            (self.old.complete(old), half.complete(new))
        };
        one.and(other)
    }

    /// The digests of both, which are equal if and only if their bytes are.
    pub(super) fn finish(self) -> (Sha256Digest, Sha256Digest) {
        let old = self.old.finish();
        (old, self.new.map_or(old, Half::finish))
    }
}

impl Half {
    fn take(&mut self, start: u64, bytes: &[u8]) {
        let known = usize::try_from(self.at.saturating_sub(start)).unwrap_or(usize::MAX);
        if let Some(bytes) = bytes.get(known..) {
            self.hash.update(bytes);
            self.at += bytes.len() as u64;
        }
    }

    fn complete(&mut self, side: &Side<'_>) -> Result<(), WeightsError> {
        let mut buffer = Vec::new();
        for (start, piece) in pieces(self.at, length(side)) {
            self.take(start, side.bytes(start, piece, &mut buffer)?);
        }
        Ok(())
    }

    fn finish(self) -> Sha256Digest {
        Sha256Digest::new(self.hash.finalize().into())
    }
}

/// Where pieces start, from some place on, and how long they are.
fn pieces(from: u64, length: u64) -> impl Iterator<Item = (u64, usize)> {
    let starts = (from..length).step_by(PIECE);
    starts.map(move |start| (start, usize::try_from(length - start).map_or(PIECE, |rest| rest.min(PIECE))))
}

fn length(side: &Side<'_>) -> u64 {
    side.store.tensors()[side.index].bytes()
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
