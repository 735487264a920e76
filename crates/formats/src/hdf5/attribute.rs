//! Attributes: small values that hang on groups and datasets, and among them what loaders act on.

use super::btree;
use super::datatype::{Class, Datatype, dataspace};
use super::file::File;
use super::fractal::FractalHeap;
use super::header::{self, Message, kind};
use super::heap::{GlobalHeaps, Place};
use super::links::object;
use crate::fact::{Anomaly, Gap};
use crate::facts::{Facts, shorten};

/// Attributes of one object that are read.
const MAX_ATTRIBUTES: usize = 20_000;
/// Characters kept of a name.
const MAX_NAME: usize = 300;
/// Bytes kept of a value: as much as says where a longer one is.
const MAX_REFERENCE: usize = 64;

/// An attribute.
#[derive(Debug)]
pub(super) struct Attribute {
    pub(super) name: String,
    pub(super) datatype: Datatype,
    /// How many elements it has.
    pub(super) elements: u64,
    /// Where its value is in the source, as far as the object itself has it.
    pub(super) value: Place,
    body: Vec<u8>,
}

impl Attribute {
    /// Where the text of a single text is; of a fixed length, or in a heap.
    pub(super) fn text(&self, file: &File<'_>, heaps: &mut GlobalHeaps) -> Option<Place> {
        if self.elements != 1 {
            return None;
        }
        match self.datatype.class {
            Class::Text | Class::Opaque => {
                Some(Place { length: self.datatype.size.min(self.value.length), ..self.value })
            }
            Class::LongText => self.in_heap(file, heaps),
            Class::List(ref inner) if inner.is_bytes() => self.in_heap(file, heaps),
            _ => None,
        }
    }

    fn in_heap(&self, file: &File<'_>, heaps: &mut GlobalHeaps) -> Option<Place> {
        heap_value(file, &self.body, heaps)
    }
}

/// Where the value is that a length, a heap and an index name.
pub(super) fn heap_value(file: &File<'_>, reference: &[u8], heaps: &mut GlobalHeaps) -> Option<Place> {
    let mut fields = file.fields(reference);
    let length = u64::from(fields.u32()?);
    let address = fields.address()??;
    let index = fields.u32()?;
    let place = heaps.find(file, address, index)?;
    Some(Place { length: length.min(place.length), ..place })
}

/// All attributes of an object.
pub(super) fn read(file: &File<'_>, messages: &[Message], facts: &mut Facts) -> Vec<Attribute> {
    let mut list = Vec::new();
    for message in messages {
        let outcome = match message.kind {
            kind::ATTRIBUTE if message.shared => None,
            kind::ATTRIBUTE => one(file, &message.body, message.offset, facts).map(|read| list.push(read)),
            kind::ATTRIBUTE_INFO => dense(file, message, &mut list, facts),
            _ => continue,
        };
        if outcome.is_none() {
            note(file, message, list.len(), facts);
        }
    }
    list
}

fn note(file: &File<'_>, message: &Message, read: usize, facts: &mut Facts) {
    let at = message.offset;
    if message.shared {
        facts.incomplete(at, Gap::Unsupported, "an attribute is kept in the table of shared messages");
    } else if read >= MAX_ATTRIBUTES || file.budget.operate(1).is_err() {
        facts.incomplete(at, Gap::Limit, "there are more attributes than are read");
    } else {
        facts.anomaly(at, Anomaly::Malformed, "an attribute cannot be read");
    }
}

fn dense(file: &File<'_>, message: &Message, list: &mut Vec<Attribute>, facts: &mut Facts) -> Option<()> {
    let mut fields = file.fields(&message.body);
    fields.skip(1)?;
    let flags = fields.u8()?;
    fields.skip(if flags & 1 != 0 { 2 } else { 0 })?;
    let Some(heap) = fields.address()? else { return Some(()) };
    let names = fields.address()??;
    let heap = FractalHeap::read(file, heap)?;
    btree::records(file, names, &mut |record| {
        let (bytes, offset) = object(file, &heap, record.get(..8)?, message.offset)?;
        list.push(one(file, &bytes, offset, facts)?);
        (list.len() < MAX_ATTRIBUTES).then_some(())
    })
}

fn one(file: &File<'_>, body: &[u8], offset: u64, facts: &mut Facts) -> Option<Attribute> {
    let mut fields = file.fields(body);
    let (version, flags) = (fields.u8()?, fields.u8()?);
    let [name, kind, space] = [fields.u16()?, fields.u16()?, fields.u16()?].map(usize::from);
    fields.skip(if version >= 3 { 1 } else { 0 })?;
    let padded = |size: usize| if version == 1 { size.next_multiple_of(8) } else { size };
    let name = fields.take(padded(name))?;
    let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
    let datatype = fields.take(padded(kind))?;
    let datatype = if version > 1 && flags & 1 != 0 {
        committed(file, datatype, facts)?
    } else {
        Datatype::read(&mut file.fields(datatype))?
    };
    let space = fields.take(padded(space))?;
    let extents = dataspace(&mut file.fields(space))?;
    let elements = extents.map_or(0, |extents| extents.iter().fold(1u64, |all, one| all.saturating_mul(*one)));
    let value = Place { offset: offset.saturating_add(fields.position() as u64), length: fields.rest().len() as u64 };
    if elements.saturating_mul(datatype.size) > value.length {
        facts.anomaly(value.offset, Anomaly::SizeMismatch, "an attribute is shorter than its type and shape say");
    }
    let name = shorten(String::from_utf8_lossy(name).into_owned(), MAX_NAME);
    let body = fields.rest();
    let body = body.get(..body.len().min(MAX_REFERENCE)).unwrap_or_default().to_vec();
    Some(Attribute { name, datatype, elements, value, body })
}

/// A datatype that is an object of its own, by what stands in its place.
pub(super) fn committed(file: &File<'_>, reference: &[u8], facts: &mut Facts) -> Option<Datatype> {
    let mut fields = file.fields(reference);
    let (version, _kind) = (fields.u8()?, fields.u8()?);
    fields.skip(if version == 1 { 6 } else { 0 })?;
    let address = fields.address()??;
    let messages = header::read(file, address, facts);
    let message = messages.iter().find(|message| message.kind == kind::DATATYPE && !message.shared)?;
    Datatype::read(&mut file.fields(&message.body))
}
