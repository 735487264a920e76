//! Statements about a subject: those that the settings name, and those that lie beside it.

use std::path::{Path, PathBuf};

use waag_evidence::gathered::{ProvenanceFacts, StatementEvidence, Statements};
use waag_evidence::statement::evidence::refusal;
use waag_evidence::statement::provenance::{PREDICATE_TYPE, Provenance};

use super::{Gathering, Weights};
use crate::attest::verify::report::AttestationReport;
use crate::attest::verify::{Expected, Request, verify};
use crate::lock::Asked;
use crate::scan::Silent;
use crate::trust_store::TrustStore;
use crate::verify::Trust;

/// The ending of files with attestations that lie beside what they are about.
const ENDING: &str = ".intoto.jsonl";

/// Verifies the attestations about every part, and about what was asked for beside them.
pub(super) fn gather(
    gathering: &Gathering<'_>,
    asked: &[Asked<'_>],
    store: &TrustStore,
    weights: &Weights,
) -> Statements {
    let mut statements = Statements::default();
    for part in asked.iter().filter(|part| part.whole) {
        let named = part.declared.map(|ingredient| ingredient.attestations.as_slice()).unwrap_or_default();
        let files = named.iter().filter_map(|file| Some(gathering.locks?.resolve(file)));
        read(&part.path, files.chain(beside(&part.path)), gathering, (store, weights), &mut statements);
    }
    for path in gathering.paths {
        let there = std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        if asked.iter().all(|part| !part.path.starts_with(&there) && !there.starts_with(&part.path)) {
            read(path, beside(path).into_iter(), gathering, (store, weights), &mut statements);
        }
    }
    statements
}

/// The file with attestations that lies beside a path.
fn beside(path: &Path) -> Option<PathBuf> {
    let mut file = path.as_os_str().to_owned();
    file.push(ENDING);
    Some(PathBuf::from(file)).filter(|file| file.is_file())
}

fn read(
    about: &Path,
    files: impl Iterator<Item = PathBuf>,
    gathering: &Gathering<'_>,
    (store, weights): (&TrustStore, &Weights),
    statements: &mut Statements,
) {
    let settings = &gathering.options.settings;
    for file in files {
        let place = file.display().to_string();
        statements.searched.push(place.clone());
        let request = Request {
            subject: about,
            attestations: std::slice::from_ref(&file),
            evidence: None,
            expected: Expected::default(),
            trust: Trust::Policy { policy: &settings.trust, folder: &settings.folder, store },
            ignore: &[],
            strict: false,
        };
        // What cannot be read is no statement; that it was looked for stands among the places.
        let Ok(report) = verify(&request, crate::clock::now(), &Silent) else { continue };
        let found = report.attestations.iter();
        statements.found.extend(found.map(|attestation| statement(attestation, about, weights, &place)));
    }
}

fn statement(attestation: &AttestationReport, about: &Path, weights: &Weights, place: &str) -> StatementEvidence {
    let trusted = attestation.trusted && covers(attestation, about, weights);
    let predicate_type = attestation.predicate_type.clone().unwrap_or_default();
    let predicate = attestation.predicate.as_ref().filter(|_| trusted && predicate_type == PREDICATE_TYPE);
    let provenance = predicate.and_then(|value| serde_json::from_value::<Provenance>(value.clone()).ok());
    // Whoever may sign it and says no is heard, also about a part of it and whoever else says yes.
    let refusing =
        attestation.predicate.as_ref().filter(|_| attestation.signer_name.is_some() && attestation.is_negative());
    let objection = refusing.and_then(|predicate| refusal(&predicate_type, predicate));
    let signer = attestation.signer_name.clone().or_else(|| Some(attestation.signer.as_ref()?.name.clone()));
    StatementEvidence {
        predicate_type,
        place: attestation.line.map_or_else(|| place.to_owned(), |line| format!("{place}, line {line}")),
        sha256: attestation.sha256,
        signer,
        trusted,
        objection,
        provenance: provenance.as_ref().map(ProvenanceFacts::from),
    }
}

/// Whether a statement is about all that has weights: one about a configuration that many models share says nothing of this
/// model.
fn covers(attestation: &AttestationReport, about: &Path, weights: &Weights) -> bool {
    let left_out = attestation.left_out.iter().map(|open| &open.path);
    !attestation.not_covered.iter().chain(left_out).any(|path| weights.has_at_or_below(&about.join(path)))
}
