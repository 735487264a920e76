//! Bundles that other programs wrote.

use serde_json::Value;
use waag_signing::keyless::{Code, Identity, KeylessError, TrustedRoot, VerifiedStatement, verify_statement};
use waag_signing::signer::{SignerKind, TimeSource};
use waag_signing::verify::{self, Trusted};

macro_rules! vector {
    ($name:literal) => {
        include_bytes!(concat!("../vectors/local-sigstore/", $name))
    };
}

const GOOD: &[u8] = vector!("model.sig");

fn verify(bundle: &[u8]) -> Result<VerifiedStatement, KeylessError> {
    let identity = Identity { name: "signer@local.test".to_owned(), issuer: "https://issuer.local.test".to_owned() };
    let root = TrustedRoot::from_json(vector!("trusted_root.json")).unwrap();
    verify_statement(bundle, &identity, &root)
}

#[test]
fn a_bundle_of_the_reference_verifies() {
    let VerifiedStatement { statement, signer } = verify(GOOD).unwrap();
    assert_eq!(signer.identity.as_deref(), Some("signer@local.test"));
    assert_eq!(signer.issuer.as_deref(), Some("https://issuer.local.test"));
    assert_eq!(signer.time().unwrap().source, TimeSource::TransparencyLog);
    let statement: Value = serde_json::from_slice(&statement).unwrap();
    assert_eq!(statement["predicateType"], "https://model_signing/signature/v1.0");
}

#[test]
fn a_trust_configuration_serves_as_root() {
    assert!(TrustedRoot::from_json(vector!("trust_config.json")).is_ok());
}

#[test]
fn what_was_tampered_with_is_refused_each_for_its_reason() {
    let cases: [(&[u8], Code); 4] = [
        (vector!("set-bad.sig"), Code::LogPromiseInvalid),
        (vector!("time-bad.sig"), Code::LogPromiseInvalid),
        (vector!("checkpoint-bad.sig"), Code::LogCheckpointInvalid),
        (vector!("no-tlog.sig"), Code::LogEntryMissing),
    ];
    for (bundle, code) in cases {
        assert_eq!(verify(bundle).unwrap_err().code(), code);
    }
}

/// Signers before 1.0 wrote `null`, or nothing, for the id of a key that has none.
#[test]
fn key_ids_may_be_null_or_missing() {
    for id in [Some(Value::Null), Some("".into()), None] {
        let mut bundle: Value = serde_json::from_slice(GOOD).unwrap();
        let signature = bundle["dsseEnvelope"]["signatures"][0].as_object_mut().unwrap();
        signature.remove("keyid");
        signature.extend(id.map(|id| ("keyid".to_owned(), id)));
        assert!(verify(bundle.to_string().as_bytes()).is_ok());
    }
}

#[test]
fn a_name_twice_is_refused() {
    let text = std::str::from_utf8(GOOD).unwrap();
    let twice = text.replacen('{', r#"{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json","#, 1);
    assert_eq!(verify(twice.as_bytes()).unwrap_err().code(), Code::MalformedBundle);
}

/// The whole way: from a bundle to what it says of a model's files.
#[test]
fn a_model_signed_without_a_key_verifies() {
    let identity = Identity { name: "signer@local.test".to_owned(), issuer: "https://issuer.local.test".to_owned() };
    let root = Box::new(TrustedRoot::from_json(vector!("trusted_root.json")).unwrap());
    let trusted = Trusted::Keyless { identity, root };
    let verified = verify::verify(GOOD, &trusted, jiff::Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(verified.signer.kind, SignerKind::Keyless);
    assert_eq!(verified.signer.name, "signer@local.test");
    assert!(verified.signer.time.is_some() && verified.unchecked.is_empty());
    assert_eq!(verified.statement.manifest.resources.len(), 9);
    for (bundle, code) in
        [(&vector!("set-bad.sig")[..], "log-promise-invalid"), (vector!("no-tlog.sig"), "log-entry-missing")]
    {
        assert_eq!(verify::verify(bundle, &trusted, jiff::Timestamp::UNIX_EPOCH).unwrap_err().code(), code);
    }
}
