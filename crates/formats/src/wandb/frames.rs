//! Frames of a transaction log: LevelDB's, with the plain CRC-32 of zlib in place of LevelDB's own.
//!
//! Blocks of 32,768 bytes; in them fragments with a header of 7 bytes: the checksum of type and data, the length, the type.
//! <https://github.com/google/leveldb/blob/main/doc/log_format.md>

use flate2::Crc;

use crate::source::{Source, read_up_to};

/// Bytes of a block.
const BLOCK: u64 = 32_768;
/// Bytes of a fragment's header.
const HEADER: u64 = 7;
/// Bytes of one record; a manifest of a hundred thousand files has fewer.
const MAX_RECORD: usize = 64 << 20;

/// What went wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The fragment's first byte.
    pub offset: u64,
    /// One readable sentence.
    pub what: String,
    /// Whether nothing behind it was read.
    pub is_end: bool,
}

/// The records of a log, one after the other.
#[derive(Debug)]
pub(super) struct Frames<'a> {
    source: &'a dyn Source,
    at: u64,
    /// What a record has so far, and where it began.
    open: Option<(u64, Vec<u8>)>,
    pub(super) damage: Vec<Damage>,
}

/// One fragment.
struct Fragment {
    offset: u64,
    kind: u8,
    data: Vec<u8>,
}

impl<'a> Frames<'a> {
    pub(super) fn new(source: &'a dyn Source, at: u64) -> Self {
        Self { source, at, open: None, damage: Vec::new() }
    }

    /// The next whole record, and where it begins.
    pub(super) fn next(&mut self) -> Option<(u64, Vec<u8>)> {
        loop {
            let Some(fragment) = self.fragment() else {
                if let Some((offset, _)) = self.open.take() {
                    self.note(offset, "a record is not finished: the run may have been cut off", true);
                }
                return None;
            };
            if let Some(record) = self.take(fragment) {
                return Some(record);
            }
        }
    }

    fn take(&mut self, fragment: Fragment) -> Option<(u64, Vec<u8>)> {
        let Fragment { offset, kind, data } = fragment;
        let is_start = matches!(kind, 1 | 2);
        if is_start && self.open.take().is_some() || !is_start && self.open.is_none() {
            self.note(offset, "a part of a record stands where none is expected", false);
        }
        match kind {
            1 => return Some((offset, data)),
            2 => self.open = Some((offset, data)),
            _ => {
                let (_, bytes) = self.open.as_mut()?;
                if bytes.len().saturating_add(data.len()) > MAX_RECORD {
                    self.open = None;
                    self.note(offset, "a record is longer than is read here", false);
                    return None;
                }
                bytes.extend_from_slice(&data);
                if kind == 4 {
                    return self.open.take();
                }
            }
        }
        None
    }

    /// The next fragment whose bytes are what its checksum says.
    fn fragment(&mut self) -> Option<Fragment> {
        loop {
            let left = BLOCK.saturating_sub(self.at.checked_rem(BLOCK).unwrap_or(0));
            if left < HEADER {
                self.at = self.at.saturating_add(left);
            }
            let offset = self.at;
            let header = read_up_to(self.source, offset, 7);
            if header.is_empty() {
                return None;
            }
            let &[a, b, c, d, low, high, kind] = header.as_slice() else {
                self.note(offset, "the log ends within a header", true);
                return None;
            };
            let length = u16::from_le_bytes([low, high]);
            self.at = offset.saturating_add(HEADER).saturating_add(u64::from(length));
            if !(1..=4).contains(&kind) || u64::from(length) > left_in_block(offset) {
                self.note(offset, "these bytes are no part of a record", true);
                return None;
            }
            let data = read_up_to(self.source, offset.saturating_add(HEADER), length.into());
            if data.len() < usize::from(length) {
                self.note(offset, "the log ends within a record", true);
                return None;
            }
            if u32::from_le_bytes([a, b, c, d]) == checksum(kind, &data) {
                return Some(Fragment { offset, kind, data });
            }
            self.open = None;
            self.note(offset, "a record is not what its checksum says, and was left out", false);
        }
    }

    fn note(&mut self, offset: u64, what: &str, is_end: bool) {
        if self.damage.len() < 64 || is_end {
            self.damage.push(Damage { offset, what: what.to_owned(), is_end });
        }
    }
}

/// Bytes of data that fit into the block behind a header.
fn left_in_block(offset: u64) -> u64 {
    let within = offset.checked_rem(BLOCK).unwrap_or(0).saturating_add(HEADER);
    BLOCK.saturating_sub(within)
}

pub(super) fn checksum(kind: u8, data: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(&[kind]);
    crc.update(data);
    crc.sum()
}
