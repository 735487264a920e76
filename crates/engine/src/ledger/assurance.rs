//! How far a statement can be believed: who signed it, as far as that was verified. Nothing in a ledger says so; only
//! verifying with the trust policy does.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::output::text::{BAD, DOUBT, GOOD};
use crate::sanitize::sanitize;

/// What verifying a statement gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "level", rename_all = "kebab-case")]
pub enum Assurance {
    /// It is signed by somebody whom the trust policy lets sign it.
    Signed {
        /// What the policy calls the signer.
        signer: String,
        /// When, where somebody else than the signer knows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
    },
    /// There is a signature, and it proves nothing: it does not verify, or nobody trusts who made it.
    Unverified {
        /// Who is said to have signed. Anybody can say so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        claimed: Option<String>,
        /// Why it proves nothing.
        reason: String,
    },
    /// Nobody signed it.
    Unsigned,
}

impl Assurance {
    /// Whether somebody who is trusted signed it.
    #[must_use]
    pub const fn is_signed(&self) -> bool {
        matches!(self, Self::Signed { .. })
    }

    /// How it is painted.
    #[must_use]
    pub const fn style(&self) -> anstyle::Style {
        match self {
            Self::Signed { .. } => GOOD,
            Self::Unverified { .. } => BAD,
            Self::Unsigned => DOUBT,
        }
    }
}

impl fmt::Display for Assurance {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signed { signer, .. } => write!(formatter, "signed by {}", sanitize(signer)),
            Self::Unverified { claimed: Some(claimed), .. } => {
                write!(formatter, "unverified signature of {}", sanitize(&brief(claimed)))
            }
            Self::Unverified { claimed: None, .. } => formatter.write_str("unverified signature"),
            Self::Unsigned => formatter.write_str("unsigned"),
        }
    }
}

/// Digits of a key's fingerprint that are shown.
const DIGITS: usize = 12;

/// A claimed signer, as people tell one from another: a fingerprint by its first digits.
fn brief(claimed: &str) -> String {
    let is_fingerprint = |text: &&str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match claimed.strip_prefix("key ").filter(is_fingerprint).and_then(|digits| digits.get(..DIGITS)) {
        Some(digits) => format!("key {digits}…"),
        None => claimed.to_owned(),
    }
}

/// Verifies statements.
pub trait Judge: Sync {
    /// What the answers depend on beside the bytes: the policy, its keys, the day. Answers under the same text are reused.
    fn basis(&self) -> String;

    /// Verifies the bytes of one entry, which has at least one signature. `claimed` is who it says signed it.
    fn judge(&self, entry: &[u8], claimed: Option<&str>) -> Assurance;
}

/// Trusts nobody.
#[derive(Debug, Clone, Copy)]
pub struct Nobody;

impl Judge for Nobody {
    fn basis(&self) -> String {
        "nobody".to_owned()
    }

    fn judge(&self, _: &[u8], claimed: Option<&str>) -> Assurance {
        let reason = "no waag.toml says who may sign".to_owned();
        Assurance::Unverified { claimed: claimed.map(str::to_owned), reason }
    }
}
