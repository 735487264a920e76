//! From the paths a person gives to the files that are there.
//!
//! Links are followed where they stay inside: within the folder that was given, and within a Hugging Face cache, whose
//! snapshots are links into its blobs. A link that leads elsewhere is never followed; it is reported.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::bytecode_cache;

/// Folders within folders.
const MAX_FOLDERS_DEEP: usize = 128;
/// Files in one scan.
const MAX_FILES: usize = 5_000_000;
/// Folders that belong to tools, not to models: named, not walked.
const TOOL_FOLDERS: &[&str] = &[".git", ".venv", "node_modules", BYTECODE];
/// Where Python keeps bytecode: what else lies there is read.
const BYTECODE: &str = "__pycache__";

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The path as a person would write it.
    pub path: PathBuf,
    /// What it is.
    pub kind: EntryKind,
    /// Size in bytes of a file; 0 where it was not asked for.
    pub size: u64,
}

impl Entry {
    /// The file to read, where there is one.
    #[must_use]
    pub fn opened(&self) -> Option<&Path> {
        match &self.kind {
            EntryKind::File(path) => Some(path),
            _ => None,
        }
    }
}

/// What was found at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A file, to be read at this path: the entry's own, or where its link leads.
    File(PathBuf),
    /// A link that leads out of what was given, or nowhere.
    StrayLink(String),
    /// A pipe, socket or device.
    Special,
    /// A folder of a tool, which is no part of a model: named, not walked.
    ToolFolder,
    /// Something that could not be read, or not in full, with the reason.
    Unreadable(String),
}

/// Everything below the given paths, in order of path, with sizes where they are wanted or known anyway.
///
/// # Errors
/// When a given path does not exist or cannot be read at all.
pub fn walk(paths: &[PathBuf], sizes: bool) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for path in paths {
        let metadata = fs::metadata(path)?;
        if metadata.is_dir() {
            let bounds = bounds_of(path)?;
            let mut walk = Walk { bounds, sizes, entries: Vec::new() };
            walk.folder(path, 0);
            entries.extend(without_linked_blobs(walk.entries));
        } else {
            let kind = if metadata.is_file() { EntryKind::File(path.clone()) } else { EntryKind::Special };
            entries.push(Entry { path: path.clone(), kind, size: metadata.len() });
        }
    }
    entries.sort_by(|one, other| one.path.cmp(&other.path));
    entries.dedup_by(|one, other| one.path == other.path);
    Ok(entries)
}

/// The folder that links may lead to: the given one, or the cache entry (`models--org--name`) that it is part of.
pub(crate) fn bounds_of(path: &Path) -> io::Result<PathBuf> {
    let whole = fs::canonicalize(path)?;
    let is_cache_entry = |folder: &&Path| {
        let name = folder.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        ["models--", "datasets--", "spaces--"].iter().any(|prefix| name.starts_with(prefix))
            && folder.join("blobs").is_dir()
    };
    Ok(whole.ancestors().find(is_cache_entry).unwrap_or(&whole).to_owned())
}

struct Walk {
    bounds: PathBuf,
    sizes: bool,
    entries: Vec<Entry>,
}

impl Walk {
    fn folder(&mut self, folder: &Path, depth: usize) {
        if depth > MAX_FOLDERS_DEEP || self.entries.len() > MAX_FILES {
            let reason = "there are more files or folders than are walked".to_owned();
            return self.add(folder, EntryKind::Unreadable(reason), 0);
        }
        let listed = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut listed = match listed {
            Ok(listed) => listed,
            Err(error) => return self.add(folder, EntryKind::Unreadable(error.to_string()), 0),
        };
        listed.sort_by_key(fs::DirEntry::file_name);
        for entry in listed {
            self.entry(&entry, depth);
        }
    }

    fn entry(&mut self, entry: &fs::DirEntry, depth: usize) {
        let path = &entry.path();
        // The folder's own listing tells kinds; asking for each file again costs as much as opening it.
        let kind = match entry.file_type() {
            Ok(kind) => kind,
            Err(error) => return self.add(path, EntryKind::Unreadable(error.to_string()), 0),
        };
        let is_tool = path.file_name().is_some_and(|name| TOOL_FOLDERS.iter().any(|tool| name == *tool));
        if kind.is_symlink() {
            self.link(path);
        } else if kind.is_dir() && is_tool {
            self.add(path, EntryKind::ToolFolder, 0);
            if path.ends_with(BYTECODE) {
                self.bytecode(path);
            }
        } else if kind.is_dir() {
            self.folder(path, depth + 1);
        } else if kind.is_file() {
            let size = if self.sizes { entry.metadata().map_or(0, |metadata| metadata.len()) } else { 0 };
            self.add(path, EntryKind::File(path.to_owned()), size);
        } else {
            self.add(path, EntryKind::Special, 0);
        }
    }

    /// What lies in a folder of bytecode and is none, or is taken without a look at its source.
    fn bytecode(&mut self, folder: &Path) {
        let listed = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut odd: Vec<PathBuf> =
            listed.filter(|path| path.is_file() && !bytecode_cache::is_ordinary(path)).collect();
        odd.sort_unstable();
        for path in odd {
            if path.is_symlink() {
                self.link(&path);
                continue;
            }
            let size = fs::metadata(&path).map_or(0, |metadata| metadata.len());
            self.add(&path, EntryKind::File(path.clone()), size);
        }
    }

    /// A link to a file inside is that file under another name; a link to a folder inside is walked where it leads.
    fn link(&mut self, path: &Path) {
        let shown = fs::read_link(path).map(|target| target.to_string_lossy().into_owned()).unwrap_or_default();
        match fs::canonicalize(path) {
            Ok(target) if !target.starts_with(&self.bounds) => self.add(path, EntryKind::StrayLink(shown), 0),
            Ok(target) if target.is_file() => {
                let size = fs::metadata(&target).map_or(0, |metadata| metadata.len());
                self.add(path, EntryKind::File(target), size);
            }
            Ok(target) if target.is_dir() => {}
            Ok(_) => self.add(path, EntryKind::Special, 0),
            Err(_) => self.add(path, EntryKind::StrayLink(shown), 0),
        }
    }

    fn add(&mut self, path: &Path, kind: EntryKind, size: u64) {
        self.entries.push(Entry { path: path.to_owned(), kind, size });
    }
}

/// Leaves out blobs of a cache that a snapshot names: they are read once, under the name people know.
fn without_linked_blobs(entries: Vec<Entry>) -> Vec<Entry> {
    let target = |entry: &Entry| match &entry.kind {
        EntryKind::File(target) if *target != entry.path => Some(target.clone()),
        _ => None,
    };
    let linked: HashSet<PathBuf> = entries.iter().filter_map(target).collect();
    let is_linked_blob = |entry: &Entry| {
        entry.path.parent().is_some_and(|parent| parent.ends_with("blobs"))
            && fs::canonicalize(&entry.path).is_ok_and(|whole| linked.contains(&whole) && target(entry).is_none())
    };
    entries.into_iter().filter(|entry| !is_linked_blob(entry)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn names(entries: &[Entry], root: &Path) -> Vec<String> {
        entries.iter().map(|entry| entry.path.strip_prefix(root).unwrap().display().to_string()).collect()
    }

    #[test]
    fn a_cache_is_read_once_under_the_names_of_its_snapshots() {
        let root = tempfile::tempdir().unwrap();
        let cache = root.path().join("models--org--name");
        fs::create_dir_all(cache.join("blobs")).unwrap();
        fs::create_dir_all(cache.join("snapshots/abc")).unwrap();
        fs::write(cache.join("blobs/1234"), "weights").unwrap();
        symlink("../../blobs/1234", cache.join("snapshots/abc/model.bin")).unwrap();
        for given in [root.path().to_owned(), cache.clone(), cache.join("snapshots/abc")] {
            let entries = walk(std::slice::from_ref(&given), true).unwrap();
            assert_eq!(entries.len(), 1, "{given:?}");
            assert!(matches!(&entries[0].kind, EntryKind::File(target) if target.ends_with("blobs/1234")));
            assert!(entries[0].path.ends_with("model.bin"));
        }
    }

    #[test]
    fn links_that_lead_out_are_not_followed() {
        let root = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "x").unwrap();
        symlink(outside.path().join("secret"), root.path().join("a.bin")).unwrap();
        symlink("nowhere", root.path().join("b.bin")).unwrap();
        symlink(outside.path(), root.path().join("folder")).unwrap();
        let entries = walk(&[root.path().to_owned()], false).unwrap();
        assert_eq!(names(&entries, root.path()), ["a.bin", "b.bin", "folder"]);
        assert!(entries.iter().all(|entry| matches!(entry.kind, EntryKind::StrayLink(_))));
    }

    #[test]
    fn folders_of_tools_are_named() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join(".git/objects")).unwrap();
        fs::write(root.path().join(".git/objects/1"), "x").unwrap();
        let entries = walk(&[root.path().to_owned()], false).unwrap();
        assert_eq!(names(&entries, root.path()), [".git"]);
        assert_eq!(entries[0].kind, EntryKind::ToolFolder);
    }

    #[test]
    fn what_does_not_belong_into_a_folder_of_bytecode_is_read() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("__pycache__")).unwrap();
        fs::write(root.path().join("__pycache__/a.cpython-311.pyc"), [0; 16]).unwrap();
        fs::write(root.path().join("__pycache__/model.pkl"), "x").unwrap();
        let entries = walk(&[root.path().to_owned()], false).unwrap();
        assert_eq!(names(&entries, root.path()), ["__pycache__", "__pycache__/model.pkl"]);
    }

    #[test]
    fn folders_that_link_to_themselves_end() {
        let root = tempfile::tempdir().unwrap();
        symlink(".", root.path().join("again")).unwrap();
        fs::write(root.path().join("model.bin"), "x").unwrap();
        assert_eq!(names(&walk(&[root.path().to_owned()], false).unwrap(), root.path()), ["model.bin"]);
    }

    #[test]
    fn a_path_that_does_not_exist_is_an_error() {
        assert!(walk(&[PathBuf::from("/no/such/path")], false).is_err());
    }
}
