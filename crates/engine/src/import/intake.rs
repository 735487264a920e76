//! What has been read so far: sources, artifacts, statements, and what is to be said of them.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;
use waag_evidence::Sha256Digest;
use waag_evidence::statement::Statement;
use waag_evidence::statement::claims::{Claim, ClaimSource};

use super::conflict::{self, Conflict, Said};
use super::page::Page;
use super::run::Run;
use super::statement;
use super::subject::Subjects;
use crate::scan::Progress;
use crate::walk::bounds_of;

/// Remarks of one import that are kept.
const MAX_REMARKS: usize = 10_000;

/// Everything that was imported.
#[derive(Debug, Default)]
pub struct Imported {
    /// What was read, in order of path.
    pub sources: Vec<SourceRead>,
    /// Artifacts whose bytes were read and digested.
    pub artifacts: Vec<Artifact>,
    /// All claims, in the order in which they were read.
    pub claims: Vec<Claim>,
    /// Unsigned statements over them: one for each source.
    pub statements: Vec<Statement>,
    /// Where sources disagree.
    pub conflicts: Vec<Conflict>,
    /// What else is to be said.
    pub remarks: Vec<Remark>,
}

impl Imported {
    /// The gravest of what is to be said.
    #[must_use]
    pub fn grade(&self) -> Grade {
        let remarks = self.remarks.iter().map(|remark| remark.grade).max().unwrap_or(Grade::Note);
        if self.conflicts.is_empty() { remarks } else { remarks.max(Grade::Unchecked) }
    }
}

/// A source that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceRead {
    /// Which importer read it.
    pub kind: String,
    /// Its path below what was imported, or its address.
    pub location: String,
    /// Its SHA-256, where it is a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256Digest>,
    /// Claims that were taken from it.
    pub claims: usize,
}

/// An artifact whose bytes were read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    /// Its path or name.
    pub name: String,
    /// The SHA-256 of its bytes.
    pub sha256: Sha256Digest,
    /// Its size in bytes.
    pub size: u64,
    /// What a source says of it, and whether it holds.
    pub checked: Checked,
}

/// Whether bytes are what a source says they are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case", tag = "result")]
pub enum Checked {
    /// No source has a digest of it.
    Unpinned,
    /// They are.
    Agrees {
        /// What the source's digest is made with.
        algorithm: String,
    },
    /// They are not.
    Differs {
        /// What the source says, with its algorithm.
        expected: String,
        /// What the bytes have.
        found: String,
    },
}

/// How much a remark matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// Worth knowing.
    Note,
    /// Something could not be read or decided.
    Unchecked,
    /// Something is not what it should be.
    Wrong,
}

/// Something to say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Remark {
    /// How much it matters.
    pub grade: Grade,
    /// What it is about.
    pub location: String,
    /// What there is to say.
    pub text: String,
}

/// Where importers put what they read.
pub struct Intake<'p> {
    root: std::path::PathBuf,
    /// The folder that nothing is read outside of.
    bounds: Option<std::path::PathBuf>,
    pub(super) progress: &'p dyn Progress,
    /// Whether files are digested: somebody may have done so already.
    pub(super) digests: bool,
    subjects: Subjects,
    said: Vec<Said>,
    artifacts: BTreeSet<Artifact>,
    imported: Imported,
    /// Remarks that were not kept: how many, and how much the gravest matters.
    dropped: Option<(usize, Grade)>,
}

impl std::fmt::Debug for Intake<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Intake").field("root", &self.root).finish_non_exhaustive()
    }
}

impl<'p> Intake<'p> {
    /// An empty one. Locations are told below `root`.
    pub(super) fn new(root: &Path, progress: &'p dyn Progress) -> Self {
        let folder = if root.is_dir() { root } else { root.parent().unwrap_or(root) };
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        Self {
            root: root.to_owned(),
            bounds: bounds_of(folder).ok(),
            progress,
            digests: true,
            subjects: Subjects::default(),
            said: Vec::new(),
            artifacts: BTreeSet::new(),
            imported: Imported::default(),
            dropped: None,
        }
    }

    /// One that digests nothing.
    pub(super) fn without_digests(self) -> Self {
        Self { digests: false, ..self }
    }

    /// What was given.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Whether a path that was put together from names in a source is a file that links do not lead out of what was given.
    pub(super) fn has_file(&self, path: &Path) -> bool {
        std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file()) && self.holds(path)
    }

    /// The same of a folder.
    pub(super) fn has_folder(&self, path: &Path) -> bool {
        std::fs::metadata(path).is_ok_and(|metadata| metadata.is_dir()) && self.holds(path)
    }

    /// Whether a path lies below what was given, wherever links lead: whoever wrote a source must not choose what is read.
    fn holds(&self, path: &Path) -> bool {
        std::fs::canonicalize(path)
            .is_ok_and(|whole| self.bounds.as_ref().is_some_and(|bounds| whole.starts_with(bounds)))
    }

    /// A path as it is told: below what was given, with `/` between its parts.
    pub(super) fn told(&self, path: &Path) -> String {
        let inside = path.strip_prefix(&self.root).unwrap_or(path);
        let name = || path.file_name().map(|name| name.to_string_lossy().into_owned());
        if inside.as_os_str().is_empty() {
            return name().unwrap_or_else(|| ".".to_owned());
        }
        inside.to_string_lossy().into_owned()
    }

    /// Says something of a path.
    pub(super) fn remark(&mut self, grade: Grade, path: &Path, text: impl Into<String>) {
        let location = self.told(path);
        self.remark_at(grade, location, text);
    }

    /// Says something of a place that is already told.
    pub(super) fn remark_at(&mut self, grade: Grade, location: impl Into<String>, text: impl Into<String>) {
        let remark = Remark { grade, location: location.into(), text: text.into() };
        self.push(remark);
    }

    /// Keeps a remark, or counts it and how much it matters.
    fn push(&mut self, remark: Remark) {
        // What is wrong finds room when everything else is full.
        let room = if remark.grade == Grade::Wrong { 2 * MAX_REMARKS } else { MAX_REMARKS };
        if self.imported.remarks.len() < room {
            self.imported.remarks.push(remark);
        } else {
            let (count, grade) = self.dropped.unwrap_or((0, remark.grade));
            self.dropped = Some((count + 1, grade.max(remark.grade)));
        }
    }

    /// The folder as a subject: the digests of all of its files, once.
    pub(super) fn folder(&mut self, folder: &Path) -> waag_evidence::statement::ResourceDescriptor {
        let told = self.told(folder);
        let is_root = folder == self.root;
        let whole = self.subjects.folder(folder, self.digests.then_some(self.progress));
        for artifact in whole.new_artifacts {
            let name = if is_root { artifact.name } else { format!("{told}/{}", artifact.name) };
            self.artifacts.insert(Artifact { name, ..artifact });
        }
        if let Some(why) = whole.problem {
            self.remark_at(Grade::Unchecked, told, format!("has no digest as a whole: {why}"));
        }
        if let Some(page) = whole.parts {
            self.take(page);
        }
        whole.subject
    }

    /// Notes an artifact whose bytes were read.
    pub(super) fn artifact(&mut self, artifact: Artifact) {
        if let Checked::Differs { expected, found } = &artifact.checked {
            let text = format!("its bytes are not what was recorded: {expected} is written down, {found} is there");
            self.remark_at(Grade::Wrong, artifact.name.clone(), text);
        }
        self.artifacts.insert(artifact);
    }

    /// Takes a source that has been read to its end.
    pub(super) fn take(&mut self, page: Page) {
        self.source(&page.source, page.claims.len());
        page.remarks.into_iter().for_each(|remark| self.push(remark));
        self.said.extend(page.said);
        self.imported.statements.extend(statement::of_claims(&page.source, &page.claims));
        self.imported.claims.extend(page.claims);
    }

    /// Takes the record of a run.
    pub(super) fn take_run(&mut self, run: &Run) {
        for (place, text) in &run.notes {
            self.remark_at(Grade::Note, format!("{}#{place}", run.source.location), text.as_str());
        }
        let more = run.more_claims();
        if more > 0 {
            let text = format!("{more} more claims are not made: of each output with each input");
            self.remark_at(Grade::Unchecked, run.source.location.clone(), text);
        }
        let claims = run.claims();
        self.source(&run.source, claims.len());
        self.said.extend(conflict::said_by(&claims));
        self.imported.statements.extend(statement::of_run(run));
        self.imported.claims.extend(claims);
    }

    fn source(&mut self, source: &ClaimSource, claims: usize) {
        let read =
            SourceRead { kind: source.kind.clone(), location: source.location.clone(), sha256: source.sha256, claims };
        self.imported.sources.push(read);
    }

    /// Everything, with what sources disagree about.
    pub(super) fn finish(self) -> Imported {
        let location = self.told(&self.root);
        let mut imported = self.imported;
        if let Some((count, grade)) = self.dropped {
            let text = format!("there is more to say than is told: {count} remarks are left out");
            imported.remarks.push(Remark { grade, location, text });
        }
        imported.conflicts = conflict::find(&self.said);
        imported.artifacts = without_repeats(self.artifacts);
        imported.remarks.sort_by(|one, other| (other.grade, &one.location).cmp(&(one.grade, &other.location)));
        imported.remarks.dedup();
        imported
    }
}

/// Artifacts by name. One that was read for a source that has a digest of it, and for one that has none, is told once.
fn without_repeats(artifacts: BTreeSet<Artifact>) -> Vec<Artifact> {
    let is_checked = |artifact: &&Artifact| artifact.checked != Checked::Unpinned;
    let checked: BTreeSet<(String, Sha256Digest)> =
        artifacts.iter().filter(is_checked).map(|artifact| (artifact.name.clone(), artifact.sha256)).collect();
    let is_repeat = |artifact: &Artifact| {
        artifact.checked == Checked::Unpinned && checked.contains(&(artifact.name.clone(), artifact.sha256))
    };
    artifacts.into_iter().filter(|artifact| !is_repeat(artifact)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::Silent;

    #[test]
    fn what_has_no_room_still_counts() {
        let mut intake = Intake::new(Path::new("."), &Silent);
        let mut page = Page::at("k", "noisy", waag_evidence::statement::claims::Voice::SelfDeclared);
        (0..MAX_REMARKS).for_each(|number| page.remark(Grade::Note, number.to_string()));
        intake.take(page);
        intake.remark_at(Grade::Unchecked, "quiet", "was not read");
        let imported = intake.finish();
        assert_eq!((imported.grade(), imported.remarks.len()), (Grade::Unchecked, MAX_REMARKS + 1));
        assert!(imported.remarks[0].text.contains("1 remarks are left out"));
    }
}
