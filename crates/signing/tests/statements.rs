//! Statements of any kind: signed in every form that is read, signed by nobody, and changed in any one place.

// A test may stop at what it did not expect, and reads only what it brought.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use waag_signing::SigningError;
use waag_signing::certificate::Certificate;
use waag_signing::envelope::{Envelope, early_pae, pae};
use waag_signing::key::{PrivateKey, PublicKey, SigningKey as _};
use waag_signing::sealed::Sealed;
use waag_signing::sign::sign_with_key;
use waag_signing::statement::PAYLOAD_TYPE;
use waag_signing::verify::{Trusted, verify, verify_statement};

const STATEMENT: &str = r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"model","digest":{"sha256":"506e75aa00000000000000000000000000000000000000000000000000000000"}}],"predicateType":"https://in-toto.io/attestation/test-result/v0.1","predicate":{"result":"PASSED","configuration":[]}}"#;

fn now() -> Timestamp {
    "2026-11-27T12:00:00Z".parse().unwrap()
}

fn key() -> PrivateKey {
    PrivateKey::from_pem(include_str!("../../cli/tests/signing/private.pem"), None).unwrap()
}

fn holder() -> Trusted {
    Trusted::Key(PublicKey::from_pem(include_str!("../../cli/tests/signing/public.pem")).unwrap())
}

fn other() -> Trusted {
    Trusted::Key(PublicKey::from_pem(include_str!("vectors/keys/p384.pub.pem")).unwrap())
}

fn authority() -> Trusted {
    let roots = Certificate::from_pem(include_str!("vectors/keys/ca.crt")).unwrap();
    Trusted::Certificate { roots, name: "signer@example.org".into() }
}

/// A statement in each form, with whom it is by. The one with a certificate was recorded.
fn signed() -> [(Vec<u8>, Trusted); 3] {
    let key = key();
    let bundle = sign_with_key(STATEMENT.as_bytes(), &key).unwrap();
    let signature = key.sign(&pae(PAYLOAD_TYPE, STATEMENT.as_bytes())).unwrap();
    let alone = Envelope::new(PAYLOAD_TYPE, STATEMENT.as_bytes(), &signature);
    let recorded = include_bytes!("vectors/sigs/cert-p256.sig").to_vec();
    [(bundle.to_json().unwrap(), holder()), (recorded, authority()), (alone.to_json().unwrap(), holder())]
}

fn code(json: &[u8], trusted: &Trusted) -> &'static str {
    verify_statement(json, trusted, now()).map_or_else(|error| error.code(), |_| "good")
}

#[test]
fn every_form_verifies_and_gives_the_signed_bytes() {
    for (json, trusted) in signed() {
        let verified = verify_statement(&json, &trusted, now()).unwrap();
        assert_eq!(verified.payload, Sealed::parse(&json).unwrap().statement_bytes().unwrap());
        assert_eq!(verified.unchecked, [""; 0]);
    }
}

#[test]
fn another_signer_or_another_way_is_refused() {
    let forms = signed();
    let codes = |trusted: &Trusted| forms.iter().map(|(json, _)| code(json, trusted)).collect::<Vec<_>>();
    assert_eq!(codes(&other()), ["key-mismatch", "wrong-method", "signature-invalid"]);
    assert_eq!(codes(&authority()), ["wrong-method", "good", "wrong-method"]);
}

#[test]
fn what_nobody_signed_never_verifies() {
    let unsigned = Envelope::unsigned(STATEMENT.as_bytes()).to_json().unwrap();
    assert_eq!(Sealed::parse(&unsigned).unwrap().statement_bytes().unwrap(), STATEMENT.as_bytes());
    for trusted in [holder(), authority()] {
        assert_eq!(code(&unsigned, &trusted), "missing-signature");
    }
    let [(signed, trusted), ..] = signed();
    let mut bundle: Value = serde_json::from_slice(&signed).unwrap();
    bundle["dsseEnvelope"]["signatures"] = json!([]);
    assert_eq!(code(&serde_json::to_vec(&bundle).unwrap(), &trusted), "missing-signature");
}

#[test]
fn no_other_statement_is_a_models_signature() {
    let [(json, trusted), ..] = signed();
    let error = verify(&json, &trusted, now()).unwrap_err();
    assert!(matches!(&error, SigningError::PredicateType(found) if found.ends_with("test-result/v0.1")), "{error}");
}

#[test]
fn a_models_signature_is_a_statement_unless_its_encoding_was_early() {
    let key = PublicKey::from_pem(include_str!("vectors/keys/p256.pub.pem")).unwrap();
    let trusted = Trusted::Key(key);
    assert_eq!(code(include_bytes!("vectors/sigs/key-p256.sig"), &trusted), "good");
    let payload = br#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"a","digest":{"sha256":"506e75aa00000000000000000000000000000000000000000000000000000000"}}],"predicateType":"https://model_signing/Digests/v0.1","predicate":{}}"#;
    let signature = self::key().sign(&early_pae(PAYLOAD_TYPE, payload)).unwrap();
    let mut bundle = sign_with_key(payload, &self::key()).unwrap();
    bundle.dsse_envelope = Envelope::new(PAYLOAD_TYPE, payload, &signature);
    let json = bundle.to_json().unwrap();
    assert!(verify(&json, &holder(), now()).is_ok());
    assert_eq!(code(&json, &holder()), "signature-invalid");
}

/// Where a file may say anything: nothing follows from a key's hint, and no list of log entries is as good as an empty one.
fn is_free(place: &str) -> bool {
    place.ends_with("/keyid") || place == "/verificationMaterial/tlogEntries"
}

/// The places of all values that have nothing below them.
fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            fields.iter().for_each(|(name, value)| leaves(value, &format!("{at}/{name}"), found));
        }
        Value::Array(items) if !items.is_empty() => {
            items.iter().enumerate().for_each(|(index, value)| leaves(value, &format!("{at}/{index}"), found));
        }
        _ => found.push(at.to_owned()),
    }
}

fn leaves_of(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    leaves(value, "", &mut found);
    found
}

fn any_leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[A-Za-z0-9+/=]{0,40}".prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
    ]
}

/// A leaf with one letter changed.
fn nearly(leaf: &Value, at: prop::sample::Index, letter: char) -> Value {
    let Some(text) = leaf.as_str().filter(|text| !text.is_empty()) else { return Value::Null };
    let at = at.index(text.len());
    Value::from(text.char_indices().map(|(index, old)| if index == at { letter } else { old }).collect::<String>())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn another_leaf_around_a_statement_never_verifies(
        which in 0..3_usize,
        at in any::<prop::sample::Index>(),
        letter_at in any::<prop::sample::Index>(),
        letter in "[A-Za-z0-9+/=]",
        other in any_leaf(),
    ) {
        let (json, trusted) = signed()[which].clone();
        let good: Value = serde_json::from_slice(&json).unwrap();
        let places = leaves_of(&good);
        let place = &places[at.index(places.len())];
        let leaf = good.pointer(place).unwrap().clone();
        let letter = letter.chars().next().unwrap();
        for other in [other, nearly(&leaf, letter_at, letter)] {
            if other == leaf || is_free(place) {
                continue;
            }
            let mut changed = good.clone();
            *changed.pointer_mut(place).unwrap() = other.clone();
            prop_assert_ne!(code(&serde_json::to_vec(&changed).unwrap(), &trusted), "good", "{} = {}", place, other);
        }
    }

    #[test]
    fn another_leaf_in_a_statement_never_verifies(
        which in 0..3_usize,
        at in any::<prop::sample::Index>(),
        other in any_leaf(),
    ) {
        let (json, trusted) = signed()[which].clone();
        let payload = Sealed::parse(&json).unwrap().statement_bytes().unwrap();
        let mut statement: Value = serde_json::from_slice(&payload).unwrap();
        let places = leaves_of(&statement);
        let place = &places[at.index(places.len())];
        prop_assume!(statement.pointer(place).unwrap() != &other);
        *statement.pointer_mut(place).unwrap() = other;
        let payload = Envelope::unsigned(&serde_json::to_vec(&statement).unwrap()).payload;
        let mut changed: Value = serde_json::from_slice(&json).unwrap();
        let envelope = if which == 2 { &mut changed } else { &mut changed["dsseEnvelope"] };
        envelope["payload"] = payload.into();
        prop_assert_eq!(code(&serde_json::to_vec(&changed).unwrap(), &trusted), "signature-invalid");
    }
}
