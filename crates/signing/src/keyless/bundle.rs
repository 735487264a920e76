//! A bundle's JSON, read for verification.

use serde_json::Value;
use sigstore_types::Bundle;
use sigstore_types::bundle::{VerificationMaterial, VerificationMaterialContent};

use super::code::{Code, KeylessError};
use waag_evidence::unique;

/// Bytes of a bundle that are read: statements about models list every file, in Base64.
const MAX_BYTES: usize = 256 << 20;

/// Certificates, log entries or timestamps of a bundle that are looked at. Signers write one or two; each costs time.
const MAX_WITNESSES: usize = 32;
/// Hashes of an inclusion proof: no log has more entries than 64 bits can count.
const MAX_HASHES: usize = 64;

/// Reads a bundle. Early signers wrote `null` where there is no key id; that is read as if it were not there, since
/// neither the signature nor the log covers it.
pub(super) fn read(bytes: &[u8]) -> Result<Bundle, KeylessError> {
    if bytes.len() > MAX_BYTES {
        return Err(malformed(format_args!("it is longer than {MAX_BYTES} bytes")));
    }
    let mut value = unique::parse(bytes).map_err(malformed)?;
    remove_empty_key_ids(&mut value);
    let bundle = Bundle::from_json(&value.to_string()).map_err(malformed)?;
    check_counts(&bundle.verification_material)?;
    Ok(bundle)
}

fn check_counts(material: &VerificationMaterial) -> Result<(), KeylessError> {
    let entries = &material.tlog_entries;
    let proofs = entries.iter().filter_map(|entry| entry.inclusion_proof.as_ref());
    let certificates = match &material.content {
        VerificationMaterialContent::X509CertificateChain { certificates } => certificates.len(),
        _ => 1,
    };
    let counts = [
        ("certificates", certificates, MAX_WITNESSES),
        ("log entries", entries.len(), MAX_WITNESSES),
        ("timestamps", material.timestamp_verification_data.rfc3161_timestamps.len(), MAX_WITNESSES),
        ("hashes in a proof", proofs.map(|proof| proof.hashes.len()).max().unwrap_or(0), MAX_HASHES),
    ];
    match counts.into_iter().find(|(_, count, most)| count > most) {
        Some((what, count, most)) => Err(malformed(format_args!("it has {count} {what}: {most} are looked at"))),
        None => Ok(()),
    }
}

fn malformed(why: impl std::fmt::Display) -> KeylessError {
    KeylessError::new(Code::MalformedBundle, format_args!("the bundle cannot be read: {why}"))
}

fn remove_empty_key_ids(bundle: &mut Value) {
    let signatures = bundle.pointer_mut("/dsseEnvelope/signatures").and_then(Value::as_array_mut);
    for signature in signatures.into_iter().flatten() {
        if let Some(fields) = signature.as_object_mut()
            && fields.get("keyid").is_some_and(Value::is_null)
        {
            fields.remove("keyid");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_bundle_is_refused() {
        for text in ["", "[]", "{}", "{\"mediaType\": 1}", "\u{feff}{}", "nul"] {
            assert_eq!(read(text.as_bytes()).unwrap_err().code(), Code::MalformedBundle, "{text}");
        }
    }

    #[test]
    fn only_a_null_key_id_is_left_out() {
        let mut value =
            serde_json::json!({"dsseEnvelope": {"signatures": [{"keyid": null}, {"keyid": ""}, {"sig": null}]}});
        remove_empty_key_ids(&mut value);
        assert_eq!(value, serde_json::json!({"dsseEnvelope": {"signatures": [{}, {"keyid": ""}, {"sig": null}]}}));
    }
}
