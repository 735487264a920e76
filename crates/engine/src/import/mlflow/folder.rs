//! Runs as MLflow keeps them in a folder: `mlruns/EXPERIMENT/RUN/meta.yaml` and what lies beside it.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use waag_evidence::Sha256Digest;
use waag_evidence::statement::ResourceDescriptor;
use waag_evidence::statement::claims::Voice;
use waag_formats::source::Source as _;

use super::super::document::{Node, yaml};
use super::super::intake::{Artifact, Checked, Grade, Intake};
use super::super::page::Page;
use super::super::run::without_credentials;
use super::super::{Found, Importer, Taken};
use super::record::{Dataset, Record, context};
use crate::io::{FileSource, sha256};
use crate::walk::{EntryKind, walk};

/// Files of one folder of parameters, tags or metrics.
const MAX_ENTRIES: usize = 10_000;
/// Bytes of a parameter or tag.
const MAX_VALUE: u64 = 1 << 20;
/// Words for the numbers under which the folder has a run's status.
const STATUS: [&str; 6] = ["UNKNOWN", "RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"];

/// The importer.
#[derive(Debug)]
pub struct MlflowFolder;

impl Importer for MlflowFolder {
    fn name(&self) -> &'static str {
        "mlflow"
    }

    fn reads(&self) -> &'static str {
        "runs in a folder mlruns, and on a server: parameters, metrics, datasets, commit, artifacts by digest"
    }

    fn takes(&self, file: &Found<'_>) -> Option<Taken> {
        let is_run = file.name == "meta.yaml" && file.has("artifact_uri:") && file.has("run_id:");
        is_run.then_some(Taken::File)
    }

    fn read(&self, path: &Path, intake: &mut Intake<'_>) {
        let Some((page, bytes)) = Page::open(self.name(), path, Voice::DerivedFromFile, intake) else { return };
        let record = match yaml(&String::from_utf8_lossy(&bytes)) {
            Ok(read) => read.root,
            Err(why) => return intake.remark(Grade::Unchecked, path, why),
        };
        let folder = path.parent().unwrap_or(Path::new("."));
        oddities(path, &Node::root(&record), intake);
        let record = read(folder, &Node::root(&record), intake);
        let mut run = record.run(page.source);
        let models = produced(folder, intake);
        for place in std::iter::once(folder.join("artifacts")).chain(models) {
            for (name, digest) in digested(&place, intake) {
                let digest = [("sha256", digest)].into_iter().collect();
                run.outputs.push(ResourceDescriptor { name: Some(name), digest, ..Default::default() });
            }
        }
        intake.take_run(&run);
    }
}

/// What keeps the record from telling all of the run.
fn oddities(path: &Path, root: &Node<'_>, intake: &mut Intake<'_>) {
    let is_elsewhere = |place: &&str| place.contains("://") && !place.starts_with("file://");
    if let Some(place) = root.text_of("artifact_uri").filter(is_elsewhere) {
        let text = format!("the run's artifacts are at '{}', and are not read", without_credentials(place));
        intake.remark(Grade::Unchecked, path, text);
    }
    if root.text_of("lifecycle_stage") == Some("deleted") {
        intake.remark(Grade::Note, path, "the run was deleted, and its record is still there");
    }
}

fn read(folder: &Path, root: &Node<'_>, intake: &mut Intake<'_>) -> Record {
    let text = |key: &str| root.get(key).and_then(|node| node.scalar()).unwrap_or_default();
    let number = |key: &str| root.get(key).and_then(|node| node.value().as_i64());
    let status = number("status").and_then(|status| STATUS.get(usize::try_from(status).ok()?));
    Record {
        id: text("run_id"),
        name: text("run_name"),
        experiment: text("experiment_id"),
        user: text("user_id"),
        status: status.copied().unwrap_or_default().to_owned(),
        started: number("start_time"),
        finished: number("end_time"),
        params: values(&folder.join("params"), intake, |text| text.trim_end_matches('\n').into()),
        tags: values(&folder.join("tags"), intake, |text| text.trim_end_matches('\n').into()),
        metrics: values(&folder.join("metrics"), intake, last_value),
        datasets: datasets(folder, intake),
    }
}

/// The last value of a metric; lines are `time value step`.
fn last_value(text: &str) -> Value {
    let value = text.lines().next_back().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
    value.parse::<serde_json::Number>().map_or_else(|_| value.into(), Value::Number)
}

/// Files of a folder, in order of name, links left out.
fn files(folder: &Path, intake: &mut Intake<'_>) -> Vec<PathBuf> {
    if !intake.has_folder(folder) {
        return Vec::new();
    }
    let Ok(listed) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<PathBuf> = listed
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file() || kind.is_dir()))
        .map(|entry| entry.path())
        .take(MAX_ENTRIES + 1)
        .collect();
    if found.len() > MAX_ENTRIES {
        found.pop();
        intake.remark(Grade::Unchecked, folder, format!("has more than {MAX_ENTRIES} entries; the rest was not read"));
    }
    found.sort();
    found
}

/// Values in files named after their keys; a key with a slash is a folder.
fn values(folder: &Path, intake: &mut Intake<'_>, value: fn(&str) -> Value) -> Map<String, Value> {
    let mut found = Map::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for path in files(&next, intake) {
            if path.is_dir() {
                if open.len() < MAX_ENTRIES && found.len() < MAX_ENTRIES {
                    open.push(path);
                }
                continue;
            }
            let key = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().into_owned();
            match crate::bounded::read(&path, MAX_VALUE) {
                Ok(bytes) => drop(found.insert(key, value(&String::from_utf8_lossy(&bytes)))),
                Err(error) => intake.remark(Grade::Unchecked, &path, format!("cannot be read: {error}")),
            }
        }
    }
    found
}

fn described(path: &Path, intake: &mut Intake<'_>) -> Option<Value> {
    if !intake.has_file(path) {
        return None;
    }
    let bytes = crate::bounded::read(path, MAX_VALUE).ok()?;
    match yaml(&String::from_utf8_lossy(&bytes)) {
        Ok(read) => Some(read.root),
        Err(why) => {
            intake.remark(Grade::Unchecked, path, why);
            None
        }
    }
}

/// Whether a text from a file is a name of one folder and leads nowhere else.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn datasets(folder: &Path, intake: &mut Intake<'_>) -> Vec<Dataset> {
    let mut list = Vec::new();
    for input in files(&folder.join("inputs"), intake) {
        let Some(link) = described(&input.join("meta.yaml"), intake) else { continue };
        let link = Node::root(&link);
        let Some(id) = link.text_of("source_id").filter(|id| is_name(id)) else { continue };
        if link.text_of("source_type") != Some("DATASET") {
            continue;
        }
        let place = folder.parent().unwrap_or(Path::new(".")).join("datasets").join(id).join("meta.yaml");
        let Some(dataset) = described(&place, intake) else {
            intake.remark(Grade::Unchecked, &place, "is named by a run and cannot be read");
            continue;
        };
        let root = Node::root(&dataset);
        let text = |key: &str| root.text_of(key).unwrap_or_default().to_owned();
        list.push(Dataset {
            name: text("name"),
            digest: text("digest"),
            kind: text("source_type"),
            source: text("source"),
            context: context(link.get("tags").as_ref()),
            place: intake.told(&place),
        });
    }
    list
}

/// Folders of models that the run made, which lie beside it since MLflow 3.
fn produced(folder: &Path, intake: &mut Intake<'_>) -> Vec<PathBuf> {
    let mut list = Vec::new();
    for output in files(&folder.join("outputs"), intake) {
        let Some(link) = described(&output.join("meta.yaml"), intake) else { continue };
        if let Some(id) = Node::root(&link).text_of("destination_id").filter(|id| is_name(id)) {
            list.push(folder.parent().unwrap_or(Path::new(".")).join("models").join(id).join("artifacts"));
        }
    }
    list
}

/// Every file below a folder, with its digest.
fn digested(folder: &Path, intake: &mut Intake<'_>) -> Vec<(String, Sha256Digest)> {
    if !intake.has_folder(folder) {
        return Vec::new();
    }
    let Ok(entries) = walk(&[folder.to_owned()], true) else { return Vec::new() };
    let mut list = Vec::new();
    for entry in entries {
        let EntryKind::File(opened) = &entry.kind else {
            intake.remark(Grade::Unchecked, &entry.path, "is no file that is read here");
            continue;
        };
        let source = FileSource::open(opened).ok();
        let Some((size, digest)) = source.and_then(|source| Some((source.len(), sha256(&source).ok()?))) else {
            intake.remark(Grade::Unchecked, &entry.path, "cannot be read");
            continue;
        };
        let name = intake.told(&entry.path);
        intake.artifact(Artifact { name: name.clone(), sha256: digest, size, checked: Checked::Unpinned });
        list.push((name, digest));
    }
    list
}
