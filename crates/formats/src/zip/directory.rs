//! The directory: what zipfile, miniz and torch take the archive to hold.

use super::bytes::{u16_at, u32_at};
use super::end::Place;
use super::extra::Extra;
use crate::budget::{Budget, Exhausted};
use crate::cursor::Cursor;
use crate::source::Source;

/// Bytes of directory that are read: a quarter of a million members with long names fit.
const MAX_DIRECTORY_BYTES: u64 = 64 << 20;
const SIGNATURE: &[u8] = b"PK\x01\x02";
const LENGTH: usize = 46;

/// One entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// First byte of the entry itself.
    pub(super) at: u64,
    /// Name as stored.
    pub(super) name: Vec<u8>,
    /// General purpose flags.
    pub(super) flags: u16,
    /// Compression method.
    pub(super) method: u16,
    /// Checksum of the decoded bytes.
    pub(super) crc: u32,
    /// Stored length.
    pub(super) compressed: u64,
    /// Decoded length.
    pub(super) size: u64,
    /// First byte of the local record.
    pub(super) header: u64,
    /// Attributes; the upper half is a Unix mode.
    pub(super) attributes: u32,
    /// The extra fields.
    pub(super) extra: Extra,
    /// Whether a size is saturated and nothing replaces it.
    pub(super) short: bool,
}

/// A directory as far as it could be read.
#[derive(Debug, Default)]
pub(super) struct Directory {
    /// Its entries in order.
    pub(super) entries: Vec<Entry>,
    /// First byte.
    pub(super) start: u64,
    /// First byte after the last entry that was read.
    pub(super) end: u64,
    /// What has to be added to the offsets it gives.
    pub(super) shift: u64,
    /// How the number of entries contradicts the end record.
    pub(super) disagreement: Option<String>,
    /// The limit that ended the reading.
    pub(super) limit: Option<String>,
}

/// Reads a directory. By size, as zipfile does, and by count, as miniz does: to the end of whichever is longer.
pub(super) fn read(source: &dyn Source, place: Place, end: u64, budget: &Budget) -> Directory {
    let mut cursor = Cursor::new(source, place.start);
    let mut directory = Directory { start: place.start, shift: place.shift, ..Directory::default() };
    let stop = place.start.saturating_add(place.size).min(end);
    let mut by_size = 0u64;
    while cursor.position() < stop || (directory.entries.len() as u64) < place.entries {
        if let Some(reason) = limit(&directory, &cursor, budget) {
            directory.limit = Some(reason);
            break;
        }
        by_size = by_size.saturating_add(u64::from(cursor.position() < stop));
        let Some(entry) = entry(&mut cursor, place.shift) else { break };
        directory.entries.push(entry);
        directory.end = cursor.position();
    }
    directory.end = directory.end.max(directory.start);
    directory.disagreement = disagreement(&directory, place, stop, by_size);
    directory
}

fn limit(directory: &Directory, cursor: &Cursor<'_>, budget: &Budget) -> Option<String> {
    if cursor.position().saturating_sub(directory.start) > MAX_DIRECTORY_BYTES {
        return Some(format!("a directory of more than {MAX_DIRECTORY_BYTES} bytes"));
    }
    budget.admit(1).err().as_ref().map(Exhausted::to_string)
}

fn disagreement(directory: &Directory, place: Place, stop: u64, by_size: u64) -> Option<String> {
    if directory.limit.is_some() {
        return None;
    }
    let found = directory.entries.len() as u64;
    // A number too large for its 16 bits is not taken modulo: miniz would stop at it, zipfile would not.
    if found != place.entries || by_size != found {
        let declared = place.entries;
        return Some(format!("the end record declares {declared} entries, the directory's bytes hold {by_size}"));
    }
    (directory.end != stop).then(|| {
        let (size, real) = (place.size, directory.end.saturating_sub(directory.start));
        format!("the end record declares a directory of {size} bytes, its entries take {real}")
    })
}

fn entry(cursor: &mut Cursor<'_>, shift: u64) -> Option<Entry> {
    let at = cursor.position();
    let fixed: [u8; LENGTH] = cursor.take(LENGTH).ok()?.try_into().ok()?;
    if !fixed.starts_with(SIGNATURE) {
        return None;
    }
    let name = cursor.take(u16_at(&fixed, 28)?.into()).ok()?.to_vec();
    let extra = Extra::parse(cursor.take(u16_at(&fixed, 30)?.into()).ok()?, &name);
    cursor.take(u16_at(&fixed, 32)?.into()).ok()?;
    let mut compressed = u64::from(u32_at(&fixed, 20)?);
    let mut size = u64::from(u32_at(&fixed, 24)?);
    let mut header = u64::from(u32_at(&fixed, 42)?);
    let short = !extra.widen(&mut [&mut size, &mut compressed, &mut header]);
    Some(Entry {
        at,
        flags: u16_at(&fixed, 8)?,
        method: u16_at(&fixed, 10)?,
        crc: u32_at(&fixed, 16)?,
        attributes: u32_at(&fixed, 38)?,
        header: header.saturating_add(shift),
        name,
        compressed,
        size,
        extra,
        short,
    })
}

impl Entry {
    /// The name for people.
    pub(super) fn shown(&self) -> String {
        String::from_utf8_lossy(&self.name).into_owned()
    }

    /// A folder has a name and nothing else.
    pub(super) fn is_folder(&self) -> bool {
        self.size == 0 && self.compressed <= 2 && self.name.ends_with(b"/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zip::build::Archive;
    use crate::zip::end;

    fn first(bytes: &Vec<u8>, budget: &Budget) -> Directory {
        let end = end::find(bytes).remove(0);
        read(bytes, end.places[0], end.first, budget)
    }

    #[test]
    fn entries_are_read_in_order() {
        let bytes = Archive::new().file("a", b"x").file("b/", b"").finish();
        let directory = first(&bytes, &Budget::small());
        assert_eq!(directory.entries.iter().map(Entry::shown).collect::<Vec<_>>(), ["a", "b/"]);
        assert!(directory.entries[1].is_folder());
        assert_eq!(directory.disagreement, None);
    }

    #[test]
    fn a_number_of_entries_is_not_taken_modulo() {
        let bytes = Archive::new().file("a", b"x").finish();
        let end = end::find(&bytes).remove(0);
        for (entries, agrees) in [(1, true), (0, false), (65_537, false)] {
            let directory = read(&bytes, Place { entries, ..end.places[0] }, end.first, &Budget::small());
            assert_eq!(directory.disagreement.is_none(), agrees, "{entries}");
        }
    }

    #[test]
    fn members_are_paid_for() {
        let bytes = Archive::new().file("a", b"x").file("b", b"").finish();
        let directory = first(&bytes, &Budget::new(1, 1, 1));
        assert_eq!(directory.entries.len(), 1);
        assert!(directory.limit.is_some());
    }
}
