//! Which tensors are compared with which: by name, and where only one side has a name, by digest.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use rayon::prelude::*;

use super::compare::compare;
use super::digest::{Digests, root, side};
use super::held::Room;
use super::number::is_comparable;
use super::pair::{LARGE, Pair, Side};
use super::prefix::{Named, Prefix};
use super::report::{Details, Diff, Kind, ModelSide, Overlap, TensorDiff, TensorSide};
use super::view::View;
use super::{DiffError, Model, Options, glob, summary};
use crate::sanitize::sanitize;
use crate::scan::Progress;
use crate::weights::{self, TensorInfo, WeightsError};

/// Compares two models.
///
/// # Errors
/// When a tensor cannot be read, or when the pattern matches none.
pub fn diff(old: Model<'_>, new: Model<'_>, options: &Options, progress: &dyn Progress) -> Result<Diff, DiffError> {
    let (jobs, prefix) = jobs(old, new, options.only.as_deref());
    if let (true, Some(only)) = (jobs.is_empty(), &options.only) {
        return Err(DiffError::NothingMatches(sanitize(only)));
    }
    progress.total(jobs.len() as u64, jobs.iter().fold(0, |sum: u64, job| sum.saturating_add(job.bytes())));
    let tensors = rename(work(&jobs, old, new, progress)?);
    let counts = counts(&tensors);
    let other_container = files(old) != files(new);
    let (old, new) = (model(old, &tensors, |diff| diff.old.as_ref()), model(new, &tensors, |diff| diff.new.as_ref()));
    let mut summary = summary::summarize(&tensors, old.root == new.root, other_container);
    summary.notes.extend(prefix.map(|prefix| prefix.words()));
    Ok(Diff { old, new, summary, only: options.only.clone(), counts, tensors })
}

/// A name, and where each side has it.
#[derive(Debug)]
struct Job<'a> {
    old: Option<(usize, &'a TensorInfo)>,
    new: Option<(usize, &'a TensorInfo)>,
}

impl Job<'_> {
    fn bytes(&self) -> u64 {
        let bytes = |side: Option<(usize, &TensorInfo)>| side.map_or(0, |(_, tensor)| tensor.bytes());
        bytes(self.old).saturating_add(bytes(self.new))
    }

    fn name(&self) -> &str {
        self.new.or(self.old).map_or("", |(_, tensor)| &tensor.name)
    }
}

/// One job for every name, sorted. Names that differ by a prefix are one, which is given too.
fn jobs<'a>(old: Model<'a>, new: Model<'a>, only: Option<&str>) -> (Vec<Job<'a>>, Option<Prefix>) {
    let mut jobs: BTreeMap<&str, Job<'_>> = BTreeMap::new();
    for (model, is_old) in [(old, true), (new, false)] {
        let wanted = |tensor: &TensorInfo| only.is_none_or(|only| glob::matches(only, &tensor.name));
        for (index, tensor) in model.store.tensors().iter().enumerate().filter(|(_, tensor)| wanted(tensor)) {
            let job = jobs.entry(&tensor.name).or_insert(Job { old: None, new: None });
            *(if is_old { &mut job.old } else { &mut job.new }) = Some((index, tensor));
        }
    }
    let lone = |job: fn(&Job<'a>) -> Option<&'a TensorInfo>| -> Named<'a> {
        jobs.values().filter_map(job).map(|tensor| (tensor.name.as_str(), tensor)).collect()
    };
    let old = lone(|job| job.old.filter(|_| job.new.is_none()).map(|(_, tensor)| tensor));
    let new = lone(|job| job.new.filter(|_| job.old.is_none()).map(|(_, tensor)| tensor));
    let prefix = Prefix::of(&old, &new);
    for name in new.keys().filter(|_| prefix.is_some()) {
        let old_name = prefix.as_ref().and_then(|prefix| prefix.old_name(name));
        let Some(old_name) = old_name.filter(|old_name| old.contains_key(old_name.as_str())) else { continue };
        let from = jobs.remove(old_name.as_str());
        if let (Some(job), Some(from)) = (jobs.get_mut(name), from) {
            job.old = from.old;
        }
    }
    (jobs.into_values().collect(), prefix)
}

/// Large tensors one after the other, each by all threads; then the others, each by one thread. So what is in memory
/// at a time does not depend on how large tensors are.
fn work(
    jobs: &[Job<'_>],
    old: Model<'_>,
    new: Model<'_>,
    progress: &dyn Progress,
) -> Result<Vec<TensorDiff>, DiffError> {
    let room = Room::default();
    let run = |job: &Job<'_>| {
        let name = sanitize(job.name());
        let found = run(job, old, new, &room).map_err(|source| DiffError::Tensor { tensor: name.clone(), source })?;
        progress.advance(job.bytes(), &name);
        Ok(found)
    };
    let is_large = |job: &Job<'_>| job.old.is_some_and(|(_, tensor)| tensor.bytes() >= LARGE);
    let large = jobs.iter().enumerate().filter(|(_, job)| is_large(job)).map(|(at, job)| Ok((at, run(job)?)));
    let mut found: Vec<(usize, TensorDiff)> = large.collect::<Result<_, DiffError>>()?;
    let small: Vec<(usize, &Job<'_>)> = jobs.iter().enumerate().filter(|(_, job)| !is_large(job)).collect();
    let small = small.into_par_iter().with_max_len(1).map(|(at, job)| Ok((at, run(job)?)));
    found.extend(small.collect::<Result<Vec<_>, DiffError>>()?);
    found.sort_by_key(|(at, _)| *at);
    Ok(found.into_iter().map(|(_, diff)| diff).collect())
}

fn run(job: &Job<'_>, old: Model<'_>, new: Model<'_>, room: &Room) -> Result<TensorDiff, WeightsError> {
    let (old_tensor, new_tensor) = match (job.old, job.new) {
        (Some(old_tensor), Some(new_tensor)) => (old_tensor, new_tensor),
        (one, other) => {
            let lone = |side: Option<(usize, &TensorInfo)>, model: Model<'_>| {
                side.map(|(index, tensor)| Ok(self::side(tensor, weights::digest::tensor(model.store, index)?)))
                    .transpose()
            };
            let kind = if other.is_some() { Kind::Added } else { Kind::Removed };
            return Ok(bare(job.name(), kind, lone(one, old)?, lone(other, new)?));
        }
    };
    let sides = (Side::new(old.store, old_tensor.0)?, Side::new(new.store, new_tensor.0)?);
    both(sides, (old_tensor.1, new_tensor.1), room)
}

fn bare(name: &str, kind: Kind, old: Option<TensorSide>, new: Option<TensorSide>) -> TensorDiff {
    TensorDiff { name: name.to_owned(), kind, old, new, measures: None, details: Details::default() }
}

fn both<'a>(
    (old, new): (Side<'a>, Side<'a>),
    (old_tensor, new_tensor): (&TensorInfo, &TensorInfo),
    room: &'a Room,
) -> Result<TensorDiff, WeightsError> {
    let is_resized = old_tensor.shape != new_tensor.shape;
    let mut digests = Digests::of_common(&old, &new)?;
    let is_identical = old_tensor.dtype == new_tensor.dtype && !is_resized && digests.are_same();
    let comparable = !is_identical && is_comparable(old_tensor.dtype, new_tensor.dtype);
    let shared = shared(old_tensor, new_tensor).filter(|_| comparable);
    let pair = Pair::new(old, new, View::of(shared.as_ref().unwrap_or(old_tensor)), room);
    let found = match &shared {
        // All threads look at a large pair, in no order, and a digest has to be made in order.
        Some(_) if pair.is_large() => digests.complete(&pair.old, &pair.new).map(|()| &shared)?,
        others => others,
    };
    let found = found.as_ref().map(|shared| compare(&pair, shared, &mut digests)).transpose()?;
    digests.complete(&pair.old, &pair.new)?;
    let (old_digest, new_digest) = digests.finish();
    let kind = match is_resized {
        _ if is_identical && old_tensor.name != new_tensor.name => Kind::Renamed,
        _ if is_identical => Kind::Identical,
        true => Kind::Shape,
        false => found.as_ref().map_or(Kind::Dtype, |found| found.kind),
    };
    let sides = (Some(side(old_tensor, old_digest)), Some(side(new_tensor, new_digest)));
    let mut diff = bare(&new_tensor.name, kind, sides.0, sides.1);
    if let (Some(found), Some(shared)) = (found, shared) {
        (diff.measures, diff.details) = (Some(found.measures), found.details);
        let rows = shared.shape.first().copied().unwrap_or(0);
        diff.details.overlap = is_resized.then_some(Overlap { rows, kind: found.kind });
    }
    Ok(diff)
}

/// The tensor that both have in common: all of it, or the first rows when only the outermost extent differs. It has the
/// old side's type.
fn shared(old: &TensorInfo, new: &TensorInfo) -> Option<TensorInfo> {
    let (Some((old_rows, old_rest)), Some((new_rows, new_rest))) = (old.shape.split_first(), new.shape.split_first())
    else {
        return (old.shape == new.shape).then(|| old.clone());
    };
    let mut shape = old.shape.clone();
    shape[0] = *old_rows.min(new_rows);
    let overlaps = old_rest == new_rest && (shape[0] > 0 || old.shape == new.shape);
    overlaps.then(|| TensorInfo { name: new.name.clone(), dtype: old.dtype, shape })
}

/// Joins what was removed and what was added with the same bytes, type and extents. Where several have the same, they
/// are joined in the order of their names.
fn rename(mut tensors: Vec<TensorDiff>) -> Vec<TensorDiff> {
    let key = |side: &TensorSide| (side.sha256, side.dtype, side.shape.clone());
    let mut removed: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (at, diff) in tensors.iter().enumerate().rev().filter(|(_, diff)| diff.kind == Kind::Removed) {
        if let Some(old) = &diff.old {
            removed.entry(key(old)).or_default().push(at);
        }
    }
    let mut gone = vec![false; tensors.len()];
    for at in 0..tensors.len() {
        let added = tensors[at].new.as_ref().filter(|_| tensors[at].kind == Kind::Added).map(key);
        let Some(from) = added.and_then(|key| removed.get_mut(&key)?.pop()) else { continue };
        tensors[at].kind = Kind::Renamed;
        tensors[at].old = tensors[from].old.take();
        gone[from] = true;
    }
    let kept = tensors.into_iter().zip(gone).filter(|(_, gone)| !gone);
    kept.map(|(diff, _)| diff).collect()
}

/// Kinds and sizes of the files of a model: tensors that are the same in files that are not were serialised again.
fn files(model: Model<'_>) -> Vec<(Option<OsString>, u64)> {
    let files = model.store.files().iter();
    let mut files: Vec<_> = files
        .map(|path| {
            (path.extension().map(OsStr::to_owned), std::fs::metadata(path).map_or(0, |metadata| metadata.len()))
        })
        .collect();
    files.sort_unstable();
    files
}

fn counts(tensors: &[TensorDiff]) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    tensors.iter().for_each(|diff| *counts.entry(diff.kind.name()).or_insert(0) += 1);
    counts
}

fn model<'a>(
    model: Model<'_>,
    tensors: &'a [TensorDiff],
    of: impl Fn(&'a TensorDiff) -> Option<&'a TensorSide> + Copy,
) -> ModelSide {
    let sides = || tensors.iter().filter_map(of);
    let elements = sides().fold(0, |sum: u64, side| sum.saturating_add(side.elements()));
    ModelSide { path: model.path.to_owned(), tensors: sides().count() as u64, elements, root: root(sides()) }
}
