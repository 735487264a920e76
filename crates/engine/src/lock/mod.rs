//! The lock of a project: making `waag.lock`, comparing with it, and getting exactly what it names.

mod check;
mod drift;
mod fetch;
mod make;
mod signature;

use std::io;
use std::path::{Path, PathBuf};

use waag_evidence::lock::{InvalidLock, Lock};

pub(crate) use check::{Asked, Check};
pub use drift::{Drift, DriftKind, Known, compare};
pub use fetch::{Fetched, fetch};
pub use make::{LockProblem, Made, MakeError, Signed, make};
pub use signature::{SignedError, signed};

/// Name of the file.
pub const FILE_NAME: &str = "waag.lock";
/// Bytes of it that are read: about a million files.
const MAX_BYTES: u64 = 256 << 20;

/// Why a lock could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// It cannot be read.
    #[error("cannot read '{}': {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It says something that no lock says.
    #[error("'{}' is no lock: {}", path.display(), crate::sanitize::sanitize(&source.to_string()))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: InvalidLock,
    },
}

impl LockError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => "make it with `waag lock`",
            Self::Read { .. } => "check the permissions of the file and of the folders above it",
            Self::Invalid { source: InvalidLock::Version(_), .. } => "a newer waag wrote it: update this one",
            Self::Invalid { .. } => {
                "nobody has to edit a lock: take it from version control again, or make it anew with `waag lock`"
            }
        }
    }
}

/// A lock and the folder that its paths are below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectLock {
    /// The folder.
    pub root: PathBuf,
    /// What was locked.
    pub lock: Lock,
}

impl ProjectLock {
    /// Reads the lock of a project's folder; none where there is no lock.
    ///
    /// # Errors
    /// When there is one that cannot be read or is none.
    pub fn load(root: &Path) -> Result<Option<Self>, LockError> {
        let path = root.join(FILE_NAME);
        let text = match read(&path) {
            Ok(text) => text,
            Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(LockError::Read { path, source }),
        };
        let lock = Lock::parse(&text).map_err(|source| LockError::Invalid { path, source })?;
        Ok(Some(Self { root: root.to_owned(), lock }))
    }
}

fn read(path: &Path) -> io::Result<String> {
    use io::Read as _;
    let file = std::fs::File::open(path)?;
    let mut bytes = Vec::new();
    io::copy(&mut file.take(MAX_BYTES + 1), &mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::other("it is longer than any lock"));
    }
    String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}
