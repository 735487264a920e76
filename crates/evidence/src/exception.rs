//! An agreed exception to the policy: narrow, with a reason and an end.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::finding::Finding;

/// One entry of `[[exception]]` in `waag.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawException")]
pub struct Exception {
    /// The rule whose findings are excepted.
    pub rule: String,
    /// Which files: a path with `*` (within a component) and `**` (across components).
    pub path: String,
    /// What the finding must be about, to the letter. Messages and evidence are not compared: a stranger words them.
    pub subject: Option<String>,
    /// Why this is acceptable.
    pub reason: String,
    /// The last day on which it is.
    pub until: Date,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawException {
    rule: String,
    path: String,
    subject: Option<String>,
    reason: String,
    until: String,
}

/// Why an entry is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidException {
    /// An exception nobody can justify later.
    #[error("the exception for '{0}' has an empty reason: say why the finding is acceptable")]
    NoReason(String),
    /// The end is not a date.
    #[error("the exception for '{rule}' ends at '{until}', which is not a date like 2027-01-31")]
    NoDate {
        /// The rule of the entry.
        rule: String,
        /// What was written.
        until: String,
    },
}

impl TryFrom<RawException> for Exception {
    type Error = InvalidException;

    fn try_from(raw: RawException) -> Result<Self, InvalidException> {
        if raw.reason.trim().is_empty() {
            return Err(InvalidException::NoReason(raw.rule));
        }
        let until =
            raw.until.parse().map_err(|_| InvalidException::NoDate { rule: raw.rule.clone(), until: raw.until })?;
        Ok(Self { rule: raw.rule, path: raw.path, subject: raw.subject, reason: raw.reason, until })
    }
}

impl Exception {
    /// Whether it covers a finding, dates aside.
    #[must_use]
    pub fn covers(&self, finding: &Finding) -> bool {
        self.rule == finding.rule
            && matches_path(&self.path, &finding.location.file)
            && (self.subject.is_none() || self.subject == finding.subject)
    }

    /// Whether it has ended on `today`.
    #[must_use]
    pub fn has_ended(&self, today: Date) -> bool {
        self.until < today
    }
}

/// Whether a path matches a pattern. A pattern without a leading `/` or `**` may start at any component.
#[must_use]
pub fn matches_path(pattern: &str, path: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let path: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    (0..=path.len()).any(|start| matches_components(&pattern, path.get(start..).unwrap_or_default()))
}

fn matches_components(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) => (0..=path.len()).any(|skip| matches_components(rest, &path[skip..])),
        (Some((first, pattern)), Some((name, path))) => {
            matches_component(first.as_bytes(), name.as_bytes()) && matches_components(pattern, path)
        }
        _ => false,
    }
}

fn matches_component(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => (0..=name.len()).any(|skip| matches_component(rest, &name[skip..])),
        (Some((wanted, pattern)), Some((found, name))) => wanted == found && matches_component(pattern, name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_components() {
        for (pattern, path, expected) in [
            ("model.pt", "a/b/model.pt", true),
            ("model.pt", "a/b/other-model.pt", false),
            ("b/*.pt", "a/b/model.pt", true),
            ("a/*.pt", "a/b/model.pt", false),
            ("a/**", "a/b/model.pt", true),
            ("a/**/model.*", "a/b/c/model.pt", true),
            ("./a/model.pt", "a/model.pt", true),
        ] {
            assert_eq!(matches_path(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn an_exception_needs_a_reason_and_a_date() {
        let parse = |text: &str| toml::from_str::<Exception>(text).map_err(|error| error.to_string());
        let whole = "rule = 'x'\npath = '*'\nreason = 'reviewed'\nuntil = '2027-01-31'";
        assert!(parse(whole).is_ok());
        assert!(parse(&whole.replace("reviewed", " ")).is_err_and(|error| error.contains("empty reason")));
        assert!(parse(&whole.replace("2027-01-31", "soon")).is_err_and(|error| error.contains("not a date")));
        assert!(parse(&format!("{whole}\nwhen = 'never'")).is_err());
    }
}
