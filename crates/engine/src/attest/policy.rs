//! The policy that something was judged by, as statements name it.

use std::io;
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};
use waag_evidence::Sha256Digest;
use waag_evidence::statement::ResourceDescriptor;

use crate::bounded;
use crate::sanitize::sanitize;
use crate::settings::Settings;

/// The policy where nobody has settled anything.
const DEFAULT: &str = "https://waag.dev/policies/default/v1";
/// The annotation with the digest of everything that decides, which `waag policy show --canonical` writes.
const IN_FORCE: &str = "inForce";
/// Bytes of a settings file that are read.
const MAX_BYTES: u64 = 1 << 20;

/// Where a policy comes from.
#[derive(Debug, Clone, Default)]
pub struct PolicySource<'a> {
    /// The settings file; none where the default decides.
    pub file: Option<PathBuf>,
    /// What it is called globally, where it has such a name.
    pub uri: Option<&'a str>,
}

/// Why a policy cannot be named.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the policy in '{}': {source}", sanitize(&path.display().to_string()))]
pub struct PolicyError {
    path: PathBuf,
    source: io::Error,
}

impl PolicySource<'_> {
    /// The policy by digest: of the settings file, which `sha256sum` makes again; or of the default as a text. Another
    /// file that says the same has the same digest under [`IN_FORCE`].
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn descriptor(&self, settings: &Settings) -> Result<ResourceDescriptor, PolicyError> {
        let (named, bytes) = match &self.file {
            Some(path) => {
                let read = bounded::read(path, MAX_BYTES);
                let bytes = read.map_err(|source| PolicyError { path: path.clone(), source })?;
                // Where it lies is nobody's business, and would differ from machine to machine.
                (format!("file:{}", crate::settings::FILE_NAME), bytes)
            }
            None => (DEFAULT.to_owned(), settings.policy.canonical(&settings.trust).into_bytes()),
        };
        let digest = Sha256Digest::new(Sha256::digest(bytes).into());
        Ok(ResourceDescriptor {
            uri: Some(self.uri.map_or(named, str::to_owned)),
            digest: [("sha256", digest)].into_iter().collect(),
            annotations: [(IN_FORCE.to_owned(), settings.policy_digest().to_string().into())].into(),
            ..ResourceDescriptor::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_frozen_and_a_file_has_its_own_digest() {
        let policy = PolicySource::default().descriptor(&Settings::default()).unwrap();
        insta::assert_snapshot!(serde_json::to_string(&policy).unwrap());
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "abc").unwrap();
        let source = PolicySource { file: Some(file.path().to_owned()), uri: None };
        let policy = source.descriptor(&Settings::default()).unwrap();
        assert_eq!(policy.uri.as_deref(), Some("file:waag.toml"));
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(policy.digest.get("sha256"), Some(expected));
    }
}
