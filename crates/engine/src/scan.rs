//! From paths to a report: walk, examine every file on all cores, judge.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use waag_evidence::finding::{Finding, Location};
use waag_evidence::{Evidence, ProjectEvidence, evaluate};
use waag_formats::budget::Budget;
use waag_formats::fact::{Anomaly, Fact, FactKind, Gap, Position};
use waag_formats::facts::Facts;
use waag_formats::look_alike;
use waag_formats::source::Source;

use crate::cache::{Cache, CachePlan, key_of};
use crate::evidence::{self, Gathering, Sources};
use crate::examine::{Examination, Examined, judge};
use crate::io::{FileSource, MemoryPlan};
use crate::lock::{Check, Known, ProjectLock};
use crate::project;
use crate::report::{ArtifactReport, Report};
use crate::repository;
use crate::rules::Artifact;
use crate::settings::Settings;
use crate::shards;
use crate::summary;
use crate::trust_store::TrustStore;
use crate::walk::{Entry, EntryKind, walk};

/// How to scan.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Policy and exceptions.
    pub settings: Settings,
    /// Whether to digest every artifact, not only those that are not analysed.
    pub digests: bool,
    /// Where results are kept between scans; none to read everything anew.
    pub cache: Option<CachePlan>,
    /// The folder of the project, where settings name its ingredients.
    pub root: Option<PathBuf>,
    /// A folder that is looked at as a project though no path leads to it: what is checked are its models and datasets.
    pub project: Option<PathBuf>,
    /// What the project's files have to be.
    pub lock: Option<ProjectLock>,
    /// Where the user's trusted roots are, by which Sigstore signatures of ingredients are believed.
    pub trust_store: TrustStore,
    /// Where evidence is looked for, to ask every control; none to judge findings alone.
    pub controls: Option<Sources>,
}

impl Options {
    /// Whether every file has to be digested: where digests are asked for, and where some are refused.
    fn needs_digests(&self) -> bool {
        self.digests || (self.controls.is_some() && !self.settings.trust.denied.is_empty())
    }
}

/// Who is told how far a scan is.
pub trait Progress: Sync {
    /// How much there is to do.
    fn total(&self, files: u64, bytes: u64);
    /// Whether sizes are worth asking the system for.
    fn wants_bytes(&self) -> bool {
        false
    }
    /// A file is done.
    fn advance(&self, bytes: u64, name: &str);
}

/// Nobody is told.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn total(&self, _: u64, _: u64) {}
    fn advance(&self, _: u64, _: &str) {}
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScanError {
    /// A path cannot be read.
    #[error("cannot read '{path}': {source}")]
    Path {
        /// The path as given.
        path: String,
        /// What the operating system says.
        source: std::io::Error,
    },
}

impl ScanError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Path { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                Some("check the spelling; waag reads local paths only".to_owned())
            }
            Self::Path { .. } => Some("check the permissions of the file and of the folders above it".to_owned()),
        }
    }
}

/// An artifact laid open, for `show`.
#[derive(Debug, serde::Serialize)]
pub struct Xray {
    /// What it is.
    #[serde(flatten)]
    pub artifact: ArtifactReport,
    /// Everything that was read in it.
    pub facts: Vec<Fact>,
    /// What lies within it.
    pub members: Vec<Xray>,
}

/// Scans and judges everything below some paths.
///
/// # Errors
/// When a path does not exist or cannot be read at all; what cannot be read below it is a finding.
pub fn scan_paths(paths: &[PathBuf], options: &Options, progress: &dyn Progress) -> Result<Report, ScanError> {
    let locks = lock_check(options, paths);
    let is_gone = |path: &&PathBuf| locks.as_ref().is_some_and(|locks| !path.exists() && locks.names(path));
    let mut entries = Vec::new();
    for path in paths.iter().filter(|path| !is_gone(path)) {
        let found = walk(std::slice::from_ref(path), progress.wants_bytes());
        entries.extend(found.map_err(|source| ScanError::Path { path: path.display().to_string(), source })?);
    }
    entries.sort_by(|one, other| one.path.cmp(&other.path));
    entries.dedup_by(|one, other| one.path == other.path);
    progress.total(entries.len() as u64, entries.iter().map(|entry| entry.size).sum());
    let memory = MemoryPlan::default();
    let plan = options.cache.as_ref().filter(|plan| entries.len() >= plan.at_least);
    // Results of earlier scans save time; without them the answer is the same.
    let cache = plan.and_then(|plan| Cache::open(&plan.folder).ok());
    let digests = options.needs_digests();
    let examine = |entry: &Entry| {
        let is_locked = locks.as_ref().is_some_and(|locks| entry.opened().is_some_and(|path| locks.covers(path)));
        let examined = match is_locked {
            true => examine_entry(entry, true, &memory),
            false => recall_or_examine(entry, digests, &memory, cache.as_ref()),
        };
        progress.advance(entry.size, &entry.path.to_string_lossy());
        examined
    };
    // For a single file, starting threads would take longer than reading it.
    let mut examined: Vec<Examined> = match entries.as_slice() {
        [only] => vec![examine(only)],
        several => several.par_iter().map(examine).collect(),
    };
    let project = examine_projects(paths, options);
    let drifts = locks.as_ref().map(|locks| locks.findings(&digests_of(&entries, &examined)));
    repository::settle_numbers(&entries, &mut examined);
    examined.extend(drifts.map(|findings| Examined { findings, ..Examined::default() }));
    examined.push(Examined { findings: project.findings, ..Examined::default() });
    let reused = cache.map_or(0, |cache| cache.reused());
    let gathering = Gathering { paths, options, locks: locks.as_ref(), project: project.evidence };
    Ok(Report { reused, ..conclude(&gathering, &entries, examined) })
}

/// What is to be said of the folders as projects.
fn examine_projects(paths: &[PathBuf], options: &Options) -> project::Examined {
    let mut all = project::Examined::default();
    if let Some(examiner) = options.controls.as_ref().and_then(|sources| sources.examiner.as_ref()) {
        for folder in projects(paths, options.project.as_ref()) {
            all.join(examiner.examine(folder));
            all.evidence.folders.push(folder.display().to_string());
        }
    }
    all
}

/// The folders that are looked at as projects. What lies below the one that is looked at anyway is part of it.
fn projects<'a>(paths: &'a [PathBuf], project: Option<&'a PathBuf>) -> impl Iterator<Item = &'a PathBuf> {
    let real = |path: &PathBuf| std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
    let whole = project.map(real);
    let is_beside = move |path: &&PathBuf| whole.as_ref().is_none_or(|whole| !real(path).starts_with(whole));
    project.into_iter().chain(paths.iter().filter(|path| path.is_dir()).filter(is_beside))
}

/// Scans and judges bytes in memory, with the default policy.
#[must_use]
pub fn scan_bytes(name: &str, bytes: Vec<u8>) -> Report {
    scan_source(name, &bytes)
}

/// Scans and judges what is no file of its own, with the default policy.
#[must_use]
pub fn scan_source(name: &str, source: &dyn Source) -> Report {
    let memory = MemoryPlan::default();
    let budget = Budget::for_size(source.len());
    let examination = Examination { budget: &budget, memory: &memory, digests: false, keep_facts: false };
    let location = Location::file(name);
    let mut examined = examination.file(source, location.clone());
    examined.findings.extend(name_findings(&location));
    let (paths, options) = (&[PathBuf::from(name)], &Options::default());
    let gathering = Gathering { paths, options, locks: None, project: ProjectEvidence::default() };
    conclude(&gathering, &[], vec![examined])
}

/// Lays one file open.
///
/// # Errors
/// When it cannot be read.
pub fn xray(path: &Path) -> Result<Xray, ScanError> {
    let error = |source| ScanError::Path { path: path.display().to_string(), source };
    let source = FileSource::open(path).map_err(error)?;
    let memory = MemoryPlan::default();
    let budget = Budget::for_size(source.len());
    let examination = Examination { budget: &budget, memory: &memory, digests: true, keep_facts: true };
    let location = Location::file(path.display().to_string());
    let examined = examination.file(&source, location);
    let mut pairs: Vec<_> = examined.artifacts.into_iter().zip(examined.facts).rev().collect();
    let first = pairs.pop().ok_or_else(|| error(std::io::Error::other("nothing could be read")))?;
    Ok(nest(first, &mut pairs))
}

/// Members follow their container in the flat list: those one level deeper are its own.
fn nest((artifact, facts): (ArtifactReport, Facts), rest: &mut Vec<(ArtifactReport, Facts)>) -> Xray {
    let depth = artifact.location.members.len();
    let mut members = Vec::new();
    while rest.last().is_some_and(|(next, _)| next.location.members.len() > depth) {
        if let Some(next) = rest.pop() {
            members.push(nest(next, rest));
        }
    }
    Xray { artifact, facts: facts.list().to_vec(), members }
}

/// The result of an earlier scan, or else a new one, which is kept if the file has not changed meanwhile.
fn recall_or_examine(entry: &Entry, digests: bool, memory: &MemoryPlan, cache: Option<&Cache>) -> Examined {
    let (Some(cache), EntryKind::File(path)) = (cache, &entry.kind) else {
        return examine_entry(entry, digests, memory);
    };
    let shown = entry.path.to_string_lossy();
    let key = key_of(path, &shown, digests);
    if let Some(known) = key.and_then(|key| cache.get(key)) {
        return known;
    }
    let examined = examine_entry(entry, digests, memory);
    let unread = examined.artifacts.is_empty();
    if let Some(key) = key.filter(|key| !unread && Some(*key) == key_of(path, &shown, digests)) {
        cache.put(key, &examined);
    }
    examined
}

/// What the project's lock has to say of the paths, where there is a project.
fn lock_check<'a>(options: &'a Options, paths: &[PathBuf]) -> Option<Check<'a>> {
    let root = options.lock.as_ref().map(|project| &project.root).or(options.root.as_ref())?;
    Some(Check::new(root, options.lock.as_ref(), (&options.settings, &options.trust_store), paths))
}

/// Digests that were made on the way, by the files that were read.
fn digests_of(entries: &[Entry], examined: &[Examined]) -> Known {
    let pairs = entries.iter().zip(examined).filter_map(|(entry, file)| {
        let path = std::fs::canonicalize(entry.opened()?).ok()?;
        Some((path, file.artifacts.first()?.sha256?))
    });
    pairs.collect()
}

fn examine_entry(entry: &Entry, digests: bool, memory: &MemoryPlan) -> Examined {
    let location = Location::file(entry.path.to_string_lossy());
    let mut examined = match &entry.kind {
        EntryKind::File(path) => match FileSource::open(path) {
            Ok(source) => {
                let budget = Budget::for_size(source.len());
                let examination = Examination { budget: &budget, memory, digests, keep_facts: false };
                examination.file(&source, location.clone())
            }
            Err(error) => unread(&location, gap(format!("cannot be opened: {error}"))),
        },
        EntryKind::StrayLink(target) => {
            let detail = format!("a link leads out of the folder, to '{target}'");
            unread(&location, FactKind::Anomaly { anomaly: Anomaly::Link, detail })
        }
        EntryKind::Special => {
            let detail = "a pipe, socket or device where a file should be".to_owned();
            unread(&location, FactKind::Anomaly { anomaly: Anomaly::Link, detail })
        }
        EntryKind::ToolFolder => {
            Examined { artifacts: vec![summary::tool_folder(location.clone())], ..Examined::default() }
        }
        EntryKind::Unreadable(reason) => unread(&location, gap(format!("cannot be read: {reason}"))),
    };
    examined.findings.extend(name_findings(&location));
    examined
}

/// What is said of a file's name.
fn name_findings(location: &Location) -> Vec<Finding> {
    let told = |anomaly, detail| findings(location, FactKind::Anomaly { anomaly, detail });
    let mut list = Vec::new();
    if crate::sanitize::is_deceptive(&location.file) {
        list.extend(told(Anomaly::DeceptiveName, location.file.clone()));
    }
    if let Some(detail) = look_alike::mixed_script(&location.file) {
        list.extend(told(Anomaly::DeceptiveName, detail));
    } else if let Some(detail) = look_alike::judge(&location.file, false) {
        list.extend(told(Anomaly::LookAlike, detail));
    }
    list
}

fn gap(detail: String) -> FactKind {
    FactKind::Incomplete { reason: Gap::Unreadable, detail }
}

/// What is said of something that was not opened.
fn unread(location: &Location, kind: FactKind) -> Examined {
    Examined { findings: findings(location, kind), ..Examined::default() }
}

/// The rules' opinion on a single fact about a file as a whole.
pub(crate) fn findings(location: &Location, kind: FactKind) -> Vec<Finding> {
    let facts = [Fact { position: Position::Whole, kind }];
    let name = location.members.last().unwrap_or(&location.file);
    let mut list = Vec::new();
    judge(location, &Artifact { name, size: 0, format: None, facts: &facts, is_file: true }, &mut list);
    list
}

fn conclude(gathering: &Gathering<'_>, entries: &[Entry], examined: Vec<Examined>) -> Report {
    let mut artifacts = Vec::new();
    let mut findings = Vec::new();
    let mut references = Vec::new();
    let wrong_sizes = repository::check_sizes(entries, &examined);
    for mut file in examined {
        artifacts.append(&mut file.artifacts);
        findings.append(&mut file.findings);
        references.append(&mut file.references);
    }
    findings.extend(repository::check(entries, &references));
    findings.extend(wrong_sizes);
    findings.extend(shards::check(entries));
    sort(&mut findings);
    judge_all(gathering, artifacts, findings)
}

/// Gathers what the policy asks for, and judges.
fn judge_all(gathering: &Gathering<'_>, artifacts: Vec<ArtifactReport>, findings: Vec<Finding>) -> Report {
    let Options { settings, controls, .. } = gathering.options;
    let policy = if controls.is_some() { settings.policy.clone() } else { settings.policy.for_findings() };
    let subject = evidence::subject(gathering.paths, &artifacts);
    let evidence = Evidence { findings, ..gathering.evidence(&artifacts) };
    let verdict = evaluate(&subject, &evidence, &policy, crate::clock::today());
    let (evidence, findings) = evidence::split(evidence);
    Report {
        paths: gathering.paths.iter().map(|path| path.display().to_string()).collect(),
        artifacts,
        verdict,
        exceptions: policy.exceptions,
        policy: settings.policy_digest(),
        reused: 0,
        is_code: false,
        subject,
        findings,
        evidence,
    }
}

/// Gravest first, then by place, so that the same input gives the same bytes.
fn sort(findings: &mut [Finding]) {
    findings.sort_by(|one, other| {
        let grave = |finding: &Finding| std::cmp::Reverse(finding.severity);
        (grave(one), &one.location, &one.rule, &one.message).cmp(&(
            grave(other),
            &other.location,
            &other.rule,
            &other.message,
        ))
    });
}
