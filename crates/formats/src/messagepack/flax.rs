//! Checkpoints of Flax: nested maps of arrays, in MessagePack with three types of its own.

use super::packed::Packed;
use super::{Outcome, Problem, Value, ndarray, walk};
use crate::budget::Budget;
use crate::child::Child;
use crate::fact::{Anomaly, FactKind, Gap, Position};
use crate::facts::{Facts, shorten};
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::json::Segment;
use crate::protobuf::Span;
use crate::source::Source;

/// Types that Flax defines.
const NDARRAY: i8 = 1;
const COMPLEX: i8 = 2;
const SCALAR: i8 = 3;
/// The type that MessagePack itself defines.
const TIMESTAMP: i8 = -1;
/// Characters of a name that are kept.
const MAX_NAME: usize = 300;
/// Endings of spaCy's files, most of which have none.
const UNNAMED: &[&str] = &["", "bin"];
/// spaCy's files that may be longer than what is read to tell them.
const SPACY: &[&str] = &["key2row", "lookups.bin", "model", "patterns", "tokenizer"];
/// The settings of a model's layers, each a value of its own within the value.
const SETTINGS: &str = "attrs";

static META: Meta = Meta {
    id: "msgpack",
    title: "MessagePack (Flax)",
    extensions: &["msgpack", "mpk"],
    depth: Depth::Full,
    reads: "every value; arrays with their type, shape and size; bytes that are none of it",
    specification: "https://github.com/msgpack/msgpack/blob/master/spec.md",
};

/// The format.
#[derive(Debug)]
pub struct Flax;

impl Format for Flax {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        let named = META.extensions.contains(&probe.extension().as_str());
        let unnamed = UNNAMED.contains(&probe.extension().as_str());
        let body = match probe.head.as_slice() {
            [0x80] if named => return Some(Certainty::Likely),
            [0x80 | 0x90] if unnamed && probe.source.len() == 1 => return Some(Certainty::Possible),
            _ if unnamed && is_whole(probe) => return Some(Certainty::Possible),
            [0x81..=0x8f, body @ ..] | [0xde, _, _, body @ ..] | [0xdf, _, _, _, _, body @ ..] => body,
            _ => return None,
        };
        let key = match body {
            [length @ 0xa1..=0xbf, rest @ ..] => rest.get(..usize::from(length & 0x1f)),
            [0xd9, length, rest @ ..] => rest.get(..usize::from(*length)),
            _ => None,
        }?;
        let readable = key.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ' || *byte >= 0x80);
        let telling: [&[u8]; 4] = [b"\xa7float", b"\xa8bfloat16", b"\xa5int32", b"\xa6params"];
        let has = |text: &[u8]| probe.head.windows(<[u8]>::len(text)).any(|bytes| bytes == text);
        let arrays = telling.into_iter().any(has);
        match (readable, named || arrays) {
            (true, true) => Some(Certainty::Likely),
            (true, false) => Some(Certainty::Possible),
            _ => None,
        }
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let budget = context.budget;
        let mut reader = Reader { source, budget, facts, open: Vec::new(), prefix: String::new() };
        let outcome = walk(source, Span::whole(source), budget, &mut |path, at, value| reader.take(path, at, &value));
        report(&outcome, facts);
        let rest = source.len().saturating_sub(outcome.end);
        if outcome.complete && rest > 0 {
            facts.anomaly(outcome.end, Anomaly::TrailingBytes, format!("{rest} bytes follow the value"));
            let child = Child::stored(format!("trailing@{}", outcome.end), outcome.end, rest);
            facts.push(Position::Offset(outcome.end), FactKind::Child(child));
        }
    }
}

fn report(outcome: &Outcome, facts: &mut Facts) {
    for note in &outcome.notes {
        match note.problem {
            Problem::Odd(anomaly) => facts.anomaly(note.offset, anomaly, note.detail.as_str()),
            Problem::Stopped(gap) => facts.incomplete(note.offset, gap, note.detail.as_str()),
        }
    }
}

/// Whether the whole file is one value, as far as a short look tells.
fn is_whole(probe: &Probe<'_>) -> bool {
    if !matches!(probe.head.first(), Some(0x81..=0x9f | 0xdc..=0xdf)) {
        return false;
    }
    let name = probe.name.rsplit(['/', '\\', '!']).next().unwrap_or_default();
    let outcome = walk(probe.source, Span::whole(probe.source), &Budget::small(), &mut |_, _, _| {});
    let is_long = outcome.notes.iter().all(|note| note.problem == Problem::Stopped(Gap::Limit));
    match outcome.complete {
        true => outcome.notes.is_empty() && outcome.end == probe.source.len(),
        false => is_long && SPACY.contains(&name),
    }
}

/// Everything but the walk.
struct Reader<'a> {
    source: &'a dyn Source,
    budget: &'a Budget,
    facts: &'a mut Facts,
    /// A map each.
    open: Vec<Packed>,
    /// Where a value within the value lies.
    prefix: String,
}

impl Reader<'_> {
    fn take(&mut self, path: &[Segment], at: u64, value: &Value<'_>) {
        match value {
            Value::Map(_) => return self.open.push(Packed::default()),
            Value::MapEnd => {
                let name = self.name(path);
                return self.open.pop().into_iter().for_each(|packed| packed.settle(&name, self.facts));
            }
            _ if self.open.last_mut().is_some_and(|packed| packed.take(self.source, path, value)) => {}
            Value::Bytes(span) if self.is_setting(path) && self.nested(path, *span) => return,
            Value::Bytes(span) if span.length > 0 => self.embedded(path, *span),
            Value::Extension(NDARRAY | SCALAR, span) => {
                if self.facts.totals().tensors == 0 {
                    self.facts.property("framework", "Flax");
                }
                ndarray::read(self.source, *span, &self.name(path), self.budget, self.facts);
            }
            Value::Extension(COMPLEX | TIMESTAMP, _) => {}
            Value::Extension(kind, span) => {
                let detail = format!("'{}' is of type {kind}, which only its own application knows", self.name(path));
                self.facts.incomplete(at, Gap::Unsupported, detail);
                self.embedded(path, *span);
            }
            _ => {}
        }
        match value {
            Value::Text(text) => self.metadata(path, at, (*text).to_owned()),
            Value::Integer(number) => self.metadata(path, at, number.to_string()),
            Value::Float(number) => self.metadata(path, at, number.to_string()),
            _ => {}
        }
    }

    fn is_setting(&self, path: &[Segment]) -> bool {
        self.prefix.is_empty() && path.first().and_then(Segment::key) == Some(SETTINGS)
    }

    /// Reads a value within the value; false when it is none, from the first byte to the last.
    fn nested(&mut self, path: &[Segment], span: Span) -> bool {
        let outcome = walk(self.source, span, self.budget, &mut |_, _, _| {});
        if !outcome.complete || !outcome.notes.is_empty() || outcome.end != span.end() {
            return false;
        }
        let prefix = self.name(path);
        let mut inner =
            Reader { source: self.source, budget: self.budget, facts: self.facts, open: Vec::new(), prefix };
        walk(inner.source, span, inner.budget, &mut |path, at, value| inner.take(path, at, &value));
        true
    }

    /// Bytes of no type are looked at for what they are: a pickle, say.
    fn embedded(&mut self, path: &[Segment], span: Span) {
        let child = Child::stored(self.name(path), span.offset, span.length);
        self.facts.push(Position::Offset(span.offset), FactKind::Child(child));
    }

    /// Maps of text are descriptions; the items of lists, and what has a number for a name, are data.
    fn metadata(&mut self, path: &[Segment], at: u64, value: String) {
        let Some(Segment::Key(key)) = path.last() else { return };
        if !key.bytes().all(|byte| byte.is_ascii_digit()) {
            let (key, value) = (self.name(path), shorten(value, MAX_NAME));
            self.facts.push(Position::Offset(at), FactKind::Metadata { key, value });
        }
    }

    fn name(&self, path: &[Segment]) -> String {
        match self.prefix.as_str() {
            "" => name(path),
            prefix if path.is_empty() => prefix.to_owned(),
            prefix => shorten(format!("{prefix}/{}", name(path)), MAX_NAME),
        }
    }
}

/// Keys joined as Flax itself joins them.
fn name(path: &[Segment]) -> String {
    let mut name = String::new();
    for segment in path {
        if !name.is_empty() {
            name.push('/');
        }
        match segment {
            Segment::Key(key) => name.extend(key.chars().take(MAX_NAME)),
            Segment::Index(index) => name.push_str(&index.to_string()),
        }
        if name.len() > MAX_NAME.saturating_mul(4) {
            break;
        }
    }
    shorten(name, MAX_NAME)
}
