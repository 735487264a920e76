//! Every leaf of a good bundle, changed in several ways: none may verify, but for the few that nobody vouches for and
//! nobody reads.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Value, json};
use waag_signing::keyless::{Content, TrustedRoot, verify_artifact, verify_statement};

use crate::instance::{ARTIFACT, Local, identity};

const LOG_ENTRY: &str = "/verificationMaterial/tlogEntries/0";

/// Changes that may verify with either log, and why:
///
/// - A checkpoint ends with its last signature; white space after it is no part of it.
/// - In the middle of a timestamp token stands a copy of the authority's certificate. The one in the trusted root counts.
const FREE: [(&str, &[&str]); 2] = [
    (
        "/verificationMaterial/tlogEntries/0/inclusionProof/checkpoint/envelope",
        &["last letter", "line after", "shorter"],
    ),
    ("/verificationMaterial/timestampVerificationData/rfc3161Timestamps/0/signedTimestamp", &["middle letter"]),
];

/// Changes that may verify with a log of version 2 besides: its checkpoint, which the log signs, says which log it is and
/// has the root and the size of the tree; the entry says where in the tree it is. What the proof repeats of them is not read.
const FREE_WITH_SECOND_LOG: [&str; 4] =
    ["/logId/keyId", "/inclusionProof/logIndex", "/inclusionProof/rootHash", "/inclusionProof/treeSize"];

#[test]
fn no_change_of_a_leaf_verifies() {
    let local = Local::good();
    let bundles = [1, 2]
        .into_iter()
        .flat_map(|version| [local.bundle(version), local.bundle_of_artifact(version)].map(|bundle| (version, bundle)));
    for (version, bundle) in bundles {
        for pointer in leaves(&bundle) {
            let survivors = survivors(&local, &bundle, &pointer);
            if version == 2 && FREE_WITH_SECOND_LOG.iter().any(|free| pointer == format!("{LOG_ENTRY}{free}")) {
                continue;
            }
            let free = FREE.iter().find(|(free, _)| *free == pointer).map_or(&[][..], |(_, changes)| changes);
            assert_eq!(survivors, free.iter().copied().collect(), "log version {version}, {pointer}");
        }
    }
}

/// Whether a bundle verifies as what it is: over a statement or over an artifact.
fn verifies(root: &TrustedRoot, bundle: &Value) -> bool {
    let json = bundle.to_string();
    match bundle.get("messageSignature") {
        Some(_) => verify_artifact(json.as_bytes(), Content::Bytes(ARTIFACT), &identity(), root).is_ok(),
        None => verify_statement(json.as_bytes(), &identity(), root).is_ok(),
    }
}

/// What certificates and timestamps are made of is changed byte by byte: nothing verifies, but for a copy of the
/// authority's certificate within a timestamp, and nothing panics.
#[test]
fn no_change_of_a_byte_verifies() {
    let local = Local::good();
    let bundle = local.bundle(1);
    let material = "/verificationMaterial";
    let places = [
        (format!("{material}/certificate/rawBytes"), false),
        (format!("{material}/timestampVerificationData/rfc3161Timestamps/0/signedTimestamp"), true),
        (format!("{LOG_ENTRY}/canonicalizedBody"), false),
        ("/dsseEnvelope/payload".to_owned(), false),
    ];
    for (pointer, has_copy) in places {
        let good = bytes(bundle.pointer(&pointer).unwrap()).unwrap();
        let mut changed = bundle.clone();
        let survivors = (0..good.len()).filter(|at| {
            let mut bad = good.clone();
            bad[*at] ^= 1;
            *changed.pointer_mut(&pointer).unwrap() = base64::engine::general_purpose::STANDARD.encode(&bad).into();
            verifies(&local.root, &changed)
        });
        let survivors = survivors.count();
        assert!(if has_copy { survivors < good.len() / 2 } else { survivors == 0 }, "{survivors} bytes of {pointer}");
    }
}

/// The changes of a leaf with which the bundle verifies.
fn survivors(local: &Local, bundle: &Value, pointer: &str) -> BTreeSet<&'static str> {
    let survives = |change: Value| {
        let mut changed = bundle.clone();
        *changed.pointer_mut(pointer).unwrap() = change;
        verifies(&local.root, &changed)
    };
    let changes = changes(bundle.pointer(pointer).unwrap()).into_iter();
    changes.filter_map(|(name, change)| survives(change).then_some(name)).collect()
}

/// Where the texts and numbers of a value are.
fn leaves(value: &Value) -> Vec<String> {
    let below = |name: String, value: &Value| leaves(value).into_iter().map(move |rest| format!("/{name}{rest}"));
    match value {
        Value::Object(entries) => entries.iter().flat_map(|(name, value)| below(name.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().flat_map(|(at, value)| below(at.to_string(), value)).collect(),
        _ => vec![String::new()],
    }
}

/// Other values for a leaf, with names. Base64 without its padding is the same value.
fn changes(leaf: &Value) -> Vec<(&'static str, Value)> {
    let mut changes = vec![
        ("empty", json!("")),
        ("another text", json!("AAAA")),
        ("one", json!("1")),
        ("zero", json!(0)),
        ("list", json!([])),
        ("object", json!({})),
        ("true", json!(true)),
        ("null", Value::Null),
    ];
    if let Some(text) = leaf.as_str().filter(|text| !text.is_empty()) {
        let names = ["first letter", "middle letter", "last letter"];
        changes.extend(names.into_iter().enumerate().map(|(part, name)| (name, json!(with_other_letter(text, part)))));
        let shorter: String = text.chars().take(text.chars().count() - 1).collect();
        changes.extend([("longer", json!(format!("{text}A"))), ("space before", json!(format!(" {text}")))]);
        changes.extend([("line after", json!(format!("{text}\n"))), ("shorter", json!(shorter))]);
    }
    changes.retain(|(_, change)| change != leaf && (bytes(change).is_none() || bytes(change) != bytes(leaf)));
    changes
}

/// What a text is in Base64, with or without padding.
fn bytes(value: &Value) -> Option<Vec<u8>> {
    let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&STANDARD, lenient).decode(value.as_str()?).ok()
}

/// A text with one letter of its first, second or last third replaced. Padding is no letter.
fn with_other_letter(text: &str, part: usize) -> String {
    let letters = text.trim_end_matches('=').chars().count();
    let at = (letters - 1) * part / 2;
    let other = |(index, letter): (usize, char)| match (index == at, letter) {
        (false, _) => letter,
        (true, 'A') => 'Q',
        (true, '\n') => '\t',
        (true, _) => 'A',
    };
    text.chars().enumerate().map(other).collect()
}
