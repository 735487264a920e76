//! Verifying a bundle: offline, and with every check that a bundle allows.

use sigstore_types::{
    Artifact, ArtifactDigest, Bundle, DerPublicKey, HashAlgorithm, Sha256Hash, SignatureContent, Statement,
};
use sigstore_verify::{Policy, PublicKeyVerificationPolicy, VerificationPolicy, Verifier};

use super::bundle;
use super::code::{Code, KeylessError};
use super::refusal::refusal;
use super::root::TrustedRoot;
use super::signer::Signer;

/// Who has to have signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The whole subject alternative name: `someone@example.org`, or the address of a workflow.
    pub name: String,
    /// The whole address of the issuer that confirmed it, such as `https://accounts.google.com`.
    pub issuer: String,
}

/// What has to have been signed.
#[derive(Debug, Clone, Copy)]
pub enum Content<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// Whatever has this SHA-256.
    Sha256([u8; 32]),
}

/// A statement whose signature holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedStatement {
    /// The bytes that were signed: an in-toto statement in JSON. Read this, and not the bundle again.
    pub statement: Vec<u8>,
    /// Who signed.
    pub signer: Signer,
}

/// Verifies a bundle over an in-toto statement, and gives the statement. What it says of which files is for the caller
/// to check: the statement is only known to be the signer's.
///
/// # Errors
///
/// [`KeylessError`] with the first thing that does not hold.
pub fn verify_statement(
    bundle: &[u8],
    identity: &Identity,
    root: &TrustedRoot,
) -> Result<VerifiedStatement, KeylessError> {
    statement(bundle, &policy_of(identity), root)
}

/// Verifies a bundle over an in-toto statement that was signed with a key and logged. `key` is a PEM public key.
///
/// # Errors
///
/// [`KeylessError`] with the first thing that does not hold; [`Code::KeyInvalid`] when `key` is none.
pub fn verify_statement_with_key(
    bundle: &[u8],
    key: &str,
    root: &TrustedRoot,
) -> Result<VerifiedStatement, KeylessError> {
    statement(bundle, &policy_of_key(key)?, root)
}

/// Verifies a bundle over an artifact: its signature is over the artifact, or over a statement that names its digest.
///
/// # Errors
///
/// [`KeylessError`] with the first thing that does not hold.
pub fn verify_artifact(
    bundle: &[u8],
    content: Content<'_>,
    identity: &Identity,
    root: &TrustedRoot,
) -> Result<Signer, KeylessError> {
    artifact(bundle, content, &policy_of(identity), root)
}

/// Verifies a bundle over an artifact that was signed with a key and logged. `key` is a PEM public key.
///
/// # Errors
///
/// [`KeylessError`] with the first thing that does not hold; [`Code::KeyInvalid`] when `key` is none.
pub fn verify_artifact_with_key(
    bundle: &[u8],
    content: Content<'_>,
    key: &str,
    root: &TrustedRoot,
) -> Result<Signer, KeylessError> {
    artifact(bundle, content, &policy_of_key(key)?, root)
}

/// Whoever signed: only for what was signed a moment ago, to see whether others will be able to verify it.
#[cfg(feature = "online")]
pub(super) fn verify_whoever(
    bundle: &Bundle,
    content: Artifact<'_>,
    root: &TrustedRoot,
) -> Result<Signer, KeylessError> {
    judge(bundle, content, &VerificationPolicy::any_identity(), root)
}

fn policy_of(identity: &Identity) -> VerificationPolicy {
    VerificationPolicy::new(&identity.name, &identity.issuer)
}

fn policy_of_key(key: &str) -> Result<PublicKeyVerificationPolicy, KeylessError> {
    let key = DerPublicKey::from_pem(key);
    key.map(PublicKeyVerificationPolicy::new)
        .map_err(|error| KeylessError::new(Code::KeyInvalid, format_args!("the public key cannot be read: {error}")))
}

fn statement(bytes: &[u8], policy: &dyn Policy, root: &TrustedRoot) -> Result<VerifiedStatement, KeylessError> {
    let bundle = bundle::read(bytes)?;
    let SignatureContent::DsseEnvelope(envelope) = &bundle.content else {
        return Err(KeylessError::new(Code::UnsupportedBundle, "the bundle signs bytes, and no statement"));
    };
    let payload = envelope.payload.as_bytes();
    let unreadable =
        |why| KeylessError::new(Code::MalformedBundle, format_args!("the statement cannot be read: {why}"));
    let subject = subject_of(payload).map_err(unreadable)?;
    let signer = judge(&bundle, Artifact::from_digest(subject), policy, root)?;
    Ok(VerifiedStatement { statement: payload.to_vec(), signer })
}

fn artifact(
    bytes: &[u8],
    content: Content<'_>,
    policy: &dyn Policy,
    root: &TrustedRoot,
) -> Result<Signer, KeylessError> {
    judge(&bundle::read(bytes)?, content.into(), policy, root)
}

fn judge(
    bundle: &Bundle,
    content: Artifact<'_>,
    policy: &dyn Policy,
    root: &TrustedRoot,
) -> Result<Signer, KeylessError> {
    if bundle.verification_material.tlog_entries.is_empty() {
        return Err(KeylessError::new(
            Code::LogEntryMissing,
            "no transparency log has this signature: the bundle has no entry",
        ));
    }
    let refused = |error| refusal(&error, bundle, root);
    let verifier = Verifier::new(root.inner()).map_err(refused)?;
    let result = verifier.verify(content, bundle, policy).map_err(refused)?;
    Ok(Signer::new(bundle, &result))
}

/// A digest that a statement has for one of its subjects. The library wants to see something that the statement is
/// about; what it is about is the caller's question.
pub(super) fn subject_of(statement: &[u8]) -> Result<ArtifactDigest, String> {
    let statement: Statement = serde_json::from_slice(statement).map_err(|error| error.to_string())?;
    let digests = statement.subject.iter().find_map(|subject| {
        let sha256 = subject.digest.sha256.map(ArtifactDigest::sha256);
        sha256.or_else(|| ArtifactDigest::new(HashAlgorithm::Sha2512, &subject.digest.sha512?.as_bytes()[..]).ok())
    });
    digests.ok_or_else(|| "no subject has a SHA-256 or SHA-512 digest".to_owned())
}

impl<'a> From<Content<'a>> for Artifact<'a> {
    fn from(content: Content<'a>) -> Self {
        match content {
            Content::Bytes(bytes) => Self::from_blob(bytes),
            Content::Sha256(digest) => Self::from_digest(Sha256Hash::new(digest)),
        }
    }
}
