//! Who signed, and when.

use jiff::Timestamp;
use sigstore_types::{Bundle, KindVersion};
use sigstore_verify::VerificationResult;

use crate::signer::{self, SignatureTime, SignerKind, TimeSource};

/// Who signed. Everything here was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The certificate's subject alternative name: an address of mail or of a workflow. None with a public key.
    pub identity: Option<String>,
    /// Who confirmed the identity. None with a public key.
    pub issuer: Option<String>,
    /// When the signature existed, earliest first: certificates were valid at each. Empty only with a public key.
    pub times: Vec<SignatureTime>,
    /// Where the transparency log has it.
    pub log_index: Option<u64>,
}

impl Signer {
    /// The earliest time at which the signature is proven to have existed.
    #[must_use]
    pub fn time(&self) -> Option<SignatureTime> {
        self.times.first().cloned()
    }

    pub(super) fn new(bundle: &Bundle, result: &VerificationResult) -> Self {
        Self {
            identity: result.identity().map(|identity| identity.as_str().to_owned()),
            issuer: result.issuer().map(str::to_owned),
            times: times(bundle, result),
            log_index: bundle.verification_material.tlog_entries.first().map(|entry| entry.log_index.get()),
        }
    }
}

impl From<Signer> for signer::Signer {
    fn from(signer: Signer) -> Self {
        let time = signer.time();
        let name = signer.identity.unwrap_or_default();
        Self { kind: SignerKind::Keyless, name, issuer: signer.issuer, key: None, time }
    }
}

/// Every verified time with its source. What the log did not promise, a timestamp authority vouches for.
fn times(bundle: &Bundle, result: &VerificationResult) -> Vec<SignatureTime> {
    let mut promised = promised_times(bundle);
    let mut times: Vec<SignatureTime> = Vec::new();
    for &at in result.verified_timestamps() {
        let source = match promised.iter().position(|time| *time == at) {
            Some(index) => {
                promised.swap_remove(index);
                TimeSource::TransparencyLog
            }
            None => TimeSource::TimestampAuthority,
        };
        times.push(SignatureTime { at, source });
    }
    times.sort_by_key(|time| (time.at, time.source as u8));
    times
}

/// Times that a log's promise covers. Rekor v2 promises none.
fn promised_times(bundle: &Bundle) -> Vec<Timestamp> {
    let entries = bundle.verification_material.tlog_entries.iter();
    let promised = entries
        .filter(|entry| entry.inclusion_promise.is_some() && entry.kind_version != KindVersion::HashedRekordV002);
    promised.filter_map(|entry| entry.integrated_time).collect()
}
