//! What a claim is about: every file by SHA-256, so that any one of them finds it, and the whole by both roots that a
//! model's signature has.

use std::path::Path;

use serde_json::{Value, json};
use waag_evidence::Sha256Digest;
use waag_evidence::manifest::{HashAlgorithm, Method, Serialization};
use waag_evidence::statement::{DigestSet, ResourceDescriptor};
use waag_signing::model_statement::{NAMES_DIGEST, names_digest};

use crate::hash::{HashError, ModelFiles, manifest_of};
use crate::scan::Progress;
use crate::uncovered::{Open, look};

/// How many files the whole has, among its annotations. Only the whole has it.
const FILES: &str = "files";
/// Which paths are left out, among its annotations.
const IGNORED: &str = "ignorePaths";
/// Whether links count as what they lead to, among its annotations.
const LINKS: &str = "allowSymlinks";

/// Which files of a folder count. What nobody has to ask for is as for signatures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Paths, files or folders, that are left out.
    pub ignored: Vec<String>,
    /// Whether links count as what they lead to.
    pub allow_symlinks: bool,
}

/// A file of a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectFile {
    /// Path below the subject; its name, where it is the subject.
    pub path: String,
    /// Its digest.
    pub sha256: Sha256Digest,
}

/// Files that a claim is, or could be, about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The name of the folder or file.
    pub name: String,
    /// Whether it is one file.
    pub is_file: bool,
    /// Its files, in order of path.
    pub files: Vec<SubjectFile>,
    /// The digest over contents.
    pub root: Sha256Digest,
    /// The digest over names and contents, where there is one.
    pub names_root: Option<Sha256Digest>,
    /// What it does not have.
    pub uncovered: Vec<Open>,
    /// Which files count.
    pub listing: Listing,
}

impl Subject {
    /// Digests every file. `own` is left out where it lies inside: the attestation itself.
    ///
    /// # Errors
    /// When something cannot be read, or there are no files.
    pub fn read(
        path: &Path,
        listing: &Listing,
        own: Option<&Path>,
        progress: &dyn Progress,
    ) -> Result<Self, HashError> {
        let mut listing = listing.clone();
        listing.ignored.extend(own.and_then(|own| crate::verify::below(path, own)));
        listing.ignored.sort_unstable();
        listing.ignored.dedup();
        let how = Serialization {
            method: Method::Files,
            algorithm: HashAlgorithm::Sha256,
            allow_symlinks: listing.allow_symlinks,
            ignored: listing.ignored.clone(),
        };
        let found = manifest_of(path, &how, own, progress)?;
        Ok(Self::new(path, found, listing))
    }

    fn new(path: &Path, found: ModelFiles, listing: Listing) -> Self {
        let ModelFiles { manifest, uncovered } = found;
        let is_file = manifest.resources.iter().any(|resource| resource.path == ".");
        let files = manifest.resources.iter().filter_map(|resource| {
            let path = if is_file { manifest.name.clone() } else { resource.path.clone() };
            Some(SubjectFile { path, sha256: resource.digest.to_sha256()? })
        });
        Self {
            is_file,
            files: files.collect(),
            root: manifest.root(),
            names_root: names_digest(&manifest),
            uncovered: look(path, &uncovered),
            name: manifest.name,
            listing,
        }
    }

    /// As statements name it: each file, and the whole.
    #[must_use]
    pub fn descriptors(&self) -> Vec<ResourceDescriptor> {
        let files = self.files.iter().map(|file| ResourceDescriptor {
            name: Some(file.path.clone()),
            digest: [("sha256", file.sha256)].into_iter().collect(),
            ..ResourceDescriptor::default()
        });
        files.chain([self.whole()]).collect()
    }

    /// The whole, with what it takes to list its files again.
    ///
    /// The digest over names stands among the annotations, where every reader lets it be: Sigstore's client for Python
    /// refuses a whole statement for one subject's digest by an algorithm that it does not know.
    #[must_use]
    pub fn whole(&self) -> ResourceDescriptor {
        let annotations = [
            (FILES.to_owned(), json!(self.files.len())),
            (IGNORED.to_owned(), json!(self.listing.ignored)),
            (LINKS.to_owned(), json!(self.listing.allow_symlinks)),
        ];
        let names = self.names_root.map(|root| (NAMES_DIGEST.to_owned(), json!(root.to_string())));
        ResourceDescriptor {
            name: Some(self.name.clone()),
            digest: [("sha256", self.root)].into_iter().collect(),
            annotations: annotations.into_iter().chain(names).collect(),
            ..ResourceDescriptor::default()
        }
    }

    /// Both roots, as a model's signature has them.
    #[must_use]
    pub fn roots(&self) -> DigestSet {
        let names = self.names_root.map(|root| (NAMES_DIGEST, root));
        [("sha256", self.root)].into_iter().chain(names).collect()
    }
}

/// The digest over names of a whole, wherever it stands.
#[must_use]
pub fn names_of(whole: &ResourceDescriptor) -> Option<&str> {
    let noted = || whole.annotations.get(NAMES_DIGEST).and_then(Value::as_str);
    whole.digest.get(NAMES_DIGEST).or_else(noted)
}

/// What a statement says of the whole: how to list its files again. None of a descriptor that is no whole.
#[must_use]
pub fn whole_of(descriptor: &ResourceDescriptor) -> Option<(u64, Listing)> {
    let files = descriptor.annotations.get(FILES)?.as_u64()?;
    let ignored = descriptor.annotations.get(IGNORED)?.as_array()?;
    let ignored = ignored.iter().map(|path| path.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()?;
    let allow_symlinks = descriptor.annotations.get(LINKS).and_then(Value::as_bool)?;
    Some((files, Listing { ignored, allow_symlinks }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::Silent;

    fn tree() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("model/sub")).unwrap();
        for (name, text) in [("a.txt", "a"), ("sub/b.txt", "b"), ("notes.md", "n")] {
            std::fs::write(root.path().join("model").join(name), text).unwrap();
        }
        root
    }

    #[test]
    fn a_folder_is_its_files_and_the_whole() {
        let root = tree();
        let listing = Listing { ignored: vec!["notes.md".into()], allow_symlinks: false };
        let own = root.path().join("model/own.json");
        std::fs::write(&own, "x").unwrap();
        let subject = Subject::read(&root.path().join("model"), &listing, Some(&own), &Silent).unwrap();
        let descriptors = subject.descriptors();
        let names: Vec<_> = descriptors.iter().filter_map(|it| it.name.as_deref()).collect();
        assert_eq!(names, ["a.txt", "sub/b.txt", "model"]);
        let ignored = vec!["notes.md".to_owned(), "own.json".to_owned()];
        assert_eq!(whole_of(&descriptors[2]), Some((2, Listing { ignored, allow_symlinks: false })));
        assert_eq!(names_of(&descriptors[2]), subject.names_root.map(|root| root.to_string()).as_deref());
        assert!(subject.roots().get("dirHash").is_some());
        assert_eq!(whole_of(&descriptors[0]), None);
    }

    #[test]
    fn a_file_has_its_name() {
        let root = tree();
        let file = root.path().join("model/a.txt");
        let subject = Subject::read(&file, &Listing::default(), None, &Silent).unwrap();
        let [file, whole] = subject.descriptors().try_into().unwrap();
        assert_eq!((file.name.as_deref(), whole.name.as_deref()), (Some("a.txt"), Some("a.txt")));
        let digest = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";
        assert_eq!(file.digest.get("sha256"), Some(digest));
        assert_ne!(whole.digest.get("sha256"), Some(digest));
        assert_eq!(names_of(&whole), None);
    }
}
