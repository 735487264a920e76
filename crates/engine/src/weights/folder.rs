//! The weights of a folder: an index and its shards, all safetensors in it, or the one file that has weights.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use waag_formats::budget::Budget;
use waag_formats::json::{Value, walk};

use super::joined::Joined;
use super::open::{file, is_weights};
use super::store::{unreadable, unsupported};
use super::{TensorStore, WeightsError};
use crate::io::FileSource;

/// How the name of an index ends, the preferred kind first.
pub(super) const INDEXES: [&str; 2] = [".safetensors.index.json", ".bin.index.json"];
/// Files of one index.
const MAX_SHARDS: usize = 10_000;
/// Tensors of one index.
const MAX_TENSORS: usize = 1 << 20;

/// Opens the weights of a folder.
pub(super) fn open(path: &Path) -> Result<Box<dyn TensorStore>, WeightsError> {
    let files = files(path)?;
    let ending = |ending: &str| -> Vec<PathBuf> {
        files.iter().filter(|file| file.to_string_lossy().ends_with(ending)).cloned().collect()
    };
    for kind in INDEXES {
        match ending(kind).as_slice() {
            [] => {}
            [index] => return indexed(index),
            _ => return Err(unsupported(path, format!("it has several files *{kind}; name one of them"))),
        }
    }
    let shards = ending(".safetensors");
    if !shards.is_empty() {
        return joined(path, &shards, Vec::new());
    }
    let weights: Vec<&PathBuf> = files.iter().filter(|file| is_weights(file)).collect();
    match weights.as_slice() {
        [only] => file(only),
        [] => Err(unsupported(path, "it has no file of weights that are read here")),
        [one, other, ..] => {
            let detail = format!("'{}' and '{}' both have weights; name one of them", one.display(), other.display());
            Err(unsupported(path, detail))
        }
    }
}

/// The regular files of a folder, sorted; what starts with a dot is hidden.
fn files(path: &Path) -> Result<Vec<PathBuf>, WeightsError> {
    let failed = |error: std::io::Error| unreadable(path, error);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?.path();
        let is_hidden = entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !is_hidden && entry.is_file() {
            files.push(entry);
        }
    }
    files.sort();
    Ok(files)
}

fn joined(path: &Path, files: &[PathBuf], further: Vec<PathBuf>) -> Result<Box<dyn TensorStore>, WeightsError> {
    if let ([only], true) = (files, further.is_empty()) {
        return file(only);
    }
    let parts = files.iter().map(|shard| file(shard)).collect::<Result<Vec<_>, _>>()?;
    Ok(Box::new(Joined::new(path, parts, further)?))
}

/// Opens the shards of an index. Every tensor has to be in the shard that the index names.
pub(super) fn indexed(index: &Path) -> Result<Box<dyn TensorStore>, WeightsError> {
    let wanted = weight_map(index)?;
    let folder = index.parent().unwrap_or(Path::new(""));
    let mut parts = Vec::new();
    for (shard, names) in &wanted {
        let part = file(&folder.join(shard))?;
        let held: BTreeSet<&str> = part.tensors().iter().map(|tensor| tensor.name.as_str()).collect();
        if let Some(lacking) = names.iter().find(|name| !held.contains(name.as_str())) {
            return Err(unreadable(index, format!("it looks in '{shard}' for '{lacking}', which it lacks")));
        }
        parts.push(part);
    }
    Ok(Box::new(Joined::new(index, parts, vec![index.to_owned()])?))
}

/// The tensors that an index names, by shard.
fn weight_map(index: &Path) -> Result<BTreeMap<String, Vec<String>>, WeightsError> {
    let source = FileSource::open(index).map_err(|error| unreadable(index, error))?;
    let mut wanted: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut count = 0;
    let outcome = walk(&source, 0, u64::MAX, &Budget::default(), &mut |event| {
        if let (2, Some("weight_map"), Some(tensor), Value::Text(shard)) =
            (event.path.len(), event.key_at(0), event.key_at(1), event.value)
        {
            count += 1;
            if count <= MAX_TENSORS {
                wanted.entry(shard.to_owned()).or_default().push(tensor.to_owned());
            }
        }
    });
    if let Some(note) = outcome.notes.first() {
        return Err(unreadable(index, format!("at byte {}: {}", note.offset, note.detail)));
    }
    if wanted.is_empty() || wanted.len() > MAX_SHARDS || count > MAX_TENSORS {
        return Err(unsupported(index, format!("it names {count} tensors in {} files", wanted.len())));
    }
    match wanted.keys().find(|shard| !is_inside(shard)) {
        Some(shard) => Err(unsupported(index, format!("it names the file '{shard}', outside its folder"))),
        None => Ok(wanted),
    }
}

fn is_inside(shard: &str) -> bool {
    Path::new(shard).components().all(|part| matches!(part, Component::Normal(_))) && !shard.contains('\\')
}
