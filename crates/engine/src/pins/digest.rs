//! Digests as other tools make them, weak ones too: a promise is checked with what it was made with, and said to be weak.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use blake2::Blake2b512;
use md5::Md5;
use rayon::prelude::*;
use sha1::Sha1;
use sha2::digest::DynDigest;
use sha2::{Sha256, Sha512};

use super::{Breach, Broken, Pin};
use crate::scan::Progress;

/// Bytes digested at once.
const BLOCK: usize = 1 << 20;

/// What a promised digest is made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PinAlgorithm {
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
    /// BLAKE2b with 64 bytes.
    Blake2b,
    /// BLAKE3 with 32 bytes.
    Blake3,
    /// SHA-1 of a blob in Git: of `blob`, its length, and its bytes.
    GitBlob,
    /// SHA-1.
    Sha1,
    /// MD5.
    Md5,
}

impl PinAlgorithm {
    /// Whether somebody who wants to can make two files with one digest.
    #[must_use]
    pub const fn is_weak(self) -> bool {
        matches!(self, Self::GitBlob | Self::Sha1 | Self::Md5)
    }
}

impl fmt::Display for PinAlgorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
            Self::Blake2b => "blake2b",
            Self::Blake3 => "blake3",
            Self::GitBlob => "git blob sha1",
            Self::Sha1 => "sha1",
            Self::Md5 => "md5",
        })
    }
}

/// A digest in the making: BLAKE3 has its own interface.
enum Hasher {
    Common(Box<dyn DynDigest>),
    Blake3(Box<blake3::Hasher>),
}

impl Hasher {
    fn new(algorithm: PinAlgorithm, length: u64) -> Self {
        match algorithm {
            PinAlgorithm::Sha256 => Self::Common(Box::new(Sha256::default())),
            PinAlgorithm::Sha512 => Self::Common(Box::new(Sha512::default())),
            PinAlgorithm::Blake2b => Self::Common(Box::new(Blake2b512::default())),
            PinAlgorithm::Blake3 => Self::Blake3(Box::default()),
            PinAlgorithm::Sha1 => Self::Common(Box::new(Sha1::default())),
            PinAlgorithm::Md5 => Self::Common(Box::new(Md5::default())),
            PinAlgorithm::GitBlob => {
                let mut hasher = Sha1::default();
                DynDigest::update(&mut hasher, format!("blob {length}\0").as_bytes());
                Self::Common(Box::new(hasher))
            }
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Common(hasher) => hasher.update(bytes),
            Self::Blake3(hasher) => drop(hasher.update(bytes)),
        }
    }

    fn finish(self) -> String {
        let hexadecimal = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self {
            Self::Common(hasher) => hexadecimal(&hasher.finalize()),
            Self::Blake3(hasher) => hasher.finalize().to_hex().to_string(),
        }
    }
}

/// Bytes and digest of a file.
pub(crate) fn of_file(path: &Path, algorithm: PinAlgorithm) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let mut hasher = Hasher::new(algorithm, metadata.len());
    let mut block = vec![0; BLOCK.min(usize::try_from(metadata.len()).unwrap_or(BLOCK)).max(1)];
    let mut total = 0;
    loop {
        let count = file.read(&mut block)?;
        if count == 0 {
            return Ok((total, hasher.finish()));
        }
        hasher.update(&block[..count]);
        total += count as u64;
    }
}

/// Bytes and digest of bytes.
pub(crate) fn of_bytes(bytes: &[u8], algorithm: PinAlgorithm) -> String {
    let mut hasher = Hasher::new(algorithm, bytes.len() as u64);
    hasher.update(bytes);
    hasher.finish()
}

/// Reads every file on all cores; tells the promises that are broken.
pub(super) fn verify(pins: &[Pin], progress: &dyn Progress) -> Vec<Broken> {
    progress.total(pins.len() as u64, pins.iter().filter_map(|pin| pin.size).sum());
    let check = |pin: &Pin| {
        let how = breach(pin);
        progress.advance(pin.size.unwrap_or(0), &pin.path.to_string_lossy());
        how.map(|how| Broken { path: pin.path.clone(), how })
    };
    pins.par_iter().with_max_len(1).filter_map(check).collect()
}

fn breach(pin: &Pin) -> Option<Breach> {
    // A size tells without reading that a file is another one.
    let metadata = match std::fs::metadata(&pin.path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Some(Breach::Missing),
        Err(error) => return Some(Breach::Unreadable(error.to_string())),
    };
    if let Some(size) = pin.size.filter(|size| *size != metadata.len()) {
        let bytes = |size: u64| format!("{size} bytes");
        return Some(Breach::Changed { expected: bytes(size), found: bytes(metadata.len()) });
    }
    let named = |digest: &str| format!("{} {digest}", pin.algorithm);
    match of_file(&pin.path, pin.algorithm) {
        Err(error) => Some(Breach::Unreadable(error.to_string())),
        Ok((_, found)) if found == pin.digest => None,
        Ok((_, found)) => Some(Breach::Changed { expected: named(&pin.digest), found: named(&found) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values by the coreutils, `b3sum` and `git hash-object`.
    #[test]
    fn digests_are_those_of_other_tools() {
        for (algorithm, expected) in [
            (PinAlgorithm::Md5, "900150983cd24fb0d6963f7d28e17f72"),
            (PinAlgorithm::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (PinAlgorithm::GitBlob, "f2ba8f84ab5c1bce84a7b441cb1959cfc7093b7f"),
            (PinAlgorithm::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (PinAlgorithm::Blake3, "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"),
        ] {
            assert_eq!(of_bytes(b"abc", algorithm), expected, "{algorithm}");
        }
        assert!(of_bytes(b"abc", PinAlgorithm::Sha512).starts_with("ddaf35a193617aba"));
        assert!(of_bytes(b"abc", PinAlgorithm::Blake2b).starts_with("ba80a53f981c4d0d"));
    }
}
