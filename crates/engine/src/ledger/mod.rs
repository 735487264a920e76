//! Where evidence is kept: `.waag`, a folder of statements and an index over them.
//!
//! The statements are the ledger. Each is a file that is named by the digest of its bytes, and is written so that it is
//! there as a whole or not at all. The index answers questions; it is made from the statements, and a statement whose
//! bytes are not what its name says is in no answer.

pub mod assurance;
mod binding;
pub mod entry;
pub mod exchange;
pub mod graph;
mod index;
pub mod input;
pub mod judge;
mod prepared;
mod query;
mod store;

use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use waag_evidence::Sha256Digest;

pub use index::Origin;
pub use query::{Listed, StatementRow};
pub use store::{Fault, Kept};

use crate::sanitize::sanitize;
use entry::Entry;
use index::Index;
use store::Store;

/// Name of the folder.
pub const FOLDER_NAME: &str = ".waag";
/// Entries that are written together.
const BATCH: usize = 4096;
/// Bytes of them.
const BATCH_BYTES: usize = 64 << 20;

/// Why a ledger cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// There is none.
    #[error("there is no ledger in '{}'", sanitize(&.0.display().to_string()))]
    None(PathBuf),
    /// Its files cannot be used.
    #[error("cannot use the ledger in '{}': {source}", sanitize(&folder.display().to_string()))]
    Store {
        /// The ledger.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Its index cannot be used, and cannot be made again either.
    #[error("cannot use the index of the ledger: {0}")]
    Index(#[from] rusqlite::Error),
    /// A file that is given cannot be read.
    #[error("cannot read '{}': {source}", sanitize(&path.display().to_string()))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Nothing is called so.
    #[error("the ledger has no statement '{}'", sanitize(.0))]
    NoStatement(String),
    /// More than one is called so.
    #[error("'{}' stands for {} of what the ledger knows", sanitize(text), count)]
    Ambiguous {
        /// What was asked for.
        text: String,
        /// How many begin with it.
        count: usize,
    },
    /// An entry that was asked for is not believed.
    #[error("the statement {digest} {}", fault.words())]
    Faulty {
        /// Which.
        digest: Sha256Digest,
        /// What is wrong with it.
        fault: Fault,
    },
}

/// What went wrong between a file that is given and the ledger.
enum AddError {
    Read(io::Error),
    Keep(LedgerError),
}

impl From<io::Error> for AddError {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

impl LedgerError {
    /// Whether there was no room to write, on the disk or by the user's quota.
    fn is_full(&self) -> bool {
        match self {
            Self::Store { source, .. } => {
                matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
            }
            Self::Index(error) => error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull),
            _ => false,
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            _ if self.is_full() => {
                "the disk is full. Nothing that the ledger had is lost, and no statement is there in \
                                    part: make room, and do the same again; what was already kept is not kept twice"
                    .into()
            }
            Self::None(_) => "make one by adding a statement: waag ledger add FILE".into(),
            Self::Store { .. } => {
                "check who may read and write it, and that no link stands in place of a folder".into()
            }
            Self::Index(_) => {
                "the statements have everything: remove index.sqlite and graph from the ledger, and try again".into()
            }
            Self::Read { .. } => "check the spelling of the path, and who may read it".into(),
            Self::NoStatement(_) => "list what there is: waag ledger list".into(),
            Self::Ambiguous { .. } => "give more digits, or the whole digest".into(),
            Self::Faulty { .. } => {
                "bring it back from where it came from, and add it again; waag ledger check names every one".into()
            }
        }
    }
}

/// An open ledger.
#[derive(Debug)]
pub struct Ledger {
    store: Store,
    index: Index,
    origin: Origin,
    /// Whether the picture of the graph beside the index was found to be another.
    without_picture: bool,
}

/// What became of documents that were added.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// Statements that are new.
    pub new: u64,
    /// Statements that were there.
    pub known: u64,
    /// Statements that were there with other bytes.
    pub repaired: u64,
    /// What is kept, in the order in which it was given.
    pub digests: Vec<Sha256Digest>,
    /// Documents that are no statements: where, and why.
    pub refused: Vec<Refused>,
}

/// A document that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The file.
    pub path: PathBuf,
    /// Its line, where it has several.
    pub line: Option<u64>,
    /// Why, after "it".
    pub reason: String,
}

/// What a ledger was found to be.
#[derive(Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Checked {
    /// Statements whose bytes are what their names say.
    pub good: u64,
    /// Everything else, by name.
    pub faults: Vec<FaultyEntry>,
    /// Statements that are kept whole and that nothing could be read from: which, and why.
    pub unread: Vec<(String, String)>,
    /// Statements that name more than the graph takes up, and how much more.
    pub cut: Vec<(String, u64)>,
}

/// An entry that is not believed.
#[derive(Debug, PartialEq, Eq, serde::Serialize)]
pub struct FaultyEntry {
    /// Its path below the ledger.
    pub name: String,
    /// What is wrong with it.
    pub fault: Fault,
}

impl Ledger {
    /// The ledger in force for a directory: the nearest one upwards, no further than the repository it lies in. Outside a
    /// repository only the directory itself counts, since others may write to those above.
    #[must_use]
    pub fn find(directory: &Path) -> Option<PathBuf> {
        let root = directory.ancestors().find(|directory| directory.join(".git").exists()).unwrap_or(directory);
        let inside = directory.ancestors().take_while(|directory| directory.starts_with(root));
        let is_folder = |path: &PathBuf| path.symlink_metadata().is_ok_and(|found| found.is_dir());
        inside.map(|directory| directory.join(FOLDER_NAME)).find(is_folder)
    }

    /// Opens a ledger and brings its index up to date. `cache` is waag's own folder in the user's cache.
    ///
    /// # Errors
    /// When there is none or it cannot be used.
    pub fn open(folder: &Path, cache: Option<&Path>) -> Result<Self, LedgerError> {
        if !folder.is_dir() {
            return Err(LedgerError::None(folder.to_owned()));
        }
        let store = Store::open(folder).map_err(|source| store_error(folder, source))?;
        Self::with(store, cache)
    }

    /// Opens a ledger, or makes it.
    ///
    /// # Errors
    /// When it cannot be used.
    pub fn create(folder: &Path, cache: Option<&Path>) -> Result<Self, LedgerError> {
        let store = Store::create(folder).map_err(|source| store_error(folder, source))?;
        store.tidy();
        Self::with(store, cache)
    }

    fn with(store: Store, cache: Option<&Path>) -> Result<Self, LedgerError> {
        let (mut index, origin) = Index::open(&store, cache)?;
        index.reconcile(&store)?;
        Ok(Self { store, index, origin, without_picture: false })
    }

    /// How the index came to be.
    #[must_use]
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// Adds documents: files, and folders of files.
    ///
    /// # Errors
    /// When something cannot be read or written. What is no statement is no error, but among the refused.
    pub fn add(&mut self, paths: &[PathBuf]) -> Result<Added, LedgerError> {
        let (mut added, mut batch, mut bytes) = (Added::default(), Vec::new(), 0);
        for path in paths {
            let read = |source| LedgerError::Read { path: path.clone(), source };
            let (files, _) = input::files(path).map_err(read)?;
            for file in files {
                input::documents(&file, |document| {
                    let input::Document { path, line, bytes: json, broken } = document;
                    let entry = broken.map_or_else(|| Entry::of_document(&json).map_err(|why| why.0), Err);
                    match entry {
                        Ok(entry) => {
                            bytes += entry.bytes.len();
                            batch.push(entry);
                        }
                        Err(reason) => added.refused.push(Refused { path, line, reason }),
                    }
                    if batch.len() >= BATCH || bytes >= BATCH_BYTES {
                        bytes = 0;
                        self.keep(&std::mem::take(&mut batch), &mut added).map_err(AddError::Keep)?;
                    }
                    Ok(())
                })
                .map_err(|error| match error {
                    AddError::Read(source) => LedgerError::Read { path: file.clone(), source },
                    AddError::Keep(error) => error,
                })?;
            }
        }
        self.keep(&batch, &mut added)?;
        self.index.reconcile(&self.store)?;
        self.renew_picture()?;
        Ok(added)
    }

    /// Keeps entries, and takes up what they say.
    fn keep(&mut self, entries: &[Entry], added: &mut Added) -> Result<(), LedgerError> {
        let kept = self.store.keep(entries).map_err(|source| store_error(self.store.folder(), source))?;
        for (entry, kept) in entries.iter().zip(kept) {
            match kept {
                Kept::New => added.new += 1,
                Kept::Known => added.known += 1,
                Kept::Repaired => added.repaired += 1,
            }
            added.digests.push(entry.digest);
        }
        let digests: Vec<_> = entries.iter().map(|entry| entry.digest).collect();
        Ok(self.index.take_up(&self.store, &digests)?)
    }

    /// Reads and digests every entry, and names each that is not what it should be.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn check(&mut self) -> Result<Checked, LedgerError> {
        let mut checked = Checked::default();
        for (shard, _) in self.store.shards() {
            let Ok((digests, strays)) = self.store.list(&shard) else {
                checked.faults.push(FaultyEntry { name: store::shard_name(&shard), fault: Fault::Unreadable });
                continue;
            };
            let digests: Vec<_> = digests.into_iter().collect();
            let read: Vec<_> = digests.par_iter().map(|digest| self.store.read(digest).map(drop).err()).collect();
            for (digest, fault) in digests.iter().zip(read) {
                match fault {
                    None => checked.good += 1,
                    Some(fault) => checked.faults.push(FaultyEntry { name: self.name_of(digest), fault }),
                }
                if self.index.fault(digest)? != fault {
                    self.index.mark(digest, fault)?;
                    // What was never read is read now.
                    self.index.take_up(&self.store, std::slice::from_ref(digest))?;
                }
            }
            checked.faults.extend(strays.into_iter().map(|name| FaultyEntry { name, fault: Fault::Stray }));
        }
        for digest in self.index.missing()? {
            checked.faults.push(FaultyEntry { name: self.name_of(&digest), fault: Fault::Missing });
        }
        checked.faults.sort_by(|one, other| one.name.cmp(&other.name));
        (checked.unread, checked.cut) = (self.index.unread()?, self.index.cut()?);
        Ok(checked)
    }

    fn name_of(&self, digest: &Sha256Digest) -> String {
        let path = self.store.path(digest);
        path.strip_prefix(self.store.folder()).unwrap_or(&path).display().to_string()
    }

    /// The bytes of an entry.
    ///
    /// # Errors
    /// When it is not there or not believed.
    pub fn read(&self, digest: &Sha256Digest) -> Result<Vec<u8>, LedgerError> {
        let read = self.store.read(digest).map(|(bytes, _)| bytes);
        read.map_err(|fault| LedgerError::Faulty { digest: *digest, fault })
    }
}

fn store_error(folder: &Path, source: io::Error) -> LedgerError {
    LedgerError::Store { folder: folder.to_owned(), source }
}

#[cfg(test)]
mod tests;
