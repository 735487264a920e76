//! Signing with a key that lives for one signature.

use sigstore_sign::types::Sha256Hash;
use sigstore_sign::{Error, Signer as Library, SigningContext};
use sigstore_types::{Artifact, ArtifactDigest, Bundle};

use super::code::{Code, KeylessError};
use super::fetch::wait;
use super::root::TrustedRoot;
use super::services::Services;
use super::signer::Signer;
use super::token::Token;
use super::verify::{Content, subject_of, verify_whoever};

/// A new bundle, and what others will see of who signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The bundle, version 0.3, as JSON on one line.
    pub bundle: String,
    /// Who signed, as whoever verifies will see it.
    pub signer: Signer,
}

/// Signs an in-toto statement as it stands: a new key, a certificate for it, a signature (DSSE, ECDSA P-256), an entry in
/// the log and a timestamp. What came of it is verified with `root` before it is given out.
///
/// # Errors
///
/// [`Code::StatementInvalid`] before anything is sent; otherwise the service that refused, or why the result would not
/// verify.
pub fn sign_statement(
    statement: &[u8],
    token: Token,
    services: &Services,
    root: &TrustedRoot,
) -> Result<Signed, KeylessError> {
    let invalid =
        |why| KeylessError::new(Code::StatementInvalid, format_args!("the statement cannot be signed: {why}"));
    let subject = subject_of(statement).map_err(invalid)?;
    let bundle = wait(signer(token, services).sign_raw_statement(statement))?;
    finish(&bundle.map_err(refused)?, subject, root)
}

/// Signs an artifact, as [`sign_statement`] does a statement.
///
/// # Errors
///
/// The service that refused, or why the result would not verify.
pub fn sign_artifact(
    content: Content<'_>,
    token: Token,
    services: &Services,
    root: &TrustedRoot,
) -> Result<Signed, KeylessError> {
    let digest = match content {
        Content::Bytes(bytes) => sigstore_sign::crypto::sha256(bytes),
        Content::Sha256(digest) => Sha256Hash::new(digest),
    };
    let bundle = wait(signer(token, services).sign(Artifact::from_digest(digest)))?;
    finish(&bundle.map_err(refused)?, digest.into(), root)
}

fn signer(token: Token, services: &Services) -> Library {
    SigningContext::new(services.inner().clone()).signer(token.into_inner())
}

fn finish(bundle: &Bundle, signed: ArtifactDigest, root: &TrustedRoot) -> Result<Signed, KeylessError> {
    let signer = verify_whoever(bundle, Artifact::from_digest(signed), root)?;
    let bundle = bundle.to_json().map_err(|error| KeylessError::new(Code::MalformedBundle, error))?;
    Ok(Signed { bundle, signer })
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
fn refused(error: Error) -> KeylessError {
    let code = match error {
        Error::Config(_) | Error::TrustRoot(_) => Code::SigningConfigInvalid,
        Error::InvalidStatement(_) | Error::UnsupportedArtifact(_) => Code::StatementInvalid,
        Error::Fulcio(_) => Code::CertificateRefused,
        Error::Rekor(_) => Code::LogRefused,
        Error::Tsa(_) => Code::TimestampRefused,
        Error::Oidc(_) => Code::TokenInvalid,
        _ => Code::MalformedBundle,
    };
    KeylessError::new(code, format_args!("signing did not succeed: {error}"))
}
