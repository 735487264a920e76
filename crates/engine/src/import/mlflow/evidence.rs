//! Evidence on a server: an envelope or bundle, kept as an artifact under its own digest, and about what it is.

use waag_evidence::Sha256Digest;
use waag_evidence::statement::evidence::{Maker, of_uri};
use waag_evidence::statement::{PAYLOAD_TYPE, Statement};
use waag_signing::encoding::of_base64;
use waag_signing::model_statement::ModelStatement;

use super::super::document::{self, Node};
use crate::io::sha256;

/// The folder of evidence among the artifacts of a run.
const FOLDER: &str = "waag";
/// The tag that holds the digest of the evidence, and nothing else.
pub(super) const TAG: &str = "waag.evidence";

/// Evidence that was read.
#[derive(Debug, Clone)]
pub(super) struct Evidence {
    pub(super) digest: Sha256Digest,
    pub(super) predicate_type: String,
    /// How many signatures it has; none of them is verified here.
    pub(super) signatures: usize,
    /// Names and digests (SHA-256, or of a whole folder) that it is about.
    pub(super) subjects: Vec<(String, Vec<Sha256Digest>)>,
    /// What it says against the files, if anything: a verdict or a test that failed, a scan that found something.
    pub(super) objection: Option<String>,
}

/// Where evidence with a digest is kept.
pub(super) fn path_of(digest: &Sha256Digest) -> String {
    format!("{FOLDER}/sha256-{digest}.json")
}

/// Whether a path below the artifacts of a run is one where evidence is kept.
pub(super) fn is_evidence(path: &str) -> bool {
    let digits = path.strip_prefix(FOLDER).and_then(|rest| rest.strip_prefix("/sha256-")?.strip_suffix(".json"));
    digits.is_some_and(|digits| digits.parse::<Sha256Digest>().is_ok())
}

/// Reads an envelope or a bundle.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse(bytes: &[u8]) -> Result<Evidence, String> {
    let document = document::json(bytes)?;
    if !document.oddities.is_empty() {
        return Err("a key stands twice in it, so that readers disagree".to_owned());
    }
    let root = Node::root(&document.root);
    let envelope = root.get("dsseEnvelope").unwrap_or(root);
    if envelope.text_of("payloadType") != Some(PAYLOAD_TYPE) {
        return Err("it is no envelope over an in-toto statement".to_owned());
    }
    let payload = envelope.text_of("payload").and_then(of_base64).ok_or("its payload is not in Base64")?;
    let statement: Statement =
        serde_json::from_slice(&payload).map_err(|error| format!("its payload is no statement: {error}"))?;
    let digest = sha256(&bytes).map_err(|error| error.to_string())?;
    let mut subjects: Vec<(String, Vec<Sha256Digest>)> = statement
        .subject
        .iter()
        .map(|subject| {
            let digests = subject.digest.iter().filter(|(name, _)| matches!(*name, "sha256" | "dirHash"));
            let name = subject.name.clone().or_else(|| subject.uri.clone()).unwrap_or_default();
            (name, digests.filter_map(|(_, digits)| digits.parse().ok()).collect())
        })
        .collect();
    // A signature of a model lists its files in the predicate.
    if let Ok(model) = ModelStatement::parse(&payload) {
        subjects.extend(
            model
                .manifest
                .resources
                .iter()
                .filter(|file| file.shard.is_none())
                .filter_map(|file| Some((file.path.clone(), vec![file.digest.to_sha256()?]))),
        );
    }
    let objection = objection(&statement);
    Ok(Evidence {
        digest,
        predicate_type: statement.predicate_type,
        signatures: envelope.list("signatures").len(),
        subjects,
        objection,
    })
}

/// What a statement says against what it is about. A predicate that is not what its type says is an objection too.
fn objection(statement: &Statement) -> Option<String> {
    let kind = of_uri(&statement.predicate_type).filter(|kind| kind.maker != Maker::Sign)?;
    match (kind.read)(&statement.predicate) {
        Ok(reading) => reading.objection,
        Err(problem) => Some(format!("the predicate is no {}: {problem}", kind.title)),
    }
}
