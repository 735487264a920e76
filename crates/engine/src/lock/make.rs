//! From what a project declares to its lock: every file digested, every ingredient scanned, every promise kept.

use std::path::Path;

use waag_evidence::Decision;
use waag_evidence::ingredient::{Ingredient, IngredientKind};
use waag_evidence::lock::{Lock, Locked, LockedFile};
use waag_evidence::manifest::HashAlgorithm;

use crate::hash::{HashError, HashedFile, Wanted, digest_files, files_of};
use crate::io::FileSource;
use crate::pins::{self, PinsError};
use crate::scan::{Options, Progress, ScanError, scan_paths};
use crate::settings::Settings;

/// A lock, and what stands against it.
#[derive(Debug)]
pub struct Made {
    /// What was found.
    pub lock: Lock,
    /// Why it should not be used as it is, in order of ingredient.
    pub problems: Vec<LockProblem>,
}

/// What a signature says of an ingredient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signed {
    /// None is asked for.
    NotAsked,
    /// It holds, and this is who made it.
    By(String),
    /// It does not hold, for this reason.
    Refused(String),
}

/// Something that stands against locking an ingredient.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LockProblem {
    /// A scan says not to load it.
    #[error("{0} is denied: loading it is not safe")]
    Denied(String),
    /// A file differs from what a list promises.
    #[error("{file} {how}, by {list}")]
    Broken {
        /// The file.
        file: String,
        /// How it differs.
        how: String,
        /// The list.
        list: String,
    },
    /// The signature that it has to have does not hold.
    #[error("{ingredient} is not what a trusted signer signed: {reason}")]
    Signature {
        /// The ingredient.
        ingredient: String,
        /// Why not.
        reason: String,
    },
    /// A pointer of Git LFS, where weights should be.
    #[error("{0} is a pointer of Git LFS, and not what it points to")]
    Pointer(String),
}

/// Why an ingredient could not be locked at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MakeError {
    /// Its files could not be digested.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// It could not be scanned.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// A list of promises could not be used.
    #[error(transparent)]
    Pins(#[from] PinsError),
}

impl MakeError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Hash(error) => Some(error.hint()),
            Self::Scan(error) => error.hint(),
            Self::Pins(error) => Some(error.hint().to_owned()),
        }
    }
}

/// Locks what the settings name, below `root`. `signed` verifies the signature that an ingredient has to have, and
/// says who made it.
///
/// # Errors
/// When a file or a list cannot be read, or a signature does not hold.
pub fn make<E: From<MakeError>>(
    root: &Path,
    settings: &Settings,
    signed: &mut dyn FnMut(&Ingredient) -> Result<Signed, E>,
    progress: &dyn Progress,
) -> Result<Made, E> {
    let mut made = Made { lock: Lock::default(), problems: Vec::new() };
    let mut ingredients = Vec::new();
    for (kind, ingredient) in &settings.ingredients {
        let mut locked = lock_one(root, *kind, ingredient, settings, &mut made.problems, progress)?;
        locked.signer = match signed(ingredient)? {
            Signed::NotAsked => None,
            Signed::By(signer) => Some(signer),
            Signed::Refused(reason) => {
                let ingredient = format!("{kind} '{}'", ingredient.name);
                made.problems.push(LockProblem::Signature { ingredient, reason });
                None
            }
        };
        ingredients.push(locked);
    }
    made.lock = Lock::new(ingredients);
    Ok(made)
}

fn lock_one(
    root: &Path,
    kind: IngredientKind,
    ingredient: &Ingredient,
    settings: &Settings,
    problems: &mut Vec<LockProblem>,
    progress: &dyn Progress,
) -> Result<Locked, MakeError> {
    let place = root.join(&ingredient.path);
    // A signature that lies inside is locked as every other file is.
    let listed = files_of(&place, &[], false, None)?;
    let wanted = Wanted { files: vec![HashAlgorithm::Sha256], shards: None };
    let hashed = digest_files(&listed.files, &wanted, progress)?;
    problems.extend(
        hashed
            .iter()
            .filter(|file| is_pointer(file))
            .map(|file| LockProblem::Pointer(shown(&ingredient.path, &file.file.path))),
    );
    for list in &ingredient.pins {
        let broken = pins::verify(&pins::read(&root.join(list), &place)?, progress);
        problems.extend(broken.into_iter().map(|broken| LockProblem::Broken {
            file: broken.path.strip_prefix(root).unwrap_or(&broken.path).display().to_string(),
            how: broken.how.to_string(),
            list: list.clone(),
        }));
    }
    let options = Options { settings: settings.clone(), ..Options::default() };
    let verdict = scan_paths(&[place], &options, progress)?.verdict.decision;
    if verdict == Decision::Deny {
        problems.push(LockProblem::Denied(format!("{kind} '{}'", ingredient.name)));
    }
    let (name, path) = (ingredient.name.clone(), ingredient.path.clone());
    Ok(Locked { kind, name, path, verdict, signer: None, files: hashed.iter().filter_map(locked_file).collect() })
}

fn locked_file(file: &HashedFile) -> Option<LockedFile> {
    let sha256 = file.digests.iter().find_map(waag_evidence::manifest::Digest::to_sha256)?;
    Some(LockedFile { path: file.file.path.clone(), size: file.file.size, sha256 })
}

/// A file's path below the project.
pub(super) fn shown(ingredient: &str, file: &str) -> String {
    if file == "." { ingredient.to_owned() } else { format!("{ingredient}/{file}") }
}

fn is_pointer(file: &HashedFile) -> bool {
    let read = || {
        let source = FileSource::open(&file.file.opened).ok()?;
        String::from_utf8(waag_formats::source::read_up_to(&source, 0, 1024)).ok()
    };
    file.file.size < 1024 && read().is_some_and(|text| pins::is_pointer(&text))
}
