//! The words of Protocol Buffers' text format, as tolerant as its readers are.
//!
//! Specification: <https://protobuf.dev/reference/protobuf/textformat-spec/>.

use crate::cursor::Cursor;
use crate::source::{ReadError, Source};

/// Bytes kept of a name, a number or a text; longer ones are read to their end all the same.
const MAX_WORD: usize = 64 << 10;

/// A word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A name or a number.
    Word(String),
    /// A text, unescaped.
    Text(Vec<u8>),
    /// A sign.
    Sign(u8),
}

/// The words of a text, one after the other.
pub(super) struct Tokens<'a> {
    cursor: Cursor<'a>,
    peeked: Option<Token>,
}

impl<'a> Tokens<'a> {
    /// From the start.
    pub(super) fn new(source: &'a dyn Source) -> Self {
        Self { cursor: Cursor::new(source, 0), peeked: None }
    }

    /// Where the next word is, or before.
    pub(super) fn position(&self) -> u64 {
        self.cursor.position()
    }

    /// The next word without passing it.
    pub(super) fn peek(&mut self) -> Result<Option<&Token>, ReadError> {
        if self.peeked.is_none() {
            self.peeked = self.read()?;
        }
        Ok(self.peeked.as_ref())
    }

    /// The next word; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Token>, ReadError> {
        match self.peeked.take() {
            Some(token) => Ok(Some(token)),
            None => self.read(),
        }
    }

    fn read(&mut self) -> Result<Option<Token>, ReadError> {
        let Some(first) = self.first()? else { return Ok(None) };
        match first {
            b'"' | b'\'' => self.text(first).map(|text| Some(Token::Text(text))),
            byte if is_word(byte) => self.word(byte).map(|word| Some(Token::Word(word))),
            sign => Ok(Some(Token::Sign(sign))),
        }
    }

    /// The first byte that is neither space nor within a comment.
    fn first(&mut self) -> Result<Option<u8>, ReadError> {
        let mut is_comment = false;
        while self.cursor.remaining() > 0 {
            let byte = self.cursor.byte()?;
            match byte {
                b'\n' => is_comment = false,
                b'#' => is_comment = true,
                _ if is_comment || byte.is_ascii_whitespace() => {}
                _ => return Ok(Some(byte)),
            }
        }
        Ok(None)
    }

    fn word(&mut self, first: u8) -> Result<String, ReadError> {
        let mut word = vec![first];
        while self.cursor.remaining() > 0 {
            let byte = self.cursor.byte()?;
            if !is_word(byte) {
                self.cursor.seek(self.cursor.position().saturating_sub(1));
                break;
            }
            if word.len() < MAX_WORD {
                word.push(byte);
            }
        }
        Ok(String::from_utf8_lossy(&word).into_owned())
    }

    fn text(&mut self, quote: u8) -> Result<Vec<u8>, ReadError> {
        let mut text = Vec::new();
        loop {
            let byte = match self.cursor.byte()? {
                byte if byte == quote => return Ok(text),
                b'\\' => self.escaped()?,
                byte => byte,
            };
            if text.len() < MAX_WORD {
                text.push(byte);
            }
        }
    }

    /// The byte behind a backslash: octal, hexadecimal, or a letter that stands for a control character.
    fn escaped(&mut self) -> Result<u8, ReadError> {
        let byte = self.cursor.byte()?;
        Ok(match byte {
            b'0'..=b'7' => self.digits(u32::from(byte.saturating_sub(b'0')), 8, 2)?,
            b'x' | b'X' => self.digits(0, 16, 2)?,
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'a' => 7,
            b'b' => 8,
            b'f' => 12,
            b'v' => 11,
            other => other,
        })
    }

    fn digits(&mut self, mut value: u32, base: u32, most: u32) -> Result<u8, ReadError> {
        for _ in 0..most {
            let byte = self.cursor.byte()?;
            let Some(digit) = char::from(byte).to_digit(base) else {
                self.cursor.seek(self.cursor.position().saturating_sub(1));
                break;
            };
            value = value.saturating_mul(base).saturating_add(digit);
        }
        Ok(value.to_le_bytes()[0])
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_.-+/".contains(&byte) || byte >= 0x80
}
