//! What is known of a subject when it is judged, gathered from its files, its project, signatures and statements.

mod denials;
mod lineage;
mod signatures;
mod statements;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use waag_evidence::gathered::{FileEvidence, Part};
use waag_evidence::{Evidence, Finding, ProjectEvidence, Subject};

use crate::lock::{Asked, Check};
use crate::project::Examiner;
use crate::report::ArtifactReport;
use crate::scan::Options;
use crate::trust_store::TrustStore;

/// Paths of which a subject's name is made; of more, it says how many.
const MAX_NAMED: usize = 8;

/// Where evidence is looked for, beside the files themselves and their project.
#[derive(Debug, Clone)]
pub struct Sources {
    /// The user's trusted roots.
    pub store: TrustStore,
    /// The ledger, where there is one.
    pub ledger: Option<PathBuf>,
    /// waag's folder in the user's cache, which the ledger's index is kept in.
    pub cache: Option<PathBuf>,
    /// Who looks at the projects that are judged.
    pub examiner: Option<Arc<dyn Examiner>>,
}

/// What evidence is gathered from.
#[derive(Debug)]
pub(crate) struct Gathering<'a> {
    /// What was asked for.
    pub(crate) paths: &'a [PathBuf],
    pub(crate) options: &'a Options,
    /// The project that it lies in.
    pub(crate) locks: Option<&'a Check<'a>>,
    /// What was looked at of it as a project.
    pub(crate) project: ProjectEvidence,
}

impl Gathering<'_> {
    /// Everything but findings. Where controls are not asked for, the files alone.
    pub(crate) fn evidence(&self, artifacts: &[ArtifactReport]) -> Evidence {
        let files = files(artifacts);
        match &self.options.controls {
            Some(sources) => self.with_controls(&sources.store, files, artifacts),
            None => Evidence { files, ..Evidence::default() },
        }
    }

    fn with_controls(&self, store: &TrustStore, files: Vec<FileEvidence>, artifacts: &[ArtifactReport]) -> Evidence {
        let asked = self.locks.map(Check::asked).unwrap_or_default();
        let signed = signatures::gather(self, &asked, store);
        let denials = denials::gather(self, &asked, artifacts, &signed.roots);
        let weights = Weights::of(&files);
        let models = self.models(&asked);
        let lineage = lineage::gather(self, models.iter().map(PathBuf::as_path), &weights);
        let mut statements = statements::gather(self, &asked, store, &weights);
        statements.searched.extend(lineage.statements.searched);
        statements.found.extend(lineage.statements.found);
        Evidence {
            findings: Vec::new(),
            files,
            parts: asked.iter().map(part).collect(),
            signatures: signed.evidence,
            denials,
            statements,
            ancestry: lineage.ancestry,
            project: self.project.clone(),
        }
    }
}

impl Gathering<'_> {
    /// The models and datasets that were asked for as a whole, and what was asked for beside them.
    fn models(&self, asked: &[Asked<'_>]) -> Vec<PathBuf> {
        let parts = asked.iter().filter(|part| part.whole).map(|part| part.path.clone());
        let beside = self.paths.iter().filter(|path| {
            let there = std::fs::canonicalize(path).unwrap_or_else(|_| (*path).clone());
            asked.iter().all(|part| !part.path.starts_with(&there) && !there.starts_with(&part.path))
        });
        parts.chain(beside.cloned()).collect()
    }
}

/// Files with tensors, without links: the paths that people write differ.
struct Weights(BTreeSet<PathBuf>);

impl Weights {
    fn of(files: &[FileEvidence]) -> Self {
        Self(files.iter().filter(|file| file.tensors > 0).map(|file| real(Path::new(&file.path))).collect())
    }

    fn has(&self, path: &Path) -> bool {
        self.0.contains(&real(path))
    }

    fn has_at_or_below(&self, path: &Path) -> bool {
        let path = real(path);
        self.0.range(path.clone()..).next().is_some_and(|found| found.starts_with(&path))
    }
}

fn real(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn part(asked: &Asked<'_>) -> Part {
    Part {
        kind: asked.kind,
        name: asked.name.to_owned(),
        path: asked.shown.clone(),
        locked: asked.locked,
        source: asked.declared.and_then(|ingredient| ingredient.source.clone()),
    }
}

/// What is judged, in short.
#[must_use]
pub fn subject(paths: &[PathBuf], artifacts: &[ArtifactReport]) -> Subject {
    let mut names: Vec<String> = paths.iter().take(MAX_NAMED).map(|path| path.display().to_string()).collect();
    if let more @ 1.. = paths.len().saturating_sub(MAX_NAMED) {
        names.push(format!("{more} more"));
    }
    let formats: BTreeSet<&str> = artifacts.iter().filter_map(|artifact| artifact.format).collect();
    let files = artifacts.iter().filter(|artifact| artifact.location.members.is_empty());
    Subject {
        name: names.join(", "),
        formats: formats.into_iter().map(str::to_owned).collect(),
        size: files.clone().fold(0, |sum: u64, file| sum.saturating_add(file.size)),
        files: files.count() as u64,
        is_file: matches!(paths, [only] if !only.is_dir()),
    }
}

/// The files, each with the formats of its members.
pub(crate) fn files(artifacts: &[ArtifactReport]) -> Vec<FileEvidence> {
    let mut files: Vec<FileEvidence> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for artifact in artifacts {
        let path = artifact.location.file.as_str();
        let place = *places.entry(path).or_insert_with(|| {
            files.push(FileEvidence { path: path.to_owned(), ..FileEvidence::default() });
            files.len() - 1
        });
        let file = &mut files[place];
        if artifact.location.members.is_empty() {
            file.format = artifact.format.map(str::to_owned);
            file.size = artifact.size;
        } else if let Some(format) = artifact.format.filter(|format| file.inside.iter().all(|known| known != format)) {
            file.inside.push(format.to_owned());
        }
        // A container that names its tensors itself knows better than its parts, which would count them again.
        file.tensors = file.tensors.max(artifact.tensors.tensors);
    }
    files
}

/// Evidence and its findings apart.
pub(crate) fn split(mut evidence: Evidence) -> (Evidence, Vec<Finding>) {
    let findings = std::mem::take(&mut evidence.findings);
    (evidence, findings)
}

#[cfg(test)]
mod tests;
