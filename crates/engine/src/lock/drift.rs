//! What differs between a lock and the files that are there.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};

use waag_evidence::Sha256Digest;
use waag_evidence::lock::{Locked, LockedFile};
use waag_evidence::manifest::HashAlgorithm;

use crate::hash::{HashError, ModelFile, Wanted, digest_files, files_of};
use crate::scan::Silent;

/// Digests that are known already, by the path of the file that was really read.
pub type Known = HashMap<PathBuf, Sha256Digest>;

/// A file that is not as it was locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// Path below the ingredient; `.` for the ingredient itself.
    pub path: String,
    /// In what way.
    pub kind: DriftKind,
}

/// The ways in which a file differs from its lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DriftKind {
    /// Other bytes.
    Changed {
        /// What was locked.
        locked: Sha256Digest,
        /// What is there.
        found: Sha256Digest,
    },
    /// It was locked, and is not there.
    Missing,
    /// It is there, and was not locked.
    Added,
    /// It could not be compared.
    Unreadable(String),
}

impl fmt::Display for DriftKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { locked, found } => write!(formatter, "has digest {found}, and {locked} was locked"),
            Self::Missing => formatter.write_str("was locked and is not there"),
            Self::Added => formatter.write_str("is there and was not locked"),
            Self::Unreadable(why) => write!(formatter, "cannot be compared: {why}"),
        }
    }
}

/// Compares an ingredient with its lock, in order of path. Files whose digest is not known are read.
#[must_use]
pub fn compare(root: &Path, locked: &Locked, known: &Known) -> Vec<Drift> {
    let place = root.join(&locked.path);
    if !place.exists() {
        return vec![Drift { path: ".".into(), kind: DriftKind::Missing }];
    }
    let listed = match files_of(&place, &[], false, None) {
        Ok(listed) => listed.files,
        Err(error) => return vec![unreadable(&error)],
    };
    let mut expected: BTreeMap<&str, &LockedFile> =
        locked.files.iter().map(|file| (file.path.as_str(), file)).collect();
    let mut drifts: Vec<Drift> = listed
        .iter()
        .filter_map(|file| {
            let kind = match expected.remove(file.path.as_str()) {
                None => Some(DriftKind::Added),
                Some(locked) => compare_file(file, locked, known),
            };
            kind.map(|kind| Drift { path: file.path.clone(), kind })
        })
        .collect();
    drifts.extend(expected.into_keys().map(|path| Drift { path: path.to_owned(), kind: DriftKind::Missing }));
    drifts.sort_by(|one, other| one.path.cmp(&other.path));
    drifts
}

fn unreadable(error: &HashError) -> Drift {
    Drift { path: ".".into(), kind: DriftKind::Unreadable(error.to_string()) }
}

fn compare_file(file: &ModelFile, locked: &LockedFile, known: &Known) -> Option<DriftKind> {
    let found = match known.get(&file.opened) {
        Some(digest) => *digest,
        None => match sha256_of(file) {
            Ok(digest) => digest,
            Err(error) => return Some(DriftKind::Unreadable(error.to_string())),
        },
    };
    (found != locked.sha256).then_some(DriftKind::Changed { locked: locked.sha256, found })
}

fn sha256_of(file: &ModelFile) -> Result<Sha256Digest, HashError> {
    let wanted = Wanted { files: vec![HashAlgorithm::Sha256], shards: None };
    let hashed = digest_files(std::slice::from_ref(file), &wanted, &Silent)?;
    let digest = hashed.into_iter().flat_map(|file| file.digests).find_map(|digest| digest.to_sha256());
    digest.ok_or_else(|| HashError::Changed(file.path.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use waag_evidence::Decision;
    use waag_evidence::ingredient::IngredientKind;

    fn locked(files: &[(&str, &str)]) -> Locked {
        let files = files.iter().map(|(path, content)| LockedFile {
            path: (*path).into(),
            size: content.len() as u64,
            sha256: crate::io::sha256(&content.as_bytes()).unwrap(),
        });
        Locked {
            kind: IngredientKind::Model,
            name: "m".into(),
            path: "m".into(),
            verdict: Decision::Allow,
            signer: None,
            files: files.collect(),
        }
    }

    #[test]
    fn every_difference_is_named() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("m")).unwrap();
        for (name, content) in [("same", "1"), ("changed", "2"), ("added", "3")] {
            std::fs::write(root.path().join("m").join(name), content).unwrap();
        }
        let lock = locked(&[("same", "1"), ("changed", "x"), ("missing", "y")]);
        let drifts = compare(root.path(), &lock, &Known::new());
        let told: Vec<_> = drifts.iter().map(|drift| (drift.path.as_str(), &drift.kind)).collect();
        assert!(matches!(
            told[..],
            [("added", DriftKind::Added), ("changed", DriftKind::Changed { .. }), ("missing", DriftKind::Missing)]
        ));
    }

    #[test]
    fn an_ingredient_that_is_gone_or_linked_elsewhere_is_told() {
        let root = tempfile::tempdir().unwrap();
        let lock = locked(&[("a", "1")]);
        let gone = Drift { path: ".".into(), kind: DriftKind::Missing };
        assert_eq!(compare(root.path(), &lock, &Known::new()), [gone]);
        std::fs::create_dir(root.path().join("m")).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", root.path().join("m/a")).unwrap();
        assert!(matches!(compare(root.path(), &lock, &Known::new())[0].kind, DriftKind::Unreadable(_)));
    }
}
