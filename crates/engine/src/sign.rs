//! Signing a model: every file is digested, and the list of digests is signed.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;
use waag_evidence::Sha256Digest;
use waag_evidence::manifest::Serialization;
use waag_signing::SigningError;
use waag_signing::model_statement::{ModelStatement, write};

use crate::attest::seal::{SealedStatement, With, seal};
use crate::hash::{DEFAULT_IGNORED, HashError, manifest_of};
use crate::io::write_atomically;
use crate::sanitize::sanitize;
use crate::scan::Progress;
use crate::uncovered::look;
use crate::verify::report::Open;

/// What to sign, and with what.
#[derive(Debug)]
pub struct Request<'a> {
    /// The model's folder or file.
    pub model: &'a Path,
    /// The file to write.
    pub signature: &'a Path,
    /// How to digest it.
    pub how: Serialization,
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The model cannot be digested.
    #[error("cannot sign the model: {0}")]
    Model(#[from] HashError),
    /// The key does not sign.
    #[error("cannot sign: {}", sanitize(&.0.to_string()))]
    Sign(#[from] SigningError),
    /// The signature cannot be written.
    #[error("cannot write the signature '{}': {source}", sanitize(&path.display().to_string()))]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The private key is among the files to sign, and would be published with them.
    #[error("the private key '{}' lies inside the model", sanitize(&.0.display().to_string()))]
    KeyInside(PathBuf),
}

impl SignError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Model(error) => error.hint(),
            Self::Sign(error) => error.hint().to_owned(),
            Self::Write { .. } => "name a file in a folder that exists with --signature".to_owned(),
            Self::KeyInside(_) => "move the key to where the model's files are not published from".to_owned(),
        }
    }
}

/// Names the form of the report in JSON.
const SCHEMA: &str = "https://waag.dev/schema/sign-1.json";

/// What was signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignReport {
    /// The form of the report in JSON: `docs/schema/sign.schema.json`.
    pub schema: &'static str,
    /// The model, as it was named.
    pub model: String,
    /// The file that was written.
    pub signature: String,
    /// Who signed: a certificate's names, or the fingerprint of a key.
    pub signer: String,
    /// Files that are signed.
    pub files: u64,
    /// The signed digest over contents.
    pub root: Sha256Digest,
    /// The signed digest over names and contents, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub names_root: Option<Sha256Digest>,
    /// What is not signed.
    pub uncovered: Vec<Open>,
}

/// A statement that is ready to be signed, and what is known of the model.
#[derive(Debug)]
pub struct Prepared {
    /// The bytes to sign: an in-toto statement.
    pub statement: Vec<u8>,
    parsed: ModelStatement,
    uncovered: Vec<Open>,
}

/// Digests a model and writes the statement over it.
///
/// # Errors
/// When the model cannot be read or has no files.
pub fn prepare(request: &Request<'_>, progress: &dyn Progress) -> Result<Prepared, SignError> {
    let found = manifest_of(request.model, &request.how, Some(request.signature), progress)?;
    let mut manifest = found.manifest;
    let ignored = &mut manifest.serialization.ignored;
    ignored.extend(DEFAULT_IGNORED.iter().map(|path| (*path).to_owned()));
    ignored.extend(crate::verify::below(request.model, request.signature));
    let statement = write(&manifest)?;
    let parsed = ModelStatement::parse(&statement)?;
    Ok(Prepared { parsed, statement, uncovered: look(request.model, &found.uncovered) })
}

/// Signs a model and writes the signature. Where a token is needed, it is asked for when the files are digested: it may
/// live for minutes only.
///
/// # Errors
/// When the model cannot be read, nobody signs, or the file cannot be written.
pub fn sign<E: From<SignError>>(
    request: &Request<'_>,
    with: With<'_, E>,
    now: Timestamp,
    progress: &dyn Progress,
) -> Result<SignReport, E> {
    let prepared = prepare(request, progress)?;
    let SealedStatement { bytes, signer } = seal(&prepared.statement, with, now)?;
    Ok(finish(request, prepared, &bytes, signer.unwrap_or_default())?)
}

/// Writes a bundle over a prepared statement, and says what was signed.
///
/// # Errors
/// When the file cannot be written.
pub fn finish(
    request: &Request<'_>,
    prepared: Prepared,
    bundle: &[u8],
    signer: String,
) -> Result<SignReport, SignError> {
    write_atomically(request.signature, |file| file.write_all(bundle).map(|()| None::<()>))
        .map_err(|source| SignError::Write { path: request.signature.to_owned(), source })?;
    let resources = &prepared.parsed.manifest.resources;
    let paths: std::collections::BTreeSet<_> = resources.iter().map(|resource| resource.path.as_str()).collect();
    Ok(SignReport {
        schema: SCHEMA,
        model: request.model.display().to_string(),
        signature: request.signature.display().to_string(),
        signer,
        files: paths.len() as u64,
        root: prepared.parsed.manifest.root(),
        names_root: prepared.parsed.names_root(),
        uncovered: prepared.uncovered,
    })
}

/// Refuses a private key that would be published with the model.
///
/// # Errors
/// When it lies inside.
pub fn check_key_place(model: &Path, key: &Path) -> Result<(), SignError> {
    match crate::verify::below(model, key) {
        Some(_) => Err(SignError::KeyInside(key.to_owned())),
        None => Ok(()),
    }
}

#[cfg(test)]
#[path = "sign_tests.rs"]
mod tests;
