//! Datasets: whether type, shape and storage agree, and whether the bytes are what they should be.

use super::attribute::committed;
use super::datatype::{Class, Datatype, dataspace};
use super::dialect;
use super::file::File;
use super::header::{Message, kind};
use super::heap::{GlobalHeaps, LocalHeap, Place};
use super::layout::{self, Chunk, Chunks, Filter, Layout};
use crate::child::{Child, Encoding, Role};
use crate::fact::{Anomaly, FactKind, Gap, Position, ReferenceKind, Tensor};
use crate::facts::{Facts, shorten};
use crate::format::{Certainty, Probe};
use crate::payload::is_payload;
use crate::source::{Window, read_up_to};

/// A declared size without any storage above which a reader is made to allocate for nothing. Arrays that only have a
/// fill value are honest, and smaller.
const FREE_DECLARED: u64 = 1 << 30;
/// How much larger than the file a dataset may say it is: deflate makes zeros a thousandth.
const MOST_EXPANSION: u64 = 1100;
/// How much larger than the file a dataset that was never written may say it is.
const MOST_UNWRITTEN: u64 = 16;
/// Names of external files that are listed for one dataset.
const MAX_EXTERNAL: usize = 1000;
/// Bytes of what a virtual dataset is made of that are read.
const MAX_MAPPING: usize = 4096;
/// Compressed chunks of bytes whose start is looked at: each costs a decoder.
const MAX_INFLATED: u64 = 20_000;
/// Bytes of a chunk of bytes that are looked at.
const GLANCE: usize = 128;
/// Pickled rows of one table of objects that are opened.
const MAX_ROWS: u64 = 10_000;

/// What is known while one dataset is read.
pub(super) struct Dataset<'d, 'a> {
    pub(super) file: &'d File<'a>,
    pub(super) path: &'d str,
    pub(super) offset: u64,
    pub(super) heaps: &'d mut GlobalHeaps,
    pub(super) facts: &'d mut Facts,
    /// Storage in one piece: start and end.
    pub(super) places: &'d mut Vec<(u64, u64)>,
    /// What all datasets together say they are.
    pub(super) declared: &'d mut Declared,
    /// Whether a reader unpickles its rows.
    pub(super) pickled: bool,
}

/// Bytes that the datasets of a file are by type and shape.
#[derive(Debug, Default)]
pub(super) struct Declared {
    /// Of those that are stored somehow.
    stored: u64,
    /// Of those that were never written.
    unwritten: u64,
    /// Whether one of them alone has been called too large.
    is_told: bool,
}

impl Declared {
    /// Many datasets that are each small enough may be too much together.
    pub(super) fn conclude(&self, length: u64, facts: &mut Facts) {
        let is_much = |declared: u64, most: u64| declared > FREE_DECLARED && declared > length.saturating_mul(most);
        let all = self.stored.saturating_add(self.unwritten);
        if !self.is_told && (is_much(self.unwritten, MOST_UNWRITTEN) || is_much(self.stored, MOST_EXPANSION)) {
            let detail = format!("the datasets are {all} bytes by type and shape, in a file of {length}");
            facts.anomaly(0, Anomaly::AllocationBomb, detail);
        }
    }
}

impl Dataset<'_, '_> {
    /// Reads the messages of a dataset.
    pub(super) fn read(mut self, messages: &[Message]) {
        let find = |wanted: u16| messages.iter().find(|message| message.kind == wanted);
        self.external(messages);
        let Some(datatype) = find(kind::DATATYPE).and_then(|message| self.datatype(message)) else {
            return self.unreadable("datatype");
        };
        let Some(space) = find(kind::DATASPACE).and_then(|message| dataspace(&mut self.file.fields(&message.body)))
        else {
            return self.unreadable("dataspace");
        };
        let Some(layout) =
            find(kind::LAYOUT).and_then(|message| layout::read(self.file, &message.body, message.offset))
        else {
            return self.unreadable("layout");
        };
        let filters = find(kind::FILTERS).map(|message| layout::filters(self.file, &message.body));
        let Some(filters) = filters.unwrap_or_else(|| Some(Vec::new())) else { return self.unreadable("filters") };
        self.filters(&filters);
        let extents = space.unwrap_or_default();
        let has_external = find(kind::EXTERNAL_FILES).is_some();
        let bytes = self.storage(&layout, &datatype, &extents, &filters, has_external);
        let tensor =
            Tensor { name: shorten(self.path.to_owned(), 300), dtype: datatype.describe(), shape: extents, bytes };
        self.facts.push(Position::Offset(self.offset), FactKind::Tensor(tensor));
    }

    fn unreadable(&mut self, what: &str) {
        let detail = format!("the {what} of '{}' is missing or cannot be read", self.path);
        self.facts.anomaly(self.offset, Anomaly::Malformed, detail);
    }

    fn datatype(&mut self, message: &Message) -> Option<Datatype> {
        if message.shared {
            return committed(self.file, &message.body, self.facts);
        }
        Datatype::read(&mut self.file.fields(&message.body))
    }

    /// Files outside this one that the bytes are read from: any file, by any path.
    fn external(&mut self, messages: &[Message]) {
        for message in messages.iter().filter(|message| message.kind == kind::EXTERNAL_FILES) {
            let names = self.external_names(message).unwrap_or_default();
            for name in names.iter().map(String::as_str).chain(names.is_empty().then_some("an unreadable name")) {
                let detail = format!("the bytes of '{}' are read from the file '{name}'", self.path);
                self.facts.anomaly(message.offset, Anomaly::ExternalData, detail);
            }
        }
    }

    fn external_names(&self, message: &Message) -> Option<Vec<String>> {
        let mut fields = self.file.fields(&message.body);
        fields.skip(6)?;
        let used = usize::from(fields.u16()?);
        let heap = LocalHeap::read(self.file, fields.address()??)?;
        let mut names = Vec::new();
        for _ in 0..used.min(MAX_EXTERNAL) {
            let name = heap.text(fields.length()?)?;
            fields.length()?;
            fields.length()?;
            names.push(name);
        }
        Some(names)
    }

    fn filters(&mut self, filters: &[Filter]) {
        for filter in filters.iter().filter(|filter| filter.known.is_none()) {
            let target = format!("filter {} ({}) of '{}'", filter.id, filter.name, self.path);
            let fact = FactKind::Reference { kind: ReferenceKind::Library, target };
            self.facts.push(Position::Offset(self.offset), fact);
        }
    }

    /// Verifies the storage against the shape; gives the stored size.
    fn storage(
        &mut self,
        layout: &Layout,
        datatype: &Datatype,
        shape: &[u64],
        filters: &[Filter],
        external: bool,
    ) -> Option<u64> {
        let Some(declared) = shape.iter().try_fold(datatype.size, |all, one| all.checked_mul(*one)) else {
            let detail = format!("the size of '{}' overflows 64 bits", self.path);
            self.facts.anomaly(self.offset, Anomaly::AllocationBomb, detail);
            return None;
        };
        match layout {
            Layout::Compact(offset, length) => {
                self.exact(declared, *length);
                self.contents(*offset, *length, datatype);
                Some(*length)
            }
            Layout::Contiguous(Some(address), length) => {
                let length = length.unwrap_or(declared);
                self.exact(declared, length);
                self.contiguous(*address, length, datatype);
                Some(length)
            }
            Layout::Contiguous(None, _) if external => None,
            Layout::Contiguous(None, _) => {
                self.unwritten(declared);
                Some(0)
            }
            Layout::Chunked(chunks) => self.chunked(chunks, datatype, shape, declared, filters),
            Layout::Virtual(address, index) => {
                self.mapped(*address, *index);
                None
            }
            Layout::Unknown => {
                let detail = format!("the layout of '{}' is of a version that is not read here", self.path);
                self.facts.incomplete(self.offset, Gap::Unsupported, detail);
                None
            }
        }
    }

    fn exact(&mut self, declared: u64, stored: u64) {
        if stored < declared {
            let detail = format!("'{}' needs {declared} bytes by type and shape but stores {stored}", self.path);
            self.facts.anomaly(self.offset, Anomaly::SizeMismatch, detail);
        }
    }

    fn unwritten(&mut self, declared: u64) {
        self.declared.unwritten = self.declared.unwritten.saturating_add(declared);
        if declared > FREE_DECLARED && declared / MOST_UNWRITTEN > self.file.source.len() {
            let detail = format!("'{}' is {declared} bytes by type and shape, and stores none of them", self.path);
            self.declared.is_told = true;
            self.facts.anomaly(self.offset, Anomaly::AllocationBomb, detail);
        }
    }

    fn contiguous(&mut self, address: u64, length: u64, datatype: &Datatype) {
        if !self.file.has(address, length) {
            let detail = format!("the {length} bytes of '{}' reach beyond the end of the file", self.path);
            return self.facts.anomaly(self.offset, Anomaly::OutOfBounds, detail);
        }
        let start = self.file.offset(address);
        if length > 0 {
            self.places.push((start, start.saturating_add(length)));
        }
        self.contents(start, length, datatype);
    }

    fn chunked(
        &mut self,
        chunks: &Chunks,
        datatype: &Datatype,
        shape: &[u64],
        declared: u64,
        filters: &[Filter],
    ) -> Option<u64> {
        let (mut stored, mut count, mut first, mut outside) = (0u64, 0u64, None, None);
        let file = self.file;
        let mut pickles = Vec::new();
        let mut later = Vec::new();
        let outcome = layout::chunks(file, chunks, datatype.size, shape, &mut |chunk| {
            (stored, count) = (stored.saturating_add(chunk.size), count.saturating_add(1));
            first.get_or_insert(chunk);
            if !file.has(chunk.address, chunk.size) {
                outside.get_or_insert(chunk);
            }
            if count > 1 && datatype.is_bytes() {
                later.extend(self.later_chunk(chunk, count, chunks.whole(datatype.size), datatype, filters));
            }
            if self.pickled && (pickles.len() as u64) < MAX_ROWS {
                pickles.push(chunk);
            }
            Some(())
        });
        self.note_chunks(outcome, outside, count);
        if let Some(chunk) = first.filter(|_| outside.is_none()) {
            self.first_chunk(chunk, count, datatype, filters);
        }
        later.into_iter().for_each(|(offset, fact)| self.facts.push(Position::Offset(offset), fact));
        self.rows(&pickles, outcome.is_some(), datatype, filters);
        if outcome.is_none() {
            self.expansion(declared, self.file.source.len());
            return None;
        }
        match stored {
            0 => self.unwritten(declared),
            _ => self.expansion(declared, self.file.source.len()),
        }
        Some(stored)
    }

    fn expansion(&mut self, declared: u64, stored: u64) {
        self.declared.stored = self.declared.stored.saturating_add(declared);
        if declared > FREE_DECLARED && declared / MOST_EXPANSION > stored {
            let detail = format!("'{}' is {declared} bytes by type and shape, in a file of {stored}", self.path);
            self.declared.is_told = true;
            self.facts.anomaly(self.offset, Anomaly::AllocationBomb, detail);
        }
    }

    fn note_chunks(&mut self, outcome: Option<()>, outside: Option<Chunk>, count: u64) {
        if let Some(chunk) = outside {
            let detail =
                format!("a chunk of '{}' at {:#x} reaches beyond the end of the file", self.path, chunk.address);
            return self.facts.anomaly(self.offset, Anomaly::OutOfBounds, detail);
        }
        let ended = count >= layout::MAX_CHUNKS || self.file.budget.operate(1).is_err();
        if outcome.is_none() && ended {
            return self.facts.incomplete(self.offset, Gap::Limit, "the file has more structure than is read");
        }
        if outcome.is_none() {
            let detail = format!("the index of the chunks of '{}' cannot be read to its end", self.path);
            self.facts.anomaly(self.offset, Anomaly::Malformed, detail);
        }
    }

    /// Bytes that are a program or an archive are no array of numbers, whatever the type says.
    fn contents(&mut self, offset: u64, length: u64, datatype: &Datatype) {
        if datatype.class == Class::LongText && length == datatype.size {
            return self.text(offset, length);
        }
        if !datatype.is_bytes() || length == 0 || self.file.budget.operate(64).is_err() {
            return;
        }
        if read_up_to(self.file.source, offset, 1) == b"{" {
            dialect::configuration(self.file, Place { offset, length }, self.facts);
        }
        let window = Window::new(self.file.source, offset, length);
        if is_artifact(&Probe::new(&window, "", Role::Unknown)) && self.file.budget.admit(1).is_ok() {
            let child = Child::stored(shorten(self.path.to_owned(), 300), offset, length);
            self.facts.push(Position::Offset(offset), FactKind::Child(child));
        }
    }

    /// A single text may be a configuration, in a file whose reader takes it from a dataset.
    fn text(&mut self, offset: u64, length: u64) {
        let reference = read_up_to(self.file.source, offset, usize::try_from(length.min(64)).unwrap_or(64));
        let Some(place) = super::attribute::heap_value(self.file, &reference, self.heaps) else { return };
        if read_up_to(self.file.source, place.offset, 1) == b"{" {
            dialect::configuration(self.file, place, self.facts);
        }
    }

    fn first_chunk(&mut self, chunk: Chunk, count: u64, datatype: &Datatype, filters: &[Filter]) {
        let offset = self.file.offset(chunk.address);
        match encoding(chunk, datatype, filters) {
            Some(Encoding::Stored) => self.contents(offset, chunk.size, datatype),
            Some(encoding) if datatype.is_bytes() => {
                let head = inflated(self.file, offset, chunk.size, 4096);
                let source = head.as_slice();
                if is_artifact(&Probe::new(&source, "", Role::Unknown)) && self.file.budget.admit(1).is_ok() {
                    let part = if count > 1 { " (first chunk)" } else { "" };
                    let name = format!("{}{part}", shorten(self.path.to_owned(), 300));
                    let child = Child { encoding, declared: None, ..Child::stored(name, offset, chunk.size) };
                    self.facts.push(Position::Offset(offset), FactKind::Child(child));
                }
            }
            _ => {}
        }
    }

    /// What a chunk that is not the first starts with, when that is a file of another kind. Chunks that go through
    /// filters are looked into as far as that stays cheap.
    fn later_chunk(
        &self,
        chunk: Chunk,
        count: u64,
        whole: u64,
        datatype: &Datatype,
        filters: &[Filter],
    ) -> Option<(u64, FactKind)> {
        let offset = self.file.offset(chunk.address);
        self.file.budget.operate(8).ok()?;
        let encoding = encoding(chunk, datatype, filters)?;
        if encoding == Encoding::Stored {
            let hit = is_payload(self.file.source, offset, chunk.size, false);
            return hit.then(|| self.piece(offset, chunk.size, encoding, count));
        }
        if count > MAX_INFLATED || self.file.budget.operate(500).is_err() {
            let detail = format!("'{}' has more compressed chunks than are looked into", self.path);
            let is_first = count == MAX_INFLATED.saturating_add(1);
            return is_first.then_some((offset, FactKind::Incomplete { reason: Gap::Limit, detail }));
        }
        let head = inflated(self.file, offset, chunk.size, GLANCE);
        let hit = is_payload(&head.as_slice(), 0, whole, false);
        hit.then(|| self.piece(offset, chunk.size, encoding, count))
    }

    fn piece(&self, offset: u64, length: u64, encoding: Encoding, count: u64) -> (u64, FactKind) {
        let name = format!("{} (chunk {count})", shorten(self.path.to_owned(), 300));
        let declared = (encoding == Encoding::Stored).then_some(length);
        (offset, FactKind::Child(Child { encoding, declared, ..Child::stored(name, offset, length) }))
    }

    /// Rows that a reader unpickles lie in heaps; the chunks say where.
    fn rows(&mut self, chunks: &[Chunk], all: bool, datatype: &Datatype, filters: &[Filter]) {
        let Class::List(_) = datatype.class else { return };
        if !self.pickled {
            return;
        }
        let plain = chunks.iter().all(|chunk| encoding(*chunk, datatype, filters) == Some(Encoding::Stored));
        if !all || !plain {
            let detail =
                format!("the pickled rows of '{}' are compressed or indexed in a way not read here", self.path);
            self.facts.incomplete(self.offset, Gap::Unsupported, detail);
        }
        for chunk in chunks.iter().filter(|chunk| encoding(**chunk, datatype, filters) == Some(Encoding::Stored)) {
            self.rows_of(*chunk, datatype);
        }
    }

    fn rows_of(&mut self, chunk: Chunk, datatype: &Datatype) {
        let step = datatype.size.max(1);
        let count = chunk.size.checked_div(step).unwrap_or(0).min(MAX_ROWS);
        for row in 0..count {
            let Some(bytes) = self.file.block(chunk.address.saturating_add(row.saturating_mul(step)), step) else {
                break;
            };
            let Some(place) = super::attribute::heap_value(self.file, &bytes, self.heaps) else { continue };
            if place.length == 0 || self.file.budget.admit(1).is_err() {
                continue;
            }
            let name = format!("{}[{row}]", shorten(self.path.to_owned(), 300));
            let child = Child { role: Role::Pickle, ..Child::stored(name, place.offset, place.length) };
            self.facts.push(Position::Offset(place.offset), FactKind::Child(child));
        }
    }

    /// A dataset made of others: those of other files are read when this one is.
    fn mapped(&mut self, address: Option<u64>, index: u32) {
        let Some(address) = address else { return };
        let place = self.heaps.find(self.file, address, index);
        let block = place.map(|place| read_up_to(self.file.source, place.offset, MAX_MAPPING));
        match block.and_then(|block| layout::virtual_source(self.file, &block)) {
            Some((_, 0)) => {}
            Some((name, 1)) if name == "." => {}
            Some((name, _)) if name == "." => {
                let detail = format!("not all parts that '{}' is made of are read here", self.path);
                self.facts.incomplete(self.offset, Gap::Unsupported, detail);
            }
            source => {
                let name = source.map_or_else(|| "an unreadable name".to_owned(), |(name, _)| name);
                let detail = format!("'{}' is made of datasets of the file '{name}'", self.path);
                self.facts.anomaly(self.offset, Anomaly::ExternalData, detail);
            }
        }
    }
}

/// How the bytes of a chunk are stored, when they are still in order.
fn encoding(chunk: Chunk, datatype: &Datatype, filters: &[Filter]) -> Option<Encoding> {
    let mut encoding = Encoding::Stored;
    for (index, filter) in filters.iter().enumerate() {
        let applied = chunk.mask & 1u64.checked_shl(u32::try_from(index).ok()?)? == 0;
        match filter.known {
            _ if !applied => {}
            Some("deflate") => encoding = Encoding::Zlib,
            Some("shuffle") if datatype.size == 1 => {}
            Some("fletcher32") if encoding == Encoding::Stored => {}
            _ => return None,
        }
    }
    Some(encoding)
}

/// The start of what a compressed chunk holds.
fn inflated(file: &File<'_>, offset: u64, length: u64, most: usize) -> Vec<u8> {
    let enough = most.saturating_mul(2).max(1024);
    let stored = read_up_to(file.source, offset, usize::try_from(length).unwrap_or(enough).min(enough));
    let mut head = vec![0; most];
    let mut inflate = flate2::Decompress::new(true);
    // Damage is no matter: what came out before it counts.
    let _ = inflate.decompress(&stored, &mut head, flate2::FlushDecompress::Sync);
    head.truncate(usize::try_from(inflate.total_out()).unwrap_or(0));
    head
}

/// Formats that raw numbers are not by chance.
const ARTIFACTS: &[&str] = &["pickle", "zip", "7z", "xz", "gguf", "executable", "hdf5"];

fn is_artifact(probe: &Probe<'_>) -> bool {
    let found = crate::recognise(probe);
    found.iter().any(|(format, certainty)| *certainty == Certainty::Certain && ARTIFACTS.contains(&format.meta().id))
}
