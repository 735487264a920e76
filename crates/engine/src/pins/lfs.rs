//! Pointers of Git LFS: what a repository has in place of a large file, which
//! <https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md> specifies.

use std::path::Path;

use super::digest::PinAlgorithm;
use super::{Pin, PinKind, Pins};

/// The first line of a pointer.
const VERSION: &str = "version https://git-lfs.github.com/spec/v1";
/// Bytes of a pointer, by its specification.
const MAX_POINTER: usize = 1024;

/// The digest and size that a pointer names.
#[must_use]
pub(crate) fn pointer(text: &str) -> Option<(String, u64)> {
    let mut lines = text.lines();
    if text.len() >= MAX_POINTER || lines.next() != Some(VERSION) {
        return None;
    }
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
    let digest = value("oid")?.strip_prefix("sha256:")?;
    let fits = digest.len() == 64 && digest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    fits.then_some((digest.to_owned(), value("size")?.parse().ok()?))
}

/// The promise of a pointer about the file that it stands for.
pub(super) fn read(text: &str, subject: &Path) -> Option<Pins> {
    let (digest, size) = pointer(text)?;
    let pin = Pin { path: subject.to_owned(), algorithm: PinAlgorithm::Sha256, digest, size: Some(size) };
    Some(Pins { kind: PinKind::GitLfs, pins: vec![pin], whole: Vec::new(), notes: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by git-lfs 3.3.0 for a file with `hello` and a line break.
    const POINTER: &str = "version https://git-lfs.github.com/spec/v1\n\
        oid sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03\nsize 6\n";

    #[test]
    fn a_pointer_promises_digest_and_size() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "hello\n").unwrap();
        let pins = read(POINTER, file.path()).unwrap();
        assert_eq!(super::super::verify(&pins, &crate::scan::Silent), []);
        std::fs::write(file.path(), "jello\n").unwrap();
        assert_eq!(super::super::verify(&pins, &crate::scan::Silent).len(), 1);
    }

    #[test]
    fn what_only_looks_like_a_pointer_is_none() {
        for text in
            ["", "oid sha256:00\nsize 1\n", &POINTER.replace("sha256", "md5"), &POINTER.replace("size 6", "size x")]
        {
            assert_eq!(pointer(text), None, "{text}");
        }
        assert_eq!(pointer(&format!("{POINTER}{}", "x".repeat(MAX_POINTER))), None);
    }
}
