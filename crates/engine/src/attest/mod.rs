//! Attestations: a claim of any type about a model, a dataset or a file, in one envelope that anybody can verify.
//!
//! [`attest`] digests what the claim is about ([`subject`]), makes or takes the predicate, and has the statement signed
//! ([`seal`]). [`verify`] goes the other way: the envelope first, then the bytes on disk, then what is claimed.

pub mod dependency;
pub mod policy;
pub mod provenance;
mod scan;
pub mod seal;
pub mod subject;
#[cfg(test)]
mod tests;
mod verdict;
pub mod verify;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use waag_evidence::Sha256Digest;
use waag_evidence::statement::evidence::{EvidenceType, Reading};
use waag_evidence::statement::{InvalidPredicate, Line, Statement};

use crate::hash::HashError;
use crate::io::write_atomically;
use crate::sanitize::sanitize;
use crate::scan::{Options, Progress, ScanError};
use crate::sign::SignError;
use crate::verify::report::Open;
use dependency::DependencyError;
use policy::{PolicyError, PolicySource};
use provenance::Declared;
use seal::{SealedStatement, With, seal};
use subject::{Listing, Subject};

/// Names the form of the report in JSON.
const SCHEMA: &str = "https://waag.dev/schema/attest-1.json";
/// Who waag is in what it writes.
pub const TOOL: &str = "https://waag.dev/waag";

/// What to attest, and of what.
#[derive(Debug)]
pub struct Request<'a> {
    /// What the claim is about: a folder or a file.
    pub subject: &'a Path,
    /// Which of its files count.
    pub listing: Listing,
    /// The file that the attestation will be written to. It is left out where it lies inside.
    pub output: Option<&'a Path>,
    /// The type of the claim.
    pub evidence: &'static EvidenceType,
    /// The claim.
    pub claim: Claim<'a>,
}

/// Where the claim comes from.
#[derive(Debug)]
pub enum Claim<'a> {
    /// Somebody wrote it.
    Given(Value),
    /// What a scan finds.
    Scan(Judged<'a>),
    /// What comes of judging by a policy.
    Verdict(Judged<'a>, Option<String>),
    /// How it was made, as somebody tells it.
    Provenance(Declared),
}

/// How to scan and judge.
#[derive(Debug)]
pub struct Judged<'a> {
    /// Settings, and the lock of the project.
    pub options: Options,
    /// Where the policy comes from.
    pub policy: PolicySource<'a>,
}

/// Why nothing was attested.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttestError {
    /// What the claim is about cannot be digested.
    #[error("cannot attest: {0}")]
    Subject(#[from] HashError),
    /// The claim is none of its type.
    #[error("cannot attest: the predicate is no {title}: {}", sanitize(&.problem.to_string()))]
    Predicate {
        /// The type.
        title: &'static str,
        /// What is wrong, and where.
        problem: InvalidPredicate,
    },
    /// Only another command makes it.
    #[error("cannot attest a {title}: only `waag sign` makes one")]
    NotHere {
        /// The type.
        title: &'static str,
    },
    /// Something to read was not there.
    #[error(transparent)]
    Dependency(#[from] DependencyError),
    /// The policy cannot be read.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// Nothing could be scanned.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// A file is another one than the one that was scanned.
    #[error("cannot attest: '{}' changed between reading and digesting it", sanitize(.0))]
    Changed(String),
    /// The claim would be about a file that no scan reads.
    #[error("cannot attest: '{}' was not scanned", sanitize(.0))]
    NotScanned(String),
    /// The statement cannot be written.
    #[error("cannot attest: the statement cannot be written: {0}")]
    Json(#[from] serde_json::Error),
    /// Nobody signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The file cannot be written.
    #[error("cannot write the attestation '{}': {source}", sanitize(&path.display().to_string()))]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl AttestError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Subject(error) => error.hint(),
            Self::Predicate { .. } => "docs/attestations.md names the specification of every type".into(),
            Self::NotHere { .. } => "waag sign MODEL --signature FILE --key FILE".into(),
            Self::Dependency(error) => error.hint().into(),
            Self::Policy(_) => "name a readable file with --config".into(),
            Self::Scan(error) => error.hint().unwrap_or_default(),
            Self::Changed(_) => "wait until whatever writes to it is done, and try again".into(),
            Self::NotScanned(_) => {
                "a scan reads no folders of tools, such as __pycache__ and .venv: take it away, or leave it out with --ignore"
                    .into()
            }
            Self::Json(_) => "leave out what has no form in JSON".into(),
            Self::Sign(error) => error.hint(),
            Self::Write { .. } => "name a file in a folder that exists with --output".into(),
        }
    }
}

/// An attestation, not yet written.
#[derive(Debug)]
pub struct Attested {
    /// A Sigstore bundle, or an envelope that nobody signed: one line.
    pub bytes: Vec<u8>,
    /// What it says.
    pub report: AttestReport,
}

/// What was attested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AttestReport {
    /// The form of the report in JSON: `docs/schema/attest.schema.json`.
    pub schema: &'static str,
    /// What the claim is about, as it was named.
    pub subject: String,
    /// The file that was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// What commands call the type.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The predicate type.
    pub predicate_type: &'static str,
    /// Who signed; nobody where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// Files that it is about.
    pub files: u64,
    /// The digest over contents.
    pub root: Sha256Digest,
    /// The digest over names and contents, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub names_root: Option<Sha256Digest>,
    /// What it says, in a few lines.
    pub summary: Vec<Line>,
    /// Fields of the predicate that its specification does not name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown_fields: Vec<String>,
    /// What it is not about.
    pub uncovered: Vec<Open>,
}

/// Makes an attestation. The same subject, claim and key give the same bytes, unless the key is in a token.
///
/// # Errors
/// When something cannot be read, the claim is none of its type, or nobody signs.
pub fn attest<E: From<AttestError> + From<SignError>>(
    request: &Request<'_>,
    with: With<'_, E>,
    now: Timestamp,
    progress: &dyn Progress,
) -> Result<Attested, E> {
    let prepared = prepare(request, now, progress)?;
    let SealedStatement { bytes, signer } = seal(&prepared.statement, with, now)?;
    Ok(Attested { bytes, report: report(request, prepared, signer) })
}

/// Writes an attestation so that it is there as a whole or not at all.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), AttestError> {
    write_atomically(path, |file| file.write_all(bytes).map(|()| None::<()>))
        .map(|_| ())
        .map_err(|source| AttestError::Write { path: path.to_owned(), source })
}

/// A statement that is ready to be signed.
struct Prepared {
    statement: Vec<u8>,
    subject: Subject,
    reading: Reading,
}

fn prepare(request: &Request<'_>, now: Timestamp, progress: &dyn Progress) -> Result<Prepared, AttestError> {
    let title = request.evidence.title;
    let (predicate, scanned) = predicate(request, now, progress)?;
    // A wrong predicate is told before many files are digested.
    let reading = (request.evidence.read)(&predicate).map_err(|problem| AttestError::Predicate { title, problem })?;
    let subject = Subject::read(request.subject, &request.listing, request.output, progress)?;
    if let Some(objection) = scanned.as_ref().and_then(|scanned| scanned.objection(&subject)) {
        return Err(objection);
    }
    let statement = Statement::new(subject.descriptors(), reading.uri, predicate);
    Ok(Prepared { statement: serde_json::to_vec(&statement)?, subject, reading })
}

/// The claim, and what was scanned for it.
fn predicate(
    request: &Request<'_>,
    now: Timestamp,
    progress: &dyn Progress,
) -> Result<(Value, Option<scan::Scanned>), AttestError> {
    match &request.claim {
        Claim::Given(_) if request.evidence.maker == waag_evidence::statement::evidence::Maker::Sign => {
            Err(AttestError::NotHere { title: request.evidence.title })
        }
        Claim::Given(value) => Ok((value.clone(), None)),
        Claim::Provenance(declared) => Ok((serde_json::to_value(declared.provenance(progress)?)?, None)),
        Claim::Scan(judged) => {
            let scanned = scan::Scanned::read(request.subject, &judged.options, progress)?;
            let predicate = scanned.predicate(&judged.policy.descriptor(&judged.options.settings)?);
            Ok((serde_json::to_value(predicate)?, Some(scanned)))
        }
        Claim::Verdict(judged, resource) => {
            let scanned = scan::Scanned::read(request.subject, &judged.options, progress)?;
            let policy = judged.policy.descriptor(&judged.options.settings)?;
            let summary = verdict::summary(&scanned, policy, resource.as_deref(), now);
            Ok((serde_json::to_value(summary)?, Some(scanned)))
        }
    }
}

fn report(request: &Request<'_>, prepared: Prepared, signer: Option<String>) -> AttestReport {
    let Prepared { subject, reading, .. } = prepared;
    AttestReport {
        schema: SCHEMA,
        subject: request.subject.display().to_string(),
        output: request.output.map(|path| path.display().to_string()),
        kind: request.evidence.id,
        predicate_type: reading.uri,
        signer,
        files: subject.files.len() as u64,
        root: subject.root,
        names_root: subject.names_root,
        summary: reading.lines,
        unknown_fields: reading.unknown,
        uncovered: subject.uncovered,
    }
}
