//! Tensors: type, shape, and whether there are as many numbers as those say, here or in another file.

use crate::embedded;
use crate::fact::{Anomaly, FactKind, Gap, Position, Tensor};
use crate::payload;
use crate::protobuf::schema::Reader;
use crate::protobuf::{Field, Message, Span, Wire, packed};
use crate::source::{Source, read_up_to};

use super::external::External;
use super::model::Model;
use super::schema::{SPARSE, TENSOR};
use super::types::{ElementType, Store};

/// Extents of one tensor that are read.
const MAX_DIMENSIONS: usize = 64;
/// Bytes of packed numbers up to which they are counted one by one.
const MAX_COUNTED: u64 = 1 << 20;

/// Bytes of a tensor that could be a shape.
const MAX_SHAPE: u64 = 4096;
/// The number of 64-bit integers among the types.
const INT64: u64 = 7;

/// What a tensor says of itself.
#[derive(Debug, Default)]
struct Parts {
    name: String,
    dtype: Option<u64>,
    dims: Vec<u64>,
    raw: Option<Span>,
    stored: Vec<(Store, Numbers)>,
    external: External,
    is_external: bool,
    /// First and last element of the whole that this is a part of.
    segment: Option<(u64, u64)>,
    is_bad: bool,
}

/// How many numbers there are, at the least and at the most.
#[derive(Debug, Clone, Copy, Default)]
struct Numbers {
    least: u64,
    most: u64,
}

/// Reads a tensor, and gives its name.
pub(super) fn read(model: &mut Model<'_, '_>, span: Span) -> String {
    let mut parts = Parts::default();
    let mut fields = model.reader.open(span, &TENSOR);
    let mut pairs = Vec::new();
    while let Some(field) = model.reader.next(&mut fields) {
        match (field.number, field.span()) {
            (13, Some(pair)) if pairs.len() < MAX_DIMENSIONS => pairs.push(pair),
            (16, Some(pair)) => model.metadata(pair),
            _ => parts.field(&mut model.reader, &field),
        }
    }
    for pair in pairs {
        parts.external.entry(&mut model.reader, pair, &parts.name);
    }
    parts.check(model, span);
    parts.name
}

/// Reads a tensor that has few numbers that are not zero, and gives its name.
pub(super) fn read_sparse(model: &mut Model<'_, '_>, span: Span) -> String {
    let mut name = String::new();
    let mut fields = model.reader.open(span, &SPARSE);
    while let Some(field) = model.reader.next(&mut fields) {
        match (field.number, field.span()) {
            (1, Some(values)) => name = read(model, values),
            (2, Some(indices)) => drop(read(model, indices)),
            _ => {}
        }
    }
    name
}

/// Begin and end of a segment: two numbers, each behind its tag.
fn bounds(source: &dyn Source, span: Span) -> (u64, u64) {
    let bytes = read_up_to(source, span.offset, usize::try_from(span.length.min(40)).unwrap_or(0));
    let (mut begin, mut end, mut rest) = (0, 0, bytes.as_slice());
    while let Some((tag, body)) = rest.split_first() {
        let length = body.iter().position(|byte| *byte < 0x80).map_or(body.len(), |at| at.saturating_add(1));
        let (value, behind) = body.split_at_checked(length).unwrap_or((body, &[]));
        let value = value.iter().rev().fold(0u64, |number, byte| number << 7 | u64::from(byte & 0x7f));
        match tag {
            0x08 => begin = value,
            0x10 => end = value,
            _ => return (1, 0),
        }
        rest = behind;
    }
    (begin, end)
}

impl Parts {
    fn field(&mut self, reader: &mut Reader<'_, '_>, field: &Field) {
        match (field.number, field.wire) {
            (1, Wire::Varint(extent)) => self.extent(extent),
            (1, Wire::Bytes(span)) => {
                let extents = packed(reader.source, span, MAX_DIMENSIONS.saturating_add(1)).unwrap_or_default();
                extents.into_iter().for_each(|extent| self.extent(extent));
            }
            (2, Wire::Varint(number)) => self.dtype = Some(number),
            (3, Wire::Bytes(span)) => self.segment = Some(bounds(reader.source, span)),
            (3, _) => self.segment = Some((1, 0)),
            (8, Wire::Bytes(span)) => self.name = reader.name(span),
            (9, Wire::Bytes(span)) => self.raw = Some(span).filter(|span| span.length > 0),
            (14, Wire::Varint(place)) => self.is_external = place == 1,
            (number, _) => {
                if let Some(store) = Store::of(number) {
                    self.numbers(store, reader, field);
                }
            }
        }
    }

    fn extent(&mut self, extent: u64) {
        let is_bad = i64::try_from(extent).is_err() || self.dims.len() >= MAX_DIMENSIONS;
        self.is_bad |= is_bad;
        if !is_bad {
            self.dims.push(extent);
        }
    }

    fn numbers(&mut self, store: Store, reader: &mut Reader<'_, '_>, field: &Field) {
        let Some(more) = count(store, reader, field) else {
            let detail = format!("tensor `{}` has numbers that are cut off", self.name);
            return reader.facts.anomaly(field.offset, Anomaly::Malformed, detail);
        };
        match self.stored.iter_mut().find(|(known, _)| *known == store) {
            Some((_, numbers)) => {
                numbers.least = numbers.least.saturating_add(more.least);
                numbers.most = numbers.most.saturating_add(more.most);
            }
            None if more.most > 0 => self.stored.push((store, more)),
            None => {}
        }
    }

    fn check(&self, model: &mut Model<'_, '_>, span: Span) {
        let at = span.offset;
        let name = if self.name.is_empty() { "without a name" } else { &self.name };
        let facts = &mut *model.reader.facts;
        if self.is_bad {
            let detail = format!("tensor `{name}` has a negative extent, or more than {MAX_DIMENSIONS}");
            return facts.anomaly(at, Anomaly::Malformed, detail);
        }
        let Some(kind) = self.dtype.and_then(ElementType::find) else {
            let number = self.dtype.unwrap_or(0);
            let detail = format!("tensor `{name}` has element type {number}");
            return match number {
                0 => facts.anomaly(at, Anomaly::Malformed, format!("{detail}, which is none")),
                _ => facts.incomplete(at, Gap::Unsupported, format!("{detail}, which is not known here")),
            };
        };
        let elements = self.dims.iter().try_fold(1u64, |product, &extent| product.checked_mul(extent));
        let Some(elements) = elements.filter(|elements| elements.checked_mul(16).is_some()) else {
            let detail = format!("the size of tensor `{name}` overflows 64 bits");
            return facts.anomaly(at, Anomaly::AllocationBomb, detail);
        };
        match self.segment {
            Some((first, last)) if first > last || last.saturating_sub(first) > elements => {
                let detail = format!("tensor `{name}` of {elements} is the segment from {first} to {last} of another");
                facts.anomaly(at, Anomaly::SizeMismatch, detail);
            }
            Some(_) => facts.incomplete(at, Gap::Unsupported, format!("tensor `{name}` is a segment of another")),
            None => {}
        }
        let bytes = kind.bytes(elements);
        self.places(kind, elements, name, at, model);
        let bytes = bytes.or(self.raw.map(|raw| raw.length));
        let name = if self.name.is_empty() { "(constant)" } else { &self.name };
        let tensor = Tensor { name: name.to_owned(), dtype: kind.name.to_lowercase(), shape: self.dims.clone(), bytes };
        model.reader.facts.push(Position::Offset(at), FactKind::Tensor(tensor));
    }

    /// The numbers must be in one place, and as many as the shape says.
    fn places(&self, kind: &ElementType, elements: u64, name: &str, at: u64, model: &mut Model<'_, '_>) {
        let facts = &mut *model.reader.facts;
        let mut places = self.stored.len();
        places = places.saturating_add(usize::from(self.raw.is_some()));
        places = places.saturating_add(usize::from(self.is_external));
        if places > 1 {
            let detail =
                format!("tensor `{name}` has its numbers in {places} places, and readers differ in which they take");
            facts.anomaly(at, Anomaly::ReaderDisagreement, detail);
        }
        if self.is_external || !self.external.is_empty() {
            return self.elsewhere(kind, elements, name, at, model);
        }
        match (self.raw, self.stored.first()) {
            (Some(raw), _) => self.raw(kind, elements, raw, name, model),
            (None, Some((store, numbers))) => {
                let fits = |wanted| (numbers.least..=numbers.most).contains(&wanted);
                let wanted = kind.numbers(elements).unwrap_or(u64::MAX);
                if *store != kind.store || !(fits(wanted) || kind.is_loose() && fits(elements)) {
                    let detail = format!(
                        "tensor `{name}` has {} numbers in the field for {store}, and needs {wanted} in that for {}",
                        numbers.most, kind.store
                    );
                    facts.anomaly(at, Anomaly::SizeMismatch, detail);
                }
            }
            (None, None) if elements > 0 => {
                facts.incomplete(at, Gap::Missing, format!("tensor `{name}` has no numbers"));
            }
            (None, None) => {}
        }
    }

    fn raw(&self, kind: &ElementType, elements: u64, raw: Span, name: &str, model: &mut Model<'_, '_>) {
        let wanted = kind.bytes(elements);
        // Other files are found as the field is read; pickles and scripts have shorter signatures.
        if kind.bits == 8 && !payload::is_payload(model.reader.source, raw.offset, raw.length, false) {
            embedded::open(model.reader.source, name, raw.offset, raw.length, model.reader.facts);
        }
        if wanted == Some(raw.length) || kind.is_loose() && raw.length == elements {
            return;
        }
        let detail = match wanted {
            Some(wanted) => {
                format!("tensor `{name}` needs {wanted} bytes by type and shape, and has {}", raw.length)
            }
            None => format!("tensor `{name}` has raw bytes where its type, {}, has none", kind.name),
        };
        model.reader.facts.anomaly(raw.offset, Anomaly::SizeMismatch, detail);
        // What the shape does not claim, nobody looks at.
        let claimed = wanted.unwrap_or(0);
        if let Some(rest) = raw.length.checked_sub(claimed).filter(|rest| *rest > 0) {
            let offset = raw.offset.saturating_add(claimed);
            model.reader.child(format!("rest of {name}@{offset}"), Span { offset, length: rest });
        }
    }

    fn elsewhere(&self, kind: &ElementType, elements: u64, name: &str, at: u64, model: &mut Model<'_, '_>) {
        let facts = &mut *model.reader.facts;
        if self.external.location.is_none() {
            let detail = format!("tensor `{name}` is in another file, and does not say in which");
            return facts.anomaly(at, Anomaly::Malformed, detail);
        }
        let bytes = kind.bytes(elements);
        match (bytes, self.external.length) {
            (Some(wanted), Some(length)) if wanted != length && !(kind.is_loose() && length == elements) => {
                let detail =
                    format!("tensor `{name}` needs {wanted} bytes by type and shape, and takes {length} elsewhere");
                facts.anomaly(at, Anomaly::SizeMismatch, detail);
            }
            (None, _) => {
                facts.anomaly(
                    at,
                    Anomaly::Malformed,
                    format!("tensor `{name}` has texts, which cannot be in another file"),
                );
            }
            _ => {}
        }
        model.files.add(&self.external, bytes, name, at, facts);
    }
}

/// How many numbers a field holds; none when they are cut off.
fn count(store: Store, reader: &mut Reader<'_, '_>, field: &Field) -> Option<Numbers> {
    let exactly = |count: u64| Some(Numbers { least: count, most: count });
    let Some(span) = field.span().filter(|_| store != Store::Strings) else { return exactly(1) };
    match store {
        Store::Floats => exactly(span.length / 4).filter(|_| span.length % 4 == 0),
        Store::Doubles => exactly(span.length / 8).filter(|_| span.length % 8 == 0),
        _ if span.length > MAX_COUNTED => Some(Numbers { least: span.length / 10, most: span.length }),
        _ => exactly(varints(reader, span)?),
    }
}

fn varints(reader: &mut Reader<'_, '_>, span: Span) -> Option<u64> {
    reader.budget.operate(span.length).ok()?;
    let most = usize::try_from(span.length).ok()?;
    let numbers = packed(reader.source, span, most).ok()?;
    Some(numbers.len() as u64)
}

/// The product of a short list of 64-bit integers: how many elements a tensor of that shape has.
pub(super) fn product(source: &dyn crate::source::Source, span: Span) -> Option<u64> {
    if span.length > MAX_SHAPE {
        return None;
    }
    let mut message = Message::new(source, span);
    let (mut dtype, mut extents) = (0, Vec::new());
    while let Ok(Some(field)) = message.next() {
        match (field.number, field.wire) {
            (2, Wire::Varint(number)) => dtype = number,
            (7, Wire::Varint(extent)) => extents.push(extent),
            (7, Wire::Bytes(span)) => extents.extend(packed(source, span, MAX_DIMENSIONS).unwrap_or_default()),
            (9, Wire::Bytes(span)) => {
                let bytes = crate::source::read_up_to(source, span.offset, usize::try_from(span.length).ok()?);
                let numbers = bytes.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes));
                extents.extend(numbers);
            }
            _ => {}
        }
    }
    // Negative extents stand for others, and are for readers to refuse.
    let is_shape = dtype == INT64 && extents.iter().all(|extent| i64::try_from(*extent).is_ok());
    is_shape.then(|| extents.iter().fold(1u64, |product, extent| product.saturating_mul(*extent)))
}

/// Whether a range is one tensor and nothing else, for files that have no other sign.
pub(super) fn is_alone(source: &dyn crate::source::Source, span: Span) -> bool {
    let mut message = Message::new(source, span);
    let (mut dtype, mut has_numbers, mut count) = (0, false, 0u32);
    while let Ok(Some(field)) = message.next() {
        count = count.saturating_add(1);
        let fits = TENSOR.find(field.number).is_some_and(|(_, entry)| entry.shape.fits(field.wire));
        if !fits || count > 100_000 {
            return false;
        }
        match (field.number, field.wire) {
            (2, Wire::Varint(number)) => dtype = number,
            (4..=7 | 9..=11 | 13, _) => has_numbers = true,
            _ => {}
        }
    }
    message.position() == span.end() && has_numbers && ElementType::find(dtype).is_some()
}
