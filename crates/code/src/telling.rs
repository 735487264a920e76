//! Writing findings about a project's files.

use std::collections::BTreeMap;

use waag_engine::rules::Meta;
use waag_engine::sanitize::sanitize;
use waag_evidence::finding::Nature;
use waag_evidence::{Confidence, Finding, Location, Persona, Severity};
use waag_formats::facts::shorten;

/// Characters of a message, subject or line that are told: files can hold lines of any length.
const MAX_TOLD: usize = 400;

/// What a finding needs.
pub(crate) struct Told<'a> {
    pub(crate) rule: &'static Meta,
    pub(crate) severity: Severity,
    pub(crate) confidence: Confidence,
    pub(crate) location: &'a Location,
    pub(crate) message: &'a str,
    pub(crate) subject: Option<&'a str>,
    pub(crate) evidence: Option<&'a str>,
    pub(crate) next_step: String,
}

/// A finding, safe to print.
pub(crate) fn told(told: Told<'_>) -> Finding {
    let safe = |text: &str| shorten(sanitize(text.trim()), MAX_TOLD);
    Finding {
        rule: told.rule.id.to_owned(),
        nature: Nature::Risk,
        severity: told.severity,
        confidence: told.confidence,
        persona: Persona::Everyone,
        location: told.location.clone(),
        message: safe(told.message),
        subject: told.subject.map(safe),
        evidence: told.evidence.map(safe),
        next_step: told.next_step,
        count: 1,
    }
}

/// That something could not be read: a finding of the rule that says so for every part of waag.
pub(crate) fn incomplete(location: &Location, message: &str, next_step: &str) -> Finding {
    Finding {
        rule: "incomplete-analysis".to_owned(),
        nature: Nature::Incomplete,
        severity: Severity::Medium,
        confidence: Confidence::High,
        persona: Persona::Everyone,
        location: location.clone(),
        message: shorten(sanitize(message), MAX_TOLD),
        subject: None,
        evidence: None,
        next_step: next_step.to_owned(),
        count: 1,
    }
}

/// An address without a name and a password in it.
pub(crate) fn without_login(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let end = rest.find('/').unwrap_or(rest.len());
    rest[..end].rfind('@').map_or_else(|| url.to_owned(), |at| format!("{scheme}://{}", &rest[at + 1..]))
}

/// Findings of one rule on one file that are listed; the rest is counted in one more. Nobody reads the second hundred.
const MAX_LISTED: usize = 100;

/// Lists no more findings of a rule than anyone reads.
pub(crate) fn bounded(findings: Vec<Finding>) -> Vec<Finding> {
    bounded_to(findings, MAX_LISTED)
}

/// Lists no more findings of a rule than this, and counts the others in one more.
pub(crate) fn bounded_to(findings: Vec<Finding>, most: usize) -> Vec<Finding> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut kept: Vec<Finding> = Vec::new();
    for finding in findings {
        let place = seen.entry(finding.rule.clone()).or_default();
        *place += 1;
        if *place <= most {
            kept.push(finding);
        } else if *place == most + 1 {
            let message = "more findings of this rule, which are not listed one by one".to_owned();
            kept.push(Finding { message, subject: None, evidence: None, ..finding });
        } else if let Some(more) = kept.iter_mut().rev().find(|one| one.rule == finding.rule) {
            more.count += 1;
            more.severity = more.severity.max(finding.severity);
        }
    }
    kept
}
