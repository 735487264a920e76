//! Writing findings about dependencies: each with a place, the line as it was read, and what to do.

use std::collections::BTreeMap;

use waag_engine::rules::Meta;
use waag_engine::sanitize::sanitize;
use waag_evidence::finding::{Confidence, Finding, Location, Nature, Persona, Severity};

use super::reading::Reading;
use super::source;
use crate::telling;

/// Findings of one rule in one file that are listed; the rest is counted in one more.
const MAX_LISTED: usize = 100;
/// Characters of a message, and of a line that is shown.
const MAX_SHOWN: usize = 300;

/// A finding in the making.
pub(super) struct Draft(Finding);

/// A risk that is cared about by whoever reviews a project.
pub(super) fn risk(rule: &Meta, severity: Severity, location: &Location, message: &str, next_step: &str) -> Draft {
    Draft(Finding {
        rule: rule.id.to_owned(),
        nature: Nature::Risk,
        severity,
        confidence: Confidence::High,
        persona: Persona::Reviewer,
        location: location.clone(),
        message: shown(message),
        subject: None,
        evidence: None,
        next_step: next_step.to_owned(),
        count: 1,
    })
}

/// Something that was not read, or not understood.
pub(super) fn incomplete(location: Location, message: &str, next_step: &str) -> Finding {
    telling::incomplete(&location, &source::masked(message), next_step)
}

impl Draft {
    /// What it is about, to the letter, so that an exception can name it.
    pub(super) fn subject(mut self, subject: &str) -> Self {
        self.0.subject = Some(sanitize(subject));
        self
    }

    /// Shows the line that it is at.
    pub(super) fn line_of(mut self, reading: &Reading) -> Self {
        self.0.evidence = reading.line(&self.0.location).map(|line| evidence(line.trim()));
        self
    }

    /// Shows a text.
    pub(super) fn seen(mut self, text: &str) -> Self {
        self.0.evidence = Some(evidence(text));
        self
    }

    /// How sure it is, where it is not certain.
    pub(super) fn confidence(mut self, confidence: Confidence) -> Self {
        self.0.confidence = confidence;
        self
    }

    /// Who cares, where it is not a reviewer.
    pub(super) fn persona(mut self, persona: Persona) -> Self {
        self.0.persona = persona;
        self
    }

    /// How often it was seen.
    pub(super) fn count(mut self, count: usize) -> Self {
        self.0.count = count as u64;
        self
    }

    pub(super) fn done(self) -> Finding {
        self.0
    }
}

/// A line as it may be shown: no control characters, no passwords, not too long.
pub(super) fn evidence(line: &str) -> String {
    shown(line)
}

fn shown(text: &str) -> String {
    let safe = sanitize(&source::masked(text));
    match safe.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &safe[..end]),
        None => safe,
    }
}

/// Sorts findings by place and rule, and folds floods.
pub(super) fn settle(findings: &mut Vec<Finding>) {
    let key = |finding: &Finding| {
        let Location { file, line, .. } = &finding.location;
        (file.clone(), *line, finding.rule.clone(), finding.message.clone())
    };
    findings.sort_by_cached_key(key);
    findings.dedup();
    let mut seen: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut more: BTreeMap<(String, String), Finding> = BTreeMap::new();
    findings.retain(|finding| {
        let key = (finding.rule.clone(), finding.location.file.clone());
        let count = seen.entry(key.clone()).or_default();
        *count += 1;
        if *count > MAX_LISTED {
            let rest = more.entry(key).or_insert_with(|| Finding {
                message: "more findings of this rule in this file, which are not listed one by one".to_owned(),
                subject: None,
                evidence: None,
                count: 0,
                ..finding.clone()
            });
            rest.count += finding.count;
            // What is cut stays as grave as the gravest of it.
            rest.severity = rest.severity.max(finding.severity);
        }
        *count <= MAX_LISTED
    });
    findings.extend(more.into_values());
    findings.sort_by_cached_key(key);
}

/// A list for people: the first few, and how many more.
pub(super) fn few<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<String> = names.map(str::to_owned).collect();
    waag_engine::output::text::listing(names.into_iter(), 6)
}
