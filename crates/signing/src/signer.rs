//! Who signed, and when.

use jiff::Timestamp;
use serde::Serialize;
use waag_evidence::Sha256Digest;

/// How a signer is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignerKind {
    /// By a key.
    Key,
    /// By a certificate of an authority that the verifier named.
    Certificate,
    /// By a Sigstore identity.
    Keyless,
}

/// Who signed, once that is proven.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Signer {
    /// How they are known.
    pub kind: SignerKind,
    /// What they are called: the matched name of a certificate, or the fingerprint of a key. It may come from the bundle.
    pub name: String,
    /// Who vouches for the name: the root's subject, or the identity provider's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// SHA-256 of the public key in PEM, as bundles write it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Sha256Digest>,
    /// When it was signed, where somebody else than the signer says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<SignatureTime>,
}

/// A time of signing that does not rest on the signer's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SignatureTime {
    /// When.
    pub at: Timestamp,
    /// Who says so.
    pub source: TimeSource,
}

/// Who says when something was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimeSource {
    /// A transparency log.
    TransparencyLog,
    /// A timestamp authority (RFC 3161).
    TimestampAuthority,
}

impl TimeSource {
    /// In words, for people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::TransparencyLog => "a transparency log",
            Self::TimestampAuthority => "a timestamp authority",
        }
    }
}
