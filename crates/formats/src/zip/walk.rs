//! The walk over all records: every directory's and every one that only a reader of the stream meets, which bytes each
//! of them covers, and which bytes none covers.

use std::collections::{BTreeMap, BTreeSet};

use super::compare;
use super::directory::{Directory, Entry};
use super::layout::Layout;
use super::local::{self, Descriptor, Local};
use crate::child::{Child, Encoding};
use crate::fact::{Anomaly, FactKind, Gap, Position};
use crate::facts::Facts;
use crate::format::Context;
use crate::source::{Source, read_up_to};

/// Findings of one kind that are listed; more are counted.
const MAX_LISTED: usize = 16;
/// Bytes searched at once for what no record covers.
const CHUNK: usize = 64 * 1024;
/// Nothing that small can be a program.
const MIN_HIDDEN: u64 = 4;

/// A range of bytes that something accounts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Extent {
    start: u64,
    end: u64,
    owner: Owner,
}

/// What accounts for a range of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Owner {
    /// A directory or an end record.
    Frame,
    /// A member's record.
    Member,
    /// A record that no directory names; it was reported as such.
    Hidden,
}

/// The state of the walk.
pub(super) struct Walk<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) context: &'a Context<'a>,
    pub(super) facts: &'a mut Facts,
    pub(super) layout: Layout,
    extents: Vec<Extent>,
    /// Local records that a directory names, and where their stream ends.
    known: BTreeMap<u64, u64>,
    /// Where extents start, for finding the next one.
    starts: BTreeSet<u64>,
    /// Places where a reader of the stream expects the next record.
    expected: BTreeSet<u64>,
    children: BTreeSet<(u64, u64, u16)>,
    hidden: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(source: &'a dyn Source, context: &'a Context<'a>, facts: &'a mut Facts, layout: Layout) -> Self {
        let (extents, known, starts) = (Vec::new(), BTreeMap::new(), BTreeSet::new());
        let (expected, children) = (BTreeSet::from([0]), BTreeSet::new());
        Self { source, context, facts, layout, extents, known, starts, expected, children, hidden: 0 }
    }

    /// Accounts for bytes that are no member's.
    pub(super) fn cover(&mut self, start: u64, end: u64) {
        self.claim(start, end, Owner::Frame);
    }

    fn claim(&mut self, start: u64, end: u64, owner: Owner) {
        self.starts.insert(start);
        self.extents.push(Extent { start, end, owner });
    }

    /// Reads all records that a directory names.
    pub(super) fn directory(&mut self, directory: &Directory) {
        self.expected.insert(directory.shift);
        for entry in &directory.entries {
            if self.context.budget.operate(1).is_err() {
                self.facts.incomplete(entry.at, Gap::Limit, "the remaining members are not looked at");
                return;
            }
            self.entry(entry);
        }
    }

    fn entry(&mut self, entry: &Entry) {
        let local = local::read(self.source, entry.header).filter(|local| local.data <= self.source.len());
        compare::entry(self.source, entry, local.as_ref().map_or(0, |local| local.data), self.facts);
        let Some(local) = local else {
            let detail = format!("{} is said to lie at byte {}, past the end", entry.shown(), entry.header);
            return self.facts.anomaly(entry.at, Anomaly::OutOfBounds, detail);
        };
        compare::headers(entry, &local, self.facts);
        let data_end = local.data.saturating_add(entry.compressed);
        if data_end > self.source.len() {
            let detail = format!("the data of {} end past the end of the archive", entry.shown());
            self.facts.anomaly(entry.header, Anomaly::OutOfBounds, detail);
        }
        let end = data_end.saturating_add(self.descriptor(entry, &local, data_end));
        if self.known.insert(entry.header, end).is_some() {
            let detail = format!("{} shares its data with another member", entry.shown());
            self.facts.anomaly(entry.header, Anomaly::Overlap, detail);
        } else {
            self.claim(entry.header, end, Owner::Member);
        }
        self.members(entry, &local);
        self.expected.insert(end);
    }

    /// Length of the descriptor behind the data, which has to repeat what the directory says.
    fn descriptor(&mut self, entry: &Entry, local: &Local, at: u64) -> u64 {
        if !local.has_descriptor() {
            return 0;
        }
        match local::descriptor(self.source, at, entry.compressed, entry.size) {
            Descriptor::Right(length) => length,
            Descriptor::Absent if !local.is_open() || entry.is_folder() => 0,
            Descriptor::Absent => {
                let detail = format!("{} announces sizes behind its data that are not there", entry.shown());
                self.facts.anomaly(at, Anomaly::Malformed, detail);
                0
            }
            Descriptor::Wrong => {
                let detail = format!("the sizes behind the data of {} are not the directory's", entry.shown());
                self.facts.anomaly(at, Anomaly::HeaderDisagreement, detail);
                16
            }
        }
    }

    /// Emits a member as the directory has it and, where that differs, as its own header has it.
    fn members(&mut self, entry: &Entry, local: &Local) {
        let name = entry.shown();
        if entry.is_folder() && local.compressed == 0 {
            return;
        }
        let raw = (local.data, entry.compressed);
        self.member(&name, raw, entry.method, Some(entry.size));
        let length = if local.is_open() { entry.compressed } else { local.compressed };
        if local.method != entry.method || length != entry.compressed {
            let size = (!local.is_open()).then_some(local.size);
            self.member(&format!("{name} (as its own header has it)"), (local.data, length), local.method, size);
        }
        if entry.method != 0 && local.method != 0 && looks_loadable(&local.head) {
            self.member(&format!("{name} (stored bytes as they are)"), raw, 0, Some(entry.compressed));
        }
        if entry.flags & 1 != 0 || local.flags & 1 != 0 {
            self.facts.anomaly(entry.header, Anomaly::Encrypted, format!("{name} is said to be encrypted"));
            let detail = format!("{name} can only be read if its encryption flag is a lie");
            self.facts.incomplete(entry.header, Gap::Unsupported, detail);
        }
    }

    fn member(&mut self, name: &str, (offset, length): (u64, u64), method: u16, declared: Option<u64>) {
        if !self.children.insert((offset, length, method)) {
            return;
        }
        let Some(encoding) = encoding(method) else {
            let detail = format!("{name} is compressed with method {method}, which is not read here");
            return self.facts.incomplete(offset, Gap::Unsupported, detail);
        };
        let role = self.layout.role(name);
        let child = Child { name: name.into(), offset, length, encoding, declared, role };
        self.facts.push(Position::Offset(offset), FactKind::Child(child));
    }

    /// Follows the records as a reader of the stream does, and reports those that no directory names.
    pub(super) fn stream(&mut self) {
        while let Some(at) = self.expected.pop_first() {
            if !self.known.contains_key(&at) {
                self.hidden_record(at);
            }
        }
    }

    fn hidden_record(&mut self, at: u64) {
        let plausible = |local: &Local| local.is_plausible(self.source.len());
        let Some(local) = local::read(self.source, at).filter(plausible) else { return };
        if self.context.budget.admit(1).is_err() {
            return self.facts.incomplete(at, Gap::Limit, "further hidden records are not looked at");
        }
        self.hidden = self.hidden.saturating_add(1);
        if self.hidden <= MAX_LISTED {
            let detail = format!("{} has a record but no entry in the directory", local.shown());
            self.facts.anomaly(at, Anomaly::HiddenContent, detail);
        }
        let next = self.starts.range(local.data..).next().copied();
        let room = next.unwrap_or(self.source.len()).saturating_sub(local.data);
        let length = if local.is_open() { room } else { local.compressed };
        let declared = (!local.is_open()).then_some(local.size);
        let name = format!("{} (hidden)", local.shown());
        if length > 0 {
            self.member(&name, (local.data, length), local.method, declared);
        }
        let covered = if local.is_open() { 0 } else { length };
        let end = local.data.saturating_add(covered);
        self.known.insert(at, end);
        self.claim(at, end.min(self.source.len()), Owner::Hidden);
        self.expected.insert(end);
    }

    /// Reports bytes claimed twice and bytes claimed by nobody. `end` is where the last end record ends, if there is one.
    pub(super) fn account(&mut self, end: Option<u64>) {
        self.extents.sort_unstable();
        let (mut covered, mut owner) = (0u64, Owner::Frame);
        let (mut gaps, mut overlaps) = (Vec::new(), Vec::new());
        for extent in &self.extents {
            if extent.start > covered {
                gaps.push((covered, extent.start));
            } else if extent.start < covered && owner.clashes(extent.owner) {
                overlaps.push((extent.start, covered));
            }
            if extent.end > covered {
                (covered, owner) = (extent.end, extent.owner);
            }
        }
        gaps.push((covered.max(end.unwrap_or(0)), self.source.len()));
        self.overlaps(&overlaps);
        for (start, stop) in gaps.into_iter().filter(|(start, stop)| start < stop) {
            self.gap(start, stop, end.unwrap_or(u64::MAX));
        }
    }

    fn overlaps(&mut self, overlaps: &[(u64, u64)]) {
        for &(start, covered) in overlaps.iter().take(MAX_LISTED) {
            let bytes = covered.saturating_sub(start);
            let detail = format!("a part of the archive starts {bytes} bytes before the one in front of it ends");
            self.facts.anomaly(start, Anomaly::Overlap, detail);
        }
        if overlaps.len() > MAX_LISTED {
            let detail = format!("{} parts of the archive overlap", overlaps.len());
            self.facts.anomaly(0, Anomaly::Overlap, detail);
        }
    }

    fn gap(&mut self, start: u64, stop: u64, end: u64) {
        let content = self.search(start, stop);
        let leading = start == 0;
        if !leading && !content.any || is_split_marker(self.source, start, stop) {
            return;
        }
        let (anomaly, place) = match (leading, start >= end) {
            (true, _) => (Anomaly::LeadingBytes, "before the first record"),
            (_, true) => (Anomaly::TrailingBytes, "after the end of the archive"),
            _ => (Anomaly::HiddenContent, "between records"),
        };
        let length = stop.saturating_sub(start);
        self.facts.anomaly(start, anomaly, format!("{length} bytes {place}, which the usual reader does not show"));
        if length >= MIN_HIDDEN && content.any {
            let child = Child::stored(format!("bytes {place}"), start, length);
            self.facts.push(Position::Offset(start), FactKind::Child(child));
        }
        for at in content.records {
            if !self.known.contains_key(&at) {
                self.hidden_record(at);
            }
        }
        self.stream();
    }

    /// Searches bytes that nobody accounts for: whether there are any but zeros, and where records start in them.
    fn search(&mut self, start: u64, stop: u64) -> Content {
        let mut content = Content { any: false, records: Vec::new() };
        let mut at = start;
        while at < stop {
            if self.context.budget.operate(CHUNK as u64 / 64).is_err() {
                self.facts.incomplete(at, Gap::Limit, "the remaining bytes outside of records are not searched");
                break;
            }
            let length = usize::try_from(stop.saturating_sub(at)).unwrap_or(usize::MAX).min(CHUNK);
            // Three bytes more, for a signature across two chunks.
            let bytes = read_up_to(self.source, at, length.saturating_add(3));
            content.any |= bytes.iter().take(length).any(|&byte| byte != 0);
            let found = bytes.windows(4).enumerate().filter(|(_, window)| *window == local::SIGNATURE);
            let room = MAX_LISTED.saturating_sub(content.records.len());
            content.records.extend(found.map(|(index, _)| at.saturating_add(index as u64)).take(room));
            at = at.saturating_add(length as u64);
        }
        content
    }
}

impl Owner {
    /// Members share bytes with nothing; frames do among each other when there are several readings.
    fn clashes(self, other: Self) -> bool {
        matches!((self, other), (Self::Member, Self::Member | Self::Frame) | (Self::Frame, Self::Member))
    }
}

struct Content {
    any: bool,
    records: Vec<u64>,
}

/// Split archives that turned out to need one part only start with a marker of four bytes.
fn is_split_marker(source: &dyn Source, start: u64, stop: u64) -> bool {
    start == 0 && stop == 4 && matches!(read_up_to(source, 0, 4).as_slice(), b"PK00" | b"PK\x07\x08")
}

/// A pickle's or an archive's first bytes, where compressed ones should be.
fn looks_loadable(head: &[u8]) -> bool {
    matches!(head, [0x80, 2..=5, ..]) || head.starts_with(local::SIGNATURE)
}

/// The methods of zip that are read.
fn encoding(method: u16) -> Option<Encoding> {
    Some(match method {
        0 => Encoding::Stored,
        8 => Encoding::Deflate,
        12 => Encoding::Bzip2,
        14 => Encoding::Lzma,
        20 | 93 => Encoding::Zstd,
        95 => Encoding::Xz,
        _ => return None,
    })
}
