//! A local datastore of Metaflow: `.metaflow/FLOW/RUN/STEP/TASK`, and blobs under the SHA-1 of what is in them.
//!
//! Metaflow itself never compares a blob with its name, and loads it as a pickle. Here every blob is decompressed, digested
//! and, where it is a pickle, followed by waag's own machine; nothing is loaded.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use sha1::{Digest as _, Sha1};
use waag_evidence::Decision;
use waag_evidence::Sha256Digest;
use waag_evidence::statement::ResourceDescriptor;
use waag_evidence::statement::claims::ClaimSource;
use waag_evidence::statement::role::Role;
use waag_formats::budget::Budget;
use waag_formats::child::{Child, Encoding};
use waag_formats::decode::decode;
use waag_formats::source::{Source, read_up_to};

use super::document::{self, Node};
use super::intake::{Artifact, Checked, Grade, Intake};
use super::run::{Run, of_milliseconds};
use super::{Found, Importer, Taken};
use crate::io::{FileSource, Spool, sha256};
use crate::scan::scan_source;

/// The folder of the datastore.
const FOLDER: &str = ".metaflow";
/// Bytes of a description.
const MAX_JSON: u64 = 16 << 20;
/// Entries of one folder.
const MAX_ENTRIES: usize = 100_000;
/// Types of values that are no artifacts.
const PLAIN: &[&str] = &[
    "<class 'int'>",
    "<class 'float'>",
    "<class 'str'>",
    "<class 'bool'>",
    "<class 'NoneType'>",
    "<class 'datetime'>",
];
/// Bytes digested at once.
const BLOCK: usize = 1 << 20;

/// The importer.
#[derive(Debug)]
pub(super) struct Metaflow;

impl Importer for Metaflow {
    fn name(&self) -> &'static str {
        "metaflow"
    }

    fn reads(&self) -> &'static str {
        "the local datastore .metaflow: runs, steps, artifacts; every blob digested, every pickle scanned"
    }

    fn takes(&self, file: &Found<'_>) -> Option<Taken> {
        let folder = file.path.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == FOLDER))?;
        Some(Taken::Folder { folder: folder.to_owned(), alone: true })
    }

    fn read(&self, folder: &Path, intake: &mut Intake<'_>) {
        for flow in folders(folder, intake) {
            let mut store = Store { blobs: flow.join("data"), known: BTreeMap::new() };
            for run in folders(&flow, intake).into_iter().filter(|run| !run.ends_with("data")) {
                if run.file_name().is_some_and(|name| name != "_meta") {
                    read_run(self.name(), &flow, &run, &mut store, intake);
                }
            }
            store.unnamed(intake);
        }
    }
}

/// Folders in a folder, in order; links do not count.
fn folders(folder: &Path, intake: &mut Intake<'_>) -> Vec<PathBuf> {
    let Ok(listed) = std::fs::read_dir(folder) else {
        intake.remark(Grade::Unchecked, folder, "cannot be listed");
        return Vec::new();
    };
    let mut found: Vec<PathBuf> = listed
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .take(MAX_ENTRIES + 1)
        .collect();
    if found.len() > MAX_ENTRIES {
        found.pop();
        intake.remark(Grade::Unchecked, folder, format!("has more than {MAX_ENTRIES} folders; the rest was not read"));
    }
    found.sort();
    found
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The bytes of a description; none when it is not there, or lies elsewhere.
fn bytes_of(path: &Path, intake: &Intake<'_>) -> Option<Vec<u8>> {
    if intake.has_file(path) { crate::bounded::read(path, MAX_JSON).ok() } else { None }
}

fn description(path: &Path, intake: &mut Intake<'_>) -> Option<Value> {
    let Some(bytes) = bytes_of(path, intake) else {
        if std::fs::symlink_metadata(path).is_ok() {
            let text =
                format!("was not read: it has more than {MAX_JSON} bytes, or a link leads out of what was given");
            intake.remark(Grade::Unchecked, path, text);
        }
        return None;
    };
    match document::json(&bytes) {
        Ok(read) => Some(read.root),
        Err(why) => {
            intake.remark(Grade::Unchecked, path, why);
            None
        }
    }
}

fn read_run(kind: &str, flow: &Path, folder: &Path, store: &mut Store, intake: &mut Intake<'_>) {
    let (flow, number) = (name_of(flow), name_of(folder));
    let own = folder.join("_meta/_self.json");
    let digest = bytes_of(&own, intake).and_then(|bytes| sha256(&bytes.as_slice()).ok());
    let source = ClaimSource { kind: kind.to_owned(), location: intake.told(&own), place: None, sha256: digest };
    let mut run = Run::new(source, format!("{flow}/{number}"));
    if let Some(record) = description(&own, intake) {
        let root = Node::root(&record);
        run.started = of_milliseconds(root.get("ts_epoch").and_then(|time| time.value().as_i64()));
        let tags = root.list("system_tags");
        let version = tags.iter().filter_map(Node::text).find_map(|tag| tag.strip_prefix("metaflow_version:"));
        run.version = version.map(|version| ("metaflow", version.to_owned())).into_iter().collect();
        run.internal =
            json!({ "user": root.text_of("user_name"), "tags": root.get("tags").map(|tags| tags.value().clone()) });
    }
    let mut steps: Map<String, Value> = Map::new();
    for step in folders(folder, intake).into_iter().filter(|step| !step.ends_with("_meta")) {
        for task in folders(&step, intake).into_iter().filter(|task| !task.ends_with("_meta")) {
            read_task(&task, &mut run, &mut steps, store, intake);
        }
    }
    run.external = json!({ "flow": flow, "steps": steps });
    intake.take_run(&run);
}

/// The last attempt of a task: its artifacts are what the run gave, its parameters what it was told.
fn read_task(task: &Path, run: &mut Run, steps: &mut Map<String, Value>, store: &mut Store, intake: &mut Intake<'_>) {
    let attempts = (0..100u32).rev().map(|attempt| task.join(format!("{attempt}.data.json")));
    let Some(path) = attempts.into_iter().find(|path| path.is_file()) else { return };
    let Some(record) = description(&path, intake) else { return };
    let root = Node::root(&record);
    let step = task.parent().map(name_of).unwrap_or_default();
    let mut values: Map<String, Value> = Map::new();
    for (name, node) in root.get("objects").map(|objects| objects.members()).unwrap_or_default() {
        let Some(digits) = node.text() else { continue };
        let info = root.at(&["info", name]);
        let is_pickle =
            info.as_ref().and_then(|info| info.text_of("encoding")).is_none_or(|how| how.contains("pickle"));
        let Some(blob) = store.blob(digits, name, is_pickle, intake) else { continue };
        // Names with an underscore are Metaflow's own.
        if name.starts_with('_') {
            continue;
        }
        let kind = info.as_ref().and_then(|info| info.text_of("type")).unwrap_or_default();
        values.insert(name.to_owned(), format!("sha1:{}", blob.sha1).into());
        // Every run that was told 7 has the same blob: nothing follows from that.
        if PLAIN.contains(&kind) {
            continue;
        }
        let mut resource = blob.resource(&format!("{}/{}/{name}", step, name_of(task)));
        if !kind.is_empty() {
            resource.annotations.insert("type".to_owned(), kind.into());
        }
        match step.as_str() {
            "_parameters" => {
                run.input(Role::Configuration, resource, format!("{}#{}", intake.told(&path), node.place()));
            }
            _ if !run.outputs.iter().any(|known| known.digest == resource.digest) => run.outputs.push(resource),
            _ => {}
        }
    }
    steps.insert(format!("{step}/{}", name_of(task)), Value::Object(values));
    metadata(task, run, store, intake);
}

/// What a task says beside its artifacts: the package of code, the image.
fn metadata(task: &Path, run: &mut Run, store: &mut Store, intake: &mut Intake<'_>) {
    let folder = task.join("_meta");
    let Ok(listed) = std::fs::read_dir(&folder) else { return };
    let mut paths: Vec<PathBuf> = listed.flatten().map(|entry| entry.path()).take(MAX_ENTRIES).collect();
    paths.sort();
    for path in paths.into_iter().filter(|path| name_of(path).starts_with("sysmeta_code-package")) {
        let Some(record) = description(&path, intake) else { continue };
        // The value is JSON within JSON.
        let Some(inner) = Node::root(&record).text_of("value").and_then(|text| document::json(text.as_bytes()).ok())
        else {
            continue;
        };
        let Some(digits) = Node::root(&inner.root).text_of("sha").map(str::to_owned) else { continue };
        let place = intake.told(&path);
        let resource = match store.blob(&digits, "code package", false, intake) {
            Some(blob) => blob.resource("code package"),
            None => ResourceDescriptor {
                name: Some("code package".to_owned()),
                digest: [("sha1", digits)].into_iter().collect(),
                ..ResourceDescriptor::default()
            },
        };
        if !run.inputs.iter().any(|input| input.what.digest == resource.digest) {
            run.input(Role::Code, resource, place);
        }
    }
}

/// A blob whose bytes were read.
#[derive(Debug, Clone)]
struct Blob {
    sha1: String,
    sha256: Sha256Digest,
}

impl Blob {
    fn resource(&self, name: &str) -> ResourceDescriptor {
        let digests = [("sha1", self.sha1.clone()), ("sha256", self.sha256.to_string())];
        ResourceDescriptor { name: Some(name.to_owned()), digest: digests.into_iter().collect(), ..Default::default() }
    }
}

/// Blobs of one flow. Each is read once.
struct Store {
    blobs: PathBuf,
    known: BTreeMap<String, Option<Blob>>,
}

impl Store {
    /// A blob by its name; none when it is not there or not what its name says.
    fn blob(&mut self, digits: &str, name: &str, is_pickle: bool, intake: &mut Intake<'_>) -> Option<Blob> {
        if digits.len() != 40 || !digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            intake.remark(Grade::Unchecked, &self.blobs, format!("'{digits}' is no name of a blob"));
            return None;
        }
        if let Some(known) = self.known.get(digits) {
            return known.clone();
        }
        let path = self.blobs.join(&digits[..2]).join(digits);
        let blob = read_blob(&path, digits, name, is_pickle, intake);
        self.known.insert(digits.to_owned(), blob.clone());
        blob
    }

    /// Blobs that no task names are read too: whoever takes them by name loads them.
    fn unnamed(&mut self, intake: &mut Intake<'_>) {
        let mut names = BTreeSet::new();
        if self.blobs.is_dir() {
            for folder in folders(&self.blobs.clone(), intake) {
                let listed = std::fs::read_dir(&folder).into_iter().flatten().flatten().take(MAX_ENTRIES);
                names.extend(listed.map(|entry| entry.file_name().to_string_lossy().into_owned()));
            }
        }
        for name in names.into_iter().filter(|name| name.len() == 40) {
            self.blob(&name, "a blob that no task names", false, intake);
        }
    }
}

/// Reads a blob: what it holds, its digests, and what its pickle would do.
fn read_blob(path: &Path, digits: &str, name: &str, is_pickle: bool, intake: &mut Intake<'_>) -> Option<Blob> {
    if !intake.has_file(path) {
        intake.remark(Grade::Unchecked, path, format!("'{name}' cannot be read: it is not there"));
        return None;
    }
    let source = match FileSource::open(path) {
        Ok(source) => source,
        Err(error) => {
            intake.remark(Grade::Unchecked, path, format!("'{name}' cannot be read: {error}"));
            return None;
        }
    };
    let content = match content(&source, path, intake) {
        Ok(content) => content,
        Err(why) => {
            intake.remark(Grade::Wrong, path, format!("'{name}' is damaged: {why}"));
            return None;
        }
    };
    let sha256 = sha256(&*content).ok()?;
    let found = sha1_of(&*content)?;
    let checked = match found == digits {
        true => Checked::Agrees { algorithm: "sha1".to_owned() },
        false => Checked::Differs { expected: format!("sha1:{digits}"), found: format!("sha1:{found}") },
    };
    let agrees = found == digits;
    intake.artifact(Artifact { name: format!("{} ({name})", intake.told(path)), sha256, size: content.len(), checked });
    let named = if is_pickle { format!("{name}.pkl") } else { "blob".to_owned() };
    scan(&*content, path, &named, intake);
    agrees.then_some(Blob { sha1: found, sha256 })
}

/// What a blob holds: decompressed, unless its description says that it is stored as it is.
fn content(source: &FileSource, path: &Path, intake: &mut Intake<'_>) -> Result<Box<dyn Source>, String> {
    let described = path.with_file_name(format!("{}_meta", name_of(path)));
    let is_raw = described.is_file()
        && description(&described, intake).is_some_and(|record| {
            Node::root(&record).get("cas_raw").is_some_and(|raw| raw.value() == &Value::Bool(true))
        });
    let mut spool = Spool::default();
    let mut child = Child::stored("blob", 0, source.len());
    child.encoding = if is_raw { Encoding::Stored } else { Encoding::Gzip };
    let budget = Budget::for_size(source.len());
    let decoded = decode(source, &child, &budget, &mut spool).map_err(|error| error.to_string())?;
    if !decoded.checksum_ok || decoded.trailing > 0 {
        return Err("its checksum is wrong, or something follows it".to_owned());
    }
    Ok(Box::new(spool))
}

fn sha1_of(source: &dyn Source) -> Option<String> {
    let mut hasher = Sha1::new();
    let mut at = 0;
    while at < source.len() {
        let block = read_up_to(source, at, BLOCK);
        if block.is_empty() {
            return None;
        }
        hasher.update(&block);
        at += block.len() as u64;
    }
    Some(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// What loading a blob would do, told by the rules of a scan.
fn scan(content: &dyn Source, path: &Path, name: &str, intake: &mut Intake<'_>) {
    let report = scan_source(name, content);
    let grade = match report.verdict.decision {
        Decision::Allow => return,
        Decision::Deny => Grade::Wrong,
        Decision::Inconclusive => Grade::Unchecked,
    };
    for finding in report.findings.iter().take(10) {
        intake.remark(grade, path, format!("'{name}': {}: {}", finding.rule, finding.message));
    }
}
