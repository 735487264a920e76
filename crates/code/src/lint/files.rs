//! Which files of a project are read, and as what.

use std::io;
use std::path::{Component, Path, PathBuf};

use waag_engine::walk::walk;

use super::Kind;

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

/// Every file to read below some paths, by path.
///
/// # Errors
/// When a path does not exist or cannot be read at all.
pub(crate) fn find(paths: &[PathBuf]) -> io::Result<Vec<Found>> {
    let mut found = Vec::new();
    for root in paths {
        let is_file = root.is_file();
        for entry in walk(std::slice::from_ref(root), false)? {
            let relative = entry.path.strip_prefix(root).unwrap_or(&entry.path).to_owned();
            let Some(kind) = kind_of(&entry.path).filter(|_| is_file || !is_foreign(&relative)) else { continue };
            let Some(opened) = entry.opened() else { continue };
            let relative = if is_file { named(root) } else { relative };
            found.push(Found { shown: entry.path.display().to_string(), opened: opened.to_owned(), relative, kind });
        }
    }
    found.sort_by(|one, other| one.shown.cmp(&other.shown));
    found.dedup_by(|one, other| one.shown == other.shown);
    Ok(found)
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
