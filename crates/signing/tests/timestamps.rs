//! Certificates that are judged when a timestamp says that they signed. The timestamps are answers of OpenSSL as a
//! timestamp authority, of 2026-11-27; the bundles are those of another signer.

// A test may stop at what it did not expect, and reads only what it brought.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};
use waag_signing::certificate::Certificate;
use waag_signing::encoding::to_base64;
use waag_signing::keyless::TimestampAuthorities;
use waag_signing::signer::TimeSource;
use waag_signing::verify::{Trusted, Verified, verify, verify_with_timestamps};
use waag_signing::{SigningError, signer::SignatureTime};

const SOON: &str = "2026-11-28T00:00:00Z";
const LATER: &str = "2035-01-01T00:00:00Z";

fn read(path: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(path)).unwrap()
}

fn certificates(path: &str) -> Vec<Certificate> {
    Certificate::from_pem(&String::from_utf8(read(path)).unwrap()).unwrap()
}

fn authorities(names: &[&str]) -> TimestampAuthorities {
    let chains = names.iter().map(|name| certificates(&format!("timestamps/{name}.crt")));
    chains.fold(TimestampAuthorities::default(), |all, chain| all.with_chain(&chain))
}

/// A bundle with these timestamps.
fn stamped(bundle: &str, timestamps: &[&str]) -> Value {
    let mut bundle: Value = serde_json::from_slice(&read(&format!("sigs/{bundle}.sig"))).unwrap();
    let timestamps =
        timestamps.iter().map(|name| json!({"signedTimestamp": to_base64(&read(&format!("timestamps/{name}")))}));
    bundle["verificationMaterial"]["timestampVerificationData"] =
        json!({"rfc3161Timestamps": timestamps.collect::<Vec<_>>()});
    bundle
}

fn judged(bundle: &Value, names: &[&str], now: &str) -> Result<Verified, SigningError> {
    judged_as("signer@example.org", bundle, names, now)
}

fn judged_as(signer: &str, bundle: &Value, names: &[&str], now: &str) -> Result<Verified, SigningError> {
    let trusted = Trusted::Certificate { roots: certificates("keys/ca.crt"), name: signer.into() };
    let json = serde_json::to_vec(bundle).unwrap();
    verify_with_timestamps(&json, &trusted, &authorities(names), now.parse().unwrap())
}

fn code(bundle: &Value, names: &[&str], now: &str) -> &'static str {
    judged(bundle, names, now).map_or_else(|error| error.code(), |_| "good")
}

#[test]
fn a_certificate_that_expired_since_is_good_with_a_timestamp() {
    let bundle = stamped("cert-p256", &["cert-p256.tsr"]);
    let verified = judged(&bundle, &["tsa"], LATER).unwrap();
    let at: Timestamp = verified.signer.time.as_ref().unwrap().at;
    assert_eq!(verified.signer.time, Some(SignatureTime { at, source: TimeSource::TimestampAuthority }));
    assert_eq!((at.to_string()[..10].to_owned(), verified.unchecked), ("2026-11-27".to_owned(), vec![]));
    // A token that no answer is around, and one among others.
    for timestamps in
        [&["cert-p256-other-token.der"][..], &["cert-expired.tsr", "cert-p256.tsr", "cert-p256-other.tsr"]]
    {
        assert_eq!(code(&stamped("cert-p256", timestamps), &["tsa", "other"], LATER), "good", "{timestamps:?}");
    }
}

#[test]
fn a_timestamp_that_says_nothing_helps_nobody() {
    for (timestamps, names, expected) in [
        (&["cert-p256.tsr"][..], &[][..], "certificate-expired"),
        (&[], &["tsa"], "certificate-expired"),
        (&["cert-expired.tsr"], &["tsa"], "timestamp-mismatch"),
        (&["cert-p256.tsr"], &["other"], "timestamp-untrusted"),
        (&["cert-p256-other.tsr"], &["tsa"], "timestamp-untrusted"),
        (&["tsa.crt"], &["tsa"], "malformed-timestamp"),
    ] {
        let bundle = stamped("cert-p256", timestamps);
        assert_eq!(code(&bundle, names, LATER), expected, "{timestamps:?} {names:?}");
        // It takes nothing from a certificate that is valid now; that nobody checked it is said.
        let verified = judged(&bundle, names, SOON).unwrap();
        assert_eq!((verified.signer.time, verified.unchecked), (None, vec!["timestamps"]), "{timestamps:?}");
    }
}

#[test]
fn the_certificate_has_to_be_valid_at_that_time() {
    assert_eq!(code(&stamped("cert-expired", &["cert-expired.tsr"]), &["tsa"], LATER), "certificate-expired");
    let future = stamped("cert-future", &["cert-future.tsr"]);
    assert!(judged_as("future", &future, &[], "2027-10-01T00:00:00Z").is_ok());
    assert_eq!(code(&future, &["tsa"], "2027-10-01T00:00:00Z"), "certificate-not-yet-valid");
}

/// Bytes of a timestamp changed: it never gives another time.
#[test]
fn a_changed_timestamp_proves_nothing() {
    let bundle = stamped("cert-p256", &["cert-p256.tsr"]);
    let good = judged(&bundle, &["tsa"], LATER).unwrap().signer.time;
    let token = read("timestamps/cert-p256.tsr");
    let place = "/verificationMaterial/timestampVerificationData/rfc3161Timestamps/0/signedTimestamp";
    // Every byte takes minutes without optimisation.
    for at in (0..token.len()).step_by(11) {
        let (mut changed, mut bundle) = (token.clone(), bundle.clone());
        changed[at] ^= 1;
        *bundle.pointer_mut(place).unwrap() = Value::from(to_base64(&changed));
        if let Ok(verified) = judged(&bundle, &["tsa"], LATER) {
            // Certificates beside the token are not looked at, and neither is what surrounds it.
            assert_eq!(verified.signer.time, good, "byte {at}");
        }
    }
}

#[test]
fn a_key_needs_no_time() {
    let key = waag_signing::key::PublicKey::from_pem(&String::from_utf8(read("keys/p256.pub.pem")).unwrap()).unwrap();
    let json = serde_json::to_vec(&stamped("key-p256", &["cert-p256.tsr"])).unwrap();
    let verified = verify(&json, &Trusted::Key(key), LATER.parse().unwrap()).unwrap();
    assert_eq!(verified.unchecked, ["timestamps"]);
}
