//! What must be true of a subject: the part of `waag.toml` that decides.

use serde::{Deserialize, Serialize};

use crate::exception::Exception;
use crate::finding::Severity;

/// Typed policy. Every key has a default, so that no file is needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Policy {
    /// Findings at least this grave deny.
    pub deny_at: Severity,
    /// Findings at least this grave, and below `deny-at`, leave the verdict inconclusive.
    pub inconclusive_at: Severity,
    /// Whether what could not be analysed may pass. The name says what that means.
    #[serde(rename = "allow-incomplete-unsafe")]
    pub allow_incomplete_unsafe: bool,
    /// Agreed exceptions.
    #[serde(rename = "exception")]
    pub exceptions: Vec<Exception>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            deny_at: Severity::High,
            inconclusive_at: Severity::Medium,
            allow_incomplete_unsafe: false,
            exceptions: Vec::new(),
        }
    }
}
