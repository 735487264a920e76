//! safetensors: a length, a JSON header, and numbers. Verified whole, as the reference reader does and stricter.

use crate::budget::Budget;
use crate::child::Child;
use crate::cursor::Cursor;
use crate::fact::{Anomaly, FactKind, Gap, Position, Tensor};
use crate::facts::{Facts, MAX_TEXT, shorten};
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::json::{Deviation, Event, Outcome, Value, walk};
use crate::numbers::{Array, Arrays, Element};
use crate::source::Source;

/// The reference reader's limit on the header.
const MAX_HEADER: u64 = 100_000_000;
/// Bytes before the header.
const PREFIX: u64 = 8;
/// Extents of one tensor that are read.
const MAX_DIMENSIONS: usize = 64;
/// Tensors whose place is verified; the largest known models have some 200 000.
const MAX_TENSORS: usize = 1 << 20;

/// Element types and their size in bits.
const DTYPES: &[(&str, u64)] = &[
    ("BOOL", 8),
    ("F4", 4),
    ("F6_E2M3", 6),
    ("F6_E3M2", 6),
    ("U8", 8),
    ("I8", 8),
    ("F8_E5M2", 8),
    ("F8_E4M3", 8),
    ("F8_E8M0", 8),
    ("F8_E4M3FNUZ", 8),
    ("F8_E5M2FNUZ", 8),
    ("I16", 16),
    ("U16", 16),
    ("F16", 16),
    ("BF16", 16),
    ("I32", 32),
    ("U32", 32),
    ("F32", 32),
    ("C64", 64),
    ("F64", 64),
    ("I64", 64),
    ("U64", 64),
];

static META: Meta = Meta {
    id: "safetensors",
    title: "safetensors",
    extensions: &["safetensors"],
    depth: Depth::Full,
    reads: "header, every tensor's type, shape and place, metadata; no byte of the file is unaccounted for",
    specification: "https://github.com/huggingface/safetensors#format",
};

/// The format.
#[derive(Debug)]
pub struct Safetensors;

impl Format for Safetensors {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        let named = probe.extension() == "safetensors";
        let prefix: Option<[u8; 8]> = probe.head.get(..8).and_then(|bytes| bytes.try_into().ok());
        let length = u64::from_le_bytes(prefix?);
        let start = probe.head.get(8..)?.trim_ascii_start();
        let plausible = (2..=MAX_HEADER).contains(&length) && start.first() == Some(&b'{');
        let fits = length <= probe.source.len().saturating_sub(PREFIX);
        match (plausible, fits, named) {
            (true, true, _) if is_header(start) => Some(Certainty::Certain),
            (true, true, _) | (true, false, true) => Some(Certainty::Likely),
            (false, _, true) if probe.head.get(8) == Some(&b'{') => Some(Certainty::Likely),
            _ => None,
        }
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let length = match Cursor::new(source, 0).u64() {
            Ok(length) => length,
            Err(error) => return facts.anomaly(0, Anomaly::Malformed, format!("no header length: {error}")),
        };
        if length > MAX_HEADER {
            let detail = format!("the header claims {length} bytes; readers refuse more than {MAX_HEADER}");
            return facts.anomaly(0, Anomaly::AllocationBomb, detail);
        }
        let available = source.len().saturating_sub(PREFIX);
        if length > available {
            let detail = format!("the header claims {length} bytes where the file has {available}");
            facts.anomaly(0, Anomaly::OutOfBounds, detail);
        }
        facts.property("header_bytes", length.to_string());
        let length = length.min(available);
        read(source, length, context.budget, facts);
    }
}

/// A key directly behind the brace, or nothing at all.
fn is_header(start: &[u8]) -> bool {
    let next = start.get(1..).unwrap_or_default().trim_ascii_start().first();
    matches!(next, Some(b'"' | b'}'))
}

/// A tensor as its header entry says, field by field.
#[derive(Debug, Default)]
struct Entry {
    offset: u64,
    dtype: Option<String>,
    shape: Vec<u64>,
    shape_seen: bool,
    place: Vec<u64>,
    bad: bool,
}

/// What the header said so far.
struct Header<'f> {
    facts: &'f mut Facts,
    entry: Entry,
    /// Begin and end of each tensor's data, and where its entry is.
    places: Vec<(u64, u64, u64)>,
    /// Whose numbers are looked at.
    arrays: Arrays,
    /// Where the numbers start.
    data: u64,
}

fn read(source: &dyn Source, length: u64, budget: &Budget, facts: &mut Facts) {
    let first = Cursor::new(source, PREFIX).byte().unwrap_or(0);
    if first != b'{' {
        facts.anomaly(PREFIX, Anomaly::Malformed, "the header does not start with a brace");
    }
    let data = PREFIX.saturating_add(length);
    let (places, arrays) = (Vec::new(), Arrays::default());
    let mut header = Header { facts, entry: Entry::default(), places, arrays, data };
    let outcome = walk(source, PREFIX, length, budget, &mut |event| header.event(event));
    let Header { places, arrays, .. } = header;
    note(&outcome, facts);
    if !outcome.complete {
        return;
    }
    cover(places, data, source.len(), facts);
    arrays.observe(source, budget, facts);
}

/// The header must be strict JSON: what Python's lax reader accepts, this format's reader refuses.
fn note(outcome: &Outcome, facts: &mut Facts) {
    outcome.report(facts);
    if outcome.notes.iter().any(|note| note.kind == Deviation::Trailing) {
        let end = outcome.end;
        facts.anomaly(end, Anomaly::HiddenContent, "the header has bytes after its JSON value that are not spaces");
    }
}

impl Header<'_> {
    fn event(&mut self, event: Event<'_>) {
        match (event.path.len(), event.key_at(0), event.value) {
            (0, _, Value::Object | Value::ObjectEnd(_)) => {}
            (0, ..) => self.malformed(event.offset, "the header is not an object"),
            (_, Some("__metadata__"), _) => self.metadata(event),
            (1, Some(_), Value::Object) => self.entry = Entry { offset: event.offset, ..Entry::default() },
            (1, Some(name), Value::ObjectEnd(_)) => self.finish(name),
            (1, Some(name), _) => {
                let detail = format!("the entry of tensor `{}` is not an object", clip(name));
                self.malformed(event.offset, &detail);
            }
            _ => self.field(event),
        }
    }

    fn malformed(&mut self, offset: u64, detail: &str) {
        self.facts.anomaly(offset, Anomaly::Malformed, detail);
    }

    fn metadata(&mut self, event: Event<'_>) {
        match (event.path.len(), event.key_at(1), event.value) {
            (1, _, Value::Object | Value::ObjectEnd(_) | Value::Null) => {}
            (2, Some(key), Value::Text(text)) => {
                if key == "format" {
                    self.facts.property("framework", text);
                }
                let (key, value) = (clip(key), shorten(text.chars().take(MAX_TEXT + 1).collect(), MAX_TEXT));
                self.facts.push(Position::Offset(event.offset), FactKind::Metadata { key, value });
            }
            (1, ..) => self.malformed(event.offset, "the metadata are not an object"),
            (2, _, Value::ObjectEnd(_) | Value::ArrayEnd(_)) => {}
            (2, ..) => self.malformed(event.offset, "a metadata value is not a string"),
            _ => {}
        }
    }

    fn field(&mut self, event: Event<'_>) {
        let number = |text: &str| text.parse::<u64>().ok();
        match (event.path.len(), event.key_at(1), event.value) {
            (2, Some("dtype"), Value::Text(text)) => self.entry.dtype = Some(clip(text)),
            (2, Some("shape"), Value::Array) => self.entry.shape_seen = true,
            (2, Some("data_offsets"), Value::Array) => {}
            (2, Some("shape" | "data_offsets"), Value::ArrayEnd(_)) => {}
            (3, Some("shape"), Value::Number(text)) => match number(text) {
                Some(extent) if self.entry.shape.len() < MAX_DIMENSIONS => self.entry.shape.push(extent),
                _ => self.bad(event.offset, "an extent is not a whole number, or there are too many"),
            },
            (3, Some("data_offsets"), Value::Number(text)) => match number(text) {
                Some(offset) if self.entry.place.len() < 2 => self.entry.place.push(offset),
                _ => self.bad(event.offset, "an offset is not a whole number, or there are more than two"),
            },
            (2, Some("dtype" | "shape" | "data_offsets"), _) => self.bad(event.offset, "a field has the wrong type"),
            (2, Some(other), _) => {
                let detail = format!("an entry has the unknown field `{}`", clip(other));
                self.malformed(event.offset, &detail);
            }
            (3, Some("shape" | "data_offsets"), _) => self.bad(event.offset, "a number is expected here"),
            _ => {}
        }
    }

    fn bad(&mut self, offset: u64, detail: &str) {
        self.entry.bad = true;
        self.malformed(offset, detail);
    }

    fn finish(&mut self, name: &str) {
        let entry = std::mem::take(&mut self.entry);
        let (Some(dtype), true, &[begin, end]) = (&entry.dtype, entry.shape_seen, entry.place.as_slice()) else {
            let detail = format!("tensor `{}` lacks its type, shape or place", clip(name));
            return self.malformed(entry.offset, &detail);
        };
        if !entry.bad {
            self.size(name, &entry, dtype, begin, end);
        }
        if self.places.len() < MAX_TENSORS {
            self.places.push((begin, end, entry.offset));
        } else if self.places.len() == MAX_TENSORS {
            self.places.push((begin, end, entry.offset));
            self.facts.incomplete(entry.offset, Gap::Limit, format!("more than {MAX_TENSORS} tensors"));
        }
        let bytes = end.checked_sub(begin);
        if let (Some(element), Some(length)) = (Element::named(dtype), bytes) {
            let offset = self.data.saturating_add(begin);
            self.arrays.add(Array { name: clip(name), element, offset, length, shape: entry.shape.clone() });
        }
        let tensor = Tensor { name: clip(name), dtype: dtype.clone(), shape: entry.shape, bytes };
        self.facts.push(Position::Offset(entry.offset), FactKind::Tensor(tensor));
    }

    /// Type times shape must be what the offsets span.
    fn size(&mut self, name: &str, entry: &Entry, dtype: &str, begin: u64, end: u64) {
        let name = clip(name);
        let Some(&(_, bits)) = DTYPES.iter().find(|(known, _)| *known == dtype) else {
            let detail = format!("tensor `{name}` has the unknown type `{dtype}`");
            return self.malformed(entry.offset, &detail);
        };
        let Some(span) = end.checked_sub(begin) else {
            let detail = format!("tensor `{name}` ends at {end}, before it begins at {begin}");
            return self.facts.anomaly(entry.offset, Anomaly::OutOfBounds, detail);
        };
        let total = entry.shape.iter().try_fold(1u64, |product, &extent| product.checked_mul(extent));
        let Some(total) = total.and_then(|elements| elements.checked_mul(bits)) else {
            let detail = format!("the size of tensor `{name}` overflows 64 bits");
            return self.facts.anomaly(entry.offset, Anomaly::AllocationBomb, detail);
        };
        if total % 8 != 0 || total / 8 != span {
            let detail = format!("tensor `{name}` needs {total} bits by type and shape but spans {span} bytes");
            self.facts.anomaly(entry.offset, Anomaly::SizeMismatch, detail);
        }
    }
}

/// The tensors must cover the data from its first byte to its last, each byte once.
fn cover(mut places: Vec<(u64, u64, u64)>, data: u64, length: u64, facts: &mut Facts) {
    places.sort_unstable();
    let available = length.saturating_sub(data);
    let mut covered = 0u64;
    for (begin, end, entry) in places {
        let at = data.saturating_add(covered.min(begin));
        if end > available {
            let detail = format!("the header entry at {entry} ends at byte {end} of {available} bytes of data");
            facts.anomaly(entry, Anomaly::OutOfBounds, detail);
        }
        if begin > covered {
            let detail = format!("{} bytes between tensors belong to none", begin.saturating_sub(covered));
            facts.anomaly(at, Anomaly::Hole, detail);
            hidden("hole", data.saturating_add(covered), begin.saturating_sub(covered), length, facts);
        } else if begin < covered {
            let detail = format!("the tensor with its entry at {entry} claims bytes of the one before");
            facts.anomaly(at, Anomaly::Overlap, detail);
        }
        covered = covered.max(end);
    }
    if covered < available {
        let rest = available.saturating_sub(covered);
        let at = data.saturating_add(covered);
        facts.anomaly(at, Anomaly::TrailingBytes, format!("{rest} bytes follow the last tensor"));
        hidden("trailing", at, rest, length, facts);
    }
}

/// Bytes that no tensor claims are an artifact of their own.
fn hidden(name: &str, at: u64, count: u64, length: u64, facts: &mut Facts) {
    let count = count.min(length.saturating_sub(at));
    if count > 0 {
        facts.push(Position::Offset(at), FactKind::Child(Child::stored(format!("{name}@{at}"), at, count)));
    }
}

fn clip(text: &str) -> String {
    shorten(text.chars().take(301).collect(), 300)
}

#[cfg(test)]
#[path = "safetensors_tests.rs"]
mod tests;
