//! The three ways in which R writes a number or a text: network order, text, and the order of its machine.

use crate::cursor::Cursor;
use crate::source::{ReadError, Source};

/// Bytes of one word of the text form: a number.
const MAX_WORD: usize = 64;
/// What the text form and vectors have for a missing number.
const MISSING: i32 = i32::MIN;

/// How values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Binary, big-endian.
    Xdr,
    /// Text.
    Ascii,
    /// Binary, little-endian: that of nearly every machine.
    Native,
}

/// A cursor that knows how values are written.
pub(super) struct Input<'a> {
    pub(super) cursor: Cursor<'a>,
    pub(super) mode: Mode,
}

impl<'a> Input<'a> {
    pub(super) fn new(source: &'a dyn Source, offset: u64) -> Self {
        Self { cursor: Cursor::new(source, offset), mode: Mode::Xdr }
    }

    pub(super) fn position(&self) -> u64 {
        self.cursor.position()
    }

    pub(super) fn integer(&mut self) -> Result<i32, ReadError> {
        match self.mode {
            Mode::Xdr => Ok(self.cursor.i32()?.swap_bytes()),
            Mode::Native => self.cursor.i32(),
            Mode::Ascii => {
                let word = self.word()?;
                let text = String::from_utf8_lossy(&word).into_owned();
                if text == "NA" { Ok(MISSING) } else { text.parse().map_err(|_| odd(&text)) }
            }
        }
    }

    /// One word of the text form.
    fn word(&mut self) -> Result<Vec<u8>, ReadError> {
        let mut word = Vec::new();
        loop {
            match self.cursor.byte() {
                Ok(byte) if byte.is_ascii_whitespace() && word.is_empty() => {}
                Ok(byte) if byte.is_ascii_whitespace() => return Ok(word),
                Ok(byte) if word.len() < MAX_WORD => word.push(byte),
                Ok(_) => return Err(odd("a word of the text form is too long")),
                Err(error) if word.is_empty() => return Err(error),
                Err(_) => return Ok(word),
            }
        }
    }

    /// Passes over `count` items of `size` bytes each.
    pub(super) fn skip(&mut self, count: u64, size: u64) -> Result<(), ReadError> {
        if self.mode != Mode::Ascii {
            return self.cursor.skip(count.saturating_mul(size));
        }
        // A complex number is two words.
        let words = if size == 16 { count.saturating_mul(2) } else { count };
        for _ in 0..words {
            self.word()?;
        }
        Ok(())
    }

    /// A text of `length` bytes, the first `most` of them.
    pub(super) fn text(&mut self, length: u64, most: u64) -> Result<String, ReadError> {
        if self.mode != Mode::Ascii {
            let kept = length.min(most);
            let bytes = self.cursor.take(usize::try_from(kept).unwrap_or(0))?;
            let text = String::from_utf8_lossy(bytes).into_owned();
            self.cursor.skip(length.saturating_sub(kept))?;
            return Ok(text);
        }
        if length == 0 {
            return Ok(String::new());
        }
        let mut bytes = Vec::new();
        let mut next = self.cursor.byte()?;
        while next.is_ascii_whitespace() {
            next = self.cursor.byte()?;
        }
        for index in 0..length {
            let byte = if next == b'\\' { self.escape()? } else { next };
            if index < most {
                bytes.push(byte);
            }
            if index.saturating_add(1) < length {
                next = self.cursor.byte()?;
            }
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn escape(&mut self) -> Result<u8, ReadError> {
        Ok(match self.cursor.byte()? {
            b'n' => b'\n',
            b't' => b'\t',
            b'v' => 11,
            b'b' => 8,
            b'r' => b'\r',
            b'f' => 12,
            b'a' => 7,
            digit @ b'0'..=b'7' => {
                let mut value = digit & 7;
                for _ in 0..2 {
                    let at = self.cursor.position();
                    match self.cursor.byte()? {
                        digit @ b'0'..=b'7' => value = value.wrapping_mul(8) | (digit & 7),
                        _ => {
                            self.cursor.seek(at);
                            break;
                        }
                    }
                }
                value
            }
            other => other,
        })
    }
}

fn odd(text: &str) -> ReadError {
    ReadError::Refused(format!("'{}' is no number", text.chars().take(40).collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_form_has_words_and_escapes() -> Result<(), ReadError> {
        let bytes = b"12\nNA\n3\n\\001a\\n\n7".to_vec();
        let mut input = Input { mode: Mode::Ascii, ..Input::new(&bytes, 0) };
        assert_eq!((input.integer()?, input.integer()?, input.integer()?), (12, MISSING, 3));
        assert_eq!(input.text(3, 9)?, "\u{1}a\n");
        assert_eq!((input.text(0, 9)?.len(), input.integer()?), (0, 7));
        Ok(())
    }
}
