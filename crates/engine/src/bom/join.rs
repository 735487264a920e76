//! Files that are one: which folders are models, which files are the shards of one set of tensors, and which sets are the
//! same model in another form.

use std::collections::{BTreeMap, BTreeSet};

use super::document::Document;
use super::files::Found;
use super::model::{Evidence, Method, Role, Said, Weights};

/// Containers, those first that loaders prefer.
const CONTAINERS: &[&str] = &["safetensors", "pickle", "hdf5", "msgpack", "onnx", "gguf"];
/// Names of the set that a loader takes where there are several.
const USUAL: &[&str] = &["model", "diffusion_pytorch_model", "pytorch_model", "tf_model", "flax_model", "consolidated"];
/// Files that say that a folder is a model.
const MARKS: &[&str] = &["config.json", "adapter_config.json", "model_index.json", "modules.json"];

/// The folders of models, below what was looked at; the empty text is the whole.
pub(super) fn folders(found: &[Found], is_root_a_model: bool) -> Vec<String> {
    let marks = |file: &&Found| {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        matches!(file.role, Role::Weights | Role::Adapter) || MARKS.contains(&name)
    };
    let mut folders: BTreeSet<&str> = found.iter().filter(marks).map(|file| folder_of(&file.path)).collect();
    if folders.contains("") && !is_root_a_model {
        // A `config.json` at the top of a project is not yet a model's.
        let is_bare = !found.iter().any(|file| {
            folder_of(&file.path).is_empty() && matches!(file.role, Role::Weights | Role::Adapter | Role::Index)
        });
        if is_bare {
            folders.remove("");
        }
    }
    if is_root_a_model {
        folders.insert("");
    }
    let mut outermost: Vec<String> = Vec::new();
    for folder in folders {
        if !outermost.iter().any(|above| is_below(folder, above)) {
            outermost.push(folder.to_owned());
        }
    }
    outermost
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty() || path == folder || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// The number of the model that a file lies in.
pub(super) fn model_of(path: &str, folders: &[String]) -> Option<usize> {
    folders.iter().position(|folder| is_below(path, folder))
}

/// A path below a model's folder.
pub(super) fn inside<'a>(path: &'a str, folder: &str) -> &'a str {
    path.strip_prefix(folder).unwrap_or(path).trim_start_matches('/')
}

/// Tensors of a model, set by set.
#[derive(Debug, Default)]
pub(super) struct Sets {
    pub(super) main: Option<Weights>,
    pub(super) others: Vec<Weights>,
}

/// A set in the making.
#[derive(Debug)]
struct Set<'a> {
    folder: &'a str,
    stem: String,
    container: &'static str,
    files: Vec<&'a Found>,
    index: Option<&'a Found>,
    missing: Vec<String>,
}

impl Set<'_> {
    fn rank(&self) -> (bool, bool, u64) {
        let usual = USUAL.contains(&self.stem.as_str());
        let parameters = self.files.iter().filter_map(|file| file.tensors.as_ref()).map(|tensors| tensors.parameters);
        (self.index.is_some(), usual, parameters.fold(0, u64::saturating_add))
    }
}

/// Joins the weights of a model: shards by their index or their numbers, and the parts of a pipeline.
pub(super) fn sets(files: &[&Found], folder: &str) -> Sets {
    let mut sets = grouped(files);
    let is_pipeline =
        files.iter().any(|file| matches!(inside(&file.path, folder), "model_index.json" | "modules.json"));
    let Some(first) = CONTAINERS.iter().find(|container| sets.iter().any(|set| set.container == **container)) else {
        return Sets { main: None, others: sets.iter().map(joined).collect() };
    };
    // Of several files of GGUF none is the model, and the others its variants: they are alike.
    if *first == "gguf" && sets.iter().filter(|set| set.container == *first).count() > 1 {
        return Sets { main: None, others: sets.iter().map(joined).collect() };
    }
    let mut parts: Vec<Set<'_>> = Vec::new();
    let mut folders: BTreeSet<&str> = sets.iter().filter(|set| set.container == *first).map(|set| set.folder).collect();
    if !is_pipeline {
        // Folders are sorted, so that the outermost comes first.
        folders = folders.into_iter().take(1).collect();
    }
    for folder in folders {
        let here = |set: &Set<'_>| set.container == *first && set.folder == folder;
        let best = sets.iter().enumerate().filter(|(_, set)| here(set)).max_by_key(|(_, set)| set.rank());
        if let Some((best, _)) = best {
            parts.push(sets.remove(best));
        }
    }
    Sets { main: parts.iter().map(joined).reduce(added), others: sets.iter().map(joined).collect() }
}

fn grouped<'a>(files: &[&'a Found]) -> Vec<Set<'a>> {
    let mut sets: BTreeMap<(&str, &str, String), Set<'a>> = BTreeMap::new();
    for file in files.iter().filter(|file| file.role == Role::Weights) {
        let (folder, container) = (folder_of(&file.path), container(file));
        let stem = stem(&file.path);
        let set = Set { folder, stem: stem.clone(), container, files: Vec::new(), index: None, missing: Vec::new() };
        sets.entry((folder, container, stem)).or_insert(set).files.push(file);
    }
    let mut sets: Vec<Set<'a>> = sets.into_values().collect();
    for index in files.iter().filter(|file| file.role == Role::Index) {
        indexed(&mut sets, index);
    }
    sets
}

/// Joins what an index names.
fn indexed<'a>(sets: &mut Vec<Set<'a>>, index: &'a Found) {
    let Ok(document) = Document::json(&index.path, &index.opened, Method::Configuration) else { return };
    let map = document.root().get("weight_map").map(|map| map.members()).unwrap_or_default();
    let named: BTreeSet<String> = map.iter().filter_map(|(_, shard)| shard.text()).map(str::to_owned).collect();
    let folder = folder_of(&index.path);
    let is_named = |file: &Found| folder_of(&file.path) == folder && named.contains(inside(&file.path, folder));
    let mut files: Vec<&'a Found> = Vec::new();
    for set in sets.iter_mut() {
        let (shards, rest): (Vec<&'a Found>, Vec<&'a Found>) = set.files.iter().partition(|file| is_named(file));
        files.extend(shards);
        set.files = rest;
    }
    sets.retain(|set| !set.files.is_empty());
    let Some(first) = files.first() else { return };
    let there: BTreeSet<&str> = files.iter().map(|file| inside(&file.path, folder)).collect();
    let missing = named.iter().filter(|name| !there.contains(name.as_str())).cloned().collect();
    let (stem, container) = (stem(&first.path), container(first));
    sets.push(Set { folder, stem, container, files, index: Some(index), missing });
    sets.sort_by(|one, other| {
        (one.folder, one.container, &one.stem).cmp(&(other.folder, other.container, &other.stem))
    });
}

/// The name of a container: a file of PyTorch is a pickle, whatever is around it.
fn container(file: &Found) -> &'static str {
    match file.format {
        Some("zip" | "tar" | "pickle") => "pickle",
        Some(format) => format,
        None => "unknown",
    }
}

/// The name of a file without its ending, and without its number among shards.
fn stem(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let numbers = stem.rsplit_once("-of-").and_then(|(start, count)| Some((start.rsplit_once('-')?, count)));
    match numbers {
        Some(((start, number), count)) if is_number(number) && is_number(count) => start.to_owned(),
        _ => stem.to_owned(),
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn joined(set: &Set<'_>) -> Weights {
    let mut weights = weights_of(set.container, &set.files);
    weights.index = set.index.map(|index| index.path.clone());
    weights.missing.clone_from(&set.missing);
    if !set.missing.is_empty() {
        weights.incomplete = Some(format!("{} files that the index names are not there", set.missing.len()));
    }
    weights
}

/// The sums over some files.
pub(super) fn weights_of(container: &'static str, files: &[&Found]) -> Weights {
    let mut weights = Weights { container, ..Weights::default() };
    let mut dtypes: BTreeMap<&str, u64> = BTreeMap::new();
    for file in files {
        weights.files.push(file.path.clone());
        let Some(tensors) = &file.tensors else { continue };
        weights.tensors = weights.tensors.saturating_add(tensors.tensors);
        weights.parameters = weights.parameters.saturating_add(tensors.parameters);
        weights.bytes = weights.bytes.saturating_add(tensors.bytes);
        for (dtype, count) in &tensors.dtypes {
            let sum = dtypes.entry(dtype).or_default();
            *sum = sum.saturating_add(*count);
        }
        let incomplete = || tensors.incomplete.as_ref().map(|why| format!("{}: {why}", file.path));
        weights.incomplete = weights.incomplete.take().or_else(incomplete);
        let quantisation = || quantisation(file);
        weights.quantisation = weights.quantisation.take().or_else(quantisation);
    }
    weights.files.sort();
    weights.dtypes = dtypes.into_iter().map(|(dtype, count)| (dtype.to_owned(), count)).collect();
    weights.dtypes.sort_by(|one, other| (other.1, &one.0).cmp(&(one.1, &other.0)));
    weights
}

/// What a GGUF header says.
fn quantisation(file: &Found) -> Option<Said<String>> {
    let value = file.tensors.as_ref()?.text("quantization")?.to_owned();
    let place = Some("general.file_type".to_owned());
    Some(Said { value, evidence: Evidence { place, ..Evidence::of(file.path.clone(), Method::Header) } })
}

fn added(mut one: Weights, other: Weights) -> Weights {
    one.files.extend(other.files);
    one.files.sort();
    one.index = one.index.or(other.index);
    one.missing.extend(other.missing);
    one.tensors = one.tensors.saturating_add(other.tensors);
    one.parameters = one.parameters.saturating_add(other.parameters);
    one.bytes = one.bytes.saturating_add(other.bytes);
    for (dtype, count) in other.dtypes {
        match one.dtypes.iter_mut().find(|(known, _)| *known == dtype) {
            Some((_, sum)) => *sum = sum.saturating_add(count),
            None => one.dtypes.push((dtype, count)),
        }
    }
    one.dtypes.sort_by(|one, other| (other.1, &one.0).cmp(&(one.1, &other.0)));
    one.incomplete = one.incomplete.or(other.incomplete);
    one
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_have_one_stem() {
        assert_eq!(stem("a/model-00001-of-00002.safetensors"), "model");
        assert_eq!(stem("tiny-Q4_K_M-00001-of-00003.gguf"), "tiny-Q4_K_M");
        assert_eq!(stem("model.fp16.safetensors"), "model.fp16");
        assert_eq!(stem("one-of-many.bin"), "one-of-many");
    }

    #[test]
    fn folders_are_told_by_names_and_not_by_letters() {
        let folders = ["models/a".to_owned(), "models/b".to_owned()];
        assert_eq!(model_of("models/a/config.json", &folders), Some(0));
        assert_eq!(model_of("models/ab/config.json", &folders), None);
        assert_eq!(inside("models/a/x/y", "models/a"), "x/y");
    }
}
