//! Timestamps (RFC 3161): what a timestamp authority answers.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::certificate::algorithm;
use super::der::{Der, Item, explicit, generalized_time, implicit, integer, items, octets, oid, sequence, set, value};
use super::key::Key;

const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
const TIMESTAMP_INFO: &str = "1.2.840.113549.1.9.16.1.4";
const CONTENT_TYPE: &str = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";
const SIGNING_CERTIFICATE: &str = "1.2.840.113549.1.9.16.2.47";
const SHA256: &str = "2.16.840.1.101.3.4.2.1";
/// A policy that means nothing.
const POLICY: &str = "1.3.6.1.4.1.57264.2";

/// Who gives the time.
#[derive(Debug, Clone)]
pub(super) struct Stamper {
    pub(super) key: Key,
    pub(super) certificate: Der,
}

impl Stamper {
    /// The answer to a request, or None when the request is none.
    pub(super) fn answer(&self, request: &[u8], serial: u64, time: Timestamp) -> Option<Der> {
        let outer = items(request)?;
        let request = items(outer.first()?.content)?;
        let imprint = request.get(1)?;
        let nonce = request.iter().skip(2).find(|item| item.tag == 0x02);
        let info = info(imprint, nonce, serial, time);
        let granted = sequence(&[integer(&[0])]);
        Some(sequence(&[granted, self.token(&info)?]))
    }

    fn token(&self, info: &Der) -> Option<Der> {
        let digest = sequence(&[oid(SHA256)]);
        let content = sequence(&[oid(TIMESTAMP_INFO), explicit(0, &octets(info))]);
        let signed = sequence(&[
            integer(&[3]),
            set(std::slice::from_ref(&digest)),
            content,
            value(0xa0, &self.certificate),
            set(&[self.signature(info)?]),
        ]);
        Some(sequence(&[oid(SIGNED_DATA), explicit(0, &signed)]))
    }

    fn signature(&self, info: &Der) -> Option<Der> {
        let digest = sequence(&[oid(SHA256)]);
        let attributes = set(&self.attributes(info));
        // What is signed is the set; what is written has a context tag in its place.
        let signature = self.key.sign(&attributes);
        Some(sequence(&[
            integer(&[1]),
            self.issuer_and_serial()?,
            digest,
            implicit(0, &attributes),
            algorithm(),
            octets(&signature),
        ]))
    }

    /// Attributes that are signed, in the order of their encodings.
    fn attributes(&self, info: &Der) -> Vec<Der> {
        let attribute = |kind: &str, content: Der| sequence(&[oid(kind), set(&[content])]);
        let certificate = sequence(&[sequence(&[sequence(&[octets(&Sha256::digest(&self.certificate))])])]);
        let mut attributes = vec![
            attribute(CONTENT_TYPE, oid(TIMESTAMP_INFO)),
            attribute(MESSAGE_DIGEST, octets(&Sha256::digest(info))),
            attribute(SIGNING_CERTIFICATE, certificate),
        ];
        attributes.sort();
        attributes
    }

    fn issuer_and_serial(&self) -> Option<Der> {
        let certificate = items(&self.certificate)?;
        let body = items(items(certificate.first()?.content)?.first()?.content)?;
        Some(sequence(&[body.get(3)?.whole.to_vec(), body.get(1)?.whole.to_vec()]))
    }
}

fn info(imprint: &Item<'_>, nonce: Option<&Item<'_>>, serial: u64, time: Timestamp) -> Der {
    let mut parts = vec![
        integer(&[1]),
        oid(POLICY),
        imprint.whole.to_vec(),
        integer(&serial.to_be_bytes()),
        generalized_time(time),
    ];
    parts.extend(nonce.map(|nonce| nonce.whole.to_vec()));
    sequence(&parts)
}
