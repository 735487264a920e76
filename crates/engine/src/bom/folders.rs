//! Which folders are models, and in which of them a file lies.

use std::collections::BTreeSet;

use super::document::Document;
use super::files::Found;
use super::model::{Method, Role};

/// Keys that a `config.json` of a model has, and that of a web page has not.
const KEYS: &[&str] = &["model_type", "architectures", "architecture", "auto_map", "_class_name"];
/// Endings of files that hold arrays or objects of any kind.
const LOOSE: &[&str] = &["npy", "npz", "pkl", "pickle", "joblib"];

/// The folders of models, below what was looked at, in order; the empty text is the whole. A folder with a configuration
/// holds everything below it; one with weights alone holds only what is not another model.
pub(super) fn folders(found: &[Found], is_root_a_model: bool) -> Vec<String> {
    let mut whole: BTreeSet<&str> =
        found.iter().filter(|file| configures(file)).map(|file| folder_of(&file.path)).collect();
    if is_root_a_model {
        whole.insert("");
    }
    let marked = found.iter().filter(|file| is_mark(file)).map(|file| folder_of(&file.path));
    let all: BTreeSet<&str> = marked.chain(whole.iter().copied()).collect();
    let is_apart = |folder: &&str| !upwards(folder).skip(1).any(|above| whole.contains(above));
    all.into_iter().filter(is_apart).map(str::to_owned).collect()
}

/// Whether a file is a model's configuration, by what is in it.
fn configures(file: &Found) -> bool {
    match file.path.rsplit('/').next().unwrap_or_default() {
        "adapter_config.json" => true,
        name @ ("config.json" | "model_index.json" | "modules.json") => {
            let document = Document::json(&file.path, &file.opened, Method::Configuration);
            document.is_ok_and(|document| match name {
                "modules.json" => document.root().items().first().is_some_and(|module| module.get("type").is_some()),
                _ => document.root().any(KEYS).is_some(),
            })
        }
        _ => false,
    }
}

/// Whether a file says that its folder is a model.
fn is_mark(file: &Found) -> bool {
    match file.role {
        Role::Adapter => true,
        Role::Index => file.path.ends_with(".safetensors.index.json") || file.path.ends_with(".bin.index.json"),
        Role::Weights => !is_loose(file) || is_pickled_model(file),
        _ => false,
    }
}

/// Whether a file holds arrays or objects that may be anything: features, embeddings, tables.
pub(super) fn is_loose(file: &Found) -> bool {
    let ending = file.path.rsplit_once('.').map_or("", |(_, ending)| ending);
    let is_of_keras = |file: &Found| {
        let said = file.tensors.as_ref().is_some_and(|tensors| tensors.text("keras_version").is_some());
        said || file.path.ends_with("weights.h5") || file.path.ends_with("model.h5")
    };
    LOOSE.iter().any(|loose| ending.eq_ignore_ascii_case(loose)) || file.format == Some("hdf5") && !is_of_keras(file)
}

/// A pickle with tensors in it; arrays in NumPy's own files are of anything.
fn is_pickled_model(file: &Found) -> bool {
    let is_numpy = [".npy", ".npz"].iter().any(|ending| file.path.ends_with(ending));
    !is_numpy && file.format != Some("hdf5") && file.tensors.as_ref().is_some_and(|tensors| tensors.tensors > 0)
}

/// The folder that a file lies in.
pub(super) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A path and every folder above it, the innermost first.
fn upwards(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| (!path.is_empty()).then(|| folder_of(path)))
}

/// The number of the innermost model that a file lies in. `folders` are sorted.
pub(super) fn model_of(path: &str, folders: &[String]) -> Option<usize> {
    upwards(path).find_map(|above| folders.binary_search_by(|folder| folder.as_str().cmp(above)).ok())
}

/// A path below a model's folder.
pub(super) fn inside<'a>(path: &'a str, folder: &str) -> &'a str {
    path.strip_prefix(folder).unwrap_or(path).trim_start_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_told_by_names_and_not_by_letters() {
        let folders = ["models/a".to_owned(), "models/b".to_owned()];
        assert_eq!(model_of("models/a/config.json", &folders), Some(0));
        assert_eq!(model_of("models/ab/config.json", &folders), None);
        assert_eq!(inside("models/a/x/y", "models/a"), "x/y");
    }

    #[test]
    fn the_innermost_model_has_the_file() {
        let folders = ["".to_owned(), "models/a".to_owned()];
        assert_eq!(model_of("models/a/x/config.json", &folders), Some(1));
        assert_eq!(model_of("train.py", &folders), Some(0));
    }
}
