//! Certificates (X.509, RFC 5280): what they say of a signer, and who issued them.

use std::fmt;

use jiff::Timestamp;
use rsa::pkcs1::DecodeRsaPublicKey as _;
use rsa::pkcs1v15;
use rsa::signature::hazmat::PrehashVerifier as _;
use rsa::traits::PublicKeyParts as _;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode as _, Encode as _, Header, Reader as _, SliceReader};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAltName};
use x509_cert::spki::SubjectPublicKeyInfoOwned;

use crate::error::SigningError;
use crate::key::PublicKey;
use crate::pem;

/// Bits of an RSA key below which it proves nothing.
const LEAST_RSA_BITS: usize = 2048;
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// A certificate.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    parsed: x509_cert::Certificate,
    der: Vec<u8>,
    /// The part that is signed, as it was written.
    signed: std::ops::Range<usize>,
}

impl Certificate {
    /// Reads the certificates of a PEM file, in order.
    ///
    /// # Errors
    /// When there is none, or one that cannot be read.
    pub fn from_pem(text: &str) -> Result<Vec<Self>, SigningError> {
        let blocks = pem::blocks(text);
        let certificates = blocks.iter().filter(|block| block.label == "CERTIFICATE");
        let read = certificates.map(|block| match &block.bytes {
            Some(der) => Self::from_der(der),
            None => Err(malformed("it is not in Base64")),
        });
        let read = read.collect::<Result<Vec<_>, _>>()?;
        if read.is_empty() { Err(malformed("the file has no certificate in PEM")) } else { Ok(read) }
    }

    /// Reads a certificate in DER.
    ///
    /// # Errors
    /// When it is none.
    pub fn from_der(der: &[u8]) -> Result<Self, SigningError> {
        let parsed = x509_cert::Certificate::from_der(der).map_err(malformed)?;
        if parsed.tbs_certificate().signature() != parsed.signature_algorithm() {
            return Err(malformed("it names two signature algorithms"));
        }
        Ok(Self { parsed, signed: signed_range(der).map_err(malformed)?, der: der.to_vec() })
    }

    /// The certificate in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whom it names, as RFC 4514 writes it.
    #[must_use]
    pub fn subject(&self) -> String {
        self.parsed.tbs_certificate().subject().to_string()
    }

    /// The key that it is for.
    ///
    /// # Errors
    /// When models are not signed with keys of its kind.
    pub fn public_key(&self) -> Result<PublicKey, SigningError> {
        PublicKey::from_der(&self.key_info().to_der().map_err(malformed)?)
    }

    /// The names that it gives its holder: e-mail addresses, URIs and host names; the common name where there are none.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn names(&self) -> Result<Vec<String>, SigningError> {
        let tbs = self.parsed.tbs_certificate();
        let Some((_, alternatives)) = tbs.get_extension::<SubjectAltName>().map_err(malformed)? else {
            let common = tbs.subject().common_name().map_err(malformed)?;
            return Ok(common.map(|name| name.value().into_owned()).into_iter().collect());
        };
        let text = |name: GeneralName| match name {
            GeneralName::Rfc822Name(text)
            | GeneralName::DnsName(text)
            | GeneralName::UniformResourceIdentifier(text) => Some(text.to_string()),
            _ => None,
        };
        Ok(alternatives.0.into_iter().filter_map(text).collect())
    }

    /// Whether it was issued in the name of `issuer`. Nothing is verified.
    pub(crate) fn names_issuer(&self, issuer: &Self) -> bool {
        self.parsed.tbs_certificate().issuer() == issuer.parsed.tbs_certificate().subject()
    }

    /// Whether the key of `issuer` signed it.
    pub(crate) fn is_signed_by(&self, issuer: &Self) -> bool {
        let Some(signed) = self.der.get(self.signed.clone()) else { return false };
        let Some(signature) = self.parsed.signature().as_bytes() else { return false };
        let algorithm = self.parsed.signature_algorithm().oid.to_string();
        match algorithm.as_str() {
            "1.2.840.10045.4.3.2" => issuer.verifies_ecdsa(&Sha256::digest(signed), signature),
            "1.2.840.10045.4.3.3" => issuer.verifies_ecdsa(&Sha384::digest(signed), signature),
            "1.2.840.10045.4.3.4" => issuer.verifies_ecdsa(&Sha512::digest(signed), signature),
            "1.2.840.113549.1.1.11" => issuer.verifies_rsa::<Sha256>(signed, signature),
            "1.2.840.113549.1.1.12" => issuer.verifies_rsa::<Sha384>(signed, signature),
            "1.2.840.113549.1.1.13" => issuer.verifies_rsa::<Sha512>(signed, signature),
            _ => false,
        }
    }

    fn verifies_ecdsa(&self, digest: &[u8], signature: &[u8]) -> bool {
        self.public_key().is_ok_and(|key| key.verify_digest(digest, signature).is_ok())
    }

    fn verifies_rsa<D>(&self, signed: &[u8], signature: &[u8]) -> bool
    where
        D: sha2::Digest + x509_cert::der::oid::AssociatedOid,
    {
        let info = self.key_info();
        let (true, Some(key)) = (info.algorithm.oid == RSA_ENCRYPTION, info.subject_public_key.as_bytes()) else {
            return false;
        };
        let Ok(key) = rsa::PublicKey::from_pkcs1_der(key) else { return false };
        let Ok(signature) = pkcs1v15::Signature::try_from(signature) else { return false };
        key.size() * 8 >= LEAST_RSA_BITS
            && pkcs1v15::VerifyingKey::<D>::new(key).verify_prehash(&D::digest(signed), &signature).is_ok()
    }

    fn key_info(&self) -> &SubjectPublicKeyInfoOwned {
        self.parsed.tbs_certificate().subject_public_key_info()
    }

    /// From when to when it is valid, both included.
    pub(crate) fn validity(&self) -> Result<(Timestamp, Timestamp), SigningError> {
        let validity = self.parsed.tbs_certificate().validity();
        let at = |time: x509_cert::time::Time| {
            let seconds = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
            Timestamp::from_second(seconds).map_err(malformed)
        };
        Ok((at(validity.not_before)?, at(validity.not_after)?))
    }

    pub(crate) fn basic_constraints(&self) -> Result<Option<BasicConstraints>, SigningError> {
        let found = self.parsed.tbs_certificate().get_extension::<BasicConstraints>();
        Ok(found.map_err(malformed)?.map(|(_, constraints)| constraints))
    }

    pub(crate) fn key_usage(&self) -> Result<Option<KeyUsage>, SigningError> {
        let found = self.parsed.tbs_certificate().get_extension::<KeyUsage>();
        Ok(found.map_err(malformed)?.map(|(_, usage)| usage))
    }

    pub(crate) fn extended_key_usage(&self) -> Result<Option<Vec<ObjectIdentifier>>, SigningError> {
        let found = self.parsed.tbs_certificate().get_extension::<ExtendedKeyUsage>();
        Ok(found.map_err(malformed)?.map(|(_, usage)| usage.0))
    }

    /// Extensions: which, and whether a reader has to understand them.
    pub(crate) fn extensions(&self) -> impl Iterator<Item = (ObjectIdentifier, bool)> {
        let extensions = self.parsed.tbs_certificate().extensions().map(Vec::as_slice).unwrap_or_default();
        extensions.iter().map(|extension| (extension.extn_id, extension.critical))
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Certificate({})", self.subject())
    }
}

/// Where the signed part stands. It is taken as written, since writing it again might change it.
fn signed_range(der: &[u8]) -> x509_cert::der::Result<std::ops::Range<usize>> {
    let mut reader = SliceReader::new(der)?;
    Header::decode(&mut reader)?;
    let start = usize::try_from(reader.position())?;
    let length = reader.tlv_bytes()?.len();
    Ok(start..start.saturating_add(length))
}

fn malformed(problem: impl fmt::Display) -> SigningError {
    SigningError::MalformedCertificate(problem.to_string())
}
