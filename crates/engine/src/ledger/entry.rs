//! What a ledger keeps: an envelope or a bundle, as one line of JSON, named by the digest of that line.

use serde::Deserialize;
use serde::de::IgnoredAny;
use sha2::{Digest as _, Sha256};
use waag_evidence::statement::PAYLOAD_TYPE;
use waag_evidence::{Sha256Digest, strict};
use waag_signing::bundle::{Bundle, MAX_BYTES, Material};
use waag_signing::certificate::Certificate;
use waag_signing::encoding::{of_base64, to_base64};
use waag_signing::envelope::Envelope;

use crate::lineage::extract::NotRead;

/// One line, and its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What is kept.
    pub bytes: Vec<u8>,
    /// Its name.
    pub digest: Sha256Digest,
}

/// What is in an entry. Nothing is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// How it is kept.
    pub form: Form,
    /// The statement.
    pub payload: Vec<u8>,
    /// How many signatures there are over it.
    pub signatures: usize,
    /// Who signed, as nobody has checked.
    pub claimed_signer: Option<String>,
}

/// How a statement is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// A Sigstore bundle.
    Bundle,
    /// A DSSE envelope.
    Envelope,
}

/// What tells the kinds of documents apart.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    media_type: Option<IgnoredAny>,
    verification_material: Option<IgnoredAny>,
    message_signature: Option<IgnoredAny>,
    payload: Option<IgnoredAny>,
    payload_type: Option<IgnoredAny>,
    #[serde(rename = "_type")]
    statement_type: Option<IgnoredAny>,
}

impl Entry {
    /// Reads a document that somebody gives: a bundle, an envelope, or a bare statement, which is put in an envelope without
    /// signatures. Space between the tokens of JSON is dropped: no signature is over it.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn of_document(json: &[u8]) -> Result<Self, NotRead> {
        if json.len() as u64 > MAX_BYTES {
            return Err(NotRead(format!("is longer than {MAX_BYTES} bytes")));
        }
        let head: Head = strict::from_slice(json).map_err(|error| NotRead(format!("is no JSON object: {error}")))?;
        let bytes = match head {
            Head { message_signature: Some(_), .. } => {
                return Err(NotRead("signs a file, not a statement".to_owned()));
            }
            Head { media_type: Some(_), verification_material: Some(_), .. }
            | Head { payload: Some(_), payload_type: Some(_), .. } => compact(json),
            Head { statement_type: Some(_), .. } => wrap(json)?,
            _ => return Err(NotRead("is no bundle, no envelope and no statement".to_owned())),
        };
        let entry = Self { digest: digest_of(&bytes), bytes };
        open(&entry.bytes)?;
        Ok(entry)
    }
}

/// The digest that names an entry.
#[must_use]
pub fn digest_of(bytes: &[u8]) -> Sha256Digest {
    Sha256Digest::new(Sha256::digest(bytes).into())
}

/// JSON without the space between its tokens. Every token stays as it is written.
fn compact(json: &[u8]) -> Vec<u8> {
    let (mut compacted, mut in_text, mut escaped) = (Vec::with_capacity(json.len()), false, false);
    for &byte in json {
        if in_text {
            (in_text, escaped) = (escaped || byte != b'"', !escaped && byte == b'\\');
        } else if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            continue;
        } else {
            in_text = byte == b'"';
        }
        compacted.push(byte);
    }
    compacted
}

/// A bare statement in an envelope that nobody signed.
fn wrap(statement: &[u8]) -> Result<Vec<u8>, NotRead> {
    let envelope =
        Envelope { payload: to_base64(statement), payload_type: PAYLOAD_TYPE.to_owned(), signatures: Vec::new() };
    serde_json::to_vec(&envelope).map_err(|error| NotRead(error.to_string()))
}

/// Opens what is kept.
///
/// # Errors
/// When it is no envelope of a statement.
pub fn open(bytes: &[u8]) -> Result<Opened, NotRead> {
    let bundle = Bundle::parse(bytes);
    let (form, claimed_signer, envelope) = match bundle {
        Ok(bundle) => (Form::Bundle, claimed_signer(&bundle), bundle.dsse_envelope),
        Err(why) => {
            let envelope: Result<Envelope, _> = strict::from_slice(bytes);
            let envelope = envelope.map_err(|_| NotRead(format!("cannot be read: {why}")))?;
            (Form::Envelope, key_hint(&envelope), envelope)
        }
    };
    if envelope.payload_type != PAYLOAD_TYPE {
        let shown = shortened(&envelope.payload_type);
        return Err(NotRead(format!("holds '{shown}', which is no statement of in-toto")));
    }
    let payload =
        of_base64(&envelope.payload).ok_or_else(|| NotRead("has a payload that is not in Base64".to_owned()))?;
    Ok(Opened { form, payload, signatures: envelope.signatures.len(), claimed_signer })
}

fn key_hint(envelope: &Envelope) -> Option<String> {
    let hints = envelope.signatures.iter().filter_map(|signature| signature.keyid.as_deref());
    hints.into_iter().find(|hint| !hint.is_empty()).map(|hint| format!("key {}", shortened(hint)))
}

fn claimed_signer(bundle: &Bundle) -> Option<String> {
    match bundle.material().ok()? {
        Material::Key(key) => key.hint.as_deref().map(|hint| format!("key {}", shortened(hint))),
        Material::Certificate(chain) => named_in(chain.first()?),
        Material::Keyless => {
            let certificate = bundle.verification_material.certificate.as_ref()?;
            named_in(&of_base64(&certificate.raw_bytes)?)
        }
    }
}

fn named_in(der: &[u8]) -> Option<String> {
    let certificate = Certificate::from_der(der).ok()?;
    let names = certificate.names().unwrap_or_default();
    Some(names.first().map_or_else(|| shortened(&certificate.subject()), |name| shortened(name)))
}

fn shortened(text: &str) -> String {
    text.chars().take(128).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATEMENT: &str = r#"{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"https://example.org/x","predicate":{}}"#;

    #[test]
    fn a_bare_statement_is_kept_as_unsigned() {
        let entry = Entry::of_document(STATEMENT.as_bytes()).unwrap();
        let opened = open(&entry.bytes).unwrap();
        assert_eq!((opened.payload.as_slice(), opened.signatures), (STATEMENT.as_bytes(), 0));
        assert_eq!(Entry::of_document(&entry.bytes).unwrap(), entry);
    }

    #[test]
    fn space_makes_no_other_entry() {
        let entry = Entry::of_document(STATEMENT.as_bytes()).unwrap();
        let spaced = String::from_utf8(entry.bytes.clone()).unwrap().replace(":", " :\n ").replace("{", "{ ");
        assert_eq!(Entry::of_document(spaced.as_bytes()).unwrap(), entry);
        assert_eq!(compact(br#"{ "a \" b" : [ 1 , "\\" ] }"#), br#"{"a \" b":[1,"\\"]}"#);
    }

    #[test]
    fn what_is_nothing_of_it_is_told() {
        for (text, why) in [
            ("", "no JSON object"),
            ("[]", "no JSON object"),
            ("{}", "no bundle, no envelope"),
            (r#"{"mediaType":"x","verificationMaterial":{},"messageSignature":{}}"#, "signs a file"),
            (r#"{"payload":"AAE=","payloadType":"t","signatures":[]}"#, "'t'"),
            (r#"{"payload":"?","payloadType":"application/vnd.in-toto+json","signatures":[]}"#, "Base64"),
        ] {
            let error = Entry::of_document(text.as_bytes()).unwrap_err();
            assert!(error.0.contains(why), "{text}: {error}");
        }
    }
}
