//! MLflow on a server that lies: what is read from it, and what of evidence there is caught. `tests/imports.py` does the same
//! with a real one.

// A test may stop at what it did not expect.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod stand_in;

use jiff::Timestamp;
use serde_json::{Value, json};
use stand_in::StandIn;
use waag_engine::attest::seal::{With, seal};
use waag_engine::import::mlflow::{
    Credentials, MlflowError, ProblemKind, Server, Target, VerdictReport, import_remote, publish, verify,
};
use waag_engine::import::{Grade, Imported};
use waag_engine::scan::Silent;
use waag_engine::sign::SignError;
use waag_evidence::Sha256Digest;
use waag_signing::encoding::to_base64;
use waag_signing::key::{PrivateKey, PublicKey, SigningKey as _};
use waag_signing::verify::Trusted;

const PRIVATE_KEY: &str = include_str!("../../../cli/tests/signing/private.pem");
const OTHER_KEY: &str = include_str!("../../../signing/tests/vectors/keys/p256.pub.pem");

/// `good` and `words`, by `sha256sum`.
const GOOD: &str = "770e607624d689265ca6c44884d0807d9b054d23c473c106c72be9de08b7376c";
const WORDS: &str = "dba36bffa5cab0f922d087a3aeb179f9d4e745df40b323e1b1471402848c8a3e";

fn server(stand_in: &StandIn) -> Server {
    Server::new(&stand_in.address, Credentials::default()).unwrap()
}

fn champion() -> Target {
    Target::model("iris@champion").unwrap()
}

fn import(stand_in: &StandIn, target: &Target) -> Result<Imported, MlflowError> {
    import_remote(&server(stand_in), target, &Silent)
}

/// A verdict about these files.
fn verdict(files: &[(&str, &str)], result: &str) -> String {
    let subjects: Vec<Value> =
        files.iter().map(|(name, digest)| json!({ "name": name, "digest": { "sha256": digest } })).collect();
    let level = if result == "PASSED" { "WAAG_SIGNATURE" } else { "FAILED" };
    json!({ "_type": "https://in-toto.io/Statement/v1", "subject": subjects,
        "predicateType": "https://slsa.dev/verification_summary/v1", "predicate": {
            "verifier": { "id": "https://example.org/weigher" }, "resourceUri": "models:/iris",
            "policy": { "uri": "https://example.org/policy" }, "verificationResult": result, "verifiedLevels": [level] } })
    .to_string()
}

/// An envelope over a verdict about these files.
fn evidence(files: &[(&str, &str)]) -> Vec<u8> {
    envelope(&verdict(files, "PASSED"))
}

fn envelope(statement: &str) -> Vec<u8> {
    let payload = to_base64(statement.as_bytes());
    json!({ "payload": payload, "payloadType": "application/vnd.in-toto+json", "signatures": [] })
        .to_string()
        .into_bytes()
}

fn good_evidence() -> Vec<u8> {
    evidence(&[("model.onnx", GOOD), ("a b/vocab.txt", WORDS)])
}

/// A server with evidence on it, and the digest of that.
fn published() -> (StandIn, Sha256Digest) {
    let stand_in = StandIn::new();
    let made = publish(&server(&stand_in), &champion(), "e.json", good_evidence(), &Silent).unwrap();
    (stand_in, made.digest)
}

fn check(stand_in: &StandIn, expected: Option<&Sha256Digest>) -> VerdictReport {
    verify(&server(stand_in), &champion(), expected, &Silent).unwrap()
}

fn kinds(report: &VerdictReport) -> Vec<ProblemKind> {
    let mut kinds: Vec<ProblemKind> = report.problems.iter().map(|problem| problem.kind).collect();
    kinds.sort();
    kinds
}

#[test]
fn a_model_is_read_by_its_bytes() {
    let imported = import(&StandIn::new(), &champion()).unwrap();
    let names: Vec<(&str, String)> =
        imported.artifacts.iter().map(|one| (one.name.as_str(), one.sha256.to_string())).collect();
    assert_eq!(names, [("model/a b/vocab.txt", WORDS.to_owned()), ("model/model.onnx", GOOD.to_owned())]);
    assert_eq!(imported.statements.len(), 2, "the run, and what the registry says");
    assert_eq!(imported.grade(), Grade::Note);
}

#[test]
fn evidence_is_stored_under_its_digest_and_the_tag_has_nothing_else() {
    let (stand_in, digest) = published();
    let state = stand_in.state();
    let value = format!("sha256:{digest}");
    assert_eq!(state.run_tags.get("waag.evidence"), Some(&value));
    assert_eq!(state.version_tags["1"].get("waag.evidence"), Some(&value));
    assert_eq!(state.artifacts.get(&format!("1/r1/artifacts/waag/sha256-{digest}.json")), Some(&good_evidence()));
    drop(state);
    let report = check(&stand_in, Some(&digest));
    assert!(report.problems.is_empty() && report.is_expected && report.files == 2, "{report:?}");
    assert!(!check(&stand_in, None).is_expected, "whoever writes tags can write evidence");
}

#[test]
fn evidence_that_says_no_allows_nothing() {
    let stand_in = StandIn::new();
    let failed = envelope(&verdict(&[("model.onnx", GOOD), ("a b/vocab.txt", WORDS)], "FAILED"));
    let digest = publish(&server(&stand_in), &champion(), "e.json", failed, &Silent).unwrap().digest;
    let report = check(&stand_in, Some(&digest));
    assert!(report.is_expected);
    assert_eq!(kinds(&report), [ProblemKind::NegativeResult]);
}

#[test]
fn a_signature_counts_only_by_the_key_that_is_named() {
    let stand_in = StandIn::new();
    let key = PrivateKey::from_pem(PRIVATE_KEY, None).unwrap();
    let statement = verdict(&[("model.onnx", GOOD), ("a b/vocab.txt", WORDS)], "PASSED");
    let sealed =
        seal::<SignError>(statement.as_bytes(), With::Key { key: &key, chain: &[] }, Timestamp::UNIX_EPOCH).unwrap();
    publish(&server(&stand_in), &champion(), "e.json", sealed.bytes, &Silent).unwrap();
    let judged = |trusted: PublicKey| {
        let mut report = check(&stand_in, None);
        report.verify_signature(&Trusted::Key(trusted), Timestamp::UNIX_EPOCH);
        (report.is_vouched_for(), kinds(&report))
    };
    assert_eq!(judged(key.public_key().clone()), (true, vec![]));
    let other = PublicKey::from_pem(OTHER_KEY).unwrap();
    assert_eq!(judged(other), (false, vec![ProblemKind::NotSigned]));
}

#[test]
fn evidence_about_other_things_is_not_stored() {
    let stand_in = StandIn::new();
    for bytes in [evidence(&[("model.onnx", GOOD)]), evidence(&[("x", WORDS)]), b"{}".to_vec(), b"no JSON".to_vec()] {
        let refused = publish(&server(&stand_in), &champion(), "e.json", bytes, &Silent);
        assert!(matches!(refused, Err(MlflowError::Evidence { .. })), "{refused:?}");
    }
    assert!(stand_in.state().run_tags.is_empty());
}

#[test]
fn a_forged_tag_is_caught() {
    let (stand_in, digest) = published();
    for forged in ["FORGED pass", "sha256:", &format!("sha256:{GOOD}"), &format!("{digest} pass")] {
        stand_in.state().version_tags.get_mut("1").unwrap().insert("waag.evidence".into(), forged.into());
        assert_eq!(kinds(&check(&stand_in, None)), [ProblemKind::ForgedTag], "{forged}");
    }
    stand_in.state().version_tags.clear();
    assert_eq!(kinds(&check(&stand_in, None)), [ProblemKind::NoEvidence]);
}

#[test]
fn a_moved_alias_is_caught_whatever_is_copied() {
    let (stand_in, digest) = published();
    stand_in.state().champion = "2".into();
    assert_eq!(kinds(&check(&stand_in, Some(&digest))), [ProblemKind::NoEvidence, ProblemKind::MovedAlias]);
    let tags = stand_in.state().version_tags["1"].clone();
    stand_in.state().version_tags.insert("2".into(), tags);
    assert_eq!(kinds(&check(&stand_in, Some(&digest))), [ProblemKind::ForgedTag, ProblemKind::MovedAlias]);
    let path = format!("waag/sha256-{digest}.json");
    stand_in.state().artifacts.insert(format!("1/r2/artifacts/{path}"), good_evidence());
    let report = check(&stand_in, Some(&digest));
    assert_eq!(kinds(&report), [ProblemKind::MovedAlias, ProblemKind::ReplacedArtifact]);
}

#[test]
fn replaced_added_and_missing_artifacts_are_caught() {
    let (stand_in, digest) = published();
    let put = |name: &str, bytes: Option<&str>| {
        let path = format!("1/r1/artifacts/model/{name}");
        match bytes {
            Some(bytes) => drop(stand_in.state().artifacts.insert(path, bytes.into())),
            None => drop(stand_in.state().artifacts.remove(&path)),
        }
        kinds(&check(&stand_in, Some(&digest)))
    };
    assert_eq!(put("model.onnx", Some("poisoned")), [ProblemKind::ReplacedArtifact]);
    assert_eq!(put("model.onnx", Some("good")), []);
    assert_eq!(put("extra.py", Some("import os")), [ProblemKind::UncoveredArtifact]);
    assert_eq!(put("extra.py", None), []);
    assert_eq!(
        put("waag/evil.py", Some("import os")),
        [ProblemKind::UncoveredArtifact],
        "only evidence is passed over"
    );
    assert_eq!(put("waag/evil.py", None), []);
    assert_eq!(put("model.onnx", None), [ProblemKind::MissingArtifact]);
    assert_eq!(put("other.onnx", Some("good")), [ProblemKind::UncoveredArtifact, ProblemKind::MissingArtifact]);
    assert_eq!(put("other.onnx", None), [ProblemKind::MissingArtifact]);
    put("model.onnx", Some("words"));
    assert_eq!(put("a b/vocab.txt", Some("good")), [ProblemKind::ReplacedArtifact, ProblemKind::ReplacedArtifact]);
}

#[test]
fn replaced_evidence_is_caught() {
    let (stand_in, digest) = published();
    let path = format!("1/r1/artifacts/waag/sha256-{digest}.json");
    stand_in.state().artifacts.insert(path, evidence(&[("model.onnx", GOOD), ("a b/vocab.txt", WORDS), ("x", GOOD)]));
    assert_eq!(kinds(&check(&stand_in, None)), [ProblemKind::ReplacedEvidence]);
}

#[test]
fn evidence_that_the_user_does_not_expect_is_told() {
    let (stand_in, _) = published();
    let other: Sha256Digest = GOOD.parse().unwrap();
    assert_eq!(kinds(&check(&stand_in, Some(&other))), [ProblemKind::OtherEvidence]);
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    for name in ["..", "a/../../b", "/etc"] {
        let stand_in = StandIn::new();
        let body = json!({ "files": [{ "path": name, "is_dir": false }] }).to_string();
        stand_in.state().instead.push(("/api/2.0/mlflow-artifacts/artifacts", "200 OK", body));
        assert!(matches!(import(&stand_in, &champion()), Err(MlflowError::Listing { .. })), "{name}");
    }
}

#[test]
fn folders_without_end_are_left() {
    let stand_in = StandIn::new();
    let body = json!({ "files": [{ "path": "again", "is_dir": true }] }).to_string();
    stand_in.state().instead.push(("/api/2.0/mlflow-artifacts/artifacts", "200 OK", body));
    assert!(matches!(import(&stand_in, &champion()), Err(MlflowError::Listing { .. })));
}

#[test]
fn artifacts_elsewhere_are_told_and_not_fetched() {
    for place in ["s3://bucket/x", "file:///etc", "mlflow-artifacts://example.org/x", "http://169.254.169.254/latest"] {
        let stand_in = StandIn::new();
        let body = json!({ "artifact_uri": place }).to_string();
        stand_in.state().instead.push(("/api/2.0/mlflow/model-versions/get-download-uri", "200 OK", body));
        let imported = import(&stand_in, &champion()).unwrap();
        assert!(imported.artifacts.is_empty() && imported.grade() == Grade::Unchecked, "{place}");
    }
}

#[test]
fn a_server_that_sends_us_elsewhere_is_not_followed() {
    let elsewhere = StandIn::new();
    let stand_in = StandIn::new();
    let head = format!("302 Found\r\nLocation: {}/api/2.0/mlflow/runs/get?run_id=r1", elsewhere.address);
    stand_in.state().instead.push(("/api/2.0/mlflow/runs/get", Box::leak(head.into_boxed_str()), String::new()));
    let error = import(&stand_in, &Target::run("r1").unwrap()).unwrap_err();
    assert!(error.to_string().contains("another host"), "{error}");
    assert!(elsewhere.state().seen.is_empty());
}

#[test]
fn answers_that_are_none_are_told() {
    let deep = "[".repeat(100_000);
    for (head, body) in
        [("200 OK", "<html>"), ("200 OK", &*deep), ("200 OK", ""), ("500 Oops", "\u{1b}[31m"), ("401 No", "{}")]
    {
        let stand_in = StandIn::new();
        stand_in.state().instead.push(("/api/2.0/mlflow/runs/get", head, body.to_owned()));
        let error = import(&stand_in, &Target::run("r1").unwrap()).unwrap_err();
        assert!(!error.to_string().contains('\u{1b}') && !error.hint().is_empty(), "{error}");
    }
    let stand_in = StandIn::new();
    let body = r#"{"message": "\u001b[31mno"}"#.to_owned();
    stand_in.state().instead.push(("/api/2.0/mlflow/runs/get", "403 Forbidden", body));
    let error = import(&stand_in, &Target::run("r1").unwrap()).unwrap_err();
    assert!(error.hint().contains("MLFLOW_TRACKING_TOKEN") && !error.to_string().contains('\u{1b}'), "{error}");
}

#[test]
fn addresses_with_passwords_are_refused_and_not_shown() {
    let error = Server::new("http://me:secret@localhost:1", Credentials::default()).unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
    for address in ["http://:secret@localhost:1", "http://localhost:1/?token=secret"] {
        let error = Server::new(address, Credentials::default()).unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    for address in ["ftp://x", "http://", "x"] {
        assert!(Server::new(address, Credentials::default()).is_err(), "{address}");
    }
}
