//! A good bundle with anything else in any one place is not good.

// A test may stop at what it did not expect, and reads only what it brought.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use waag_signing::bundle::Bundle;
use waag_signing::certificate::Certificate;
use waag_signing::key::PublicKey;
use waag_signing::verify::{Trusted, verify};

const KEY_BUNDLE: &str = include_str!("vectors/sigs/key-p256.sig");
const CERTIFICATE_BUNDLE: &str = include_str!("vectors/sigs/cert-p256.sig");

/// Where a bundle may say anything: nothing follows from a key's hint, and an empty list of log entries is as good as none.
const FREE: [&str; 2] = ["/dsseEnvelope/signatures/0/keyid", "/verificationMaterial/tlogEntries"];

fn subjects() -> [(&'static str, Trusted); 2] {
    let key = PublicKey::from_pem(include_str!("vectors/keys/p256.pub.pem")).unwrap();
    let roots = Certificate::from_pem(include_str!("vectors/keys/ca.crt")).unwrap();
    let certificate = Trusted::Certificate { roots, name: "signer@example.org".into() };
    [(KEY_BUNDLE, Trusted::Key(key)), (CERTIFICATE_BUNDLE, certificate)]
}

fn is_good(bundle: &Value, trusted: &Trusted) -> bool {
    let now: Timestamp = "2026-11-27T12:00:00Z".parse().unwrap();
    verify(&serde_json::to_vec(bundle).unwrap(), trusted, now).is_ok()
}

/// The places of all values but the whole.
fn places(value: &Value, at: &str, places: &mut Vec<String>) {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (format!("{at}/{name}"), value)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, value)| (format!("{at}/{index}"), value)).collect()
        }
        _ => Vec::new(),
    };
    for (place, value) in below {
        places.push(place.clone());
        self::places(value, &place, places);
    }
}

fn places_of(bundle: &Value) -> Vec<String> {
    let mut found = Vec::new();
    places(bundle, "", &mut found);
    found.retain(|place| !FREE.iter().any(|free| place.starts_with(free)));
    found
}

/// Other values for a value.
fn others(value: &Value) -> Vec<Value> {
    let mut others = vec![Value::Null, json!(""), json!(0), json!([]), json!({}), json!(true), json!([value])];
    if let Some(text) = value.as_str() {
        others.extend(
            [text.to_uppercase(), text.to_lowercase(), format!("{text} "), format!("{text}="), format!("{text}A")]
                .map(Value::from),
        );
        for index in [0, 1, 7, text.len() / 2, text.len() - 2, text.len() - 1] {
            for byte in *b"A/0z=" {
                let mut bytes = text.as_bytes().to_vec();
                bytes[index] = byte;
                others.push(Value::from(String::from_utf8(bytes).unwrap()));
            }
        }
    }
    others.retain(|other| other != value);
    others
}

#[test]
fn nothing_else_in_any_one_place_verifies() {
    for (text, trusted) in subjects() {
        let good: Value = serde_json::from_str(text).unwrap();
        assert!(is_good(&good, &trusted));
        for place in places_of(&good) {
            for other in others(good.pointer(&place).unwrap()) {
                let mut changed = good.clone();
                *changed.pointer_mut(&place).unwrap() = other.clone();
                assert!(!is_good(&changed, &trusted), "{place} = {other}");
            }
        }
    }
}

#[test]
fn the_free_places_are_free_and_no_others_are_said_to_be() {
    for (text, trusted) in subjects() {
        let good: Value = serde_json::from_str(text).unwrap();
        for (place, other) in [(FREE[0], json!("x")), (FREE[0], Value::Null), (FREE[1], Value::Null)] {
            let mut changed = good.clone();
            *changed.pointer_mut(place).unwrap() = other;
            assert!(is_good(&changed, &trusted), "{place}");
        }
    }
}

#[test]
fn a_field_left_out_or_added_does_not_verify() {
    for (text, trusted) in subjects() {
        let good: Value = serde_json::from_str(text).unwrap();
        for place in places_of(&good) {
            let (parent, name) = place.rsplit_once('/').unwrap();
            let mut changed = good.clone();
            let parent = if parent.is_empty() { &mut changed } else { changed.pointer_mut(parent).unwrap() };
            match parent {
                Value::Object(fields) => drop(fields.remove(name)),
                Value::Array(items) => drop(items.remove(name.parse().unwrap())),
                _ => unreachable!("only these have places"),
            }
            assert!(!is_good(&changed, &trusted), "without {place}");
            let mut changed = good.clone();
            if let Some(Value::Object(fields)) = changed.pointer_mut(&place) {
                fields.insert("more".into(), json!(1));
                assert!(!is_good(&changed, &trusted), "more in {place}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Any byte of the text for any other. What the JSON means is the same after some changes, as of a space: those verify.
    #[test]
    fn a_changed_byte_does_not_verify(which in 0..2_usize, at in any::<prop::sample::Index>(), byte in 32..127_u8) {
        let (text, trusted) = subjects()[which].clone();
        let mut bytes = text.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let now: Timestamp = "2026-11-27T12:00:00Z".parse().unwrap();
        if verify(&bytes, &trusted, now).is_ok() {
            let mut bundle = Bundle::parse(&bytes).unwrap();
            bundle.dsse_envelope.signatures[0].keyid = Some(String::new());
            prop_assert_eq!(bundle, Bundle::parse(text.as_bytes()).unwrap());
        }
    }

    /// Whatever the bytes are, reading them ends without a panic.
    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Bundle::parse(&bytes);
        let _ = waag_signing::sealed::Sealed::parse(&bytes);
        let _ = waag_signing::statement::Statement::parse(&bytes);
        let _ = waag_signing::model_statement::ModelStatement::parse(&bytes);
        let _ = Certificate::from_der(&bytes);
        let _ = PublicKey::from_der(&bytes);
    }
}
