//! A dependency as a person names it: `base-model=models/llama`, `dataset=pkg:huggingface/datasets/org/name@1`,
//! `code=git+https://example.org/train@gitCommit:4c76…`. What is on this machine is digested.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use waag_evidence::statement::predicate::is_uri;
use waag_evidence::statement::provenance::with_role;
use waag_evidence::statement::role::Role;
use waag_evidence::statement::{DigestSet, ResourceDescriptor};

use super::subject::{Listing, Subject};
use crate::hash::HashError;
use crate::sanitize::sanitize;
use crate::scan::Progress;

/// Something that had a part in the making.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// Which part.
    pub role: Role,
    /// A path or a URI.
    pub place: String,
    /// A digest, as `sha256` and hexadecimal digits.
    pub digest: Option<(String, String)>,
}

/// Why a dependency cannot be named.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DependencyError {
    /// It is not written as `ROLE=PLACE`.
    #[error("'{}' is no dependency", sanitize(.0))]
    Form(String),
    /// There is no such file, and it is no URI.
    #[error("there is no '{}'", sanitize(.0))]
    NotFound(String),
    /// It cannot be digested.
    #[error("cannot digest a dependency: {0}")]
    Unreadable(#[from] HashError),
    /// It is another one than the one that was named.
    #[error("'{}' has the SHA-256 {found}, not {expected}", sanitize(place))]
    Digest {
        /// The path.
        place: String,
        /// The digest that was named.
        expected: String,
        /// The digest that it has.
        found: String,
    },
}

impl DependencyError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> &str {
        match self {
            Self::Form(_) => {
                "write ROLE=PATH or ROLE=URI, with @sha256:DIGEST where it is known, as in base-model=models/llama; \
                 docs/build-types.md lists the roles"
            }
            Self::NotFound(_) => {
                "name a file or folder that is there, or a URI such as pkg:huggingface/org/name@revision"
            }
            Self::Unreadable(_) => "name a file or folder that can be read",
            Self::Digest { .. } => "find out which of the two was used",
        }
    }
}

impl FromStr for Dependency {
    type Err = DependencyError;

    fn from_str(text: &str) -> Result<Self, DependencyError> {
        let form = || DependencyError::Form(text.to_owned());
        let (role, place) = text.split_once('=').ok_or_else(form)?;
        let role = role.parse().map_err(|_| form())?;
        let (place, digest) = match place.rsplit_once('@').and_then(|(place, tail)| Some((place, digest_of(tail)?))) {
            Some((place, digest)) => (place, Some(digest)),
            None => (place, None),
        };
        if place.is_empty() {
            return Err(form());
        }
        Ok(Self { role, place: place.to_owned(), digest })
    }
}

/// An algorithm and digits, as in `sha256:00ff`.
fn digest_of(text: &str) -> Option<(String, String)> {
    let (algorithm, digits) = text.split_once(':')?;
    let is_name = !algorithm.is_empty() && algorithm.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let is_hex = digits.len() >= 32 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (is_name && is_hex).then(|| (algorithm.to_owned(), digits.to_owned()))
}

impl Dependency {
    /// As provenance names it. A path is digested, and named without its folder.
    ///
    /// # Errors
    /// When it is neither there nor a URI, cannot be read, or is another one than the one that was named.
    pub fn descriptor(&self, progress: &dyn Progress) -> Result<ResourceDescriptor, DependencyError> {
        let path = PathBuf::from(&self.place);
        let descriptor = match path.exists() {
            true => self.local(&path, progress)?,
            false if is_uri(&self.place) => ResourceDescriptor {
                uri: Some(self.place.clone()),
                digest: self.digest.iter().cloned().collect(),
                ..ResourceDescriptor::default()
            },
            false => return Err(DependencyError::NotFound(self.place.clone())),
        };
        Ok(with_role(descriptor, self.role))
    }

    fn local(&self, path: &Path, progress: &dyn Progress) -> Result<ResourceDescriptor, DependencyError> {
        let subject = Subject::read(path, &Listing::default(), None, progress)?;
        let digest = match subject.files.as_slice() {
            [file] if subject.is_file => [("sha256", file.sha256)].into_iter().collect(),
            _ => subject.roots(),
        };
        self.check(&digest)?;
        Ok(ResourceDescriptor { name: Some(subject.name), digest, ..ResourceDescriptor::default() })
    }

    fn check(&self, found: &DigestSet) -> Result<(), DependencyError> {
        let Some((algorithm, expected)) = &self.digest else { return Ok(()) };
        match found.get(algorithm) {
            Some(found) if found == expected => Ok(()),
            found => Err(DependencyError::Digest {
                place: self.place.clone(),
                expected: format!("{algorithm}:{expected}"),
                found: found.unwrap_or("none by this algorithm").to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::Silent;

    fn parse(text: &str) -> Option<(Role, String, Option<String>)> {
        let dependency: Dependency = text.parse().ok()?;
        Some((dependency.role, dependency.place, dependency.digest.map(|(algorithm, _)| algorithm)))
    }

    #[test]
    fn a_revision_is_no_digest() {
        let digits = "ab".repeat(20);
        for (text, place, algorithm) in [
            ("dataset=data/a@b.csv".to_owned(), "data/a@b.csv", None),
            ("base-model=pkg:huggingface/a/b@main".to_owned(), "pkg:huggingface/a/b@main", None),
            (
                format!("base-model=pkg:huggingface/a/b@1@gitCommit:{digits}"),
                "pkg:huggingface/a/b@1",
                Some("gitCommit"),
            ),
        ] {
            let (_, found, digest) = parse(&text).unwrap();
            assert_eq!((found.as_str(), digest.as_deref()), (place, algorithm), "{text}");
        }
        for text in ["", "a", "parent=x", "dataset=", "dataset"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_here_is_digested_and_has_to_be_what_was_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "abc").unwrap();
        let path = file.path().display();
        let digits = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let named: Dependency = format!("dataset={path}@sha256:{digits}").parse().unwrap();
        let descriptor = named.descriptor(&Silent).unwrap();
        assert_eq!(descriptor.digest.get("sha256"), Some(digits));
        assert_eq!(descriptor.name.as_deref(), file.path().file_name().unwrap().to_str());
        let other: Dependency = format!("dataset={path}@sha256:{}", "00".repeat(32)).parse().unwrap();
        assert!(matches!(other.descriptor(&Silent), Err(DependencyError::Digest { .. })));
        let nowhere: Dependency = "dataset=no/such/file".parse().unwrap();
        assert!(matches!(nowhere.descriptor(&Silent), Err(DependencyError::NotFound(_))));
    }
}
