//! DSSE envelopes: a payload, its type, and signatures over both.
//!
//! <https://github.com/secure-systems-lab/dsse>

use serde::{Deserialize, Serialize};

use crate::encoding::{of_base64, to_base64};
use crate::error::SigningError;
use waag_evidence::statement::PAYLOAD_TYPE;
use waag_evidence::strict;

/// A payload and the signatures over it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Envelope {
    /// The bytes that are signed, in Base64.
    pub payload: String,
    /// What they are.
    pub payload_type: String,
    /// Signatures over both.
    #[serde(deserialize_with = "strict::objects")]
    pub signatures: Vec<EnvelopeSignature>,
}

/// One signature over an envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvelopeSignature {
    /// Its bytes, in Base64.
    pub sig: String,
    /// A hint to the key. It is not signed, may be absent, empty or null, and nothing follows from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyid: Option<String>,
}

impl Envelope {
    /// An envelope with one signature, which was made over [`pae`].
    #[must_use]
    pub fn new(payload_type: &str, payload: &[u8], signature: &[u8]) -> Self {
        Self {
            payload: to_base64(payload),
            payload_type: payload_type.to_owned(),
            signatures: vec![EnvelopeSignature { sig: to_base64(signature), keyid: Some(String::new()) }],
        }
    }

    /// An envelope around a statement that nobody signed. It says so to every reader, and never verifies.
    #[must_use]
    pub fn unsigned(statement: &[u8]) -> Self {
        Self { payload: to_base64(statement), payload_type: PAYLOAD_TYPE.to_owned(), signatures: Vec::new() }
    }

    /// Whether anybody signed it, well or badly.
    #[must_use]
    pub const fn is_signed(&self) -> bool {
        !self.signatures.is_empty()
    }

    /// The envelope as one line of JSON.
    ///
    /// # Errors
    /// Never for an envelope that was parsed or made here.
    pub fn to_json(&self) -> Result<Vec<u8>, SigningError> {
        let mut json = serde_json::to_vec(self).map_err(SigningError::malformed_bundle)?;
        json.push(b'\n');
        Ok(json)
    }

    /// The statement in it. Nothing is verified.
    ///
    /// # Errors
    /// When it holds something else.
    pub fn statement_bytes(&self) -> Result<Vec<u8>, SigningError> {
        if self.payload_type != PAYLOAD_TYPE {
            return Err(SigningError::PayloadType(self.payload_type.clone()));
        }
        self.payload_bytes()
    }

    /// The bytes that are signed.
    ///
    /// # Errors
    /// When they are not in Base64.
    pub fn payload_bytes(&self) -> Result<Vec<u8>, SigningError> {
        of_base64(&self.payload).ok_or_else(|| SigningError::malformed_bundle("the payload is not in Base64"))
    }

    /// The bytes of the only signature. A second one would be taken for checked.
    ///
    /// # Errors
    /// When there is none or more than one, or when it is not in Base64.
    pub fn only_signature(&self) -> Result<Vec<u8>, SigningError> {
        match self.signatures.as_slice() {
            [] => Err(SigningError::MissingSignature),
            [only] => {
                of_base64(&only.sig).ok_or_else(|| SigningError::malformed_bundle("the signature is not in Base64"))
            }
            more => Err(SigningError::ExtraSignature(more.len())),
        }
    }
}

/// The bytes that a signature is made over: pre-authentication encoding, DSSE v1.
#[must_use]
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

/// The same as version 0.2 of the reference signer made it: with a capital V, and with the payload as Python shows bytes.
#[must_use]
pub fn early_pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let shown = python_bytes(payload);
    format!("DSSEV1 {} {payload_type} {} {shown}", payload_type.len(), payload.len()).into_bytes()
}

/// Bytes as Python's `repr` shows them: in single quotes, or in double ones when only single ones occur within.
fn python_bytes(bytes: &[u8]) -> String {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { '"' } else { '\'' };
    let mut shown = format!("b{quote}");
    for &byte in bytes {
        match byte {
            b'\\' => shown.push_str("\\\\"),
            b'\n' => shown.push_str("\\n"),
            b'\r' => shown.push_str("\\r"),
            b'\t' => shown.push_str("\\t"),
            _ if char::from(byte) == quote => shown.extend(['\\', quote]),
            b' '..=b'~' => shown.push(char::from(byte)),
            _ => shown.push_str(&format!("\\x{byte:02x}")),
        }
    }
    shown.push(quote);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification_is_encoded() {
        let encoded = pae("http://example.com/HelloWorld", b"hello world");
        assert_eq!(encoded, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
        assert_eq!(pae("", b""), b"DSSEv1 0  0 ");
    }

    #[test]
    fn bytes_are_shown_as_python_does() {
        for (bytes, shown) in [
            (&b"a\n\\\x00\xff~"[..], r"b'a\n\\\x00\xff~'"),
            (b"it's", "b\"it's\""),
            (b"\"it's\"", "b'\"it\\'s\"'"),
            (b"\t\r\x7f", r"b'\t\r\x7f'"),
        ] {
            assert_eq!(python_bytes(bytes), shown);
        }
    }

    #[test]
    fn one_signature_and_no_other() {
        let mut envelope = Envelope::new("type", b"payload", b"signature");
        assert_eq!(envelope.only_signature().ok(), Some(b"signature".to_vec()));
        assert_eq!(envelope.payload_bytes().ok(), Some(b"payload".to_vec()));
        envelope.signatures.push(envelope.signatures[0].clone());
        assert_eq!(envelope.only_signature().map_err(|error| error.code()), Err("extra-signature"));
        assert!(envelope.is_signed());
        envelope.signatures.clear();
        assert_eq!(envelope.only_signature().map_err(|error| error.code()), Err("missing-signature"));
    }
}
