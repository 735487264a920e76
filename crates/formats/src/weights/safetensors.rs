//! The tensors of a safetensors file, as strictly as the reference library reads it: every byte belongs to one tensor.
//!
//! Specification: <https://github.com/huggingface/safetensors#format>

use super::{Catalogue, Dtype, Entry, MAX_DIMENSIONS, Problem, Storage, View, row_major, shown};
use crate::budget::Budget;
use crate::cursor::Cursor;
use crate::json::{Event, Value, walk};
use crate::protobuf::Span;
use crate::source::Source;

/// The reference library's limit on the header.
pub const MAX_HEADER: u64 = 100_000_000;
/// Bytes before the header.
const PREFIX: u64 = 8;
/// Types that the format has and whose elements are no whole bytes.
const PARTIAL: &[&str] = &["F4", "F6_E2M3", "F6_E3M2"];

/// Reads the header. Nothing is read of the numbers.
///
/// # Errors
/// When the header breaks the format, or a tensor's elements are no whole bytes.
pub fn read(source: &dyn Source, budget: &Budget) -> Result<Catalogue, Problem> {
    let length = Cursor::new(source, 0).u64()?;
    let available = source.len().saturating_sub(PREFIX);
    if length > MAX_HEADER.min(available) {
        return Err(Problem::broken(format!("the header claims {length} bytes of {available}")));
    }
    let mut header = Header::default();
    let outcome = walk(source, PREFIX, length, budget, &mut |event| header.event(event));
    if let Some(note) = outcome.notes.first() {
        return Err(Problem::broken(format!("the header at byte {}: {}", note.offset, note.detail)));
    }
    if let Some(problem) = header.problem {
        return Err(problem);
    }
    cover(&mut header.places, available.saturating_sub(length))?;
    let mut catalogue = header.catalogue;
    let data = PREFIX.saturating_add(length);
    catalogue.storages.push(Storage::Range(Span { offset: data, length: source.len().saturating_sub(data) }));
    catalogue.checked()
}

/// What the header said so far.
#[derive(Default)]
struct Header {
    catalogue: Catalogue,
    dtype: Option<String>,
    shape: Option<Vec<u64>>,
    place: Vec<u64>,
    places: Vec<(u64, u64)>,
    problem: Option<Problem>,
}

impl Header {
    fn fail(&mut self, problem: Problem) {
        self.problem.get_or_insert(problem);
    }

    fn event(&mut self, event: Event<'_>) {
        match (event.path.len(), event.key_at(0), event.value) {
            (0, _, Value::Object | Value::ObjectEnd(_)) => {}
            (_, Some("__metadata__"), _) => self.metadata(event),
            (1, Some(_), Value::Object) => (self.dtype, self.shape, self.place) = (None, None, Vec::new()),
            (1, Some(name), Value::ObjectEnd(_)) => self.finish(name),
            (2 | 3, Some(_), _) => self.field(event),
            _ => self.fail(Problem::broken(format!("the header at byte {} is not as it should be", event.offset))),
        }
    }

    fn metadata(&mut self, event: Event<'_>) {
        match (event.path.len(), event.key_at(1), event.value) {
            (1, _, Value::Object | Value::ObjectEnd(_) | Value::Null) => {}
            (2, Some(key), Value::Text(text)) => self.catalogue.metadata.push((key.to_owned(), text.to_owned())),
            _ => self.fail(Problem::broken("a value of the metadata is not text")),
        }
    }

    fn field(&mut self, event: Event<'_>) {
        let number = |text: &str| text.parse::<u64>().ok();
        match (event.path.len(), event.key_at(1), event.value) {
            (2, Some("dtype"), Value::Text(text)) => self.dtype = Some(text.to_owned()),
            (2, Some("shape"), Value::Array) => self.shape = Some(Vec::new()),
            (2, Some("data_offsets"), Value::Array) | (2, Some("shape" | "data_offsets"), Value::ArrayEnd(_)) => {}
            (3, Some("shape"), Value::Number(text)) => match (number(text), &mut self.shape) {
                (Some(extent), Some(shape)) if shape.len() < MAX_DIMENSIONS => shape.push(extent),
                _ => self.fail(Problem::broken("an extent is no whole number, or there are too many")),
            },
            (3, Some("data_offsets"), Value::Number(text)) => match number(text) {
                Some(offset) if self.place.len() < 2 => self.place.push(offset),
                _ => self.fail(Problem::broken("an offset is no whole number, or there are more than two")),
            },
            _ => self.fail(Problem::broken(format!("the entry at byte {} is not as it should be", event.offset))),
        }
    }

    fn finish(&mut self, name: &str) {
        let (dtype, shape) = (self.dtype.take(), self.shape.take());
        let (Some(dtype), Some(shape), &[begin, end]) = (dtype, shape, self.place.as_slice()) else {
            return self.fail(Problem::broken(format!("tensor '{}' lacks its type, shape or place", shown(name))));
        };
        let Some(known) = Dtype::of_name(&dtype) else { return self.fail(unknown(name, &dtype)) };
        let view = View { storage: 0, offset: begin, strides: row_major(&shape), is_swapped: false };
        let entry = Entry { name: name.to_owned(), dtype: known, shape, view };
        if entry.bytes() != end.checked_sub(begin) {
            let detail = format!("tensor '{}' does not have as many bytes as type and shape need", shown(name));
            return self.fail(Problem::broken(detail));
        }
        self.places.push((begin, end));
        self.catalogue.tensors.push(entry);
    }
}

fn unknown(name: &str, dtype: &str) -> Problem {
    let (name, dtype) = (shown(name), shown(dtype));
    if PARTIAL.contains(&dtype.as_str()) {
        return Problem::unsupported(format!("tensor '{name}' is of {dtype}, whose elements are no whole bytes"));
    }
    Problem::broken(format!("tensor '{name}' has the unknown type {dtype}"))
}

/// The tensors must cover the data from its first byte to its last, each byte once.
fn cover(places: &mut [(u64, u64)], length: u64) -> Result<(), Problem> {
    places.sort_unstable();
    let mut covered = 0;
    for (begin, end) in places.iter() {
        if *begin != covered {
            return Err(Problem::broken(format!("a tensor begins at {begin}, where the one before ends at {covered}")));
        }
        covered = *end;
    }
    if covered != length {
        return Err(Problem::broken(format!("the tensors end at byte {covered} of {length} bytes of data")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, data: usize) -> Vec<u8> {
        [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &vec![7; data]].concat()
    }

    fn said(header: &str, data: usize) -> Result<Catalogue, String> {
        read(&file(header, data), &Budget::default()).map_err(|problem| problem.to_string())
    }

    #[test]
    fn headers_are_read_whole() {
        let header = "{\"__metadata__\":{\"format\":\"pt\"},\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[1,9]},\
                      \"a\":{\"dtype\":\"BOOL\",\"shape\":[],\"data_offsets\":[0,1]}} ";
        let catalogue = said(header, 9).unwrap();
        let names: Vec<&str> = catalogue.tensors.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(catalogue.metadata, [("format".to_owned(), "pt".to_owned())]);
    }

    #[test]
    fn what_the_reference_library_refuses_is_refused() {
        let entry = |fields: &str| format!("{{\"a\":{{{fields}}}}}");
        let good = "\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]";
        assert!(said(&entry(good), 1).is_ok());
        let bad = [
            entry("\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,2]"),
            entry("\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,0]"),
            entry("\"dtype\":\"X8\",\"shape\":[1],\"data_offsets\":[0,1]"),
            entry("\"dtype\":\"F4\",\"shape\":[2],\"data_offsets\":[0,1]"),
            entry("\"dtype\":\"U8\",\"shape\":[-1],\"data_offsets\":[0,1]"),
            entry("\"dtype\":\"U8\",\"shape\":[1]"),
            entry(&format!("{good},\"more\":1")),
            entry("\"dtype\":\"U8\",\"shape\":[9223372036854775808,2],\"data_offsets\":[0,1]"),
            format!("{{\"a\":{{{good}}},\"a\":{{{good}}}}}"),
            format!("{{\"a\":{{{good}}},\"b\":{{{good}}}}}"),
            "{\"a\":1}".to_owned(),
            "[]".to_owned(),
            String::new(),
        ];
        for header in bad {
            assert!(said(&header, 1).is_err(), "{header}");
        }
        assert!(said(&entry(good), 2).is_err(), "bytes that no tensor claims");
        assert!(said(&entry(good), 0).is_err(), "bytes that are not there");
    }
}
