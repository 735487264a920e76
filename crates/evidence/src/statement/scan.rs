//! What a scan of files found, what it could not read, and what a policy makes of it. A predicate of our own: that of
//! vulnerabilities is about known ones in packages, and has no word for bytes that nobody could analyse.
//!
//! `docs/schema/scan-predicate.schema.json` is its schema.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::ResourceDescriptor;
use super::evidence::{EvidenceType, Maker, reading};
use super::predicate::{InvalidPredicate, Line, Predicate, check_descriptor, check_text, check_uri, told};
use crate::finding::{Confidence, Finding, Location, Nature, Severity};
use crate::{Decision, strict};

/// The predicate's type.
pub const PREDICATE_TYPE: &str = "https://waag.dev/predicates/scan/v1";
/// Findings that are told one by one.
const MAX_LISTED: usize = 10;

pub(super) static TYPE: EvidenceType = EvidenceType {
    id: "scan",
    title: "scan by waag",
    about: "what loading it would do, what could not be analysed, and what a policy makes of that",
    uris: &[PREDICATE_TYPE],
    versioned: false,
    specification: "https://waag.dev/predicates/scan/v1",
    maker: Maker::Attest,
    read: |value| reading::<Scan>(PREDICATE_TYPE, value),
};

/// One scan, judged by one policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scan {
    /// What scanned.
    #[serde(deserialize_with = "strict::object")]
    pub scanner: ScannedBy,
    /// By which policy. Its digest says which version.
    #[serde(deserialize_with = "strict::object")]
    pub policy: ResourceDescriptor,
    /// What follows.
    pub decision: Decision,
    /// How much was looked at.
    #[serde(deserialize_with = "strict::object")]
    pub artifacts: ScannedArtifacts,
    /// Dangers that were seen, gravest first.
    #[serde(deserialize_with = "strict::objects")]
    pub findings: Vec<ScanFinding>,
    /// What could not be analysed: it may be anything.
    #[serde(deserialize_with = "strict::objects")]
    pub incomplete: Vec<ScanFinding>,
}

/// What scanned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScannedBy {
    /// Which program.
    pub uri: String,
    /// Its version, on which its rules depend.
    pub version: String,
}

/// How many files and members were looked at, and how far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScannedArtifacts {
    /// All that decides what loading them does was read.
    pub complete: u64,
    /// Something of them was not read.
    pub partial: u64,
    /// Only name, size and digest: nothing that loads models executes them.
    pub not_analysed: u64,
}

/// Something that was found, or something that was not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScanFinding {
    /// The rule that says so.
    pub rule: String,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// Where; the file as the subject names it.
    #[serde(deserialize_with = "strict::object")]
    pub location: Location,
    /// What, in one line.
    pub message: String,
    /// What it is about, exactly as it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What was read there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// How many times the same was seen.
    pub count: u64,
    /// Why the policy lets it pass.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "strict::optional")]
    pub exception: Option<AppliedException>,
}

/// An exception that covers a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppliedException {
    /// Why it is acceptable.
    pub reason: String,
    /// The last day on which it is.
    pub until: Date,
}

impl ScanFinding {
    /// A finding as a statement has it, without advice.
    #[must_use]
    pub fn new(finding: &Finding, exception: Option<AppliedException>) -> Self {
        Self {
            rule: finding.rule.clone(),
            severity: finding.severity,
            confidence: finding.confidence,
            location: finding.location.clone(),
            message: finding.message.clone(),
            subject: finding.subject.clone(),
            evidence: finding.evidence.clone(),
            count: finding.count,
            exception,
        }
    }
}

impl Scan {
    /// Puts findings where they belong: dangers, and what was not read.
    #[must_use]
    pub fn split(findings: Vec<(Nature, ScanFinding)>) -> (Vec<ScanFinding>, Vec<ScanFinding>) {
        let (risks, gaps): (Vec<_>, Vec<_>) = findings.into_iter().partition(|(nature, _)| *nature == Nature::Risk);
        let alone = |list: Vec<(Nature, ScanFinding)>| list.into_iter().map(|(_, finding)| finding).collect();
        (alone(risks), alone(gaps))
    }
}

impl Predicate for Scan {
    fn check(&self) -> Result<(), InvalidPredicate> {
        check_uri("scanner.uri", &self.scanner.uri)?;
        check_text("scanner.version", &self.scanner.version)?;
        check_descriptor("policy", &self.policy)?;
        if self.policy.digest.is_empty() {
            return Err(InvalidPredicate::at("policy.digest", "without it nobody knows by which policy was judged"));
        }
        for (list, findings) in [("findings", &self.findings), ("incomplete", &self.incomplete)] {
            for (index, finding) in findings.iter().enumerate() {
                check_text(format_args!("{list}[{index}].rule"), &finding.rule)?;
                check_text(format_args!("{list}[{index}].location.file"), &finding.location.file)?;
            }
        }
        Ok(())
    }

    fn objection(&self) -> Option<String> {
        (self.decision != Decision::Allow).then(|| format!("the scan says '{}'", self.decision))
    }

    fn summary(&self) -> Vec<Line> {
        let ScannedArtifacts { complete, partial, not_analysed } = self.artifacts;
        let artifacts = format!("{complete} read in full, {partial} in part, {not_analysed} not analysed");
        let told_one = |label| {
            move |found: &ScanFinding| {
                let excepted = if found.exception.is_some() { ", excepted" } else { "" };
                Line::new(label, format_args!("{}[{}]: {}{excepted}", found.location.path(), found.rule, found.message))
            }
        };
        let mut lines = vec![
            Line::new("decision", self.decision),
            Line::new("scanner", format_args!("{} {}", self.scanner.uri, self.scanner.version)),
            Line::new("policy", told(&self.policy)),
            Line::new("artifacts", artifacts),
        ];
        lines.extend(self.findings.iter().take(MAX_LISTED).map(told_one("found")));
        lines.extend(self.incomplete.iter().take(MAX_LISTED).map(told_one("not read")));
        let more = (self.findings.len().saturating_sub(MAX_LISTED)) + self.incomplete.len().saturating_sub(MAX_LISTED);
        lines.extend((more > 0).then(|| Line::new("found", format_args!("and {more} more"))));
        lines
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::statement::predicate::read;

    fn example() -> Value {
        json!({
            "scanner": {"uri": "https://waag.dev/waag", "version": "0.1.0"},
            "policy": {"uri": "https://waag.dev/policies/default/v1", "digest": {"sha256": "ab".repeat(32)}},
            "decision": "deny",
            "artifacts": {"complete": 1, "partial": 0, "notAnalysed": 2},
            "findings": [{
                "rule": "code-execution", "severity": "critical", "confidence": "high",
                "location": {"file": "model.pkl", "offset": 3}, "message": "loading runs a shell command",
                "evidence": "os.system('id')", "count": 1,
                "exception": {"reason": "ours", "until": "2027-01-31"},
            }],
            "incomplete": [],
        })
    }

    #[test]
    fn a_scan_is_read_as_it_is_written() {
        let scan: Scan = read(&example()).unwrap();
        assert_eq!(serde_json::to_value(&scan).unwrap(), example());
        assert!(scan.summary().iter().any(|line| line.text.contains("model.pkl[code-execution]")));
    }

    #[test]
    fn what_is_wrong_is_placed() {
        let place = |pointer: &str, other: Value| {
            let mut value = example();
            *value.pointer_mut(pointer).unwrap() = other;
            read::<Scan>(&value).unwrap_err().place
        };
        assert_eq!(place("/decision", json!("good")), "decision");
        assert_eq!(place("/policy/digest", json!({})), "policy.digest");
        assert_eq!(place("/findings/0/severity", json!("bad")), "findings[0].severity");
        assert_eq!(place("/findings/0/location", json!({"file": ""})), "findings[0].location.file");
    }
}
