//! A run or a registered model, imported from a server.

use std::path::Path;

use serde_json::{Map, Value};
use waag_evidence::statement::ResourceDescriptor;
use waag_evidence::statement::claims::{ClaimSource, Voice};
use waag_evidence::statement::role::Role;
use waag_signing::model_statement::NAMES_DIGEST;

use super::super::document::Node;
use super::super::intake::{Artifact, Checked, Grade, Imported, Intake};
use super::super::page::Page;
use super::record::{Dataset, Record, context};
use super::registry::{Resolved, resolve, roots};
use super::server::{MlflowError, ModelVersion, Server};
use super::target::Target;
use crate::io::sha256;
use crate::scan::Progress;

/// Reads a run or model: its record, and every artifact, which is digested as it arrives and kept nowhere.
///
/// # Errors
/// When the server cannot be asked, refuses, or has no such thing.
pub fn import_remote(server: &Server, target: &Target, progress: &dyn Progress) -> Result<Imported, MlflowError> {
    let resolved = resolve(server, target, progress)?;
    let mut intake = Intake::new(Path::new(""), progress);
    for error in &resolved.unread {
        intake.remark_at(Grade::Unchecked, target.to_string(), error.to_string());
    }
    let mut outputs = Vec::new();
    for (place, files) in &resolved.places {
        let name = place.rsplit('/').next().unwrap_or(place);
        for file in files {
            let told = format!("{name}/{}", file.path);
            let artifact =
                Artifact { name: told.clone(), sha256: file.sha256, size: file.size, checked: Checked::Unpinned };
            intake.artifact(artifact);
            let digest = [("sha256", file.sha256)].into_iter().collect();
            outputs.push(ResourceDescriptor { name: Some(told), digest, ..ResourceDescriptor::default() });
        }
    }
    if let Some((id, record, bytes)) = &resolved.run {
        let location = format!("{}/api/2.0/mlflow/runs/get?run_id={id}", server.client.address());
        let digest = sha256(&bytes.as_slice()).ok();
        let source = ClaimSource { kind: "mlflow".to_owned(), location, place: None, sha256: digest };
        let mut run = read(&Node::root(record)).run(source);
        run.outputs = outputs;
        intake.take_run(&run);
    }
    if let Some(version) = &resolved.version {
        registered(server, target, version, &resolved, &mut intake);
    }
    Ok(intake.finish())
}

/// What the registry says of a version: which run made it, and what it is called.
fn registered(server: &Server, target: &Target, version: &ModelVersion, resolved: &Resolved, intake: &mut Intake<'_>) {
    let location = format!("{}/#/models/{}/versions/{}", server.client.address(), version.name, version.version);
    let mut page = Page::at("mlflow", location, Voice::SelfDeclared);
    for (place, files) in &resolved.places {
        let Some((root, names)) = roots(&version.name, files) else { continue };
        let digest = [("sha256", root), (NAMES_DIGEST, names)].into_iter().collect();
        let uri = Some(format!("models:/{}/{}", version.name, version.version));
        let model = ResourceDescriptor { name: Some(version.name.clone()), uri, digest, ..Default::default() };
        for file in files {
            let digest = [("sha256", file.sha256)].into_iter().collect();
            let part = ResourceDescriptor { name: Some(file.path.clone()), digest, ..ResourceDescriptor::default() };
            page.claim(&part, Role::PartOf, model.clone(), place.as_str());
        }
        if let Some(run) = &version.run {
            let uri = Some(format!("runs:/{run}"));
            page.claim(&model, Role::Run, ResourceDescriptor { uri, ..ResourceDescriptor::default() }, "/run_id");
        }
        if let Target::Alias { alias, .. } = target {
            let text =
                format!("the alias '{alias}' leads to version {} now, and may lead elsewhere later", version.version);
            page.remark(Grade::Note, text);
        }
    }
    intake.take(page);
}

/// The record as the server gives it: lists of keys and values.
fn read(answer: &Node<'_>) -> Record {
    let run = answer.get("run");
    let of = |section: &str, key: &str| {
        let node = run.as_ref()?.at(&[section, key])?;
        node.scalar()
    };
    let number = |key: &str| run.as_ref().and_then(|run| run.at(&["info", key])?.value().as_i64());
    let text = |key: &str| of("info", key).unwrap_or_default();
    let data = run.as_ref().and_then(|run| run.get("data"));
    let pairs = |key: &str| {
        let entries = data.as_ref().map(|data| data.list(key)).unwrap_or_default();
        let pair = |entry: &Node<'_>| {
            let value = entry.get("value").map_or(Value::from(""), |value| value.value().clone());
            Some((entry.text_of("key")?.to_owned(), value))
        };
        entries.iter().filter_map(pair).collect::<Map<String, Value>>()
    };
    let inputs = run.as_ref().and_then(|run| run.at(&["inputs", "dataset_inputs"])).map(|list| list.items());
    Record {
        id: text("run_id"),
        name: text("run_name"),
        experiment: text("experiment_id"),
        user: text("user_id"),
        status: text("status"),
        started: number("start_time"),
        finished: number("end_time"),
        params: pairs("params"),
        tags: pairs("tags"),
        metrics: pairs("metrics"),
        datasets: inputs.unwrap_or_default().iter().filter_map(dataset).collect(),
    }
}

fn dataset(input: &Node<'_>) -> Option<Dataset> {
    let dataset = input.get("dataset")?;
    let text = |key: &str| dataset.text_of(key).unwrap_or_default().to_owned();
    Some(Dataset {
        name: text("name"),
        digest: text("digest"),
        kind: text("source_type"),
        source: text("source"),
        context: context(input.get("tags").as_ref()),
        place: dataset.place().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The answer of MLflow 3.17.2 to `runs/get`, from a recorded exchange.
    const ANSWER: &str = include_str!("../../../tests/import/mlflow-run.json");

    #[test]
    fn a_run_is_read_as_the_server_gives_it() {
        let answer: Value = serde_json::from_str(ANSWER).unwrap();
        let record = read(&Node::root(&answer));
        assert_eq!((record.id.as_str(), record.status.as_str()), ("b6035e0202d44d6496fc1a7f77dfbf5a", "FINISHED"));
        assert_eq!(record.params.get("random_state"), Some(&Value::from("7")));
        assert_eq!(record.metrics.get("acc"), Some(&Value::from(1.0)));
        assert_eq!((record.datasets[0].name.as_str(), record.datasets[0].context.as_str()), ("iris", "training"));
        let run = record.run(ClaimSource::default());
        let roles: Vec<Role> = run.inputs.iter().map(|input| input.role).collect();
        assert_eq!(roles, [Role::Code, Role::Dataset]);
        assert_eq!(run.inputs[1].what.annotations.get("mlflowDigest"), Some(&Value::from("abcd1234")));
        assert!(run.inputs[1].what.digest.is_empty(), "what a client makes up is no digest of bytes");
    }
}
