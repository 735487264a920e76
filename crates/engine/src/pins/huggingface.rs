//! An entry of a Hugging Face cache (`models--org--name`): its blobs are named by SHA-256 where they came by way of Git
//! LFS, and by Git's own digest, a SHA-1, where they are small files.

use std::path::Path;

use super::digest::PinAlgorithm;
use super::{Pin, PinKind, Pins, PinsError};

/// Blobs of one entry.
const MAX_BLOBS: usize = 1_000_000;

/// Reads the names of an entry's blobs. `folder` is the entry, or something below it, such as a snapshot.
pub(super) fn read(folder: &Path) -> Result<Pins, PinsError> {
    let unreadable = |source| PinsError::Unreadable { path: folder.display().to_string(), source };
    let whole = std::fs::canonicalize(folder).map_err(unreadable)?;
    let Some(blobs) = whole.ancestors().map(|folder| folder.join("blobs")).find(|blobs| blobs.is_dir()) else {
        return Err(PinsError::Unknown(folder.display().to_string()));
    };
    let mut pins = Vec::new();
    let mut notes = Vec::new();
    for entry in std::fs::read_dir(&blobs).map_err(unreadable)?.take(MAX_BLOBS) {
        let path = entry.map_err(unreadable)?.path();
        match promise(&path) {
            Some((algorithm, digest)) => pins.push(Pin { path, algorithm, digest, size: None }),
            None => notes.push(format!("'{}' has a name that is no digest", path.display())),
        }
    }
    pins.sort_by(|one, other| one.path.cmp(&other.path));
    notes.sort();
    match pins.is_empty() {
        true => Err(PinsError::Unknown(folder.display().to_string())),
        false => Ok(Pins { kind: PinKind::HuggingFaceCache, pins, whole: Vec::new(), notes }),
    }
}

fn promise(path: &Path) -> Option<(PinAlgorithm, String)> {
    let name = path.file_name()?.to_str()?;
    let is_digest = name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    match name.len() {
        64 if is_digest => Some((PinAlgorithm::Sha256, name.to_owned())),
        40 if is_digest => Some((PinAlgorithm::GitBlob, name.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pins::{Breach, digest::of_bytes, verify};
    use crate::scan::Silent;

    #[test]
    fn names_of_blobs_are_promises() {
        let root = tempfile::tempdir().unwrap();
        let entry = root.path().join("models--org--name");
        let snapshot = entry.join("snapshots/1");
        std::fs::create_dir_all(&snapshot).unwrap();
        std::fs::create_dir_all(entry.join("blobs")).unwrap();
        for algorithm in [PinAlgorithm::Sha256, PinAlgorithm::GitBlob] {
            std::fs::write(entry.join("blobs").join(of_bytes(b"abc", algorithm)), "abc").unwrap();
        }
        std::fs::write(entry.join("blobs/abc.incomplete"), "").unwrap();
        let pins = super::super::read(&snapshot, &snapshot).unwrap();
        assert_eq!((pins.pins.len(), pins.notes.len()), (2, 1));
        assert_eq!(verify(&pins, &Silent), []);
        std::fs::write(&pins.pins[0].path, "abd").unwrap();
        assert!(matches!(verify(&pins, &Silent)[0].how, Breach::Changed { .. }));
    }
}
