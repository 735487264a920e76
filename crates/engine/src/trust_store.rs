//! Where a user's trusted root is kept: one file, `trusted_root.json`, in a folder of theirs; without it, the root within
//! waag counts. Signing configurations are kept beside it.

use std::fmt;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use waag_signing::keyless::{KeylessError, TrustedRoot};

use crate::bounded;
use crate::sanitize::sanitize;

/// Name of the file with the trusted root.
const ROOT: &str = "trusted_root.json";
/// Name of the file with the signing configuration.
const SERVICES: &str = "signing_config.json";
/// Name of the folder in which a TUF client remembers what it has seen.
const MEMORY: &str = "tuf";
/// Bytes of either file that are read.
const MAX_BYTES: u64 = 4 << 20;

/// Where a trusted root comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A file the user named.
    Named(PathBuf),
    /// The user's own, imported or updated.
    Stored(PathBuf),
    /// This version of waag.
    Within,
}

/// Why trust material could not be read or kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A file cannot be read.
    #[error("cannot read '{}': {source}", shown(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write '{}': {source}", shown(path))]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("'{}': {source}", shown(path))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: KeylessError,
    },
    /// There is no folder to keep things in.
    #[error("there is no folder to keep a trusted root in: neither XDG_DATA_HOME nor HOME is set")]
    NoFolder,
}

impl StoreError {
    /// What to do next.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Read { .. } => "name a file that exists and may be read",
            Self::Write { .. } => "make room, or let XDG_DATA_HOME name a folder that can be written to",
            Self::Invalid { source, .. } => source.hint(),
            Self::NoFolder => "let XDG_DATA_HOME name a folder, or give the root with --trusted-root each time",
        }
    }
}

fn shown(path: &Path) -> impl fmt::Display + use<> {
    sanitize(&path.display().to_string())
}

/// A user's trust material.
#[derive(Debug, Clone, Default)]
pub struct TrustStore {
    folder: Option<PathBuf>,
}

impl TrustStore {
    /// The store in a folder; one without a folder has nothing and keeps nothing.
    #[must_use]
    pub const fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// The root that counts: the named file, or else the stored one, or else the one within waag. A stored root that
    /// cannot be used is an error, and no other is taken for it.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is no trusted root.
    pub fn trusted_root(&self, named: Option<&Path>) -> Result<(TrustedRoot, Origin), StoreError> {
        if let Some(path) = named {
            return Ok((root(path)?, Origin::Named(path.to_owned())));
        }
        match self.existing(ROOT) {
            Some(path) => Ok((root(&path)?, Origin::Stored(path))),
            None => Ok((within()?, Origin::Within)),
        }
    }

    /// The bytes of the signing configuration that counts; None for the one within waag.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn signing_config(&self, named: Option<&Path>) -> Result<Option<Vec<u8>>, StoreError> {
        let stored = self.existing(SERVICES);
        named.or(stored.as_deref()).map(read).transpose()
    }

    /// Keeps a trusted root, in place of what was there: all of it or nothing. Gives the file.
    ///
    /// # Errors
    ///
    /// There is no folder, or it cannot be written to.
    pub fn keep_root(&self, root: &TrustedRoot) -> Result<PathBuf, StoreError> {
        self.keep(ROOT, root.json())
    }

    /// Keeps a signing configuration. Gives the file.
    ///
    /// # Errors
    ///
    /// There is no folder, or it cannot be written to.
    pub fn keep_signing_config(&self, json: &str) -> Result<PathBuf, StoreError> {
        self.keep(SERVICES, json)
    }

    /// The folder in which a TUF client remembers what it has seen.
    ///
    /// # Errors
    ///
    /// There is no folder.
    pub fn memory(&self) -> Result<PathBuf, StoreError> {
        self.folder.as_ref().map(|folder| folder.join(MEMORY)).ok_or(StoreError::NoFolder)
    }

    fn existing(&self, name: &str) -> Option<PathBuf> {
        // A file that is there and cannot be read is an error later, and not absent.
        self.folder.as_ref().map(|folder| folder.join(name)).filter(|path| path.symlink_metadata().is_ok())
    }

    fn keep(&self, name: &str, text: &str) -> Result<PathBuf, StoreError> {
        let folder = self.folder.as_ref().ok_or(StoreError::NoFolder)?;
        let path = folder.join(name);
        let written = write(folder, &path, text);
        written.map_err(|source| StoreError::Write { path: path.clone(), source })?;
        Ok(path)
    }
}

/// Writes beside the file, and puts it in its place when it is whole and on the disk.
fn write(folder: &Path, path: &Path, text: &str) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

fn root(path: &Path) -> Result<TrustedRoot, StoreError> {
    let invalid = |source| StoreError::Invalid { path: path.to_owned(), source };
    TrustedRoot::from_json(&read(path)?).map_err(invalid)
}

fn within() -> Result<TrustedRoot, StoreError> {
    TrustedRoot::production().map_err(|source| StoreError::Invalid { path: PathBuf::from("waag"), source })
}

fn read(path: &Path) -> Result<Vec<u8>, StoreError> {
    bounded::read(path, MAX_BYTES).map_err(|source| StoreError::Read { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_counts_and_what_is_named_counts_more() {
        let folder = tempfile::tempdir().unwrap();
        let store = TrustStore::new(Some(folder.path().join("waag")));
        assert_eq!(store.trusted_root(None).unwrap().1, Origin::Within);
        let staging = TrustedRoot::staging().unwrap();
        let path = store.keep_root(&staging).unwrap();
        let (root, origin) = store.trusted_root(None).unwrap();
        assert_eq!((root.json(), &origin), (staging.json(), &Origin::Stored(path.clone())));
        let (_, origin) = store.trusted_root(Some(&path)).unwrap();
        assert_eq!(origin, Origin::Named(path));
        assert_eq!(std::fs::read_dir(folder.path().join("waag")).unwrap().count(), 1);
    }

    #[test]
    fn a_stored_root_that_is_broken_is_no_reason_to_take_another() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(ROOT), "{}").unwrap();
        let store = TrustStore::new(Some(folder.path().to_owned()));
        assert!(matches!(store.trusted_root(None), Err(StoreError::Invalid { .. })));
    }

    #[test]
    fn without_a_folder_nothing_is_kept() {
        let store = TrustStore::new(None);
        let root = store.trusted_root(None).unwrap().0;
        assert!(matches!(store.keep_root(&root), Err(StoreError::NoFolder)));
    }
}
