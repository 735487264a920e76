//! Values that stand in the stream as they are, read back from where they stand.
//!
//! The machine keeps only the offset of a literal. Few of them are ever asked for: names that are looked up, arguments
//! that are shown or checked.

use crate::cursor::Cursor;
use crate::source::{ReadError, Source};

use super::opcode::{self, Argument, describe};

/// Bytes of a text that are read back at most: names are shorter, and more is not shown.
const MAX_READ_BACK: u64 = 64 * 1024;

/// A literal, read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Literal {
    Text(String),
    /// Where the bytes lie in the source and how many they are.
    Bytes {
        offset: u64,
        length: u64,
    },
    /// A number as Python writes it.
    Number(String),
}

impl Literal {
    /// Where the bytes of a counted literal lie, and how many they are.
    pub(super) fn range(source: &dyn Source, offset: u64) -> Option<(u64, u64)> {
        let mut cursor = Cursor::sparing(source, offset);
        let Argument::Counted(width) = describe(cursor.byte().ok()?)?.1 else { return None };
        let length = read_length(&mut cursor, width).ok()?;
        Some((cursor.position(), length))
    }

    /// Reads back the literal whose opcode stands at `offset`.
    pub(super) fn read(source: &dyn Source, offset: u64) -> Option<Self> {
        let mut cursor = Cursor::sparing(source, offset);
        let code = cursor.byte().ok()?;
        match describe(code)?.1 {
            Argument::Line => read_line(&mut cursor, code),
            Argument::Counted(width) => read_counted(&mut cursor, code, width),
            Argument::Fixed(width) => read_fixed(&mut cursor, code, width),
            _ => None,
        }
    }
}

/// A length of `width` bytes, unsigned.
#[inline]
pub(super) fn read_length(cursor: &mut Cursor<'_>, width: u8) -> Result<u64, ReadError> {
    match width {
        1 => cursor.byte().map(u64::from),
        2 => cursor.u16().map(u64::from),
        4 => cursor.u32().map(u64::from),
        _ => cursor.u64(),
    }
}

fn read_line(cursor: &mut Cursor<'_>, code: u8) -> Option<Literal> {
    let line = cursor.line(usize::try_from(MAX_READ_BACK).ok()?).ok()?;
    let text = String::from_utf8_lossy(line).into_owned();
    Some(match code {
        opcode::STRING => Literal::Text(unescape(unquote(&text), false)),
        // What is no escape stands for itself, byte by byte: Latin-1.
        opcode::UNICODE => {
            let text: String = line.iter().map(|byte| char::from(*byte)).collect();
            Literal::Text(unescape(&text, true))
        }
        opcode::INT if text == "00" => Literal::Number("False".into()),
        opcode::INT if text == "01" => Literal::Number("True".into()),
        opcode::LONG => Literal::Number(text.trim_end_matches('L').to_owned()),
        _ => Literal::Number(text),
    })
}

fn read_counted(cursor: &mut Cursor<'_>, code: u8, width: u8) -> Option<Literal> {
    let length = read_length(cursor, width).ok()?;
    let offset = cursor.position();
    match code {
        opcode::LONG1 | opcode::LONG4 => Some(Literal::Number(long(cursor, length)?)),
        opcode::BINBYTES | opcode::SHORT_BINBYTES | opcode::BINBYTES8 | opcode::BYTEARRAY8 => {
            Some(Literal::Bytes { offset, length })
        }
        _ => {
            let shown = usize::try_from(length.min(MAX_READ_BACK)).ok()?;
            Some(Literal::Text(decode_utf8(cursor.take(shown).ok()?)))
        }
    }
}

fn read_fixed(cursor: &mut Cursor<'_>, code: u8, width: u8) -> Option<Literal> {
    let bytes = cursor.take(usize::from(width)).ok()?;
    Some(Literal::Number(match code {
        opcode::BININT => i32::from_le_bytes(bytes.try_into().ok()?).to_string(),
        opcode::BINFLOAT => format!("{:?}", f64::from_be_bytes(bytes.try_into().ok()?)),
        _ => bytes.iter().rev().fold(0u64, |number, byte| number.wrapping_shl(8) | u64::from(*byte)).to_string(),
    }))
}

/// A number of LONG1 or LONG4: little-endian two's complement. Those over 128 bits are shown by their size.
fn long(cursor: &mut Cursor<'_>, length: u64) -> Option<String> {
    if length > 16 {
        return Some(format!("<integer of {length} bytes>"));
    }
    let bytes = cursor.take(usize::try_from(length).ok()?).ok()?;
    let sign = if bytes.last().is_some_and(|byte| *byte >= 0x80) { -1i128 } else { 0 };
    Some(bytes.iter().rev().fold(sign, |number, byte| number.wrapping_shl(8) | i128::from(*byte)).to_string())
}

/// UTF-8 with lone surrogates kept visible, as loaders accept them.
fn decode_utf8(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn unquote(text: &str) -> &str {
    let quoted = |quote| text.len() >= 2 && text.starts_with(quote) && text.ends_with(quote);
    if quoted('\'') || quoted('"') { text.get(1..text.len().saturating_sub(1)).unwrap_or_default() } else { text }
}

/// Undoes Python's escapes: all of them in a STRING, only `\u` and `\U` in a UNICODE.
fn unescape(text: &str, unicode_only: bool) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let (character, used) = escape(after, unicode_only).unwrap_or(('\\', 0));
        plain.push(character);
        rest = after.get(used..).unwrap_or_default();
    }
    plain.push_str(rest);
    plain
}

/// The character an escape stands for, and how many bytes it takes after the backslash.
fn escape(after: &str, unicode_only: bool) -> Option<(char, usize)> {
    let hexadecimal = |digits: usize| {
        let end = digits.saturating_add(1);
        let number = u32::from_str_radix(after.get(1..end)?, 16).ok()?;
        Some((char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER), end))
    };
    match after.chars().next()? {
        'u' if unicode_only => hexadecimal(4),
        'U' if unicode_only => hexadecimal(8),
        _ if unicode_only => None,
        'x' => hexadecimal(2),
        'n' => Some(('\n', 1)),
        't' => Some(('\t', 1)),
        'r' => Some(('\r', 1)),
        '0'..='7' => octal(after),
        character @ ('\\' | '\'' | '"') => Some((character, 1)),
        _ => None,
    }
}

fn octal(after: &str) -> Option<(char, usize)> {
    let digits = after.bytes().take(3).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
    let number = u32::from_str_radix(after.get(..digits)?, 8).ok()?;
    Some((char::from_u32(number & 0xff)?, digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Option<Literal> {
        Literal::read(&bytes, 0)
    }

    #[test]
    fn literals_are_read_as_loaders_read_them() {
        let text = |text: &str| Some(Literal::Text(text.into()));
        let number = |text: &str| Some(Literal::Number(text.into()));
        assert_eq!(read(b"X\x02\0\0\0os"), text("os"));
        assert_eq!(read(b"\x8c\x06system"), text("system"));
        assert_eq!(read(b"S'o\\x73\\n'\n"), text("os\n"));
        assert_eq!(read(b"S'\\157s'\n"), text("os"));
        assert_eq!(read(b"V\\u006fs\n"), text("os"));
        assert_eq!(read(b"Vo\\x73\n"), text("o\\x73"));
        assert_eq!(read(b"I01\n"), number("True"));
        assert_eq!(read(b"L12L\n"), number("12"));
        assert_eq!(read(b"J\xff\xff\xff\xff"), number("-1"));
        assert_eq!(read(b"\x8a\x02\x00\xff"), number("-256"));
        assert_eq!(read(b"\x8a\x00"), number("0"));
        assert_eq!(read(b"G\x3f\xf8\0\0\0\0\0\0"), number("1.5"));
        assert_eq!(read(b"C\x03abc"), Some(Literal::Bytes { offset: 2, length: 3 }));
        assert_eq!(read(b"N"), None);
        assert_eq!(read(b"X\xff\xff\xff\xffos"), None);
    }
}
