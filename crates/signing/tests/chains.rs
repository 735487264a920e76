//! Chains of certificates that OpenSSL made, each with one thing that a chain may have or must not have.

// A test may stop at what it did not expect, and reads only what it brought.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use jiff::Timestamp;
use waag_signing::certificate::Certificate;
use waag_signing::chain::{check_signer, root_of};

fn certificate(name: &str) -> Certificate {
    let path = format!("{}/tests/vectors/chains/{name}.crt", env!("CARGO_MANIFEST_DIR"));
    Certificate::from_pem(&std::fs::read_to_string(path).unwrap()).unwrap().remove(0)
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

/// What is wrong with a signer's certificate, or "good".
fn code(names: &[&str], root: &str, time: &str) -> &'static str {
    let chain: Vec<_> = names.iter().map(|name| certificate(name)).collect();
    let roots = [certificate("other-root"), certificate(root)];
    let found = root_of(&chain[0], &chain[1..], &roots, at(time));
    let found = found.and_then(|root| check_signer(&chain[0], at(time)).map(|()| root.subject()));
    match found {
        Ok(subject) => {
            assert_eq!(subject, format!("CN={root}"));
            "good"
        }
        Err(error) => error.code(),
    }
}

const LATER: &str = "2027-06-01T00:00:00Z";

#[test]
fn chains_are_followed_to_a_named_root() {
    for (names, root, expected) in [
        (&["good"][..], "root", "good"),
        (&["rsa-good"], "rsa-root", "good"),
        (&["good"], "rsa-root", "untrusted-root"),
        (&["sha1"], "root", "untrusted-root"),
        (&["self"], "root", "untrusted-root"),
        (&["self"], "self", "good"),
        (&["below-between", "between"], "root", "good"),
        (&["below-between"], "root", "untrusted-root"),
        (&["below-second", "second-between", "between"], "root", "good"),
        // In any order, and with others among them.
        (&["below-second", "good", "between", "other-root", "second-between"], "root", "good"),
        (&["below-second", "second-between"], "root", "untrusted-root"),
        // An authority that is named as root is one.
        (&["below-between", "root"], "between", "good"),
        (&["below-short", "short"], "root", "good"),
    ] {
        assert_eq!(code(names, root, LATER), expected, "{names:?} {root}");
    }
}

#[test]
fn authorities_may_do_what_they_may_do() {
    for (names, expected) in [
        (&["below-too-deep", "too-deep", "short"][..], "certificate-not-an-authority"),
        (&["below-signer", "good"], "certificate-not-an-authority"),
        (&["below-no-usage", "no-usage"], "certificate-not-an-authority"),
        (&["below-for-servers", "for-servers"], "certificate-not-an-authority"),
        (&["below-constrained", "constrained"], "unsupported-certificate"),
        (&["below-expired", "expired-between"], "certificate-expired"),
    ] {
        assert_eq!(code(names, "root", LATER), expected, "{names:?}");
    }
}

#[test]
fn signers_may_sign() {
    for (name, expected) in [
        ("odd", "unsupported-certificate"),
        ("authority-flag", "good"),
        ("authority-usage", "certificate-not-for-signing"),
        ("no-purpose", "certificate-not-for-signing"),
        ("between", "certificate-not-for-signing"),
    ] {
        assert_eq!(code(&[name], "root", LATER), expected, "{name}");
    }
}

#[test]
fn time_is_within_both_ends() {
    assert_eq!(code(&["good"], "root", "2026-01-01T00:00:00Z"), "certificate-not-yet-valid");
    assert_eq!(code(&["good"], "root", "2200-01-01T00:00:00Z"), "certificate-expired");
}

/// Certificates that name each other as issuers lead nowhere, in bounded time.
#[test]
fn a_maze_ends() {
    let between: Vec<_> = std::iter::repeat_n(certificate("between"), 15).collect();
    let signer = certificate("below-between");
    let found = root_of(&signer, &between, &[], at(LATER));
    assert_eq!(found.map_err(|error| error.code()), Err("untrusted-root"));
}
