//! What a scan found, as a predicate: files are named as the subject names them, and what was digested is what was read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use waag_evidence::finding::Location;
use waag_evidence::statement::ResourceDescriptor;
use waag_evidence::statement::scan::{AppliedException, Scan, ScanFinding, ScannedArtifacts, ScannedBy};
use waag_evidence::{Decision, Finding, Sha256Digest, Verdict};

use super::subject::Subject;
use super::{AttestError, TOOL};
use crate::report::{Analysis, Report};
use crate::scan::{Options, Progress, ScanError, scan_paths};

/// A subject that was scanned and judged.
pub(super) struct Scanned {
    path: PathBuf,
    report: Report,
}

impl Scanned {
    /// Scans a subject. Every file is read and digested: results of earlier scans are no evidence.
    pub(super) fn read(path: &Path, options: &Options, progress: &dyn Progress) -> Result<Self, ScanError> {
        let options = Options { digests: true, cache: None, ..options.clone() };
        let report = scan_paths(&[path.to_owned()], &options, progress)?;
        Ok(Self { path: path.to_owned(), report })
    }

    pub(super) const fn decision(&self) -> Decision {
        self.report.verdict.decision
    }

    pub(super) const fn verdict(&self) -> &Verdict {
        &self.report.verdict
    }

    /// The attestations that the verdict rests on, by digest.
    pub(super) fn inputs(&self) -> Vec<ResourceDescriptor> {
        let attestations = self.report.evidence.attestations();
        let mut inputs: Vec<ResourceDescriptor> = attestations
            .map(|(kind, _, digest)| ResourceDescriptor {
                name: Some(kind.to_owned()),
                digest: [("sha256", digest)].into_iter().collect(),
                ..ResourceDescriptor::default()
            })
            .collect();
        inputs.sort_by_key(|input| (input.name.clone(), input.digest.get("sha256").map(str::to_owned)));
        inputs.dedup();
        inputs
    }

    /// What it found.
    pub(super) fn predicate(&self, policy: &ResourceDescriptor) -> Scan {
        let findings = self.report.findings.iter().enumerate();
        let told = findings.map(|(index, finding)| (finding.nature, self.finding(index, finding))).collect();
        let (findings, incomplete) = Scan::split(told);
        Scan {
            scanner: ScannedBy { uri: TOOL.to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
            policy: policy.clone(),
            decision: self.decision(),
            artifacts: self.artifacts(),
            findings,
            incomplete,
        }
    }

    fn finding(&self, index: usize, finding: &Finding) -> ScanFinding {
        let covering = self.report.verdict.excepted.iter().find(|(covered, _)| *covered == index);
        let exception = covering.and_then(|(_, exception)| self.report.exceptions.get(*exception));
        let exception = exception.map(|it| AppliedException { reason: it.reason.clone(), until: it.until });
        let mut told = ScanFinding::new(finding, exception);
        told.location.file = self.below(&finding.location.file);
        told
    }

    fn artifacts(&self) -> ScannedArtifacts {
        let count = |analysis| {
            let found = self.report.artifacts.iter().filter(|artifact| artifact.analysis == analysis);
            found.count() as u64
        };
        ScannedArtifacts {
            complete: count(Analysis::Complete),
            partial: count(Analysis::Partial),
            not_analysed: count(Analysis::NotAnalysed),
        }
    }

    /// A path as the subject names it: where it lies on this machine is nobody's business.
    fn below(&self, file: &str) -> String {
        match Path::new(file).strip_prefix(&self.path) {
            Ok(below) if below == Path::new("") => self.name(),
            Ok(below) => below.to_string_lossy().into_owned(),
            Err(_) => file.to_owned(),
        }
    }

    /// The subject's own name.
    pub(super) fn name(&self) -> String {
        let named = self.path.file_name().map(|name| name.to_string_lossy().into_owned());
        let real = || self.path.canonicalize().ok()?.file_name().map(|name| name.to_string_lossy().into_owned());
        named.or_else(real).unwrap_or_else(|| ".".to_owned())
    }

    /// Why nothing follows from the scan for a subject: the first of its files that was not scanned, or whose bytes were
    /// other ones when they were scanned than when they were digested. The subject has files that no scan reads: those of
    /// folders that belong to tools, and those that are new since.
    pub(super) fn objection(&self, subject: &Subject) -> Option<AttestError> {
        let whole = |location: &Location| location.members.is_empty();
        let artifacts = self.report.artifacts.iter().filter(|artifact| whole(&artifact.location));
        let scanned: BTreeMap<String, Sha256Digest> =
            artifacts.filter_map(|artifact| Some((self.below(&artifact.location.file), artifact.sha256?))).collect();
        let mut elsewhere = None;
        subject.files.iter().find_map(|file| {
            let known = scanned.get(&file.path).copied().or_else(|| {
                let real = std::fs::canonicalize(self.path.join(&file.path)).ok()?;
                elsewhere.get_or_insert_with(|| self.by_real_path(&scanned)).get(&real).copied()
            });
            match known {
                Some(digest) if digest == file.sha256 => None,
                Some(_) => Some(AttestError::Changed(file.path.clone())),
                None => Some(AttestError::NotScanned(file.path.clone())),
            }
        })
    }

    /// The same by paths without links: a file that several names lead to is scanned under one of them.
    fn by_real_path(&self, scanned: &BTreeMap<String, Sha256Digest>) -> BTreeMap<PathBuf, Sha256Digest> {
        let real =
            |(path, digest): (&String, &Sha256Digest)| Some((self.path.join(path).canonicalize().ok()?, *digest));
        scanned.iter().filter_map(real).collect()
    }
}
