//! Conditions of a policy's own: `[[policy.rule]]` in `waag.toml`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::condition::{Condition, Known};
use crate::control::{Group, Level, Observation, Outcome};
use crate::gathered::{Evidence, Subject};
use crate::policy::Origin;
use crate::verdict::{Judged, Seen};

/// A condition, and what follows from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PolicyRule {
    /// What reports and exceptions call it.
    pub name: String,
    /// When it holds: an expression of CEL.
    pub when: Condition,
    /// What follows.
    pub then: Consequence,
    /// Why, for whoever reads the verdict.
    pub reason: String,
    /// What to do next.
    #[serde(default)]
    pub next: String,
}

/// What follows from a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Consequence {
    /// Where it holds, the verdict is deny.
    Deny,
    /// Where it holds, the verdict is inconclusive.
    Inconclusive,
    /// Where it does not hold, the verdict is deny.
    Require,
}

impl fmt::Display for Consequence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Deny => "deny",
            Self::Inconclusive => "inconclusive",
            Self::Require => "require",
        })
    }
}

/// Why rules are not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRules {
    /// A name that exceptions and reports cannot tell apart from another one.
    #[error(
        "the rule's name '{0}' is that of a control or of another rule, empty, or not in letters, digits and hyphens"
    )]
    Name(String),
    /// A rule nobody can justify later.
    #[error("the rule '{0}' has an empty reason: say why it is there")]
    NoReason(String),
}

/// Checks the names and reasons of rules.
///
/// # Errors
/// When a name is taken or unclear, or a reason is empty.
pub fn check(rules: &[PolicyRule]) -> Result<(), (usize, InvalidRules)> {
    let plain = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    for (index, rule) in rules.iter().enumerate() {
        let twice = rules.iter().take(index).any(|other| other.name == rule.name);
        if twice || !plain(&rule.name) || crate::control::find(&rule.name).is_some() {
            return Err((index, InvalidRules::Name(rule.name.clone())));
        }
        if rule.reason.trim().is_empty() {
            return Err((index, InvalidRules::NoReason(rule.name.clone())));
        }
    }
    Ok(())
}

impl PolicyRule {
    /// What it says of a subject. What cannot be told is unknown, and decides as if it were missing evidence: a condition
    /// that fails to be evaluated never allows.
    pub(crate) fn judge(&self, subject: &Subject, evidence: &Evidence, known: &Known) -> Judged {
        let observation = match (self.when.evaluate(subject, evidence, known), self.then) {
            (Err(error), _) => Observation::unknown("", format!("cannot be told: {error}"), self.next.clone()),
            (Ok(true), Consequence::Require) | (Ok(false), Consequence::Deny | Consequence::Inconclusive) => {
                Observation::pass("", self.reason.clone())
            }
            (Ok(_), _) => Observation::fail("", self.reason.clone(), self.next.clone()),
        };
        let level = match self.then {
            Consequence::Deny | Consequence::Require => Level::Deny,
            Consequence::Inconclusive => Level::Inconclusive,
        };
        Judged {
            id: self.name.clone(),
            group: Group::Conditions,
            title: self.reason.clone(),
            level,
            origin: Origin::Settings,
            outcome: Outcome::Pass,
            observations: vec![Seen::of(observation)],
            decision: crate::Decision::Allow,
        }
    }
}
