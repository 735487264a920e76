//! Digests that other tools wrote down: lists of checksums, DVC files, pointers of Git LFS, and the names in a Hugging
//! Face cache. They are read as promises about files, and kept or broken by the files that are there.

mod checksums;
mod digest;
pub(crate) mod dvc;
mod huggingface;
mod lfs;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use waag_evidence::manifest::is_inside;

use crate::io::FileSource;
use crate::scan::Progress;
use waag_formats::source::{Source as _, read_up_to};

pub use digest::PinAlgorithm;
#[cfg(test)]
pub(crate) use digest::of_bytes as digest_bytes;
pub(crate) use digest::of_file as digest_file;

/// Bytes of a list that are read.
const MAX_LIST: u64 = 64 << 20;

/// What a promise was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinKind {
    /// Lines of `sha256sum` and its kin, in GNU's or BSD's form.
    Checksums,
    /// A `.dvc` file or `dvc.lock`.
    Dvc,
    /// A pointer of Git LFS.
    GitLfs,
    /// An entry of a Hugging Face cache, whose blobs are named by what is in them.
    HuggingFaceCache,
}

impl fmt::Display for PinKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Checksums => "checksum list",
            Self::Dvc => "DVC file",
            Self::GitLfs => "Git LFS pointer",
            Self::HuggingFaceCache => "Hugging Face cache",
        })
    }
}

/// A promise about one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The file.
    pub path: PathBuf,
    /// What its digest is made with.
    pub algorithm: PinAlgorithm,
    /// The digest, in lower-case hexadecimal digits.
    pub digest: String,
    /// Its size, where that is promised too.
    pub size: Option<u64>,
}

/// All promises of one list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pins {
    /// What they were read from.
    pub kind: PinKind,
    /// The promises, in listed order.
    pub pins: Vec<Pin>,
    /// Folders of which the list knows every file.
    pub whole: Vec<PathBuf>,
    /// What could not be taken from the list, for people.
    pub notes: Vec<String>,
}

/// How a promise was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The file.
    pub path: PathBuf,
    /// In what way.
    pub how: Breach,
}

/// The ways of breaking a promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Breach {
    /// It is not there.
    Missing,
    /// It cannot be read.
    Unreadable(String),
    /// Other bytes than promised.
    Changed {
        /// The promise.
        expected: String,
        /// What is there.
        found: String,
    },
    /// It is there, and the list, which knows every file, has nothing of it.
    Unlisted,
}

impl fmt::Display for Breach {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => formatter.write_str("is not there"),
            Self::Unreadable(why) => write!(formatter, "cannot be read: {why}"),
            Self::Changed { expected, found } => write!(formatter, "has {found}, and {expected} was promised"),
            Self::Unlisted => formatter.write_str("is not on the list"),
        }
    }
}

/// Why a list could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PinsError {
    /// The list cannot be read.
    #[error("cannot read '{}': {source}", crate::sanitize::sanitize(path))]
    Unreadable {
        /// The list.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// It is no list that is known here.
    #[error("'{}' holds no digests that are known here", crate::sanitize::sanitize(.0))]
    Unknown(String),
    /// It says something that is no promise about a file below it.
    #[error("'{}': {}", crate::sanitize::sanitize(path), crate::sanitize::sanitize(reason))]
    Invalid {
        /// The list.
        path: String,
        /// What is wrong.
        reason: String,
    },
}

impl PinsError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "check the spelling and the permissions",
            Self::Unknown(_) => {
                "lists of sha256sum, sha512sum, b2sum, b3sum and md5sum are read, .dvc files, dvc.lock, pointers of Git \
                 LFS and entries of a Hugging Face cache"
            }
            Self::Invalid { .. } => "a list with names that lead elsewhere is not to be trusted: ask who wrote it",
        }
    }
}

/// Reads a list. `subject` is what it is about, where the list has no name for it, as a pointer of Git LFS has none.
///
/// # Errors
/// When it cannot be read, is of no known kind, or names files that are not below it.
pub fn read(list: &Path, subject: &Path) -> Result<Pins, PinsError> {
    let unreadable = |source| PinsError::Unreadable { path: list.display().to_string(), source };
    if std::fs::metadata(list).map_err(unreadable)?.is_dir() {
        return huggingface::read(list);
    }
    let source = FileSource::open(list).map_err(unreadable)?;
    if source.len() > MAX_LIST {
        return Err(PinsError::Unknown(list.display().to_string()));
    }
    let bytes = read_up_to(&source, 0, usize::try_from(MAX_LIST).unwrap_or(usize::MAX));
    let Ok(text) = String::from_utf8(bytes) else { return Err(PinsError::Unknown(list.display().to_string())) };
    let name = list.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if let Some(pins) = lfs::read(&text, subject) {
        return Ok(pins);
    }
    if name == "dvc.lock" || Path::new(&name).extension().is_some_and(|extension| extension == "dvc") {
        return dvc::read(list, &text);
    }
    checksums::read(list, &name, &text)
}

/// Whether a text is a pointer of Git LFS, which stands where a file should be that was not fetched.
#[must_use]
pub fn is_pointer(text: &str) -> bool {
    lfs::pointer(text).is_some()
}

/// Where a name in a list leads.
fn below(list: &Path, name: &str) -> Result<PathBuf, PinsError> {
    let plain = name.trim_start_matches("./");
    if is_inside(plain) && plain != "." {
        return Ok(list.parent().unwrap_or(Path::new("")).join(plain));
    }
    let reason = format!("it names '{name}', which is not a file below it");
    Err(PinsError::Invalid { path: list.display().to_string(), reason })
}

/// Reads every promised file and tells which promises are broken, in order of path.
#[must_use]
pub fn verify(pins: &Pins, progress: &dyn Progress) -> Vec<Broken> {
    let mut broken = digest::verify(&pins.pins, progress);
    broken.extend(unlisted(pins));
    broken.sort_by(|one, other| one.path.cmp(&other.path));
    broken
}

/// Files in folders of which the list knows all.
fn unlisted(pins: &Pins) -> Vec<Broken> {
    let known: std::collections::HashSet<&Path> = pins.pins.iter().map(|pin| pin.path.as_path()).collect();
    let mut found = Vec::new();
    for folder in &pins.whole {
        let files = match crate::hash::files_of(folder, &[], true, None) {
            Ok(files) => files,
            Err(error) => {
                let how = Breach::Unreadable(error.to_string());
                found.push(Broken { path: folder.clone(), how });
                continue;
            }
        };
        let paths = files.files.into_iter().map(|file| folder.join(file.path));
        let extra = paths.filter(|path| !known.contains(path.as_path()));
        found.extend(extra.map(|path| Broken { path, how: Breach::Unlisted }));
    }
    found
}
