//! Sorted tables of keys and values, as LevelDB stores them: blocks, an index of blocks, a footer.
//!
//! Specification: <https://github.com/google/leveldb/blob/main/doc/table_format.md>. Blocks are streamed: those of old
//! checkpoints hold whole tensors.

use super::crc32c::masked_range;
use super::snappy;
use crate::budget::Budget;
use crate::cursor::Cursor;
use crate::fact::{Anomaly, Gap};
use crate::facts::Facts;
use crate::protobuf::Span;
use crate::source::{ReadError, Source, read_up_to};

/// The signature at the end.
pub(super) const MAGIC: u64 = 0xDB47_7524_8B80_FB57;
/// Bytes of the footer: two handles of up to twenty bytes, and the signature.
pub(super) const FOOTER: u64 = 48;
/// Bytes behind a block: how it is compressed, and a checksum.
const TRAILER: u64 = 5;
/// The longest key.
const MAX_KEY: usize = 64 << 10;
/// Blocks of one table.
const MAX_BLOCKS: usize = 1 << 20;
/// Larger blocks hold tensors, whose numbers are not read; so their checksums are not verified.
const MAX_CHECKED: u64 = 4 << 20;

/// An entry: its key, and its value as a range of bytes that are given with it.
pub(super) struct Entry<'e> {
    /// The whole key.
    pub(super) key: &'e [u8],
    /// What holds the value: the file, or a decoded block.
    pub(super) source: &'e dyn Source,
    /// The value.
    pub(super) value: Span,
    /// Where in the file it is, or its block.
    pub(super) offset: u64,
}

/// What is called for each entry.
pub(super) type Visit<'v> = &'v mut dyn FnMut(&Entry<'_>, &mut Facts);

/// Reads all entries in order, and accounts for every byte.
pub(super) fn read(source: &dyn Source, budget: &Budget, facts: &mut Facts, visit: Visit<'_>) {
    let Some(start) = source.len().checked_sub(FOOTER) else {
        return facts.anomaly(0, Anomaly::Malformed, "the file is shorter than a table's footer");
    };
    let mut footer = Cursor::sparing(source, start);
    let (Ok(extra), Ok(index)) = (handle(&mut footer), handle(&mut footer)) else {
        return facts.anomaly(start, Anomaly::Malformed, "the footer does not tell where the index is");
    };
    let mut table = Table { source, budget, end: start, blocks: vec![extra, index], is_exhausted: false };
    table.block(extra, facts, &mut |_, _| {});
    let mut handles = Vec::new();
    table.block(index, facts, &mut |entry, facts| {
        let mut cursor = Cursor::sparing(entry.source, entry.value.offset);
        match handle(&mut cursor) {
            Ok(handle) if handles.len() < MAX_BLOCKS => handles.push(handle),
            Ok(_) => facts.incomplete(entry.offset, Gap::Limit, format!("more than {MAX_BLOCKS} blocks")),
            Err(_) => facts.anomaly(entry.offset, Anomaly::Malformed, "the index does not tell where a block is"),
        }
    });
    for handle in handles {
        table.blocks.push(handle);
        table.block(handle, facts, visit);
        if table.is_exhausted {
            return;
        }
    }
    table.account(facts);
}

struct Table<'a> {
    source: &'a dyn Source,
    budget: &'a Budget,
    end: u64,
    blocks: Vec<Span>,
    is_exhausted: bool,
}

impl Table<'_> {
    fn block(&mut self, block: Span, facts: &mut Facts, visit: Visit<'_>) {
        if block
            .offset
            .checked_add(block.length)
            .and_then(|end| end.checked_add(TRAILER))
            .is_none_or(|end| end > self.end)
        {
            let detail = format!("a block of {} bytes ends behind the table", block.length);
            return facts.anomaly(block.offset, Anomaly::OutOfBounds, detail);
        }
        let trailer = read_up_to(self.source, block.end(), 5);
        let (Some(kind), Some(stored)) = (trailer.first().copied(), checksum(&trailer)) else {
            return facts.incomplete(block.end(), Gap::Unreadable, "a block's end could not be read");
        };
        if block.length <= MAX_CHECKED {
            let length = block.length.saturating_add(1);
            let is_right = masked_range(self.source, block.offset, length, self.budget) == Some(stored);
            if !is_right {
                facts.anomaly(block.offset, Anomaly::ChecksumMismatch, "a block's checksum is wrong");
            }
        }
        match kind {
            0 => self.entries(self.source, block, None, facts, visit),
            1 => self.compressed(block, facts, visit),
            other => {
                let detail = format!("compression {other} of blocks is not read here");
                facts.incomplete(block.offset, Gap::Unsupported, detail);
            }
        }
    }

    fn compressed(&mut self, block: Span, facts: &mut Facts, visit: Visit<'_>) {
        if block.length > snappy::MAX_BLOCK as u64 {
            return facts.incomplete(block.offset, Gap::Limit, "a compressed block is too large to be read");
        }
        let Some(decoded) = snappy::decode(&block.bytes(self.source, snappy::MAX_BLOCK)) else {
            return facts.incomplete(block.offset, Gap::Unreadable, "a block cannot be decompressed");
        };
        if let Err(limit) = self.budget.expand(decoded.len() as u64) {
            self.is_exhausted = true;
            return facts.incomplete(block.offset, Gap::Limit, limit.to_string());
        }
        self.entries(&decoded, Span::whole(&decoded), Some(block.offset), facts, visit);
    }

    /// The entries of a block; `at` is where it lies in the file when it was decoded from there.
    fn entries(&mut self, source: &dyn Source, block: Span, at: Option<u64>, facts: &mut Facts, visit: Visit<'_>) {
        let offset = at.unwrap_or(block.offset);
        let Some(end) = restarts(source, block) else {
            return facts.anomaly(offset, Anomaly::Malformed, "a block's restart points have no room in it");
        };
        let mut cursor = Cursor::new(source, block.offset);
        let mut key: Vec<u8> = Vec::new();
        while cursor.position() < end {
            if let Err(limit) = self.budget.operate(1) {
                self.is_exhausted = true;
                return facts.incomplete(offset, Gap::Limit, limit.to_string());
            }
            let Ok(value) = entry(&mut cursor, &mut key, end) else {
                return facts.anomaly(
                    at.unwrap_or(cursor.position()),
                    Anomaly::Malformed,
                    "an entry does not fit into its block",
                );
            };
            let offset = at.unwrap_or(value.offset);
            visit(&Entry { key: &key, source, value, offset }, facts);
            cursor.seek(value.end());
        }
    }

    /// Blocks follow each other from the start to the footer.
    fn account(&mut self, facts: &mut Facts) {
        self.blocks.sort_unstable_by_key(|block| (block.offset, block.length));
        let mut at = 0;
        for block in &self.blocks {
            match block.offset.cmp(&at) {
                std::cmp::Ordering::Greater => {
                    facts.anomaly(at, Anomaly::Hole, "bytes between the blocks of the table")
                }
                std::cmp::Ordering::Less => facts.anomaly(block.offset, Anomaly::Overlap, "two blocks share bytes"),
                std::cmp::Ordering::Equal => {}
            }
            at = at.max(block.end().saturating_add(TRAILER));
        }
        if at < self.end {
            facts.anomaly(at, Anomaly::Hole, "bytes between the blocks of the table");
        }
    }
}

fn checksum(trailer: &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(trailer.get(1..5)?.try_into().ok()?))
}

/// Where the entries of a block end: before the list of restart points.
fn restarts(source: &dyn Source, block: Span) -> Option<u64> {
    let last = block.length.checked_sub(4)?;
    let count = Cursor::sparing(source, block.offset.checked_add(last)?).u32().ok()?;
    let end = last.checked_sub(u64::from(count).checked_mul(4)?)?;
    block.offset.checked_add(end)
}

/// Reads the key of an entry, of which it shares the start with the one before, and tells where its value is.
fn entry(cursor: &mut Cursor<'_>, key: &mut Vec<u8>, end: u64) -> Result<Span, ReadError> {
    let shared = usize::try_from(varint(cursor)?).unwrap_or(usize::MAX);
    let fresh = usize::try_from(varint(cursor)?).unwrap_or(usize::MAX);
    let length = varint(cursor)?;
    if shared > key.len() || shared.saturating_add(fresh) > MAX_KEY {
        return Err(ReadError::End);
    }
    key.truncate(shared);
    key.extend_from_slice(cursor.take(fresh)?);
    let value = Span { offset: cursor.position(), length };
    if value.offset.checked_add(length).is_none_or(|ending| ending > end) {
        return Err(ReadError::End);
    }
    Ok(value)
}

/// Where a block is.
fn handle(cursor: &mut Cursor<'_>) -> Result<Span, ReadError> {
    Ok(Span { offset: varint(cursor)?, length: varint(cursor)? })
}

fn varint(cursor: &mut Cursor<'_>) -> Result<u64, ReadError> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = cursor.byte()?;
        value |= u64::from(byte & 0x7F).checked_shl(shift).unwrap_or(0);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(ReadError::End)
}
