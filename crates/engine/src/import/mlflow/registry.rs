//! What a target leads to: the version, its run, where its files are, and what they are by digest.

use serde_json::Value;
use waag_evidence::Sha256Digest;
use waag_evidence::manifest::{Digest, HashAlgorithm, Manifest, Method, Resource, Serialization, names_root};

use super::super::document::Node;
use super::evidence::is_evidence;
use super::server::{MlflowError, ModelVersion, RemoteFile, Server};
use super::target::Target;
use crate::scan::Progress;

/// A target, resolved.
#[derive(Debug)]
pub(super) struct Resolved {
    pub(super) version: Option<ModelVersion>,
    /// The run, and the record that the server gave.
    pub(super) run: Option<(String, Value, Vec<u8>)>,
    /// Where evidence is kept: among the artifacts of the run.
    pub(super) run_place: Option<String>,
    /// Places of files, with the files at each.
    pub(super) places: Vec<(String, Vec<RemoteFile>)>,
    /// Places that could not be read.
    pub(super) unread: Vec<MlflowError>,
}

impl Resolved {
    /// All files, named below the place they are at.
    pub(super) fn files(&self) -> impl Iterator<Item = &RemoteFile> {
        self.places.iter().flat_map(|(_, files)| files)
    }
}

/// Resolves a target and reads its files. Evidence among them, which lies
/// where [`path_of`](super::evidence::path_of) says and nowhere else, is passed over: it is about the others.
pub(super) fn resolve(server: &Server, target: &Target, progress: &dyn Progress) -> Result<Resolved, MlflowError> {
    let version = server.version(target)?;
    let id = match target {
        Target::Run(id) => Some(id.clone()),
        _ => version.as_ref().and_then(|version| version.run.clone()),
    };
    let run = match id {
        Some(id) => {
            let (record, bytes) = server.run(&id)?;
            Some((id, record, bytes))
        }
        None => None,
    };
    let run_place = run
        .as_ref()
        .and_then(|(_, record, _)| Some(Node::root(record).at(&["run", "info", "artifact_uri"])?.text()?.to_owned()));
    let mut resolved = Resolved { version, run, run_place, places: Vec::new(), unread: Vec::new() };
    for place in places(server, &mut resolved)? {
        let is_own = resolved.run_place.as_deref() == Some(place.as_str());
        let skip = |path: &str| is_own && is_evidence(path);
        match server.files(&place, &skip, &mut |file| progress.advance(file.size, &file.path)) {
            Ok(files) => resolved.places.push((place, files)),
            Err(error @ MlflowError::Elsewhere(_)) => resolved.unread.push(error),
            Err(error) => return Err(error),
        }
    }
    Ok(resolved)
}

/// Where the files are: of a version, its source as the server resolves it; of a run, its artifacts and the models that it logged.
fn places(server: &Server, resolved: &mut Resolved) -> Result<Vec<String>, MlflowError> {
    if let Some(version) = &resolved.version {
        return Ok(vec![server.place_of(version)?]);
    }
    let mut list: Vec<String> = resolved.run_place.clone().into_iter().collect();
    let Some((_, record, _)) = &resolved.run else { return Ok(list) };
    let outputs = Node::root(record).at(&["run", "outputs"]).map(|outputs| outputs.list("model_outputs"));
    for output in outputs.unwrap_or_default() {
        let Some(id) =
            output.text_of("model_id").filter(|id| id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
        else {
            continue;
        };
        match server.logged_model(id) {
            Ok(place) => list.push(place),
            Err(error) => resolved.unread.push(error),
        }
    }
    Ok(list)
}

/// The two digests that stand for all files at a place, as signatures of models have them.
pub(super) fn roots(name: &str, files: &[RemoteFile]) -> Option<(Sha256Digest, Sha256Digest)> {
    let how = Serialization {
        method: Method::Files,
        algorithm: HashAlgorithm::Sha256,
        allow_symlinks: false,
        ignored: Vec::new(),
    };
    let resource =
        |file: &RemoteFile| Resource { path: file.path.clone(), shard: None, digest: Digest::from(file.sha256) };
    let manifest = Manifest::new(name.to_owned(), how, files.iter().map(resource).collect()).ok()?;
    Some((manifest.root(), names_root(files.iter().map(|file| (file.path.as_str(), file.sha256)))))
}
