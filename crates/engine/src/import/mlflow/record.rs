//! A run of MLflow, whether it was read from a folder or from a server.

use serde_json::{Map, Value, json};
use waag_evidence::statement::ResourceDescriptor;
use waag_evidence::statement::claims::ClaimSource;
use waag_evidence::statement::role::Role;

use super::super::document::{self, Node};
use super::super::identity::Kind;
use super::super::run::{Run, commit, of_milliseconds};

/// Parameters that name the model a run began with.
const BASE_MODEL: &[&str] = &["base_model", "model_name_or_path", "pretrained_model_name_or_path", "_name_or_path"];
/// The tag under which MLflow says what a dataset was for.
const CONTEXT: &str = "mlflow.data.context";

/// A dataset that went in. Its digest is a short text that the client made: no digest of bytes.
#[derive(Debug, Clone, Default)]
pub(super) struct Dataset {
    pub(super) name: String,
    pub(super) digest: String,
    pub(super) kind: String,
    /// JSON, often `{"uri": …}`.
    pub(super) source: String,
    pub(super) context: String,
    pub(super) place: String,
}

/// A run.
#[derive(Debug, Clone, Default)]
pub(super) struct Record {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) experiment: String,
    pub(super) user: String,
    pub(super) status: String,
    pub(super) started: Option<i64>,
    pub(super) finished: Option<i64>,
    pub(super) params: Map<String, Value>,
    pub(super) tags: Map<String, Value>,
    pub(super) metrics: Map<String, Value>,
    pub(super) datasets: Vec<Dataset>,
}

impl Record {
    fn tag(&self, key: &str) -> Option<&str> {
        self.tags.get(key).and_then(Value::as_str).filter(|value| !value.is_empty())
    }

    /// The run, without what came out of it.
    pub(super) fn run(&self, source: ClaimSource) -> Run {
        let mut run = Run::new(source, self.id.clone());
        run.started = of_milliseconds(self.started);
        run.finished = of_milliseconds(self.finished);
        run.external = json!({ "parameters": self.params, "script": self.tag("mlflow.source.name") });
        let own = |(key, _): &(&String, &Value)| !key.starts_with("mlflow.");
        let tags: Map<String, Value> =
            self.tags.iter().filter(own).map(|(key, value)| (key.clone(), value.clone())).collect();
        run.internal = json!({
            "experiment": self.experiment, "name": self.name, "user": self.user, "status": self.status, "tags": tags,
        });
        self.inputs(&mut run);
        if !self.metrics.is_empty() {
            let annotations = [("results".to_owned(), Value::Object(self.metrics.clone()))].into_iter().collect();
            let results = ResourceDescriptor { name: Some("metrics".to_owned()), annotations, ..Default::default() };
            run.byproducts.push(results);
        }
        run
    }

    fn inputs(&self, run: &mut Run) {
        if let Some(hash) = self.tag("mlflow.source.git.commit")
            && let Some(what) = commit(hash, self.tag("mlflow.source.git.repoURL"))
        {
            run.input(Role::Code, what, "tags/mlflow.source.git.commit");
        }
        for key in BASE_MODEL {
            if let Some(name) = self.params.get(*key).and_then(Value::as_str) {
                run.named(Role::BaseModel, Kind::Model, name, format!("params/{key}"));
            }
        }
        for dataset in &self.datasets {
            let is_test = ["eval", "evaluation", "test", "testing", "validation"].contains(&dataset.context.as_str());
            let role = if is_test { Role::EvaluationDataset } else { Role::Dataset };
            run.input(role, dataset.resource(), dataset.place.clone());
        }
    }
}

impl Dataset {
    fn resource(&self) -> ResourceDescriptor {
        let source = document::json(self.source.as_bytes()).ok().map(|read| read.root);
        let address = source.as_ref().and_then(|source| {
            let root = Node::root(source);
            let found = root.any(&["uri", "url", "path"]).and_then(|node| node.text());
            found.map(str::to_owned)
        });
        let mut resource = match address.as_deref() {
            Some(address) if address.contains("://") => {
                ResourceDescriptor { uri: Some(address.to_owned()), ..ResourceDescriptor::default() }
            }
            _ => ResourceDescriptor::default(),
        };
        resource.name = Some(self.name.clone()).filter(|name| !name.is_empty()).or(address);
        for (key, value) in [("mlflowDigest", &self.digest), ("context", &self.context), ("sourceType", &self.kind)] {
            if !value.is_empty() {
                resource.annotations.insert(key.to_owned(), value.clone().into());
            }
        }
        resource
    }
}

/// The context among the tags of an input: a list of keys and values, or a mapping.
pub(super) fn context(tags: Option<&Node<'_>>) -> String {
    let Some(tags) = tags else { return String::new() };
    if let Some(text) = tags.text_of(CONTEXT) {
        return text.to_owned();
    }
    let items = tags.items();
    let found = items.iter().find(|tag| tag.text_of("key") == Some(CONTEXT));
    found.and_then(|tag| tag.text_of("value")).unwrap_or_default().to_owned()
}
