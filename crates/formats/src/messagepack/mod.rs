//! MessagePack as hostile input: streamed, bounded, with the offset of everything and with duplicate keys kept.
//!
//! No tree is built and nothing recurses. [`walk`] calls back for every value with the path that leads to it; bytes and
//! extensions are ranges that the caller opens when it wants to.
//! Specification: <https://github.com/msgpack/msgpack/blob/master/spec.md>.

mod chunked;
mod flax;
mod ndarray;
mod packed;
mod weights;

pub use flax::Flax;
pub use weights::read_plain;

use std::collections::HashSet;

use crate::budget::Budget;
use crate::cursor::Cursor;
use crate::fact::{Anomaly, Gap};
use crate::json::Segment;
use crate::protobuf::Span;
use crate::source::{ReadError, Source};

/// Containers within containers; the reference library gives up at 1024.
const MAX_DEPTH: usize = 512;
/// Bytes kept of a text.
const MAX_TEXT: u64 = 4096;
/// Keys, over all maps, that are compared with each other.
const MAX_KEYS: usize = 1 << 20;

/// A value, or the start or end of one that contains others.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// A map opens, of so many pairs.
    Map(u64),
    /// A map closes.
    MapEnd,
    /// An array opens, of so many items.
    Array(u64),
    /// An array closes.
    ArrayEnd,
    /// Text; what is not UTF-8 is replaced.
    Text(&'a str),
    /// A whole number.
    Integer(i128),
    /// Another number.
    Float(f64),
    /// True or false.
    Bool(bool),
    /// Nothing.
    Nil,
    /// Bytes.
    Bytes(Span),
    /// A value of a type the application defines.
    Extension(i8, Span),
}

/// What stopped a walk, or is odd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Something no honest file has.
    Odd(Anomaly),
    /// Something that kept the rest from being read.
    Stopped(Gap),
}

/// A problem, where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Where.
    pub offset: u64,
    /// What.
    pub problem: Problem,
    /// One readable sentence.
    pub detail: String,
}

/// How a walk ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Problems, in order.
    pub notes: Vec<Note>,
    /// Where reading ended.
    pub end: u64,
    /// True when a whole value was read.
    pub complete: bool,
}

/// An open container.
struct Frame {
    is_map: bool,
    left: u64,
    index: u64,
    keys: HashSet<u64>,
}

/// The first byte of a value, told apart.
enum Kind {
    Map(u64),
    Array(u64),
    Text(u64),
    Bytes(u64),
    Extension(u64),
    Integer(i128),
    Float(f64),
    Bool(bool),
    Nil,
    Unused,
}

struct Walker<'a, 'v> {
    cursor: Cursor<'a>,
    end: u64,
    budget: &'a Budget,
    visit: &'v mut dyn FnMut(&[Segment], u64, Value<'_>),
    outcome: Outcome,
    frames: Vec<Frame>,
    path: Vec<Segment>,
    keys: usize,
}

/// Reads one value from a range of `source`, calling `visit` for every value in it with its path and its offset.
pub fn walk(
    source: &dyn Source,
    span: Span,
    budget: &Budget,
    visit: &mut dyn FnMut(&[Segment], u64, Value<'_>),
) -> Outcome {
    let cursor =
        if span.length < 65_536 { Cursor::sparing(source, span.offset) } else { Cursor::new(source, span.offset) };
    let end = span.end().min(source.len());
    let (frames, path) = (Vec::new(), Vec::new());
    let mut walker = Walker { cursor, end, budget, visit, outcome: Outcome::default(), frames, path, keys: 0 };
    walker.outcome.complete = walker.document().is_some();
    walker.outcome.end = walker.cursor.position();
    walker.outcome
}

impl Walker<'_, '_> {
    fn note<T>(&mut self, offset: u64, problem: Problem, detail: impl Into<String>) -> Option<T> {
        self.outcome.notes.push(Note { offset, problem, detail: detail.into() });
        None
    }

    fn document(&mut self) -> Option<()> {
        loop {
            self.value()?;
            while let Some(frame) = self.frames.last_mut() {
                if frame.left > 0 {
                    frame.left = frame.left.saturating_sub(1);
                    self.enter()?;
                    break;
                }
                let value = if frame.is_map { Value::MapEnd } else { Value::ArrayEnd };
                self.frames.pop();
                self.path.pop();
                (self.visit)(&self.path, self.cursor.position(), value);
            }
            if self.frames.is_empty() {
                return Some(());
            }
        }
    }

    /// Moves the path to the next member.
    fn enter(&mut self) -> Option<()> {
        let frame = self.frames.last_mut()?;
        let index = frame.index;
        frame.index = index.saturating_add(1);
        let segment = if frame.is_map { Segment::Key(self.key()?) } else { Segment::Index(index) };
        if let Some(last) = self.path.last_mut() {
            *last = segment;
        }
        Some(())
    }

    fn key(&mut self) -> Option<String> {
        let offset = self.cursor.position();
        let text = match self.kind()? {
            Kind::Text(length) | Kind::Bytes(length) => self.text(offset, length)?,
            Kind::Integer(value) => value.to_string(),
            Kind::Float(value) => value.to_string(),
            _ => return self.note(offset, Problem::Odd(Anomaly::Malformed), "a key is neither text nor a number"),
        };
        self.keys = self.keys.saturating_add(1);
        if self.keys > MAX_KEYS {
            return self.note(offset, Problem::Stopped(Gap::Limit), format!("more than {MAX_KEYS} keys"));
        }
        let new = self.frames.last_mut().is_some_and(|frame| frame.keys.insert(hash(&text)));
        if !new {
            let detail = format!("the key '{text}' stands here twice");
            self.note::<()>(offset, Problem::Odd(Anomaly::DuplicateName), detail);
        }
        Some(text)
    }

    fn value(&mut self) -> Option<()> {
        let offset = self.cursor.position();
        if let Err(error) = self.budget.operate(1) {
            return self.note(offset, Problem::Stopped(Gap::Limit), error.to_string());
        }
        let value = match self.kind()? {
            Kind::Map(count) => return self.open(offset, count, true),
            Kind::Array(count) => return self.open(offset, count, false),
            Kind::Text(length) => {
                let text = self.text(offset, length)?;
                (self.visit)(&self.path, offset, Value::Text(&text));
                return Some(());
            }
            Kind::Bytes(length) => Value::Bytes(self.span(offset, length)?),
            Kind::Extension(length) => {
                let byte = self.read(offset, |cursor| cursor.byte())?;
                Value::Extension(i8::from_le_bytes([byte]), self.span(offset, length)?)
            }
            Kind::Integer(value) => Value::Integer(value),
            Kind::Float(value) => Value::Float(value),
            Kind::Bool(value) => Value::Bool(value),
            Kind::Nil => Value::Nil,
            Kind::Unused => {
                return self.note(
                    offset,
                    Problem::Odd(Anomaly::Malformed),
                    "a value of the one type that is not in use",
                );
            }
        };
        (self.visit)(&self.path, offset, value);
        Some(())
    }

    fn open(&mut self, offset: u64, count: u64, is_map: bool) -> Option<()> {
        let least = if is_map { count.saturating_mul(2) } else { count };
        let left = self.end.saturating_sub(self.cursor.position());
        if least > left {
            let detail = format!("{count} members are announced where {left} bytes are left");
            return self.note(offset, Problem::Odd(Anomaly::AllocationBomb), detail);
        }
        if self.frames.len() >= MAX_DEPTH {
            let detail = format!("containers lie more than {MAX_DEPTH} deep");
            return self.note(offset, Problem::Stopped(Gap::Depth), detail);
        }
        (self.visit)(&self.path, offset, if is_map { Value::Map(count) } else { Value::Array(count) });
        self.frames.push(Frame { is_map, left: count, index: 0, keys: HashSet::new() });
        self.path.push(Segment::Index(0));
        Some(())
    }

    fn span(&mut self, offset: u64, length: u64) -> Option<Span> {
        let span = Span { offset: self.cursor.position(), length };
        if span.end() > self.end || self.cursor.skip(length).is_err() {
            let detail = format!("a value of {length} bytes ends outside its container or the file");
            return self.note(offset, Problem::Odd(Anomaly::OutOfBounds), detail);
        }
        Some(span)
    }

    fn text(&mut self, offset: u64, length: u64) -> Option<String> {
        let span = self.span(offset, length)?;
        let after = self.cursor.position();
        self.cursor.seek(span.offset);
        let count = usize::try_from(length.min(MAX_TEXT)).unwrap_or(0);
        let text = self.cursor.take(count).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        self.cursor.seek(after);
        text.ok()
    }

    fn read<T>(&mut self, offset: u64, read: impl FnOnce(&mut Cursor<'_>) -> Result<T, ReadError>) -> Option<T> {
        let value = read(&mut self.cursor);
        match value {
            Ok(value) if self.cursor.position() <= self.end => Some(value),
            Err(ReadError::Refused(why)) => self.note(offset, Problem::Stopped(Gap::Unreadable), why),
            _ => self.note(offset, Problem::Odd(Anomaly::Malformed), "the data end within a value"),
        }
    }

    fn kind(&mut self) -> Option<Kind> {
        let offset = self.cursor.position();
        self.read(offset, kind)
    }
}

/// The type of the value at the cursor, and its length or its worth.
fn kind(cursor: &mut Cursor<'_>) -> Result<Kind, ReadError> {
    let byte = cursor.byte()?;
    let low = |mask: u8| u64::from(byte & mask);
    Ok(match byte {
        0x00..=0x7f => Kind::Integer(byte.into()),
        0x80..=0x8f => Kind::Map(low(0x0f)),
        0x90..=0x9f => Kind::Array(low(0x0f)),
        0xa0..=0xbf => Kind::Text(low(0x1f)),
        0xc0 => Kind::Nil,
        0xc1 => Kind::Unused,
        0xc2 | 0xc3 => Kind::Bool(byte == 0xc3),
        0xc4..=0xc6 => Kind::Bytes(unsigned(cursor, byte & 3)?),
        0xc7..=0xc9 => Kind::Extension(unsigned(cursor, byte.wrapping_sub(0xc7))?),
        0xca => Kind::Float(f32::from_bits(u32::try_from(unsigned(cursor, 2)?).unwrap_or(0)).into()),
        0xcb => Kind::Float(f64::from_bits(unsigned(cursor, 3)?)),
        0xcc..=0xcf => Kind::Integer(unsigned(cursor, byte & 3)?.into()),
        0xd0..=0xd3 => Kind::Integer(signed(cursor, byte & 3)?),
        0xd4..=0xd8 => Kind::Extension(1_u64 << u32::from(byte.wrapping_sub(0xd4))),
        0xd9..=0xdb => Kind::Text(unsigned(cursor, byte.wrapping_sub(0xd9))?),
        0xdc | 0xdd => Kind::Array(unsigned(cursor, byte.wrapping_sub(0xdb))?),
        0xde | 0xdf => Kind::Map(unsigned(cursor, byte.wrapping_sub(0xdd))?),
        0xe0..=0xff => Kind::Integer(i8::from_le_bytes([byte]).into()),
    })
}

/// A big-endian number of 1, 2, 4 or 8 bytes.
fn unsigned(cursor: &mut Cursor<'_>, size: u8) -> Result<u64, ReadError> {
    let bytes = cursor.take(1_usize << u32::from(size & 3))?;
    Ok(bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

fn signed(cursor: &mut Cursor<'_>, size: u8) -> Result<i128, ReadError> {
    let value = unsigned(cursor, size)?;
    let unused = 64_u32.saturating_sub(8_u32 << u32::from(size & 3));
    Ok(((value << unused).cast_signed() >> unused).into())
}

fn hash(text: &str) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
