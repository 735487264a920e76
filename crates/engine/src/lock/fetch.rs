//! Exactly what a lock names, copied from a folder that has it. A file takes its place only when all of its bytes have
//! the digest that was locked.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use waag_evidence::Sha256Digest;
use waag_evidence::lock::{Locked, LockedFile};

use super::ProjectLock;
use super::make::shown;
use crate::io::{FileSource, sha256, write_atomically};
use crate::scan::Progress;

/// Bytes copied at once.
const BLOCK: usize = 1 << 20;

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// It was there already, as locked.
    Present,
    /// It was copied from here.
    Copied(PathBuf),
    /// The folder has no file of this name or digest.
    NotFound,
    /// The folder has one, with other bytes: nothing was written.
    Different {
        /// The file.
        from: PathBuf,
        /// What it has.
        found: Sha256Digest,
    },
    /// It could not be read or written.
    Failed(String),
}

/// Gets every file of a lock from a folder, in order; tells what became of each, by its path below the project.
///
/// `from` has the files under the paths of the project, or below the names of the ingredients, or under their digests:
/// as `blobs/sha256/DIGEST` of an image layout, `blobs/DIGEST` of a Hugging Face cache, or objects of Git LFS.
pub fn fetch(project: &ProjectLock, from: &Path, only: &[String], progress: &dyn Progress) -> Vec<(String, Fetched)> {
    let wanted = |locked: &&Locked| only.is_empty() || only.contains(&locked.name) || only.contains(&locked.path);
    let chosen: Vec<&Locked> = project.lock.ingredients.iter().filter(wanted).collect();
    let files = chosen.iter().flat_map(|locked| locked.files.iter().map(move |file| (*locked, file)));
    let files: Vec<_> = files.collect();
    progress.total(files.len() as u64, files.iter().map(|(_, file)| file.size).sum());
    let mut fetched = Vec::new();
    for (locked, file) in files {
        let path = shown(&locked.path, &file.path);
        let became = fetch_file(&project.root.join(&path), &candidates(from, locked, file), file);
        progress.advance(file.size, &path);
        fetched.push((path, became));
    }
    fetched
}

/// Where a folder may have a file, likeliest first.
fn candidates(from: &Path, locked: &Locked, file: &LockedFile) -> Vec<PathBuf> {
    let digest = file.sha256.to_string();
    let (first, second) = (&digest[..2], &digest[2..4]);
    vec![
        from.join(shown(&locked.path, &file.path)),
        from.join(shown(&locked.name, &file.path)),
        from.join("blobs/sha256").join(&digest),
        from.join("blobs").join(&digest),
        from.join(".git/lfs/objects").join(first).join(second).join(&digest),
    ]
}

fn fetch_file(to: &Path, candidates: &[PathBuf], file: &LockedFile) -> Fetched {
    if FileSource::open(to).is_ok_and(|there| sha256(&there) == Ok(file.sha256)) {
        return Fetched::Present;
    }
    let mut different = None;
    for from in candidates.iter().filter(|from| from.is_file()) {
        match copy(from, to, file.sha256) {
            Ok(None) => return Fetched::Copied(from.clone()),
            Ok(Some(found)) => different = different.or(Some(Fetched::Different { from: from.clone(), found })),
            Err(error) => return Fetched::Failed(error.to_string()),
        }
    }
    different.unwrap_or(Fetched::NotFound)
}

/// Copies a file, unless it has another digest, which is then told.
fn copy(from: &Path, to: &Path, expected: Sha256Digest) -> io::Result<Option<Sha256Digest>> {
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder)?;
    }
    write_atomically(to, |out| {
        let mut hasher = Sha256::new();
        each_block(from, |block| {
            hasher.update(block);
            out.write_all(block)
        })?;
        let found = Sha256Digest::new(hasher.finalize().into());
        Ok((found != expected).then_some(found))
    })
}

fn each_block(path: &Path, mut visit: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut block = vec![0; BLOCK];
    loop {
        match file.read(&mut block)? {
            0 => return Ok(()),
            count => visit(&block[..count])?,
        }
    }
}
