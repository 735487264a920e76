//! Who may sign what: `[trust]` in `waag.toml`. Pure: signatures are verified elsewhere, and judged here.
//!
//! The first rule whose subject matches decides; where none matches, nobody is trusted.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::digest::Sha256Digest;
use crate::exception::matches_path;

const SECONDS_PER_DAY: i64 = 86_400;

/// Who may sign what, and what is never accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "RawTrust")]
pub struct TrustPolicy {
    /// Those who sign, by name.
    pub signers: Vec<TrustedSigner>,
    /// Which of them may sign what. The first that matches decides.
    pub rules: Vec<TrustRule>,
    /// What is refused whoever signed it.
    pub denied: Vec<Denied>,
}

/// Somebody who signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrustedSigner {
    /// What rules call them.
    pub name: String,
    /// How they are known.
    pub identity: SignerIdentity,
}

/// How a signer is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum SignerIdentity {
    /// By a key.
    Key {
        /// A file with the public key in PEM; a relative path starts at the settings file.
        file: Option<String>,
        /// SHA-256 of the public key in PEM.
        fingerprint: Option<Sha256Digest>,
    },
    /// By a certificate.
    Certificate {
        /// The name in it.
        name: String,
        /// Files with the roots that it has to lead to.
        roots: Vec<String>,
    },
    /// By a Sigstore identity.
    Keyless {
        /// The name in the certificate.
        name: String,
        /// The identity provider that vouches for it.
        issuer: String,
        /// A file with the trusted root, instead of the public instance's.
        trusted_root: Option<String>,
    },
}

/// Who may sign some subjects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrustRule {
    /// Which subjects: a path with `*` and `**`.
    pub subject: String,
    /// Names of signers.
    pub signers: Vec<String>,
    /// How many of them have to have signed.
    pub signatures: usize,
    /// Days after which a signature no longer counts. Its time has to be known then, from somebody else than the signer.
    pub max_age_days: Option<u32>,
}

/// Something that is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Denied {
    /// Of a file or of a whole model.
    pub digest: Sha256Digest,
    /// Why.
    pub reason: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawTrust {
    signer: Vec<RawSigner>,
    rule: Vec<RawRule>,
    denied: Vec<RawDenied>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawSigner {
    name: String,
    key: Option<String>,
    fingerprint: Option<Sha256Digest>,
    identity: Option<String>,
    roots: Option<Vec<String>>,
    issuer: Option<String>,
    trusted_root: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawRule {
    subject: String,
    signers: Vec<String>,
    #[serde(default = "one")]
    signatures: usize,
    max_age_days: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDenied {
    digest: Sha256Digest,
    reason: String,
}

const fn one() -> usize {
    1
}

/// Why a trust policy is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTrust {
    /// It is not clear how a signer is known.
    #[error("the signer '{0}' needs one of: key or fingerprint; identity and roots; identity and issuer")]
    Identity(String),
    /// One name, two signers.
    #[error("two signers are called '{0}'")]
    DuplicateSigner(String),
    /// A rule names somebody who is not there.
    #[error("the rule for '{subject}' names the signer '{name}', whom no [[trust.signer]] describes")]
    UnknownSigner {
        /// The rule's subject.
        subject: String,
        /// Who is missing.
        name: String,
    },
    /// A rule that nobody could fulfil, or that asks for nothing.
    #[error("the rule for '{subject}' asks for {signatures} signatures of {signers} signers")]
    Signatures {
        /// The rule's subject.
        subject: String,
        /// How many it asks for.
        signatures: usize,
        /// How many could sign.
        signers: usize,
    },
    /// A refusal nobody can justify later.
    #[error("the denied digest {0} has an empty reason")]
    NoReason(Sha256Digest),
}

impl TryFrom<RawTrust> for TrustPolicy {
    type Error = InvalidTrust;

    fn try_from(raw: RawTrust) -> Result<Self, InvalidTrust> {
        let signers = raw.signer.into_iter().map(signer).collect::<Result<Vec<_>, _>>()?;
        let mut names = BTreeSet::new();
        if let Some(twice) = signers.iter().find(|signer| !names.insert(signer.name.as_str())) {
            return Err(InvalidTrust::DuplicateSigner(twice.name.clone()));
        }
        let rules = raw.rule.into_iter().map(|raw| rule(raw, &names)).collect::<Result<_, _>>()?;
        let denied = raw.denied.into_iter().map(denied).collect::<Result<_, _>>()?;
        Ok(Self { rules, denied, signers })
    }
}

fn signer(raw: RawSigner) -> Result<TrustedSigner, InvalidTrust> {
    let RawSigner { name, key, fingerprint, identity, roots, issuer, trusted_root } = raw;
    let by_key = key.is_some() || fingerprint.is_some();
    let identity = match (by_key, identity, roots, issuer) {
        (true, None, None, None) if trusted_root.is_none() => SignerIdentity::Key { file: key, fingerprint },
        (false, Some(name), Some(roots), None) if !roots.is_empty() && trusted_root.is_none() => {
            SignerIdentity::Certificate { name, roots }
        }
        (false, Some(name), None, Some(issuer)) => SignerIdentity::Keyless { name, issuer, trusted_root },
        _ => return Err(InvalidTrust::Identity(name)),
    };
    Ok(TrustedSigner { name, identity })
}

fn rule(raw: RawRule, names: &BTreeSet<&str>) -> Result<TrustRule, InvalidTrust> {
    let RawRule { subject, signers, signatures, max_age_days } = raw;
    if let Some(name) = signers.iter().find(|name| !names.contains(name.as_str())) {
        return Err(InvalidTrust::UnknownSigner { subject, name: name.clone() });
    }
    let different = signers.iter().collect::<BTreeSet<_>>().len();
    if signatures == 0 || signatures > different {
        return Err(InvalidTrust::Signatures { subject, signatures, signers: different });
    }
    Ok(TrustRule { subject, signers, signatures, max_age_days })
}

fn denied(raw: RawDenied) -> Result<Denied, InvalidTrust> {
    let RawDenied { digest, reason } = raw;
    if reason.trim().is_empty() { Err(InvalidTrust::NoReason(digest)) } else { Ok(Denied { digest, reason }) }
}

/// A signature that verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenSignature {
    /// The policy's name of the signer.
    pub signer: String,
    /// What they are known by: two signatures of one identity count once, whatever the policy calls it.
    pub identity: String,
    /// When it was made, where somebody else than the signer says so.
    pub at: Option<Timestamp>,
}

/// What a policy says of a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustVerdict {
    /// Whether it is trusted.
    pub trusted: bool,
    /// Why not; why a signature does not count.
    pub reasons: Vec<TrustReason>,
}

/// Why a subject is not trusted, or a signature does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "code")]
pub enum TrustReason {
    /// It is on the list of what is refused.
    DigestDenied {
        /// Which.
        digest: Sha256Digest,
        /// Why.
        reason: String,
    },
    /// No rule is about it.
    NoRule,
    /// Too few signatures count.
    TooFewSignatures {
        /// How many count.
        found: usize,
        /// How many have to.
        needed: usize,
    },
    /// Somebody signed who may not sign this.
    SignerNotAllowed {
        /// Who.
        signer: String,
    },
    /// Only the signer knows when it was signed, and age matters.
    SignatureWithoutTime {
        /// Whose.
        signer: String,
    },
    /// It was signed too long ago.
    SignatureTooOld {
        /// Whose.
        signer: String,
        /// How long ago.
        days: i64,
    },
}

impl fmt::Display for TrustReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DigestDenied { digest, reason } => write!(formatter, "{digest} is denied: {reason}"),
            Self::NoRule => formatter.write_str("no rule says who may sign it"),
            Self::TooFewSignatures { found, needed } => {
                write!(formatter, "{found} of {needed} needed signatures count")
            }
            Self::SignerNotAllowed { signer } => write!(formatter, "'{signer}' may not sign it"),
            Self::SignatureWithoutTime { signer } => {
                write!(formatter, "nobody but '{signer}' knows when it was signed, and the rule limits its age")
            }
            Self::SignatureTooOld { signer, days } => write!(formatter, "'{signer}' signed it {days} days ago"),
        }
    }
}

impl TrustPolicy {
    /// Whether it says anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The rule that decides about a subject.
    #[must_use]
    pub fn rule(&self, subject: &str) -> Option<&TrustRule> {
        self.rules.iter().find(|rule| matches_path(&rule.subject, subject))
    }

    /// Those who may sign a subject.
    pub fn signers_of(&self, subject: &str) -> impl Iterator<Item = &TrustedSigner> {
        let names = self.rule(subject).map(|rule| rule.signers.as_slice()).unwrap_or_default();
        self.signers.iter().filter(|signer| names.contains(&signer.name))
    }

    /// Judges a subject by the signatures over it that verified, and by the digests of it and its files.
    #[must_use]
    pub fn judge(
        &self,
        subject: &str,
        signatures: &[ProvenSignature],
        digests: &[Sha256Digest],
        now: Timestamp,
    ) -> TrustVerdict {
        let denied = self.denied.iter().filter(|denied| digests.contains(&denied.digest));
        let mut reasons: Vec<TrustReason> = denied
            .map(|denied| TrustReason::DigestDenied { digest: denied.digest, reason: denied.reason.clone() })
            .collect();
        let is_denied = !reasons.is_empty();
        let Some(rule) = self.rule(subject) else {
            reasons.push(TrustReason::NoRule);
            return TrustVerdict { trusted: false, reasons };
        };
        let mut counted = BTreeSet::new();
        for signature in signatures {
            match rule.objection(signature, now) {
                Some(objection) => reasons.push(objection),
                None => _ = counted.insert(signature.identity.as_str()),
            }
        }
        let enough = counted.len() >= rule.signatures;
        if !enough {
            reasons.push(TrustReason::TooFewSignatures { found: counted.len(), needed: rule.signatures });
        }
        TrustVerdict { trusted: enough && !is_denied, reasons }
    }
}

impl TrustRule {
    /// Why a signature does not count.
    fn objection(&self, signature: &ProvenSignature, now: Timestamp) -> Option<TrustReason> {
        let signer = || signature.signer.clone();
        if !self.signers.contains(&signature.signer) {
            return Some(TrustReason::SignerNotAllowed { signer: signer() });
        }
        let limit = i64::from(self.max_age_days?);
        let Some(at) = signature.at else { return Some(TrustReason::SignatureWithoutTime { signer: signer() }) };
        let days = now.as_second().saturating_sub(at.as_second()).div_euclid(SECONDS_PER_DAY);
        (days > limit).then(|| TrustReason::SignatureTooOld { signer: signer(), days })
    }
}

#[cfg(test)]
#[path = "trust_tests.rs"]
mod tests;
