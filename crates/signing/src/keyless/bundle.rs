//! A bundle's JSON, read for verification.

use serde_json::Value;
use sigstore_types::Bundle;

use super::code::{Code, KeylessError};
use super::json;

/// Bytes of a bundle that are read: statements about models list every file, in Base64.
const MAX_BYTES: usize = 256 << 20;

/// Reads a bundle. Early signers wrote `null` where there is no key id; that is read as if it were not there, since
/// neither the signature nor the log covers it.
pub(super) fn read(bytes: &[u8]) -> Result<Bundle, KeylessError> {
    if bytes.len() > MAX_BYTES {
        return Err(malformed(format_args!("it is longer than {MAX_BYTES} bytes")));
    }
    let mut value = json::parse(bytes).map_err(malformed)?;
    remove_empty_key_ids(&mut value);
    Bundle::from_json(&value.to_string()).map_err(malformed)
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
