//! What an attestation is about beside the bytes on disk. Files are told by digest: names are hints, and other tools have
//! other names for the same file.

use std::collections::{BTreeMap, BTreeSet};

use waag_evidence::Sha256Digest;
use waag_evidence::statement::{ResourceDescriptor, Statement};
use waag_signing::difference::{Difference, DifferenceCode};

use super::Request;
use super::report::{AttestationReport, Covered, Whole};
use crate::attest::subject::{Listing, Subject, SubjectFile, names_of, whole_of};
use crate::hash::HashError;
use crate::scan::Progress;
use crate::verify::VerifyError;
use crate::verify::report::Problem;

/// The files at hand, read once for each way of listing them.
pub(super) struct Files<'a> {
    request: &'a Request<'a>,
    progress: &'a dyn Progress,
    read: Vec<(Listing, Subject)>,
}

/// The subjects of a statement, told apart.
struct Subjects<'a> {
    whole: Option<(&'a ResourceDescriptor, u64)>,
    /// Names by digest.
    by_digest: BTreeMap<&'a str, BTreeSet<&'a str>>,
    by_name: BTreeMap<&'a str, BTreeSet<&'a str>>,
    /// Subjects that only have digests by other algorithms.
    unchecked: BTreeSet<&'a str>,
}

impl<'a> Subjects<'a> {
    fn of(statement: &'a Statement) -> Self {
        let mut subjects =
            Self { whole: None, by_digest: BTreeMap::new(), by_name: BTreeMap::new(), unchecked: BTreeSet::new() };
        for descriptor in &statement.subject {
            if let Some((files, _)) = whole_of(descriptor) {
                subjects.whole = Some((descriptor, files));
                continue;
            }
            let name = descriptor.name.as_deref().or(descriptor.uri.as_deref()).unwrap_or_default();
            match descriptor.digest.get("sha256") {
                Some(digest) => {
                    subjects.by_digest.entry(digest).or_default().insert(name);
                    subjects.by_name.entry(name).or_default().insert(digest);
                }
                None => _ = subjects.unchecked.insert(name),
            }
        }
        subjects
    }

    /// Whether a whole is one file, which has the name of the whole and no digest over names.
    fn is_of_file(&self, whole: &ResourceDescriptor, files: u64) -> bool {
        let is_there = whole.name.as_deref().is_some_and(|name| self.by_name.contains_key(name));
        files == 1 && is_there && names_of(whole).is_none()
    }

    fn names(&self, digest: &str) -> Option<&BTreeSet<&'a str>> {
        self.by_digest.get(digest)
    }

    /// The digest that a file of this name should have.
    fn digest(&self, path: &str) -> Option<&'a str> {
        self.by_name.get(path).and_then(|digests| digests.first().copied())
    }
}

impl<'a> Files<'a> {
    pub(super) const fn new(request: &'a Request<'a>, progress: &'a dyn Progress) -> Self {
        Self { request, progress, read: Vec::new() }
    }

    /// Says how the files at hand are to what a statement is about.
    pub(super) fn compare(&mut self, statement: &Statement, report: &mut AttestationReport) -> Result<(), VerifyError> {
        let listing = statement.subject.iter().find_map(|it| Some(whole_of(it)?.1)).unwrap_or_default();
        let strict = self.request.strict;
        let found = match self.read(listing) {
            Ok(found) => found,
            Err(error) => {
                report.problems.push(Problem::of_files(&error).ok_or(error)?);
                return Ok(());
            }
        };
        let subjects = Subjects::of(statement);
        each_file(found, &subjects, report);
        report.left_out.clone_from(&found.uncovered);
        report.whole = whole(found, statement, &subjects);
        if report.whole == Whole::Different {
            missing_and_new(found, &subjects, report);
        }
        report.elsewhere = elsewhere(found, &subjects);
        let unchecked = subjects.unchecked.iter().take(5);
        report.unchecked.extend(unchecked.map(|name| format!("the subject '{name}', which has no SHA-256")));
        conclude(strict, report);
        Ok(())
    }

    /// The digests of the subject and of its files, for lists of what is refused.
    pub(super) fn digests(&mut self) -> Result<Vec<Sha256Digest>, VerifyError> {
        let found = self.read(Listing { ignored: Vec::new(), allow_symlinks: true })?;
        Ok(found.files.iter().map(|file| file.sha256).chain([found.root]).chain(found.names_root).collect())
    }

    fn read(&mut self, mut listing: Listing) -> Result<&Subject, HashError> {
        let Request { subject, ignore, attestations, .. } = *self.request;
        listing.ignored.extend(ignore.iter().cloned());
        listing.ignored.extend(attestations.iter().filter_map(|path| crate::verify::below(subject, path)));
        let known = self.read.iter().position(|(known, _)| *known == listing);
        let index = match known {
            Some(index) => index,
            None => {
                let found = Subject::read(subject, &listing, None, self.progress)?;
                self.read.push((listing, found));
                self.read.len() - 1
            }
        };
        Ok(&self.read[index].1)
    }
}

fn each_file(found: &Subject, subjects: &Subjects<'_>, report: &mut AttestationReport) {
    for SubjectFile { path, sha256 } in &found.files {
        let digits = sha256.to_string();
        let names = subjects.names(&digits);
        if names.is_some_and(|names| names.contains(path.as_str())) {
            report.covered.push(Covered { path: path.clone(), named: None });
        } else if let Some(signed) = changed(found.is_file, path, names.is_some(), subjects) {
            let (code, name) = (DifferenceCode::ChangedFile, path.clone());
            let (signed, found) = (Some(signed.to_owned()), Some(digits));
            report.differences.push(Difference { code, name, signed, found });
        } else if let Some(named) = names.and_then(BTreeSet::first) {
            report.covered.push(Covered { path: path.clone(), named: Some((*named).to_owned()) });
        } else {
            report.not_covered.push(path.clone());
        }
    }
}

/// The digest that a file should have where it has another one. One file of several may be called by its path.
fn changed<'a>(is_file: bool, path: &str, is_known: bool, subjects: &Subjects<'a>) -> Option<&'a str> {
    if is_file && is_known {
        return None;
    }
    let below = || {
        let ending = format!("/{path}");
        let mut named = subjects.by_name.keys().filter(|name| is_file && name.ends_with(&ending));
        named.next().and_then(|name| subjects.digest(name))
    };
    subjects.digest(path).or_else(below)
}

/// Whether the whole is as the statement says. One file says nothing of a folder that it is part of, nor the folder of it.
fn whole(found: &Subject, statement: &Statement, subjects: &Subjects<'_>) -> Whole {
    let (root, names) = (found.root.to_string(), found.names_root.map(|root| root.to_string()));
    if let Some((whole, files)) = subjects.whole {
        if found.is_file != subjects.is_of_file(whole, files) {
            return Whole::NotSaid;
        }
        let names_agree = match (names_of(whole), &names) {
            (Some(signed), Some(found)) => signed == found,
            (None, None) => true,
            // A digest over names that only one side has says that the names are others.
            _ => false,
        };
        let same = whole.digest.get("sha256") == Some(root.as_str()) && names_agree;
        return if same { Whole::Same } else { Whole::Different };
    }
    let is_root = |it: &ResourceDescriptor| names.as_deref().is_some_and(|names| names_of(it) == Some(names));
    if statement.subject.iter().any(is_root) { Whole::Same } else { Whole::NotSaid }
}

/// Why a whole is another one: files that are gone, and files that are new.
fn missing_and_new(found: &Subject, subjects: &Subjects<'_>, report: &mut AttestationReport) {
    let here: BTreeSet<&str> = found.files.iter().map(|file| file.path.as_str()).collect();
    let difference = |code, name: &str, signed, found| Difference { code, name: name.to_owned(), signed, found };
    let gone = subjects.by_name.iter().filter(|(name, _)| !here.contains(*name));
    report.differences.extend(gone.map(|(name, digests)| {
        let signed = digests.first().map(|digest| (*digest).to_owned());
        difference(DifferenceCode::MissingFile, name, signed, None)
    }));
    let digests: BTreeMap<&str, _> = found.files.iter().map(|file| (file.path.as_str(), file.sha256)).collect();
    let digest_of = |path: &str| digests.get(path).map(ToString::to_string);
    let renamed = report.covered.iter().filter(|covered| covered.named.is_some()).map(|covered| &covered.path);
    let new: Vec<String> = report.not_covered.iter().chain(renamed).cloned().collect();
    report
        .differences
        .extend(new.iter().map(|path| difference(DifferenceCode::UnsignedFile, path, None, digest_of(path))));
    report.differences.sort_by(|one, other| (&one.name, one.code).cmp(&(&other.name, other.code)));
}

/// How many subjects have bytes that are not here.
fn elsewhere(found: &Subject, subjects: &Subjects<'_>) -> u64 {
    let here: BTreeSet<String> = found.files.iter().map(|file| file.sha256.to_string()).collect();
    subjects.by_digest.keys().filter(|digest| !here.contains(**digest)).count() as u64
}

fn conclude(strict: bool, report: &mut AttestationReport) {
    let hint = "get the subject and its attestation anew from their publisher";
    if report.whole == Whole::Different && report.differences.is_empty() {
        let words = "the whole is another one, though no file is";
        report.problems.push(Problem::new("root-mismatch", words, hint));
    }
    if report.covered.is_empty() && report.differences.is_empty() && report.whole != Whole::Same {
        let words = "it is about something else: no file here has a digest that it names";
        report.problems.push(Problem::new("subject-mismatch", words, hint));
    }
    if let Some(path) = report.not_covered.first().filter(|_| strict) {
        let words = format!("it is not about '{path}'");
        report.problems.push(Problem::new("not-covered", words, "take the file away, or have it attested too"));
    }
}
