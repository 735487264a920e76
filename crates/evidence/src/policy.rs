//! What must be true of a subject: the part of `waag.toml` that decides.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::control::{CONTROLS, Control, Level};
use crate::digest::Sha256Digest;
use crate::exception::Exception;
use crate::finding::Severity;
use crate::rule::PolicyRule;
use crate::trust::TrustPolicy;

/// Names the form of the text that a policy's digest is over.
const CANONICAL: &str = "waag policy 1";

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
    /// How much controls count, by id, where it is not the default.
    pub controls: BTreeMap<String, Level>,
    /// Where things may come from: patterns of paths.
    pub sources: Vec<String>,
    /// Conditions of the policy's own.
    #[serde(rename = "rule")]
    pub rules: Vec<PolicyRule>,
    /// Agreed exceptions.
    #[serde(rename = "exception")]
    pub exceptions: Vec<Exception>,
    /// Whether findings are judged by how grave they are, whatever control they belong to: [`Policy::for_findings`].
    #[serde(skip)]
    pub findings_alone: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            deny_at: Severity::High,
            inconclusive_at: Severity::Medium,
            allow_incomplete_unsafe: false,
            controls: BTreeMap::new(),
            sources: Vec::new(),
            rules: Vec::new(),
            exceptions: Vec::new(),
            findings_alone: false,
        }
    }
}

/// Where a value of the policy comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// It is what holds where nobody says otherwise.
    Default,
    /// The settings say so.
    Settings,
}

/// Why a control cannot have a level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLevel {
    /// There is no such control.
    #[error("there is no control '{0}'")]
    Unknown(String),
    /// The level would pass over a danger that was seen.
    #[error("the control '{id}' cannot be '{level}': '{least}' is the least that it counts")]
    TooLow {
        /// The control.
        id: String,
        /// What was asked for.
        level: Level,
        /// The least there is.
        least: Level,
    },
}

/// Checks that a control may have a level.
///
/// # Errors
/// When there is no such control, or when it counts more than that.
pub fn check_level(id: &str, level: Level) -> Result<(), InvalidLevel> {
    let control = crate::control::find(id).ok_or_else(|| InvalidLevel::Unknown(id.to_owned()))?;
    match level < control.least {
        true => Err(InvalidLevel::TooLow { id: id.to_owned(), level, least: control.least }),
        false => Ok(()),
    }
}

impl Policy {
    /// How much a control counts, and who says so.
    #[must_use]
    pub fn level(&self, control: &Control) -> (Level, Origin) {
        match self.controls.get(control.id) {
            Some(level) => (*level, Origin::Settings),
            None if self.allow_incomplete_unsafe && control.id == "analysed-in-full" => {
                (Level::Advise, Origin::Settings)
            }
            None => (control.default, Origin::Default),
        }
    }

    /// The same policy where nothing but findings is judged: controls that need other evidence are not asked.
    #[must_use]
    pub fn for_findings(&self) -> Self {
        let others = CONTROLS.iter().filter(|control| !crate::control::is_of_findings(control.id));
        let mut controls = self.controls.clone();
        controls.extend(others.map(|control| (control.id.to_owned(), Level::Off)));
        let exceptions = self.exceptions.iter().filter(|exception| exception.rule.is_some()).cloned().collect();
        Self { controls, exceptions, rules: Vec::new(), findings_alone: true, ..self.clone() }
    }

    /// Everything that decides, as a text: the same for the same policy, however it was written.
    #[must_use]
    pub fn canonical(&self, trust: &TrustPolicy) -> String {
        let mut text = format!("{CANONICAL}\n");
        let mut line = |key: &str, value: serde_json::Result<String>| {
            let _ = writeln!(text, "{key} {}", value.unwrap_or_default());
        };
        line("deny-at", serde_json::to_string(&self.deny_at));
        line("inconclusive-at", serde_json::to_string(&self.inconclusive_at));
        line("allow-incomplete-unsafe", serde_json::to_string(&self.allow_incomplete_unsafe));
        for control in CONTROLS {
            line("control", serde_json::to_string(&(control.id, self.level(control).0)));
        }
        for (key, values) in [("source", sorted(&self.sources)), ("rule", sorted(&self.rules))] {
            values.into_iter().for_each(|value| line(key, Ok(value)));
        }
        sorted(&self.exceptions).into_iter().for_each(|value| line("exception", Ok(value)));
        sorted(&trust.signers).into_iter().for_each(|value| line("signer", Ok(value)));
        // The first rule that matches decides: their order is part of what they say.
        trust.rules.iter().for_each(|rule| line("trust-rule", serde_json::to_string(rule)));
        sorted(&trust.denied).into_iter().for_each(|value| line("denied", Ok(value)));
        text
    }

    /// SHA-256 of [`Policy::canonical`].
    #[must_use]
    pub fn digest(&self, trust: &TrustPolicy) -> Sha256Digest {
        Sha256Digest::new(Sha256::digest(self.canonical(trust)).into())
    }
}

/// Values that have no order, as JSON, in the order of that.
fn sorted<T: Serialize>(values: &[T]) -> Vec<String> {
    let mut lines: Vec<String> = values.iter().filter_map(|value| serde_json::to_string(value).ok()).collect();
    lines.sort();
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(policy: &Policy) -> Sha256Digest {
        policy.digest(&TrustPolicy::default())
    }

    #[test]
    fn the_digest_is_over_what_holds_and_not_over_how_it_is_written() {
        let mut said = Policy::default();
        said.controls.insert("signature".into(), Level::Advise);
        assert_eq!(digest(&said), digest(&Policy::default()), "the default, said aloud");
        said.controls.insert("signature".into(), Level::Deny);
        assert_ne!(digest(&said), digest(&Policy::default()));
        let (one, other) = (vec!["a".to_owned(), "b".to_owned()], vec!["b".to_owned(), "a".to_owned()]);
        let with = |sources| digest(&Policy { sources, ..Policy::default() });
        assert_eq!(with(one), with(other));
    }

    /// Every verdict names the digest of this text: it changes when the default policy does, and not otherwise.
    #[test]
    fn the_default_policy_as_a_text() {
        insta::assert_snapshot!(Policy::default().canonical(&TrustPolicy::default()));
    }

    #[test]
    fn dangers_that_were_seen_cannot_be_set_aside() {
        assert!(check_level("signature", Level::Off).is_ok());
        assert!(matches!(check_level("not-denied", Level::Advise), Err(InvalidLevel::TooLow { .. })));
        assert!(matches!(check_level("no-such", Level::Deny), Err(InvalidLevel::Unknown(_))));
    }

    #[test]
    fn only_findings_count_where_nothing_else_is_gathered() {
        let policy = Policy::default().for_findings();
        let asked = CONTROLS.iter().filter(|control| policy.level(control).0 != Level::Off);
        assert_eq!(asked.count(), 4);
    }
}
