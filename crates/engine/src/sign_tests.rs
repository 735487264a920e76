use waag_evidence::manifest::{HashAlgorithm, Method};
use waag_signing::key::{PrivateKey, SigningKey as _};
use waag_signing::verify::Trusted;

use super::*;
use crate::scan::Silent;
use crate::verify::{self, Trust};

const PRIVATE_KEY: &str = include_str!("../../cli/tests/signing/private.pem");

fn key() -> PrivateKey {
    PrivateKey::from_pem(PRIVATE_KEY, None).unwrap()
}

fn with(key: &PrivateKey) -> With<'_, SignError> {
    With::Key { key, chain: &[] }
}

fn model() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(root.path().join("model/sub")).unwrap();
    std::fs::create_dir_all(root.path().join("model/.git")).unwrap();
    for (name, bytes) in
        [("a.txt", "0123456789"), ("a-1.txt", "x"), ("sub/empty", ""), ("notes.md", "x"), (".git/HEAD", "x")]
    {
        std::fs::write(root.path().join("model").join(name), bytes).unwrap();
    }
    root
}

fn how(method: Method, algorithm: HashAlgorithm) -> Serialization {
    Serialization { method, algorithm, allow_symlinks: false, ignored: vec!["notes.md".into()] }
}

fn signed(root: &Path, signature: &str, how: Serialization) -> SignReport {
    let request = Request { model: &root.join("model"), signature: &root.join(signature), how };
    sign(&request, with(&key()), crate::clock::now(), &Silent).unwrap()
}

fn verifies(root: &Path, signature: &str) -> bool {
    let (model, signatures) = (root.join("model"), [root.join(signature)]);
    let trust = Trust::Signer(Box::new(Trusted::Key(key().public_key().clone())));
    let request = verify::Request {
        model: &model,
        signatures: &signatures,
        trust,
        ignore: &[],
        allow_unsigned: false,
        strict: false,
    };
    verify::verify(&request, crate::clock::now(), &Silent).unwrap().verified
}

#[test]
fn every_way_of_digesting_verifies() {
    let root = model();
    for method in [Method::Files, Method::Shards(3), Method::Shards(1_000_000)] {
        for algorithm in [HashAlgorithm::Sha256, HashAlgorithm::Blake2b, HashAlgorithm::Blake3] {
            signed(root.path(), "model.sig", how(method, algorithm));
            assert!(verifies(root.path(), "model.sig"), "{method:?} {algorithm}");
        }
    }
    std::fs::write(root.path().join("model/a.txt"), "012345678X").unwrap();
    assert!(!verifies(root.path(), "model.sig"));
}

#[test]
fn the_same_model_gives_the_same_bytes() {
    let root = model();
    let bytes = || {
        signed(root.path(), "model.sig", how(Method::Files, HashAlgorithm::Sha256));
        std::fs::read(root.path().join("model.sig")).unwrap()
    };
    assert_eq!(bytes(), bytes());
}

#[test]
fn a_signature_inside_is_ignored_by_name() {
    let root = model();
    signed(root.path(), "model/model.sig", how(Method::Files, HashAlgorithm::Sha256));
    let again = signed(root.path(), "model/model.sig", how(Method::Files, HashAlgorithm::Sha256));
    assert_eq!(again.files, 3);
    assert!(verifies(root.path(), "model/model.sig"));
    let bundle =
        waag_signing::bundle::Bundle::parse(&std::fs::read(root.path().join("model/model.sig")).unwrap()).unwrap();
    let statement = ModelStatement::parse(&bundle.dsse_envelope.payload_bytes().unwrap()).unwrap();
    let ignored = [".git", ".gitattributes", ".github", ".gitignore", "model.sig", "notes.md"];
    assert_eq!(statement.manifest.serialization.ignored, ignored);
}

#[test]
fn reports_follow_their_schema() {
    let schema = include_str!("../../../docs/schema/sign.schema.json");
    let schema = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    let root = model();
    let report = signed(root.path(), "model.sig", how(Method::Files, HashAlgorithm::Sha256));
    let reasons: Vec<_> = report.uncovered.iter().map(|open| (open.path.as_str(), open.reason)).collect();
    assert_eq!(reasons, [(".git", "ignored-by-default"), ("notes.md", "ignored")]);
    let report = serde_json::to_value(report).unwrap();
    assert_eq!(schema.iter_errors(&report).map(|error| error.to_string()).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn a_private_key_is_not_published() {
    let root = model();
    std::fs::write(root.path().join("model/key.pem"), PRIVATE_KEY).unwrap();
    let (model, key) = (root.path().join("model"), root.path().join("model/key.pem"));
    assert!(matches!(check_key_place(&model, &key), Err(SignError::KeyInside(_))));
    assert!(check_key_place(&model, &root.path().join("key.pem")).is_ok());
}

#[test]
fn nothing_is_left_where_nothing_can_be_written() {
    let root = model();
    let request = Request {
        model: &root.path().join("model"),
        signature: &root.path().join("none/model.sig"),
        how: how(Method::Files, HashAlgorithm::Sha256),
    };
    let error = sign(&request, with(&key()), crate::clock::now(), &Silent).unwrap_err();
    assert!(matches!(error, SignError::Write { .. }), "{error}");
}
