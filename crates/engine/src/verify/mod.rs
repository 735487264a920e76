//! Verifying a model: its signatures, who made them, and every file.
//!
//! A bundle is verified before any file is read. The files are then listed and digested as the bundle says that they were
//! when it was signed, and not as anybody asks now. Nothing is taken from the cache of earlier scans.

mod files;
pub(crate) mod policy;
pub mod report;

pub(crate) use files::below;
pub(crate) use policy::subject;

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use waag_evidence::TrustPolicy;
use waag_signing::SigningError;
use waag_signing::bundle::MAX_BYTES;
use waag_signing::keyless::TimestampAuthorities;
use waag_signing::verify::{Trusted, Verified, verify_with_timestamps as verify_bundle};

use crate::hash::HashError;
use crate::key_files::{self, KeyFileError};
use crate::lock::Known;
use crate::sanitize::sanitize;
use crate::scan::Progress;
use crate::trust_store::{StoreError, TrustStore};
use files::Files;
use report::{Problem, SignatureReport, VerifyReport};

/// What to verify, and whom to trust.
#[derive(Debug)]
pub struct Request<'a> {
    /// The model's folder or file.
    pub model: &'a Path,
    /// Its signatures.
    pub signatures: &'a [PathBuf],
    /// Who may have signed.
    pub trust: Trust<'a>,
    /// Paths below the model that are left out, beside those that the signature leaves out.
    pub ignore: &'a [String],
    /// Whether files that nobody signed are told instead of refused.
    pub allow_unsigned: bool,
    /// Whether to refuse what no signature covers where it could be loaded or run.
    pub strict: bool,
}

/// Whom to trust.
#[derive(Debug)]
pub enum Trust<'a> {
    /// Somebody that the user names.
    Signer(Box<Trusted>),
    /// Those that the settings name.
    Policy {
        /// What the settings say.
        policy: &'a TrustPolicy,
        /// The folder of the settings, where paths in them start.
        folder: &'a Path,
        /// The user's trusted root, for Sigstore identities.
        store: &'a TrustStore,
    },
}

/// Why nothing was judged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// A signature cannot be read.
    #[error("cannot read the signature '{}': {source}", sanitize(&path.display().to_string()))]
    Signature {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// An attestation cannot be read.
    #[error("cannot read the attestation '{}': {source}", sanitize(&path.display().to_string()))]
    Attestation {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The model cannot be read.
    #[error("cannot verify the model: {0}")]
    Model(#[from] HashError),
    /// A key or certificate cannot be used.
    #[error("{0}")]
    Key(#[from] KeyFileError),
    /// A trusted root cannot be used.
    #[error(transparent)]
    Root(#[from] StoreError),
    /// The settings name a key only by its fingerprint, which no signature can be verified with.
    #[error("the signer '{}' has no key file", sanitize(.0))]
    NoKeyFile(String),
    /// The key is another one than the settings say.
    #[error("the key of the signer '{}' has the fingerprint {found}, not {expected}", sanitize(name))]
    Fingerprint {
        /// The signer.
        name: String,
        /// What the settings say.
        expected: String,
        /// What the file has.
        found: String,
    },
}

impl VerifyError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Signature { .. } => {
                "name the file that was written when the model was signed with --signature".into()
            }
            Self::Attestation { .. } => {
                "name a file that `waag attest` or another program for in-toto attestations wrote".into()
            }
            Self::Model(error) => error.hint(),
            Self::Key(error) => error.hint(),
            Self::Root(error) => error.hint().into(),
            Self::NoKeyFile(_) => {
                "add key = \"FILE\" to the signer in waag.toml: signatures do not carry the key".into()
            }
            Self::Fingerprint { .. } => "compare the key with its holder, and correct the settings".into(),
        }
    }
}

/// Verifies a model.
///
/// # Errors
/// When something cannot be read, so that nothing is judged. What is wrong with the model or its signatures is no error
/// but in the report.
pub fn verify(request: &Request<'_>, now: Timestamp, progress: &dyn Progress) -> Result<VerifyReport, VerifyError> {
    let beside = Beside { known: &Known::new(), timestamps: &TimestampAuthorities::default() };
    verify_beside(request, beside, now, progress)
}

/// What may be known beside a request.
#[derive(Debug, Clone, Copy)]
pub struct Beside<'a> {
    /// Digests of files that were read a moment ago, by the paths that were read: these are not read again where the
    /// signature is over whole files by SHA-256.
    pub known: &'a Known,
    /// Whose timestamps count for certificates. A policy adds those of the user's trusted root.
    pub timestamps: &'a TimestampAuthorities,
}

/// As [`verify`], with what is known beside.
///
/// # Errors
/// As those of [`verify`].
pub fn verify_beside(
    request: &Request<'_>,
    beside: Beside<'_>,
    now: Timestamp,
    progress: &dyn Progress,
) -> Result<VerifyReport, VerifyError> {
    let mut files = Files::new(request, beside.known, progress);
    match &request.trust {
        Trust::Signer(trusted) => {
            let signatures = request.signatures.iter().map(|path| {
                let verified = verify_bundle(&read(path)?, trusted, beside.timestamps, now);
                one(path, verified, &mut files)
            });
            Ok(VerifyReport::new(request.model, signatures.collect::<Result<_, _>>()?))
        }
        Trust::Policy { policy, folder, store } => policy::verify(request, policy, (folder, store), now, &mut files),
    }
}

/// What is to be said of one signature: of its bundle, and of the files that it is over.
fn one(
    path: &Path,
    verified: Result<Verified, SigningError>,
    files: &mut Files<'_>,
) -> Result<SignatureReport, VerifyError> {
    let mut report = SignatureReport::new(path);
    match verified {
        Ok(verified) => {
            report.add(&verified);
            files.compare(path, &verified.statement, &mut report)?;
        }
        Err(error) => report.problems.push(Problem::from(&error)),
    }
    Ok(report)
}

fn read(path: &Path) -> Result<Vec<u8>, VerifyError> {
    let bytes = key_files::bytes(path, MAX_BYTES);
    let bytes = bytes.map_err(|source| VerifyError::Signature { path: path.to_owned(), source })?;
    Ok(bytes.to_vec())
}

#[cfg(test)]
mod tests;
