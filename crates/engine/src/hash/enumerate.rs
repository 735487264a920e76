//! Which files a model has, as the OpenSSF Model Signing specification has it: every regular file below its folder but
//! the ignored ones. What is left out is told, since a signature does not cover it.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::HashError;
use crate::walk::bounds_of;

/// What every signer leaves out, at the top of the model's folder only.
pub const DEFAULT_IGNORED: &[&str] = &[".git", ".gitattributes", ".github", ".gitignore"];
/// Folders within folders.
const MAX_FOLDERS_DEEP: usize = 128;
/// Files of one model.
const MAX_FILES: usize = 5_000_000;

/// A file of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFile {
    /// Path below the model's folder, with `/` between its parts; `.` when the model is this file.
    pub path: String,
    /// Where to read it.
    pub opened: PathBuf,
    /// Bytes it had when it was listed.
    pub size: u64,
}

/// Something in the model's folder that is not among its files.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Uncovered {
    /// Its path below the folder, or the folder's own path.
    pub path: String,
    /// Why it is left out.
    pub reason: UncoveredReason,
}

/// Why something is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UncoveredReason {
    /// Every signer leaves it out.
    IgnoredByDefault,
    /// It was asked to be left out.
    Ignored,
    /// A folder without files: names of folders are not digested.
    EmptyFolder,
    /// A file without bytes, of which there is no shard.
    EmptyFile,
    /// The signature itself.
    Signature,
}

impl UncoveredReason {
    /// A stable name for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::IgnoredByDefault => "ignored-by-default",
            Self::Ignored => "ignored",
            Self::EmptyFolder => "empty-folder",
            Self::EmptyFile => "empty-file",
            Self::Signature => "signature",
        }
    }
}

impl fmt::Display for UncoveredReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::IgnoredByDefault => "of version control: no signature covers it",
            Self::Ignored => "ignored on request",
            Self::EmptyFolder => "a folder without files",
            Self::EmptyFile => "a file without bytes, of which there is no shard",
            Self::Signature => "the signature itself",
        })
    }
}

/// The files of a model and what is left out, both in order of path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// The model's name: that of its folder or file.
    pub name: String,
    /// Its files.
    pub files: Vec<ModelFile>,
    /// What is left out.
    pub uncovered: Vec<Uncovered>,
    /// Whether any file was reached through a link.
    pub has_links: bool,
}

/// Lists the files of a model. `ignored` are paths below it; `signature` is left out where it lies inside.
///
/// A link is followed where `allow_symlinks` says so, and within a Hugging Face cache entry, whose snapshots are links
/// into its own blobs.
///
/// # Errors
/// When something cannot be read, is a link that does not count, is no file, or has a name that is not UTF-8.
pub fn files_of(
    model: &Path,
    ignored: &[String],
    allow_symlinks: bool,
    signature: Option<&Path>,
) -> Result<Files, HashError> {
    let unreadable = |source| HashError::Unreadable { path: model.display().to_string(), source };
    let metadata = fs::metadata(model).map_err(unreadable)?;
    let whole = fs::canonicalize(model).map_err(unreadable)?;
    let name = match model.file_name() {
        // The name that was given, where there is one: a snapshot in a cache is a link under a readable name.
        Some(name) => name.to_string_lossy().into_owned(),
        None => whole.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
    };
    if metadata.is_file() {
        let file = ModelFile { path: ".".into(), opened: whole, size: metadata.len() };
        return Ok(Files { name, files: vec![file], ..Files::default() });
    }
    if !metadata.is_dir() {
        return Err(HashError::Special(model.display().to_string()));
    }
    let cache = bounds_of(model).map_err(unreadable)?;
    let mut listing = Listing {
        ignored: ignored.iter().map(|path| path.trim_matches('/').to_owned()).collect(),
        signature: signature.and_then(|path| fs::canonicalize(path).ok()),
        links: Links { allowed: allow_symlinks, cache: (cache != whole).then_some(cache) },
        found: Files { name, ..Files::default() },
        above: Vec::new(),
    };
    listing.folder(&whole, "")?;
    let mut found = listing.found;
    found.files.sort_by(|one, other| one.path.cmp(&other.path));
    found.uncovered.sort();
    Ok(found)
}

/// What is no file of a model where statements are made and looked up: what a signature leaves out, and the ledger itself, or
/// each statement that is added would make another model of it.
#[must_use]
pub fn ignored_in_models() -> Vec<String> {
    DEFAULT_IGNORED.iter().chain(&[crate::ledger::FOLDER_NAME]).map(|path| (*path).to_owned()).collect()
}

/// Which links are followed.
struct Links {
    allowed: bool,
    /// The entry of a cache that the model is part of, and within which links lead.
    cache: Option<PathBuf>,
}

impl Links {
    fn follow(&self, target: &Path) -> bool {
        self.allowed || self.cache.as_ref().is_some_and(|cache| target.starts_with(cache))
    }
}

struct Listing {
    ignored: BTreeSet<String>,
    signature: Option<PathBuf>,
    links: Links,
    found: Files,
    /// The folders that lead here, by their real paths: a link back to one of them would go on for ever.
    above: Vec<PathBuf>,
}

impl Listing {
    fn folder(&mut self, folder: &Path, path: &str) -> Result<(), HashError> {
        if self.above.len() > MAX_FOLDERS_DEEP || self.found.files.len() > MAX_FILES {
            return Err(HashError::TooMany(shown(path).into()));
        }
        let unreadable = |source| HashError::Unreadable { path: shown(path).into(), source };
        let listed = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(unreadable)?;
        if listed.is_empty() && !path.is_empty() {
            self.leave_out(path, UncoveredReason::EmptyFolder);
        }
        self.above.push(folder.to_owned());
        for entry in listed {
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                return Err(HashError::Name(format!("{path}/{}", name.display())));
            };
            let path = if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
            self.entry(&entry, path)?;
        }
        self.above.pop();
        Ok(())
    }

    fn entry(&mut self, entry: &fs::DirEntry, path: String) -> Result<(), HashError> {
        if let Some(reason) = self.is_left_out(&entry.path(), &path) {
            self.leave_out(&path, reason);
            return Ok(());
        }
        let kind = entry.file_type().map_err(|source| HashError::Unreadable { path: path.clone(), source })?;
        let opened = if kind.is_symlink() { self.link(&entry.path(), &path)? } else { entry.path() };
        let metadata = fs::metadata(&opened).map_err(|source| HashError::Unreadable { path: path.clone(), source })?;
        if metadata.is_dir() {
            return self.folder(&opened, &path);
        }
        if !metadata.is_file() {
            return Err(HashError::Special(path));
        }
        self.found.files.push(ModelFile { path, opened, size: metadata.len() });
        Ok(())
    }

    fn is_left_out(&self, real: &Path, path: &str) -> Option<UncoveredReason> {
        if DEFAULT_IGNORED.contains(&path) {
            return Some(UncoveredReason::IgnoredByDefault);
        }
        if self.signature.as_deref() == Some(real) {
            return Some(UncoveredReason::Signature);
        }
        self.ignored.contains(path).then_some(UncoveredReason::Ignored)
    }

    /// Where a link leads.
    fn link(&mut self, link: &Path, path: &str) -> Result<PathBuf, HashError> {
        let target = fs::canonicalize(link).map_err(|source| HashError::Unreadable { path: path.into(), source })?;
        if !self.links.follow(&target) || self.above.contains(&target) {
            let target = fs::read_link(link).unwrap_or(target).display().to_string();
            return Err(HashError::Link { path: path.into(), target });
        }
        self.found.has_links = true;
        Ok(target)
    }

    fn leave_out(&mut self, path: &str, reason: UncoveredReason) {
        self.found.uncovered.push(Uncovered { path: path.to_owned(), reason });
    }
}

fn shown(path: &str) -> &str {
    if path.is_empty() { "." } else { path }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        root
    }

    fn paths(files: &Files) -> Vec<&str> {
        files.files.iter().map(|file| file.path.as_str()).collect()
    }

    #[test]
    fn only_the_top_of_a_model_has_ignored_names() {
        let root = tree(&["a/b.txt", "a-1.txt", "a.txt", ".git/HEAD", ".gitattributes", "sub/.git/HEAD"]);
        fs::create_dir(root.path().join("empty")).unwrap();
        let files = files_of(root.path(), &["a".into()], false, Some(&root.path().join("a.txt"))).unwrap();
        assert_eq!(paths(&files), ["a-1.txt", "sub/.git/HEAD"]);
        let left_out: Vec<_> = files.uncovered.iter().map(|left| (left.path.as_str(), left.reason)).collect();
        assert_eq!(
            left_out,
            [
                (".git", UncoveredReason::IgnoredByDefault),
                (".gitattributes", UncoveredReason::IgnoredByDefault),
                ("a", UncoveredReason::Ignored),
                ("a.txt", UncoveredReason::Signature),
                ("empty", UncoveredReason::EmptyFolder),
            ]
        );
    }

    #[test]
    fn a_link_counts_only_where_it_is_allowed() {
        let (root, outside) = (tree(&["a.txt"]), tree(&["b.txt"]));
        symlink(outside.path().join("b.txt"), root.path().join("b.txt")).unwrap();
        assert!(
            matches!(files_of(root.path(), &[], false, None), Err(HashError::Link { path, .. }) if path == "b.txt")
        );
        let files = files_of(root.path(), &[], true, None).unwrap();
        assert_eq!((paths(&files), files.has_links), (vec!["a.txt", "b.txt"], true));
    }

    #[test]
    fn a_folder_behind_a_link_is_walked_and_never_for_ever() {
        let (root, outside) = (tree(&["a.txt"]), tree(&["w/weights.bin"]));
        symlink(outside.path(), root.path().join("linked")).unwrap();
        assert_eq!(paths(&files_of(root.path(), &[], true, None).unwrap()), ["a.txt", "linked/w/weights.bin"]);
        symlink(root.path(), root.path().join("self")).unwrap();
        assert!(matches!(files_of(root.path(), &[], true, None), Err(HashError::Link { path, .. }) if path == "self"));
    }

    #[test]
    fn links_of_a_hugging_face_cache_stay_within_its_entry() {
        let root = tree(&["models--org--name/blobs/abc", "models--org--name/snapshots/1/README.md", "secret"]);
        let snapshot = root.path().join("models--org--name/snapshots/1");
        symlink("../../blobs/abc", snapshot.join("config.json")).unwrap();
        assert_eq!(paths(&files_of(&snapshot, &[], false, None).unwrap()), ["README.md", "config.json"]);
        symlink("../../../secret", snapshot.join("stolen")).unwrap();
        assert!(matches!(files_of(&snapshot, &[], false, None), Err(HashError::Link { path, .. }) if path == "stolen"));
    }

    #[test]
    fn a_model_of_one_file_is_called_dot() {
        let root = tree(&["model.safetensors"]);
        let files = files_of(&root.path().join("model.safetensors"), &[], false, None).unwrap();
        assert_eq!((paths(&files), files.name.as_str()), (vec!["."], "model.safetensors"));
    }
}
