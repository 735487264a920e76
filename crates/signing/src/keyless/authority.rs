//! Who is believed by a trusted root, for people to look through.

use std::fmt;

use jiff::Timestamp;
use sigstore_trust_root::trusted_root::CertificateSubject;
use sigstore_types::TimeRange;

/// What an authority vouches for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Whose key it was.
    CertificateAuthority,
    /// That a certificate was published.
    CertificateLog,
    /// That a signature was published, and when.
    TransparencyLog,
    /// When a signature existed.
    TimestampAuthority,
}

impl Role {
    /// The role in words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CertificateAuthority => "certificate authority",
            Self::CertificateLog => "certificate log",
            Self::TransparencyLog => "transparency log",
            Self::TimestampAuthority => "timestamp authority",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// An authority of a trusted root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// What it vouches for.
    pub role: Role,
    /// Its address, or the subject of its certificate.
    pub name: String,
    /// Since when it is believed, if the root says.
    pub start: Option<Timestamp>,
    /// Until when, if the root says.
    pub end: Option<Timestamp>,
}

impl Authority {
    pub(super) fn new(role: Role, name: String, window: Option<TimeRange>) -> Self {
        Self { role, name, start: window.map(|window| window.start), end: window.and_then(|window| window.end) }
    }

    /// An authority with a certificate is named by its address, or else by its subject.
    pub(super) fn certified(role: Role, uri: &str, subject: &CertificateSubject, window: Option<TimeRange>) -> Self {
        let parts = [subject.common_name.as_deref(), subject.organization.as_deref()];
        let subject = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
        Self::new(role, if uri.is_empty() { subject } else { uri.to_owned() }, window)
    }
}
