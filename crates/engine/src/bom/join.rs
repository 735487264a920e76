//! Files that are one: which files are the shards of one set of tensors, and how the sets of one model are related.

use std::collections::{BTreeMap, BTreeSet};

use super::document::Document;
use super::files::Found;
use super::folders::{folder_of, inside, is_loose};
use super::model::{Evidence, Kin, Method, Remark, Role, Said, Weights};

/// Containers, those first that loaders prefer.
const CONTAINERS: &[&str] = &["safetensors", "pickle", "hdf5", "msgpack", "onnx", "gguf"];
/// Names of the set that a loader takes where there are several.
const USUAL: &[&str] = &["model", "diffusion_pytorch_model", "pytorch_model", "tf_model", "flax_model", "consolidated"];
/// Folders in which publishers put the same model in another form.
const FORMS: &[&str] = &["onnx", "gguf", "openvino", "coreml", "tflite", "original", "flax", "tf", "pytorch", "mlx"];
/// Files of one set that are named as missing.
const MAX_MISSING: u64 = 1_000;

/// Tensors of a model, set by set.
#[derive(Debug, Default)]
pub(super) struct Sets {
    pub(super) main: Option<Weights>,
    pub(super) others: Vec<(Kin, Weights)>,
    pub(super) remarks: Vec<Remark>,
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
    /// How many are missing: more than are named.
    lacks: u64,
}

impl Set<'_> {
    fn rank(&self) -> (bool, bool, u64) {
        (self.index.is_some(), USUAL.contains(&self.stem.as_str()), self.parameters())
    }

    fn parameters(&self) -> u64 {
        let tensors = self.files.iter().filter_map(|file| file.tensors.as_ref());
        tensors.fold(0, |sum, tensors| sum.saturating_add(tensors.parameters))
    }

    /// The name in the header of a GGUF file.
    fn header_name(&self) -> Option<&str> {
        self.files.first()?.tensors.as_ref()?.text("general.name")
    }

    /// The numbers among shards that no file has.
    fn count_shards(&mut self) {
        let numbers: BTreeSet<u64> = self.files.iter().filter_map(|file| numbered(&file.path)?.number).collect();
        let Some(shard) = self.files.first().and_then(|file| numbered(&file.path)) else { return };
        let Some(count) = shard.count else { return };
        self.lacks = count.saturating_sub(numbers.len() as u64);
        let missing = (1..=count).filter(|number| !numbers.contains(number)).map(|number| shard.sibling(number));
        self.missing = missing.take(self.lacks.min(MAX_MISSING) as usize).collect();
    }
}

/// Joins the weights of a model: shards by their index or their numbers, and the parts of a pipeline.
pub(super) fn sets(files: &[&Found], folder: &str) -> Sets {
    let mut remarks = Vec::new();
    let mut sets = grouped(files, folder, &mut remarks);
    let parts = main_parts(&mut sets, files, folder);
    let is_configured =
        |one: &str| files.iter().any(|file| file.role == Role::Configuration && folder_of(&file.path) == one);
    let others = sets.iter().map(|set| {
        let first = || parts.first().or_else(|| sets.iter().find(|set| !is_checkpoint(set.folder, folder)));
        let main = parts.iter().find(|part| part.folder == set.folder).or_else(first);
        let kin = main.map_or(Kin::Form, |main| kin(set, main, is_configured(main.folder)));
        (if is_checkpoint(set.folder, folder) { Kin::Checkpoint } else { kin }, joined(set))
    });
    Sets { others: others.collect(), main: parts.iter().map(joined).reduce(added), remarks }
}

/// Takes out the sets that a loader takes: one, or one of each part of a pipeline.
fn main_parts<'a>(sets: &mut Vec<Set<'a>>, files: &[&Found], folder: &str) -> Vec<Set<'a>> {
    let is_pipeline =
        files.iter().any(|file| matches!(inside(&file.path, folder), "model_index.json" | "modules.json"));
    let may_be = |set: &&Set<'_>| !is_checkpoint(set.folder, folder);
    let container = CONTAINERS.iter().find(|one| sets.iter().filter(may_be).any(|set| set.container == **one));
    let Some(first) = container else { return Vec::new() };
    // Of several files of GGUF none is the model, and the others its variants: they are alike.
    if *first == "gguf" && sets.iter().filter(|set| set.container == *first).count() > 1 {
        return Vec::new();
    }
    let of_first = sets.iter().filter(may_be).filter(|set| set.container == *first);
    // Folders are sorted, so that the outermost comes first.
    let folders: BTreeSet<&str> = of_first.map(|set| set.folder).collect();
    let wanted = if is_pipeline { folders.len() } else { 1 };
    let mut parts: Vec<Set<'a>> = Vec::new();
    for folder in folders.into_iter().take(wanted) {
        let here = |set: &Set<'_>| set.container == *first && set.folder == folder;
        let best = sets.iter().enumerate().filter(|(_, set)| here(set)).max_by_key(|(_, set)| set.rank());
        if let Some((best, _)) = best {
            parts.push(sets.remove(best));
        }
    }
    parts
}

fn is_checkpoint(of: &str, folder: &str) -> bool {
    let starts = ["checkpoint", "epoch", "step"];
    inside(of, folder).split('/').any(|part| starts.iter().any(|start| part.to_ascii_lowercase().starts_with(start)))
}

/// How a set is related to the main one. Names and numbers have to say that it is the same model.
fn kin(set: &Set<'_>, main: &Set<'_>, is_configured: bool) -> Kin {
    let last = set.folder.rsplit('/').next().unwrap_or_default();
    let is_here = set.folder == main.folder || FORMS.contains(&last.to_ascii_lowercase().as_str());
    let is_named_alike = set.header_name().is_some() && set.header_name() == main.header_name();
    let is_converted = set.container != main.container && (is_configured || set.stem == main.stem);
    let is_alike = is_named_alike || is_converted || set.parameters() == main.parameters();
    if is_here && is_alike { Kin::Form } else { Kin::Beside }
}

fn grouped<'a>(files: &[&'a Found], folder: &str, remarks: &mut Vec<Remark>) -> Vec<Set<'a>> {
    let weights = || files.iter().filter(|file| file.role == Role::Weights);
    // Arrays that may be anything are a model's only where it has nothing else.
    let is_bare = weights().all(|file| is_loose(file));
    let mut sets: BTreeMap<(&str, &str, String), Set<'a>> = BTreeMap::new();
    for file in weights().filter(|file| !is_loose(file) || is_bare && folder_of(&file.path) == folder) {
        let (folder, container) = (folder_of(&file.path), container(file));
        let key = numbered(&file.path).map_or_else(|| stem(&file.path).to_owned(), |shard| shard.of_set());
        let set = || new_set(folder, stem(&file.path), container);
        sets.entry((folder, container, key)).or_insert_with(set).files.push(file);
    }
    let mut sets: Vec<Set<'a>> = sets.into_values().collect();
    sets.iter_mut().for_each(Set::count_shards);
    for index in files.iter().filter(|file| file.role == Role::Index) {
        indexed(&mut sets, index, remarks);
    }
    sets
}

fn new_set<'a>(folder: &'a str, stem: &str, container: &'static str) -> Set<'a> {
    let (files, missing) = (Vec::new(), Vec::new());
    Set { folder, stem: stem.to_owned(), container, files, index: None, missing, lacks: 0 }
}

/// Joins what an index names.
fn indexed<'a>(sets: &mut Vec<Set<'a>>, index: &'a Found, remarks: &mut Vec<Remark>) {
    let Some(document) = Document::open(index, remarks) else { return };
    let map = document.root().get("weight_map").map(|map| map.members()).unwrap_or_default();
    let named: BTreeSet<String> = map.iter().filter_map(|(_, shard)| shard.text()).map(str::to_owned).collect();
    if named.is_empty() {
        return remarks.push(Remark::gap(&index.path, "it names no file of weights"));
    }
    let folder = folder_of(&index.path);
    let files = taken(sets, folder, &named);
    if files.is_empty() && !sets.is_empty() {
        // Weights in the container that a loader prefers were fetched, and all indexes.
        return remarks
            .push(Remark::note(&index.path, format!("none of the {} files that it names is there", named.len())));
    }
    let there: BTreeSet<&str> = files.iter().map(|file| inside(&file.path, folder)).collect();
    let missing: Vec<String> = named.iter().filter(|name| !there.contains(name.as_str())).cloned().collect();
    let first = named.first().map(String::as_str).unwrap_or_default();
    let container = files.first().map_or_else(|| container_of(first), |file| container(file));
    let lacks = missing.len() as u64;
    let missing = missing.into_iter().take(MAX_MISSING as usize).collect();
    sets.push(Set { files, index: Some(index), missing, lacks, ..new_set(folder, stem(first), container) });
    sets.sort_by(|one, other| {
        (one.folder, one.container, &one.stem).cmp(&(other.folder, other.container, &other.stem))
    });
}

/// Takes the files that an index names out of the sets that they are in.
fn taken<'a>(sets: &mut Vec<Set<'a>>, folder: &str, named: &BTreeSet<String>) -> Vec<&'a Found> {
    let is_named = |file: &Found| folder_of(&file.path) == folder && named.contains(inside(&file.path, folder));
    let mut files: Vec<&'a Found> = Vec::new();
    for set in sets.iter_mut().filter(|set| set.folder == folder) {
        let (shards, rest): (Vec<&'a Found>, Vec<&'a Found>) = set.files.iter().partition(|file| is_named(file));
        files.extend(shards);
        set.files = rest;
    }
    sets.retain(|set| !set.files.is_empty() || set.index.is_some());
    files
}

/// The name of a container: a file of PyTorch is a pickle, whatever is around it.
fn container(file: &Found) -> &'static str {
    match file.format {
        Some("zip" | "tar" | "pickle") => "pickle",
        Some(format) => format,
        None => container_of(&file.path),
    }
}

/// The same of a file that is not there, or that cannot be read.
fn container_of(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "safetensors" => "safetensors",
        "gguf" => "gguf",
        "bin" | "pt" | "pth" => "pickle",
        _ => "unknown",
    }
}

/// The name of a shard: `model-00001-of-00002.safetensors`.
struct Shard<'a> {
    start: &'a str,
    /// None where it has too many digits.
    number: Option<u64>,
    digits: usize,
    count: Option<u64>,
    of: &'a str,
    ending: &'a str,
}

impl Shard<'_> {
    fn sibling(&self, number: u64) -> String {
        format!("{}-{number:0width$}-of-{}{}", self.start, self.of, self.ending, width = self.digits)
    }

    /// What all shards of one set have in common.
    fn of_set(&self) -> String {
        format!("{}-of-{}", self.start, self.of)
    }
}

fn numbered(path: &str) -> Option<Shard<'_>> {
    let name = path.rsplit('/').next().unwrap_or_default();
    let dot = name.rfind('.').unwrap_or(name.len());
    let (stem, ending) = (name.get(..dot)?, name.get(dot..)?);
    let (front, of) = stem.rsplit_once("-of-")?;
    let (start, number) = front.rsplit_once('-')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(number) && is_number(of)).then(|| Shard {
        start,
        number: number.parse().ok(),
        digits: number.len().min(20),
        count: of.parse().ok(),
        of,
        ending,
    })
}

/// The name of a file without its ending, and without its number among shards.
fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or_default();
    let whole = || name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    numbered(path).map_or_else(whole, |shard| shard.start)
}

fn joined(set: &Set<'_>) -> Weights {
    let mut weights = weights_of(set.container, &set.files);
    weights.index = set.index.map(|index| index.path.clone());
    weights.missing.clone_from(&set.missing);
    if set.lacks > 0 {
        let names = set.missing.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
        let all = set.lacks.saturating_add(set.files.len() as u64);
        weights.incomplete = Some(format!("not there are {} of {all} files: {names}", set.lacks));
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
        assert_eq!(numbered("a/m-00001-of-00003.bin").unwrap().sibling(2), "m-00002-of-00003.bin");
    }
}
