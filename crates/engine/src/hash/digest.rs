//! Files to digests, on all cores: across files, and across the shards of one.

use std::fs::File;
use std::io;
use std::path::Path;

use blake2::Blake2b512;
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};
use waag_evidence::manifest::{Digest, HashAlgorithm, Shard};

use super::block::each_block;
use super::{HashError, ModelFile};
use crate::scan::Progress;

/// Shards of one file: a signature may ask for shards of a byte.
const MAX_SHARDS: u64 = 1 << 20;
/// Bytes from which BLAKE3 is worth more than one core.
const BLAKE3_BLOCK: usize = 128 << 10;

/// What to digest each file with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Algorithms for whole files, in the order in which they are told.
    pub files: Vec<HashAlgorithm>,
    /// Bytes of a shard, and how shards are digested.
    pub shards: Option<(u64, HashAlgorithm)>,
}

/// A file and its digests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashedFile {
    /// The file.
    pub file: ModelFile,
    /// One for each algorithm that was wanted, in that order.
    pub digests: Vec<Digest>,
    /// Its shards, in order; none of a file without bytes.
    pub shards: Vec<(Shard, Digest)>,
}

/// Digests files, each of which is read once unless both its whole and its shards are wanted.
///
/// # Errors
/// When a file cannot be read or changes while it is read; the first in order of path.
pub fn digest_files(
    files: &[ModelFile],
    wanted: &Wanted,
    progress: &dyn Progress,
) -> Result<Vec<HashedFile>, HashError> {
    progress.total(files.len() as u64, files.iter().map(|file| file.size).sum());
    // One after the other: neighbours in a list are neighbours on a disk. Threads take the next when they are free.
    let hashed = files.par_iter().with_max_len(1).map(|file| {
        let hashed = digest_file(file, wanted)?;
        progress.advance(file.size, &file.path);
        Ok(hashed)
    });
    let hashed: Vec<Result<_, HashError>> = hashed.collect();
    hashed.into_iter().collect()
}

fn digest_file(model_file: &ModelFile, wanted: &Wanted) -> Result<HashedFile, HashError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::UnexpectedEof => HashError::Changed(model_file.path.clone()),
        _ => HashError::Unreadable { path: shown(model_file), source: error },
    };
    let file = File::open(&model_file.opened).map_err(failed)?;
    let digests = match wanted.files.as_slice() {
        [] => Vec::new(),
        algorithms => digest_range(&file, 0, model_file.size, algorithms).map_err(failed)?,
    };
    let shards = match wanted.shards {
        None => Vec::new(),
        Some((size, _)) if model_file.size.div_ceil(size.max(1)) > MAX_SHARDS => {
            return Err(HashError::TooManyShards { path: shown(model_file), size });
        }
        Some((size, algorithm)) => digest_shards(&file, model_file.size, size, algorithm).map_err(failed)?,
    };
    if file.metadata().map_err(failed)?.len() != model_file.size {
        return Err(HashError::Changed(model_file.path.clone()));
    }
    Ok(HashedFile { file: model_file.clone(), digests, shards })
}

fn shown(file: &ModelFile) -> String {
    let path: &Path = if file.path == "." { &file.opened } else { Path::new(&file.path) };
    path.display().to_string()
}

fn digest_shards(file: &File, length: u64, size: u64, algorithm: HashAlgorithm) -> io::Result<Vec<(Shard, Digest)>> {
    let size = size.max(1);
    let count = usize::try_from(length.div_ceil(size)).unwrap_or(usize::MAX);
    let shards = (0..count).into_par_iter().with_max_len(1).map(|index| {
        let start = index as u64 * size;
        let end = length.min(start.saturating_add(size));
        let digests = digest_range(file, start, end - start, &[algorithm])?;
        Ok(digests.into_iter().map(move |digest| (Shard { start, end }, digest)).next())
    });
    let shards: Vec<io::Result<Option<_>>> = shards.collect();
    shards.into_iter().filter_map(Result::transpose).collect()
}

/// Digests of a range by several algorithms, from one read.
fn digest_range(file: &File, start: u64, length: u64, algorithms: &[HashAlgorithm]) -> io::Result<Vec<Digest>> {
    let mut hashers: Vec<Hasher> = algorithms.iter().map(|algorithm| Hasher::new(*algorithm)).collect();
    each_block(file, start, length, |block| match hashers.as_mut_slice() {
        [hasher] => hasher.update(block),
        several => several.par_iter_mut().with_max_len(1).for_each(|hasher| hasher.update(block)),
    })?;
    Ok(hashers.into_iter().filter_map(Hasher::finish).collect())
}

/// A digest in the making.
enum Hasher {
    Sha256(Sha256),
    Blake2b(Blake2b512),
    Blake3(Box<blake3::Hasher>),
}

impl Hasher {
    fn new(algorithm: HashAlgorithm) -> Self {
        match algorithm {
            HashAlgorithm::Sha256 => Self::Sha256(Sha256::new()),
            HashAlgorithm::Blake2b => Self::Blake2b(Blake2b512::new()),
            HashAlgorithm::Blake3 => Self::Blake3(Box::default()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Blake2b(hasher) => hasher.update(bytes),
            Self::Blake3(hasher) if bytes.len() < BLAKE3_BLOCK => drop(hasher.update(bytes)),
            Self::Blake3(hasher) => drop(hasher.update_rayon(bytes)),
        }
    }

    fn finish(self) -> Option<Digest> {
        match self {
            Self::Sha256(hasher) => Digest::new(HashAlgorithm::Sha256, hasher.finalize().to_vec()),
            Self::Blake2b(hasher) => Digest::new(HashAlgorithm::Blake2b, hasher.finalize().to_vec()),
            Self::Blake3(hasher) => Digest::new(HashAlgorithm::Blake3, hasher.finalize().as_bytes().to_vec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::Silent;

    const ALL: [HashAlgorithm; 3] = [HashAlgorithm::Sha256, HashAlgorithm::Blake2b, HashAlgorithm::Blake3];

    fn hashed(bytes: &[u8], wanted: &Wanted) -> HashedFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let file = ModelFile { path: ".".into(), opened: file.path().to_owned(), size: bytes.len() as u64 };
        digest_files(&[file], wanted, &Silent).unwrap().remove(0)
    }

    /// Expected values by `sha256sum`, `b2sum` and `b3sum`.
    #[test]
    fn digests_are_those_of_other_tools() {
        let digests = hashed(b"abc", &Wanted { files: ALL.to_vec(), shards: None }).digests;
        let texts: Vec<String> = digests.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d17d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923",
                "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85",
            ]
        );
    }

    #[test]
    fn a_long_file_has_the_digest_of_its_bytes_and_shards_those_of_theirs() {
        let bytes: Vec<u8> = (0..20_000_003u32).map(|index| (index % 253) as u8).collect();
        for algorithm in ALL {
            let wanted = Wanted { files: vec![algorithm], shards: Some((9_000_000, algorithm)) };
            let hashed = hashed(&bytes, &wanted);
            let of = |bytes: &[u8]| {
                let mut hasher = Hasher::new(algorithm);
                hasher.update(bytes);
                hasher.finish().unwrap()
            };
            assert_eq!(hashed.digests, [of(&bytes)]);
            let expected: Vec<_> = [(0, 9_000_000), (9_000_000, 18_000_000), (18_000_000, 20_000_003)]
                .map(|(start, end)| (Shard { start: start as u64, end: end as u64 }, of(&bytes[start..end])))
                .to_vec();
            assert_eq!(hashed.shards, expected);
        }
    }

    #[test]
    fn a_file_that_is_shorter_than_listed_is_told() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"abc").unwrap();
        for size in [2, 4] {
            let file = ModelFile { path: "a".into(), opened: file.path().to_owned(), size };
            let wanted = Wanted { files: vec![HashAlgorithm::Sha256], shards: None };
            assert!(matches!(digest_files(&[file], &wanted, &Silent), Err(HashError::Changed(path)) if path == "a"));
        }
    }
}
