//! One file, opened down to its last member: tell the format, read the facts, let the rules judge, open the children.

use std::io::Write;

use serde::{Deserialize, Serialize};
use waag_evidence::finding::{Finding, Location};
use waag_formats::budget::{Budget, Exhausted, MAX_DEPTH};
use waag_formats::child::{Child, Encoding, Role};
use waag_formats::contents;
use waag_formats::decode::{BOMB_BYTES, BOMB_RATIO, DecodeError, decode};
use waag_formats::fact::{Anomaly, FactKind, Gap, Position, ReferenceKind};
use waag_formats::facts::Facts;
use waag_formats::format::{Certainty, Context, Format, Probe};
use waag_formats::programs;
use waag_formats::source::{Source, Window, read_up_to};
use waag_formats::{pickle, recognise};

use crate::checkpoint::{self, Expected};
use crate::content_address;
use crate::disguised;
use crate::expectation;
use crate::flood::Kinds;
use crate::io::{MemoryPlan, Spool, sha256};
use crate::report::ArtifactReport;
use crate::rules::finding::Findings;
use crate::rules::{Artifact, RULES};
use crate::summary;

/// Formats whose signatures raw numbers do not have by chance.
const UNLIKELY_NUMBERS: &[&str] = &["pickle", "zip", "7z", "xz", "gguf"];

/// What is said of content that ends too early. Where only the decoding ended, it is not about the file.
const ABOUT_THE_END: &[Anomaly] = &[
    Anomaly::AllocationBomb,
    Anomaly::Broken,
    Anomaly::ChecksumMismatch,
    Anomaly::Malformed,
    Anomaly::OutOfBounds,
    Anomaly::SizeMismatch,
];

/// An archive of fewer bytes has no honest reason to hold more than may be decoded below one file.
const SMALL_ARCHIVE: u64 = 1 << 20;

/// Padding that is passed over.
const MAX_PADDING: usize = 64 << 10;

/// Reports kept of one file and what is in it: all are examined, and what is found in all is told.
const MAX_LISTED: usize = 4_000;

/// How long a file says another has to be.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FileSize {
    /// Who says it.
    pub(crate) location: Location,
    /// Of which file, seen from there.
    pub(crate) target: String,
    /// Bytes that are taken from it.
    pub(crate) least: u64,
    /// Bytes that it may have.
    pub(crate) most: Option<u64>,
}

/// What a file gave: its own report and those of everything in it, and what was found.
#[derive(Debug, Default)]
pub struct Examined {
    /// Reports, outermost first.
    pub artifacts: Vec<ArtifactReport>,
    /// Findings, in order of artifact; of a flood the first are listed, and the rest is counted.
    pub findings: Vec<Finding>,
    /// How many there are of each kind.
    pub(crate) kinds: Kinds,
    /// Other files of the same model that it names.
    pub references: Vec<(Location, String)>,
    /// Those of them that hold raw numbers.
    pub(crate) numbers: Vec<(Location, String)>,
    /// How long other files of the same model have to be.
    pub(crate) sizes: Vec<FileSize>,
    /// Whether the bytes of the file itself are surely none of the known formats.
    pub(crate) is_unknown: bool,
    /// Storages that a pickle expects beside it, by the pickle's members.
    pub(crate) storages: Vec<Expected>,
    /// Members that were examined but are not in the list of reports, which has its limit.
    pub(crate) unlisted: u64,
    /// All facts of each artifact, when they were asked for.
    pub facts: Vec<Facts>,
}

/// How to examine.
#[derive(Debug, Clone, Copy)]
pub struct Examination<'a> {
    /// What the file may cost.
    pub budget: &'a Budget,
    /// Memory shared with other files under way.
    pub memory: &'a MemoryPlan,
    /// Whether to digest every artifact.
    pub digests: bool,
    /// Whether to keep all facts, with the steps of reconstructions.
    pub keep_facts: bool,
}

/// An artifact about to be examined.
struct Subject<'a> {
    source: &'a dyn Source,
    location: Location,
    role: Role,
    depth: u32,
    /// Stored bytes of the outermost stream that this was decoded from, through however many others.
    stored: Option<u64>,
    /// Whether it was not decoded to its end, as is told of what holds it.
    is_cut: bool,
}

impl Subject<'_> {
    fn name(&self) -> &str {
        self.location.members.last().unwrap_or(&self.location.file)
    }
}

impl Examination<'_> {
    /// Examines a file.
    #[must_use]
    pub fn file(&self, source: &dyn Source, location: Location) -> Examined {
        self.whole(Subject { source, location, role: Role::Unknown, depth: 0, stored: None, is_cut: false })
    }

    fn whole(&self, subject: Subject<'_>) -> Examined {
        let mut examined = Examined::default();
        self.artifact(&subject, &mut examined);
        examined.is_unknown |= is_compressed_unknown(&examined);
        if let (1.., Some(whole)) = (examined.unlisted, examined.artifacts.first_mut()) {
            whole.properties.push(("members not listed".to_owned(), examined.unlisted.to_string()));
        }
        examined
    }

    fn artifact(&self, subject: &Subject<'_>, examined: &mut Examined) {
        let probe = Probe::new(subject.source, subject.name(), subject.role);
        let formats = formats_of(&probe);
        if formats.is_empty() && subject.role == Role::Numbers {
            return self.numbers(subject, examined);
        }
        let mut facts = self.read(subject, &probe, &formats);
        if subject.depth == 0 {
            examined.is_unknown = recognise(&probe).iter().all(|(_, certainty)| *certainty < Certainty::Likely);
        }
        drop(probe);
        let index = examined.artifacts.len();
        let mut report = summary::report(subject.location.clone(), subject.source.len(), &formats, &facts);
        if self.digests || formats.is_empty() || !summary::is_parsed(&formats) {
            report.sha256 = sha256(subject.source).ok();
        }
        check_address(subject, &mut report, &mut facts);
        let listed = index < MAX_LISTED;
        if listed {
            examined.artifacts.push(report);
        } else {
            examined.unlisted += 1;
        }
        self.children(subject, &mut facts, examined);
        checkpoint::check(&subject.location, &mut examined.storages, &mut facts);
        examined.storages.extend(checkpoint::expected(&subject.location, &facts));
        self.judge(subject, &formats, &facts, examined);
        if let Some(report) = examined.artifacts.get_mut(index).filter(|_| listed) {
            summary::conclude(report, &facts);
        }
        if self.keep_facts && listed {
            examined.facts.insert(index.min(examined.facts.len()), facts);
        }
    }

    /// Numbers of no known format, which have no report of their own.
    fn numbers(&self, subject: &Subject<'_>, examined: &mut Examined) {
        let mut facts = Facts::new();
        contents::storage(subject.source, self.budget, &mut facts);
        if !facts.list().is_empty() {
            self.judge(subject, &[], &facts, examined);
        }
    }

    fn read(&self, subject: &Subject<'_>, probe: &Probe<'_>, formats: &[&'static dyn Format]) -> Facts {
        let mut facts = if self.keep_facts { Facts::with_steps() } else { Facts::new() };
        let context = Context { name: subject.name(), role: subject.role, budget: self.budget };
        self.memory.with_room(subject.source.len(), || {
            for format in formats {
                format.inspect(subject.source, &context, &mut facts);
            }
            if formats.is_empty() {
                unknown(subject.source, self.budget, &mut facts);
            } else {
                disguised::search(probe, formats, &context, &mut facts);
            }
        });
        contents::observe(subject.source, &context, &mut facts);
        expectation::check(probe, formats, &mut facts);
        if subject.is_cut {
            facts.forgive(ABOUT_THE_END);
        }
        facts
    }

    fn children(&self, subject: &Subject<'_>, facts: &mut Facts, examined: &mut Examined) {
        // Decoding a child may show another behind it, so the list grows while it is gone through.
        let mut next = 0;
        while let Some(fact) = facts.list().get(next) {
            next += 1;
            let Some(child) = child_of(&fact.kind) else { continue };
            if subject.depth >= MAX_DEPTH {
                let detail = format!("'{}' lies deeper than {MAX_DEPTH} containers", child.name);
                facts.incomplete(child.offset, Gap::Limit, detail);
                break;
            }
            self.child(subject, &child, facts, examined);
        }
    }

    fn child(&self, parent: &Subject<'_>, child: &Child, facts: &mut Facts, examined: &mut Examined) {
        let mut location = parent.location.clone();
        location.members.push(child.name.clone());
        let (role, depth) = (child.role, parent.depth + 1);
        if child.encoding == Encoding::Stored {
            let padding = padding(parent.source, child);
            let window = Window::new(parent.source, child.offset + padding, child.length - padding);
            let stored = parent.stored;
            return self.artifact(
                &Subject { source: &window, location, role, depth, stored, is_cut: parent.is_cut },
                examined,
            );
        }
        let (spool, is_cut) = self.decoded(parent, child, facts);
        if is_cut && spool.is_empty() {
            return;
        }
        let stored = parent.stored.unwrap_or(child.length);
        if is_bomb(spool.len(), stored) {
            let detail = format!("'{}' is {} bytes, out of {stored} that are stored", child.name, spool.len());
            facts.anomaly(child.offset, Anomaly::ExpansionBomb, detail);
        }
        let subject = Subject { source: &spool, location, role, depth, stored: Some(stored), is_cut };
        self.artifact(&subject, examined);
    }

    /// Decodes a child as far as it goes, and tells whether a limit ended that. What goes wrong is a fact about the parent.
    fn decoded(&self, parent: &Subject<'_>, child: &Child, facts: &mut Facts) -> (Spool, bool) {
        let mut spool = Spool::default();
        let decoded = decode(parent.source, child, self.budget, &mut spool as &mut dyn Write);
        let is_cut = matches!(decoded, Err(DecodeError::Exhausted(_) | DecodeError::Bomb));
        match decoded {
            Ok(decoded) => note_rest(child, decoded.consumed, decoded.trailing, decoded.checksum_ok, facts),
            Err(error) => note_error(parent, child, &error, !spool.is_empty(), facts),
        }
        (spool, is_cut || parent.is_cut)
    }

    fn judge(&self, subject: &Subject<'_>, formats: &[&'static dyn Format], facts: &Facts, examined: &mut Examined) {
        let artifact = Artifact {
            name: subject.name(),
            size: subject.source.len(),
            format: formats.first().map(|format| format.meta()),
            facts: facts.list(),
            is_file: subject.depth == 0,
        };
        let mut found = Vec::new();
        judge(&subject.location, &artifact, &mut found);
        examined.kinds.add(found, &mut examined.findings);
        for fact in facts.list() {
            if let FactKind::FileSize { target, least, most } = &fact.kind {
                let (location, target) = (subject.location.clone(), target.clone());
                examined.sizes.push(FileSize { location, target, least: *least, most: *most });
            }
            let FactKind::Reference { kind, target } = &fact.kind else { continue };
            let named = (subject.location.clone(), target.clone());
            match kind {
                ReferenceKind::File => examined.references.push(named),
                ReferenceKind::Numbers => {
                    examined.numbers.push(named.clone());
                    examined.references.push(named);
                }
                ReferenceKind::OptionalNumbers => examined.numbers.push(named),
                _ => {}
            }
        }
    }
}

/// Whether a file is a compressed stream of bytes that are of no known format, and nothing else was found.
fn is_compressed_unknown(file: &Examined) -> bool {
    const STREAMS: &[&str] = &["zstd", "gzip", "zlib", "lz4", "bzip2", "xz"];
    let [stream, content] = file.artifacts.as_slice() else { return false };
    let within = |finding: &Finding| finding.location.members == content.location.members;
    stream.format.is_some_and(|format| STREAMS.contains(&format))
        && content.format.is_none()
        && file.findings.iter().all(within)
}

/// Lets every rule judge an artifact.
pub fn judge(location: &Location, artifact: &Artifact<'_>, list: &mut Vec<Finding>) {
    for rule in RULES {
        rule.judge(artifact, &mut Findings::new(location, rule.meta(), list));
    }
}

/// The formats to read an artifact as: all that its structure fits; if none, the one that could be; if none, the one
/// that its name promises, since that is what a loader would take it for.
fn formats_of(probe: &Probe<'_>) -> Vec<&'static dyn Format> {
    let mut found = recognise(probe);
    if probe.role == Role::Numbers {
        // Any few bytes may look like text, JSON or a picture.
        found.retain(|(format, _)| UNLIKELY_NUMBERS.contains(&format.meta().id));
    }
    let sure: Vec<_> =
        found.iter().filter(|(_, certainty)| *certainty >= Certainty::Likely).map(|(format, _)| *format).collect();
    if !sure.is_empty() {
        return sure;
    }
    // Texts of all kinds end in .txt: what is no list of packages by its name or its lines is none.
    let is_meant = |format: &&dyn Format| probe.role != Role::Numbers && format.meta().id != "requirements";
    let promised = || expectation::promised(probe.name).filter(is_meant);
    let possible = found.first().map(|(format, _)| *format);
    possible.or_else(promised).into_iter().collect()
}

/// A name that is a digest is compared with the content.
fn check_address(subject: &Subject<'_>, report: &mut ArtifactReport, facts: &mut Facts) {
    let Some(promised) = content_address::promised(subject.name()) else { return };
    if report.sha256.is_none() {
        report.sha256 = sha256(subject.source).ok();
    }
    if let Some(detail) = report.sha256.as_ref().and_then(|actual| content_address::problem(&promised, actual)) {
        facts.anomaly(0, Anomaly::ChecksumMismatch, detail);
    }
}

fn child_of(kind: &FactKind) -> Option<Child> {
    match kind {
        FactKind::Child(child) => Some(child.clone()),
        _ => None,
    }
}

/// Bytes of no known format: searched for what could be run, and said to be unknown.
fn unknown(source: &dyn Source, budget: &Budget, facts: &mut Facts) {
    if source.is_empty() {
        return;
    }
    pickle::search(source, 0, budget, facts);
    programs::search(source, true, budget, facts);
    facts.incomplete(0, Gap::UnknownFormat, "the format is not known");
}

fn note_rest(child: &Child, consumed: u64, trailing: u64, checksum_ok: bool, facts: &mut Facts) {
    if !checksum_ok {
        facts.anomaly(child.offset, Anomaly::ChecksumMismatch, format!("the checksum of '{}' is wrong", child.name));
    }
    if trailing == 0 {
        return;
    }
    let start = child.offset.saturating_add(consumed);
    facts.anomaly(start, Anomaly::TrailingBytes, format!("{trailing} bytes follow the end of '{}'", child.name));
    let rest = Child::stored(format!("bytes at {start:#x}"), start, trailing);
    facts.push(Position::Offset(start), FactKind::Child(rest));
}

/// Bytes of padding in front of what follows the end of a file: a loader that seeks there passes over them.
fn padding(source: &dyn Source, child: &Child) -> u64 {
    if !child.is_rest() {
        return 0;
    }
    let most = usize::try_from(child.length).unwrap_or(usize::MAX).min(MAX_PADDING);
    let start = read_up_to(source, child.offset, most);
    let is_padding = |byte: &u8| matches!(byte, 0 | b'\n' | b'\r' | b' ');
    start.iter().position(|byte| !is_padding(byte)).map_or(0, |padding| padding as u64)
}

/// Whether streams within streams hold more than a single one can: each alone is within its bounds.
fn is_bomb(decoded: u64, stored: u64) -> bool {
    decoded > BOMB_BYTES && decoded / BOMB_RATIO > stored
}

/// Notes why a child was not decoded in full. Once the budget is spent, nothing comes out of those that follow either.
fn note_error(parent: &Subject<'_>, child: &Child, error: &DecodeError, has_begun: bool, facts: &mut Facts) {
    let detail = format!("'{}' cannot be decoded in full: {error}", child.name);
    match error {
        DecodeError::Exhausted(Exhausted::Expansion) if has_begun && parent.source.len() < SMALL_ARCHIVE => {
            facts.anomaly(child.offset, Anomaly::ExpansionBomb, detail);
        }
        DecodeError::Bomb => facts.anomaly(child.offset, Anomaly::ExpansionBomb, detail),
        DecodeError::Exhausted(_) => facts.incomplete(child.offset, Gap::Limit, detail),
        DecodeError::Unsupported(_) => facts.incomplete(child.offset, Gap::Unsupported, detail),
        _ => facts.incomplete(child.offset, Gap::Unreadable, detail),
    }
}
