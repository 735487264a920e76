//! From what is known of a subject and a policy to a verdict: a pure function.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::condition::Known;
use crate::control::{CONTROLS, Control, Group, Level, Observation, Outcome};
use crate::exception::Exception;
use crate::gathered::{Evidence, Subject};
use crate::policy::{Origin, Policy};

/// What may happen to the subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// Nothing speaks against loading it.
    Allow,
    /// Not everything could be judged: neither allowed nor shown to be bad.
    Inconclusive,
    /// Do not load it.
    Deny,
}

impl fmt::Display for Decision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Allow => "allow",
            Self::Inconclusive => "inconclusive",
            Self::Deny => "deny",
        })
    }
}

/// A decision with its reasons.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// The decision.
    pub decision: Decision,
    /// Findings that led to it, as indices into the list that was judged.
    pub reasons: Vec<usize>,
    /// Findings that an exception covers, with the index of the exception in the policy.
    pub excepted: Vec<(usize, usize)>,
    /// Exceptions that covered nothing, as indices into the policy.
    pub unused_exceptions: Vec<usize>,
    /// Exceptions that would have covered something but have ended, as indices into the policy.
    pub ended_exceptions: Vec<usize>,
    /// The answers of the controls, in their order, and then of the policy's own conditions.
    pub controls: Vec<Judged>,
}

impl Verdict {
    /// Ids of the controls and conditions that passed.
    pub fn passed(&self) -> impl Iterator<Item = &str> {
        self.controls.iter().filter(|judged| judged.outcome == Outcome::Pass).map(|judged| judged.id.as_str())
    }
}

/// What a control answered, and what followed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judged {
    /// Id of the control, or name of the policy's condition.
    pub id: String,
    /// What it is about.
    pub group: Group,
    /// What is true when it passes.
    pub title: String,
    /// How much it counts.
    pub level: Level,
    /// Who says so.
    pub origin: Origin,
    /// Its answer: the worst of what it saw.
    pub outcome: Outcome,
    /// What follows from it alone.
    pub decision: Decision,
    /// What it saw.
    pub observations: Vec<Seen>,
}

/// Something that a control saw, and what followed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Seen {
    /// What it saw.
    #[serde(flatten)]
    pub observation: Observation,
    /// The exception that covers it, as an index into the policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exception: Option<usize>,
    /// What follows from it alone.
    pub decision: Decision,
}

impl Seen {
    /// An observation that nothing was concluded from yet.
    pub(crate) const fn of(observation: Observation) -> Self {
        Self { observation, exception: None, decision: Decision::Allow }
    }
}

/// Judges a subject by what is known of it. `today` decides which exceptions have ended.
#[must_use]
pub fn evaluate(subject: &Subject, evidence: &Evidence, policy: &Policy, today: Date) -> Verdict {
    let judgement = Judgement { subject, evidence, policy, today };
    let asked = CONTROLS.iter().filter_map(|control| judgement.control(control));
    let mut controls: Vec<Judged> = asked.collect();
    let known = Known {
        outcomes: controls.iter().map(|judged| (judged.id.clone(), judged.outcome)).collect(),
        excepted: excepted(&controls),
    };
    controls.extend(policy.rules.iter().map(|rule| judgement.conclude(rule.judge(subject, evidence, &known))));
    let decision = controls.iter().map(|judged| judged.decision).max().unwrap_or(Decision::Allow);
    let (ended_exceptions, unused_exceptions) = judgement.idle_exceptions(&controls);
    let excepted = known.excepted.into_iter().collect();
    Verdict { decision, reasons: reasons(&controls, decision), excepted, unused_exceptions, ended_exceptions, controls }
}

/// What a judgement looks at.
struct Judgement<'a> {
    subject: &'a Subject,
    evidence: &'a Evidence,
    policy: &'a Policy,
    today: Date,
}

impl Judgement<'_> {
    /// The answer of a control; none where it is not asked.
    fn control(&self, control: &Control) -> Option<Judged> {
        let (level, origin) = self.policy.level(control);
        if level == Level::Off {
            return None;
        }
        let observations = (control.judge)(self.subject, self.evidence, self.policy);
        Some(self.conclude(Judged {
            id: control.id.to_owned(),
            group: control.group,
            title: control.title.to_owned(),
            level,
            origin,
            outcome: Outcome::NotApplicable,
            decision: Decision::Allow,
            observations: observations.into_iter().map(Seen::of).collect(),
        }))
    }

    /// Lays exceptions over what was seen, and draws the conclusion.
    fn conclude(&self, mut judged: Judged) -> Judged {
        for seen in &mut judged.observations {
            seen.exception = self.exception(&judged.id, &seen.observation);
            // What the settings say has to hold counts, unless they also say how much.
            let declared = seen.observation.declared && judged.origin == Origin::Default;
            let level = if declared { Level::Deny } else { judged.level };
            let open = seen.exception.is_none();
            seen.decision = if open { decide(seen.observation.outcome, level) } else { Decision::Allow };
        }
        judged.outcome = judged.observations.iter().map(outcome).max().unwrap_or(Outcome::NotApplicable);
        judged.decision = judged.observations.iter().map(|seen| seen.decision).max().unwrap_or(Decision::Allow);
        judged
    }

    /// The first exception that covers what was seen and has not ended.
    fn exception(&self, id: &str, observation: &Observation) -> Option<usize> {
        let covers =
            |exception: &Exception| !exception.has_ended(self.today) && self.covers(exception, id, observation);
        self.policy.exceptions.iter().position(covers)
    }

    fn covers(&self, exception: &Exception, id: &str, observation: &Observation) -> bool {
        let finding = observation.finding.and_then(|index| self.evidence.findings.get(index));
        finding.is_some_and(|finding| exception.covers(finding))
            || (observation.outcome.is_open() && exception.covers_control(id, observation, &self.subject.name))
    }

    /// Exceptions that did nothing: those that have ended though something matches, and those that match nothing.
    fn idle_exceptions(&self, controls: &[Judged]) -> (Vec<usize>, Vec<usize>) {
        let all = || controls.iter().flat_map(|judged| judged.observations.iter().map(move |seen| (judged, seen)));
        let used = |index: usize| all().any(|(_, seen)| seen.exception == Some(index));
        let matches = |index: &usize| {
            let exception = &self.policy.exceptions[*index];
            all().any(|(judged, seen)| self.covers(exception, &judged.id, &seen.observation))
        };
        let idle = (0..self.policy.exceptions.len()).filter(|index| !used(*index));
        idle.partition(matches)
    }
}

/// What an outcome means at a level.
const fn decide(outcome: Outcome, level: Level) -> Decision {
    match (outcome, level) {
        (Outcome::Fail, Level::Deny | Level::DenyKnown) => Decision::Deny,
        (Outcome::Fail, Level::Inconclusive) | (Outcome::Unknown, Level::Deny | Level::Inconclusive) => {
            Decision::Inconclusive
        }
        _ => Decision::Allow,
    }
}

fn outcome(seen: &Seen) -> Outcome {
    let outcome = seen.observation.outcome;
    if seen.exception.is_some() && outcome.is_open() { Outcome::Excepted } else { outcome }
}

/// Findings that an exception covers, in their order.
fn excepted(controls: &[Judged]) -> BTreeMap<usize, usize> {
    let seen = controls.iter().flat_map(|judged| &judged.observations);
    seen.filter_map(|seen| Some((seen.observation.finding?, seen.exception?))).collect()
}

/// Findings that led to a decision, in their order.
fn reasons(controls: &[Judged], decision: Decision) -> Vec<usize> {
    let seen = controls.iter().flat_map(|judged| &judged.observations);
    let led = seen.filter(|seen| decision != Decision::Allow && seen.decision == decision);
    let mut reasons: Vec<usize> = led.filter_map(|seen| seen.observation.finding).collect();
    reasons.sort_unstable();
    reasons
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
