//! `waag.lock`: what a project is made of, file by file. To models and datasets it is what `Cargo.lock` is to crates.
//!
//! The text is the same for the same content, with one file on a line, so that versions of it merge well. Digests of
//! the whole are left out of it: two changes to two files would conflict there.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::digest::Sha256Digest;
use crate::ingredient::IngredientKind;
use crate::manifest::is_inside;
use crate::verdict::Decision;

/// The version that is written, and the highest that is read.
pub const LOCK_VERSION: u32 = 1;
const HEADER: &str = "\
# Made by `waag lock`, checked by `waag check`, obeyed by `waag fetch`. Keep it with the code, and do not edit it.
";

/// What was locked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    /// Ingredients: models, then datasets, each in order of name.
    pub ingredients: Vec<Locked>,
}

/// An ingredient as it was when it was locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locked {
    /// What it is.
    pub kind: IngredientKind,
    /// What people call it.
    pub name: String,
    /// The file or folder, below the folder of the lock.
    pub path: String,
    /// What a scan made of it.
    pub verdict: Decision,
    /// Who signed it, where a signature was asked for and verified.
    pub signer: Option<String>,
    /// Its files, in order of path.
    pub files: Vec<LockedFile>,
}

/// A file of an ingredient.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedFile {
    /// Path below the ingredient; `.` when the ingredient is this file.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// The digest of its bytes.
    pub sha256: Sha256Digest,
}

/// The text as it stands.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLock {
    version: u32,
    #[serde(default, rename = "model")]
    models: Vec<RawLocked>,
    #[serde(default, rename = "dataset")]
    datasets: Vec<RawLocked>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLocked {
    name: String,
    path: String,
    verdict: Decision,
    signer: Option<String>,
    files: Vec<LockedFile>,
}

/// Why a text is no lock.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidLock {
    /// It is no TOML of this form.
    #[error("{0}")]
    Form(String),
    /// A later waag wrote it.
    #[error("it has version {0}, and this waag reads up to version {LOCK_VERSION}")]
    Version(u32),
    /// A path that leads out of the project.
    #[error("the path '{0}' leads out of the project")]
    Outside(String),
    /// Two entries for one name or path.
    #[error("'{0}' is there twice")]
    Duplicate(String),
    /// Nothing to compare with.
    #[error("'{0}' has no files")]
    Empty(String),
}

impl Lock {
    /// A lock of these ingredients, put in order.
    #[must_use]
    pub fn new(mut ingredients: Vec<Locked>) -> Self {
        ingredients.sort_by(|one, other| (one.kind, &one.name).cmp(&(other.kind, &other.name)));
        ingredients.iter_mut().for_each(|locked| locked.files.sort());
        Self { ingredients }
    }

    /// Reads the text of a lock.
    ///
    /// # Errors
    /// When it is no lock, is of a later version, or names a path outside or twice.
    pub fn parse(text: &str) -> Result<Self, InvalidLock> {
        let raw: RawLock = toml::from_str(text).map_err(|error| InvalidLock::Form(error.message().to_owned()))?;
        if raw.version > LOCK_VERSION {
            return Err(InvalidLock::Version(raw.version));
        }
        let models = raw.models.into_iter().map(|entry| (IngredientKind::Model, entry));
        let datasets = raw.datasets.into_iter().map(|entry| (IngredientKind::Dataset, entry));
        let ingredients =
            models.chain(datasets).map(|(kind, entry)| valid(kind, entry)).collect::<Result<Vec<_>, _>>()?;
        let mut seen = BTreeSet::new();
        match ingredients.iter().find(|locked| !seen.insert(locked.path.as_str())) {
            Some(twice) => Err(InvalidLock::Duplicate(twice.path.clone())),
            None => Ok(Self::new(ingredients)),
        }
    }

    /// The text of the lock; [`Lock::parse`] gives it back.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("{HEADER}version = {LOCK_VERSION}\n");
        for locked in &self.ingredients {
            let _ = write!(
                text,
                "\n[[{}]]\nname = {}\npath = {}\n",
                locked.kind,
                quoted(&locked.name),
                quoted(&locked.path)
            );
            let _ = writeln!(text, "verdict = \"{}\"", locked.verdict);
            if let Some(signer) = &locked.signer {
                let _ = writeln!(text, "signer = {}", quoted(signer));
            }
            text.push_str("files = [\n");
            for LockedFile { path, size, sha256 } in &locked.files {
                let _ = writeln!(text, "    {{ path = {}, size = {size}, sha256 = \"{sha256}\" }},", quoted(path));
            }
            text.push_str("]\n");
        }
        text
    }

    /// The ingredient at a path.
    #[must_use]
    pub fn at(&self, path: &str) -> Option<&Locked> {
        self.ingredients.iter().find(|locked| locked.path == path)
    }
}

fn valid(kind: IngredientKind, raw: RawLocked) -> Result<Locked, InvalidLock> {
    if !is_inside(&raw.path) || raw.path == "." {
        return Err(InvalidLock::Outside(raw.path));
    }
    if raw.files.is_empty() {
        return Err(InvalidLock::Empty(raw.name));
    }
    let mut seen = BTreeSet::new();
    for file in &raw.files {
        // Only a lone file is the ingredient itself.
        if !is_inside(&file.path) || (file.path == "." && raw.files.len() > 1) {
            return Err(InvalidLock::Outside(file.path.clone()));
        }
        if !seen.insert(file.path.as_str()) {
            return Err(InvalidLock::Duplicate(file.path.clone()));
        }
    }
    let RawLocked { name, path, verdict, signer, files } = raw;
    Ok(Locked { kind, name, path, verdict, signer, files })
}

/// A text as a basic string of TOML, always on one line.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            control if control.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(control));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> LockedFile {
        LockedFile { path: path.into(), size: 3, sha256: Sha256Digest::new([0xAB; 32]) }
    }

    fn locked(kind: IngredientKind, name: &str, files: &[&str]) -> Locked {
        let files = files.iter().map(|path| file(path)).collect();
        Locked { kind, name: name.into(), path: format!("in/{name}"), verdict: Decision::Allow, signer: None, files }
    }

    #[test]
    fn the_text_is_read_back_and_is_in_order() {
        let signed =
            Locked { signer: Some("key \"1\"".into()), ..locked(IngredientKind::Model, "b", &["z", "a'\n\"é"]) };
        let lock = Lock::new(vec![
            locked(IngredientKind::Dataset, "0", &["."]),
            signed,
            locked(IngredientKind::Model, "a", &["x/y"]),
        ]);
        let text = lock.to_text();
        assert_eq!(Lock::parse(&text), Ok(lock));
        let order: Vec<usize> = ["in/a", "in/b", "[[dataset]]"].iter().filter_map(|part| text.find(part)).collect();
        assert!(order.is_sorted(), "{text}");
    }

    #[test]
    fn a_lock_never_names_what_lies_outside() {
        for (path, file) in [("../a", "x"), ("a", "../x"), ("/a", "x"), ("a", "/x"), ("a", "x/../../y"), (".", "x")] {
            let mut lock = locked(IngredientKind::Model, "a", &[file]);
            lock.path = path.into();
            let text = Lock::new(vec![lock]).to_text();
            assert!(matches!(Lock::parse(&text), Err(InvalidLock::Outside(_))), "{path} {file}");
        }
    }

    #[test]
    fn doubles_and_later_versions_are_refused() {
        let twice = Lock::new(vec![locked(IngredientKind::Model, "a", &["x", "x"])]).to_text();
        assert_eq!(Lock::parse(&twice), Err(InvalidLock::Duplicate("x".into())));
        let empty = Lock::new(vec![locked(IngredientKind::Model, "a", &[])]).to_text();
        assert_eq!(Lock::parse(&empty), Err(InvalidLock::Empty("a".into())));
        assert_eq!(Lock::parse("version = 2"), Err(InvalidLock::Version(2)));
        assert!(matches!(Lock::parse("version = 1\nx = 1"), Err(InvalidLock::Form(_))));
    }
}
