//! Making a bundle by a key or a certificate.

use jiff::Timestamp;

use crate::bundle::{Bundle, CertificateChain, PublicKeyIdentifier, VerificationMaterial};
use crate::certificate::Certificate;
use crate::chain::check_signer;
use crate::envelope::{Envelope, pae};
use crate::error::SigningError;
use crate::key::SigningKey;
use waag_evidence::statement::PAYLOAD_TYPE;

/// Signs a statement with a key. The same statement and key give the same bundle, unless the key is in a token.
///
/// # Errors
/// When the key does not sign.
pub fn sign_with_key(statement: &[u8], key: &dyn SigningKey) -> Result<Bundle, SigningError> {
    let hint = Some(key.public_key().fingerprint().to_string());
    let public_key = Some(PublicKeyIdentifier { hint, ..PublicKeyIdentifier::default() });
    finish(statement, key, VerificationMaterial { public_key, ..VerificationMaterial::default() })
}

/// Signs a statement with a key that has a certificate: the key's own first, then those above it.
///
/// # Errors
/// When the certificate is for another key, not for signing, or not valid now; when the key does not sign.
pub fn sign_with_certificate(
    statement: &[u8],
    key: &dyn SigningKey,
    chain: &[Certificate],
    now: Timestamp,
) -> Result<Bundle, SigningError> {
    let certificate = chain.first().ok_or_else(|| SigningError::MalformedCertificate("there is none".to_owned()))?;
    if certificate.public_key()? != *key.public_key() {
        return Err(SigningError::CertificateForAnotherKey);
    }
    check_signer(certificate, now)?;
    let x509_certificate_chain = Some(CertificateChain::new(chain.iter().map(Certificate::der)));
    finish(statement, key, VerificationMaterial { x509_certificate_chain, ..VerificationMaterial::default() })
}

fn finish(statement: &[u8], key: &dyn SigningKey, material: VerificationMaterial) -> Result<Bundle, SigningError> {
    let message = pae(PAYLOAD_TYPE, statement);
    let signature = key.sign(&message)?;
    // A fault while signing can give the key away; a signature that does not verify is never given out.
    key.public_key().verify(&message, &signature)?;
    let material = VerificationMaterial { tlog_entries: Some(Vec::new()), ..material };
    Ok(Bundle::new(material, Envelope::new(PAYLOAD_TYPE, statement, &signature)))
}
