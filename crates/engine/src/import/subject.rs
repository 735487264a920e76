//! Folders as subjects: the digests of a model's files, made once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use waag_evidence::manifest::{HashAlgorithm, Method, Serialization, names_root};
use waag_evidence::statement::ResourceDescriptor;
use waag_evidence::statement::claims::Voice;
use waag_evidence::statement::role::Role;

use super::identity::cache_identity;
use super::intake::{Artifact, Checked};
use super::page::Page;
use crate::hash::{HashError, HashedFile, ModelFile, Wanted, digest_files, files_of, manifest_of_files};
use crate::scan::Progress;

/// The digest over names and contents that signatures of a model have beside its root.
const NAMES_DIGEST: &str = "dirHash";
/// Endings of files that hold weights: each is found by its own digest too.
const WEIGHTS: &[&str] = &[
    "safetensors",
    "gguf",
    "bin",
    "pt",
    "pth",
    "ckpt",
    "onnx",
    "h5",
    "keras",
    "msgpack",
    "pkl",
    "pickle",
    "joblib",
    "skops",
    "npz",
    "npy",
    "tflite",
    "pb",
    "mlmodel",
    "nemo",
    "pdparams",
    "ggml",
];

/// Folders that were digested.
#[derive(Debug, Default)]
pub(super) struct Subjects {
    known: BTreeMap<PathBuf, ResourceDescriptor>,
    /// Files that were digested, by where they were read, with their sizes: a file lies in every folder above it.
    files: BTreeMap<PathBuf, HashedFile>,
}

/// A folder as a subject.
#[derive(Debug, Default)]
pub(super) struct Whole {
    pub(super) subject: ResourceDescriptor,
    /// Its files, when this is the first time that they are read; named below the folder.
    pub(super) new_artifacts: Vec<Artifact>,
    /// Which files of weights are parts of it, when this is the first time.
    pub(super) parts: Option<Page>,
    /// Why it has no digest.
    pub(super) problem: Option<String>,
}

/// The annotation with the path of a folder that nobody has digested.
pub(super) const FOLDER: &str = "folder";

impl Subjects {
    /// A folder with the digests of its files, where somebody is told how far that is; else by its name alone.
    pub(super) fn folder(&mut self, folder: &Path, progress: Option<&dyn Progress>) -> Whole {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        if let Some(known) = self.known.get(folder) {
            return Whole { subject: known.clone(), ..Whole::default() };
        }
        let mut whole = match progress.map(|progress| self.digest(folder, progress)) {
            None => Whole { subject: undigested(folder), ..Whole::default() },
            Some(Ok(whole)) => whole,
            Some(Err(error)) => Whole { problem: Some(error.to_string()), ..Whole::default() },
        };
        name(&mut whole.subject, folder);
        if let Some(page) = &mut whole.parts {
            parts(page, &whole.subject, &whole.new_artifacts);
        }
        self.known.insert(folder.to_owned(), whole.subject.clone());
        whole
    }
}

/// A folder that is told from others by its path alone.
fn undigested(folder: &Path) -> ResourceDescriptor {
    let path = serde_json::Value::from(folder.display().to_string());
    ResourceDescriptor { annotations: [(FOLDER.to_owned(), path)].into_iter().collect(), ..Default::default() }
}

/// The name of a folder, and what it is called on the hub where its path says so.
fn name(subject: &mut ResourceDescriptor, folder: &Path) {
    let identity = cache_identity(folder);
    subject.uri = identity.as_ref().and_then(|identity| identity.uri());
    let whole = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let last = whole.file_name().map(|name| name.to_string_lossy().into_owned());
    subject.name = identity.map(|identity| identity.id).or(last);
}

impl Subjects {
    fn digest(&mut self, folder: &Path, progress: &dyn Progress) -> Result<Whole, HashError> {
        let how = Serialization {
            method: Method::Files,
            algorithm: HashAlgorithm::Sha256,
            allow_symlinks: false,
            ignored: crate::hash::ignored_in_models(),
        };
        let listed = files_of(folder, &how.ignored, how.allow_symlinks, None)?;
        let wanted = Wanted { files: vec![how.algorithm], shards: None };
        let hashed = self.digested(&listed.files, &wanted, progress)?;
        let manifest = manifest_of_files(listed, &hashed, &how)?.manifest;
        let artifact = |file: &crate::hash::HashedFile| {
            let sha256 = file.digests.first()?.to_sha256()?;
            Some(Artifact { name: file.file.path.clone(), sha256, size: file.file.size, checked: Checked::Unpinned })
        };
        let artifacts: Vec<Artifact> = hashed.iter().filter_map(artifact).collect();
        let names = names_root(artifacts.iter().map(|artifact| (artifact.name.as_str(), artifact.sha256)));
        let digest = [("sha256", manifest.root()), (NAMES_DIGEST, names)].into_iter().collect();
        let subject = ResourceDescriptor { digest, ..ResourceDescriptor::default() };
        let parts = Some(Page::at("folder", folder.display().to_string(), Voice::DerivedFromFile));
        Ok(Whole { subject, new_artifacts: artifacts, parts, problem: None })
    }

    /// Digests those files that were not digested yet.
    fn digested(
        &mut self,
        files: &[ModelFile],
        wanted: &Wanted,
        progress: &dyn Progress,
    ) -> Result<Vec<HashedFile>, HashError> {
        let is_new = |file: &&ModelFile| self.files.get(&file.opened).is_none_or(|known| known.file.size != file.size);
        let new: Vec<ModelFile> = files.iter().filter(is_new).cloned().collect();
        for hashed in digest_files(&new, wanted, progress)? {
            self.files.insert(hashed.file.opened.clone(), hashed);
        }
        let known = |file: &ModelFile| {
            let hashed = self.files.get(&file.opened)?;
            Some(HashedFile { file: file.clone(), ..hashed.clone() })
        };
        Ok(files.iter().filter_map(known).collect())
    }
}

/// Says which files of weights are parts of a folder, so that whoever has only the file finds what is said of the whole.
fn parts(page: &mut Page, subject: &ResourceDescriptor, artifacts: &[Artifact]) {
    page.source.location = subject.name.clone().unwrap_or_default();
    for artifact in artifacts {
        let ending = artifact.name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        if WEIGHTS.contains(&ending.as_str()) {
            let digest = [("sha256", artifact.sha256)].into_iter().collect();
            let file = ResourceDescriptor { name: Some(artifact.name.clone()), digest, ..Default::default() };
            page.claim(&file, Role::PartOf, subject.clone(), "");
        }
    }
}
