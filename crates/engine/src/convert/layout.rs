//! Which tensors go where: tied ones once or each, and how files of safetensors are laid out.
//!
//! The layout is the safetensors library's own: tensors by type, the widest first, then by name; the header filled up
//! with spaces to a multiple of eight bytes. The same tensors give the same bytes.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use crate::convert::Tied;
use crate::weights::{TensorInfo, TensorStore};

/// What the header's length is a multiple of.
const ALIGNMENT: usize = 8;

/// The tensors that are written.
#[derive(Debug)]
pub(super) struct Chosen {
    /// Indices in the store.
    pub(super) tensors: Vec<usize>,
    /// Names that are not written, and the name that has the same bytes.
    pub(super) tied: Vec<(String, String)>,
}

/// Chooses the tensors to write.
pub(super) fn choose(store: &dyn TensorStore, tied: Tied) -> Chosen {
    let name = |index: usize| store.tensors()[index].name.clone();
    let all = 0..store.tensors().len();
    let is_kept = |index: usize| tied == Tied::Copy || store.twin(index) == index;
    let removed = all.clone().filter(|index| !is_kept(*index));
    let tied = removed.map(|index| (name(index), name(store.twin(index)))).collect();
    Chosen { tensors: all.filter(|index| is_kept(*index)).collect(), tied }
}

/// One file: its tensors in the order in which they lie in it, and its metadata.
#[derive(Debug)]
pub(super) struct File {
    /// Which of how many it is, counted from 1.
    pub(super) number: usize,
    pub(super) of: usize,
    pub(super) tensors: Vec<usize>,
    pub(super) metadata: BTreeMap<String, String>,
}

/// Spreads the tensors over files, in the order of their names.
pub(super) fn files(store: &dyn TensorStore, chosen: &Chosen, shard_size: Option<u64>) -> Vec<File> {
    let mut groups: Vec<Vec<usize>> = vec![Vec::new()];
    let mut held = 0;
    for index in &chosen.tensors {
        let bytes = store.tensors()[*index].bytes();
        let is_full = shard_size.is_some_and(|most| held > 0 && held + bytes > most);
        if is_full {
            groups.push(Vec::new());
            held = 0;
        }
        held += bytes;
        if let Some(group) = groups.last_mut() {
            group.push(*index);
        }
    }
    let of = groups.len();
    let metadata = metadata(store, chosen);
    let file = |(place, mut tensors): (usize, Vec<usize>)| {
        tensors.sort_by(|one, other| in_file(store, *one, *other));
        File { number: place + 1, of, tensors, metadata: metadata.clone() }
    };
    groups.into_iter().enumerate().map(file).collect()
}

fn in_file(store: &dyn TensorStore, one: usize, other: usize) -> std::cmp::Ordering {
    let (one, other) = (&store.tensors()[one], &store.tensors()[other]);
    other.dtype.cmp(&one.dtype).then_with(|| one.name.cmp(&other.name))
}

/// What the input says of itself, the format that `transformers` asks for, and which name stands for which.
fn metadata(store: &dyn TensorStore, chosen: &Chosen) -> BTreeMap<String, String> {
    let mut metadata: BTreeMap<String, String> = chosen.tied.iter().cloned().collect();
    metadata.extend(store.metadata().iter().cloned());
    metadata.entry("format".to_owned()).or_insert_with(|| "pt".to_owned());
    metadata
}

/// The header of a file, its length in front of it.
pub(super) fn header(store: &dyn TensorStore, file: &File) -> Vec<u8> {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let mut json = String::from("{\"__metadata__\":{");
    for (place, (key, value)) in file.metadata.iter().enumerate() {
        let comma = if place > 0 { "," } else { "" };
        let _ = write!(json, "{comma}{}:{}", text(key), text(value));
    }
    json.push('}');
    let mut at = 0;
    for index in &file.tensors {
        let TensorInfo { name, dtype, shape } = &store.tensors()[*index];
        let end = at + store.tensors()[*index].bytes();
        let shape = shape.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
        let name = text(name);
        let _ = write!(json, ",{name}:{{\"dtype\":\"{dtype}\",\"shape\":[{shape}],\"data_offsets\":[{at},{end}]}}");
        at = end;
    }
    json.push('}');
    let length = json.len().next_multiple_of(ALIGNMENT);
    let mut header = (length as u64).to_le_bytes().to_vec();
    header.extend(json.bytes());
    header.resize(8 + length, b' ');
    header
}

/// The index of several files, as `transformers` reads it.
pub(super) fn index(store: &dyn TensorStore, files: &[File], name: impl Fn(&File) -> String) -> String {
    let mut map = BTreeMap::new();
    for file in files {
        let shard = name(file);
        map.extend(file.tensors.iter().map(|index| (store.tensors()[*index].name.clone(), shard.clone())));
    }
    let total: u64 = files.iter().flat_map(|file| &file.tensors).map(|index| store.tensors()[*index].bytes()).sum();
    let index = serde_json::json!({ "metadata": { "total_size": total }, "weight_map": map });
    let mut text = serde_json::to_string_pretty(&index).unwrap_or_default();
    text.push('\n');
    text
}

/// Where each tensor of a file starts, behind the header.
pub(super) fn places(store: &dyn TensorStore, file: &File) -> HashMap<usize, u64> {
    let mut at = 0;
    let place = |index: &usize| {
        let start = at;
        at += store.tensors()[*index].bytes();
        (*index, start)
    };
    file.tensors.iter().map(place).collect()
}
