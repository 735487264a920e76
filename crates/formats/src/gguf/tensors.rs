//! Tensor descriptions, and whether they account for every byte of the data.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::reader::{Reader, Text};
use super::types;
use crate::budget::Budget;
use crate::child::Child;
use crate::fact::{Anomaly, FactKind, Gap, Position, Tensor};
use crate::facts::{Facts, shorten};
use crate::numbers::{Array, Arrays, Element};
use crate::source::{ReadError, Source, read_up_to};

/// The loader's limits.
const MAX_DIMENSIONS: u32 = 4;
/// Element types that there may be one day; there are forty, and a number far beyond is none.
const MAX_TYPE: u32 = 127;
const MAX_NAME: u64 = 64;
/// The loader counts elements and bytes with 63 bits.
const MAX_SIZE: u64 = i64::MAX as u64;
/// Tensors whose place is verified.
const MAX_TENSORS: usize = 1 << 20;

/// Tensors among which the largest are looked for, whose numbers are sampled.
const MAX_SAMPLED: usize = 20_000;

/// Where a tensor's data are, from the start of the data, and where it is described.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    begin: u64,
    size: u64,
    entry: u64,
}

struct Reading<'r, 'a, 'f> {
    reader: &'r mut Reader<'a>,
    alignment: u64,
    facts: &'f mut Facts,
    names: HashSet<u64>,
    places: Vec<Place>,
    /// A tensor of unknown size: nothing can be said about what is between the others.
    is_partial: bool,
    /// Whose numbers are looked at, with their places from the start of the data.
    arrays: Vec<Array>,
}

/// Reads the descriptions and verifies that the data are covered.
pub(super) fn read(
    reader: &mut Reader<'_>,
    source: &dyn Source,
    count: u64,
    alignment: u64,
    budget: &Budget,
    facts: &mut Facts,
) -> Result<(), ReadError> {
    let mut reading = Reading {
        reader,
        alignment,
        facts,
        names: HashSet::new(),
        places: Vec::new(),
        is_partial: false,
        arrays: Vec::new(),
    };
    for _ in 0..count {
        let at = reading.reader.position();
        if let Err(limit) = budget.operate(1) {
            reading.facts.incomplete(at, Gap::Limit, limit.to_string());
            return Ok(());
        }
        if reading.tensor(at)?.is_none() {
            return Ok(());
        }
    }
    let Reading { places, is_partial, arrays, .. } = reading;
    let end = reader.position();
    let data = end.checked_next_multiple_of(alignment).unwrap_or(u64::MAX);
    let cover = Cover { source, data, alignment, budget };
    cover.padding(end, data.min(source.len()), facts);
    if !is_partial {
        cover.verify(places, facts);
    }
    let mut sampled = Arrays::default();
    for array in arrays {
        let offset = data.saturating_add(array.offset);
        sampled.add(Array { offset, ..array });
    }
    sampled.observe(source, budget, facts);
    Ok(())
}

impl Reading<'_, '_, '_> {
    /// One description; `None` when it is so wrong that the next one cannot be found.
    fn tensor(&mut self, at: u64) -> Result<Option<()>, ReadError> {
        let text = self.reader.text(1000)?;
        let name = self.name(&text, at);
        let dimensions = self.reader.u32()?;
        if dimensions > MAX_DIMENSIONS {
            let detail = format!("tensor `{name}` has {dimensions} dimensions; readers take {MAX_DIMENSIONS}");
            self.facts.anomaly(at, Anomaly::Malformed, detail);
            return Ok(None);
        }
        let mut shape = Vec::new();
        for _ in 0..dimensions {
            shape.push(self.reader.count()?);
        }
        let kind = self.reader.u32()?;
        let begin = self.reader.u64()?;
        let size = self.size(&name, kind, &shape, at);
        self.place(&name, begin, size, at);
        let dtype = types::element(kind).map_or_else(|| format!("type {kind}"), |one| one.0.to_owned());
        let room = self.arrays.len() < MAX_SAMPLED;
        if let (Some(element), Some(length), true) = (Element::named(&dtype), size, room) {
            self.arrays.push(Array { name: name.clone(), element, offset: begin, length, shape: shape.clone() });
        }
        let tensor = Tensor { name, dtype, shape, bytes: size };
        self.facts.push(Position::Offset(at), FactKind::Tensor(tensor));
        Ok(Some(()))
    }

    fn name(&mut self, text: &Text, at: u64) -> String {
        let name = shorten(text.to_text().chars().take(301).collect(), 300);
        if text.length >= MAX_NAME {
            let detail = format!("a tensor's name has {} bytes; readers take fewer than {MAX_NAME}", text.length);
            self.facts.anomaly(at, Anomaly::Malformed, detail);
        }
        if !text.is_utf8() {
            self.facts.anomaly(at, Anomaly::Malformed, "a tensor's name is not valid UTF-8");
        }
        let mut hasher = DefaultHasher::new();
        text.bytes.hash(&mut hasher);
        if self.names.len() < MAX_TENSORS && !self.names.insert(hasher.finish()) {
            self.facts.anomaly(at, Anomaly::DuplicateName, format!("the tensor `{name}` is there twice"));
        }
        name
    }

    /// Bytes that type and shape need.
    fn size(&mut self, name: &str, kind: u32, shape: &[u64], at: u64) -> Option<u64> {
        let Some((dtype, elements, bytes)) = types::element(kind) else {
            let why = if types::is_retired(kind) { "is no longer read by anyone" } else { "is not known here" };
            let detail = format!("element type {kind} of tensor `{name}` {why}");
            if kind > MAX_TYPE {
                self.facts.anomaly(at, Anomaly::Malformed, detail.as_str());
            }
            self.facts.incomplete(at, Gap::Unsupported, detail);
            return None;
        };
        let total = shape.iter().try_fold(1u64, |product, &extent| product.checked_mul(extent));
        let Some(total) = total.filter(|total| *total <= MAX_SIZE) else {
            let detail = format!("the number of elements of tensor `{name}` overflows");
            self.facts.anomaly(at, Anomaly::AllocationBomb, detail);
            return None;
        };
        if shape.contains(&0) {
            self.facts.anomaly(at, Anomaly::Malformed, format!("tensor `{name}` has an extent of zero"));
        }
        if shape.first().copied().unwrap_or(1).checked_rem(elements) != Some(0) {
            let detail = format!("a row of tensor `{name}` is not a whole number of {dtype} blocks of {elements}");
            self.facts.anomaly(at, Anomaly::SizeMismatch, detail);
            return None;
        }
        let size = total.checked_div(elements).and_then(|blocks| blocks.checked_mul(bytes));
        if size.is_none_or(|size| size > MAX_SIZE) {
            let detail = format!("the size of tensor `{name}` overflows");
            self.facts.anomaly(at, Anomaly::AllocationBomb, detail);
            return None;
        }
        size
    }

    fn place(&mut self, name: &str, begin: u64, size: Option<u64>, at: u64) {
        if begin.checked_rem(self.alignment) != Some(0) {
            let detail = format!("tensor `{name}` begins at {begin}, no multiple of {}", self.alignment);
            self.facts.anomaly(at, Anomaly::Malformed, detail);
        }
        match size {
            Some(size) if self.places.len() < MAX_TENSORS => self.places.push(Place { begin, size, entry: at }),
            Some(_) if !self.is_partial => {
                self.is_partial = true;
                self.facts.incomplete(at, Gap::Limit, format!("the places of more than {MAX_TENSORS} tensors"));
            }
            _ => self.is_partial = true,
        }
    }
}

/// The data: from where to where, and how they should be laid out.
#[derive(Debug, Clone, Copy)]
struct Cover<'a> {
    source: &'a dyn Source,
    data: u64,
    alignment: u64,
    budget: &'a Budget,
}

impl Cover<'_> {
    fn verify(&self, mut places: Vec<Place>, facts: &mut Facts) {
        if !places.is_sorted_by_key(|place| place.begin) {
            facts.anomaly(self.data, Anomaly::Malformed, "tensors are described in another order than they are stored");
        }
        places.sort_unstable();
        let available = self.source.len().saturating_sub(self.data);
        let mut covered = 0u64;
        for place in places {
            let end = place.begin.saturating_add(place.size);
            if end > available {
                let detail = format!("the tensor described here ends at byte {end} of {available} bytes of data");
                facts.anomaly(place.entry, Anomaly::OutOfBounds, detail);
            }
            self.between(covered, place, facts);
            covered = covered.max(end);
        }
        self.rest(covered, available, facts);
    }

    /// What is between the tensor before and this one.
    fn between(&self, covered: u64, place: Place, facts: &mut Facts) {
        let expected = covered.checked_next_multiple_of(self.alignment).unwrap_or(u64::MAX);
        let at = |offset: u64| self.data.saturating_add(offset);
        if place.begin < covered {
            let detail = format!("the tensor described at {} claims bytes of the one before", place.entry);
            return facts.anomaly(at(place.begin), Anomaly::Overlap, detail);
        }
        self.padding(at(covered), at(expected.min(place.begin)), facts);
        if place.begin > expected {
            let count = place.begin.saturating_sub(expected);
            facts.anomaly(at(expected), Anomaly::Hole, format!("{count} bytes between tensors belong to none"));
            self.hidden("hole", at(expected), count, facts);
        }
    }

    fn rest(&self, covered: u64, available: u64, facts: &mut Facts) {
        let expected = covered.checked_next_multiple_of(self.alignment).unwrap_or(u64::MAX);
        let from = self.data.saturating_add(covered);
        let to = self.data.saturating_add(expected).min(self.source.len());
        if self.data <= self.source.len() {
            self.padding(from, to, facts);
        }
        if available > expected {
            let count = available.saturating_sub(expected);
            facts.anomaly(to, Anomaly::TrailingBytes, format!("{count} bytes follow the last tensor"));
            self.hidden("trailing", to, count, facts);
        }
    }

    /// Padding must be zeros. There is less of it than the alignment.
    fn padding(&self, from: u64, to: u64, facts: &mut Facts) {
        let count = to.saturating_sub(from).min(self.alignment);
        if self.budget.operate(count.div_ceil(64)).is_err() {
            return;
        }
        let bytes = read_up_to(self.source, from, usize::try_from(count).unwrap_or(0));
        if let Some(index) = bytes.iter().position(|byte| *byte != 0) {
            let at = from.saturating_add(index as u64);
            facts.anomaly(at, Anomaly::HiddenContent, "padding that is not zero");
        }
    }

    /// Bytes that no tensor claims are an artifact of their own.
    fn hidden(&self, name: &str, at: u64, count: u64, facts: &mut Facts) {
        let count = count.min(self.source.len().saturating_sub(at));
        if count > 0 {
            facts.push(Position::Offset(at), FactKind::Child(Child::stored(format!("{name}@{at}"), at, count)));
        }
    }
}
