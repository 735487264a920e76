//! What a report says about whole files: members are summed up into the file that holds them.

use std::collections::BTreeMap;

use waag_evidence::control::{is_of_findings, of_finding};
use waag_evidence::finding::{Finding, Nature};
use waag_evidence::{Decision, Severity};
use waag_formats::facts::TensorTotals;

use super::{controls, text};
use crate::report::{Analysis, ArtifactReport, Loading, Report};

/// Tensor types that are told apart on one line.
const MAX_DTYPES: usize = 4;
/// Formats that are counted one by one on a line.
const MAX_KINDS: usize = 12;
/// Properties that say more about a file than that it is well-formed, in the order in which they are told.
const TELLING: &[&str] = &["framework", "architecture", "version", "protocol"];

/// One file with everything inside it.
#[derive(Debug)]
pub struct Subject<'a> {
    /// Its path.
    pub file: &'a str,
    /// The file itself; none when only members of it are in the report.
    pub main: &'a ArtifactReport,
    /// Sums over tensors.
    pub tensors: TensorTotals,
    /// Elements per element type, most first.
    pub dtypes: Vec<(&'a str, u64)>,
    /// What loading it calls.
    pub loading: Loading,
    /// How far the least understood part was analysed.
    pub analysis: Analysis,
    /// What was found in it, with the index in the report.
    pub findings: Vec<(usize, &'a Finding)>,
}

/// The files of a report, in its order.
#[must_use]
pub fn subjects(report: &Report) -> Vec<Subject<'_>> {
    let mut list: Vec<Subject<'_>> = Vec::new();
    let mut places = BTreeMap::new();
    for artifact in &report.artifacts {
        let file = artifact.location.file.as_str();
        let place = *places.entry(file).or_insert_with(|| {
            list.push(Subject::new(artifact));
            list.len() - 1
        });
        list[place].add(artifact);
    }
    // What is wrong with a project is told by its controls.
    let own = report.findings.iter().enumerate().filter(|(_, finding)| is_told(report, finding));
    for (index, finding) in own {
        if let Some(place) = places.get(finding.location.file.as_str()) {
            list[*place].findings.push((index, finding));
        }
    }
    list
}

impl<'a> Subject<'a> {
    fn new(artifact: &'a ArtifactReport) -> Self {
        Self {
            file: &artifact.location.file,
            main: artifact,
            tensors: TensorTotals::default(),
            dtypes: Vec::new(),
            loading: Loading::default(),
            analysis: artifact.analysis,
            findings: Vec::new(),
        }
    }

    fn add(&mut self, artifact: &'a ArtifactReport) {
        self.loading.inert = self.loading.inert.saturating_add(artifact.loading.inert);
        self.loading.unlisted = self.loading.unlisted.saturating_add(artifact.loading.unlisted);
        self.loading.dangerous = self.loading.dangerous.saturating_add(artifact.loading.dangerous);
        if artifact.analysis == Analysis::Partial {
            self.analysis = Analysis::Partial;
        }
        // A container that names its tensors itself knows better than its parts, which would count them again.
        if self.main.tensors.tensors == 0 || std::ptr::eq(self.main, artifact) {
            self.add_tensors(artifact);
        }
    }

    fn add_tensors(&mut self, artifact: &'a ArtifactReport) {
        self.tensors.tensors = self.tensors.tensors.saturating_add(artifact.tensors.tensors);
        self.tensors.parameters = self.tensors.parameters.saturating_add(artifact.tensors.parameters);
        self.tensors.bytes = self.tensors.bytes.saturating_add(artifact.tensors.bytes);
        for (name, elements) in &artifact.dtypes {
            match self.dtypes.iter_mut().find(|(known, _)| known == name) {
                Some((_, sum)) => *sum = sum.saturating_add(*elements),
                None => self.dtypes.push((name, *elements)),
            }
        }
        self.dtypes.sort_by_key(|(_, elements)| std::cmp::Reverse(*elements));
    }

    /// What it is, in a few words: `PyTorch zip, framework PyTorch, version 3`.
    #[must_use]
    pub fn kind(&self) -> String {
        let telling = TELLING.iter().filter_map(|wanted| {
            let (name, value) = self.main.properties.iter().find(|(name, _)| name == wanted)?;
            Some(format!(", {name} {}", text::excerpt(value, 40)))
        });
        std::iter::once(self.main.title.to_owned()).chain(telling).collect()
    }

    /// Its numbers in words, if it has any: `124.4 M parameters in 148 tensors: F16 99.6 %, I64 0.3 %`.
    #[must_use]
    pub fn numbers(&self) -> Option<String> {
        let tensors = text::counted(self.tensors.tensors, "tensor");
        let parameters = text::parameters(self.tensors.parameters);
        (self.tensors.tensors > 0).then(|| format!("{parameters} parameters in {tensors}{}", self.dtype_words()))
    }

    fn dtype_words(&self) -> String {
        let whole: u64 = self.dtypes.iter().fold(0, |sum, (_, elements)| sum.saturating_add(*elements));
        let mut words: Vec<String> =
            self.dtypes.iter().take(MAX_DTYPES).map(|(name, elements)| share(name, *elements, whole)).collect();
        let more = self.dtypes.len().saturating_sub(MAX_DTYPES);
        if more > 0 {
            words.push(format!("{more} more"));
        }
        if words.is_empty() { String::new() } else { format!(": {}", words.join(", ")) }
    }

    /// What loading it would do.
    #[must_use]
    pub fn effect(&self) -> Effect<'a> {
        let worst = self.findings.iter().map(|(_, finding)| *finding).find(|finding| finding.nature == Nature::Risk);
        let grave = worst.filter(|finding| finding.severity >= Severity::High);
        match (self.loading, grave) {
            (Loading { dangerous: 1.., .. }, finding) => {
                Effect::RunsCode(finding.and_then(|it| it.evidence.as_deref()))
            }
            (Loading { unlisted: uses @ 1.., .. }, _) => Effect::MayRunCode(uses),
            (_, Some(finding)) => Effect::Unsafe(&finding.message),
            _ if self.analysis == Analysis::Partial => Effect::Unclear,
            _ if self.analysis == Analysis::NotAnalysed => Effect::NotAnalysed,
            (Loading { inert: 0, .. }, None) => Effect::ReadsData(self.tensors.tensors),
            (Loading { inert: uses, .. }, None) => Effect::BuildsData(self.tensors.tensors, uses),
        }
    }
}

fn share(name: &str, elements: u64, whole: u64) -> String {
    let name = text::excerpt(name, 24);
    if elements == whole { name } else { format!("{name} {}", text::percent(elements, whole)) }
}

/// What loading a file would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect<'a> {
    /// It runs code, this for one.
    RunsCode(Option<&'a str>),
    /// It uses callables so many times that no list clears.
    MayRunCode(u64),
    /// It is dangerous in another way.
    Unsafe(&'a str),
    /// Not everything that decides it could be read.
    Unclear,
    /// Nobody here knows; loaders of models do not execute such files.
    NotAnalysed,
    /// It reads so many tensors and calls nothing.
    ReadsData(u64),
    /// It builds so many tensors through so many uses of callables that are known to be inert.
    BuildsData(u64, u64),
}

impl Effect<'_> {
    /// In words that complete "Loading it". Safe to print.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::RunsCode(None) => "RUNS CODE".to_owned(),
            Self::RunsCode(Some(code)) => format!("RUNS CODE: {}", text::excerpt(code, 160)),
            Self::MayRunCode(1) => "MAY RUN CODE: 1 use of a callable is not known to be inert".to_owned(),
            Self::MayRunCode(uses) => format!("MAY RUN CODE: {uses} uses of callables are not known to be inert"),
            Self::Unsafe(message) => format!("IS NOT SAFE: {}", text::excerpt(message, 160)),
            Self::Unclear => "is not fully understood: part of the file was not analysed".to_owned(),
            Self::NotAnalysed => "was not analysed: loaders of models do not execute such files".to_owned(),
            Self::ReadsData(0) => "reads data and calls nothing".to_owned(),
            Self::ReadsData(tensors) => format!("reads {} and calls nothing", text::counted(tensors, "tensor")),
            Self::BuildsData(0, _) => "rebuilds data; calls nothing that is not known to be inert".to_owned(),
            Self::BuildsData(tensors, _) => {
                format!("rebuilds {}; calls nothing that is not known to be inert", text::counted(tensors, "tensor"))
            }
        }
    }

    /// What it speaks for.
    #[must_use]
    pub fn decision(self) -> Decision {
        match self {
            Self::RunsCode(_) | Self::Unsafe(_) => Decision::Deny,
            Self::MayRunCode(_) | Self::Unclear => Decision::Inconclusive,
            Self::NotAnalysed | Self::ReadsData(_) | Self::BuildsData(..) => Decision::Allow,
        }
    }
}

/// All files on one line: `8 files, 1.2 GB: 3 Safetensors, 2 JSON, 3 not analysed`.
#[must_use]
pub fn totals(subjects: &[Subject<'_>]) -> String {
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for subject in subjects {
        let unknown = subject.main.title == "unknown";
        *kinds.entry(if unknown { "of unknown format" } else { subject.main.title }).or_default() += 1;
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|(title, count)| (*title == "of unknown format", std::cmp::Reverse(*count)));
    let kinds = kinds.iter().map(|(title, count)| format!("{count} {title}"));
    let bytes = subjects.iter().fold(0, |sum: u64, subject| sum.saturating_add(subject.main.size));
    format!(
        "{}, {}: {}",
        text::counted(subjects.len() as u64, "file"),
        text::size(bytes),
        text::listing(kinds, MAX_KINDS)
    )
}

/// The exception that covers a finding, both by index. The verdict lists them in order of finding.
pub(super) fn exception_of(report: &Report, finding: usize) -> Option<usize> {
    let excepted = &report.verdict.excepted;
    let place = excepted.binary_search_by_key(&finding, |(finding, _)| *finding).ok()?;
    excepted.get(place).map(|(_, exception)| *exception)
}

/// Whether an exception covers a finding.
pub(super) fn is_excepted(report: &Report, finding: usize) -> bool {
    exception_of(report, finding).is_some()
}

/// Whether a finding is told as one: in a project's report its control tells of it, where it belongs to one.
fn is_told(report: &Report, finding: &Finding) -> bool {
    report.is_code || is_of_findings(of_finding(finding))
}

/// Why the verdict is what it is, in one line.
#[must_use]
pub fn reason(report: &Report) -> String {
    let is_project = !report.evidence.project.looks.is_empty();
    match report.verdict.decision {
        // What denies a project may be no more than versions that do not go together.
        Decision::Deny if is_project && reason_findings(report).next().is_none() => {
            format!("not as it is; {}", reasons(report))
        }
        Decision::Deny if report.is_code => format!("do not run it as it is; {}", reasons(report)),
        Decision::Deny => format!("do not load it; {}", reasons(report)),
        Decision::Inconclusive if report.is_code => format!("look at this before it is run; {}", reasons(report)),
        Decision::Inconclusive => format!("neither cleared nor shown to be bad; {}", reasons(report)),
        Decision::Allow => allowed_because(report),
    }
}

/// The findings and the controls that led to it.
fn reasons(report: &Report) -> String {
    let mut parts = Vec::new();
    let findings = reason_findings(report).count() as u64;
    let controls: Vec<&str> = controls::reasons(report).map(|judged| judged.id.as_str()).collect();
    if findings > 0 {
        parts.push(format!("{}: {}", text::counted(findings, "finding"), reason_rules(report)));
    }
    if !controls.is_empty() {
        parts.push(format!("{}: {}", text::counted(controls.len() as u64, "control"), controls.join(", ")));
    }
    parts.join("; ")
}

/// The findings that led to it, without those that a control tells of.
fn reason_findings(report: &Report) -> impl Iterator<Item = &Finding> {
    let findings = report.verdict.reasons.iter().filter_map(|index| report.findings.get(*index));
    findings.filter(|finding| is_told(report, finding))
}

fn reason_rules(report: &Report) -> String {
    let mut rules: Vec<&str> = Vec::new();
    for finding in reason_findings(report) {
        if !rules.contains(&finding.rule.as_str()) {
            rules.push(&finding.rule);
        }
    }
    rules.join(", ")
}

fn allowed_because(report: &Report) -> String {
    let excepted = report.verdict.excepted.len() as u64;
    let others = report.findings.iter().enumerate();
    let others = others.filter(|(index, finding)| !is_excepted(report, *index) && is_told(report, finding));
    let others = others.count() as u64;
    let analysed = report.artifacts.iter().any(|artifact| artifact.analysis != Analysis::NotAnalysed);
    let mut reason = match others {
        _ if report.artifacts.is_empty() => "there is nothing here".to_owned(),
        0 if report.is_code => "nothing speaks against running it".to_owned(),
        0 if !analysed => "no model was found; nothing here is executed by loaders of models".to_owned(),
        0 => "nothing speaks against loading it".to_owned(),
        _ => format!("{}, none grave enough to stop it", text::counted(others, "finding")),
    };
    if excepted > 0 {
        reason += &format!("; {} excepted", text::counted(excepted, "finding"));
    }
    reason
}
