//! Writing findings: a draft that cannot be finished without a place, a message and a next step.

use waag_evidence::finding::{Confidence, Finding, Location, Nature, Persona, Severity};
use waag_formats::fact::Position;

use super::Meta;

/// Findings of one rule on one artifact. Repetitions of the same message are counted, not listed.
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

    /// Adds a risk. `next_step` says what the reader should do.
    pub fn add(
        &mut self,
        severity: Severity,
        position: Position,
        message: impl Into<String>,
        next_step: &str,
    ) -> Draft<'_> {
        self.push(Nature::Risk, severity, position, message.into(), next_step)
    }

    /// Adds that something was not analysed.
    pub fn add_incomplete(&mut self, position: Position, message: impl Into<String>, next_step: &str) -> Draft<'_> {
        self.push(Nature::Incomplete, Severity::Medium, position, message.into(), next_step)
    }

    fn push(
        &mut self,
        nature: Nature,
        severity: Severity,
        position: Position,
        message: String,
        next_step: &str,
    ) -> Draft<'_> {
        let same = |finding: &&mut Finding| finding.message == message && finding.severity == severity;
        let index = match self.list[self.first..].iter_mut().position(|mut finding| same(&&mut finding)) {
            Some(index) => {
                let index = self.first + index;
                self.list[index].count += 1;
                index
            }
            None => {
                self.list.push(self.finding(nature, severity, position, message, next_step));
                self.list.len() - 1
            }
        };
        Draft(&mut self.list[index])
    }

    fn finding(
        &self,
        nature: Nature,
        severity: Severity,
        position: Position,
        message: String,
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
            message,
            evidence: None,
            next_step: next_step.to_owned(),
            count: 1,
        }
    }
}

/// A finding that may be refined.
#[derive(Debug)]
pub struct Draft<'a>(&'a mut Finding);

impl Draft<'_> {
    /// What was read there.
    pub fn evidence(self, evidence: impl Into<String>) -> Self {
        if self.0.evidence.is_none() {
            self.0.evidence = Some(evidence.into());
        }
        self
    }

    /// How sure the rule is, when it is not certain.
    pub fn confidence(self, confidence: Confidence) -> Self {
        self.0.confidence = confidence;
        self
    }

    /// Who cares, when it is not everyone.
    pub fn persona(self, persona: Persona) -> Self {
        self.0.persona = persona;
        self
    }

    /// How many times it was seen.
    pub fn count(self, count: u64) -> Self {
        self.0.count = count;
        self
    }
}
