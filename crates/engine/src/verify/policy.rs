//! Verifying by the settings: each signature is tried with those who may sign the model, and the policy counts.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use waag_evidence::TrustPolicy;
use waag_evidence::trust::{ProvenSignature, SignerIdentity, TrustedSigner};
use waag_signing::keyless::{Code, Identity, TimestampAuthorities};
use waag_signing::verify::{Trusted, verify_with_timestamps as verify_bundle};
use waag_signing::{Signer, SigningError};

use super::files::Files;
use super::report::{SignatureReport, VerifyReport};
use super::{Request, VerifyError, one, read};
use crate::key_files::{certificates, public_key};
use crate::trust_store::TrustStore;

pub(super) fn verify(
    request: &Request<'_>,
    policy: &TrustPolicy,
    (folder, store): (&Path, &TrustStore),
    now: Timestamp,
    files: &mut Files<'_>,
) -> Result<VerifyReport, VerifyError> {
    let subject = subject(request.model, folder);
    let signers: Vec<_> =
        policy.signers_of(&subject).map(|signer| Candidate::new(signer, folder, store)).collect::<Result<_, _>>()?;
    let has_certificates = signers.iter().any(|signer| matches!(signer.trusted, Trusted::Certificate { .. }));
    let timestamps = if has_certificates { trusted_timestamps(store) } else { TimestampAuthorities::default() };
    let (mut reports, mut proven) = (Vec::new(), Vec::new());
    for path in request.signatures {
        let (report, signature) = judge_one(path, &signers, (&timestamps, now), files)?;
        reports.push(report);
        proven.extend(signature);
    }
    let digests = match request.signatures.first() {
        Some(signature) if !policy.denied.is_empty() => files.digests(signature)?,
        _ => Vec::new(),
    };
    let digests: Vec<_> = digests
        .into_iter()
        .chain(reports.iter().flat_map(|report| [report.root, report.names_root]).flatten())
        .collect();
    let verdict = policy.judge(&subject, &proven, &digests, now);
    let report = VerifyReport::new(request.model, reports);
    Ok(VerifyReport { verified: verdict.trusted, policy: verdict.reasons, ..report })
}

/// Whose timestamps count for certificates: those of the user's trusted root. One that cannot be used makes no timestamp
/// believed, and stops nobody whose certificate is valid now.
fn trusted_timestamps(store: &TrustStore) -> TimestampAuthorities {
    store.trusted_root(None).map(|(root, _)| TimestampAuthorities::of_root(&root)).unwrap_or_default()
}

/// Somebody who may sign the model.
pub(crate) struct Candidate {
    pub(crate) name: String,
    pub(crate) trusted: Trusted,
}

impl Candidate {
    pub(crate) fn new(signer: &TrustedSigner, folder: &Path, store: &TrustStore) -> Result<Self, VerifyError> {
        let trusted = match &signer.identity {
            SignerIdentity::Key { file: None, .. } => return Err(VerifyError::NoKeyFile(signer.name.clone())),
            SignerIdentity::Key { file: Some(file), fingerprint } => {
                let key = public_key(&folder.join(file))?;
                let found = key.fingerprint();
                if let Some(expected) = fingerprint.filter(|expected| *expected != found) {
                    let (expected, found) = (expected.to_string(), found.to_string());
                    return Err(VerifyError::Fingerprint { name: signer.name.clone(), expected, found });
                }
                Trusted::Key(key)
            }
            SignerIdentity::Certificate { name, roots } => {
                let files: Vec<PathBuf> = roots.iter().map(|file| folder.join(file)).collect();
                Trusted::Certificate { roots: certificates(&files)?, name: name.clone() }
            }
            SignerIdentity::Keyless { name, issuer, trusted_root } => {
                let file = trusted_root.as_ref().map(|file| folder.join(file));
                let root = Box::new(store.trusted_root(file.as_deref())?.0);
                Trusted::Keyless { identity: Identity { name: name.clone(), issuer: issuer.clone() }, root }
            }
        };
        Ok(Self { name: signer.name.clone(), trusted })
    }
}

/// What is to be said of one signature, and what of it counts.
fn judge_one(
    path: &Path,
    signers: &[Candidate],
    (timestamps, now): (&TimestampAuthorities, Timestamp),
    files: &mut Files<'_>,
) -> Result<(SignatureReport, Option<ProvenSignature>), VerifyError> {
    let json = read(path)?;
    let tried = signers.iter().map(|signer| (signer, verify_bundle(&json, &signer.trusted, timestamps, now)));
    let (name, verified) = best(tried);
    let mut report = one(path, verified, files)?;
    report.signer_name = name.filter(|_| report.signer.is_some());
    let (true, Some(name), Some(signer)) = (report.is_good(), &report.signer_name, &report.signer) else {
        return Ok((report, None));
    };
    let at = signer.time.as_ref().map(|time| time.at);
    let proven = ProvenSignature { signer: name.clone(), identity: identity(signer), at };
    Ok((report, Some(proven)))
}

/// The signer with whom something verifies, or the failure that says most: that it is another's says least.
pub(crate) fn best<'a, T>(
    tried: impl Iterator<Item = (&'a Candidate, Result<T, SigningError>)>,
) -> (Option<String>, Result<T, SigningError>) {
    let mut failure = None;
    for (signer, verified) in tried {
        match verified {
            Ok(verified) => return (Some(signer.name.clone()), Ok(verified)),
            Err(error) if failure.is_none() || says_more(&error) => failure = Some(error),
            Err(_) => {}
        }
    }
    (None, Err(failure.unwrap_or(SigningError::NobodyTrusted)))
}

const fn says_more(error: &SigningError) -> bool {
    match error {
        SigningError::Keyless(error) => !matches!(error.code(), Code::IdentityMismatch | Code::IssuerMismatch),
        SigningError::KeyMismatch { .. } | SigningError::WrongMethod { .. } | SigningError::IdentityMismatch { .. } => {
            false
        }
        _ => true,
    }
}

/// What makes two signatures one signer's.
pub(crate) fn identity(signer: &Signer) -> String {
    match (&signer.issuer, signer.key) {
        (Some(issuer), _) => format!("{}\n{issuer}", signer.name),
        (None, Some(key)) => key.to_string(),
        (None, None) => signer.name.clone(),
    }
}

/// What a policy calls a model: its path below the settings' folder, or its whole path elsewhere.
pub(crate) fn subject(model: &Path, folder: &Path) -> String {
    let real = |path: &Path| if path.as_os_str().is_empty() { Path::new(".") } else { path }.canonicalize().ok();
    let (Some(model), Some(folder)) = (real(model), real(folder)) else { return model.display().to_string() };
    model.strip_prefix(&folder).unwrap_or(&model).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_called_by_its_path_below_the_settings() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("models/llama")).unwrap();
        assert_eq!(subject(&root.path().join("models/./llama"), root.path()), "models/llama");
    }
}
