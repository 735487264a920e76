//! Bundles that other programs wrote: whether they verify, and for which reason they do not. The models themselves are
//! compared in the engine's tests.
//!
//! `vectors` was made with model-signing 1.1.1 from PyPI; its README says how.

// A test may stop at what it did not expect, and reads only what it brought.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use waag_signing::SigningError;
use waag_signing::certificate::Certificate;
use waag_signing::key::PublicKey;
use waag_signing::verify::{Trusted, Verified, verify};

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

fn text(path: &str) -> String {
    std::fs::read_to_string(vectors().join(path)).unwrap()
}

fn now() -> Timestamp {
    "2026-11-27T12:00:00Z".parse().unwrap()
}

fn key(name: &str) -> Trusted {
    Trusted::Key(PublicKey::from_pem(&text(&format!("keys/{name}.pub.pem"))).unwrap())
}

fn certificate(root: &str, name: &str) -> Trusted {
    Trusted::Certificate {
        roots: Certificate::from_pem(&text(&format!("keys/{root}.crt"))).unwrap(),
        name: name.into(),
    }
}

fn verified(path: &str, trusted: &Trusted) -> Result<Verified, SigningError> {
    verify(text(path).as_bytes(), trusted, now())
}

fn code(path: &str, trusted: &Trusted) -> &'static str {
    verified(path, trusted).map_or_else(|error| error.code(), |_| "good")
}

#[test]
fn what_others_signed_verifies() {
    for (file, trusted) in [
        ("key-p256", key("p256")),
        ("key-p384", key("p384")),
        ("key-p521", key("p521")),
        ("key-p256-blake2", key("p256")),
        ("key-p256-blake3", key("p256")),
        ("key-p256-shards-12", key("p256")),
        ("key-p256-shards-blake3", key("p256")),
        ("key-p256-shards100k", key("p256")),
        ("key-p256-colon-files", key("p256")),
        ("key-p256-colon-shards", key("p256")),
        ("key-p256-singlefile", key("p256")),
        ("pkcs11-p256", key("p256")),
        ("pkcs11-p384", key("p384")),
        ("cert-p256", certificate("ca", "signer@example.org")),
        ("cert-p384-with-root", certificate("ca", "https://example.org/release")),
    ] {
        let verified = verified(&format!("sigs/{file}.sig"), &trusted);
        assert_eq!(verified.map(|verified| verified.unchecked), Ok(vec![]), "{file}");
    }
}

#[test]
fn the_signer_is_told() {
    let verified = verified("sigs/cert-p256.sig", &certificate("ca", "signer@example.org")).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&verified.signer).unwrap());
}

#[test]
fn certificates_that_must_not_sign_are_refused() {
    for (file, root, name, expected) in [
        ("cert-expired", "ca", "expired", "certificate-expired"),
        ("cert-future", "ca", "future", "certificate-not-yet-valid"),
        ("cert-tls-server", "ca", "www.example.org", "certificate-not-for-signing"),
        ("cert-no-sign", "ca", "no-sign", "certificate-not-for-signing"),
        ("cert-p256", "ca", "somebody@example.org", "identity-mismatch"),
        // The common name does not count where there are other names.
        ("cert-p256", "ca", "signer-p256", "identity-mismatch"),
        ("cert-p256", "tls-server", "signer@example.org", "untrusted-root"),
    ] {
        assert_eq!(code(&format!("sigs/{file}.sig"), &certificate(root, name)), expected, "{file} {root} {name}");
    }
}

#[test]
fn another_key_or_method_is_refused() {
    assert_eq!(code("sigs/key-p256.sig", &key("p384")), "key-mismatch");
    assert_eq!(code("sigs/key-p256.sig", &certificate("ca", "signer@example.org")), "wrong-method");
    assert_eq!(code("sigs/cert-p256.sig", &key("p256")), "wrong-method");
}

/// What the last columns of `EXPECTED.tsv` ask for, with reasons. `re-*` are signed again with a good key.
#[test]
fn tampered_bundles_are_refused_for_the_right_reason() {
    let expected = [
        ("hint-absent-rawbytes", "good"),
        ("keyid-absent", "good"),
        ("mediatype-02", "media-type"),
        ("no-publickey", "malformed-bundle"),
        ("notjson", "malformed-bundle"),
        ("payloadtype", "payload-type"),
        ("re-baseline", "good"),
        ("re-dotdot2", "path-outside-model"),
        ("re-emptyall", "empty-manifest"),
        ("re-extrapred", "malformed-statement"),
        ("re-ignoreall", "ignored-resource"),
        ("re-noser", "malformed-statement"),
        ("re-reversed", "unsorted-resources"),
        ("re-slsa", "predicate-type"),
        ("re-twosubj", "subject-count"),
        ("re-upper", "malformed-statement"),
        ("sig-garbage", "signature-invalid"),
        ("sig-two-first-bad", "extra-signature"),
        ("singlefile-specname", "good"),
        ("unknown-field", "malformed-bundle"),
    ];
    for (file, expected) in expected {
        assert_eq!(code(&format!("tampered/{file}.sig"), &key("p256")), expected, "{file}");
    }
    assert_eq!(code("tampered/cert-noint.sig", &certificate("ca", "signer@example.org")), "untrusted-root");
    let tested: Vec<_> = expected.iter().map(|(file, _)| *file).chain(["cert-noint"]).collect();
    for line in text("tampered/EXPECTED.tsv").lines().skip(1) {
        let file = line.split('\t').next().unwrap();
        assert!(tested.contains(&file), "{file} is not tested");
    }
}
