//! What a report says about many files together: each kind of finding once, with the files that have it, and the
//! folders where the most is wrong.

use std::collections::{BTreeMap, BTreeSet};

use waag_evidence::finding::{Finding, Nature};
use waag_evidence::{Decision, Severity};

use super::subject::{Subject, is_excepted};
use crate::report::Report;

/// Findings that say the same, but for where.
#[derive(Debug)]
pub struct Group<'a> {
    /// The first of them.
    pub finding: &'a Finding,
    /// What they say, without the particulars of each.
    pub kind: &'a str,
    /// What they are about, where they name it: callables, operators, members …
    pub subjects: BTreeSet<&'a str>,
    /// The files they are in, in order.
    pub files: Vec<&'a str>,
}

/// The findings of a report that no exception covers, grouped: gravest first, then those in the most files.
#[must_use]
pub fn groups(report: &Report) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut places = BTreeMap::new();
    for finding in open_findings(report).map(|(_, finding)| finding) {
        let key = (finding.rule.as_str(), finding.severity, kind_of(finding));
        let place = *places.entry(key).or_insert_with(|| {
            groups.push(Group { finding, kind: kind_of(finding), subjects: BTreeSet::new(), files: Vec::new() });
            groups.len() - 1
        });
        let group = &mut groups[place];
        group.subjects.extend(finding.subject.as_deref());
        if group.files.last() != Some(&finding.location.file.as_str()) {
            group.files.push(&finding.location.file);
        }
    }
    groups.sort_by_key(|group| std::cmp::Reverse((group.finding.severity, group.files.len())));
    groups
}

/// What a message says before its particulars.
fn kind_of(finding: &Finding) -> &str {
    finding.message.split_once(": ").map_or(finding.message.as_str(), |(kind, _)| kind)
}

/// How many files end in which decision, each judged by its own findings; worst first.
#[must_use]
pub fn counts(report: &Report, subjects: &[Subject<'_>]) -> Vec<(Decision, u64)> {
    let mut decisions: BTreeMap<&str, Decision> = BTreeMap::new();
    for (file, decision) in files(report) {
        decisions.insert(file, decision);
    }
    let of = |subject: &Subject<'_>| decisions.get(subject.file).copied().unwrap_or(Decision::Allow);
    let mut counts = Vec::new();
    for decision in [Decision::Deny, Decision::Inconclusive, Decision::Allow] {
        let count = subjects.iter().filter(|subject| of(subject) == decision).count() as u64;
        counts.push((decision, count));
    }
    counts
}

/// Folders with how many of their files deny and how many are open; worst first.
#[must_use]
pub fn folders(report: &Report) -> Vec<(&str, u64, u64)> {
    let mut folders: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (file, decision) in files(report) {
        let folder = file.rsplit_once('/').map_or(".", |(folder, _)| folder);
        let (denied, open) = folders.entry(folder).or_default();
        match decision {
            Decision::Deny => *denied += 1,
            Decision::Inconclusive => *open += 1,
            Decision::Allow => {}
        }
    }
    let counted = folders.into_iter().filter(|(_, counts)| *counts != (0, 0));
    let mut list: Vec<_> = counted.map(|(folder, (denied, open))| (folder, denied, open)).collect();
    list.sort_by_key(|(folder, denied, open)| (std::cmp::Reverse((*denied, *open)), *folder));
    list
}

/// Files with open findings and what these make of each.
fn files(report: &Report) -> BTreeMap<&str, Decision> {
    let mut files = BTreeMap::new();
    for (index, finding) in open_findings(report) {
        let decision = files.entry(finding.location.file.as_str()).or_insert(Decision::Allow);
        *decision = (*decision).max(decision_of(report, index, finding));
    }
    files
}

fn open_findings(report: &Report) -> impl Iterator<Item = (usize, &Finding)> {
    report.findings.iter().enumerate().filter(|(index, _)| !is_excepted(report, *index))
}

/// What a finding alone would decide. The verdict lists the findings that led to it; where these deny, those that alone
/// would leave it open are told by their severity.
#[must_use]
pub fn decision_of(report: &Report, index: usize, finding: &Finding) -> Decision {
    let verdict = &report.verdict;
    if verdict.reasons.binary_search(&index).is_ok() {
        return verdict.decision;
    }
    let open = finding.nature == Nature::Incomplete || finding.severity >= Severity::Medium;
    if verdict.decision == Decision::Deny && open { Decision::Inconclusive } else { Decision::Allow }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample;

    #[test]
    fn what_says_the_same_is_told_once_and_the_worst_comes_first() {
        let report = sample::collection();
        let groups = groups(&report);
        let told: Vec<_> = groups.iter().map(|group| (group.kind, group.subjects.len(), group.files.len())).collect();
        assert_eq!(told[0], ("loading runs a shell command", 2, 12));
        assert!(groups.is_sorted_by_key(|group| std::cmp::Reverse(group.finding.severity)));
    }

    #[test]
    fn each_file_is_judged_by_its_own_findings() {
        let report = sample::collection();
        let subjects = crate::output::subject::subjects(&report);
        let counts = counts(&report, &subjects);
        assert_eq!(counts, [(Decision::Deny, 12), (Decision::Inconclusive, 1), (Decision::Allow, 7)]);
        assert_eq!(folders(&report), [("models/a", 6, 0), ("models/b", 6, 0), ("models/c", 0, 1)]);
    }
}
