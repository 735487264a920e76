//! What is kept of a statement in a file: a Sigstore bundle, or a DSSE envelope alone, signed by a key or by nobody.
//!
//! Which of them a file is follows from its fields alone. Nothing in it says whether it is to be trusted: that is for
//! [`crate::verify::verify_statement`].

use serde::Deserialize;
use serde::de::IgnoredAny;
use waag_evidence::strict;

use crate::bundle::{Bundle, MAX_BYTES};
use crate::envelope::Envelope;
use crate::error::SigningError;

/// A statement with what was put around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sealed {
    /// In a bundle, which says how it is signed.
    Bundle(Box<Bundle>),
    /// In an envelope alone.
    Envelope(Envelope),
}

/// The field that only bundles have, and the one that only envelopes have.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outline {
    #[serde(default)]
    media_type: Option<IgnoredAny>,
    #[serde(default)]
    payload_type: Option<IgnoredAny>,
}

impl Sealed {
    /// Reads a bundle or an envelope. Nothing is verified.
    ///
    /// # Errors
    /// When it is neither, or is not clear which.
    pub fn parse(json: &[u8]) -> Result<Self, SigningError> {
        if json.len() as u64 > MAX_BYTES {
            return Err(SigningError::malformed_bundle(format_args!("it is longer than {MAX_BYTES} bytes")));
        }
        let outline: Outline = strict::from_slice(json).map_err(SigningError::malformed_bundle)?;
        match (outline.media_type, outline.payload_type) {
            (Some(_), None) => Bundle::parse(json).map(|bundle| Self::Bundle(Box::new(bundle))),
            (None, Some(_)) => strict::from_slice(json).map(Self::Envelope).map_err(SigningError::malformed_bundle),
            _ => Err(SigningError::malformed_bundle("it is neither a Sigstore bundle nor a DSSE envelope")),
        }
    }

    /// The envelope.
    #[must_use]
    pub const fn envelope(&self) -> &Envelope {
        match self {
            Self::Bundle(bundle) => &bundle.dsse_envelope,
            Self::Envelope(envelope) => envelope,
        }
    }

    /// The statement in it, which may be anybody's word. Nothing is verified.
    ///
    /// # Errors
    /// When it holds something else than a statement.
    pub fn statement_bytes(&self) -> Result<Vec<u8>, SigningError> {
        self.envelope().statement_bytes()
    }

    /// Whether anybody signed it, well or badly.
    #[must_use]
    pub const fn is_signed(&self) -> bool {
        self.envelope().is_signed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::VerificationMaterial;

    #[test]
    fn each_is_told_by_its_fields() {
        let envelope = Envelope::unsigned(b"{}");
        let json = envelope.to_json().unwrap();
        assert_eq!(
            json,
            b"{\"payload\":\"e30=\",\"payloadType\":\"application/vnd.in-toto+json\",\"signatures\":[]}\n"
        );
        let sealed = Sealed::parse(&json).unwrap();
        assert!(!sealed.is_signed());
        assert_eq!(sealed.statement_bytes().unwrap(), b"{}");
        assert_eq!(sealed, Sealed::Envelope(envelope.clone()));
        let bundle = Bundle::new(VerificationMaterial::default(), envelope);
        assert_eq!(Sealed::parse(&bundle.to_json().unwrap()).unwrap(), Sealed::Bundle(Box::new(bundle)));
    }

    #[test]
    fn what_is_neither_or_both_is_refused() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"payload":"e30="}"#,
            r#"{"payload":"e30=","payloadType":"t","signatures":[],"mediaType":"m"}"#,
            r#"{"payload":"e30=","payloadType":"t","payloadType":"u","signatures":[]}"#,
            r#"{"payload":"e30=","payloadType":"t","signatures":[],"more":1}"#,
        ] {
            assert_eq!(Sealed::parse(text.as_bytes()).map_err(|error| error.code()).err(), Some("malformed-bundle"));
        }
    }
}
