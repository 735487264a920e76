//! What signatures say of the project's models and datasets, and of what was asked for beside them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use waag_evidence::Sha256Digest;
use waag_evidence::gathered::{SignatureEvidence, SignatureState};
use waag_evidence::trust::TrustReason;

use super::Gathering;
use crate::io::FileSource;
use crate::lock::Asked;
use crate::scan::Silent;
use crate::trust_store::TrustStore;
use crate::verify::report::{Open, VerifyReport};
use crate::verify::{Request, Trust, subject, verify};

/// The name of a signature within a model's folder.
const INSIDE: &str = "model.sig";

/// What was found, and the digests that are signed.
#[derive(Default)]
pub(super) struct Signed {
    pub(super) evidence: Vec<SignatureEvidence>,
    pub(super) roots: Vec<(String, Sha256Digest)>,
}

pub(super) fn gather(gathering: &Gathering<'_>, asked: &[Asked<'_>], store: &TrustStore) -> Signed {
    let mut signed = Signed::default();
    for part in asked {
        signed.part(part, gathering, store);
    }
    let real = |path: &PathBuf| std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
    for path in gathering.paths {
        let there = real(path);
        // What is part of the project, or has parts of it, has been asked about already.
        if asked.iter().all(|part| !part.path.starts_with(&there) && !there.starts_with(&part.path)) {
            signed.beside(path, &path.display().to_string(), gathering, store);
        }
    }
    signed
}

impl Signed {
    fn part(&mut self, part: &Asked<'_>, gathering: &Gathering<'_>, store: &TrustStore) {
        let named = part.declared.and_then(|ingredient| ingredient.signature.as_ref());
        match (named, gathering.locks) {
            _ if !part.whole => {
                let reason = "only a part of it was asked for".to_owned();
                self.push(&part.shown, false, None, SignatureState::Unjudged { reason });
            }
            (Some(file), Some(locks)) => {
                let file = locks.resolve(file);
                let state = if file.exists() { None } else { Some(absent(std::slice::from_ref(&file))) };
                self.judge(&part.path, &part.shown, (&file, true), gathering, store, state);
            }
            _ => self.beside(&part.path, &part.shown, gathering, store),
        }
    }

    /// Looks where signatures usually are.
    fn beside(&mut self, path: &Path, shown: &str, gathering: &Gathering<'_>, store: &TrustStore) {
        let mut places = Vec::new();
        // Beside `.` there is nothing whose name begins as its own does.
        if path.file_name().is_some() {
            let mut outside = path.as_os_str().to_owned();
            outside.push(".sig");
            places.push(PathBuf::from(outside));
        }
        if path.is_dir() {
            places.insert(0, path.join(INSIDE));
        }
        match places.iter().find(|place| place.is_file()) {
            Some(file) => self.judge(path, shown, (file, false), gathering, store, None),
            None => self.push(shown, false, None, absent(&places)),
        }
    }

    fn push(&mut self, shown: &str, declared: bool, file: Option<&Path>, state: SignatureState) {
        let sha256 = file.and_then(|file| crate::io::sha256(&FileSource::open(file).ok()?).ok());
        self.evidence.push(SignatureEvidence { place: shown.to_owned(), declared, sha256, state });
    }

    fn judge(
        &mut self,
        model: &Path,
        shown: &str,
        (file, declared): (&Path, bool),
        gathering: &Gathering<'_>,
        store: &TrustStore,
        known: Option<SignatureState>,
    ) {
        let settings = &gathering.options.settings;
        if let Some(state) = known {
            return self.push(shown, declared, None, state);
        }
        if settings.trust.is_empty() {
            let reason = "waag.toml names nobody who may sign".to_owned();
            return self.push(shown, declared, Some(file), SignatureState::Unjudged { reason });
        }
        let request = Request {
            model,
            signatures: &[file.to_owned()],
            trust: Trust::Policy { policy: &settings.trust, folder: &settings.folder, store },
            ignore: &[],
            allow_unsigned: false,
            strict: false,
        };
        // Whoever says who may sign this wants to hear when nobody of them did.
        let declared = declared || settings.trust.rule(&subject(model, &settings.folder)).is_some();
        let state = match verify(&request, crate::clock::now(), &Silent) {
            Ok(report) => self.state(shown, &report),
            Err(error) => SignatureState::Unjudged { reason: error.to_string() },
        };
        self.push(shown, declared, Some(file), state);
    }

    fn state(&mut self, shown: &str, report: &VerifyReport) -> SignatureState {
        let roots = report.signatures.iter().flat_map(|signature| [signature.root, signature.names_root]).flatten();
        self.roots.extend(roots.map(|root| (shown.to_owned(), root)));
        if report.policy.contains(&TrustReason::NoRule) {
            return SignatureState::Unjudged { reason: TrustReason::NoRule.to_string() };
        }
        let signers = report.signatures.iter().filter_map(|signature| signature.signer_name.clone());
        // An empty folder has nothing that could have been signed, and the signature itself is none of the model.
        let is_there =
            |open: &&Open| ["ignored", "ignored-by-default", "unsigned", "empty-file"].contains(&open.reason);
        let open = report.signatures.iter().flat_map(|signature| signature.uncovered.iter().filter(is_there));
        let uncovered: BTreeSet<String> = open.map(|open| open.path.clone()).collect();
        match report.verified {
            true => SignatureState::Good { signers: signers.collect(), uncovered: uncovered.into_iter().collect() },
            false => SignatureState::Bad { reason: report.reason() },
        }
    }
}

fn absent(places: &[PathBuf]) -> SignatureState {
    SignatureState::Absent { looked_for: places.iter().map(|place| place.display().to_string()).collect() }
}
