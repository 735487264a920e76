//! A model in several files: the tensors that its index looks for in a shard have to be in that shard.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use waag_evidence::finding::{Finding, Location};
use waag_formats::budget::Budget;
use waag_formats::child::Role;
use waag_formats::fact::{FactKind, Gap};
use waag_formats::facts::Facts;
use waag_formats::format::{Context, Format};
use waag_formats::json::{Value, walk};
use waag_formats::safetensors::Safetensors;

use crate::io::FileSource;
use crate::scan::findings;
use crate::walk::{Entry, EntryKind};

/// What an index of safetensors is called.
const INDEX: &str = ".safetensors.index.json";
/// Tensors of one index that are looked for.
const MAX_TENSORS: usize = 200_000;
/// Tensors that one finding names.
const MAX_NAMED: usize = 3;

/// Checks every index among the files.
#[must_use]
pub(crate) fn check(entries: &[Entry]) -> Vec<Finding> {
    let is_index = |entry: &&Entry| entry.path.to_string_lossy().ends_with(INDEX);
    let readable = |entry: &Entry| match &entry.kind {
        EntryKind::File(path) => Some((entry.path.clone(), path.clone())),
        _ => None,
    };
    let indexes = entries.iter().filter(is_index).filter_map(readable);
    indexes.flat_map(|(shown, path)| check_index(entries, &shown, &path)).collect()
}

fn check_index(entries: &[Entry], shown: &Path, path: &Path) -> Vec<Finding> {
    let folder = shown.parent().unwrap_or(Path::new(""));
    let mut list = Vec::new();
    for (shard, wanted) in wanted(path) {
        let Some(file) = file_of(entries, &folder.join(&shard)) else { continue };
        let Some(held) = held(&file) else { continue };
        let lacking: Vec<&str> = wanted.difference(&held).map(String::as_str).collect();
        if let Some(detail) = lacks(&shard, &lacking) {
            let location = Location::file(shown.to_string_lossy());
            list.extend(findings(&location, FactKind::Incomplete { reason: Gap::Missing, detail }));
        }
    }
    list
}

fn lacks(shard: &str, lacking: &[&str]) -> Option<String> {
    let named = lacking.iter().take(MAX_NAMED).map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    match lacking.len() {
        0 => None,
        count if count > MAX_NAMED => {
            Some(format!("looks in '{shard}' for {count} tensors that it lacks, such as {named}"))
        }
        _ => Some(format!("looks in '{shard}' for {named}, which it lacks")),
    }
}

/// The tensors that an index looks for, by shard.
fn wanted(index: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut wanted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let Ok(source) = FileSource::open(index) else { return wanted };
    let mut count = 0;
    walk(&source, 0, u64::MAX, &Budget::default(), &mut |event| {
        if let (2, Some("weight_map"), Some(tensor), Value::Text(shard)) =
            (event.path.len(), event.key_at(0), event.key_at(1), event.value)
            && count < MAX_TENSORS
        {
            count += 1;
            wanted.entry(shard.to_owned()).or_default().insert(tensor.to_owned());
        }
    });
    wanted
}

/// Where the file that is shown at a path really is.
fn file_of(entries: &[Entry], shown: &Path) -> Option<PathBuf> {
    let place = entries.binary_search_by(|entry| entry.path.as_path().cmp(shown)).ok()?;
    match &entries.get(place)?.kind {
        EntryKind::File(path) => Some(path.clone()),
        _ => None,
    }
}

/// The tensors of a shard; none when it holds more than are listed, or is no safetensors.
fn held(shard: &Path) -> Option<BTreeSet<String>> {
    let source = FileSource::open(shard).ok()?;
    let (mut facts, budget) = (Facts::new(), Budget::default());
    Safetensors.inspect(&source, &Context { name: "", role: Role::Unknown, budget: &budget }, &mut facts);
    let name = |kind: &FactKind| match kind {
        FactKind::Tensor(tensor) => Some(tensor.name.clone()),
        _ => None,
    };
    let held: BTreeSet<String> = facts.list().iter().filter_map(|fact| name(&fact.kind)).collect();
    (held.len() as u64 == facts.totals().tensors && !held.is_empty()).then_some(held)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::walk::walk as walk_folder;

    fn safetensors(tensor: &str) -> Vec<u8> {
        let header = format!("{{\"{tensor}\":{{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}}}");
        [&(header.len() as u64).to_le_bytes(), header.as_bytes(), b"x"].concat()
    }

    fn said(tensor: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let index = format!("{{\"weight_map\":{{\"{tensor}\":\"model-1.safetensors\",\"far\":\"none.safetensors\"}}}}");
        std::fs::write(folder.path().join("model.safetensors.index.json"), index).unwrap();
        std::fs::write(folder.path().join("model-1.safetensors"), safetensors("weight")).unwrap();
        let entries = walk_folder(&[folder.path().to_owned()], false).unwrap();
        check(&entries).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn a_tensor_that_its_shard_lacks_is_missing() {
        assert_eq!(said("weight"), Vec::<String>::new());
        let said = said("bias");
        assert_eq!(said.len(), 1);
        assert!(said[0].ends_with("looks in 'model-1.safetensors' for 'bias', which it lacks"), "{said:?}");
    }

    #[test]
    fn only_the_first_few_are_named() {
        let lacking = ["a", "b", "c", "d"];
        let said = lacks("s", &lacking).unwrap();
        assert_eq!(said, "looks in 's' for 4 tensors that it lacks, such as 'a', 'b', 'c'");
        assert_eq!(lacks("s", &[]), None);
    }
}
