//! The end of an archive: where readers start, and where they first disagree.
//!
//! The record is found by searching backwards, its directory by a declared offset or by standing right before it, and
//! each of both may be said twice, in 32 and in 64 bits. Every reading that leads to a directory is kept.

use super::bytes::{u16_at, u32_at, u64_at};
use crate::source::{Source, read_up_to};

/// Length of the last record without its comment.
const LENGTH: usize = 22;
/// Length of the pointer to the zip64 record.
const LOCATOR_LENGTH: u64 = 20;
/// Length of the zip64 record as everyone writes it.
const ZIP64_LENGTH: u64 = 56;
/// The longest comment.
const MAX_COMMENT: usize = 65_535;
/// End records looked at; more are counted as one more disagreement.
const MAX_ENDS: usize = 8;

const SIGNATURE: &[u8] = b"PK\x05\x06";
const ZIP64_SIGNATURE: &[u8] = b"PK\x06\x06";
const LOCATOR_SIGNATURE: &[u8] = b"PK\x06\x07";
const ENTRY_SIGNATURE: &[u8] = b"PK\x01\x02";

/// A place where some reader takes the directory to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Its first byte.
    pub(super) start: u64,
    /// Its length as declared.
    pub(super) size: u64,
    /// Its number of entries as declared.
    pub(super) entries: u64,
    /// What has to be added to the offsets it gives: bytes were put before the archive.
    pub(super) shift: u64,
}

/// One end record and the directories it leads to.
#[derive(Debug, Clone)]
pub(super) struct End {
    /// First byte of the first record that belongs to the end.
    pub(super) first: u64,
    /// First byte of the last record.
    pub(super) offset: u64,
    /// First byte after the comment, as declared.
    pub(super) end: u64,
    /// Length of the comment.
    pub(super) comment: u64,
    /// Directories, the usual reader's first.
    pub(super) places: Vec<Place>,
    /// Where this record contradicts itself.
    pub(super) disagreements: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Values {
    entries: u64,
    size: u64,
    start: u64,
}

/// All plausible end records, last first: that is the one nearly every reader takes.
pub(super) fn find(source: &dyn Source) -> Vec<End> {
    let start = source.len().saturating_sub((LENGTH + MAX_COMMENT) as u64);
    let tail = read_up_to(source, start, LENGTH + MAX_COMMENT);
    let found = positions(&tail).filter_map(|index| read(source, &tail, start, index));
    // Signatures that lead nowhere are not counted, so that a comment full of them cannot crowd out the real one.
    found.filter(|end| !end.places.is_empty() || end.end == source.len()).take(MAX_ENDS).collect()
}

fn positions(tail: &[u8]) -> impl Iterator<Item = usize> + '_ {
    let last = tail.len().saturating_sub(LENGTH).saturating_add(SIGNATURE.len());
    let searched = tail.get(..last.min(tail.len())).unwrap_or_default();
    searched.windows(SIGNATURE.len()).enumerate().rev().filter(|(_, bytes)| *bytes == SIGNATURE).map(|(index, _)| index)
}

fn read(source: &dyn Source, tail: &[u8], start: u64, index: usize) -> Option<End> {
    let record = tail.get(index..)?;
    let offset = start.saturating_add(index as u64);
    let comment = u64::from(u16_at(record, 20)?);
    let narrow = Values {
        entries: u16_at(record, 10)?.into(),
        size: u32_at(record, 12)?.into(),
        start: u32_at(record, 16)?.into(),
    };
    let end = offset.saturating_add(LENGTH as u64).saturating_add(comment);
    let mut found = End { first: offset, offset, end, comment, places: Vec::new(), disagreements: Vec::new() };
    found.wide(source, narrow);
    found.place(source, narrow, found.first);
    Some(found)
}

impl End {
    /// Reads the zip64 record from where its pointer says and from where it usually stands.
    fn wide(&mut self, source: &dyn Source, narrow: Values) {
        let Some(at) = self.offset.checked_sub(LOCATOR_LENGTH) else { return };
        let locator = read_up_to(source, at, LOCATOR_LENGTH as usize);
        if !locator.starts_with(LOCATOR_SIGNATURE) {
            return;
        }
        self.first = at;
        let mut seen: Option<Values> = None;
        for candidate in [at.checked_sub(ZIP64_LENGTH), u64_at(&locator, 8)].into_iter().flatten() {
            let Some(values) = wide_values(source, candidate) else { continue };
            if seen.is_some_and(|earlier| earlier != values) {
                self.disagreements.push("two zip64 end records give different directories".into());
            }
            if candidate < at {
                self.first = self.first.min(candidate);
            }
            seen = Some(values);
            self.place(source, values, candidate);
        }
        match seen {
            Some(values) => self.compare(narrow, values),
            None => self.disagreements.push("the zip64 end record is not where its pointer says".into()),
        }
    }

    /// A 32-bit value that is not saturated has to say the same as the 64-bit one: readers choose differently.
    fn compare(&mut self, narrow: Values, wide: Values) {
        let differs = |narrow: u64, wide: u64, saturated: u64| narrow != saturated && narrow != wide;
        if differs(narrow.entries, wide.entries, u64::from(u16::MAX))
            || differs(narrow.size, wide.size, u64::from(u32::MAX))
            || differs(narrow.start, wide.start, u64::from(u32::MAX))
        {
            self.disagreements.push("the zip64 end record and the old one describe different directories".into());
        }
    }

    /// Adds the directory that stands right before the end records and the one at the declared offset.
    fn place(&mut self, source: &dyn Source, values: Values, first: u64) {
        let Values { entries, size, start } = values;
        let adjacent = first.checked_sub(size);
        for at in [adjacent, Some(start)].into_iter().flatten() {
            let shift = at.saturating_sub(start);
            let place = Place { start: at, size, entries, shift };
            let known = self.places.iter().any(|place| place.start == at);
            if !known && at <= source.len() && (entries == 0 && size == 0 || has_entry(source, at)) {
                self.places.push(place);
            }
        }
    }

    /// True when it leads to a directory with at least one entry.
    pub(super) fn has_entries(&self) -> bool {
        self.places.iter().any(|place| place.size > 0)
    }
}

fn has_entry(source: &dyn Source, at: u64) -> bool {
    read_up_to(source, at, ENTRY_SIGNATURE.len()) == ENTRY_SIGNATURE
}

fn wide_values(source: &dyn Source, at: u64) -> Option<Values> {
    let record = read_up_to(source, at, ZIP64_LENGTH as usize);
    if !record.starts_with(ZIP64_SIGNATURE) {
        return None;
    }
    Some(Values { entries: u64_at(&record, 32)?, size: u64_at(&record, 40)?, start: u64_at(&record, 48)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zip::build::Archive;

    #[test]
    fn bytes_put_before_an_archive_shift_it() {
        let mut bytes = b"#!/bin/sh\n".to_vec();
        bytes.extend(Archive::new().file("a", b"x").finish());
        let ends = find(&bytes);
        assert_eq!(ends.len(), 1);
        assert_eq!(ends[0].places.len(), 1);
        assert_eq!(ends[0].places[0].shift, 10);
    }

    #[test]
    fn an_end_record_too_short_to_be_one_is_not_one() {
        assert!(find(&b"PK\x05\x06".to_vec()).is_empty());
        assert!(find(&Vec::new()).is_empty());
    }

    #[test]
    fn the_zip64_record_is_read() {
        let bytes = Archive::new().file("a", b"x").zip64().finish();
        let ends = find(&bytes);
        assert_eq!(ends[0].places.len(), 1);
        assert!(ends[0].disagreements.is_empty(), "{:?}", ends[0].disagreements);
        assert_eq!(ends[0].first, ends[0].offset - 76);
    }
}
