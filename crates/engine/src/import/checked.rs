//! Digests that sources wrote down, checked where the bytes are at hand.

use std::path::{Path, PathBuf};

use waag_evidence::Sha256Digest;
use waag_evidence::manifest::is_inside;
use waag_evidence::statement::ResourceDescriptor;

use super::intake::{Artifact, Checked, Grade, Intake};
use crate::io::{FileSource, sha256};
use crate::pins::{PinAlgorithm, digest_file};
use waag_formats::source::Source as _;

/// What a source says of a file.
#[derive(Debug, Clone)]
pub(super) struct Pinned<'a> {
    /// Its path, as the source has it.
    pub(super) path: &'a str,
    /// The folder that the path starts at.
    pub(super) folder: &'a Path,
    /// The digest, in lower-case hexadecimal digits.
    pub(super) digest: Option<(PinAlgorithm, &'a str)>,
}

impl Pinned<'_> {
    fn file(&self) -> Option<PathBuf> {
        let plain = self.path.trim_start_matches("./");
        (is_inside(plain) && plain != ".").then(|| self.folder.join(plain))
    }

    /// The file as a resource: with the digest of the source, and with the SHA-256 of its bytes where those are what the
    /// source says.
    pub(super) fn resource(&self, intake: &mut Intake<'_>) -> ResourceDescriptor {
        let mut digests: Vec<(String, String)> = Vec::new();
        if let Some((algorithm, digits)) = self.digest
            && let Some(name) = name_of(algorithm)
        {
            digests.push((name.to_owned(), digits.to_owned()));
        }
        if let Some(found) = self.check(intake)
            && !digests.iter().any(|(name, _)| name == "sha256")
        {
            digests.push(("sha256".to_owned(), found.to_string()));
        }
        let digest = digests.into_iter().collect();
        ResourceDescriptor { name: Some(self.path.to_owned()), digest, ..ResourceDescriptor::default() }
    }

    /// Reads the file where it is there. Its SHA-256, unless its bytes are others than the source says.
    fn check(&self, intake: &mut Intake<'_>) -> Option<Sha256Digest> {
        if !intake.digests {
            return None;
        }
        let Some(file) = self.file() else {
            self.unchecked(intake, "its path leads out of the folder");
            return None;
        };
        // A link may lead anywhere; whoever wrote the source must not choose what is read.
        if !intake.has_file(&file) {
            if std::fs::symlink_metadata(&file).is_ok_and(|found| !found.is_dir()) {
                self.unchecked(intake, "what is there is no file, or a link that leads out of what was given");
            }
            return None;
        }
        let digests = FileSource::open(&file).ok().and_then(|source| Some((source.len(), sha256(&source).ok()?)));
        let Some((size, found)) = digests else {
            intake.remark(Grade::Unchecked, &file, "cannot be read, so that its digest is not checked");
            return None;
        };
        let checked = match self.digest {
            None => Checked::Unpinned,
            Some((algorithm, expected)) => match digest_file(&file, algorithm) {
                Ok((_, there)) if there == expected => Checked::Agrees { algorithm: algorithm.to_string() },
                Ok((_, there)) => Checked::Differs {
                    expected: format!("{algorithm}:{expected}"),
                    found: format!("{algorithm}:{there}"),
                },
                Err(_) => return None,
            },
        };
        let agrees = !matches!(checked, Checked::Differs { .. });
        intake.artifact(Artifact { name: intake.told(&file), sha256: found, size, checked });
        agrees.then_some(found)
    }
}

impl Pinned<'_> {
    /// Whether a file of this name is there that has other bytes than the source says.
    pub(super) fn is_another(&self, intake: &Intake<'_>) -> bool {
        let file = self.file().filter(|file| intake.has_file(file));
        let pinned = file.zip(self.digest);
        pinned.is_some_and(|(file, (algorithm, expected))| {
            digest_file(&file, algorithm).is_ok_and(|(_, there)| there != expected)
        })
    }

    fn unchecked(&self, intake: &mut Intake<'_>, why: &str) {
        if self.digest.is_some() && !self.path.is_empty() {
            let text = format!("the digest that is written down for '{}' is not checked: {why}", self.path);
            intake.remark(Grade::Unchecked, self.folder, text);
        }
    }
}

/// The digits of a digest in lower case; none where they are not as many as its algorithm has, by any of its usual names.
pub(super) fn digits_of(algorithm: &str, digits: &str) -> Option<String> {
    let length = match algorithm.to_ascii_lowercase().replace(['-', '_'], "").as_str() {
        "md5" => Some(32),
        "sha1" => Some(40),
        "sha224" => Some(56),
        "sha256" | "blake2b256" | "blake3" | "sha3256" => Some(64),
        "sha384" | "blake2b384" | "sha3384" => Some(96),
        "sha512" | "blake2b512" | "sha3512" => Some(128),
        _ => None,
    };
    let is_hex = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_hex && length.is_none_or(|length| digits.len() == length)).then(|| digits.to_ascii_lowercase())
}

/// The name of an algorithm among digests of in-toto.
fn name_of(algorithm: PinAlgorithm) -> Option<&'static str> {
    Some(match algorithm {
        PinAlgorithm::Sha256 => "sha256",
        PinAlgorithm::Sha512 => "sha512",
        PinAlgorithm::Sha1 => "sha1",
        PinAlgorithm::Md5 => "md5",
        PinAlgorithm::GitBlob => "gitBlob",
        PinAlgorithm::Blake2b | PinAlgorithm::Blake3 => return None,
    })
}

/// A digest as people write it, `sha256:…`, `md5:…` or digits alone: which algorithm it is, and its digits.
pub(super) fn parse_digest(text: &str) -> Option<(PinAlgorithm, String)> {
    let (name, digits) = text.trim().split_once(':').unwrap_or(("", text.trim()));
    let digits = digits.to_ascii_lowercase();
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let by_length = match digits.len() {
        32 => PinAlgorithm::Md5,
        40 => PinAlgorithm::Sha1,
        64 => PinAlgorithm::Sha256,
        128 => PinAlgorithm::Sha512,
        _ => return None,
    };
    let named = match name.to_ascii_lowercase().replace(['-', '_'], "").as_str() {
        "" => Some(by_length),
        "md5" => Some(PinAlgorithm::Md5),
        "sha1" => Some(PinAlgorithm::Sha1),
        "sha256" => Some(PinAlgorithm::Sha256),
        "sha512" => Some(PinAlgorithm::Sha512),
        _ => None,
    };
    // A digest of the wrong length is none.
    named.filter(|algorithm| *algorithm == by_length).map(|algorithm| (algorithm, digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_of_another_length_are_none() {
        assert_eq!(digits_of("SHA-256", &"A".repeat(64)), Some("a".repeat(64)));
        assert_eq!(digits_of("SHA-256", &"a".repeat(63)), None);
        assert_eq!(
            (digits_of("sha1", ""), digits_of("other", "0g"), digits_of("other", "0F")),
            (None, None, Some("0f".into()))
        );
    }

    #[test]
    fn digests_are_told_by_name_and_length() {
        let sha = "a".repeat(64);
        for (text, expected) in [
            (sha.clone(), Some(PinAlgorithm::Sha256)),
            (format!("sha256:{sha}"), Some(PinAlgorithm::Sha256)),
            (format!("SHA-1:{sha}"), None),
            (format!("md5:{}", "A".repeat(32)), Some(PinAlgorithm::Md5)),
            ("g".repeat(64), None),
            ("abcd".into(), None),
        ] {
            assert_eq!(parse_digest(&text).map(|(algorithm, _)| algorithm), expected, "{text}");
        }
    }
}
