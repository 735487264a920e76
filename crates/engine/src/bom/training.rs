//! How a model was made, where somebody recorded it: `provenance.yaml` beside it, and provenance that a ledger keeps.

use jiff::Timestamp;
use serde_json::Value;
use waag_evidence::statement::claims::Claim;
use waag_evidence::statement::provenance::{BuildType, Provenance, ROLE};
use waag_evidence::statement::{ResourceDescriptor, Statement};

use super::document::{Document, cut, shortened};
use super::files::Found;
use super::model::{Evidence, Method, Remark, Training};
use crate::import::document::Node;

/// Parameters of one run that are kept.
const MAX_PARAMETERS: usize = 200;
/// What went into one run that is kept.
const MAX_INPUTS: usize = 2_000;

/// Provenance that is kept elsewhere.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The statement, read from its envelope.
    pub statement: Statement,
    /// Where it is kept.
    pub location: String,
    /// Whether it bears a signature.
    pub signed: bool,
}

/// What `provenance.yaml` records.
pub(super) fn of_files(found: &[Found], claims: &[Claim], remarks: &mut Vec<Remark>) -> Vec<Training> {
    let is_record = |file: &&Found| {
        let name = file.path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        matches!(name.as_str(), "provenance.yaml" | "provenance.yml")
    };
    found.iter().filter(is_record).filter_map(|file| of_file(file, claims, remarks)).collect()
}

fn of_file(file: &Found, claims: &[Claim], remarks: &mut Vec<Remark>) -> Option<Training> {
    let document = Document::open(file, remarks)?;
    let root = document.root();
    let time = |keys: &[&str]| -> Option<Timestamp> { root.any(keys)?.text()?.parse().ok() };
    let own = claims.iter().filter(|claim| claim.source.location == file.path);
    let mut inputs: Vec<_> = own.map(|claim| input(claim.role.name(), &claim.object)).collect();
    cut(&mut inputs, MAX_INPUTS, "inputs", &file.path, remarks);
    let tuned = inputs.iter().any(|(role, ..)| role == "base-model");
    let kind = if tuned { BuildType::FineTune } else { BuildType::Train };
    let text = |key: &str| root.get(key).and_then(|node| node.scalar());
    let mut parameters = Vec::new();
    for key in ["training", "hyperparameters", "parameters"] {
        parameters.extend(root.get(key).iter().flat_map(scalars));
    }
    cut(&mut parameters, MAX_PARAMETERS, "parameters", &file.path, remarks);
    Some(Training {
        kind: kind.name().to_owned(),
        run: text("run_id").or_else(|| text("run")),
        builder: text("builder").or_else(|| text("author")),
        started: time(&["started", "started_at"]),
        finished: time(&["finished", "finished_at", "date", "created", "created_at", "timestamp"]),
        parameters,
        inputs,
        outputs: Vec::new(),
        evidence: Evidence::of(file.path.clone(), Method::Card),
        signed: false,
    })
}

fn scalars(node: &Node<'_>) -> Vec<(String, String)> {
    node.members().iter().filter_map(|(key, node)| Some(((*key).to_owned(), shortened(&node.scalar()?)))).collect()
}

fn input(role: &str, object: &ResourceDescriptor) -> (String, String, Option<String>) {
    let name = object.name.clone().or_else(|| object.uri.clone()).unwrap_or_default();
    let digest = object.digest.iter().next().map(|(algorithm, digits)| format!("{algorithm}:{digits}"));
    (role.to_owned(), name, digest)
}

/// What kept provenance says of files that are here.
pub(super) fn of_ledger(recorded: &[Recorded], found: &[Found], remarks: &mut Vec<Remark>) -> Vec<Training> {
    recorded.iter().filter_map(|one| of_statement(one, found, remarks)).collect()
}

fn of_statement(recorded: &Recorded, found: &[Found], remarks: &mut Vec<Remark>) -> Option<Training> {
    let subjects = recorded.statement.subject.iter().filter_map(|subject| subject.digest.get("sha256"));
    let here = |digest: &str| found.iter().find(|file| file.sha256.is_some_and(|own| own.to_string() == digest));
    let outputs: Vec<String> = subjects.filter_map(|digest| here(digest).map(|file| file.path.clone())).collect();
    if outputs.is_empty() {
        return None;
    }
    let read = serde_json::from_value::<Provenance>(recorded.statement.predicate.clone());
    let read = read.map_err(|why| remarks.push(Remark::gap(&recorded.location, why.to_string()))).ok()?;
    let definition = &read.build_definition;
    let kind = BuildType::ALL.into_iter().find(|kind| kind.uri() == definition.build_type);
    let metadata = read.run_details.metadata.unwrap_or_default();
    let dependencies = definition.resolved_dependencies.iter().map(|dependency| {
        input(dependency.annotations.get(ROLE).and_then(Value::as_str).unwrap_or("input"), dependency)
    });
    let (mut inputs, mut parameters) = (dependencies.collect(), parameters(&definition.external_parameters));
    cut(&mut inputs, MAX_INPUTS, "inputs", &recorded.location, remarks);
    cut(&mut parameters, MAX_PARAMETERS, "parameters", &recorded.location, remarks);
    Some(Training {
        kind: kind.map_or_else(|| definition.build_type.clone(), |kind| kind.name().to_owned()),
        run: metadata.invocation_id,
        builder: Some(read.run_details.builder.id).filter(|id| !id.is_empty()),
        started: metadata.started_on,
        finished: metadata.finished_on,
        parameters,
        inputs,
        outputs,
        evidence: Evidence::of(recorded.location.clone(), Method::Configuration),
        signed: recorded.signed,
    })
}

/// What the user chose: values one by one, of a mapping within it too.
fn parameters(value: &Value) -> Vec<(String, String)> {
    let root = Node::root(value);
    let mut list = scalars(&root);
    for (key, node) in root.members() {
        list.extend(scalars(&node).into_iter().map(|(inner, value)| (format!("{key}.{inner}"), value)));
    }
    list
}
