//! Certificates: authorities, signers and who gives the time, as Fulcio and Sigstore's timestamp authority issue them.

use jiff::Timestamp;

use super::der::{
    Der, bits, explicit, generalized_time, implicit, integer, octets, oid, sequence, set, text, utc_time, value, yes,
};
use super::key::Key;

/// ecdsa-with-SHA256.
const ALGORITHM: &str = "1.2.840.10045.4.3.2";
const ORGANIZATION: &str = "waag stand-in";

pub(super) const CODE_SIGNING: &str = "1.3.6.1.5.5.7.3.3";
pub(super) const TIME_STAMPING: &str = "1.3.6.1.5.5.7.3.8";

/// From and to when a certificate is valid.
#[derive(Debug, Clone, Copy)]
pub(super) struct Validity(pub(super) Timestamp, pub(super) Timestamp);

/// Somebody who issues certificates.
#[derive(Debug, Clone)]
pub(super) struct Issuer {
    pub(super) key: Key,
    pub(super) name: &'static str,
}

/// What a certificate is to say.
pub(super) struct Wish<'a> {
    pub(super) serial: u64,
    /// Empty for signers.
    pub(super) subject: &'a str,
    pub(super) public_key: &'a [u8],
    pub(super) validity: Validity,
    pub(super) extensions: Vec<Der>,
}

impl Issuer {
    /// What is signed of a certificate.
    pub(super) fn body(&self, wish: &Wish<'_>) -> Der {
        let Validity(start, end) = wish.validity;
        sequence(&[
            explicit(0, &integer(&[2])),
            integer(&wish.serial.to_be_bytes()),
            algorithm(),
            name(self.name),
            sequence(&[utc_time(start), generalized_or_utc(end)]),
            name(wish.subject),
            wish.public_key.to_vec(),
            explicit(3, &sequence(&wish.extensions)),
        ])
    }

    pub(super) fn issue(&self, wish: &Wish<'_>) -> Der {
        let body = self.body(wish);
        let signature = self.key.sign(&body);
        sequence(&[body, algorithm(), bits(&signature)])
    }

    /// A certificate for another authority, or for itself.
    pub(super) fn authorize(&self, serial: u64, other: &Self, validity: Validity) -> Der {
        let public_key = other.key.public();
        let constraints = extension("2.5.29.19", true, &sequence(&[yes()]));
        let usage = extension("2.5.29.15", true, &value(0x03, &[1, 0x06]));
        let extensions = vec![constraints, usage, subject_key(&other.key.id()), authority_key(&self.key.id())];
        self.issue(&Wish { serial, subject: other.name, public_key: &public_key, validity, extensions })
    }
}

/// Dates from 2050 on need the longer form.
fn generalized_or_utc(time: Timestamp) -> Der {
    if time.strftime("%Y").to_string().as_str() < "2050" { utc_time(time) } else { generalized_time(time) }
}

pub(super) fn algorithm() -> Der {
    sequence(&[oid(ALGORITHM)])
}

/// A name of an organization and a common name; none for an empty text.
pub(super) fn name(common: &str) -> Der {
    if common.is_empty() {
        return sequence(&[]);
    }
    let part = |kind: &str, content: &str| set(&[sequence(&[oid(kind), text(content)])]);
    sequence(&[part("2.5.4.10", ORGANIZATION), part("2.5.4.3", common)])
}

/// An extension.
pub(super) fn extension(kind: &str, critical: bool, content: &Der) -> Der {
    let mut items = vec![oid(kind)];
    items.extend(critical.then(yes));
    items.push(octets(content));
    sequence(&items)
}

/// May sign, and for what.
pub(super) fn usages(purpose: &str, critical: bool) -> [Der; 2] {
    let signature = extension("2.5.29.15", true, &value(0x03, &[7, 0x80]));
    [signature, extension("2.5.29.37", critical, &sequence(&[oid(purpose)]))]
}

pub(super) fn subject_key(id: &[u8; 32]) -> Der {
    extension("2.5.29.14", false, &octets(&id[..20]))
}

pub(super) fn authority_key(id: &[u8; 32]) -> Der {
    extension("2.5.29.35", false, &sequence(&[implicit(0, &octets(&id[..20]))]))
}

/// Who the signer is: an address of mail, or else a URI.
pub(super) fn alternative_name(identity: &str) -> Der {
    let tag = if identity.contains("://") { 0x86 } else { 0x81 };
    extension("2.5.29.17", true, &sequence(&[value(tag, identity.as_bytes())]))
}

/// Who confirmed the identity, in both forms that Fulcio writes.
pub(super) fn issuer(address: &str) -> [Der; 2] {
    let old = extension("1.3.6.1.4.1.57264.1.1", false, &address.as_bytes().to_vec());
    [old, extension("1.3.6.1.4.1.57264.1.8", false, &text(address))]
}

/// That a certificate log has the certificate (RFC 6962): a list of one signed certificate timestamp over the body that
/// the certificate has without it.
pub(super) fn certificate_timestamp(log: &Key, issuer: &Key, body: &[u8], time: Timestamp) -> Der {
    let milliseconds = u64::try_from(time.as_millisecond()).expect("the clock is right").to_be_bytes();
    let length = u32::try_from(body.len()).expect("a certificate is short").to_be_bytes();
    let no_extensions = [0, 0];
    let signed = [&[0, 0], &milliseconds[..], &[0, 1], &issuer.id(), &length[1..], body, &no_extensions].concat();
    let signature = log.sign(&signed);
    let sha256_with_ecdsa = [4, 3];
    let stamp = [&[0], &log.id()[..], &milliseconds, &no_extensions, &sha256_with_ecdsa, &sized(&signature)].concat();
    extension("1.3.6.1.4.1.11129.2.4.2", false, &octets(&sized(&sized(&stamp))))
}

/// Bytes with their length in two bytes before them, as TLS has vectors.
fn sized(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("it is short").to_be_bytes();
    [&length[..], bytes].concat()
}
