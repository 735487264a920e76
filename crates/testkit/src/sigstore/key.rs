//! Keys of the stand-in: ECDSA over P-256, made from a number.

use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

use super::der::{Der, bits, oid, sequence};

/// A private key.
#[derive(Debug, Clone)]
pub struct Key(SigningKey);

impl Key {
    /// The key of a number: the same each time.
    pub fn of(number: u8) -> Self {
        Self(SigningKey::from_slice(&[number; 32]).expect("the number is no key"))
    }

    /// A signature with SHA-256, in DER. The same message gives the same signature (RFC 6979).
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: Signature = self.0.sign(message);
        signature.to_der().as_bytes().to_vec()
    }

    /// A signature as JSON Web Tokens have it: two numbers of 32 bytes.
    pub fn sign_raw(&self, message: &[u8]) -> Vec<u8> {
        let signature: Signature = self.0.sign(message);
        signature.to_bytes().to_vec()
    }

    /// Whether a raw signature is by this key.
    pub fn has_signed_raw(&self, message: &[u8], signature: &[u8]) -> bool {
        let signature = Signature::from_slice(signature);
        signature.is_ok_and(|signature| self.0.verifying_key().verify(message, &signature).is_ok())
    }

    /// The public key, as SubjectPublicKeyInfo.
    pub fn public(&self) -> Der {
        let point = self.0.verifying_key().to_sec1_point(false);
        let algorithm = sequence(&[oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7")]);
        sequence(&[algorithm, bits(point.as_bytes())])
    }

    /// SHA-256 of the public key, by which logs are named.
    pub fn id(&self) -> [u8; 32] {
        Sha256::digest(self.public()).into()
    }
}

/// Whether a signature in DER, with SHA-256, is by a public key: a SubjectPublicKeyInfo of P-256.
pub(super) fn has_signed(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    // An uncompressed point is the last 65 bytes of such a key.
    let point = public.get(public.len().saturating_sub(65)..).unwrap_or_default();
    let (Ok(key), Ok(signature)) = (VerifyingKey::from_sec1_bytes(point), Signature::from_der(signature)) else {
        return false;
    };
    key.verify(message, &signature).is_ok()
}
