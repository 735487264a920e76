//! TensorFlow Lite (LiteRT): a FlatBuffer of subgraphs, and the numbers within it or behind it.

mod operators;
mod subgraph;

use std::collections::BTreeMap;

use crate::child::Child;
use crate::fact::{Anomaly, Effect, FactKind, Gap, Operator, Position};
use crate::facts::Facts;
use crate::flatbuffers::{Broken, FlatBuffer, Table, Vector};
use crate::foreign;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::location;
use crate::protobuf::Span;
use crate::source::{Source, Window, read_up_to};
use crate::zip::Zip;
use subgraph::Graphs;

/// Bytes of a name that are read.
const MAX_NAME: usize = 300;
/// Bytes of a description that are read.
const MAX_DESCRIPTION: usize = 2000;
/// Steps that reading a table costs: it is several accesses to the file.
const TABLE: u64 = 256;
/// Buffers, and kinds of operators, that are read.
const MAX_BUFFERS: usize = 1 << 20;
const MAX_CODES: usize = 1 << 16;
/// Descriptions for people that are read.
const MAX_CARDS: u32 = 4;
/// Bytes between parts that may be options of operators, which are not read one by one.
const MAX_GAP: u64 = 8192;
/// Bytes behind the last part that may be such options, where there are any.
const MAX_OPTIONS: u64 = 1024;
/// Bytes between parts that are padding, whatever they are.
const MAX_PADDING: u64 = 16;
/// The version of the schema that is read.
const VERSION: u32 = 3;

static META: Meta = Meta {
    id: "tflite",
    title: "TensorFlow Lite",
    extensions: &["tflite", "lite", "litertlm"],
    depth: Depth::Full,
    reads: "operators, subgraphs, tensors, buffers inside and behind the structure, signatures, metadata, appended files",
    specification: "https://github.com/google-ai-edge/LiteRT/blob/main/tflite/schema/schema.fbs",
};

/// The format.
#[derive(Debug)]
pub struct TfLite;

/// Whether bytes start as this format does.
pub(crate) fn is_tflite(head: &[u8]) -> bool {
    head.get(4..8) == Some(b"TFL3")
}

impl Format for TfLite {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        if !is_tflite(&probe.head) {
            return None;
        }
        let root = probe.head.get(..4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
        let fits = root.is_some_and(|root| u64::from(root) < probe.source.len());
        Some(if fits { Certainty::Certain } else { Certainty::Likely })
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let buffer = FlatBuffer::new(source);
        let mut model = Model {
            source,
            buffer: &buffer,
            context,
            facts,
            buffers: Vec::new(),
            codes: Vec::new(),
            cards: 0,
            outside: Vec::new(),
            has_unread_options: false,
        };
        if !is_tflite(&read_up_to(source, 0, 8)) {
            let detail = "the identifier is not that of the version that is read here";
            model.facts.incomplete(4, Gap::Unsupported, detail);
        }
        if let Err(error) = model.read() {
            model.broken(&error);
        }
        model.account();
    }
}

/// Where the bytes of a buffer are.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    offset: u64,
    length: u64,
    /// Whether a tensor has its numbers there.
    is_used: bool,
}

/// An operator code, and how often operators have it.
#[derive(Debug)]
struct Code {
    number: i32,
    custom: String,
    offset: u64,
    count: u64,
}

struct Model<'m, 'f> {
    source: &'m dyn Source,
    buffer: &'m FlatBuffer<'m>,
    context: &'m Context<'m>,
    facts: &'f mut Facts,
    buffers: Vec<Place>,
    codes: Vec<Code>,
    cards: u32,
    /// What is said to lie behind the structure: start, and where that is said.
    outside: Vec<(Span, u64)>,
    /// Whether operators have options with lists of their own, which are not followed.
    has_unread_options: bool,
}

impl Model<'_, '_> {
    fn read(&mut self) -> Result<(), Broken> {
        let root = self.buffer.root()?;
        let version = root.u32(0)?.unwrap_or(0);
        self.facts.property("version", version.to_string());
        self.facts.property("framework", "TensorFlow Lite");
        if version != VERSION {
            let detail = format!("version {version} of the schema; {VERSION} is read");
            self.facts.incomplete(root.offset, Gap::Unsupported, detail);
        }
        let description = root.text(3, MAX_DESCRIPTION)?;
        if !description.is_empty() {
            self.metadata(root.offset, "description", description);
        }
        self.read_buffers(&root)?;
        self.read_codes(&root)?;
        self.read_graphs(&root)?;
        self.read_metadata(&root)?;
        self.read_external(&root)?;
        self.say_operators();
        self.open_buffers();
        Ok(())
    }

    fn each<'t>(
        &mut self,
        vector: Option<Vector<'t>>,
        mut visit: impl FnMut(&mut Self, Table<'t>) -> Result<(), Broken>,
    ) -> Result<(), Broken> {
        let Some(vector) = vector else { return Ok(()) };
        for index in 0..vector.count {
            if let Err(error) = self.context.budget.operate(TABLE) {
                self.facts.incomplete(vector.start, Gap::Limit, error.to_string());
                return Ok(());
            }
            visit(self, vector.table(index)?)?;
        }
        Ok(())
    }

    /// Buffers hold their bytes, or say where behind the structure they are.
    fn read_buffers(&mut self, root: &Table<'_>) -> Result<(), Broken> {
        self.each(root.vector(4, 4)?, |model, table| {
            let (offset, size) = (table.u64(1)?.unwrap_or(0), table.u64(2)?.unwrap_or(0));
            let inside = table.vector(0, 1)?;
            let place = match inside {
                Some(data) if data.count > 0 => Place { offset: data.start, length: data.count, is_used: false },
                // An offset of 1 is the writer's mark for "not known yet".
                _ if offset > 1 => model.outside(&table, offset, size),
                _ => Place::default(),
            };
            if inside.is_some_and(|data| data.count > 0) && offset > 1 {
                let detail = "a buffer has bytes of its own and says that they are elsewhere";
                model.facts.anomaly(table.offset, Anomaly::ReaderDisagreement, detail);
                model.outside(&table, offset, size);
            }
            if model.buffers.len() >= MAX_BUFFERS {
                return broken(table.offset, "more buffers than are read");
            }
            model.buffers.push(place);
            Ok(())
        })?;
        if self.buffers.first().is_some_and(|first| first.length > 0) {
            let at = self.buffers.first().map_or(0, |first| first.offset);
            self.facts.anomaly(at, Anomaly::HiddenContent, "the first buffer, which means none at all, has bytes");
        }
        Ok(())
    }

    fn outside(&mut self, table: &Table<'_>, offset: u64, size: u64) -> Place {
        if size > self.source.len().saturating_sub(offset) {
            let detail = format!("a buffer of {size} bytes at {offset} ends outside the file");
            self.facts.anomaly(table.offset, Anomaly::OutOfBounds, detail);
            return Place::default();
        }
        if self.outside.len() < MAX_BUFFERS {
            self.outside.push((Span { offset, length: size }, table.offset));
        }
        Place { offset, length: size, is_used: false }
    }

    /// Files beside the model that hold its numbers.
    fn read_external(&mut self, root: &Table<'_>) -> Result<(), Broken> {
        root.vector(5, 4)?;
        self.each(root.vector(8, 4)?, |model, group| {
            let target = group.text(0, MAX_NAME)?;
            location::note(&target, "a group of buffers", group.offset, model.facts);
            Ok(())
        })
    }

    /// Buffers are numbers of tensors; what no tensor has may be anything.
    fn open_buffers(&mut self) {
        for place in &self.buffers {
            let span = Span { offset: place.offset, length: place.length };
            if span.length > 0 {
                foreign::open(self.source, "buffer", span, !place.is_used, self.context.budget, self.facts);
            }
        }
    }

    fn read_codes(&mut self, root: &Table<'_>) -> Result<(), Broken> {
        self.each(root.vector(1, 4)?, |model, table| {
            // Writers before 2020 have the number in a byte only; later ones in both, and the greater one counts.
            let old = i32::from(table.i8(0)?.unwrap_or(0));
            let number = table.i32(3)?.unwrap_or(0).max(old);
            if model.codes.len() >= MAX_CODES {
                return broken(table.offset, "more kinds of operators than are read");
            }
            let custom = table.text(1, MAX_NAME)?;
            model.codes.push(Code { number, custom, offset: table.offset, count: 0 });
            Ok(())
        })
    }

    fn read_graphs(&mut self, root: &Table<'_>) -> Result<(), Broken> {
        let list = root.vector(2, 4)?;
        let mut graphs = Graphs::new(list.map_or(0, |list| list.count));
        self.facts.property("subgraphs", graphs.count.to_string());
        if graphs.count == 0 {
            self.facts.anomaly(root.offset, Anomaly::Broken, "there is no graph, so no runtime takes it");
        }
        self.each(list, |model, table| graphs.read(model, &table))?;
        if graphs.have_cycle() {
            let detail = "subgraphs run each other without end: whoever runs the model runs out of stack";
            self.facts.anomaly(root.offset, Anomaly::AllocationBomb, detail);
        }
        self.each(root.vector(7, 4)?, |model, table| graphs.signature(model, &table))
    }

    fn read_metadata(&mut self, root: &Table<'_>) -> Result<(), Broken> {
        self.each(root.vector(6, 4)?, |model, table| {
            let (name, index) = (table.text(0, MAX_NAME)?, table.u32(1)?.unwrap_or(0));
            let Some(&place) = usize::try_from(index).ok().and_then(|index| model.buffers.get(index)) else {
                let detail = format!("metadata '{name}' are in buffer {index}, which does not exist");
                model.facts.anomaly(table.offset, Anomaly::OutOfBounds, detail);
                return Ok(());
            };
            model.describe(&name, place);
            Ok(())
        })
    }

    fn describe(&mut self, name: &str, place: Place) {
        let text = read_up_to(self.source, place.offset, usize::try_from(place.length.min(64)).unwrap_or(0));
        match name {
            "min_runtime_version" => {
                let text = String::from_utf8_lossy(&text).trim_end_matches('\0').to_owned();
                self.facts.property("min_runtime_version", text);
            }
            "TFLITE_METADATA" if self.cards < MAX_CARDS => {
                self.cards = self.cards.saturating_add(1);
                let window = Window::new(self.source, place.offset, place.length);
                if let Err(error) = self.card(&window, place.offset) {
                    let detail = format!("the description of the model cannot be read: {error}");
                    self.facts.anomaly(place.offset.saturating_add(error.offset), Anomaly::Broken, detail);
                }
            }
            _ => self.metadata(place.offset, name, format!("{} bytes", place.length)),
        }
    }

    /// What people wrote about the model: a FlatBuffer of its own.
    fn card(&mut self, window: &Window<'_>, at: u64) -> Result<(), Broken> {
        let buffer = FlatBuffer::new(window);
        let root = buffer.root()?;
        for (field, key) in [(0, "name"), (1, "description"), (2, "version"), (3, "author"), (4, "license")] {
            let text = root.text(field, MAX_DESCRIPTION)?;
            if !text.is_empty() {
                self.metadata(at, key, text);
            }
        }
        Ok(())
    }

    fn metadata(&mut self, at: u64, key: &str, value: String) {
        self.facts.push(Position::Offset(at), FactKind::Metadata { key: key.to_owned(), value });
    }

    fn say_operators(&mut self) {
        let mut known: BTreeMap<String, Operator> = BTreeMap::new();
        let mut places = BTreeMap::new();
        for code in &self.codes {
            let (name, effect) = effect_of(code);
            places.entry(name.clone()).or_insert(code.offset);
            let first = Operator { name: name.clone(), domain: String::new(), effect, count: 0 };
            let operator = known.entry(name).or_insert(first);
            operator.count = operator.count.saturating_add(code.count);
        }
        for (name, operator) in known {
            let at = places.get(&name).copied().unwrap_or(0);
            self.facts.push(Position::Offset(at), FactKind::Operator(operator));
        }
    }

    fn broken(&mut self, error: &Broken) {
        self.facts.anomaly(error.offset, Anomaly::OutOfBounds, error.what);
    }

    /// What no part of the structure claims is looked at for what it is.
    fn account(&mut self) {
        if !self.buffer.remembers_all() {
            let detail = "too many parts to tell whether they account for every byte";
            return self.facts.incomplete(0, Gap::Limit, detail);
        }
        self.settle_outside();
        for (start, end) in self.buffer.gaps(MAX_PADDING) {
            self.gap(start, end);
        }
        let (end, length) = (self.buffer.end(), self.source.len());
        let rest = Span { offset: end, length: length.saturating_sub(end) };
        if self.appended(end) || is_blank(self.source, end, length) {
            return;
        }
        if self.has_unread_options && rest.length <= MAX_OPTIONS {
            return foreign::search(self.source, rest, self.context.budget, self.facts);
        }
        let detail = format!("{} bytes follow the model", rest.length);
        self.facts.anomaly(end, Anomaly::TrailingBytes, detail);
        self.child("trailing", end, length);
    }

    /// What is said to lie behind the structure must not lie in it.
    fn settle_outside(&mut self) {
        let structure = self.buffer.end();
        for (span, at) in &self.outside {
            if span.offset < structure {
                let detail =
                    format!("a buffer at {} lies within the structure, which ends at {structure}", span.offset);
                self.facts.anomaly(*at, Anomaly::Overlap, detail);
            }
            self.buffer.touch(span.offset, span.length);
        }
    }

    fn gap(&mut self, start: u64, end: u64) {
        let length = end.saturating_sub(start);
        if is_blank(self.source, start, end) {
            return;
        }
        if length <= MAX_GAP {
            return foreign::search(self.source, Span { offset: start, length }, self.context.budget, self.facts);
        }
        let detail = format!("{length} bytes belong to no part of the model");
        self.facts.anomaly(start, Anomaly::Hole, detail);
        self.child("hole", start, end);
    }

    fn child(&mut self, name: &str, start: u64, end: u64) {
        let child = Child::stored(format!("{name}@{start}"), start, end.saturating_sub(start));
        self.facts.push(Position::Offset(start), FactKind::Child(child));
    }

    /// Labels and vocabularies are appended as a zip archive, whose offsets count from the start of the whole file.
    fn appended(&mut self, end: u64) -> bool {
        let probe = Probe::new(self.source, self.context.name, self.context.role);
        if Zip::at_end(&probe) != Some(Certainty::Likely) {
            return false;
        }
        let mut archive = Facts::new();
        Zip.inspect(self.source, self.context, &mut archive);
        self.facts.property("appended", "zip");
        for fact in archive.list() {
            let ordinary = match (&fact.kind, fact.position) {
                (FactKind::Property { .. }, _) => true,
                (FactKind::Anomaly { anomaly: Anomaly::LeadingBytes | Anomaly::Hole, .. }, Position::Offset(at)) => {
                    at < end
                }
                _ => false,
            };
            let before = matches!(&fact.kind, FactKind::Child(child) if child.offset < end && child.length >= end);
            if !ordinary && !before {
                self.facts.push(fact.position, fact.kind.clone());
            }
        }
        true
    }
}

fn broken<T>(offset: u64, what: &'static str) -> Result<T, Broken> {
    Err(Broken { offset, what })
}

fn effect_of(code: &Code) -> (String, Effect) {
    if code.number == operators::CUSTOM {
        return (code.custom.clone(), operators::named(&code.custom));
    }
    match operators::builtin(code.number) {
        // What it calls is a name that only another runtime may know.
        Some(name @ "STABLEHLO_CUSTOM_CALL") => (name.to_owned(), Effect::Custom),
        Some(name) => (name.to_owned(), Effect::Computes),
        None => (format!("builtin {}", code.number), Effect::Custom),
    }
}

/// Whether a range is zeros; long ranges are taken to be something.
fn is_blank(source: &dyn Source, start: u64, end: u64) -> bool {
    let length = end.saturating_sub(start);
    length < 65_536 && read_up_to(source, start, usize::try_from(length).unwrap_or(0)).iter().all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests;
