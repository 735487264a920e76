//! Trusted roots: the keys and certificates by which the services of a Sigstore instance are believed.

use jiff::Timestamp;
use serde_json::Value;
use sigstore_trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT, SIGSTORE_STAGING_TRUSTED_ROOT, TrustedRoot as Inner};
use sigstore_verify::Verifier;

use super::authority::{Authority, Role};
use super::code::{Code, KeylessError};
use waag_evidence::unique;

/// Bytes of a trusted root that are read. Today's have about 10 kB.
const MAX_BYTES: usize = 4 << 20;
/// What the media types of trusted roots start with.
const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.trustedroot";
/// Where a client's trust configuration keeps its trusted root.
const ROOT_OF_CONFIGURATION: &str = "trustedRoot";

/// A trusted root whose keys and certificates have all been read.
#[derive(Debug, Clone)]
pub struct TrustedRoot {
    inner: Inner,
    json: String,
}

impl TrustedRoot {
    /// The root of the public instance, as it was when this version of waag was made.
    ///
    /// # Errors
    ///
    /// None in practice: a test reads it.
    pub fn production() -> Result<Self, KeylessError> {
        Self::from_json(SIGSTORE_PRODUCTION_TRUSTED_ROOT.as_bytes())
    }

    /// The root of the public instance for trying things out.
    ///
    /// # Errors
    ///
    /// None in practice: a test reads it.
    pub fn staging() -> Result<Self, KeylessError> {
        Self::from_json(SIGSTORE_STAGING_TRUSTED_ROOT.as_bytes())
    }

    /// Reads a trusted root, or a client's trust configuration that has one, and every key and certificate in it.
    ///
    /// # Errors
    ///
    /// [`Code::TrustedRootInvalid`]: too long, no JSON, another media type, or a key that is none.
    pub fn from_json(bytes: &[u8]) -> Result<Self, KeylessError> {
        if bytes.len() > MAX_BYTES {
            return Err(invalid(format_args!("it is longer than {MAX_BYTES} bytes")));
        }
        let json = root_of(bytes)?;
        let inner = Inner::from_json(&json).map_err(invalid)?;
        if !inner.media_type.starts_with(MEDIA_TYPE) {
            return Err(invalid(format_args!("its media type is '{}'", inner.media_type)));
        }
        Verifier::new(&inner).map_err(invalid)?;
        Ok(Self { inner, json })
    }

    /// The JSON text it was read from.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Everyone it makes believed: certificate authorities, certificate logs, transparency logs, timestamp authorities.
    #[must_use]
    pub fn authorities(&self) -> Vec<Authority> {
        let authorities = self.inner.certificate_authorities.iter();
        let mut all: Vec<Authority> = authorities
            .map(|one| Authority::certified(Role::CertificateAuthority, &one.uri, &one.subject, one.valid_for))
            .collect();
        let certificates = self.inner.ctlogs.iter();
        all.extend(
            certificates
                .map(|log| Authority::new(Role::CertificateLog, log.base_url.clone(), log.public_key.valid_for)),
        );
        let logs = self.inner.tlogs.iter();
        all.extend(
            logs.map(|log| Authority::new(Role::TransparencyLog, log.base_url.clone(), log.public_key.valid_for)),
        );
        let timestamps = self.inner.timestamp_authorities.iter();
        all.extend(timestamps.map(|one| {
            let uri = one.uri.as_deref().unwrap_or_default();
            Authority::certified(Role::TimestampAuthority, uri, &one.subject, one.valid_for)
        }));
        all
    }

    /// When the newest of its keys began to be valid: a root has no date of its own, and is at least that new.
    #[must_use]
    pub fn newest(&self) -> Option<Timestamp> {
        self.authorities().into_iter().filter_map(|authority| authority.start).max()
    }

    pub(super) const fn inner(&self) -> &Inner {
        &self.inner
    }

    /// Whether one of its transparency logs has this key.
    pub(super) fn has_log(&self, key_id: &[u8]) -> bool {
        self.inner.tlogs.iter().any(|log| log.log_id.key_id.as_bytes() == key_id)
    }
}

/// The text of a trusted root: all of it, or a part of a trust configuration.
fn root_of(bytes: &[u8]) -> Result<String, KeylessError> {
    let value = unique::parse(bytes).map_err(invalid)?;
    match value.get(ROOT_OF_CONFIGURATION) {
        Some(root) if root.is_object() => Ok(root.to_string()),
        _ if value.get("mediaType").is_some_and(Value::is_string) => String::from_utf8(bytes.to_vec()).map_err(invalid),
        _ => Err(invalid("it has no media type")),
    }
}

fn invalid(why: impl std::fmt::Display) -> KeylessError {
    KeylessError::new(Code::TrustedRootInvalid, format_args!("the trusted root cannot be used: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roots_within_are_read() {
        for root in [TrustedRoot::production(), TrustedRoot::staging()] {
            let root = root.unwrap();
            let roles: std::collections::BTreeSet<Role> = root.authorities().iter().map(|one| one.role).collect();
            assert_eq!(roles.len(), 4);
            assert!(root.newest().unwrap() > "2025-01-01T00:00:00Z".parse().unwrap());
        }
    }

    #[test]
    fn a_trust_configuration_has_a_root() {
        let configuration =
            format!("{{\"trustedRoot\": {}, \"signingConfig\": {{}}}}", SIGSTORE_PRODUCTION_TRUSTED_ROOT);
        let root = TrustedRoot::from_json(configuration.as_bytes()).unwrap();
        assert_eq!(root.authorities(), TrustedRoot::production().unwrap().authorities());
    }

    #[test]
    fn what_is_no_root_is_refused() {
        let broken = SIGSTORE_PRODUCTION_TRUSTED_ROOT.replacen("\"rawBytes\": \"MF", "\"rawBytes\": \"AA", 1);
        assert_ne!(broken, SIGSTORE_PRODUCTION_TRUSTED_ROOT);
        for text in ["", "{}", "{\"mediaType\": \"text/plain\"}", "{\"trustedRoot\": {}}", broken.as_str()] {
            assert_eq!(TrustedRoot::from_json(text.as_bytes()).unwrap_err().code(), Code::TrustedRootInvalid, "{text}");
        }
    }
}
