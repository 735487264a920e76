//! The members of a group, in each of the three ways in which they are kept.

use super::btree;
use super::file::{BYTES_PER_STEP, File, RECORD};
use super::fractal::{Found, FractalHeap};
use super::header::{Message, kind};
use super::heap::LocalHeap;
use crate::fact::{Anomaly, Gap};
use crate::facts::{Facts, shorten};
use crate::source::read_up_to;

/// Characters kept of a name.
const MAX_NAME: usize = 1000;
/// Bytes of the names of one group that are held.
const MAX_HELD: usize = 16 << 20;
/// Links of one group that are read.
const MAX_LINKS: usize = 200_000;
/// Bytes of one link.
const MAX_LINK: u64 = 64 << 10;
/// Symbols of one node that are read.
const SYMBOL_CACHE: usize = 4;

/// What a link leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// An object of this file, by its address.
    Object(u64),
    /// A path in this file.
    Path(String),
    /// A path in another file.
    External { file: String, path: String },
    /// What only a program that knows this kind can follow.
    Custom(u8),
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) name: String,
    pub(super) target: Target,
    /// Where it was read.
    pub(super) offset: u64,
}

/// The members that were read so far.
#[derive(Debug, Default)]
struct Links {
    list: Vec<Link>,
    held: usize,
}

impl Links {
    fn push(&mut self, link: Link) -> Option<()> {
        self.held = self.held.saturating_add(link.name.len()).saturating_add(64);
        self.list.push(link);
        (!self.is_full()).then_some(())
    }

    fn is_full(&self) -> bool {
        self.list.len() >= MAX_LINKS || self.held > MAX_HELD
    }
}

/// All members of the group with these messages.
pub(super) fn read(file: &File<'_>, messages: &[Message], facts: &mut Facts) -> Vec<Link> {
    let mut links = Links::default();
    for message in messages {
        let outcome = match message.kind {
            kind::LINK => compact(file, message, &mut links),
            kind::LINK_INFO => dense(file, message, &mut links),
            kind::SYMBOL_TABLE => symbols(file, message, &mut links),
            _ => continue,
        };
        if links.is_full() {
            facts.incomplete(message.offset, Gap::Limit, "one group has more members than are read");
            break;
        } else if outcome.is_none() && file.budget.operate(1).is_ok() {
            facts.anomaly(message.offset, Anomaly::Malformed, "the members of a group cannot be read to their end");
        } else if outcome.is_none() {
            facts.incomplete(message.offset, Gap::Limit, "the file has more structure than is read");
        }
    }
    links.list
}

fn compact(file: &File<'_>, message: &Message, links: &mut Links) -> Option<()> {
    links.push(link(file, &message.body, message.offset)?)
}

/// Reads a link message.
fn link(file: &File<'_>, body: &[u8], offset: u64) -> Option<Link> {
    let mut fields = file.fields(body);
    let (version, flags) = (fields.u8()?, fields.u8()?);
    if version != 1 {
        return None;
    }
    let kind = if flags & 8 != 0 { fields.u8()? } else { 0 };
    fields.skip(if flags & 4 != 0 { 8 } else { 0 })?;
    fields.skip(if flags & 0x10 != 0 { 1 } else { 0 })?;
    let width = usize::try_from(1u32.checked_shl(u32::from(flags & 3))?).ok()?;
    let length = usize::try_from(fields.number(width)?).ok()?;
    let name = shorten(String::from_utf8_lossy(fields.take(length)?).into_owned(), MAX_NAME);
    let target = match kind {
        0 => Target::Object(fields.address()??),
        1 => {
            let length = usize::from(fields.u16()?);
            Target::Path(String::from_utf8_lossy(fields.take(length)?).into_owned())
        }
        64 => {
            fields.skip(3)?;
            Target::External { file: fields.text()?, path: fields.text()? }
        }
        other => Target::Custom(other),
    };
    Some(Link { name, target, offset })
}

fn dense(file: &File<'_>, message: &Message, links: &mut Links) -> Option<()> {
    let mut fields = file.fields(&message.body);
    fields.skip(1)?;
    let flags = fields.u8()?;
    fields.skip(if flags & 1 != 0 { 8 } else { 0 })?;
    let Some(heap) = fields.address()? else { return Some(()) };
    let names = fields.address()??;
    let heap = FractalHeap::read(file, heap)?;
    btree::records(file, names, &mut |record| {
        let (bytes, offset) = object(file, &heap, record.get(4..)?, message.offset)?;
        links.push(link(file, &bytes, offset)?)
    })
}

/// The bytes that an identifier in a heap names, and where they are.
pub(super) fn object(file: &File<'_>, heap: &FractalHeap<'_>, id: &[u8], here: u64) -> Option<(Vec<u8>, u64)> {
    match heap.find(id)? {
        Found::Here(bytes) => Some((bytes, here)),
        Found::At(place) if place.length <= MAX_LINK.saturating_mul(256) => {
            file.budget.operate(place.length / 64).ok()?;
            let length = usize::try_from(place.length).ok()?;
            let bytes = read_up_to(file.source, place.offset, length);
            (bytes.len() == length).then_some((bytes, place.offset))
        }
        Found::At(_) => None,
    }
}

fn symbols(file: &File<'_>, message: &Message, links: &mut Links) -> Option<()> {
    let mut fields = file.fields(&message.body);
    let (tree, heap) = (fields.address()??, fields.address()??);
    let heap = LocalHeap::read(file, heap)?;
    btree::children(file, tree, 0, file.sizes.length, &mut |_, node| symbol_node(file, node, &heap, links))
}

fn symbol_node(file: &File<'_>, address: u64, heap: &LocalHeap, links: &mut Links) -> Option<()> {
    let head = file.block(address, 8)?;
    let mut fields = file.fields(&head);
    if fields.take(4)? != b"SNOD" {
        return None;
    }
    fields.skip(2)?;
    let count = u64::from(fields.u16()?);
    let size = (file.sizes.offset as u64).saturating_mul(2).saturating_add(24);
    let entries = address.checked_add(8)?;
    let body = file.block(entries, count.checked_mul(size)?)?;
    let mut fields = file.fields(&body);
    for index in 0..count {
        let name = heap.text(fields.heap_offset()?)?;
        // Thousands of groups may share one table, and each reads all names of it.
        file.budget.operate(RECORD.saturating_add(name.len() as u64 / BYTES_PER_STEP)).ok()?;
        let object = fields.address()?;
        let cache = fields.number(SYMBOL_CACHE)?;
        fields.skip(4)?;
        let scratch = u64::from(fields.u32()?);
        fields.skip(12)?;
        let target = match (cache, object) {
            (2, _) => Target::Path(heap.text(scratch)?),
            (_, Some(address)) => Target::Object(address),
            (_, None) => return None,
        };
        let offset = file.offset(entries).saturating_add(index.saturating_mul(size));
        links.push(Link { name, target, offset })?;
    }
    Some(())
}
