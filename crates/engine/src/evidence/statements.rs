//! Statements about a subject: those that the settings name, and those that lie beside it.

use std::path::{Path, PathBuf};

use waag_evidence::Sha256Digest;
use waag_evidence::gathered::{ProvenanceFacts, StatementEvidence, Statements};
use waag_evidence::statement::provenance::{PREDICATE_TYPE, Provenance};
use waag_evidence::trust::TrustReason;

use super::Gathering;
use crate::attest::verify::report::{AttestationReport, AttestationsReport};
use crate::attest::verify::{Expected, Request, verify};
use crate::lock::Asked;
use crate::scan::Silent;
use crate::trust_store::TrustStore;
use crate::verify::{Trust, subject};

/// The ending of files with attestations that lie beside what they are about.
const ENDING: &str = ".intoto.jsonl";
/// Bytes of a file of attestations.
const MAX_BYTES: u64 = 256 << 20;

/// Verifies the attestations about every part, and about what was asked for beside them.
pub(super) fn gather(gathering: &Gathering<'_>, asked: &[Asked<'_>], store: &TrustStore) -> Statements {
    let mut statements = Statements::default();
    for part in asked.iter().filter(|part| part.whole) {
        let named = part.declared.map(|ingredient| ingredient.attestations.as_slice()).unwrap_or_default();
        let files = named.iter().filter_map(|file| Some(gathering.locks?.resolve(file)));
        read(&part.path, files.chain(beside(&part.path)), gathering, store, &mut statements);
    }
    for path in gathering.paths {
        let there = std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        if asked.iter().all(|part| !part.path.starts_with(&there) && !there.starts_with(&part.path)) {
            read(path, beside(path).into_iter(), gathering, store, &mut statements);
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
    store: &TrustStore,
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
        let needed = settings.trust.rule(&subject(about, &settings.folder)).map_or(1, |rule| rule.signatures);
        let digests = Digests::of(&file);
        statements.found.extend(
            report.attestations.iter().map(|attestation| statement(attestation, &report, needed, &digests, &place)),
        );
    }
}

fn statement(
    attestation: &AttestationReport,
    report: &AttestationsReport,
    needed: usize,
    digests: &Digests,
    place: &str,
) -> StatementEvidence {
    let trusted = is_trusted(attestation, report, needed);
    let predicate_type = attestation.predicate_type.clone().unwrap_or_default();
    let predicate = attestation.predicate.as_ref().filter(|_| trusted && predicate_type == PREDICATE_TYPE);
    let provenance = predicate.and_then(|value| serde_json::from_value::<Provenance>(value.clone()).ok());
    let signer = attestation.signer_name.clone().or_else(|| Some(attestation.signer.as_ref()?.name.clone()));
    StatementEvidence {
        predicate_type,
        place: attestation.line.map_or_else(|| place.to_owned(), |line| format!("{place}, line {line}")),
        sha256: digests.of_line(attestation.line),
        signer,
        trusted,
        provenance: provenance.as_ref().map(ProvenanceFacts::from),
    }
}

/// Whether an attestation counts by itself; where a rule asks for several signers, all of them have to have signed.
fn is_trusted(attestation: &AttestationReport, report: &AttestationsReport, needed: usize) -> bool {
    let Some(name) = attestation.signer_name.as_ref().filter(|_| attestation.is_good()) else { return false };
    let objects = |reason: &TrustReason| match reason {
        TrustReason::SignerNotAllowed { signer }
        | TrustReason::SignatureWithoutTime { signer }
        | TrustReason::SignatureTooOld { signer, .. } => signer == name,
        TrustReason::DigestDenied { .. } | TrustReason::NoRule => true,
        TrustReason::TooFewSignatures { .. } => needed > 1,
    };
    !report.policy.iter().any(objects)
}

/// Digests of the attestations in a file.
struct Digests(Vec<u8>);

impl Digests {
    fn of(file: &Path) -> Self {
        Self(crate::bounded::read(file, MAX_BYTES).unwrap_or_default())
    }

    /// Of a line, counted from 1; of the whole file where it is one attestation.
    fn of_line(&self, line: Option<u64>) -> Option<Sha256Digest> {
        let Some(line) = line else { return crate::io::sha256(&self.0.as_slice()).ok() };
        let index = usize::try_from(line.checked_sub(1)?).ok()?;
        crate::io::sha256(&self.0.split(|byte| *byte == b'\n').nth(index)?).ok()
    }
}
