//! A first `waag.toml`, from what a scan has found: which models and datasets lie there, what vouches for them, and how the
//! controls answer today. Nothing is guessed: what is not there is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use toml::Value;
use waag_evidence::Outcome;
use waag_evidence::control::is_of_findings;
use waag_evidence::ingredient::IngredientKind;
use waag_evidence::verdict::Judged;

use crate::output::controls::told;
use crate::report::{ArtifactReport, Report};

/// Models and datasets that are written; a folder with more is a collection, and each has a project of its own.
const MAX_INGREDIENTS: usize = 64;
/// Characters of an answer that are quoted.
const MAX_TOLD: usize = 100;

/// Formats of files whose numbers were learned, though a library of another kind counts no tensors in them.
const LEARNED: &[&str] = &["pickle", "joblib", "skops", "xgboost", "lightgbm", "catboost", "onnx", "pmml"];
/// Endings of tables, texts and records.
const DATA: &[&str] =
    &["csv", "tsv", "jsonl", "ndjson", "parquet", "arrow", "feather", "tfrecord", "npz", "txt", "json"];
/// Names of folders that hold data.
const DATA_FOLDERS: &[&str] = &["data", "dataset", "datasets", "corpus"];
/// Lists of checksums that lie beside a model.
const PINS: &[&str] = &["SHA256SUMS", "sha256sums.txt", "checksums.sha256"];

/// A model or dataset that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub kind: IngredientKind,
    /// Its path below the project's folder.
    pub path: String,
    /// Lists of checksums beside it.
    pub pins: Vec<String>,
    /// The signature beside it.
    pub signature: Option<String>,
}

/// The models and datasets below a folder, by what was read in their files, and how many more there are.
#[must_use]
pub fn found(report: &Report, root: &Path) -> (Vec<Found>, usize) {
    let files: Vec<(String, &ArtifactReport)> = report
        .artifacts
        .iter()
        .filter(|artifact| artifact.location.members.is_empty())
        .filter_map(|artifact| Some((below(&artifact.location.file, root)?, artifact)))
        .collect();
    let names: BTreeSet<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    let mut places: BTreeMap<String, IngredientKind> = BTreeMap::new();
    for (path, artifact) in &files {
        if let Some(place) = data_place(path) {
            places.entry(place).or_insert(IngredientKind::Dataset);
        } else if is_learned(artifact) {
            places.insert(model_place(path, &names), IngredientKind::Model);
        }
    }
    let places = outermost(places);
    let more = places.len().saturating_sub(MAX_INGREDIENTS);
    let found = places.into_iter().take(MAX_INGREDIENTS).map(|(path, kind)| Found {
        pins: pins(&path, &names),
        signature: beside(&path, &names, &["model.sig", "model.sigstore.json"]),
        kind,
        path,
    });
    (found.collect(), more)
}

/// Without what lies within another one, which has its files already.
fn outermost(places: BTreeMap<String, IngredientKind>) -> Vec<(String, IngredientKind)> {
    let names: BTreeSet<String> = places.keys().cloned().collect();
    let is_within = |path: &str| path.match_indices('/').any(|(at, _)| names.contains(&path[..at]));
    places.into_iter().filter(|(path, _)| !is_within(path)).collect()
}

/// A path below the folder, with `/` between its parts.
fn below(file: &str, root: &Path) -> Option<String> {
    let path = Path::new(file);
    let path = path.strip_prefix(root).unwrap_or(path);
    let text = path.to_str()?.trim_start_matches("./").replace('\\', "/");
    (!text.is_empty() && !text.starts_with('/') && !text.contains("../")).then_some(text)
}

fn is_learned(artifact: &ArtifactReport) -> bool {
    artifact.tensors.tensors > 0 || artifact.format.is_some_and(|format| LEARNED.contains(&format))
}

/// The folder that the data lies in, where its name says so.
fn data_place(path: &str) -> Option<String> {
    let ending = path.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase())?;
    let parts: Vec<&str> = path.split('/').collect();
    let folder = parts.iter().position(|part| DATA_FOLDERS.contains(&part.to_ascii_lowercase().as_str()))?;
    let is_data = DATA.contains(&ending.as_str()) && folder + 1 < parts.len();
    is_data.then(|| parts[..=folder].join("/"))
}

/// A model is a folder where its configuration lies beside the weights, and otherwise a file.
fn model_place(path: &str, names: &BTreeSet<&str>) -> String {
    let Some((folder, _)) = path.rsplit_once('/') else { return path.to_owned() };
    let configured = ["config.json", "adapter_config.json", "MLmodel", "model_index.json"]
        .iter()
        .any(|name| names.contains(format!("{folder}/{name}").as_str()));
    if configured { folder.to_owned() } else { path.to_owned() }
}

fn pins(path: &str, names: &BTreeSet<&str>) -> Vec<String> {
    let tracked = format!("{path}.dvc");
    let listed = beside(path, names, PINS);
    listed.into_iter().chain(names.contains(tracked.as_str()).then_some(tracked)).collect()
}

/// A file in a folder or beside it.
fn beside(path: &str, names: &BTreeSet<&str>, wanted: &[&str]) -> Option<String> {
    let above = path.rsplit_once('/').map_or(String::new(), |(above, _)| format!("{above}/"));
    let places = [format!("{path}/"), above];
    let all = places.iter().flat_map(|place| wanted.iter().map(move |name| format!("{place}{name}")));
    all.into_iter().find(|name| names.contains(name.as_str()))
}

/// The text of the file: what was found, and how many more there are.
#[must_use]
pub fn draft(report: &Report, found: &[Found], more: usize) -> String {
    let mut text = "# What this project is made of, and what must hold: `waag check` judges by it.\n".to_owned();
    for one in found {
        let _ = write!(text, "\n[[{}]]\npath = {}\n", one.kind, quoted(&one.path));
        if !one.pins.is_empty() {
            let pins: Vec<String> = one.pins.iter().map(|pin| quoted(pin)).collect();
            let _ = writeln!(text, "pins = [{}]", pins.join(", "));
        }
        if let Some(signature) = &one.signature {
            let _ = writeln!(text, "signature = {}", quoted(signature));
        }
    }
    if found.is_empty() {
        text += "\n# No model or dataset was found here. One looks like this:\n# [[model]]\n# path = \"models/base\"\n";
    }
    if more > 0 {
        let _ = writeln!(text, "\n# {more} more were found and are not written: name those that have to be locked.");
    }
    text += &controls(report);
    text
}

/// The controls that only advise by default, with what they answer today: what passes can be asked for from now on.
fn controls(report: &Report) -> String {
    let advises = |judged: &&Judged| {
        judged.level == waag_evidence::Level::Advise
            && !is_of_findings(&judged.id)
            && judged.outcome != Outcome::NotApplicable
    };
    let mut list: Vec<&Judged> = report.verdict.controls.iter().filter(advises).collect();
    list.sort_by_key(|judged| judged.outcome);
    if list.is_empty() {
        return String::new();
    }
    let mut text =
        "\n# These advise and decide nothing. Take the # away to stop whatever does not hold.\n[policy.controls]\n"
            .to_owned();
    for judged in list {
        let told = crate::output::text::excerpt(&told(judged), MAX_TOLD);
        let _ = writeln!(text, "# {} = \"deny\"  # today: {}, {told}", judged.id, judged.outcome);
    }
    text
}

fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_what_lies_in_a_folder_of_data() {
        assert_eq!(data_place("data/train.csv").as_deref(), Some("data"));
        assert_eq!(data_place("a/Datasets/x/y.parquet").as_deref(), Some("a/Datasets"));
        assert_eq!(data_place("notes/train.csv"), None);
        assert_eq!(data_place("data"), None);
        assert_eq!(data_place("data.csv"), None);
    }

    #[test]
    fn a_model_is_a_folder_where_its_configuration_is() {
        let names: BTreeSet<&str> = ["m/config.json", "m/a.safetensors", "w/a.pt", "SHA256SUMS", "m.dvc"].into();
        assert_eq!(model_place("m/a.safetensors", &names), "m");
        assert_eq!(model_place("w/a.pt", &names), "w/a.pt");
        assert_eq!(pins("m", &names), ["SHA256SUMS", "m.dvc"]);
    }

    #[test]
    fn what_lies_within_a_model_is_part_of_it() {
        let places = ["m", "m/sub/a.safetensors", "mm/a.pt", "data", "data/m"]
            .map(|path| (path.to_owned(), IngredientKind::Model));
        let kept: Vec<String> = outermost(places.into()).into_iter().map(|(path, _)| path).collect();
        assert_eq!(kept, ["data", "m", "mm/a.pt"]);
    }

    #[test]
    fn paths_are_those_below_the_folder() {
        assert_eq!(below("./a/b", Path::new(".")).as_deref(), Some("a/b"));
        assert_eq!(below("/p/a", Path::new("/p")).as_deref(), Some("a"));
        assert_eq!(below("/q/a", Path::new("/p")), None);
    }
}
