//! What must not verify, and the code it is refused with.

use jiff::SignedDuration;
use serde_json::{Value, json};
use waag_signing::keyless::{Code, Identity, TrustedRoot, verify_statement};
use waag_testkit::sigstore::Options;

use crate::instance::{IDENTITY, ISSUER, Local, identity};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn code(bundle: &Value, identity: &Identity, root: &TrustedRoot) -> Option<Code> {
    verify_statement(bundle.to_string().as_bytes(), identity, root).err().map(|error| error.code())
}

fn both(check: impl Fn(&Local, Value)) {
    let local = Local::good();
    [1, 2].into_iter().for_each(|version| check(&local, local.bundle(version)));
}

#[test]
fn somebody_else() {
    both(|local, bundle| {
        let who = |name: &str, issuer: &str| Identity { name: name.to_owned(), issuer: issuer.to_owned() };
        let code = |identity| code(&bundle, &identity, &local.root);
        assert_eq!(code(who(IDENTITY, ISSUER)), None);
        for name in ["other@waag.test", "SIGNER@waag.test", "signer@waag.tes", "", "signer@waag.test\0"] {
            assert_eq!(code(who(name, ISSUER)), Some(Code::IdentityMismatch), "{name}");
        }
        for issuer in ["https://issuer.waag.test/", "https://ISSUER.waag.test", ""] {
            assert_eq!(code(who(IDENTITY, issuer)), Some(Code::IssuerMismatch), "{issuer}");
        }
    });
}

#[test]
fn another_root() {
    let other = Local::new(Options { keys: 50, ..Options::default() });
    both(|_, bundle| {
        assert_eq!(code(&bundle, &identity(), &other.root), Some(Code::UntrustedRoot));
        assert_eq!(code(&bundle, &identity(), &TrustedRoot::production().unwrap()), Some(Code::UntrustedRoot));
    });
}

/// A root that lacks one kind of authority.
#[test]
fn a_root_without_one_of_the_authorities() {
    let cases = [
        ("certificateAuthorities", [Code::UntrustedRoot, Code::UntrustedRoot]),
        ("ctlogs", [Code::TrustedRootInvalid, Code::TrustedRootInvalid]),
        ("tlogs", [Code::UntrustedRoot, Code::UntrustedRoot]),
        ("timestampAuthorities", [Code::TimestampInvalid, Code::TimestampInvalid]),
    ];
    let local = Local::good();
    for (name, codes) in cases {
        let mut root = local.server.instance().trusted_root();
        root[name] = json!([]);
        let root = TrustedRoot::from_json(root.to_string().as_bytes()).unwrap();
        let found = [1, 2].map(|version| code(&local.bundle(version), &identity(), &root).unwrap());
        assert_eq!(found, codes, "{name}");
    }
}

#[test]
fn no_log_entry() {
    both(|local, mut bundle| {
        for entries in [json!([]), Value::Null] {
            bundle["verificationMaterial"]["tlogEntries"] = entries;
            let code = code(&bundle, &identity(), &local.root).unwrap();
            assert!(matches!(code, Code::LogEntryMissing | Code::MalformedBundle), "{code}");
        }
        bundle["verificationMaterial"].as_object_mut().unwrap().remove("tlogEntries");
        assert_eq!(code(&bundle, &identity(), &local.root), Some(Code::LogEntryMissing));
    });
}

#[test]
fn an_entry_of_another_signature() {
    both(|local, bundle| {
        let version = if bundle.to_string().contains("0.0.2") { 2 } else { 1 };
        let mut mixed = bundle.clone();
        mixed["verificationMaterial"]["tlogEntries"] =
            local.bundle(version)["verificationMaterial"]["tlogEntries"].clone();
        assert_eq!(code(&mixed, &identity(), &local.root), Some(Code::LogEntryMismatch));
    });
}

#[test]
fn no_proof_of_time() {
    both(|local, mut bundle| {
        let material = &mut bundle["verificationMaterial"];
        material["timestampVerificationData"] = json!({});
        material["tlogEntries"][0].as_object_mut().unwrap().remove("inclusionPromise");
        assert_eq!(code(&bundle, &identity(), &local.root), Some(Code::TimestampMissing));
    });
}

/// Certificates live for minutes: what was signed yesterday stands by the time that was proven, and not without.
#[test]
fn a_certificate_that_has_expired_since() {
    let local = Local::new(Options { ahead: -HOUR * 24, ..Options::default() });
    for version in [1, 2] {
        let mut bundle = local.bundle(version);
        assert_eq!(code(&bundle, &identity(), &local.root), None);
        let material = &mut bundle["verificationMaterial"];
        material["timestampVerificationData"] = json!({});
        material["tlogEntries"][0].as_object_mut().unwrap().remove("inclusionPromise");
        assert_eq!(code(&bundle, &identity(), &local.root), Some(Code::TimestampMissing));
    }
}

#[test]
fn a_certificate_that_had_expired_when_it_signed() {
    let late = Options { ahead: -HOUR * 24, ..Options::default() };
    let log = Local::new(Options { log_ahead: HOUR, ..late });
    assert_eq!(log.sign(1).unwrap_err().code(), Code::CertificateExpired);
    let stamper = Local::new(Options { stamper_ahead: HOUR, ..late });
    assert_eq!([1, 2].map(|version| stamper.sign(version).unwrap_err().code()), [Code::CertificateExpired; 2]);
}

#[test]
fn a_log_that_is_ahead_of_the_clock() {
    let local = Local::new(Options { log_ahead: HOUR, lifetime: HOUR * 2, ..Options::default() });
    assert_eq!(local.sign(1).unwrap_err().code(), Code::LogTimeInvalid);
}

/// Each witness costs time, and none may cost more than it is worth.
#[test]
fn more_witnesses_than_anybody_writes() {
    both(|local, bundle| {
        for pointer in ["/tlogEntries", "/timestampVerificationData/rfc3161Timestamps"] {
            let mut crowded = bundle.clone();
            let list = crowded["verificationMaterial"].pointer_mut(pointer).unwrap().as_array_mut().unwrap();
            *list = vec![list[0].clone(); 33];
            assert_eq!(code(&crowded, &identity(), &local.root), Some(Code::MalformedBundle), "{pointer}");
        }
        let mut crowded = bundle;
        let proof = &mut crowded["verificationMaterial"]["tlogEntries"][0]["inclusionProof"];
        proof["hashes"] = vec![proof["hashes"][0].clone(); 65].into();
        assert_eq!(code(&crowded, &identity(), &local.root), Some(Code::MalformedBundle));
    });
}
