//! Sigstore bundles: an envelope and what it takes to verify it, in one JSON document.
//!
//! <https://docs.sigstore.dev/about/bundle/>, as OpenSSF Model Signing v1.0 uses it, and as earlier signers wrote it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::encoding::{of_base64, to_base64};
use crate::envelope::Envelope;
use crate::error::SigningError;
use waag_evidence::strict;

/// The media type that is written.
pub const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// Bytes of a bundle that are read: a million files fit.
pub const MAX_BYTES: u64 = 256 << 20;
/// Certificates of a chain that are looked at.
const MAX_CERTIFICATES: usize = 16;

/// A bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Bundle {
    /// The version of the format.
    pub media_type: String,
    /// What it takes to verify the envelope, beside what the verifier trusts.
    #[serde(deserialize_with = "strict::object")]
    pub verification_material: VerificationMaterial,
    /// What is signed.
    #[serde(deserialize_with = "strict::object")]
    pub dsse_envelope: Envelope,
}

/// Who signed, and who saw it. Nothing here is signed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VerificationMaterial {
    /// Which key signed, for the verifier to have.
    #[serde(default, deserialize_with = "strict::optional", skip_serializing_if = "Option::is_none")]
    pub public_key: Option<PublicKeyIdentifier>,
    /// The certificate of the signing key and those above it.
    #[serde(default, deserialize_with = "strict::optional", skip_serializing_if = "Option::is_none")]
    pub x509_certificate_chain: Option<CertificateChain>,
    /// The short-lived certificate of a Sigstore signer.
    #[serde(default, deserialize_with = "strict::optional", skip_serializing_if = "Option::is_none")]
    pub certificate: Option<RawCertificate>,
    /// Entries of a transparency log. Early signers left the field out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tlog_entries: Option<Vec<Value>>,
    /// Timestamps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp_verification_data: Option<Value>,
}

/// Which key signed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PublicKeyIdentifier {
    /// SHA-256 of the public key in PEM, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The public key in PEM and then in Base64, as signers before 1.1 wrote it instead of the hint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_bytes: Option<String>,
    /// The kind of key, as signers before 1.1 wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_details: Option<String>,
}

/// The certificate of the signing key, and those above it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateChain {
    /// The signer's first.
    #[serde(deserialize_with = "strict::objects")]
    pub certificates: Vec<RawCertificate>,
}

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RawCertificate {
    /// Its DER encoding, in Base64.
    pub raw_bytes: String,
}

/// How a bundle is signed, which decides what it takes to verify it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Material<'a> {
    /// By a key that the verifier has.
    Key(&'a PublicKeyIdentifier),
    /// By a key with a certificate: these are DER encodings, the signer's first.
    Certificate(Vec<Vec<u8>>),
    /// By a Sigstore identity.
    Keyless,
}

impl Material<'_> {
    /// In words, for people.
    #[must_use]
    pub const fn words(&self) -> &'static str {
        match self {
            Self::Key(_) => "a key",
            Self::Certificate(_) => "a certificate",
            Self::Keyless => "a Sigstore identity",
        }
    }
}

impl Bundle {
    /// A bundle of the version that is written.
    #[must_use]
    pub fn new(material: VerificationMaterial, envelope: Envelope) -> Self {
        Self { media_type: MEDIA_TYPE.to_owned(), verification_material: material, dsse_envelope: envelope }
    }

    /// Reads a bundle. Nothing is verified.
    ///
    /// # Errors
    /// When it is no JSON document of this form: a field too many is refused too, since another reader may heed it.
    pub fn parse(json: &[u8]) -> Result<Self, SigningError> {
        if json.len() as u64 > MAX_BYTES {
            return Err(SigningError::malformed_bundle(format_args!("it is longer than {MAX_BYTES} bytes")));
        }
        strict::from_slice(json).map_err(SigningError::malformed_bundle)
    }

    /// The bundle as one line of JSON.
    ///
    /// # Errors
    /// Never for a bundle that was parsed or made here.
    pub fn to_json(&self) -> Result<Vec<u8>, SigningError> {
        let mut json = serde_json::to_vec(self).map_err(SigningError::malformed_bundle)?;
        json.push(b'\n');
        Ok(json)
    }

    /// How it is signed.
    ///
    /// # Errors
    /// When it says so in no way or in more than one.
    pub fn material(&self) -> Result<Material<'_>, SigningError> {
        let VerificationMaterial { public_key, x509_certificate_chain, certificate, .. } = &self.verification_material;
        match (public_key, x509_certificate_chain, certificate) {
            (Some(key), None, None) => Ok(Material::Key(key)),
            (None, Some(chain), None) => chain.der().map(Material::Certificate),
            (None, None, Some(_)) => Ok(Material::Keyless),
            (None, None, None) => Err(SigningError::malformed_bundle("it does not say how it is signed")),
            _ => Err(SigningError::malformed_bundle("it says in more than one way how it is signed")),
        }
    }
}

impl CertificateChain {
    /// A chain of DER encodings, the signer's first.
    pub fn new<'a>(certificates: impl Iterator<Item = &'a [u8]>) -> Self {
        Self { certificates: certificates.map(|der| RawCertificate { raw_bytes: to_base64(der) }).collect() }
    }

    fn der(&self) -> Result<Vec<Vec<u8>>, SigningError> {
        if self.certificates.is_empty() || self.certificates.len() > MAX_CERTIFICATES {
            let problem =
                format!("it has {} certificates: 1 to {MAX_CERTIFICATES} are expected", self.certificates.len());
            return Err(SigningError::malformed_bundle(problem));
        }
        let decoded = self.certificates.iter().map(|certificate| of_base64(&certificate.raw_bytes));
        decoded
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| SigningError::malformed_bundle("a certificate is not in Base64"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(material: &str) -> Result<Bundle, SigningError> {
        let text = format!(
            r#"{{"mediaType":"{MEDIA_TYPE}","verificationMaterial":{material},"dsseEnvelope":{{"payload":"AAE=","payloadType":"t","signatures":[{{"sig":"AAE=","keyid":null}}]}}}}"#
        );
        Bundle::parse(text.as_bytes())
    }

    #[test]
    fn each_way_of_signing_is_told() {
        for (material, words) in [
            (r#"{"publicKey":{"hint":"00"},"tlogEntries":[]}"#, "a key"),
            (r#"{"publicKey":{"rawBytes":"AAE=","keyDetails":"PKIX_ECDSA_P384_SHA_384"}}"#, "a key"),
            (r#"{"x509CertificateChain":{"certificates":[{"rawBytes":"AAE="}]}}"#, "a certificate"),
            (r#"{"certificate":{"rawBytes":"AAE="},"tlogEntries":[{"logIndex":"1"}]}"#, "a Sigstore identity"),
        ] {
            let bundle = bundle(material).unwrap();
            assert_eq!(bundle.material().unwrap().words(), words, "{material}");
            assert_eq!(Bundle::parse(&bundle.to_json().unwrap()).unwrap(), bundle);
        }
    }

    #[test]
    fn what_is_unclear_is_refused() {
        for material in [
            "{}",
            r#"{"publicKey":{"hint":"00"},"certificate":{"rawBytes":"AAE="}}"#,
            r#"{"x509CertificateChain":{"certificates":[]}}"#,
            r#"{"x509CertificateChain":{"certificates":[{"rawBytes":"AAE"}]}}"#,
        ] {
            let bundle = bundle(material).unwrap();
            assert_eq!(bundle.material().map_err(|error| error.code()).err(), Some("malformed-bundle"), "{material}");
        }
        for material in [r#"{"publicKey":{"hint":"00"},"x":1}"#, r#"{"publicKey":{"hint":"00"},"publicKey":{}}"#, "[]"]
        {
            assert_eq!(bundle(material).map_err(|error| error.code()).err(), Some("malformed-bundle"), "{material}");
        }
    }
}
