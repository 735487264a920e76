//! For code scanning: SARIF 2.1.0, as GitHub, GitLab, Azure DevOps and editors read it.

mod model;
mod uri;

use std::collections::BTreeMap;
use std::io::{self, Write};

use sha2::{Digest, Sha256};
use waag_evidence::finding::Nature;
use waag_evidence::verdict::Judged;
use waag_evidence::{Confidence, Decision, Finding, Outcome, Persona, Severity};

use self::model::{
    Artifact, ArtifactLocation, Driver, Hashes, Help, Invocation, Level, Location, Log, LogicalLocation, Message,
    PhysicalLocation, Properties, Region, ReportingConfiguration, ReportingDescriptor, ResultItem, RuleProperties, Run,
    Suppression, Tool,
};
use super::{Output, Style, controls, subject, text, write_json};
use crate::report::Report;
use crate::rules::RULES;
use crate::sanitize::sanitize;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// Part of a fingerprint's name: raised when the same finding gets another fingerprint.
const FINGERPRINT: &str = "waagFinding/v1";

/// See the module.
pub(super) struct Sarif;

impl Output for Sarif {
    fn id(&self) -> &'static str {
        "sarif"
    }

    fn about(&self) -> &'static str {
        "SARIF 2.1.0, for code scanning"
    }

    fn render(&self, report: &Report, out: &mut dyn Write, _style: Style) -> io::Result<()> {
        write_json(&log(report), out)
    }
}

fn log(report: &Report) -> Log<'_> {
    let rules = rules(report);
    let run = Run {
        invocations: vec![Invocation { execution_successful: true }],
        artifacts: artifacts(report),
        results: results(report, &rules),
        column_kind: "unicodeCodePoints",
        properties: BTreeMap::from([
            ("decision", text::decision_word(report.verdict.decision).to_owned()),
            ("reason", subject::reason(report)),
        ]),
        tool: Tool {
            driver: Driver {
                name: "waag",
                semantic_version: env!("CARGO_PKG_VERSION"),
                information_uri: env!("CARGO_PKG_REPOSITORY"),
                rules,
            },
        },
    };
    Log { schema: SCHEMA, version: "2.1.0", runs: vec![run] }
}

/// Every rule there is, and then those that findings name beside them, so that no result lacks its rule.
fn rules(report: &Report) -> Vec<ReportingDescriptor<'_>> {
    let mut rules: Vec<ReportingDescriptor<'_>> = RULES.iter().map(|rule| described(rule.meta())).collect();
    for finding in &report.findings {
        if !rules.iter().any(|rule| rule.id == finding.rule) {
            rules.push(ReportingDescriptor {
                id: &finding.rule,
                short_description: None,
                help: None,
                default_configuration: None,
                properties: None,
            });
        }
    }
    rules.extend(deciding(report).map(described_control));
    // GitHub sorts alerts by the rule's grade: that of the gravest finding it made here.
    for rule in &mut rules {
        let found = report.findings.iter().filter(|finding| finding.rule == rule.id);
        if let Some(severity) = found.map(|finding| finding.severity).max() {
            rule.default_configuration = Some(ReportingConfiguration { level: level(severity) });
            rule.properties = Some(RuleProperties { security_severity: score(severity), tags: &["security"] });
        }
    }
    rules
}

/// The controls that lead to a verdict. Findings have results of their own.
fn deciding(report: &Report) -> impl Iterator<Item = &Judged> {
    controls::beside_findings(report).filter(|judged| judged.decision != Decision::Allow)
}

fn described_control(judged: &Judged) -> ReportingDescriptor<'_> {
    let help = waag_evidence::control::find(&judged.id);
    ReportingDescriptor {
        id: &judged.id,
        short_description: Some(Message { text: sanitize(&judged.title) }),
        help: help.map(|control| Help { text: control.pass, markdown: control.pass }),
        default_configuration: Some(ReportingConfiguration { level: level(grade(judged)) }),
        properties: Some(RuleProperties { security_severity: score(grade(judged)), tags: &["policy"] }),
    }
}

fn grade(judged: &Judged) -> Severity {
    if judged.decision == Decision::Deny { Severity::High } else { Severity::Medium }
}

/// A control as a result. It is about what was checked as a whole where it names no place.
fn control_result<'a>(report: &'a Report, rules: &[ReportingDescriptor<'_>], judged: &'a Judged) -> ResultItem<'a> {
    let (seen, more) = controls::worst(judged).map_or((None, 0), |(seen, more)| (Some(&seen.observation), more));
    let place = seen.map(|seen| seen.place.as_str()).filter(|place| !place.is_empty());
    let place = place.or(report.paths.first().map(String::as_str)).unwrap_or(".");
    let next = seen.map_or("", |seen| &seen.next);
    let text = format!("{}\nSeen: {}\nNext: {}", sanitize(&judged.title), controls::told(judged), sanitize(next));
    let grade = grade(judged);
    ResultItem {
        rule_id: &judged.id,
        rule_index: rules.iter().position(|rule| rule.id == judged.id),
        level: level(grade),
        message: Message { text: unlinked(&text) },
        locations: vec![Location {
            physical_location: PhysicalLocation {
                artifact_location: ArtifactLocation { uri: uri::from_path(place) },
                region: None,
            },
            logical_locations: None,
        }],
        occurrence_count: (more as u64).saturating_add(1).min(i32::MAX as u64),
        partial_fingerprints: BTreeMap::from([(FINGERPRINT, format!("{}:{}", judged.id, sanitize(place)))]),
        suppressions: None,
        properties: Properties {
            severity: grade,
            confidence: Confidence::High,
            persona: Persona::Everyone,
            nature: if judged.outcome == Outcome::Unknown { Nature::Incomplete } else { Nature::Risk },
            security_severity: score(grade),
            next_step: next,
            evidence: seen.map(|seen| seen.seen.as_str()),
            member_offset: None,
        },
    }
}

fn described(meta: &'static crate::rules::Meta) -> ReportingDescriptor<'static> {
    ReportingDescriptor {
        id: meta.id,
        short_description: Some(Message { text: meta.title.to_owned() }),
        help: Some(Help { text: meta.page, markdown: meta.page }),
        default_configuration: None,
        properties: None,
    }
}

fn artifacts(report: &Report) -> Vec<Artifact> {
    let files = report.artifacts.iter().filter(|artifact| artifact.location.members.is_empty());
    files
        .map(|artifact| Artifact {
            location: ArtifactLocation { uri: uri::from_path(&artifact.location.file) },
            length: i64::try_from(artifact.size).unwrap_or(-1),
            hashes: artifact.sha256.map(|digest| Hashes { sha256: digest.to_string() }),
        })
        .collect()
}

fn results<'a>(report: &'a Report, rules: &[ReportingDescriptor<'_>]) -> Vec<ResultItem<'a>> {
    let mut seen = BTreeMap::new();
    let mut fingerprint = |finding: &Finding| {
        let base = fingerprint_base(finding);
        let occurrence: &mut u64 = seen.entry(base.clone()).or_default();
        *occurrence += 1;
        format!("{base}:{occurrence}")
    };
    let findings = report.findings.iter().enumerate();
    findings
        .map(|(index, finding)| ResultItem {
            rule_id: &finding.rule,
            rule_index: rules.iter().position(|rule| rule.id == finding.rule),
            level: level(finding.severity),
            message: Message { text: message(finding) },
            locations: vec![location(finding)],
            occurrence_count: finding.count.clamp(1, i32::MAX as u64),
            partial_fingerprints: BTreeMap::from([(FINGERPRINT, fingerprint(finding))]),
            suppressions: suppressions(report, index),
            properties: properties(finding),
        })
        .chain(deciding(report).map(|judged| control_result(report, rules, judged)))
        .collect()
}

fn properties(finding: &Finding) -> Properties<'_> {
    Properties {
        severity: finding.severity,
        confidence: finding.confidence,
        persona: finding.persona,
        nature: finding.nature,
        security_severity: score(finding.severity),
        next_step: &finding.next_step,
        evidence: finding.evidence.as_deref(),
        member_offset: finding.location.offset.filter(|_| !finding.location.members.is_empty()),
    }
}

/// Viewers show this text and little else, so it carries the place within the file, the evidence and the next step.
fn message(finding: &Finding) -> String {
    let mut parts = vec![sanitize(&finding.message)];
    if !finding.location.members.is_empty() || finding.location.offset.is_some() {
        parts.push(format!("At: {}", text::place(&finding.location)));
    }
    parts.extend(finding.evidence.iter().map(|evidence| format!("Seen: {}", text::excerpt(evidence, 500))));
    parts.push(format!("Next: {}", sanitize(&finding.next_step)));
    unlinked(&parts.join("\n"))
}

/// In SARIF `[text](target)` is a link even in plain text: an artifact must not place one in a report about itself.
fn unlinked(text: &str) -> String {
    if text.contains("](") { text.replace('[', "\\[").replace(']', "\\]") } else { text.to_owned() }
}

fn location(finding: &Finding) -> Location {
    let in_member = !finding.location.members.is_empty();
    let region = Region { byte_offset: finding.location.offset, start_line: finding.location.line };
    // A region speaks of the file's own bytes; an offset in a member is no place in the file.
    let has_region = !in_member && (region.byte_offset.is_some() || region.start_line.is_some());
    Location {
        physical_location: PhysicalLocation {
            artifact_location: ArtifactLocation { uri: uri::from_path(&finding.location.file) },
            region: has_region.then_some(region),
        },
        logical_locations: in_member.then(|| vec![logical(finding)]),
    }
}

fn logical(finding: &Finding) -> LogicalLocation {
    let name = finding.location.members.last().map(|name| sanitize(name)).unwrap_or_default();
    LogicalLocation { name, fully_qualified_name: sanitize(&finding.location.path()), kind: "member" }
}

/// The same for the same finding after the file has been written anew: offsets are left out.
fn fingerprint_base(finding: &Finding) -> String {
    let mut hash = Sha256::new();
    let members = finding.location.members.iter().map(String::as_str);
    for part in [finding.rule.as_str(), &finding.message, &finding.location.file].into_iter().chain(members) {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn suppressions(report: &Report, index: usize) -> Option<Vec<Suppression<'_>>> {
    let exception = report.exceptions.get(subject::exception_of(report, index)?)?;
    Some(vec![Suppression { kind: "external", status: "accepted", justification: &exception.reason }])
}

const fn level(severity: Severity) -> Level {
    match severity {
        Severity::Critical | Severity::High => Level::Error,
        Severity::Medium => Level::Warning,
        Severity::Low | Severity::Info => Level::Note,
    }
}

/// GitHub reads a CVSS-like score and makes its own words of it: above 9 critical, 7 high, 4 medium, the rest low.
const fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
        Severity::Info => "0.0",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample;

    #[test]
    fn reports_pass_the_official_schema() {
        let schema = include_str!("../../testdata/schema/sarif-schema-2.1.0.json");
        let schema = serde_json::from_str(schema).unwrap();
        let validator = jsonschema::draft4::new(&schema).unwrap();
        for (name, report) in sample::all() {
            let value = serde_json::to_value(log(&report)).unwrap();
            let errors: Vec<String> =
                validator.iter_errors(&value).map(|error| format!("{} {error}", error.instance_path())).collect();
            assert!(errors.is_empty(), "{name}: {errors:#?}");
        }
    }

    #[test]
    fn every_result_has_its_rule() {
        let report = sample::deny();
        let rules = rules(&report);
        for result in results(&report, &rules) {
            assert_eq!(result.rule_index.map(|index| rules[index].id), Some(result.rule_id));
        }
    }

    #[test]
    fn fingerprints_are_unique_and_ignore_offsets() {
        let mut report = sample::deny();
        let before = fingerprint_base(&report.findings[0]);
        report.findings[0].location.offset = Some(9999);
        assert_eq!(fingerprint_base(&report.findings[0]), before);
        report.findings.push(report.findings[0].clone());
        let results = results(&report, &[]);
        assert_ne!(results[0].partial_fingerprints, results[3].partial_fingerprints);
    }

    #[test]
    fn an_artifact_places_no_link() {
        assert_eq!(unlinked("see [x](https://evil.example)"), "see \\[x\\](https://evil.example)");
        assert_eq!(unlinked("a[0] (b)"), "a[0] (b)");
    }
}
