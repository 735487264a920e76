//! The wire format of Protocol Buffers: fields with their offsets, and nothing decoded that nobody asked for.
//!
//! A message is a range of the source. [`Message::next`] gives its fields in the order of the bytes, unknown ones too,
//! so that the caller can account for every byte. A sub-message is another range; the caller opens it, and keeps
//! its own bound on depth. Specification: <https://protobuf.dev/programming-guides/encoding/>.

pub mod schema;

use crate::cursor::Cursor;
use crate::source::{ReadError, Source, read_up_to};

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// A variable-length number: integers, booleans, enumerations.
    Varint(u64),
    /// Eight bytes, little-endian.
    Fixed64(u64),
    /// Text, bytes, a message or packed numbers: a range of the source.
    Bytes(Span),
    /// Four bytes, little-endian.
    Fixed32(u32),
}

/// A range of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub offset: u64,
    /// Number of bytes.
    pub length: u64,
}

impl Span {
    /// The whole of a source.
    #[must_use]
    pub fn whole(source: &dyn Source) -> Self {
        Self { offset: 0, length: source.len() }
    }

    /// Where it ends.
    #[must_use]
    pub fn end(self) -> u64 {
        self.offset.saturating_add(self.length)
    }

    /// Its bytes, at most `most` of them.
    #[must_use]
    pub fn bytes(self, source: &dyn Source, most: usize) -> Vec<u8> {
        let most = most.min(usize::try_from(self.length).unwrap_or(usize::MAX));
        read_up_to(source, self.offset, most)
    }

    /// Its text, at most `most` bytes of it; what is not UTF-8 is replaced.
    #[must_use]
    pub fn text(self, source: &dyn Source, most: usize) -> String {
        String::from_utf8_lossy(&self.bytes(source, most)).into_owned()
    }
}

/// A field, where its tag is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its number in the schema.
    pub number: u32,
    /// Where its tag is.
    pub offset: u64,
    /// What it holds.
    pub wire: Wire,
}

impl Field {
    /// The range, when it holds one.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        if let Wire::Bytes(span) = self.wire { Some(span) } else { None }
    }

    /// The number, when it holds one of any width.
    #[must_use]
    pub fn integer(&self) -> Option<u64> {
        match self.wire {
            Wire::Varint(value) | Wire::Fixed64(value) => Some(value),
            Wire::Fixed32(value) => Some(value.into()),
            Wire::Bytes(_) => None,
        }
    }
}

/// Why a message cannot be read on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The bytes end, or cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A number of more than ten bytes.
    #[error("a number is longer than 64 bits")]
    Varint,
    /// A field number of zero, or over 29 bits.
    #[error("field number {0} does not exist")]
    Number(u64),
    /// A wire type that is not in use: groups, and two that never were.
    #[error("wire type {0} is not in use")]
    Type(u8),
    /// A field that ends behind its message.
    #[error("a field of {0} bytes ends behind its message")]
    Length(u64),
}

/// The fields of a message, one after the other.
#[derive(Debug)]
pub struct Message<'a> {
    cursor: Cursor<'a>,
    end: u64,
}

impl<'a> Message<'a> {
    /// A message in a range of the source.
    #[must_use]
    pub fn new(source: &'a dyn Source, span: Span) -> Self {
        // Most messages are small, and the large ones are mostly passed over.
        let cursor = if span.length < 64 * 1024 {
            Cursor::sparing(source, span.offset)
        } else {
            Cursor::new(source, span.offset)
        };
        Self { cursor, end: span.end().min(source.len()) }
    }

    /// Where the next field starts.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.cursor.position()
    }

    /// The next field; none at the end of the message.
    ///
    /// # Errors
    /// [`Broken`] when these bytes are no field; nothing can be read after that.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Field>, Broken> {
        let offset = self.cursor.position();
        if offset >= self.end {
            return Ok(None);
        }
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).ok().filter(|number| (1..1 << 29).contains(number));
        let number = number.ok_or(Broken::Number(tag >> 3))?;
        let wire = match tag & 7 {
            0 => Wire::Varint(self.varint()?),
            1 => Wire::Fixed64(self.within(8)?.u64()?),
            2 => Wire::Bytes(self.range()?),
            5 => Wire::Fixed32(self.within(4)?.u32()?),
            other => return Err(Broken::Type(u8::try_from(other).unwrap_or(u8::MAX))),
        };
        Ok(Some(Field { number, offset, wire }))
    }

    fn range(&mut self) -> Result<Span, Broken> {
        let length = self.varint()?;
        let offset = self.cursor.position();
        self.within(length)?.skip(length)?;
        Ok(Span { offset, length })
    }

    /// The cursor, when so many bytes are left in the message.
    fn within(&mut self, count: u64) -> Result<&mut Cursor<'a>, Broken> {
        if count > self.end.saturating_sub(self.cursor.position()) {
            return Err(Broken::Length(count));
        }
        Ok(&mut self.cursor)
    }

    fn varint(&mut self) -> Result<u64, Broken> {
        let mut value = 0u64;
        for shift in (0..70).step_by(7) {
            let byte = self.within(1)?.byte()?;
            let bits = u64::from(byte & 0x7F);
            // The tenth byte has room for one bit.
            if shift == 63 && bits > 1 {
                return Err(Broken::Varint);
            }
            value |= bits.checked_shl(shift).unwrap_or(0);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Broken::Varint)
    }
}

/// The numbers packed into a range, at most `most` of them.
///
/// # Errors
/// [`Broken`] when the range is not made of whole numbers.
pub fn packed(source: &dyn Source, span: Span, most: usize) -> Result<Vec<u64>, Broken> {
    let mut message = Message::new(source, span);
    let mut numbers = Vec::new();
    while message.position() < message.end && numbers.len() < most {
        numbers.push(message.varint()?);
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(bytes: &[u8]) -> Result<Vec<(u32, Wire)>, Broken> {
        let mut message = Message::new(&bytes, Span::whole(&bytes));
        let mut list = Vec::new();
        while let Some(field) = message.next()? {
            list.push((field.number, field.wire));
        }
        Ok(list)
    }

    #[test]
    fn the_examples_of_the_specification() {
        assert_eq!(fields(b"\x08\x96\x01"), Ok(vec![(1, Wire::Varint(150))]));
        assert_eq!(fields(b"\x12\x07testing"), Ok(vec![(2, Wire::Bytes(Span { offset: 2, length: 7 }))]));
        let span = Span { offset: 2, length: 6 };
        assert_eq!(packed(&b"\x32\x06\x03\x8e\x02\x9e\xa7\x05".as_slice(), span, 9), Ok(vec![3, 270, 86942]));
    }

    #[test]
    fn all_widths_are_read() {
        let bytes = b"\x09\x01\0\0\0\0\0\0\0\x15\x02\0\0\0\x18\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01";
        let expected = vec![(1, Wire::Fixed64(1)), (2, Wire::Fixed32(2)), (3, Wire::Varint(u64::MAX))];
        assert_eq!(fields(bytes), Ok(expected));
    }

    #[test]
    fn what_is_no_field_is_told() {
        assert_eq!(fields(b"\x12\x07test"), Err(Broken::Length(7)));
        assert_eq!(fields(b"\x0B"), Err(Broken::Type(3)));
        assert_eq!(fields(b"\x02\x00"), Err(Broken::Number(0)));
        assert_eq!(fields(b"\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02"), Err(Broken::Varint));
        assert_eq!(fields(b"\x08"), Err(Broken::Length(1)));
    }
}
