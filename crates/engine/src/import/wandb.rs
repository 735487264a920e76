//! A run of Weights & Biases as it lies on disk: `wandb/run-…` or `wandb/offline-run-…`, read without a server.

use std::path::Path;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use waag_evidence::statement::ResourceDescriptor;
use waag_evidence::statement::claims::ClaimSource;
use waag_evidence::statement::role::Role;
use waag_formats::budget::Budget;
use waag_formats::source::Source as _;
use waag_formats::wandb::{self, Environment, Pair, Record};
use waag_signing::encoding::{of_base64, to_hex};

use super::checked::Pinned;
use super::document;
use super::identity::Kind;
use super::intake::{Grade, Intake};
use super::run::{Run, commit, without_credentials};
use super::{Found, Importer, Taken};
use crate::io::{FileSource, sha256};
use crate::pins::PinAlgorithm;

/// Keys of a run's configuration that name the model it began with.
const BASE_MODEL: &[&str] = &["base_model", "model_name_or_path", "pretrained_model_name_or_path", "_name_or_path"];
/// Keys that name data.
const DATASET: &[&str] = &["dataset", "dataset_name", "train_dataset", "training_data"];
/// Kinds of artifact that are data.
const DATA: &[&str] = &["dataset", "data"];
/// Bytes of the list of packages that is read.
const MAX_REQUIREMENTS: u64 = 4 << 20;

/// The importer.
#[derive(Debug)]
pub(super) struct Wandb;

impl Importer for Wandb {
    fn name(&self) -> &'static str {
        "wandb"
    }

    fn reads(&self) -> &'static str {
        "folders of runs with run-ID.wandb: configuration, artifacts by digest, commit, packages"
    }

    fn takes(&self, file: &Found<'_>) -> Option<Taken> {
        let is_log = file.has_ending(&[".wandb"]) && wandb::is_log(file.head);
        is_log.then_some(Taken::File)
    }

    fn read(&self, path: &Path, intake: &mut Intake<'_>) {
        let opened = FileSource::open(path).map_err(|error| error.to_string());
        let digested = opened.and_then(|log| {
            let digest = sha256(&log).map_err(|error| error.to_string())?;
            Ok((log, digest))
        });
        let (log, digest) = match digested {
            Ok(read) => read,
            Err(why) => return intake.remark(Grade::Unchecked, path, format!("cannot be read: {why}")),
        };
        let source = ClaimSource {
            kind: self.name().to_owned(),
            location: intake.told(path),
            place: None,
            sha256: Some(digest),
        };
        let mut reading = Reading::new(source);
        let budget = Budget::for_size(log.len());
        let outcome = wandb::read(&log, &budget, &mut |offset, record| reading.take(offset, record));
        for damage in outcome.damage {
            let text = format!("{} @ {:#x}", damage.what, damage.offset);
            intake.remark(Grade::Unchecked, path, text);
        }
        reading.finish(path, intake);
    }
}

/// A run while its record is read.
struct Reading {
    run: Run,
    config: Map<String, Value>,
    results: Map<String, Value>,
    artifacts: Vec<(u64, wandb::Artifact)>,
    internal: Map<String, Value>,
    exit: Option<i32>,
    code: Option<String>,
}

impl Reading {
    fn new(source: ClaimSource) -> Self {
        Self {
            run: Run::new(source, ""),
            config: Map::new(),
            results: Map::new(),
            artifacts: Vec::new(),
            internal: Map::new(),
            exit: None,
            code: None,
        }
    }

    fn take(&mut self, offset: u64, record: Record) {
        match record {
            Record::Producer(version) => self.run.version = vec![("wandb", version)],
            Record::Run(run) => {
                self.run.id = run.id;
                self.run.started = Timestamp::from_second(run.started).ok().filter(|_| run.started > 0);
                keep(&mut self.config, &run.config);
                for (key, value) in [("project", run.project), ("entity", run.entity), ("name", run.name)] {
                    if !value.is_empty() {
                        self.internal.insert(key.to_owned(), value.into());
                    }
                }
                self.commit(offset, &run.git);
            }
            Record::Config(pairs) => keep(&mut self.config, &pairs),
            Record::Summary(pairs) => keep(&mut self.results, &pairs),
            Record::Environment(environment) => self.environment(offset, *environment),
            Record::Artifact(artifact) => self.artifacts.push((offset, *artifact)),
            Record::Used(used) => {
                let role = if DATA.contains(&used.kind.as_str()) { Role::Dataset } else { used_role(&used.kind) };
                let mut what = ResourceDescriptor { name: Some(used.name), ..ResourceDescriptor::default() };
                what.annotations.insert("id".to_owned(), used.id.into());
                self.run.input(role, what, place(offset));
            }
            Record::Exit(code) => self.exit = Some(code),
        }
    }

    fn commit(&mut self, offset: u64, git: &wandb::Git) {
        let has_one = self.run.inputs.iter().any(|input| input.role == Role::Code);
        if let Some(what) = commit(&git.commit, Some(&git.remote)).filter(|_| !has_one) {
            self.run.input(Role::Code, what, place(offset));
        }
    }

    fn environment(&mut self, offset: u64, environment: Environment) {
        self.commit(offset, &environment.git);
        let Environment { os, python, docker, arguments, code, gpu, cuda, .. } = environment;
        for (key, value) in [("os", os), ("python", python), ("gpu", gpu), ("cuda", cuda)] {
            if !value.is_empty() {
                self.internal.insert(key.to_owned(), value.into());
            }
        }
        if !docker.is_empty() {
            let what = ResourceDescriptor { name: Some(docker), ..ResourceDescriptor::default() };
            self.run.input(Role::Environment, what, place(offset));
        }
        if !arguments.is_empty() {
            self.internal.insert("arguments".to_owned(), arguments.into());
        }
        self.code = self.code.take().or(Some(code).filter(|code| !code.is_empty()));
    }

    fn finish(mut self, path: &Path, intake: &mut Intake<'_>) {
        match self.exit {
            None => intake.remark(Grade::Note, path, "the record does not say that the run has ended"),
            Some(0) => {}
            Some(code) => intake.remark(Grade::Note, path, format!("the run ended with code {code}")),
        }
        self.config.remove("_wandb");
        named(&self.config, BASE_MODEL, Role::BaseModel, Kind::Model, &mut self.run);
        named(&self.config, DATASET, Role::Dataset, Kind::Dataset, &mut self.run);
        for (offset, artifact) in std::mem::take(&mut self.artifacts) {
            self.artifact(offset, &artifact, path, intake);
        }
        if let Some(environment) = requirements(path, intake) {
            self.run.input(Role::Environment, environment, "files/requirements.txt");
        }
        self.run.external = json!({ "config": self.config, "script": self.code });
        self.run.internal = Value::Object(self.internal);
        let results = self.results.into_iter().filter(|(key, _)| !key.starts_with('_')).collect();
        let annotations = [("results".to_owned(), Value::Object(results))].into_iter().collect();
        self.run.byproducts.push(ResourceDescriptor {
            name: Some("results".into()),
            annotations,
            ..Default::default()
        });
        intake.take_run(&self.run);
    }

    /// An artifact that the run logged: data is what it worked with, everything else is what came out.
    fn artifact(&mut self, offset: u64, artifact: &wandb::Artifact, path: &Path, intake: &mut Intake<'_>) {
        let is_data = DATA.contains(&artifact.kind.as_str());
        if artifact.is_partial {
            let text = format!("only part of the list of files of '{}' is in the record", artifact.name);
            intake.remark(Grade::Unchecked, path, text);
        }
        for file in &artifact.files {
            let mut resource = resource(file, intake);
            resource.annotations.insert("artifact".to_owned(), artifact.name.clone().into());
            resource.annotations.insert("kind".to_owned(), artifact.kind.clone().into());
            match is_data {
                true => self.run.input(Role::Dataset, resource, place(offset)),
                false => self.run.outputs.push(resource),
            }
        }
    }
}

fn used_role(kind: &str) -> Role {
    match kind {
        "model" => Role::BaseModel,
        "code" | "job" => Role::Code,
        _ => Role::Input,
    }
}

fn place(offset: u64) -> String {
    format!("record @ {offset:#x}")
}

/// Keeps values, which are JSON. What cannot be read stays text.
fn keep(into: &mut Map<String, Value>, pairs: &[Pair]) {
    for pair in pairs {
        let value = document::json(pair.value.as_bytes()).map_or_else(|_| pair.value.clone().into(), |read| read.root);
        into.insert(pair.key.clone(), value);
    }
}

/// Models and data that the configuration names.
fn named(config: &Map<String, Value>, keys: &[&str], role: Role, kind: Kind, run: &mut Run) {
    for key in keys {
        if let Some(name) = config.get(*key).and_then(Value::as_str) {
            run.named(role, kind, name, format!("config.{key}"));
        }
    }
}

/// A file by its MD5, which is checked where a file of this path lies below what is imported.
fn resource(file: &wandb::File, intake: &mut Intake<'_>) -> ResourceDescriptor {
    let md5 = of_base64(&file.digest).filter(|bytes| bytes.len() == 16).map(|bytes| to_hex(&bytes));
    let root = intake.root().to_owned();
    let root = if root.is_dir() { root } else { root.parent().unwrap_or(Path::new(".")).to_owned() };
    let digest = md5.as_deref().map(|digits| (PinAlgorithm::Md5, digits));
    let pinned = Pinned { path: &file.path, folder: &root, digest };
    let mut resource = if pinned.is_another(intake) {
        // The run may have had another file of this name somewhere else.
        let text = "has other bytes than the run recorded under this name, so that it is not what the run had";
        intake.remark(Grade::Note, &root.join(&file.path), text);
        let digest = md5.iter().map(|digits| ("md5".to_owned(), digits.clone())).collect();
        ResourceDescriptor { name: Some(file.path.clone()), digest, ..ResourceDescriptor::default() }
    } else {
        pinned.resource(intake)
    };
    if !file.reference.is_empty() {
        resource.uri = Some(without_credentials(&file.reference));
    }
    resource
}

/// The list of packages beside the record.
fn requirements(log: &Path, intake: &mut Intake<'_>) -> Option<ResourceDescriptor> {
    let path = log.parent()?.join("files/requirements.txt");
    if !intake.has_file(&path) {
        return None;
    }
    let bytes = crate::bounded::read(&path, MAX_REQUIREMENTS).ok()?;
    let digest = sha256(&bytes.as_slice()).ok()?;
    let packages = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
    let annotations = [("packages".to_owned(), Value::from(packages))].into_iter().collect();
    let digest = [("sha256", digest)].into_iter().collect();
    Some(ResourceDescriptor { name: Some(intake.told(&path)), digest, annotations, ..Default::default() })
}
