//! Checkpoints of Flax: nested maps of arrays, in MessagePack with three types of its own.

use super::{Outcome, Problem, Value, ndarray, packed, walk};
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
        let body = match probe.head.as_slice() {
            [0x81..=0x8f, body @ ..] | [0xde, _, _, body @ ..] | [0xdf, _, _, _, _, body @ ..] => body,
            [0x80] if named => return Some(Certainty::Likely),
            _ => return packed::is_whole(probe).then_some(Certainty::Possible),
        };
        let key = match body {
            [length @ 0xa1..=0xbf, rest @ ..] => rest.get(..usize::from(length & 0x1f)),
            [0xd9, length, rest @ ..] => rest.get(..usize::from(*length)),
            _ => None,
        };
        let Some(key) = key else { return packed::is_whole(probe).then_some(Certainty::Possible) };
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
        let mut layers = packed::Layers::default();
        let mut visit = |path: &[Segment], offset: u64, value: Value<'_>| {
            if layers.value(source, path, &value, budget, facts) {
                return;
            }
            take(source, path, offset, &value, budget, facts);
        };
        let outcome = walk(source, Span::whole(source), budget, &mut visit);
        report(&outcome, facts);
        let rest = source.len().saturating_sub(outcome.end);
        if outcome.complete && rest > 0 {
            facts.anomaly(outcome.end, Anomaly::TrailingBytes, format!("{rest} bytes follow the value"));
            let child = Child::stored(format!("trailing@{}", outcome.end), outcome.end, rest);
            facts.push(Position::Offset(outcome.end), FactKind::Child(child));
        }
        super::chunked::check(source, budget, facts);
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

fn take(source: &dyn Source, path: &[Segment], at: u64, value: &Value<'_>, budget: &Budget, facts: &mut Facts) {
    match value {
        Value::Extension(NDARRAY | SCALAR, span) => {
            if facts.totals().tensors == 0 {
                facts.property("framework", "Flax");
            }
            ndarray::read(source, *span, &name(path), budget, facts);
        }
        Value::Extension(COMPLEX | TIMESTAMP, _) => {}
        Value::Extension(kind, span) => {
            let detail = format!("'{}' is of type {kind}, which only its own application knows", name(path));
            facts.incomplete(at, Gap::Unsupported, detail);
            embedded(path, *span, facts);
        }
        Value::Bytes(span) if span.length > 0 => embedded(path, *span, facts),
        Value::Text(text) => metadata(path, at, (*text).to_owned(), facts),
        Value::Integer(number) => metadata(path, at, number.to_string(), facts),
        Value::Float(number) => metadata(path, at, number.to_string(), facts),
        _ => {}
    }
}

/// Bytes of no type are looked at for what they are: a pickle, say.
fn embedded(path: &[Segment], span: Span, facts: &mut Facts) {
    let child = Child::stored(name(path), span.offset, span.length);
    facts.push(Position::Offset(span.offset), FactKind::Child(child));
}

fn metadata(path: &[Segment], at: u64, value: String, facts: &mut Facts) {
    // Maps of text are descriptions; the items of lists, and what has a number for a name, are data.
    let is_name = |key: &str| !key.bytes().all(|byte| byte.is_ascii_digit());
    if path.last().and_then(Segment::key).is_some_and(is_name) {
        let value = shorten(value, MAX_NAME);
        facts.push(Position::Offset(at), FactKind::Metadata { key: name(path), value });
    }
}

/// Keys joined as Flax itself joins them.
pub(super) fn name(path: &[Segment]) -> String {
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
