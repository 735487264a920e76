//! The two ways in which Torch7 writes a number or a text.

use crate::cursor::Cursor;
use crate::source::{ReadError, Source};

/// Bytes of one word of the text form.
const MAX_WORD: usize = 64;

/// A cursor that knows how values are written.
pub(super) struct Input<'a> {
    cursor: Cursor<'a>,
    pub(super) is_text: bool,
    /// The index of the object that was met last.
    pub(super) last: i64,
}

impl<'a> Input<'a> {
    pub(super) fn new(source: &'a dyn Source, is_text: bool) -> Self {
        Self { cursor: Cursor::new(source, 0), is_text, last: 0 }
    }

    pub(super) fn position(&self) -> u64 {
        self.cursor.position()
    }

    pub(super) fn remaining(&self) -> u64 {
        self.cursor.remaining()
    }

    /// The fewest bytes that an element of `size` bytes takes.
    pub(super) fn least(&self, size: u64) -> u64 {
        if self.is_text { 1 } else { size }
    }

    /// One word, and the one blank that ends it.
    fn word(&mut self) -> Result<String, ReadError> {
        let mut word = Vec::new();
        loop {
            match self.cursor.byte() {
                Ok(byte) if byte.is_ascii_whitespace() && word.is_empty() => {}
                Ok(byte) if byte.is_ascii_whitespace() => break,
                Ok(byte) if word.len() < MAX_WORD => word.push(byte),
                Ok(_) => return Err(ReadError::Refused("a number of the text form is too long".to_owned())),
                Err(error) if word.is_empty() => return Err(error),
                Err(_) => break,
            }
        }
        Ok(String::from_utf8_lossy(&word).into_owned())
    }

    fn written(&mut self) -> Result<i64, ReadError> {
        let word = self.word()?;
        word.parse().map_err(|_| ReadError::Refused(format!("'{word}' is no whole number")))
    }

    pub(super) fn int(&mut self) -> Result<i64, ReadError> {
        if self.is_text { self.written() } else { Ok(self.cursor.i32()?.into()) }
    }

    pub(super) fn long(&mut self) -> Result<i64, ReadError> {
        if self.is_text { self.written() } else { self.cursor.i64() }
    }

    pub(super) fn skip_number(&mut self) -> Result<(), ReadError> {
        self.skip_elements(1, 8)
    }

    pub(super) fn skip_elements(&mut self, count: u64, size: u64) -> Result<(), ReadError> {
        if !self.is_text {
            return self.cursor.skip(count.saturating_mul(size));
        }
        for _ in 0..count {
            self.word()?;
        }
        Ok(())
    }

    /// A text of `length` bytes, the first `most` of them. In the text form, a new line ends it.
    pub(super) fn text(&mut self, length: u64, most: u64) -> Result<String, ReadError> {
        let kept = length.min(most);
        let bytes = self.cursor.take(usize::try_from(kept).unwrap_or(0))?;
        let text = String::from_utf8_lossy(bytes).into_owned();
        self.cursor.skip(length.saturating_sub(kept))?;
        if self.is_text && self.cursor.remaining() > 0 {
            self.cursor.skip(1)?;
        }
        Ok(text)
    }
}
