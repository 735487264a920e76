//! What a model is made of: names and digests, in the order of the OpenSSF Model Signing specification, and the two
//! digests that stand for all of it.
//!
//! - [`Manifest::root`] is the specification's: SHA-256 over the raw digests in listed order. It binds content, not names.
//! - [`names_root`] binds names too: SHA-256 over the lines that `sha256sum` prints, sorted by name. Anyone can make it
//!   again with `sha256sum` and `sort`.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::digest::Sha256Digest;

/// Bytes of a shard, where nobody says otherwise.
pub const DEFAULT_SHARD_SIZE: u64 = 1_000_000_000;

/// How the bytes of files are digested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HashAlgorithm {
    /// SHA-256.
    Sha256,
    /// BLAKE2b with 64 bytes of output.
    Blake2b,
    /// BLAKE3 with 32 bytes of output.
    Blake3,
}

impl HashAlgorithm {
    /// The specification's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Blake2b => "blake2b",
            Self::Blake3 => "blake3",
        }
    }

    /// The algorithm of a name; `blake2` is what an early signer called BLAKE2b.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        match name {
            "sha256" => Some(Self::Sha256),
            "blake2b" | "blake2" => Some(Self::Blake2b),
            "blake3" => Some(Self::Blake3),
            _ => None,
        }
    }

    /// Bytes of a digest.
    #[must_use]
    pub const fn digest_length(self) -> usize {
        match self {
            Self::Sha256 | Self::Blake3 => 32,
            Self::Blake2b => 64,
        }
    }
}

impl fmt::Display for HashAlgorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A digest by any of the algorithms, written in lower-case hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    algorithm: HashAlgorithm,
    bytes: Vec<u8>,
}

impl Digest {
    /// A digest of these bytes; none when their number is wrong.
    #[must_use]
    pub fn new(algorithm: HashAlgorithm, bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() == algorithm.digest_length()).then_some(Self { algorithm, bytes })
    }

    /// A digest from hexadecimal digits; none unless they are lower-case and of the right number.
    #[must_use]
    pub fn from_hex(algorithm: HashAlgorithm, digits: &str) -> Option<Self> {
        let value = |digit: u8| match digit {
            b'0'..=b'9' => Some(digit - b'0'),
            b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        };
        if digits.len() != algorithm.digest_length() * 2 {
            return None;
        }
        let pairs = digits.as_bytes().chunks_exact(2);
        let bytes: Option<Vec<u8>> = pairs.map(|pair| Some(value(pair[0])? << 4 | value(pair[1])?)).collect();
        Self::new(algorithm, bytes?)
    }

    /// The algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> HashAlgorithm {
        self.algorithm
    }

    /// The raw bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The digest as one of SHA-256; none by another algorithm.
    #[must_use]
    pub fn to_sha256(&self) -> Option<Sha256Digest> {
        let bytes = self.bytes.as_slice().try_into().ok()?;
        (self.algorithm == HashAlgorithm::Sha256).then(|| Sha256Digest::new(bytes))
    }
}

impl From<Sha256Digest> for Digest {
    fn from(digest: Sha256Digest) -> Self {
        Self { algorithm: HashAlgorithm::Sha256, bytes: digest.bytes().to_vec() }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{self}", self.algorithm)
    }
}

/// What one entry of a manifest digests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// A file.
    Files,
    /// A part of a file: this many bytes, fewer at its end.
    Shards(u64),
}

/// A range of a file's bytes, `start..end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard {
    /// The first byte.
    pub start: u64,
    /// The byte after the last.
    pub end: u64,
}

/// One entry: a file or a shard of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Path below the model's folder, with `/` between its parts; `.` when the model is one file.
    pub path: String,
    /// The part of it, when shards are digested.
    pub shard: Option<Shard>,
    /// The digest of its bytes.
    pub digest: Digest,
}

impl Resource {
    /// The specification's name: the path, and for a shard `path:start:end`.
    #[must_use]
    pub fn name(&self) -> String {
        match self.shard {
            None => self.path.clone(),
            Some(Shard { start, end }) => format!("{}:{start}:{end}", self.path),
        }
    }
}

/// How a manifest was made, which a verifier has to repeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serialization {
    /// Files or shards.
    pub method: Method,
    /// How their bytes are digested.
    pub algorithm: HashAlgorithm,
    /// Whether links count as what they lead to.
    pub allow_symlinks: bool,
    /// Paths, files or folders, that are left out.
    pub ignored: Vec<String>,
}

/// The files of a model, by digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The model's name: that of its folder or file.
    pub name: String,
    /// How it was made.
    pub serialization: Serialization,
    /// Its entries, in listed order.
    pub resources: Vec<Resource>,
}

/// Why a list of entries is no manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// Nothing is listed.
    #[error("the manifest lists no file")]
    Empty,
    /// One name, two entries: which of them holds is anybody's guess.
    #[error("the manifest lists '{0}' twice")]
    Duplicate(String),
    /// A name that leaves the model's folder.
    #[error("the manifest names '{0}', which is not a path inside the model")]
    Outside(String),
}

impl Manifest {
    /// A manifest of these entries, in this order.
    ///
    /// # Errors
    /// When there are none, when two have one name, or when one leaves the folder.
    pub fn new(name: String, serialization: Serialization, resources: Vec<Resource>) -> Result<Self, ManifestError> {
        if resources.is_empty() {
            return Err(ManifestError::Empty);
        }
        let mut names = BTreeSet::new();
        for resource in &resources {
            if !is_inside(&resource.path) {
                return Err(ManifestError::Outside(resource.path.clone()));
            }
            if !names.insert(resource.name()) {
                return Err(ManifestError::Duplicate(resource.name()));
            }
        }
        Ok(Self { name, serialization, resources })
    }

    /// The specification's root: SHA-256 over the raw digests in listed order. Names are not part of it.
    #[must_use]
    pub fn root(&self) -> Sha256Digest {
        let mut hasher = Sha256::new();
        for resource in &self.resources {
            hasher.update(resource.digest.bytes());
        }
        Sha256Digest::new(hasher.finalize().into())
    }

    /// Whether the entries are in the specification's order: names by code point.
    #[must_use]
    pub fn is_sorted(&self) -> bool {
        self.resources.is_sorted_by_key(Resource::name)
    }
}

/// Whether a path stays inside the folder that it is relative to. `.` alone stands for a model that is one file.
#[must_use]
pub fn is_inside(path: &str) -> bool {
    path == "." || !path.contains('\0') && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// A digest over names and contents: SHA-256 over the lines of `sha256sum`, sorted by name.
#[must_use]
pub fn names_root<'a>(files: impl Iterator<Item = (&'a str, Sha256Digest)>) -> Sha256Digest {
    let mut files: Vec<_> = files.collect();
    files.sort_unstable();
    let mut hasher = Sha256::new();
    for (name, digest) in files {
        hasher.update(checksum_line(name, &digest));
    }
    Sha256Digest::new(hasher.finalize().into())
}

/// A line as `sha256sum` prints and checks it. A name with a line break or backslash is escaped, which a backslash
/// before the digest announces.
#[must_use]
pub fn checksum_line(name: &str, digest: &dyn fmt::Display) -> String {
    if !name.contains(['\n', '\r', '\\']) {
        return format!("{digest}  {name}\n");
    }
    let name = name.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r");
    format!("\\{digest}  {name}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(paths: &[&str]) -> Result<Manifest, ManifestError> {
        let digest = |index: u8| Digest::from(Sha256Digest::new([index; 32]));
        let resources = (0u8..).zip(paths);
        let resources =
            resources.map(|(index, path)| Resource { path: (*path).into(), shard: None, digest: digest(index) });
        let serialization = Serialization {
            method: Method::Files,
            algorithm: HashAlgorithm::Sha256,
            allow_symlinks: false,
            ignored: Vec::new(),
        };
        Manifest::new("model".into(), serialization, resources.collect())
    }

    #[test]
    fn names_that_leave_the_folder_are_refused() {
        for path in ["../a", "a/../b", "/a", "a//b", "a/", "", "..", "a/.", "a\0b"] {
            assert_eq!(manifest(&[path]), Err(ManifestError::Outside(path.into())), "{path}");
        }
        assert!(manifest(&[".", "a/b", "..a", "a..", "a:b"]).is_ok());
    }

    #[test]
    fn an_empty_list_and_a_name_twice_are_refused() {
        assert_eq!(manifest(&[]), Err(ManifestError::Empty));
        assert_eq!(manifest(&["a", "b", "a"]), Err(ManifestError::Duplicate("a".into())));
    }

    #[test]
    fn the_root_binds_contents_and_the_other_binds_names_too() -> Result<(), ManifestError> {
        let (one, other) = (manifest(&["a", "b"])?, manifest(&["a", "c"])?);
        assert_eq!(one.root(), other.root());
        let digest = Sha256Digest::new([0; 32]);
        assert_ne!(names_root([("a", digest)].into_iter()), names_root([("b", digest)].into_iter()));
        Ok(())
    }

    #[test]
    fn a_digest_is_read_as_it_is_written() {
        let digest = Digest::from(Sha256Digest::new([0xAB; 32]));
        assert_eq!(Digest::from_hex(HashAlgorithm::Sha256, &digest.to_string()), Some(digest));
        assert_eq!(Digest::from_hex(HashAlgorithm::Sha256, &"AB".repeat(32)), None);
        assert_eq!(Digest::from_hex(HashAlgorithm::Blake2b, &"ab".repeat(32)), None);
    }

    #[test]
    fn awkward_names_are_escaped_as_sha256sum_does() {
        let digest = Sha256Digest::new([0; 32]);
        let zeros = "0".repeat(64);
        assert_eq!(checksum_line("a b", &digest), format!("{zeros}  a b\n"));
        assert_eq!(checksum_line("a\n\\b", &digest), format!("\\{zeros}  a\\n\\\\b\n"));
    }
}
