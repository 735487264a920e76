//! Writing findings: a draft that cannot be begun without a place, a message and a next step.

use waag_evidence::finding::{Confidence, Finding, Location, Nature, Persona, Severity};
use waag_formats::fact::Position;
use waag_formats::facts::shorten;

use super::Meta;
use crate::sanitize::sanitize;

/// Findings of one rule, severity and nature that are listed for one artifact; the rest is counted in one more.
/// A file can be made to say thousands of things, and nobody reads the second hundred.
const MAX_LISTED: usize = 100;
/// Characters of a message: names and expressions in it are the artifact's, and can be of any length.
const MAX_MESSAGE: usize = 400;
/// What the finding says that stands for those not listed.
const MORE: &str = "more findings of this rule, which are not listed one by one";

/// Findings of one rule on one artifact. Repetitions of the same finding are counted, not listed.
#[derive(Debug)]
pub struct Findings<'a> {
    location: &'a Location,
    rule: &'static Meta,
    list: &'a mut Vec<Finding>,
    first: usize,
}

impl<'a> Findings<'a> {
    /// Findings of `rule` at `location`, added to `list`.
    #[must_use]
    pub fn new(location: &'a Location, rule: &'static Meta, list: &'a mut Vec<Finding>) -> Self {
        let first = list.len();
        Self { location, rule, list, first }
    }

    /// Begins a risk, which is added when the draft is dropped. `next_step` says what the reader should do.
    pub fn add(
        &mut self,
        severity: Severity,
        position: Position,
        message: impl AsRef<str>,
        next_step: &str,
    ) -> Draft<'_, 'a> {
        let finding = self.finding(Nature::Risk, severity, position, message.as_ref(), next_step);
        Draft { finding, findings: self }
    }

    /// Begins that something was not analysed.
    pub fn add_incomplete(&mut self, position: Position, message: impl AsRef<str>, next_step: &str) -> Draft<'_, 'a> {
        let finding = self.finding(Nature::Incomplete, Severity::Medium, position, message.as_ref(), next_step);
        Draft { finding, findings: self }
    }

    fn finding(
        &self,
        nature: Nature,
        severity: Severity,
        position: Position,
        message: &str,
        next_step: &str,
    ) -> Finding {
        let mut location = self.location.clone();
        match position {
            Position::Whole => {}
            Position::Offset(offset) => location.offset = Some(offset),
            Position::Line(line) => location.line = Some(line),
        }
        Finding {
            rule: self.rule.id.to_owned(),
            nature,
            severity,
            confidence: Confidence::High,
            persona: Persona::Everyone,
            location,
            message: shorten(sanitize(message), MAX_MESSAGE),
            subject: None,
            evidence: None,
            next_step: next_step.to_owned(),
            count: 1,
        }
    }

    fn commit(&mut self, finding: &Finding) {
        let own = self.list.get_mut(self.first..).unwrap_or_default();
        let listed = own.iter().filter(|other| is_alike(other, finding) && other.message != MORE).count();
        if let Some(same) = own.iter_mut().find(|other| is_same(other, finding)) {
            same.count = same.count.saturating_add(finding.count);
        } else if listed < MAX_LISTED {
            self.list.push(finding.clone());
        } else if let Some(more) = own.iter_mut().find(|other| is_alike(other, finding) && other.message == MORE) {
            more.count = more.count.saturating_add(finding.count);
        } else {
            let (message, persona) = (MORE.to_owned(), Persona::Everyone);
            self.list.push(Finding { message, persona, subject: None, evidence: None, ..finding.clone() });
        }
    }
}

fn is_alike(one: &Finding, other: &Finding) -> bool {
    one.nature == other.nature && one.severity == other.severity
}

/// Whether two findings differ in place only. What differs in evidence is not the same: an exception may cover
/// the one, and must not hide the other.
fn is_same(one: &Finding, other: &Finding) -> bool {
    is_alike(one, other)
        && one.confidence == other.confidence
        && one.persona == other.persona
        && one.message == other.message
        && one.subject == other.subject
        && one.evidence == other.evidence
}

/// A finding that may be refined; it is added when this is dropped.
#[derive(Debug)]
pub struct Draft<'d, 'a> {
    finding: Finding,
    findings: &'d mut Findings<'a>,
}

impl Draft<'_, '_> {
    /// What it is about, to the letter, so that an exception can name it.
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.finding.subject = Some(subject.into());
        self
    }

    /// What was read there.
    pub fn evidence(mut self, evidence: impl AsRef<str>) -> Self {
        self.finding.evidence = Some(sanitize(evidence.as_ref()));
        self
    }

    /// How sure the rule is, when it is not certain.
    pub fn confidence(mut self, confidence: Confidence) -> Self {
        self.finding.confidence = confidence;
        self
    }

    /// Who cares, when it is not everyone.
    pub fn persona(mut self, persona: Persona) -> Self {
        self.finding.persona = persona;
        self
    }

    /// How many times it was seen.
    pub fn count(mut self, count: u64) -> Self {
        self.finding.count = count;
        self
    }
}

impl Drop for Draft<'_, '_> {
    fn drop(&mut self) {
        self.findings.commit(&self.finding);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static META: Meta = Meta { id: "test-rule", title: "a test", page: "" };

    fn collect(write: impl FnOnce(&mut Findings<'_>)) -> Vec<Finding> {
        let (location, mut list) = (Location::file("model.pkl"), Vec::new());
        write(&mut Findings::new(&location, &META, &mut list));
        list
    }

    #[test]
    fn repetitions_are_counted_at_the_place_of_the_first() {
        let list = collect(|findings| {
            findings.add(Severity::High, Position::Offset(3), "odd", "look").count(2);
            findings.add(Severity::High, Position::Offset(9), "odd", "look");
        });
        assert_eq!(list.len(), 1);
        assert_eq!((list[0].count, list[0].location.offset), (3, Some(3)));
    }

    #[test]
    fn other_evidence_is_another_finding() {
        let list = collect(|findings| {
            findings.add(Severity::High, Position::Whole, "calls it", "look").evidence("f('harmless')");
            findings.add(Severity::High, Position::Whole, "calls it", "look").evidence("f('rm')");
        });
        assert_eq!(list.len(), 2);
    }

    #[test]
    fn a_flood_is_cut_and_the_rest_is_counted_per_severity() {
        let list = collect(|findings| {
            for number in 0..MAX_LISTED + 50 {
                findings.add(Severity::High, Position::Whole, format!("number {number}"), "look");
            }
            findings.add(Severity::Critical, Position::Whole, "the worst comes last", "look");
        });
        assert_eq!(list.len(), MAX_LISTED + 2);
        assert_eq!((list[MAX_LISTED].message.as_str(), list[MAX_LISTED].count), (MORE, 50));
        assert_eq!(list[MAX_LISTED + 1].severity, Severity::Critical);
    }

    #[test]
    fn what_the_artifact_wrote_is_shown_safely() {
        let list = collect(|findings| {
            findings.add(Severity::High, Position::Whole, "calls a\u{202e}b", "look").evidence("\u{1b}[2J");
            findings.add(Severity::High, Position::Whole, "x".repeat(9_000), "look");
        });
        assert_eq!(list[0].message, "calls a\\u{202e}b");
        assert_eq!(list[0].evidence.as_deref(), Some("\\u{1b}[2J"));
        assert_eq!(list[1].message.chars().count(), MAX_MESSAGE + 1);
    }
}
