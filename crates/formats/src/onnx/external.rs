//! Tensors whose numbers are in other files: where those are, and which part of them belongs to whom.

use std::collections::BTreeMap;

use crate::fact::{Anomaly, FactKind, Gap, Position};
use crate::facts::Facts;
use crate::location;
use crate::protobuf::Span;
use crate::protobuf::schema::Reader;

use super::schema::PAIR;

/// Keys that the format knows. ONNX Runtime adds some that start with `prepacked`.
const KEYS: &[&str] = &["location", "offset", "length", "checksum", "basepath"];
/// Places in other files that are compared with each other.
const MAX_PLACES: usize = 1 << 18;
/// Other files of one model.
const MAX_FILES: usize = 10_000;

/// What a tensor says about where its numbers are.
#[derive(Debug, Default)]
pub(super) struct External {
    /// The file.
    pub(super) location: Option<String>,
    pub(super) offset: u64,
    pub(super) length: Option<u64>,
    /// The keys so far, by their index in [`KEYS`].
    seen: u32,
}

impl External {
    /// Reads one key and value of `tensor`.
    pub(super) fn entry(&mut self, reader: &mut Reader<'_, '_>, span: Span, tensor: &str) {
        let (key, value) = pair(reader, span);
        match KEYS.iter().position(|known| *known == key) {
            Some(index) => {
                let bit = 1u32.checked_shl(u32::try_from(index).unwrap_or(31)).unwrap_or(0);
                if self.seen & bit != 0 {
                    let detail = format!("tensor `{tensor}` has the key `{key}` twice");
                    reader.facts.anomaly(span.offset, Anomaly::DuplicateName, detail);
                }
                self.seen |= bit;
            }
            None if key.starts_with("prepacked") => {}
            None => {
                // Readers before 1.21 set every key as an attribute of a Python object.
                let detail = format!("tensor `{tensor}` has the key `{key}` among its external data");
                reader.facts.anomaly(span.offset, Anomaly::Malformed, detail);
            }
        }
        match key.as_str() {
            "location" => self.location = Some(value),
            "offset" => self.offset = number(reader, span, &key, &value).unwrap_or(0),
            "length" => self.length = number(reader, span, &key, &value),
            _ => {}
        }
    }

    /// Whether anything was said at all.
    pub(super) fn is_empty(&self) -> bool {
        self.seen == 0
    }
}

/// A key and its value.
pub(super) fn pair(reader: &mut Reader<'_, '_>, span: Span) -> (String, String) {
    let (mut key, mut value) = (String::new(), String::new());
    let mut fields = reader.open(span, &PAIR);
    while let Some(field) = reader.next(&mut fields) {
        match (field.number, field.span()) {
            (1, Some(text)) => key = reader.name(text),
            (2, Some(text)) => value = reader.text(text),
            _ => {}
        }
    }
    (key, value)
}

fn number(reader: &mut Reader<'_, '_>, span: Span, key: &str, text: &str) -> Option<u64> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse::<u64>().ok().filter(|number| is_plain && i64::try_from(*number).is_ok());
    if number.is_none() {
        let detail = format!("the {key} of external data is '{text}', which is no such number");
        reader.facts.anomaly(span.offset, Anomaly::OutOfBounds, detail);
    }
    number
}

/// The other files of a model.
#[derive(Debug, Default)]
pub(super) struct Files {
    names: BTreeMap<String, usize>,
    places: Vec<(usize, u64, u64, u64)>,
    is_full: bool,
}

impl Files {
    /// Notes the place of a tensor, whose entry is at `at`.
    pub(super) fn add(&mut self, external: &External, bytes: Option<u64>, tensor: &str, at: u64, facts: &mut Facts) {
        let Some(name) = &external.location else { return };
        if self.names.len() >= MAX_FILES || self.places.len() >= MAX_PLACES {
            if !self.is_full {
                self.is_full = true;
                facts.incomplete(at, Gap::Limit, "more external data than is compared with each other");
            }
            location::note(name, &format!("tensor `{tensor}`"), at, facts);
            return;
        }
        let next = self.names.len();
        if !self.names.contains_key(name) {
            location::note(name, &format!("tensor `{tensor}`"), at, facts);
        }
        let file = *self.names.entry(name.clone()).or_insert(next);
        let Some(length) = external.length.or(bytes).filter(|length| *length > 0) else { return };
        match external.offset.checked_add(length) {
            Some(end) => self.places.push((file, external.offset, end, at)),
            None => facts.anomaly(at, Anomaly::OutOfBounds, format!("tensor `{tensor}` ends behind any file")),
        }
    }

    /// Tensors may share all of their bytes, as tied weights do, but not some of them.
    pub(super) fn compare(mut self, facts: &mut Facts) {
        self.places.sort_unstable();
        let mut ends = BTreeMap::new();
        for (file, _, end, _) in &self.places {
            let most = ends.entry(*file).or_insert(0u64);
            *most = (*most).max(*end);
        }
        for (name, file) in self.names.iter().filter(|(name, _)| location::objection(name).is_none()) {
            let Some(least) = ends.get(file).copied() else { continue };
            facts.push(Position::Whole, FactKind::FileSize { target: name.clone(), least, most: None });
        }
        let mut before: Option<(usize, u64, u64, u64)> = None;
        for place in self.places {
            let (file, begin, end, at) = place;
            if let Some((_, from, to, _)) = before.filter(|(last, ..)| *last == file)
                && begin < to
                && (begin, end) != (from, to)
            {
                let detail =
                    format!("bytes {begin} to {end} of external data, of which another tensor has {from} to {to}");
                facts.anomaly(at, Anomaly::Overlap, detail);
            }
            if before.is_none_or(|(last, _, to, _)| last != file || end > to) {
                before = Some(place);
            }
        }
    }
}
