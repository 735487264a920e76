//! Verifying attestations: the envelope and its signer, then what it is about against the bytes on disk, then what it
//! claims. Nothing of an envelope is looked at before its signature is known to be a trusted signer's.

mod compare;
mod count;
mod document;
mod expect;
pub mod report;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use waag_evidence::TrustPolicy;
use waag_evidence::statement::Statement;
use waag_evidence::statement::evidence::{EvidenceType, Maker, of_uri};
use waag_signing::SigningError;
use waag_signing::verify::{VerifiedStatement, verify_statement};

use crate::scan::Progress;
use crate::trust_store::TrustStore;
use crate::verify::policy::{Candidate, best, subject};
use crate::verify::report::Problem;
use crate::verify::{Trust, VerifyError};
use compare::Files;
use count::Counting;
use document::{Document, documents};
pub use expect::Expected;
use report::{AttestationReport, AttestationsReport, NEGATIVE};

/// What to verify, and whom to trust.
#[derive(Debug)]
pub struct Request<'a> {
    /// What the attestations are about: a folder or a file.
    pub subject: &'a Path,
    /// Files with attestations: one, or one a line.
    pub attestations: &'a [PathBuf],
    /// Only these count.
    pub evidence: Option<&'static EvidenceType>,
    /// What provenance and verdicts have to say.
    pub expected: Expected,
    /// Who may have signed.
    pub trust: Trust<'a>,
    /// Paths below the subject that are left out, beside those that the attestations leave out.
    pub ignore: &'a [String],
    /// Whether every file has to be covered.
    pub strict: bool,
}

/// Verifies attestations.
///
/// # Errors
/// When something cannot be read, so that nothing is judged. What is wrong with attestations is no error but in the report.
pub fn verify(
    request: &Request<'_>,
    now: Timestamp,
    progress: &dyn Progress,
) -> Result<AttestationsReport, VerifyError> {
    let mut all = Vec::new();
    for path in request.attestations {
        all.extend(documents(path)?);
    }
    let wanted = all.into_iter().filter(|document| document.counts(request.evidence)).collect::<Vec<_>>();
    let mut files = Files::new(request, progress);
    if wanted.is_empty() {
        return Ok(AttestationsReport::without(request.subject, request.evidence));
    }
    match &request.trust {
        Trust::Signer(trusted) => {
            let reports = wanted.iter().map(|document| {
                let verified = verify_statement(&document.json, trusted, now);
                one(request, document, verified, &mut files)
            });
            Ok(AttestationsReport::new(request.subject, reports.collect::<Result<_, _>>()?))
        }
        Trust::Policy { policy, folder, store } => {
            by_policy(request, &wanted, policy, (folder, store), now, &mut files)
        }
    }
}

/// Each attestation is tried with those who may sign the subject, and the policy counts those over one statement. Of each
/// type, one statement has to satisfy it.
fn by_policy(
    request: &Request<'_>,
    documents: &[Document],
    policy: &TrustPolicy,
    (folder, store): (&Path, &TrustStore),
    now: Timestamp,
    files: &mut Files<'_>,
) -> Result<AttestationsReport, VerifyError> {
    let name = subject(request.subject, folder);
    let signers = policy.signers_of(&name).map(|signer| Candidate::new(signer, folder, store));
    let signers = signers.collect::<Result<Vec<_>, _>>()?;
    let (mut reports, mut counting) = (Vec::new(), Counting::default());
    for document in documents {
        let tried = signers.iter().map(|signer| (signer, verify_statement(&document.json, &signer.trusted, now)));
        let (signer_name, verified) = best(tried);
        let mut report = one(request, document, verified, files)?;
        report.signer_name = signer_name.filter(|_| report.signer.is_some());
        counting.add(document, reports.len(), &report);
        reports.push(report);
    }
    let digests = if policy.denied.is_empty() { Vec::new() } else { files.digests()? };
    let counted = counting.judge(policy, &name, &digests, now);
    for (index, report) in reports.iter_mut().enumerate() {
        report.trusted = counted.trusted.contains(&index);
    }
    // Whoever is trusted and says no is not outvoted by somebody who says yes.
    let no = reports.iter().any(|report| report.signer_name.is_some() && report.is_negative());
    let report = AttestationsReport::new(request.subject, reports);
    Ok(AttestationsReport { verified: counted.verified && !no, policy: counted.reasons, ..report })
}

/// What is to be said of one attestation.
fn one(
    request: &Request<'_>,
    document: &Document,
    verified: Result<VerifiedStatement, SigningError>,
    files: &mut Files<'_>,
) -> Result<AttestationReport, VerifyError> {
    let mut report = AttestationReport::new(document);
    let verified = match verified {
        Ok(verified) => verified,
        Err(error) => {
            report.problems.push(Problem::from(&error));
            return Ok(report);
        }
    };
    let VerifiedStatement { signer, payload, unchecked } = verified;
    report.signer = Some(signer);
    report.unchecked = unchecked.into_iter().map(str::to_owned).collect();
    match Statement::parse(&payload) {
        Ok(statement) => {
            claim(request, &statement, &mut report);
            files.compare(&statement, &mut report)?;
        }
        Err(error) => report.problems.push(Problem::new(
            "malformed-statement",
            format!("the signed statement is malformed: {error}"),
            "ask whoever made it for an in-toto Statement v1",
        )),
    }
    Ok(report)
}

/// What it claims, and whether that is what is needed.
fn claim(request: &Request<'_>, statement: &Statement, report: &mut AttestationReport) {
    report.predicate_type = Some(statement.predicate_type.clone());
    report.predicate = Some(statement.predicate.clone());
    let Some(evidence) = of_uri(&statement.predicate_type) else {
        report.unchecked.push("the predicate, whose type is not known here".to_owned());
        report.problems.extend(request.expected.problems(None));
        return;
    };
    report.kind = Some(evidence.id);
    if evidence.maker == Maker::Sign {
        report.problems.push(Problem::new(
            "model-signature",
            "it is a model's signature, with which every file has to be compared",
            "name it with --signature",
        ));
        return;
    }
    match (evidence.read)(&statement.predicate) {
        Ok(reading) => {
            let hint = "whoever signed it has said so: do not rely on the subject for what this is about";
            let objection = reading.objection.map(|objection| Problem::new(NEGATIVE, objection, hint));
            report.summary = reading.lines;
            report.problems.extend(objection);
            report.problems.extend(request.expected.problems(Some(statement)));
        }
        Err(problem) => report.problems.push(Problem::new(
            "malformed-predicate",
            format!("the predicate is no {}: {problem}", evidence.title),
            "ask whoever made it to follow the specification",
        )),
    }
}
