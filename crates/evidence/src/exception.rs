//! An agreed exception to the policy: narrow, with a reason and an end.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::control::{self, Observation};
use crate::finding::Finding;

/// What stands between the paths of a subject's name.
const SEPARATOR: &str = ", ";

/// One entry of `[[exception]]` in `waag.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawException")]
pub struct Exception {
    /// The rule whose findings are excepted; none where a control is.
    pub rule: Option<String>,
    /// The control, or the condition of the policy, that is excepted; none where a rule is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control: Option<String>,
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
    rule: Option<String>,
    control: Option<String>,
    path: String,
    subject: Option<String>,
    reason: String,
    until: String,
}

/// Why an entry is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidException {
    /// It is about nothing, or about two things.
    #[error("an exception names either a rule or a control")]
    OneOf,
    /// A control that cannot be excepted as a whole.
    #[error("the control '{0}' is not excepted as a whole: {1}")]
    NotAsAWhole(String, &'static str),
    /// Controls see places and not callables.
    #[error("the exception for the control '{0}' has a subject, which only findings have")]
    Subject(String),
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
        let RawException { rule, control, path, subject, reason, until } = raw;
        let name = match (&rule, &control) {
            (Some(name), None) | (None, Some(name)) => name.clone(),
            _ => return Err(InvalidException::OneOf),
        };
        if let Some(control) = &control {
            check_control(control, subject.as_deref())?;
        }
        if reason.trim().is_empty() {
            return Err(InvalidException::NoReason(name));
        }
        let until = until.parse().map_err(|_| InvalidException::NoDate { rule: name, until })?;
        Ok(Self { rule, control, path, subject, reason, until })
    }
}

fn check_control(id: &str, subject: Option<&str>) -> Result<(), InvalidException> {
    match subject {
        _ if control::is_of_findings(id) => {
            Err(InvalidException::NotAsAWhole(id.to_owned(), "name the rule of the finding"))
        }
        _ if id == "not-denied" => {
            Err(InvalidException::NotAsAWhole(id.to_owned(), "take the digest out of [[trust.denied]]"))
        }
        Some(_) => Err(InvalidException::Subject(id.to_owned())),
        None => Ok(()),
    }
}

impl Exception {
    /// Whether it covers a finding, dates aside.
    #[must_use]
    pub fn covers(&self, finding: &Finding) -> bool {
        self.rule.as_deref() == Some(finding.rule.as_str())
            && matches_path(&self.path, &finding.location.file)
            && (self.subject.is_none() || self.subject == finding.subject)
    }

    /// Whether it covers what a control saw, dates aside. What a control saw of the subject as a whole is at the
    /// subject's name.
    #[must_use]
    pub fn covers_control(&self, id: &str, observation: &Observation, subject: &str) -> bool {
        let covers = |place: &str| matches_path(&self.path, place);
        self.control.as_deref() == Some(id)
            && match observation.place.as_str() {
                // Of several paths that were judged together, each has to be covered.
                "" => subject.split(SEPARATOR).all(covers),
                place => covers(place),
            }
    }

    /// The rule or control that it is about.
    #[must_use]
    pub fn about(&self) -> &str {
        self.rule.as_deref().or(self.control.as_deref()).unwrap_or_default()
    }

    /// Whether it has ended on `today`.
    #[must_use]
    pub fn has_ended(&self, today: Date) -> bool {
        self.until < today
    }
}

/// Whether a path matches a pattern. A pattern with a leading `/` has to match from the first component of the path; any
/// other may start at any.
#[must_use]
pub fn matches_path(pattern: &str, path: &str) -> bool {
    let is_anchored = pattern.starts_with('/');
    let pattern: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let path: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let last = if is_anchored { 0 } else { path.len() };
    (0..=last).any(|start| matches_components(&pattern, path.get(start..).unwrap_or_default()))
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
            ("/models/base/x", "models/base/x", true),
            ("/models/base/x", "./models/base/x", true),
            ("/models/base/x", "/models/base/x", true),
            ("/models/base/x", "evil/models/base/x", false),
            ("/**/x", "evil/models/base/x", true),
            ("models/base/x", "evil/models/base/x", true),
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

    #[test]
    fn an_exception_for_one_of_several_paths_does_not_cover_the_whole() {
        let text = "control = 'signature'\npath = 'base'\nreason = 'reviewed'\nuntil = '2027-01-31'";
        let exception: Exception = toml::from_str(text).unwrap();
        let whole = Observation::unknown("", "no signature was looked for", "name a model");
        assert!(exception.covers_control("signature", &whole, "models/base"));
        assert!(!exception.covers_control("signature", &whole, "other, models/base"));
        assert!(exception.covers_control("signature", &whole, "old/base, models/base"));
    }

    #[test]
    fn an_exception_is_about_a_rule_or_a_control() {
        let parse = |about: &str| {
            let text = format!("{about}\npath = '*'\nreason = 'reviewed'\nuntil = '2027-01-31'");
            toml::from_str::<Exception>(&text).map_err(|error| error.to_string())
        };
        assert_eq!(parse("control = 'signature'").unwrap().about(), "signature");
        assert!(parse("").is_err_and(|error| error.contains("either a rule or a control")));
        assert!(parse("rule = 'x'\ncontrol = 'signature'").is_err());
        assert!(parse("control = 'not-denied'").is_err_and(|error| error.contains("take the digest")));
        assert!(parse("control = 'scanned-nothing-dangerous'").is_err_and(|error| error.contains("name the rule")));
        assert!(parse("control = 'signature'\nsubject = 'x'").is_err());
    }
}
