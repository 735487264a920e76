//! Object headers: the list of messages that say what an object is.

use super::checksum::lookup3;
use super::file::{File, RECORD};
use crate::fact::{Anomaly, Gap};
use crate::facts::Facts;

/// Messages of one object that are read.
const MAX_MESSAGES: usize = 100_000;
/// Blocks that one header is spread over.
const MAX_BLOCKS: usize = 10_000;
/// Bytes of messages of one header that are held.
const MAX_HELD: usize = 32 << 20;

/// Kinds of messages that are read.
pub(super) mod kind {
    pub(in crate::hdf5) const DATASPACE: u16 = 0x01;
    pub(in crate::hdf5) const LINK_INFO: u16 = 0x02;
    pub(in crate::hdf5) const DATATYPE: u16 = 0x03;
    pub(in crate::hdf5) const LINK: u16 = 0x06;
    pub(in crate::hdf5) const EXTERNAL_FILES: u16 = 0x07;
    pub(in crate::hdf5) const LAYOUT: u16 = 0x08;
    pub(in crate::hdf5) const FILTERS: u16 = 0x0B;
    pub(in crate::hdf5) const ATTRIBUTE: u16 = 0x0C;
    pub(in crate::hdf5) const SHARED_TABLE: u16 = 0x0F;
    pub(in crate::hdf5) const CONTINUATION: u16 = 0x10;
    pub(in crate::hdf5) const SYMBOL_TABLE: u16 = 0x11;
    pub(in crate::hdf5) const DRIVER: u16 = 0x14;
    pub(in crate::hdf5) const ATTRIBUTE_INFO: u16 = 0x15;
    /// The greatest that the specification knows.
    pub(in crate::hdf5) const LAST: u16 = 0x18;
}

/// One message.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) kind: u16,
    /// Whether the body only says where the message is.
    pub(super) shared: bool,
    /// Where the body is in the source.
    pub(super) offset: u64,
    pub(super) body: Vec<u8>,
}

/// Reads the header at an address. What cannot be read is noted.
pub(super) fn read(file: &File<'_>, address: u64, facts: &mut Facts) -> Vec<Message> {
    let start = file.start(address, 16);
    let mut reader = Reader { file, facts, messages: Vec::new(), pending: Vec::new(), blocks: 0, held: 0 };
    let outcome = match start.as_slice() {
        [b'O', b'H', b'D', b'R', 2, flags, ..] => reader.new_header(address, *flags),
        [1, 0, ..] => reader.old_header(address),
        _ => None,
    };
    let messages = std::mem::take(&mut reader.messages);
    if outcome.is_none() {
        unreadable(file, address, facts);
    }
    messages
}

fn unreadable(file: &File<'_>, address: u64, facts: &mut Facts) {
    let offset = file.offset(address);
    if offset >= file.source.len() {
        return facts.anomaly(offset, Anomaly::OutOfBounds, "an object header lies outside the file");
    }
    if file.budget.operate(1).is_err() {
        return facts.incomplete(offset, Gap::Limit, "the file has more structure than is read");
    }
    facts.anomaly(offset, Anomaly::Malformed, "an object header cannot be read to its end");
}

struct Reader<'r, 'a> {
    file: &'r File<'a>,
    facts: &'r mut Facts,
    messages: Vec<Message>,
    /// Continuations still to be read: address and length.
    pending: Vec<(u64, u64)>,
    blocks: usize,
    held: usize,
}

impl Reader<'_, '_> {
    fn old_header(&mut self, address: u64) -> Option<()> {
        let prefix = self.file.block(address, 16)?;
        let mut fields = self.file.fields(&prefix);
        fields.skip(2)?;
        let mut left = usize::from(fields.u16()?);
        fields.skip(4)?;
        let length = u64::from(fields.u32()?);
        self.pending.push((address.checked_add(16)?, length));
        while let Some((address, length)) = self.next_block() {
            self.old_block(address, length, &mut left)?;
        }
        Some(())
    }

    fn next_block(&mut self) -> Option<(u64, u64)> {
        let next = self.pending.pop()?;
        self.blocks = self.blocks.saturating_add(1);
        if self.blocks > MAX_BLOCKS {
            let offset = self.file.offset(next.0);
            self.facts.incomplete(offset, Gap::Limit, "an object header is spread over too many blocks");
            return None;
        }
        Some(next)
    }

    fn old_block(&mut self, address: u64, length: u64, left: &mut usize) -> Option<()> {
        let bytes = self.file.block(address, length)?;
        let mut fields = self.file.fields(&bytes);
        while *left > 0 && fields.rest().len() >= 8 {
            let (kind, size, flags) = (fields.u16()?, fields.u16()?, fields.u8()?);
            fields.skip(3)?;
            let at = self.file.offset(address).saturating_add(fields.position() as u64);
            let body = fields.take(usize::from(size))?;
            *left = left.saturating_sub(1);
            self.message(kind, flags, at, body)?;
        }
        Some(())
    }

    fn new_header(&mut self, address: u64, flags: u8) -> Option<()> {
        let mut prefix = 6u64;
        prefix = prefix.saturating_add(if flags & 0x20 != 0 { 16 } else { 0 });
        prefix = prefix.saturating_add(if flags & 0x10 != 0 { 4 } else { 0 });
        let width = 1u64.checked_shl(u32::from(flags & 3))?;
        let head = self.file.block(address, prefix.saturating_add(width))?;
        let mut fields = self.file.fields(&head);
        fields.skip(usize::try_from(prefix).ok()?)?;
        let size = fields.number(usize::try_from(width).ok()?)?;
        let skipped = prefix.saturating_add(width);
        let ordered = flags & 4 != 0;
        self.new_block(address, skipped.checked_add(size)?.checked_add(4)?, skipped, ordered)?;
        while let Some((address, length)) = self.next_block() {
            if !self.file.start(address, 4).starts_with(b"OCHK") {
                return None;
            }
            self.new_block(address, length, 4, ordered)?;
        }
        Some(())
    }

    /// A block of `length` bytes with `prefix` bytes before its messages and a checksum behind them.
    fn new_block(&mut self, address: u64, length: u64, prefix: u64, ordered: bool) -> Option<()> {
        let bytes = self.file.block(address, length)?;
        let (checked, sum) = bytes.split_at_checked(bytes.len().checked_sub(4)?)?;
        if self.file.fields(sum).u32()? != lookup3(checked) {
            let offset = self.file.offset(address);
            self.facts.anomaly(offset, Anomaly::ChecksumMismatch, "the checksum of an object header is wrong");
        }
        let mut fields = self.file.fields(checked);
        fields.skip(usize::try_from(prefix).ok()?)?;
        let least = if ordered { 6 } else { 4 };
        while fields.rest().len() >= least {
            let (kind, size, flags) = (u16::from(fields.u8()?), fields.u16()?, fields.u8()?);
            fields.skip(if ordered { 2 } else { 0 })?;
            let at = self.file.offset(address).saturating_add(fields.position() as u64);
            let body = fields.take(usize::from(size))?;
            self.message(kind, flags, at, body)?;
        }
        Some(())
    }

    fn message(&mut self, kind: u16, flags: u8, offset: u64, body: &[u8]) -> Option<()> {
        self.file.budget.operate(RECORD).ok()?;
        if kind == kind::CONTINUATION {
            let mut fields = self.file.fields(body);
            let address = fields.address()??;
            self.pending.push((address, fields.length()?));
            return Some(());
        }
        self.held = self.held.saturating_add(body.len());
        if self.messages.len() >= MAX_MESSAGES || self.held > MAX_HELD {
            self.facts.incomplete(offset, Gap::Limit, "an object header has more messages than are read");
            return None;
        }
        if kind != 0 {
            self.messages.push(Message { kind, shared: flags & 2 != 0, offset, body: body.to_vec() });
        }
        Some(())
    }
}
