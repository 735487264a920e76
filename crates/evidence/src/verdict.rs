//! From findings and a policy to a verdict: a pure function.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::exception::Exception;
use crate::finding::{Finding, Nature};
use crate::policy::Policy;

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
}

/// Judges findings by a policy. `today` decides which exceptions have ended.
#[must_use]
pub fn evaluate(findings: &[Finding], policy: &Policy, today: Date) -> Verdict {
    let mut excepted = Vec::new();
    let mut judged = Vec::new();
    for (index, finding) in findings.iter().enumerate() {
        let covers = |exception: &Exception| exception.covers(finding) && !exception.has_ended(today);
        match policy.exceptions.iter().position(covers) {
            Some(exception) => excepted.push((index, exception)),
            None => judged.push((index, decide(finding, policy))),
        }
    }
    let decision = judged.iter().map(|(_, decision)| *decision).max().unwrap_or(Decision::Allow);
    let is_reason = |(_, decided): &&(usize, Decision)| *decided == decision && decision != Decision::Allow;
    let reasons = judged.iter().filter(is_reason).map(|(index, _)| *index).collect();
    let (ended_exceptions, unused_exceptions) = idle_exceptions(findings, policy, &excepted);
    Verdict { decision, reasons, excepted, unused_exceptions, ended_exceptions }
}

fn decide(finding: &Finding, policy: &Policy) -> Decision {
    match finding.nature {
        Nature::Incomplete if policy.allow_incomplete_unsafe => Decision::Allow,
        Nature::Incomplete => Decision::Inconclusive,
        Nature::Risk if finding.severity >= policy.deny_at => Decision::Deny,
        Nature::Risk if finding.severity >= policy.inconclusive_at => Decision::Inconclusive,
        Nature::Risk => Decision::Allow,
    }
}

/// Exceptions that did nothing: those that have ended though something matches, and those that match nothing.
fn idle_exceptions(findings: &[Finding], policy: &Policy, excepted: &[(usize, usize)]) -> (Vec<usize>, Vec<usize>) {
    let used = |index: usize| excepted.iter().any(|(_, exception)| *exception == index);
    let idle = (0..policy.exceptions.len()).filter(|index| !used(*index));
    idle.partition(|index| findings.iter().any(|finding| policy.exceptions[*index].covers(finding)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Confidence, Location, Persona, Severity};

    fn finding(severity: Severity, nature: Nature) -> Finding {
        Finding {
            rule: "code-execution".into(),
            nature,
            severity,
            confidence: Confidence::High,
            persona: Persona::Everyone,
            location: Location::file("models/a.pkl"),
            message: "runs a shell command".into(),
            subject: Some("os.system".into()),
            evidence: Some("os.system('id')".into()),
            next_step: String::new(),
            count: 1,
        }
    }

    fn today() -> Date {
        Date::constant(2026, 11, 22)
    }

    fn excepting(until: &str) -> Result<Policy, toml::de::Error> {
        toml::from_str(&format!(
            "[[exception]]\nrule = 'code-execution'\npath = 'models/*.pkl'\nreason = 'ours'\nuntil = '{until}'"
        ))
    }

    #[test]
    fn the_gravest_finding_decides() {
        let policy = Policy::default();
        let low = finding(Severity::Low, Nature::Risk);
        let medium = finding(Severity::Medium, Nature::Risk);
        let high = finding(Severity::High, Nature::Risk);
        let unseen = finding(Severity::Info, Nature::Incomplete);
        assert_eq!(evaluate(&[], &policy, today()).decision, Decision::Allow);
        assert_eq!(evaluate(std::slice::from_ref(&low), &policy, today()).decision, Decision::Allow);
        assert_eq!(evaluate(&[low.clone(), unseen], &policy, today()).decision, Decision::Inconclusive);
        let verdict = evaluate(&[low, medium, high], &policy, today());
        assert_eq!((verdict.decision, verdict.reasons), (Decision::Deny, vec![2]));
    }

    #[test]
    fn an_exception_holds_until_it_ends() -> Result<(), toml::de::Error> {
        let findings = [finding(Severity::Critical, Nature::Risk)];
        let held = evaluate(&findings, &excepting("2026-11-22")?, today());
        assert_eq!((held.decision, held.excepted), (Decision::Allow, vec![(0, 0)]));
        let ended = evaluate(&findings, &excepting("2026-11-21")?, today());
        assert_eq!((ended.decision, ended.ended_exceptions), (Decision::Deny, vec![0]));
        Ok(())
    }

    #[test]
    fn an_exception_for_one_subject_covers_no_other() -> Result<(), toml::de::Error> {
        let mut policy = excepting("2027-01-01")?;
        let mut finding = finding(Severity::Critical, Nature::Risk);
        finding.evidence = Some("os.system('ours.Ranker')".into());
        policy.exceptions[0].subject = Some("ours.Ranker".into());
        assert_eq!(evaluate(std::slice::from_ref(&finding), &policy, today()).decision, Decision::Deny);
        finding.subject = Some("ours.Ranker".into());
        assert_eq!(evaluate(&[finding], &policy, today()).decision, Decision::Allow);
        Ok(())
    }

    #[test]
    fn an_exception_that_matches_nothing_is_reported() -> Result<(), toml::de::Error> {
        let verdict = evaluate(&[], &excepting("2027-01-01")?, today());
        assert_eq!(verdict.unused_exceptions, vec![0]);
        Ok(())
    }
}
