//! `[policy]` as it is written: every mistake is placed where it stands.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;
use waag_evidence::condition::Condition;
use waag_evidence::policy::check_level;
use waag_evidence::rule::{Consequence, PolicyRule, check};
use waag_evidence::{Level, Policy, Severity};

use super::SettingsError;
use super::policy_test::{PolicyTest, RawTest};

/// The table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct PolicyTable {
    deny_at: Severity,
    inconclusive_at: Severity,
    allow_incomplete_unsafe: bool,
    sources: Vec<String>,
    controls: BTreeMap<Spanned<String>, Level>,
    #[serde(rename = "rule")]
    rules: Vec<Spanned<RawRule>>,
    #[serde(rename = "test")]
    tests: Vec<Spanned<RawTest>>,
}

impl Default for PolicyTable {
    fn default() -> Self {
        let Policy { deny_at, inconclusive_at, allow_incomplete_unsafe, .. } = Policy::default();
        Self {
            deny_at,
            inconclusive_at,
            allow_incomplete_unsafe,
            sources: Vec::new(),
            controls: BTreeMap::new(),
            rules: Vec::new(),
            tests: Vec::new(),
        }
    }
}

/// A rule whose condition was not checked yet.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawRule {
    name: String,
    when: Spanned<String>,
    then: Consequence,
    reason: String,
    #[serde(default)]
    next: String,
}

/// Makes an error of a place in the text and what is wrong there.
pub(super) type Placed<'a> = &'a dyn Fn(usize, String) -> SettingsError;

impl PolicyTable {
    /// The policy but for its exceptions, and its tests.
    pub(super) fn resolve(self, placed: &Placer<'_>) -> Result<(Policy, Vec<PolicyTest>), SettingsError> {
        let mut controls = BTreeMap::new();
        for (id, level) in self.controls {
            check_level(id.as_ref(), level).map_err(|error| placed.at(id.span().start, error.to_string()))?;
            controls.insert(id.into_inner(), level);
        }
        let starts: Vec<usize> = self.rules.iter().map(|rule| rule.span().start).collect();
        let rules = self.rules.into_iter().map(|raw| rule(raw.into_inner(), placed)).collect::<Result<Vec<_>, _>>()?;
        check(&rules)
            .map_err(|(index, error)| placed.at(starts.get(index).copied().unwrap_or(0), error.to_string()))?;
        let tests = self.tests.into_iter().map(|raw| {
            let start = raw.span().start;
            PolicyTest::try_from(raw.into_inner()).map_err(|error| placed.at(start, error.to_string()))
        });
        let tests = tests.collect::<Result<_, _>>()?;
        let policy = Policy {
            deny_at: self.deny_at,
            inconclusive_at: self.inconclusive_at,
            allow_incomplete_unsafe: self.allow_incomplete_unsafe,
            controls,
            sources: self.sources,
            rules,
            exceptions: Vec::new(),
            findings_alone: false,
        };
        Ok((policy, tests))
    }
}

fn rule(raw: RawRule, placed: &Placer<'_>) -> Result<PolicyRule, SettingsError> {
    let RawRule { name, when, then, reason, next } = raw;
    if crate::rules::find(&name).is_some() {
        let message = format!("the rule of the policy '{name}' has the name of a rule that makes findings");
        return Err(placed.at(when.span().start, message));
    }
    let span = when.span();
    let text = when.into_inner();
    let when = Condition::new(text.clone()).map_err(|error| {
        let message = format!("the condition of '{name}': {error}");
        placed.at(placed.inside(span, &text, error.at), message)
    })?;
    Ok(PolicyRule { name, when, then, reason, next })
}

/// Places mistakes in the text of the settings.
pub(super) struct Placer<'a> {
    pub(super) text: &'a str,
    pub(super) error: Placed<'a>,
}

impl Placer<'_> {
    fn at(&self, start: usize, message: String) -> SettingsError {
        (self.error)(start, message)
    }

    /// The byte at which a character of a text stands, which is a string somewhere in the settings. Where the string is
    /// written with escapes, that is its beginning.
    fn inside(&self, span: std::ops::Range<usize>, value: &str, character: usize) -> usize {
        let written = self.text.get(span.clone()).unwrap_or_default();
        let offset = value.char_indices().nth(character).map_or(value.len(), |(offset, _)| offset);
        written.find(value).map_or(span.start, |start| span.start + start + offset)
    }
}
