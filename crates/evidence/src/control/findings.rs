//! Findings as answers of controls: each finding belongs to one of them.

use super::{Observation, Outcome, practice};
use crate::finding::{Finding, Nature};
use crate::gathered::Evidence;
use crate::policy::Policy;

pub(super) const DANGEROUS: &str = "scanned-nothing-dangerous";
pub(super) const ANALYSED: &str = "analysed-in-full";
pub(super) const REMOTE_CODE: &str = "no-remote-code";
pub(super) const LOCK: &str = "digests-match-lock";
/// The controls that speak of findings.
pub(super) const CONTROLS: [&str; 4] = [DANGEROUS, ANALYSED, REMOTE_CODE, LOCK];

/// The control that a finding belongs to.
pub(super) fn control_of(finding: &Finding) -> &'static str {
    match finding.nature {
        Nature::Incomplete => ANALYSED,
        Nature::Risk => control_of_rule(&finding.rule),
    }
}

/// The control that the findings of a rule belong to.
pub(super) fn control_of_rule(rule: &str) -> &'static str {
    match rule {
        "remote-code" => REMOTE_CODE,
        "lock-drift" => LOCK,
        _ => practice::control_of_rule(rule).unwrap_or(DANGEROUS),
    }
}

/// What the findings of a control say.
pub(super) fn observations(control: &str, evidence: &Evidence, policy: &Policy) -> Vec<Observation> {
    // Where nothing else is asked, how a project is kept counts as any other finding does.
    let control_of = |finding: &Finding| match control_of(finding) {
        own if policy.findings_alone && !CONTROLS.contains(&own) => DANGEROUS,
        own => own,
    };
    let findings = evidence.findings.iter().enumerate().filter(|(_, finding)| control_of(finding) == control);
    let observations = findings.map(|(index, finding)| Observation {
        outcome: outcome(finding, policy),
        place: finding.location.path(),
        seen: finding.message.clone(),
        next: finding.next_step.clone(),
        finding: Some(index),
        declared: false,
    });
    observations.collect()
}

/// What is grave enough to deny fails; what a person has to weigh is unknown; what was not analysed was not.
pub(super) fn outcome(finding: &Finding, policy: &Policy) -> Outcome {
    match finding.nature {
        Nature::Incomplete => Outcome::Fail,
        Nature::Risk if finding.severity >= policy.deny_at => Outcome::Fail,
        Nature::Risk if finding.severity >= policy.inconclusive_at => Outcome::Unknown,
        Nature::Risk => Outcome::Pass,
    }
}

/// The same, or that there is nothing to be said.
pub(super) fn or_pass(control: &str, evidence: &Evidence, policy: &Policy, clean: &str) -> Vec<Observation> {
    let mut observations = observations(control, evidence, policy);
    if observations.iter().all(|observation| observation.outcome == Outcome::Pass) {
        observations.push(match evidence.files.is_empty() {
            true => Observation::not_applicable("there is no file"),
            false => Observation::pass("", clean),
        });
    }
    observations
}
