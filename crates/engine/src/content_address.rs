//! Files that are kept under their own digest, as images of containers and Ollama's models are: the name is a checksum.

use waag_evidence::digest::Sha256Digest;

/// Hexadecimal digits of SHA-256.
const DIGITS: usize = 64;

/// The digest that a path promises: `blobs/sha256/<digest>`, `blobs/sha256-<digest>` or `blobs/<digest>`.
pub(crate) fn promised(path: &str) -> Option<String> {
    let mut parts = path.rsplit(['/', '\\']);
    let (name, folder, above) = (parts.next()?, parts.next()?, parts.next());
    let digest = match (folder, above) {
        ("sha256", Some("blobs")) => name,
        ("blobs", _) => name.strip_prefix("sha256-").or(name.strip_prefix("sha256:")).unwrap_or(name),
        _ => return None,
    };
    let fits = digest.len() == DIGITS && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    fits.then(|| digest.to_ascii_lowercase())
}

/// What is wrong, when the content has another digest than its name.
pub(crate) fn problem(promised: &str, actual: &Sha256Digest) -> Option<String> {
    let actual = actual.to_string();
    let differs = !actual.ends_with(promised);
    differs.then(|| format!("its name is a SHA-256, but not of this content, which has {actual}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_digests_are_told() {
        let digest = "AB".repeat(32);
        for path in ["blobs/sha256/", "a/blobs/sha256-", "models--a/blobs/"] {
            assert_eq!(promised(&format!("{path}{digest}")), Some("ab".repeat(32)), "{path}");
        }
        assert_eq!(promised(&format!("a/{digest}")), None);
        assert_eq!(promised("blobs/sha256/abc"), None);
    }

    #[test]
    fn another_content_is_told() {
        let digest = Sha256Digest::new([0xAB; 32]);
        assert_eq!(problem(&"ab".repeat(32), &digest), None);
        assert!(problem(&"cd".repeat(32), &digest).is_some());
    }
}
