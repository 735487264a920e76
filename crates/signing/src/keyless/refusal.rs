//! Why verification refuses, in waag's codes.

use sigstore_types::Bundle;
use sigstore_verify::bundle::Error as Shape;
use sigstore_verify::{CertificateError, Error, TimestampError, TransparencyLogError};

use super::code::{Code, KeylessError};
use super::root::TrustedRoot;

/// How the library words that a certificate was not valid at a proven time. It has no kind of its own for it; a test
/// notices when the words change.
const EXPIRED: [&str; 2] = ["CertExpired", "CertNotValidYet"];

/// Tells why a bundle was refused. Where a log's word is not believed because the root does not know the log, that is
/// what is said.
pub(super) fn refusal(error: &Error, bundle: &Bundle, root: &TrustedRoot) -> KeylessError {
    let code = code(error);
    let entries = &bundle.verification_material.tlog_entries;
    let stranger = entries.iter().find(|entry| !root.has_log(entry.log_id.key_id.as_bytes()));
    match stranger {
        Some(entry) if depends_on_logs(code) => KeylessError::new(
            Code::UntrustedRoot,
            format_args!("the transparency log {} is not in the trusted root ({error})", entry.log_id.key_id),
        ),
        _ => KeylessError::new(code, error),
    }
}

const fn depends_on_logs(code: Code) -> bool {
    matches!(code, Code::LogPromiseInvalid | Code::LogCheckpointInvalid | Code::TimestampInvalid | Code::UntrustedRoot)
}

fn code(error: &Error) -> Code {
    match error {
        Error::IdentityMismatch { .. } => Code::IdentityMismatch,
        Error::IssuerMismatch { .. } => Code::IssuerMismatch,
        Error::SignatureInvalid(_) | Error::Crypto(_) => Code::SignatureInvalid,
        Error::ArtifactMismatch(_) => Code::ArtifactMismatch,
        Error::Certificate(error) => certificate(error),
        Error::TransparencyLog(error) => log(error),
        Error::Timestamp(error) => timestamp(error),
        Error::Bundle(error) => shape(error),
        Error::InvalidBundle(_) | Error::Types(_) => Code::MalformedBundle,
        Error::InvalidTrustRoot(_) | Error::TrustRoot(_) | Error::TrustedCertificate(_) => Code::TrustedRootInvalid,
        _ => Code::UnsupportedBundle,
    }
}

fn certificate(error: &CertificateError) -> Code {
    match error {
        CertificateError::ChainInvalid(why) if EXPIRED.iter().any(|word| why.contains(word)) => {
            Code::CertificateExpired
        }
        CertificateError::ChainInvalid(_) | CertificateError::NoValidAuthority { .. } => Code::UntrustedRoot,
        CertificateError::NotYetValid { .. } | CertificateError::Expired { .. } => Code::CertificateExpired,
        CertificateError::Sct(_) => Code::CertificateNotLogged,
        _ => Code::CertificateMalformed,
    }
}

const fn log(error: &TransparencyLogError) -> Code {
    match error {
        TransparencyLogError::UnknownLog { .. } => Code::UntrustedRoot,
        TransparencyLogError::InclusionProof(_) => Code::LogProofInvalid,
        TransparencyLogError::Checkpoint(_) => Code::LogCheckpointInvalid,
        TransparencyLogError::InclusionPromise(_) => Code::LogPromiseInvalid,
        TransparencyLogError::IntegratedTime(_) => Code::LogTimeInvalid,
        _ => Code::LogEntryMismatch,
    }
}

const fn timestamp(error: &TimestampError) -> Code {
    match error {
        TimestampError::NoVerifiedTimestamp(_) => Code::TimestampMissing,
        _ => Code::TimestampInvalid,
    }
}

const fn shape(error: &Shape) -> Code {
    match error {
        Shape::MissingInclusionPromise(_) => Code::LogPromiseInvalid,
        Shape::MissingInclusionProof(_) | Shape::LogIndexOutOfRange { .. } => Code::LogProofInvalid,
        Shape::MissingCheckpoint | Shape::CheckpointRootMismatch => Code::LogCheckpointInvalid,
        Shape::MissingSigningTimeEvidence | Shape::MissingTimestamp => Code::TimestampMissing,
        Shape::UnsupportedMediaType(_) | Shape::UnsupportedVerificationMaterial => Code::UnsupportedBundle,
        _ => Code::MalformedBundle,
    }
}
