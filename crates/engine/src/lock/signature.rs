//! The signature that an ingredient has to have: verified when it is locked, and again whenever it is checked. Files that
//! are as they were locked can still have lost what vouched for them: the signature is gone, or its signer no longer counts.

use std::path::Path;

use jiff::Timestamp;
use waag_evidence::ingredient::Ingredient;
use waag_signing::keyless::TimestampAuthorities;

use super::{Known, Signed};
use crate::sanitize::sanitize;
use crate::scan::Progress;
use crate::settings::Settings;
use crate::trust_store::TrustStore;
use crate::verify::report::VerifyReport;
use crate::verify::{Beside, Request, Trust, VerifyError, verify_beside};

/// Why a signature was not judged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignedError {
    /// Somebody has to have signed, and nobody is trusted.
    #[error("'{}' has to be signed, and waag.toml does not say by whom", sanitize(.0))]
    NobodyNamed(String),
    /// Something cannot be read.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}

impl SignedError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::NobodyNamed(_) => "name who may sign:\n  [[trust.signer]]\n  name = \"release\"\n  key = \
                 \"release.pub.pem\"\n  [[trust.rule]]\n  subject = \"models/**\"\n  signers = [\"release\"]"
                .to_owned(),
            Self::Verify(error) => error.hint(),
        }
    }
}

/// Who signed an ingredient of the project in `root`, by its trust policy, where it has to be signed. Files whose digests
/// are known are not read again for it.
///
/// # Errors
/// When nobody is named who may sign, or something cannot be read. That a signature does not hold is no error.
pub fn signed(
    (root, settings, store): (&Path, &Settings, &TrustStore),
    ingredient: &Ingredient,
    known: &Known,
    now: Timestamp,
    progress: &dyn Progress,
) -> Result<Signed, SignedError> {
    let Some(signature) = &ingredient.signature else { return Ok(Signed::NotAsked) };
    if settings.trust.is_empty() {
        return Err(SignedError::NobodyNamed(ingredient.name.clone()));
    }
    let request = Request {
        model: &root.join(&ingredient.path),
        signatures: &[root.join(signature)],
        trust: Trust::Policy { policy: &settings.trust, folder: root, store },
        ignore: &[],
        allow_unsigned: false,
        strict: false,
    };
    let beside = Beside { known, timestamps: &TimestampAuthorities::default() };
    let report = verify_beside(&request, beside, now, progress)?;
    let signer = report.signatures.iter().find_map(|signature| signature.signer.as_ref()).map(|who| who.name.clone());
    Ok(match (report.verified, signer) {
        (true, Some(signer)) => Signed::By(signer),
        _ => Signed::Refused(reason(&report)),
    })
}

/// The first thing that speaks against a signature: what is wrong with it, with a file, or with who made it.
fn reason(report: &VerifyReport) -> String {
    let problems = report.signatures.iter().flat_map(|signature| &signature.problems);
    let differences = report.signatures.iter().flat_map(|signature| &signature.differences);
    let mut reasons = problems
        .map(|problem| problem.message.clone())
        .chain(differences.map(|difference| format!("{} ({})", difference.name, difference.code.name())))
        .chain(report.policy.iter().map(ToString::to_string));
    reasons.next().unwrap_or_else(|| "its signature does not hold".to_owned())
}
