//! Evidence written back to a server, and checked there: it lies among the artifacts, and a tag has its digest and nothing else.
//!
//! A tag can be overwritten by anybody who reaches the server, an alias moved, an artifact replaced. So the check resolves
//! everything anew and compares digests of bytes; a digest that the user holds, or a signature, is what it can be anchored to.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;
use waag_evidence::Sha256Digest;
use waag_signing::verify::{Trusted, verify_statement};

use super::evidence::{Evidence, TAG, parse, path_of};
use super::registry::{Resolved, resolve, roots};
use super::server::{MlflowError, ModelVersion, Server};
use super::target::Target;
use crate::scan::Progress;

/// Other versions of a model in which evidence is looked for.
const MAX_OTHERS: usize = 5;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Published {
    /// The digest of the evidence, for the tag and for whoever wants to check later.
    pub digest: Sha256Digest,
    /// Its place among the artifacts of the run.
    pub path: String,
    /// The run.
    pub run: String,
    /// The version that was tagged too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VerdictReport {
    /// What was asked for, and what it leads to now.
    pub target: String,
    /// The version it leads to, of a model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Files that were read and digested.
    pub files: usize,
    /// The evidence that was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Sha256Digest>,
    /// What it says: the type of its predicate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predicate_type: Option<String>,
    /// Signatures on it.
    pub signatures: usize,
    /// Who has signed it, where a key was named to verify it with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// Whether it is the evidence that the user holds the digest of.
    pub is_expected: bool,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// The bytes of the evidence, to verify its signature.
    #[serde(skip)]
    pub bytes: Vec<u8>,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What kind it is.
    pub kind: ProblemKind,
    /// What it is, in words.
    pub text: String,
}

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// There is no tag.
    NoEvidence,
    /// The tag is no digest, or of nothing that is there.
    ForgedTag,
    /// The evidence has other bytes than its name and the tag say.
    ReplacedEvidence,
    /// It is not the evidence that the user expects.
    OtherEvidence,
    /// The alias leads to another version than the one that the evidence is about.
    MovedAlias,
    /// A file has other bytes than the evidence is about.
    ReplacedArtifact,
    /// A file is there that the evidence is not about.
    UncoveredArtifact,
    /// A file that the evidence is about is not there.
    MissingArtifact,
    /// The evidence itself says no.
    NegativeResult,
    /// The key that was named has not signed it.
    NotSigned,
    /// Files could not be read.
    Unread,
}

impl VerdictReport {
    /// Whether somebody vouches for the evidence: whoever holds its digest, or a key.
    #[must_use]
    pub const fn is_vouched_for(&self) -> bool {
        self.is_expected || self.signer.is_some()
    }

    /// Verifies the signature of the evidence that was found.
    pub fn verify_signature(&mut self, trusted: &Trusted, now: Timestamp) {
        if self.bytes.is_empty() {
            return;
        }
        match verify_statement(&self.bytes, trusted, now) {
            Ok(verified) => self.signer = Some(verified.signer.name),
            Err(error) => self.problem(ProblemKind::NotSigned, error.to_string()),
        }
    }

    fn problem(&mut self, kind: ProblemKind, text: impl Into<String>) {
        self.problems.push(Problem { kind, text: text.into() });
    }
}

/// Stores evidence as an artifact of the run and sets tags with its digest. It is read back: what the server keeps is what
/// was sent, or it is an error.
///
/// # Errors
/// When it is no evidence, is not about the files that are there, or cannot be stored.
pub fn publish(
    server: &Server,
    target: &Target,
    name: &str,
    bytes: Vec<u8>,
    progress: &dyn Progress,
) -> Result<Published, MlflowError> {
    let refuse = |why: String| MlflowError::Evidence { name: name.to_owned(), why };
    let evidence = parse(&bytes).map_err(refuse)?;
    let resolved = resolve(server, target, progress)?;
    let mut report = VerdictReport::default();
    compare(&evidence, &resolved, &mut report);
    if let Some(problem) = report.problems.first() {
        return Err(refuse(format!("it is not about '{target}' as it is now: {}", problem.text)));
    }
    let (Some((run, ..)), Some(place)) = (&resolved.run, &resolved.run_place) else {
        return Err(refuse(format!("'{target}' has no run whose artifacts could hold it")));
    };
    let path = path_of(&evidence.digest);
    server.store(place, &path, bytes.clone())?;
    if server.small(place, &path)?.as_deref() != Some(bytes.as_slice()) {
        return Err(refuse("the server keeps other bytes than were sent".to_owned()));
    }
    let value = format!("sha256:{}", evidence.digest);
    server.tag_run(run, TAG, &value)?;
    if let Some(version) = &resolved.version {
        server.tag_version(version, TAG, &value)?;
    }
    let version = resolved.version.as_ref().map(|version| format!("{}/{}", version.name, version.version));
    Ok(Published { digest: evidence.digest, path, run: run.clone(), version })
}

/// Checks evidence on a server: resolves the target, reads its files and the evidence that the tag names, and compares. With
/// `expected`, the evidence has to be the one of that digest.
///
/// # Errors
/// When the server cannot be asked. What is wrong there is in the report.
pub fn verify(
    server: &Server,
    target: &Target,
    expected: Option<&Sha256Digest>,
    progress: &dyn Progress,
) -> Result<VerdictReport, MlflowError> {
    let resolved = resolve(server, target, progress)?;
    let version = resolved.version.as_ref();
    let mut report = VerdictReport {
        target: target.to_string(),
        version: version.map(|version| format!("{}/{}", version.name, version.version)),
        run: resolved.run.as_ref().map(|(id, ..)| id.clone()),
        files: resolved.files().count(),
        ..VerdictReport::default()
    };
    for error in &resolved.unread {
        report.problem(ProblemKind::Unread, error.to_string());
    }
    let Some(named) = tagged(&resolved, &mut report) else {
        moved(server, target, &resolved, None, &mut report, progress)?;
        return Ok(report);
    };
    if let Some(expected) = expected {
        report.is_expected = named == *expected;
        if !report.is_expected {
            report.problem(
                ProblemKind::OtherEvidence,
                format!("the tag names sha256:{named}, and not sha256:{expected}"),
            );
        }
    }
    let Some(evidence) = found(server, &resolved, &named, &mut report)? else {
        moved(server, target, &resolved, Some(&named), &mut report, progress)?;
        return Ok(report);
    };
    let before = report.problems.len();
    compare(&evidence, &resolved, &mut report);
    if report.problems.len() > before {
        moved(server, target, &resolved, Some(&named), &mut report, progress)?;
    }
    Ok(report)
}

/// The digest that the tag holds: of the version where there is one, else of the run.
fn tagged(resolved: &Resolved, report: &mut VerdictReport) -> Option<Sha256Digest> {
    let of_version = resolved
        .version
        .as_ref()
        .map(|version| version.tags.iter().find(|(key, _)| key == TAG).map(|(_, value)| value.clone()));
    let of_run = || {
        let (_, record, _) = resolved.run.as_ref()?;
        let data = super::super::document::Node::root(record).at(&["run", "data"])?;
        let tags = data.list("tags");
        let tag = tags.iter().find(|tag| tag.text_of("key") == Some(TAG))?;
        tag.text_of("value").map(str::to_owned)
    };
    let value = of_version.unwrap_or_else(of_run);
    let Some(value) = value else {
        report.problem(ProblemKind::NoEvidence, format!("there is no tag '{TAG}': no evidence was written back"));
        return None;
    };
    let digest = value.strip_prefix("sha256:").and_then(|digits| digits.parse().ok());
    if digest.is_none() {
        let shown: String = value.chars().take(80).collect();
        report
            .problem(ProblemKind::ForgedTag, format!("the tag '{TAG}' says '{shown}', which is no digest of evidence"));
    }
    digest
}

/// The evidence of a digest among the artifacts of the run.
fn found(
    server: &Server,
    resolved: &Resolved,
    named: &Sha256Digest,
    report: &mut VerdictReport,
) -> Result<Option<Evidence>, MlflowError> {
    let path = path_of(named);
    let bytes = match &resolved.run_place {
        Some(place) => server.small(place, &path)?,
        None => None,
    };
    let Some(bytes) = bytes else {
        let text = format!("the tag names evidence that is not there: there is no artifact '{path}'");
        report.problem(ProblemKind::ForgedTag, text);
        return Ok(None);
    };
    let digest = crate::io::sha256(&bytes.as_slice()).ok();
    if digest != Some(*named) {
        let shown = digest.map(|digest| digest.to_string()).unwrap_or_default();
        report.problem(ProblemKind::ReplacedEvidence, format!("the artifact '{path}' has the digest {shown}"));
        return Ok(None);
    }
    match parse(&bytes) {
        Ok(evidence) => {
            report.evidence = Some(evidence.digest);
            report.predicate_type = Some(evidence.predicate_type.clone());
            report.signatures = evidence.signatures;
            if let Some(objection) = &evidence.objection {
                report.problem(ProblemKind::NegativeResult, objection.clone());
            }
            report.bytes = bytes;
            Ok(Some(evidence))
        }
        Err(why) => {
            report.problem(ProblemKind::ForgedTag, format!("the artifact '{path}' is no evidence: {why}"));
            Ok(None)
        }
    }
}

/// Whether the evidence is about the files that are there, all of them and no others, each under its name.
fn compare(evidence: &Evidence, resolved: &Resolved, report: &mut VerdictReport) {
    if evidence.subjects.is_empty() {
        report.problem(ProblemKind::UncoveredArtifact, "the evidence names nothing that it is about");
    }
    let subjects = Subjects::new(&evidence.subjects);
    let mut found: BTreeSet<usize> = BTreeSet::new();
    let mut told: BTreeSet<usize> = BTreeSet::new();
    for (place, files) in &resolved.places {
        let mut is_covered = false;
        if let Some((root, names)) = roots(place, files) {
            // Only the second has the names of files in it. The first alone says nothing about which file is which.
            is_covered = subjects.has(&names);
            found.extend(subjects.with(&root).chain(subjects.with(&names)));
        }
        for file in files {
            let named = subjects.named(&file.path);
            let fitting: Vec<usize> = subjects.with(&file.sha256).filter(|place| named.fits(*place)).collect();
            found.extend(fitting.iter().copied());
            if is_covered || !fitting.is_empty() {
                continue;
            }
            told.extend(named.places.iter().copied());
            let (kind, what) = match named.places.is_empty() {
                false => (ProblemKind::ReplacedArtifact, "which is not what the evidence is about"),
                true => (ProblemKind::UncoveredArtifact, "and the evidence is not about it"),
            };
            report.problem(kind, format!("'{}' has sha256 {}, {what}", file.path, file.sha256));
        }
    }
    for (place, (name, _)) in evidence.subjects.iter().enumerate() {
        if !found.contains(&place) && !told.contains(&place) {
            let text = format!("the evidence is about '{name}', and no file there of this name has its digest");
            report.problem(ProblemKind::MissingArtifact, text);
        }
    }
}

/// What evidence is about, by digest and by the last part of its names.
struct Subjects<'a> {
    list: &'a [(String, Vec<Sha256Digest>)],
    by_digest: BTreeMap<Sha256Digest, Vec<usize>>,
    by_last: BTreeMap<&'a str, Vec<usize>>,
    nameless: BTreeSet<usize>,
}

/// The subjects that are called as a file is: places in the list.
struct Named<'s> {
    places: Vec<usize>,
    nameless: &'s BTreeSet<usize>,
}

impl Named<'_> {
    fn fits(&self, place: usize) -> bool {
        self.places.contains(&place) || self.nameless.contains(&place)
    }
}

impl<'a> Subjects<'a> {
    fn new(list: &'a [(String, Vec<Sha256Digest>)]) -> Self {
        let mut subjects =
            Self { list, by_digest: BTreeMap::new(), by_last: BTreeMap::new(), nameless: BTreeSet::new() };
        for (place, (name, digests)) in list.iter().enumerate() {
            digests.iter().for_each(|digest| subjects.by_digest.entry(*digest).or_default().push(place));
            match name.as_str() {
                "" => _ = subjects.nameless.insert(place),
                name => subjects.by_last.entry(last_part(name)).or_default().push(place),
            }
        }
        subjects
    }

    fn has(&self, digest: &Sha256Digest) -> bool {
        self.by_digest.contains_key(digest)
    }

    fn with(&self, digest: &Sha256Digest) -> impl Iterator<Item = usize> {
        self.by_digest.get(digest).into_iter().flatten().copied()
    }

    /// Those of the very name. Where there is none, names may have folders more above them than the file has, or fewer: the
    /// nearest of them, or `a/config.json` would stand for `b/config.json`.
    fn named(&self, path: &str) -> Named<'_> {
        let mut nearest: Option<(u8, usize)> = None;
        let mut places = Vec::new();
        for place in self.by_last.get(last_part(path)).into_iter().flatten() {
            let Some(distance) = self.list.get(*place).and_then(|(name, _)| distance(name, path)) else { continue };
            if nearest.is_none_or(|nearest| distance < nearest) {
                nearest = Some(distance);
                places.clear();
            }
            if nearest == Some(distance) {
                places.push(*place);
            }
        }
        Named { places, nameless: &self.nameless }
    }
}

fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// How far a subject's name is from that of a file; none when it is another. Letters more, then letters fewer.
fn distance(name: &str, path: &str) -> Option<(u8, usize)> {
    let is_below = |whole: &str, end: &str| whole.strip_suffix(end).is_some_and(|above| above.ends_with('/'));
    match () {
        () if name == path => Some((0, 0)),
        () if is_below(name, path) => Some((1, name.len())),
        () if is_below(path, name) => Some((2, path.len() - name.len())),
        () => None,
    }
}

/// Whether evidence that holds stands on another version of the model: then the alias was moved. With `named`, only that
/// evidence counts.
fn moved(
    server: &Server,
    target: &Target,
    resolved: &Resolved,
    named: Option<&Sha256Digest>,
    report: &mut VerdictReport,
    progress: &dyn Progress,
) -> Result<(), MlflowError> {
    let (Target::Alias { name, alias }, Some(now)) = (target, &resolved.version) else { return Ok(()) };
    let tagged = |version: &ModelVersion| {
        let (_, value) = version.tags.iter().find(|(key, _)| key == TAG)?;
        let digest: Sha256Digest = value.strip_prefix("sha256:")?.parse().ok()?;
        named.is_none_or(|named| *named == digest).then_some(digest)
    };
    let others = server.versions(name)?.into_iter().filter(|version| version.version != now.version);
    let others = others.filter_map(|version| Some((tagged(&version)?, version)));
    for (digest, version) in others.take(MAX_OTHERS) {
        if holds(server, &version, &digest, progress) {
            let text = format!(
                "the alias '{alias}' leads to version {} now, and the evidence is about version {}",
                now.version, version.version
            );
            report.problem(ProblemKind::MovedAlias, text);
            break;
        }
    }
    Ok(())
}

/// Whether the evidence of a digest is about the files of a version. What cannot be read does not hold.
fn holds(server: &Server, version: &ModelVersion, digest: &Sha256Digest, progress: &dyn Progress) -> bool {
    let target = Target::Version { name: version.name.clone(), version: version.version.clone() };
    let mut report = VerdictReport::default();
    let Ok(resolved) = resolve(server, &target, progress) else { return false };
    let Ok(Some(evidence)) = found(server, &resolved, digest, &mut report) else { return false };
    compare(&evidence, &resolved, &mut report);
    report.problems.is_empty()
}

#[cfg(test)]
mod tests {
    use super::super::server::RemoteFile;
    use super::*;

    fn problems(subjects: &[(&str, u8)], files: &[(&str, u8)]) -> Vec<ProblemKind> {
        let digest = |byte: u8| Sha256Digest::new([byte; 32]);
        let subjects = subjects.iter().map(|(name, byte)| ((*name).to_owned(), vec![digest(*byte)])).collect();
        let evidence =
            Evidence { digest: digest(0), predicate_type: String::new(), signatures: 0, subjects, objection: None };
        let file = |(path, byte): &(&str, u8)| RemoteFile { path: (*path).to_owned(), sha256: digest(*byte), size: 1 };
        let places = vec![("p".to_owned(), files.iter().map(file).collect())];
        let resolved = Resolved { version: None, run: None, run_place: None, places, unread: Vec::new() };
        let mut report = VerdictReport::default();
        compare(&evidence, &resolved, &mut report);
        report.problems.into_iter().map(|problem| problem.kind).collect()
    }

    #[test]
    fn names_belong_to_bytes() {
        use ProblemKind::{MissingArtifact, ReplacedArtifact, UncoveredArtifact};
        for above in ["", "m/"] {
            let names = [format!("{above}config.json"), format!("{above}unet/config.json")];
            let about = [(names[0].as_str(), 1), (names[1].as_str(), 2)];
            assert_eq!(problems(&about, &[("config.json", 1), ("unet/config.json", 2)]), []);
            let swapped = problems(&about, &[("config.json", 2), ("unet/config.json", 1)]);
            assert_eq!(swapped, [ReplacedArtifact, ReplacedArtifact], "{above}");
        }
        assert_eq!(problems(&[("a", 1)], &[("b", 1)]), [UncoveredArtifact, MissingArtifact]);
        assert_eq!(problems(&[("", 1)], &[("b", 1)]), [], "one without a name is told by its digest");
        assert_eq!(problems(&[("a", 1)], &[("model/a", 1)]), []);
        assert_eq!(problems(&[], &[]), [UncoveredArtifact]);
    }

    #[test]
    fn a_digest_of_the_whole_counts_with_the_names_in_it() {
        let files = [RemoteFile { path: "b".to_owned(), sha256: Sha256Digest::new([1; 32]), size: 1 }];
        let (root, names) = roots("p", &files).unwrap();
        let about = |digest: &Sha256Digest| problems_of("m", *digest, &files);
        assert_eq!((about(&names), about(&root)), (vec![], vec![ProblemKind::UncoveredArtifact]));
    }

    fn problems_of(name: &str, digest: Sha256Digest, files: &[RemoteFile]) -> Vec<ProblemKind> {
        let subjects = vec![(name.to_owned(), vec![digest])];
        let evidence = Evidence { digest, predicate_type: String::new(), signatures: 0, subjects, objection: None };
        let places = vec![("p".to_owned(), files.to_vec())];
        let resolved = Resolved { version: None, run: None, run_place: None, places, unread: Vec::new() };
        let mut report = VerdictReport::default();
        compare(&evidence, &resolved, &mut report);
        report.problems.into_iter().map(|problem| problem.kind).collect()
    }
}
