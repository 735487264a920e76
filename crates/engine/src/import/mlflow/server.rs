//! The part of MLflow's REST interface that is used: version 2.0 below `/api`.
//!
//! <https://mlflow.org/docs/latest/api_reference/rest-api.html>

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use waag_evidence::Sha256Digest;
use waag_evidence::manifest::is_inside;

use super::super::document::{self, Node};
use super::http::{Client, Credentials, HttpError, Query};
use super::target::Target;

/// Files of one run or model.
const MAX_FILES: usize = 20_000;
/// Folders within folders.
const MAX_DEPTH: usize = 32;
/// Bytes of one artifact.
const MAX_ARTIFACT: u64 = 1 << 40;
/// Bytes of evidence.
const MAX_EVIDENCE: u64 = 64 << 20;
/// The scheme of artifacts that the server hands out itself.
const PROXIED: &str = "mlflow-artifacts:";

/// Why something could not be read or written on a server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MlflowError {
    /// The server could not be asked, or refused.
    #[error("cannot {action}: {source}")]
    Http {
        /// What was being done.
        action: String,
        /// What went wrong.
        source: HttpError,
    },
    /// Artifacts that the server does not hand out.
    #[error("cannot read the artifacts at '{}': the server does not hand them out itself", crate::sanitize::sanitize(.0))]
    Elsewhere(String),
    /// More files than are read, or names that lead elsewhere.
    #[error("cannot read the artifacts at '{}': {}", crate::sanitize::sanitize(place), why)]
    Listing {
        /// Where they are.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// What was to be written back is no evidence.
    #[error("cannot write back '{}': {}", crate::sanitize::sanitize(name), crate::sanitize::sanitize(why))]
    Evidence {
        /// The file.
        name: String,
        /// What is wrong.
        why: String,
    },
}

impl MlflowError {
    pub(super) fn http(action: impl Into<String>) -> impl FnOnce(HttpError) -> Self {
        let action = crate::sanitize::sanitize(&action.into());
        move |source| Self::Http { action, source }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Http { source, .. } => source.hint(),
            Self::Elsewhere(_) => "start the server with --serve-artifacts, or bring the files and import their folder",
            Self::Listing { .. } => "look at the artifacts on the server: nobody should have stored them like this",
            Self::Evidence { .. } => {
                "give an envelope or a Sigstore bundle over an in-toto statement about these artifacts"
            }
        }
    }
}

/// A file on the server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RemoteFile {
    /// Its path below the place that was listed.
    pub(super) path: String,
    /// Its bytes, as they were received.
    pub(super) size: u64,
    pub(super) sha256: Sha256Digest,
}

/// A version of a registered model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ModelVersion {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) run: Option<String>,
    pub(super) tags: Vec<(String, String)>,
}

/// A server of MLflow.
#[derive(Debug)]
pub struct Server {
    pub(super) client: Client,
}

const API: [&str; 3] = ["api", "2.0", "mlflow"];
const ARTIFACTS: [&str; 4] = ["api", "2.0", "mlflow-artifacts", "artifacts"];

impl Server {
    /// A server at an address; nothing is asked yet.
    ///
    /// # Errors
    /// When the address is none.
    pub fn new(address: &str, credentials: Credentials) -> Result<Self, MlflowError> {
        let client = Client::new(address, credentials).map_err(MlflowError::http("ask the server"))?;
        Ok(Self { client })
    }

    fn ask(&self, call: &[&str], query: Query<'_>) -> Result<(Value, Vec<u8>), HttpError> {
        let path = [&API, call].concat();
        let bytes = self.client.get(&path, query)?;
        let read = document::json(&bytes).map_err(HttpError::Form)?;
        Ok((read.root, bytes))
    }

    /// The record of a run, and its bytes.
    pub(super) fn run(&self, id: &str) -> Result<(Value, Vec<u8>), MlflowError> {
        self.ask(&["runs", "get"], &[("run_id", id)]).map_err(MlflowError::http(format!("read the run '{id}'")))
    }

    /// The version that a target leads to now.
    pub(super) fn version(&self, target: &Target) -> Result<Option<ModelVersion>, MlflowError> {
        let answer = match target {
            Target::Run(_) => return Ok(None),
            Target::Alias { name, alias } => {
                self.ask(&["registered-models", "alias"], &[("name", name), ("alias", alias)])
            }
            Target::Version { name, version } => {
                self.ask(&["model-versions", "get"], &[("name", name), ("version", version)])
            }
        };
        let (answer, _) = answer.map_err(MlflowError::http(format!("resolve '{target}'")))?;
        let form = || MlflowError::http(format!("resolve '{target}'"))(HttpError::Form("it has no version".into()));
        Node::root(&answer).get("model_version").map(|node| model_version(&node)).map(Some).ok_or_else(form)
    }

    /// Other versions of a registered model.
    pub(super) fn versions(&self, name: &str) -> Result<Vec<ModelVersion>, MlflowError> {
        let filter = format!("name='{}'", name.replace('\'', "''"));
        let answer = self.ask(&["model-versions", "search"], &[("filter", &filter), ("max_results", "200")]);
        let (answer, _) = answer.map_err(MlflowError::http(format!("list the versions of '{name}'")))?;
        Ok(Node::root(&answer).list("model_versions").iter().map(model_version).collect())
    }

    /// Where the files of a version are, as the server resolves it.
    pub(super) fn place_of(&self, version: &ModelVersion) -> Result<String, MlflowError> {
        let ModelVersion { name, version, .. } = version;
        let answer = self.ask(&["model-versions", "get-download-uri"], &[("name", name), ("version", version)]);
        let (answer, _) = answer.map_err(MlflowError::http(format!("find the files of '{name}' version {version}")))?;
        Ok(Node::root(&answer).text_of("artifact_uri").unwrap_or_default().to_owned())
    }

    /// Where the files of a logged model are.
    pub(super) fn logged_model(&self, id: &str) -> Result<String, MlflowError> {
        let answer = self.ask(&["logged-models", id], &[]);
        let (answer, _) = answer.map_err(MlflowError::http(format!("read the model '{id}'")))?;
        let place =
            Node::root(&answer).at(&["model", "info", "artifact_uri"]).and_then(|node| node.text().map(str::to_owned));
        Ok(place.unwrap_or_default())
    }

    /// Reads and digests every file at a place, in order of path. `skip` names what is passed over.
    pub(super) fn files(
        &self,
        place: &str,
        skip: &dyn Fn(&str) -> bool,
        each: &mut dyn FnMut(&RemoteFile),
    ) -> Result<Vec<RemoteFile>, MlflowError> {
        let root = self.proxied(place)?;
        let listing = |why: &str| MlflowError::Listing { place: place.to_owned(), why: why.to_owned() };
        let mut found = Vec::new();
        let mut open = vec![(String::new(), 0usize)];
        while let Some((below, depth)) = open.pop() {
            if depth > MAX_DEPTH || open.len() + found.len() > MAX_FILES {
                return Err(listing("there are more files or folders within folders than are read"));
            }
            for (name, is_folder) in self.list(&root, &below)? {
                let path = if below.is_empty() { name } else { format!("{below}/{name}") };
                if !is_inside(&path) || path == "." {
                    return Err(listing("a name leads out of it"));
                }
                if skip(&path) {
                    continue;
                }
                match is_folder {
                    true => open.push((path, depth + 1)),
                    false => {
                        let file = self.digest(&root, path)?;
                        each(&file);
                        found.push(file);
                    }
                }
                if found.len() > MAX_FILES {
                    return Err(listing("there are more files than are read"));
                }
            }
        }
        found.sort();
        Ok(found)
    }

    /// The path below the server's own artifacts of an address.
    fn proxied(&self, place: &str) -> Result<String, MlflowError> {
        let elsewhere = || MlflowError::Elsewhere(place.to_owned());
        let rest = place.strip_prefix(PROXIED).ok_or_else(elsewhere)?;
        let path = match rest.strip_prefix("//") {
            Some(rest) => {
                let (host, path) = rest.split_once('/').ok_or_else(elsewhere)?;
                if !host.is_empty() && host != self.client.authority() {
                    return Err(elsewhere());
                }
                path
            }
            None => rest.trim_start_matches('/'),
        };
        let path = path.trim_end_matches('/');
        if is_inside(path) { Ok(path.to_owned()) } else { Err(elsewhere()) }
    }

    /// Names in a folder, and which are folders.
    fn list(&self, root: &str, below: &str) -> Result<Vec<(String, bool)>, MlflowError> {
        let path = if below.is_empty() { root.to_owned() } else { format!("{root}/{below}") };
        let bytes = self.client.get(&ARTIFACTS, &[("path", &path)]);
        let read = bytes.and_then(|bytes| document::json(&bytes).map_err(HttpError::Form));
        let read = read.map_err(MlflowError::http(format!("list the artifacts at '{path}'")))?;
        let entry = |node: &Node<'_>| {
            let name = node.text_of("path")?.to_owned();
            Some((name, node.get("is_dir").is_some_and(|is_dir| is_dir.value() == &Value::Bool(true))))
        };
        Ok(Node::root(&read.root).list("files").iter().filter_map(entry).collect())
    }

    fn digest(&self, root: &str, path: String) -> Result<RemoteFile, MlflowError> {
        let whole = format!("{root}/{path}");
        let mut hasher = Sha256::new();
        let parts: Vec<&str> = ARTIFACTS.into_iter().chain(whole.split('/')).collect();
        let size = self.client.stream(&parts, &[], MAX_ARTIFACT, &mut |piece| hasher.update(piece));
        let size = size.map_err(MlflowError::http(format!("read the artifact '{whole}'")))?;
        Ok(RemoteFile { path, size, sha256: Sha256Digest::new(hasher.finalize().into()) })
    }

    /// The bytes of a small artifact; none when it is not there.
    pub(super) fn small(&self, place: &str, path: &str) -> Result<Option<Vec<u8>>, MlflowError> {
        let whole = format!("{}/{path}", self.proxied(place)?);
        let parts: Vec<&str> = ARTIFACTS.into_iter().chain(whole.split('/')).collect();
        let mut bytes = Vec::new();
        match self.client.stream(&parts, &[], MAX_EVIDENCE, &mut |piece| bytes.extend_from_slice(piece)) {
            Ok(_) => Ok(Some(bytes)),
            // A server whose store has no such file says so with one code or the other.
            Err(HttpError::Status { status: 404 | 500, .. }) => Ok(None),
            Err(error) => Err(MlflowError::http(format!("read the artifact '{whole}'"))(error)),
        }
    }

    /// Stores an artifact.
    pub(super) fn store(&self, place: &str, path: &str, bytes: Vec<u8>) -> Result<(), MlflowError> {
        let whole = format!("{}/{path}", self.proxied(place)?);
        let parts: Vec<&str> = ARTIFACTS.into_iter().chain(whole.split('/')).collect();
        self.client.put(&parts, bytes).map_err(MlflowError::http(format!("store the artifact '{whole}'")))
    }

    /// Sets a tag on a run.
    pub(super) fn tag_run(&self, run: &str, key: &str, value: &str) -> Result<(), MlflowError> {
        let path = [&API[..], &["runs", "set-tag"]].concat();
        let body = json!({ "run_id": run, "key": key, "value": value });
        self.client.post(&path, &body).map_err(MlflowError::http(format!("set a tag on the run '{run}'")))
    }

    /// Sets a tag on a version.
    pub(super) fn tag_version(&self, model: &ModelVersion, key: &str, value: &str) -> Result<(), MlflowError> {
        let path = [&API[..], &["model-versions", "set-tag"]].concat();
        let body = json!({ "name": model.name, "version": model.version, "key": key, "value": value });
        let action = format!("set a tag on '{}' version {}", model.name, model.version);
        self.client.post(&path, &body).map_err(MlflowError::http(action))
    }
}

fn model_version(node: &Node<'_>) -> ModelVersion {
    let text = |key: &str| node.get(key).and_then(|value| value.scalar()).unwrap_or_default();
    let tag =
        |tag: &Node<'_>| Some((tag.text_of("key")?.to_owned(), tag.text_of("value").unwrap_or_default().to_owned()));
    ModelVersion {
        name: text("name"),
        version: text("version"),
        run: node.text_of("run_id").map(str::to_owned),
        tags: node.list("tags").iter().filter_map(tag).collect(),
    }
}
