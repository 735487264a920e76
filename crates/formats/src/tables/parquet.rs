//! Parquet's description of its columns: where they are, how many rows they make, and what stands beside them.

use super::thrift::{Item, walk};
use crate::child::Child;
use crate::fact::{Anomaly, FactKind, Gap, Position};
use crate::facts::{Facts, shorten};
use crate::location;
use crate::payload;
use crate::source::{Source, read_up_to};

/// Rows of one group that writers do not exceed, unless they are asked to.
const MAX_ROWS: u64 = 1 << 27;
/// Columns over all groups whose first pages are looked at.
const MAX_PAGES: u32 = 10_000;
/// Bytes of the head of a page.
const HEAD: usize = 4096;
/// Bytes of a name.
const MAX_NAME: usize = 300;

/// The fields of a column's description that say where it is.
#[derive(Debug, Default)]
struct Column {
    codec: i64,
    bytes: i64,
    data: i64,
    dictionary: Option<i64>,
    is_elsewhere: bool,
}

/// A group of rows.
#[derive(Debug, Default)]
struct Group {
    bytes: i64,
    rows: i64,
}

struct Footer<'f> {
    source: &'f dyn Source,
    bytes: &'f [u8],
    start: u64,
    facts: &'f mut Facts,
    column: Column,
    group: Group,
    pages: u32,
}

/// Checks the description, which starts at `start`.
pub(crate) fn check(source: &dyn Source, bytes: &[u8], start: u64, facts: &mut Facts) {
    let (column, group) = (Column::default(), Group::default());
    let mut footer = Footer { source, bytes, start, facts, column, group, pages: 0 };
    let read = walk(bytes, &mut |path, item| footer.item(path, item));
    if read.is_err() {
        facts.anomaly(start, Anomaly::Malformed, "the description of the columns cannot be read to its end");
    }
}

impl Footer<'_> {
    fn item(&mut self, path: &[i64], item: Item) {
        match (path, item) {
            ([4, 1, 1], Item::Text(at, length)) => self.elsewhere(at, length),
            ([4, 1, 3, 4], Item::Integer(codec)) => self.column.codec = codec,
            ([4, 1, 3, 7], Item::Integer(bytes)) => self.column.bytes = bytes,
            ([4, 1, 3, 9], Item::Integer(offset)) => self.column.data = offset,
            ([4, 1, 3, 11], Item::Integer(offset)) => self.column.dictionary = Some(offset),
            ([4, 1], Item::End) => self.close(),
            ([4, 2], Item::Integer(bytes)) => self.group.bytes = bytes,
            ([4, 3], Item::Integer(rows)) => self.group.rows = rows,
            ([4], Item::End) => self.rows(),
            ([5, 2], Item::Text(at, length)) => self.value(at, length),
            _ => {}
        }
    }

    fn place(&self, at: usize) -> u64 {
        self.start.saturating_add(at as u64)
    }

    /// A column in another file, as descriptions of whole folders have them.
    fn elsewhere(&mut self, at: usize, length: usize) {
        self.column.is_elsewhere = true;
        let name = self.bytes.get(at..at.saturating_add(length.min(MAX_NAME))).unwrap_or_default();
        let name = shorten(String::from_utf8_lossy(name).into_owned(), MAX_NAME);
        if let Some(objection) = location::objection(&name) {
            let detail = format!("a column is in '{name}', which {objection}");
            self.facts.anomaly(self.place(at), Anomaly::ExternalData, detail);
        }
    }

    fn close(&mut self) {
        let column = std::mem::take(&mut self.column);
        if column.is_elsewhere {
            return;
        }
        // Some writers have zero where there is no dictionary.
        let dictionary = column.dictionary.filter(|offset| *offset > 0 && *offset < column.data);
        let first = u64::try_from(dictionary.unwrap_or(column.data)).ok();
        let bytes = u64::try_from(column.bytes).ok();
        let end = first.zip(bytes).and_then(|(first, bytes)| first.checked_add(bytes));
        match (first, end.filter(|end| *end <= self.start)) {
            (Some(first), Some(_)) => self.page(&column, first),
            _ => {
                let detail = format!("a column of {} bytes at {}", column.bytes, column.data);
                self.facts.anomaly(self.start, Anomaly::OutOfBounds, detail);
            }
        }
    }

    /// The first page of a column. What is not compressed is as long as it says in both ways.
    fn page(&mut self, column: &Column, at: u64) {
        self.pages = self.pages.saturating_add(1);
        if self.pages > MAX_PAGES {
            if self.pages == MAX_PAGES.saturating_add(1) {
                let detail = format!("more than {MAX_PAGES} columns; the pages of the rest are not looked at");
                self.facts.incomplete(at, Gap::Limit, detail);
            }
            return;
        }
        let head = read_up_to(self.source, at, HEAD);
        let (mut plain, mut stored) = (None, None);
        let read = walk(&head, &mut |path, item| match (path, item) {
            ([2], Item::Integer(bytes)) => plain = Some(bytes),
            ([3], Item::Integer(bytes)) => stored = Some(bytes),
            _ => {}
        });
        if let (Ok(_), Some(plain), Some(stored)) = (read, plain, stored)
            && (stored > column.bytes || stored < 0 || plain < 0 || column.codec == 0 && plain != stored)
        {
            let detail = format!("a page of {plain} bytes has {stored} of a column's {}", column.bytes);
            self.facts.anomaly(at, Anomaly::SizeMismatch, detail);
        }
    }

    fn rows(&mut self) {
        let group = std::mem::take(&mut self.group);
        let (rows, bytes) = (u64::try_from(group.rows), u64::try_from(group.bytes));
        let (Ok(rows), Ok(bytes)) = (rows, bytes) else {
            return self.facts.anomaly(self.start, Anomaly::Malformed, "a group of fewer rows or bytes than none");
        };
        if rows > MAX_ROWS && rows / 8 > bytes {
            let detail = format!("a group of {rows} rows on {bytes} bytes");
            self.facts.anomaly(self.start, Anomaly::AllocationBomb, detail);
        }
    }

    /// The value of a key, which is a text of somebody's.
    fn value(&mut self, at: usize, length: usize) {
        let (offset, length) = (self.place(at), length as u64);
        if payload::is_payload(self.source, offset, length, true) {
            let child = Child::stored(format!("metadata@{offset}"), offset, length);
            self.facts.push(Position::Offset(offset), FactKind::Child(child));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{mutate, oddities};

    /// A column of `bytes` at `offset`, in a group of `rows`, all below 64, with a text beside them.
    fn footer(offset: u8, bytes: u8, rows: &[u8], text: &[u8]) -> Vec<u8> {
        let column = [&[0x45, 0, 0x36, bytes * 2, 0x26, offset * 2, 0][..]].concat();
        let chunk = [&[0x3C][..], &column, &[0]].concat();
        let group = [&[0x19, 0x1C][..], &chunk, &[0x16, 24, 0x16], rows, &[0]].concat();
        let pair = [&[0x18, 1, b'k', 0x18, text.len() as u8][..], text, &[0]].concat();
        [&[0x15, 2, 0x39, 0x1C][..], &group, &[0x19, 0x1C], &pair, &[0]].concat()
    }

    fn facts(footer: &[u8]) -> Facts {
        let mut facts = Facts::new();
        // A page of twelve bytes, in both ways.
        let mut file = b"PAR1\x15\0\x15\x18\x15\x18\0".to_vec();
        file.resize(40, 0);
        let start = file.len() as u64;
        file.extend(footer);
        check(&file.as_slice(), footer, start, &mut facts);
        facts
    }

    #[test]
    fn columns_lie_before_their_description() {
        assert!(oddities(&facts(&footer(4, 20, &[6], b"plain"))).is_empty());
        assert_eq!(oddities(&facts(&footer(30, 20, &[6], b"plain"))), ["OutOfBounds@40"]);
        assert_eq!(oddities(&facts(&footer(4, 5, &[6], b"plain"))), ["SizeMismatch@4"]);
        let many = [0x80, 0x80, 0x80, 0x80, 0x10];
        assert_eq!(oddities(&facts(&footer(4, 20, &many, b"plain"))), ["AllocationBomb@40"]);
        assert_eq!(oddities(&facts(&footer(4, 20, &[6], b"plain")[..20])), ["Malformed@40"]);
    }

    #[test]
    fn files_among_the_metadata_are_opened() {
        let facts = facts(&footer(4, 20, &[6], b"\x80\x02cos\nsystem\n."));
        assert!(facts.list().iter().any(|fact| matches!(fact.kind, FactKind::Child(_))));
    }

    #[test]
    fn no_mutation_panics() {
        mutate(&footer(4, 20, &[6], b"plain"), 1500, |bytes| drop(facts(&bytes)));
    }
}
