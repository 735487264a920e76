//! Datatypes and dataspaces: what an element is, and how many there are.

use super::fields::Fields;

/// Types within types.
const MAX_DEPTH: usize = 16;
/// Members of a compound type that are read.
const MAX_MEMBERS: u32 = 4096;

/// What an element is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Class {
    Integer {
        signed: bool,
    },
    Float,
    Time,
    Text,
    Bits,
    Opaque,
    Compound(u32),
    Reference,
    Enumeration,
    /// A list of elements, in a heap.
    List(Box<Datatype>),
    /// A text of any length, in a heap.
    LongText,
    Array(Box<Datatype>),
    /// A class that is not known here.
    Other(u8),
}

/// What an element is, and its size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Datatype {
    pub(super) class: Class,
    pub(super) size: u64,
}

impl Datatype {
    /// Reads a datatype message.
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        read(fields, MAX_DEPTH)
    }

    /// Whether an element is a byte or a row of bytes, which may spell anything.
    pub(super) fn is_bytes(&self) -> bool {
        match &self.class {
            Class::Integer { .. } => self.size == 1,
            Class::Opaque | Class::Text => true,
            Class::Array(inner) => inner.is_bytes(),
            _ => false,
        }
    }

    /// The type in words.
    pub(super) fn describe(&self) -> String {
        let bits = self.size.saturating_mul(8);
        match &self.class {
            Class::Integer { signed: true } => format!("int{bits}"),
            Class::Integer { signed: false } => format!("uint{bits}"),
            Class::Float => format!("float{bits}"),
            Class::Time => "time".into(),
            Class::Text => format!("string[{}]", self.size),
            Class::Bits => format!("bits{bits}"),
            Class::Opaque => format!("opaque[{}]", self.size),
            Class::Compound(members) => format!("compound of {members}"),
            Class::Reference => "reference".into(),
            Class::Enumeration => "enum".into(),
            Class::List(inner) => format!("list of {}", inner.describe()),
            Class::LongText => "string".into(),
            Class::Array(inner) => format!("array of {}", inner.describe()),
            Class::Other(class) => format!("class {class}"),
        }
    }
}

fn read(fields: &mut Fields<'_>, depth: usize) -> Option<Datatype> {
    let depth = depth.checked_sub(1)?;
    let head = fields.u8()?;
    let (version, class) = (head >> 4, head & 0xF);
    let bits = u32::try_from(fields.number(3)?).ok()?;
    let size = u64::from(fields.u32()?);
    let class = match class {
        0 => fields.skip(4).map(|()| Class::Integer { signed: bits & 8 != 0 })?,
        1 => fields.skip(12).map(|()| Class::Float)?,
        2 => fields.skip(2).map(|()| Class::Time)?,
        3 => Class::Text,
        4 => fields.skip(4).map(|()| Class::Bits)?,
        5 => fields.skip(usize::try_from(bits & 0xFF).ok()?.next_multiple_of(8)).map(|()| Class::Opaque)?,
        6 => compound(fields, version, bits & 0xFFFF, size, depth)?,
        7 => Class::Reference,
        8 => enumeration(fields, version, bits & 0xFFFF, depth)?,
        9 if bits & 0xF == 1 => read(fields, depth).map(|_| Class::LongText)?,
        9 => Class::List(Box::new(read(fields, depth)?)),
        10 => array(fields, version, depth)?,
        11 => Class::Float,
        other => Class::Other(other),
    };
    Some(Datatype { class, size })
}

/// A name, which older versions fill up to a multiple of eight.
fn name(fields: &mut Fields<'_>, version: u8) -> Option<String> {
    let before = fields.position();
    let name = fields.text()?;
    let length = fields.position().saturating_sub(before);
    if version < 3 {
        fields.skip(length.next_multiple_of(8).saturating_sub(length))?;
    }
    Some(name)
}

fn compound(fields: &mut Fields<'_>, version: u8, count: u32, size: u64, depth: usize) -> Option<Class> {
    for _ in 0..count.min(MAX_MEMBERS) {
        name(fields, version)?;
        match version {
            0 | 1 => fields.skip(32)?,
            2 => fields.skip(4)?,
            _ => fields.skip(super::fields::bytes_for(size))?,
        }
        read(fields, depth)?;
    }
    Some(Class::Compound(count))
}

fn enumeration(fields: &mut Fields<'_>, version: u8, count: u32, depth: usize) -> Option<Class> {
    let base = read(fields, depth)?;
    for _ in 0..count {
        name(fields, version)?;
    }
    let values = base.size.checked_mul(u64::from(count))?;
    fields.skip(usize::try_from(values).ok()?)?;
    Some(Class::Enumeration)
}

fn array(fields: &mut Fields<'_>, version: u8, depth: usize) -> Option<Class> {
    let rank = usize::from(fields.u8()?);
    let (before, each) = if version < 3 { (3, 8) } else { (0, 4) };
    fields.skip(rank.saturating_mul(each).saturating_add(before))?;
    Some(Class::Array(Box::new(read(fields, depth)?)))
}

/// Reads a dataspace message: the extent of each dimension. `None` inside is the space without elements.
pub(super) fn dataspace(fields: &mut Fields<'_>) -> Option<Option<Vec<u64>>> {
    let (version, rank, _flags) = (fields.u8()?, fields.u8()?, fields.u8()?);
    match version {
        1 => fields.skip(5)?,
        2 if fields.u8()? == 2 => return Some(None),
        2 => {}
        _ => return None,
    }
    (0..rank).map(|_| fields.length()).collect::<Option<Vec<_>>>().map(Some)
}
