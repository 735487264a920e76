//! A model's files as the manifest that is signed.

use std::path::Path;

use waag_evidence::manifest::{Digest, HashAlgorithm, Manifest, Method, Resource, Serialization, Shard};

use super::{Files, HashError, HashedFile, Uncovered, UncoveredReason, Wanted, digest_files, files_of};
use crate::scan::Progress;

/// A manifest, and what of the model's folder it does not cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFiles {
    /// The files, by digest.
    pub manifest: Manifest,
    /// Everything else that is there.
    pub uncovered: Vec<Uncovered>,
}

/// Reads a model and makes the manifest that `how` describes, in the specification's order. `signature` is left out of
/// it where it lies inside the model.
///
/// # Errors
/// When the model cannot be read, or has no files.
pub fn manifest_of(
    model: &Path,
    how: &Serialization,
    signature: Option<&Path>,
    progress: &dyn Progress,
) -> Result<ModelFiles, HashError> {
    let listed = files_of(model, &how.ignored, how.allow_symlinks, signature)?;
    let wanted = match how.method {
        Method::Files => Wanted { files: vec![how.algorithm], shards: None },
        Method::Shards(size) => Wanted { files: Vec::new(), shards: Some((size, how.algorithm)) },
    };
    let hashed = digest_files(&listed.files, &wanted, progress)?;
    manifest_of_files(listed, &hashed, how)
}

/// The same of files that have been digested already, with what `how` asks for among their digests.
///
/// # Errors
/// When there are no files.
pub fn manifest_of_files(listed: Files, hashed: &[HashedFile], how: &Serialization) -> Result<ModelFiles, HashError> {
    let mut uncovered = listed.uncovered;
    let mut resources: Vec<Resource> = Vec::new();
    for file in hashed {
        let entries = entries_of(file, how);
        if entries.is_empty() {
            uncovered.push(Uncovered { path: file.file.path.clone(), reason: UncoveredReason::EmptyFile });
        }
        let entries = entries.into_iter();
        resources.extend(entries.map(|(shard, digest)| Resource { path: file.file.path.clone(), shard, digest }));
    }
    uncovered.sort();
    // Names by code point: those of shards too, where 10 comes before 2.
    resources.sort_by_cached_key(Resource::name);
    let manifest = Manifest::new(listed.name, how.clone(), resources)?;
    Ok(ModelFiles { manifest, uncovered })
}

fn entries_of(file: &HashedFile, how: &Serialization) -> Vec<(Option<Shard>, Digest)> {
    match how.method {
        Method::Files => digest_by(file, how.algorithm).into_iter().map(|digest| (None, digest.clone())).collect(),
        Method::Shards(_) => file.shards.iter().map(|(shard, digest)| (Some(*shard), digest.clone())).collect(),
    }
}

fn digest_by(file: &HashedFile, algorithm: HashAlgorithm) -> Option<&Digest> {
    file.digests.iter().find(|digest| digest.algorithm() == algorithm)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::Silent;

    fn serialization(method: Method) -> Serialization {
        Serialization { method, algorithm: HashAlgorithm::Sha256, allow_symlinks: false, ignored: Vec::new() }
    }

    #[test]
    fn entries_stand_in_order_of_name_and_empty_files_have_no_shard() {
        let root = tempfile::tempdir().unwrap();
        for (name, bytes) in [("a.txt", "0123456789ABC"), ("a-1.txt", "x"), ("empty", "")] {
            std::fs::write(root.path().join(name), bytes).unwrap();
        }
        let files = manifest_of(root.path(), &serialization(Method::Files), None, &Silent).unwrap();
        let names: Vec<_> = files.manifest.resources.iter().map(Resource::name).collect();
        assert_eq!(names, ["a-1.txt", "a.txt", "empty"]);
        let shards = manifest_of(root.path(), &serialization(Method::Shards(1)), None, &Silent).unwrap();
        let names: Vec<_> = shards.manifest.resources.iter().map(Resource::name).collect();
        assert_eq!(names[..4], ["a-1.txt:0:1", "a.txt:0:1", "a.txt:10:11", "a.txt:11:12"]);
        assert!(shards.manifest.is_sorted());
        let empty = Uncovered { path: "empty".into(), reason: UncoveredReason::EmptyFile };
        assert_eq!(shards.uncovered, [empty]);
    }

    #[test]
    fn a_folder_without_files_is_no_model() {
        let root = tempfile::tempdir().unwrap();
        assert!(manifest_of(root.path(), &serialization(Method::Files), None, &Silent).is_err());
    }
}
