//! Keys that models are signed with: ECDSA over P-256, P-384 and P-521, in PEM.
//!
//! The hash goes with the curve: SHA-256, SHA-384, SHA-512. Signatures are deterministic (after RFC 6979), so that the
//! same model and key give the same bundle.

use std::fmt;

use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use pkcs8::der::Decode as _;
use pkcs8::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
use pkcs8::{EncryptedPrivateKeyInfoRef, ObjectIdentifier, PrivateKeyInfoRef};
use sec1::{EcParameters, EcPrivateKey};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use waag_evidence::Sha256Digest;

use crate::error::SigningError;
use crate::pem::{self, Block};

const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// Bytes of a digest that stand before it so that every curve takes it: zeros, which leave the number as it is.
const WIDEST_FIELD: usize = 66;

/// A curve that models are signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Curve {
    /// NIST P-256, secp256r1.
    P256,
    /// NIST P-384, secp384r1.
    P384,
    /// NIST P-521, secp521r1.
    P521,
}

impl Curve {
    const ALL: [Self; 3] = [Self::P256, Self::P384, Self::P521];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    /// What early bundles call a key of this curve and its hash.
    pub(crate) const fn key_details(self) -> &'static str {
        match self {
            Self::P256 => "PKIX_ECDSA_P256_SHA_256",
            Self::P384 => "PKIX_ECDSA_P384_SHA_384",
            Self::P521 => "PKIX_ECDSA_P521_SHA_512",
        }
    }

    const fn identifier(self) -> ObjectIdentifier {
        match self {
            Self::P256 => ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"),
            Self::P384 => ObjectIdentifier::new_unwrap("1.3.132.0.34"),
            Self::P521 => ObjectIdentifier::new_unwrap("1.3.132.0.35"),
        }
    }

    pub(crate) fn of_identifier(identifier: ObjectIdentifier) -> Result<Self, SigningError> {
        let found = Self::ALL.into_iter().find(|curve| curve.identifier() == identifier);
        found.ok_or_else(|| match identifier.to_string().as_str() {
            "1.3.132.0.10" => unsupported("on the curve secp256k1, not on P-256, P-384 or P-521"),
            other => unsupported(format_args!("on the curve {other}, not on P-256, P-384 or P-521")),
        })
    }

    /// The digest that a signature by a key of this curve is over.
    #[must_use]
    pub fn digest(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::P256 => Sha256::digest(message).to_vec(),
            Self::P384 => Sha384::digest(message).to_vec(),
            Self::P521 => Sha512::digest(message).to_vec(),
        }
    }
}

/// Does one thing on whichever curve it is; the curve's crate is called `curve` within.
macro_rules! on_each {
    ($on:ident :: $kind:ident, $value:expr, $key:ident, $curve:ident => $do:expr) => {
        match $value {
            $on::P256($key) => {
                use p256 as $curve;
                $do
            }
            $on::P384($key) => {
                use p384 as $curve;
                $do
            }
            $on::P521($key) => {
                use p521 as $curve;
                $do
            }
        }
    };
}

#[derive(Clone, PartialEq, Eq)]
enum Verifying {
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    P521(p521::ecdsa::VerifyingKey),
}

/// A public key.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    key: Verifying,
    der: Vec<u8>,
}

impl PublicKey {
    /// Reads a public key in PEM (`PUBLIC KEY`); the first one, where there are more.
    ///
    /// # Errors
    /// When there is none, or one of a kind that models are not signed with.
    pub fn from_pem(text: &str) -> Result<Self, SigningError> {
        let blocks = pem::blocks(text);
        let bytes = blocks.iter().find(|block| block.label == "PUBLIC KEY").and_then(|block| block.bytes.as_ref());
        bytes.map_or_else(|| Err(no_public_key(&blocks)), |bytes| Self::from_der(bytes))
    }

    /// Reads a `SubjectPublicKeyInfo` (RFC 5280).
    ///
    /// # Errors
    /// When it is none, or of a kind that models are not signed with.
    pub fn from_der(der: &[u8]) -> Result<Self, SigningError> {
        let info = SubjectPublicKeyInfoRef::from_der(der).map_err(malformed)?;
        let curve = curve_of(&info.algorithm)?;
        let point = info.subject_public_key.as_bytes().ok_or_else(|| malformed("its bits are no bytes"))?;
        Self::from_point(curve, point)
    }

    /// A key from a point on a curve, as SEC 1 writes it.
    ///
    /// # Errors
    /// When it is no point on the curve.
    pub fn from_point(curve: Curve, point: &[u8]) -> Result<Self, SigningError> {
        let key = match curve {
            Curve::P256 => p256::ecdsa::VerifyingKey::from_sec1_bytes(point).map(Verifying::P256),
            Curve::P384 => p384::ecdsa::VerifyingKey::from_sec1_bytes(point).map(Verifying::P384),
            Curve::P521 => p521::ecdsa::VerifyingKey::from_sec1_bytes(point).map(Verifying::P521),
        };
        Self::new(key.map_err(|_| malformed(format_args!("it is no point on {}", curve.name())))?)
    }

    fn new(key: Verifying) -> Result<Self, SigningError> {
        let der = on_each!(Verifying::Key, &key, key, curve => {
            use curve::pkcs8::EncodePublicKey as _;
            key.to_public_key_der()
        });
        Ok(Self { der: der.map_err(malformed)?.into_vec(), key })
    }

    /// Its curve.
    #[must_use]
    pub const fn curve(&self) -> Curve {
        match self.key {
            Verifying::P256(_) => Curve::P256,
            Verifying::P384(_) => Curve::P384,
            Verifying::P521(_) => Curve::P521,
        }
    }

    /// The key in PEM, as OpenSSL writes it.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::write("PUBLIC KEY", &self.der)
    }

    /// What bundles call it: SHA-256 of the key in PEM.
    #[must_use]
    pub fn fingerprint(&self) -> Sha256Digest {
        Sha256Digest::new(Sha256::digest(self.to_pem().as_bytes()).into())
    }

    /// Verifies a signature in DER over a message, with the hash that goes with the curve.
    ///
    /// # Errors
    /// When it is not this key's signature over this message.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SigningError> {
        self.verify_digest(&self.curve().digest(message), signature)
    }

    /// Verifies a signature in DER over a digest.
    ///
    /// # Errors
    /// When it is not this key's signature over this digest.
    pub fn verify_digest(&self, digest: &[u8], signature: &[u8]) -> Result<(), SigningError> {
        let mut wide = vec![0; WIDEST_FIELD.saturating_sub(digest.len())];
        wide.extend_from_slice(digest);
        // A short digest is the same number with zeros before it, and some curves take no short one.
        let digest = if digest.len() < WIDEST_FIELD / 2 && self.curve() == Curve::P521 { &wide } else { digest };
        let verified = on_each!(Verifying::Key, &self.key, key, curve => {
            curve::ecdsa::Signature::from_der(signature).and_then(|signature| key.verify_prehash(digest, &signature))
        });
        verified.map_err(|_| SigningError::SignatureInvalid)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PublicKey({}, {:?})", self.curve().name(), self.fingerprint())
    }
}

/// What can sign: a private key, or a token that has one.
pub trait SigningKey: fmt::Debug {
    /// The public half.
    fn public_key(&self) -> &PublicKey;

    /// A signature in DER over a message, with the hash that goes with the curve.
    ///
    /// # Errors
    /// When it cannot be made.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError>;
}

enum Signing {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
}

/// A private key. It is wiped from memory when it is dropped.
pub struct PrivateKey {
    key: Signing,
    public: PublicKey,
}

impl PrivateKey {
    /// Reads a private key in PEM: PKCS#8 (`PRIVATE KEY`, `ENCRYPTED PRIVATE KEY`) or SEC 1 (`EC PRIVATE KEY`).
    ///
    /// # Errors
    /// When there is none, when it is of a kind that models are not signed with, or when the password does not open it.
    pub fn from_pem(text: &str, password: Option<&[u8]>) -> Result<Self, SigningError> {
        let blocks = pem::blocks(text);
        let block = blocks.iter().find(|block| block.label.ends_with("PRIVATE KEY"));
        let block = block.ok_or_else(|| malformed("it has no private key"))?;
        if block.has_headers {
            let problem = "encrypted in an old way; convert it: openssl pkcs8 -topk8 -v2 aes-256-cbc -in KEY -out NEW";
            return Err(unsupported(problem));
        }
        let bytes = block.bytes.as_ref().ok_or_else(|| malformed("it is not in Base64"))?;
        match (block.label.as_str(), password) {
            ("PRIVATE KEY", _) => Self::from_pkcs8(bytes),
            ("EC PRIVATE KEY", _) => Self::from_sec1(bytes, None),
            ("ENCRYPTED PRIVATE KEY", Some(password)) => Self::from_encrypted(bytes, password),
            ("ENCRYPTED PRIVATE KEY", None) => Err(SigningError::PasswordNeeded),
            (other, _) => Err(unsupported(format_args!("a '{other}', not an elliptic curve key in PKCS#8 or SEC 1"))),
        }
    }

    fn from_encrypted(der: &[u8], password: &[u8]) -> Result<Self, SigningError> {
        let info = EncryptedPrivateKeyInfoRef::from_der(der).map_err(malformed)?;
        let opened = info.decrypt(password).map_err(|_| SigningError::WrongPassword)?;
        Self::from_pkcs8(opened.as_bytes())
    }

    fn from_pkcs8(der: &[u8]) -> Result<Self, SigningError> {
        let info = PrivateKeyInfoRef::from_der(der).map_err(malformed)?;
        let curve = curve_of(&info.algorithm)?;
        Self::from_sec1(info.private_key.as_bytes(), Some(curve))
    }

    fn from_sec1(der: &[u8], curve: Option<Curve>) -> Result<Self, SigningError> {
        let key = EcPrivateKey::from_der(der).map_err(malformed)?;
        let named = key.parameters.and_then(EcParameters::named_curve).map(Curve::of_identifier).transpose()?;
        let curve = curve.or(named).ok_or_else(|| malformed("it does not name its curve"))?;
        Self::new(curve, key.private_key)
    }

    fn new(curve: Curve, scalar: &[u8]) -> Result<Self, SigningError> {
        let key = match curve {
            Curve::P256 => p256::ecdsa::SigningKey::from_slice(scalar).map(Signing::P256),
            Curve::P384 => p384::ecdsa::SigningKey::from_slice(scalar).map(Signing::P384),
            Curve::P521 => p521::ecdsa::SigningKey::from_slice(scalar).map(Signing::P521),
        };
        let key = key.map_err(|_| malformed(format_args!("it is no private key on {}", curve.name())))?;
        let verifying = match &key {
            Signing::P256(key) => Verifying::P256(*key.verifying_key()),
            Signing::P384(key) => Verifying::P384(*key.verifying_key()),
            Signing::P521(key) => Verifying::P521(*key.verifying_key()),
        };
        Ok(Self { key, public: PublicKey::new(verifying)? })
    }
}

impl SigningKey for PrivateKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let signature = on_each!(Signing::Key, &self.key, key, curve => {
            key.try_sign(message).map(|signature: curve::ecdsa::Signature| signature.to_der().as_bytes().to_vec())
        });
        signature.map_err(|_| malformed("it does not sign"))
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PrivateKey of {:?}", self.public)
    }
}

fn curve_of(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<Curve, SigningError> {
    if algorithm.oid == EC_PUBLIC_KEY {
        let parameters = algorithm.parameters.ok_or_else(|| malformed("it does not name its curve"))?;
        let curve = parameters.decode_as::<ObjectIdentifier>();
        return Curve::of_identifier(curve.map_err(|_| unsupported("on a curve that it spells out"))?);
    }
    Err(unsupported(match algorithm.oid.to_string().as_str() {
        "1.2.840.113549.1.1.1" => "an RSA key",
        "1.2.840.10040.4.1" => "a DSA key",
        "1.3.101.112" => "an Ed25519 key",
        "1.3.101.113" => "an Ed448 key",
        _ => "not an elliptic curve key",
    }))
}

/// What is there instead of a public key, which is most often the private one.
fn no_public_key(blocks: &[Block]) -> SigningError {
    match blocks.first() {
        None => malformed("it is not in PEM"),
        Some(block) if block.label.ends_with("PRIVATE KEY") => {
            malformed("it is a private key; the public half is needed: openssl pkey -pubout -in KEY")
        }
        Some(block) => malformed(format_args!("it is a '{}', not a public key", block.label)),
    }
}

fn malformed(problem: impl fmt::Display) -> SigningError {
    SigningError::MalformedKey(problem.to_string())
}

fn unsupported(problem: impl fmt::Display) -> SigningError {
    SigningError::UnsupportedKey(problem.to_string())
}

#[cfg(test)]
#[path = "key_tests.rs"]
mod tests;
