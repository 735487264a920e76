//! Controls about how a project is kept: each is measured by the findings of some rules, and by what was looked at for
//! its topic.

use super::{Observation, Outcome, findings};
use crate::finding::{Finding, Persona, Severity};
use crate::gathered::Evidence;
use crate::policy::Policy;
use crate::project::{Look, Topic};

/// Rules about projects, and the control that their findings belong to.
const RULES: &[(&str, &str)] = &[
    ("unpinned-dependency", "versions-pinned"),
    ("contradicting-ranges", "versions-pinned"),
    ("lock-disagreement", "versions-pinned"),
    ("unpinned-image-package", "versions-pinned"),
    ("abandoned-package", "versions-pinned"),
    ("unhashed-dependency", "pins-hashed"),
    ("index-confusion", "dependency-sources"),
    ("index-credentials", "dependency-sources"),
    ("look-alike-package", "dependency-sources"),
    ("mutable-source", "dependency-sources"),
    ("tampered-installation", "dependency-sources"),
    ("unencrypted-index", "dependency-sources"),
    ("incompatible-stack", "stack-agrees"),
    ("reduced-stack", "stack-agrees"),
    ("untested-stack", "stack-agrees"),
    ("known-vulnerability", "no-known-advisory"),
    ("possible-vulnerability", "no-known-advisory"),
    ("unpinned-base-image", "base-image-pinned"),
    ("image-package-index", "image-built-safely"),
    ("root-user", "image-built-safely"),
    ("secret-in-image", "image-built-safely"),
    ("unverified-download", "image-built-safely"),
    ("card-missing", "model-card"),
    ("card-incomplete", "model-card"),
    ("card-contradiction", "model-card"),
    ("card-malformed", "model-card"),
    ("licence-missing", "licence-stated"),
    ("licence-unknown", "licence-stated"),
    ("licence-conflict", "licence-compatible"),
    ("changing-seed", "seeds-set"),
    ("missing-seed", "seeds-set"),
    ("unseeded-loader", "seeds-set"),
    ("late-environment", "deterministic-mode"),
    ("nondeterministic-algorithm", "deterministic-mode"),
    ("unordered-listing", "deterministic-mode"),
    ("custom-operator-library", "no-unsafe-code"),
    ("downloaded-code", "no-unsafe-code"),
    ("hard-coded-secret", "no-unsafe-code"),
    ("malformed-notebook", "no-unsafe-code"),
    ("shell-input", "no-unsafe-code"),
    ("trusted-remote-code", "no-unsafe-code"),
    ("unsafe-extraction", "no-unsafe-code"),
    ("unsafe-load", "no-unsafe-code"),
    ("unsafe-yaml", "no-unsafe-code"),
    ("untrusted-instantiation", "no-unsafe-code"),
    ("unused-suppression", "no-unsafe-code"),
    ("unverified-connection", "no-unsafe-code"),
    ("personal-path", "fetches-pinned"),
    ("unchecked-download", "fetches-pinned"),
    ("unpinned-install", "fetches-pinned"),
    ("unpinned-remote", "fetches-pinned"),
    ("unrecorded-training", "experiment-tracked"),
];

/// How findings are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    /// Each is something that should be otherwise.
    Practice,
    /// Each is, also what only an auditor asks for.
    Strict,
    /// As grave as it is: what is below the policy's thresholds is told, and no more.
    Danger,
}

/// A control of this kind.
#[derive(Debug)]
pub(super) struct Practice {
    pub(super) id: &'static str,
    pub(super) topic: Topic,
    pub(super) measure: Measure,
    /// What there is none of, where the topic was not looked at.
    pub(super) nothing: &'static str,
    /// What is true where nothing was found.
    pub(super) clean: &'static str,
}

/// The control that a rule about projects belongs to.
pub(super) fn control_of_rule(rule: &str) -> Option<&'static str> {
    RULES.iter().find(|(known, _)| *known == rule).map(|(_, control)| *control)
}

impl Practice {
    /// What the findings and what was looked at say.
    pub(super) fn judge(&self, evidence: &Evidence, policy: &Policy) -> Vec<Observation> {
        let mut observations = self.found(evidence, policy);
        let Some(look) = evidence.project.look(self.topic) else {
            // What was found counts all the same: a file that names an index and no package, say.
            if !observations.is_empty() {
                return observations;
            }
            let is_looked_at = !evidence.project.folders.is_empty();
            let nothing = if is_looked_at { self.nothing } else { "no folder was looked at as a project" };
            return vec![Observation::not_applicable(nothing)];
        };
        observations
            .extend(look.unknown.iter().map(|unknown| Observation::unknown("", &unknown.reason, &unknown.next)));
        if observations.iter().all(|observation| observation.outcome == Outcome::Pass) {
            observations.insert(0, Observation::pass("", format!("{}{}", self.clean, in_words(look))));
        }
        observations
    }

    /// What was found.
    fn found(&self, evidence: &Evidence, policy: &Policy) -> Vec<Observation> {
        let findings = evidence.findings.iter().enumerate();
        let own = findings.filter(|(_, finding)| findings::control_of(finding) == self.id);
        own.map(|(index, finding)| Observation {
            outcome: self.outcome(finding, policy),
            place: finding.location.path(),
            seen: finding.message.clone(),
            next: finding.next_step.clone(),
            finding: Some(index),
            declared: false,
        })
        .collect()
    }

    fn outcome(&self, finding: &Finding, policy: &Policy) -> Outcome {
        match self.measure {
            Measure::Danger => findings::outcome(finding, policy),
            // What only an auditor asks for is told to those who look for it.
            Measure::Practice if finding.severity == Severity::Info || finding.persona == Persona::Auditor => {
                Outcome::Pass
            }
            Measure::Practice | Measure::Strict => Outcome::Fail,
        }
    }
}

/// What was said and where, in brackets.
fn in_words(look: &Look) -> String {
    let words = if look.said.is_empty() { &look.places } else { &look.said };
    match words.is_empty() {
        true => String::new(),
        false => format!(": {}", super::recorded::few(words)),
    }
}
