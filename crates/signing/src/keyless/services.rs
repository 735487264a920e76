//! Where keyless signatures are made: the addresses of an instance's services.

use serde_json::Value;
use sigstore_sign::{SigningServices, SigstoreInstance};
use sigstore_trust_root::SigningConfig;

use super::code::{Code, KeylessError};
use waag_evidence::unique;

/// Bytes of a signing configuration that are read.
const MAX_BYTES: usize = 4 << 20;
/// Where a client's trust configuration keeps its signing configuration.
const PART_OF_CONFIGURATION: &str = "signingConfig";

/// A certificate authority, a transparency log and a timestamp authority that can be used today.
#[derive(Debug, Clone)]
pub struct Services {
    inner: SigningServices,
}

impl Services {
    /// The public instance, as it was when this version of waag was made.
    ///
    /// # Errors
    ///
    /// [`Code::SigningConfigInvalid`] when its services have been replaced since: `waag trust update` gets the new ones.
    pub fn production() -> Result<Self, KeylessError> {
        let services = SigningServices::from_embedded(SigstoreInstance::PublicGood);
        services.map(|inner| Self { inner }).map_err(invalid)
    }

    /// The public instance for trying things out, as it was then.
    ///
    /// # Errors
    ///
    /// As for [`Services::production`].
    pub fn staging() -> Result<Self, KeylessError> {
        let services = SigningServices::from_embedded(SigstoreInstance::Staging);
        services.map(|inner| Self { inner }).map_err(invalid)
    }

    /// Reads a signing configuration (version 0.2), or a client's trust configuration that has one, and chooses from it:
    /// of logs the highest version that is spoken, and what is valid at this hour.
    ///
    /// # Errors
    ///
    /// [`Code::SigningConfigInvalid`]: too long, no JSON, another version, or no service of a kind.
    pub fn from_json(bytes: &[u8]) -> Result<Self, KeylessError> {
        if bytes.len() > MAX_BYTES {
            return Err(invalid(format_args!("it is longer than {MAX_BYTES} bytes")));
        }
        let value = unique::parse(bytes).map_err(invalid)?;
        let config = value.get(PART_OF_CONFIGURATION).filter(|part| part.is_object()).unwrap_or(&value);
        let config = SigningConfig::from_json(&Value::to_string(config)).map_err(invalid)?;
        SigningServices::from_signing_config(&config).map(|inner| Self { inner }).map_err(invalid)
    }

    /// The addresses that signing connects to: certificate authority, log, timestamp authority.
    #[must_use]
    pub fn addresses(&self) -> Vec<&str> {
        let all = [Some(self.inner.fulcio_url()), Some(self.inner.rekor_url()), self.inner.tsa_url()];
        all.into_iter().flatten().collect()
    }

    pub(super) const fn inner(&self) -> &SigningServices {
        &self.inner
    }
}

fn invalid(why: impl std::fmt::Display) -> KeylessError {
    KeylessError::new(Code::SigningConfigInvalid, format_args!("the signing configuration cannot be used: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_within_is_usable() {
        let services = Services::production().unwrap();
        assert!(services.addresses().iter().all(|address| address.starts_with("https://")));
    }

    #[test]
    fn what_is_no_configuration_is_refused() {
        let version = r#"{"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.1+json"}"#;
        let empty = r#"{"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json"}"#;
        for text in ["", "{}", version, empty] {
            assert_eq!(Services::from_json(text.as_bytes()).unwrap_err().code(), Code::SigningConfigInvalid, "{text}");
        }
    }
}
