//! Timestamps (RFC 3161): that a signature was there at some time, by the word of an authority that the verifier trusts.

use jiff::Timestamp;
use sigstore_tsa::{Error, TsaAuthority, verify_timestamp_for_authority};
use sigstore_types::{DerCertificate, SignatureBytes, TimestampToken};

use super::root::TrustedRoot;
use crate::certificate::Certificate;
use crate::error::SigningError;

/// The authorities whose timestamps count.
#[derive(Debug, Clone, Default)]
pub struct TimestampAuthorities {
    all: Vec<TsaAuthority>,
}

impl TimestampAuthorities {
    /// Those of a trusted root.
    #[must_use]
    pub fn of_root(root: &TrustedRoot) -> Self {
        Self { all: root.inner().tsa_authorities() }
    }

    /// Adds one by its certificates: that which signs timestamps first, the root last. One certificate is both.
    #[must_use]
    pub fn with_chain(mut self, chain: &[Certificate]) -> Self {
        let der = |certificate: &Certificate| DerCertificate::from_bytes(certificate.der());
        if let (Some(leaf), Some(root)) = (chain.first(), chain.last()) {
            let between = chain.get(1..chain.len() - 1).unwrap_or_default().iter().map(der).collect();
            self.all.push(TsaAuthority::new(der(leaf), between, der(root), None));
        }
        self
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The time that a token proves of a signature: by one of these authorities, whose certificate was valid then.
    pub(crate) fn time_of(&self, token: &[u8], signature: &[u8]) -> Result<Timestamp, SigningError> {
        let (token, signature) = (TimestampToken::from_bytes(token), SignatureBytes::from_bytes(signature));
        let mut refused = None;
        for authority in &self.all {
            match verify_timestamp_for_authority(&token, &signature, authority) {
                Ok(time) => return Ok(time),
                // An authority that signed it says more of it than those that did not.
                Err(error @ Error::TimestampOutsideValidity { .. }) => refused = Some(error),
                Err(error) => _ = refused.get_or_insert(error),
            }
        }
        Err(match refused {
            Some(Error::HashMismatch { .. }) => SigningError::TimestampMismatch,
            Some(Error::TimestampOutsideValidity { time }) => SigningError::TimestampOutsideValidity(time.to_string()),
            Some(Error::Parse(problem) | Error::Asn1(problem)) => SigningError::MalformedTimestamp(problem),
            Some(Error::NoTstInfo) => SigningError::MalformedTimestamp("it says nothing".to_owned()),
            _ => SigningError::TimestampUntrusted,
        })
    }
}
