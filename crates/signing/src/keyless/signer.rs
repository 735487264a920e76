//! Who signed, and when.

use std::fmt;

use jiff::Timestamp;
use sigstore_types::{Bundle, KindVersion};
use sigstore_verify::VerificationResult;

/// Who vouches for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimeSource {
    /// The transparency log, by its signed promise (Rekor v1).
    TransparencyLog,
    /// A timestamp authority (RFC 3161).
    TimestampAuthority,
}

impl TimeSource {
    /// The source in words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TransparencyLog => "transparency log",
            Self::TimestampAuthority => "timestamp authority",
        }
    }
}

impl fmt::Display for TimeSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// A time at which the signature existed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SigningTime {
    /// The time, to the second.
    pub at: Timestamp,
    /// Who vouches for it.
    pub source: TimeSource,
}

/// Who signed. Everything here was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The certificate's subject alternative name: an address of mail or of a workflow. None with a public key.
    pub identity: Option<String>,
    /// Who confirmed the identity. None with a public key.
    pub issuer: Option<String>,
    /// When the signature existed, earliest first: certificates were valid at each. Empty only with a public key.
    pub times: Vec<SigningTime>,
    /// Where the transparency log has it.
    pub log_index: Option<u64>,
}

impl Signer {
    /// The earliest time at which the signature is proven to have existed.
    #[must_use]
    pub fn time(&self) -> Option<SigningTime> {
        self.times.first().copied()
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

/// Every verified time with its source. What the log did not promise, a timestamp authority vouches for.
fn times(bundle: &Bundle, result: &VerificationResult) -> Vec<SigningTime> {
    let mut promised = promised_times(bundle);
    let mut times: Vec<SigningTime> = Vec::new();
    for &at in result.verified_timestamps() {
        let source = match promised.iter().position(|time| *time == at) {
            Some(index) => {
                promised.swap_remove(index);
                TimeSource::TransparencyLog
            }
            None => TimeSource::TimestampAuthority,
        };
        times.push(SigningTime { at, source });
    }
    times.sort_unstable();
    times
}

/// Times that a log's promise covers. Rekor v2 promises none.
fn promised_times(bundle: &Bundle) -> Vec<Timestamp> {
    let entries = bundle.verification_material.tlog_entries.iter();
    let promised = entries.filter(|entry| {
        entry.inclusion_promise.is_some() && entry.kind_version != KindVersion::HashedRekordV002
    });
    promised.filter_map(|entry| entry.integrated_time).collect()
}
