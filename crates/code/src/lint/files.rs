//! Which files of a project are read, and as what.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};
use std::{fs, io};

use waag_engine::walk::{Entry, EntryKind, walk};

use super::{Kind, Unread};

/// Folders of other people's code, wherever they lie in a project.
const FOREIGN: &[&str] = &[
    "site-packages",
    "dist-packages",
    "node_modules",
    "venv",
    ".venv",
    ".tox",
    ".nox",
    ".eggs",
    "__pycache__",
    ".git",
    // Jupyter's copies of notebooks that lie beside it.
    ".ipynb_checkpoints",
];

/// A file to read.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// As it was named.
    pub(crate) shown: String,
    /// What is opened.
    pub(crate) opened: PathBuf,
    /// From the path that was given on.
    pub(crate) relative: PathBuf,
    /// What it is read as.
    pub(crate) kind: Kind,
}

/// Every file to read below some paths, by path and each once, and what cannot be read there.
///
/// # Errors
/// When a path does not exist or cannot be read at all, or is a file that is nothing that is looked at.
pub(crate) fn find(paths: &[PathBuf]) -> io::Result<(Vec<Found>, Vec<Unread>)> {
    let (mut found, mut unread) = (Vec::new(), Vec::new());
    for root in paths {
        if fs::metadata(root)?.is_dir() {
            below(root, &mut found, &mut unread)?;
        } else {
            found.push(given(root)?);
        }
    }
    Ok((each_once(found), unread))
}

/// A file that was named itself.
fn given(root: &Path) -> io::Result<Found> {
    let kind = kind_of(root).ok_or_else(|| {
        let shown = root.display();
        let message = format!("'{shown}' has none of the endings .py, .pyw, .ipynb, .json, .yaml and .yml");
        io::Error::new(io::ErrorKind::InvalidInput, message)
    })?;
    Ok(Found { shown: root.display().to_string(), opened: root.to_owned(), relative: named(root), kind })
}

fn below(root: &Path, found: &mut Vec<Found>, unread: &mut Vec<Unread>) -> io::Result<()> {
    for entry in walk(&[root.to_owned()], false)? {
        let relative = entry.path.strip_prefix(root).unwrap_or(&entry.path).to_owned();
        if is_foreign(&relative) {
            continue;
        }
        let shown = entry.path.display().to_string();
        match (entry.opened(), kind_of(&entry.path)) {
            (Some(opened), Some(kind)) => found.push(Found { shown, opened: opened.to_owned(), relative, kind }),
            _ => unread.extend(why_unread(&entry).map(|why| (shown, why))),
        }
    }
    Ok(())
}

/// Why something is not read that may hold code.
fn why_unread(entry: &Entry) -> Option<String> {
    let may_hold_code = || kind_of(&entry.path).is_some() || entry.path.is_dir();
    match &entry.kind {
        EntryKind::Unreadable(why) => Some(format!("cannot be read: {why}")),
        EntryKind::StrayLink(target) => {
            may_hold_code().then(|| format!("leads out of what is looked at, or nowhere, to '{target}'"))
        }
        EntryKind::Special => kind_of(&entry.path).map(|_| "is no file, but a pipe, socket or device".to_owned()),
        EntryKind::File(_) | EntryKind::ToolFolder => None,
    }
}

/// A file that has several names, or was given twice, under one of them: its own, and the one that says most of its place.
fn each_once(mut found: Vec<Found>) -> Vec<Found> {
    let whole = |file: &Found| fs::canonicalize(&file.opened).unwrap_or_else(|_| file.opened.clone());
    let is_link = |file: &Found| !file.opened.ends_with(&file.relative);
    found.sort_by_cached_key(|file| (is_link(file), Reverse(file.relative.components().count()), file.shown.clone()));
    let mut seen = HashSet::new();
    found.retain(|file| seen.insert(whole(file)));
    found.sort_by(|one, other| one.shown.cmp(&other.shown));
    found
}

/// A file that was given itself, by as much as was said of where it lies in the project.
fn named(file: &Path) -> PathBuf {
    let is_inside = file.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    let inside = is_inside.then(|| file.strip_prefix(".").unwrap_or(file).to_owned());
    inside.or_else(|| file.file_name().map(PathBuf::from)).unwrap_or_default()
}

/// What a file is read as, by its name.
pub(crate) fn kind_of(path: &Path) -> Option<Kind> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "py" | "pyw" => Some(Kind::Python),
        "ipynb" => Some(Kind::Notebook),
        "json" | "yaml" | "yml" => Some(Kind::Configuration),
        _ => None,
    }
}

fn is_foreign(relative: &Path) -> bool {
    relative.iter().any(|part| part.to_str().is_some_and(|part| FOREIGN.contains(&part) || part.ends_with(".egg-info")))
}
