//! Strings: unescaping, surrogates, limits.

use super::reader::Reader;
use super::{Deviation, MAX_STRING, Outcome};

/// An unescaped string: bytes that are UTF-8 except for lone surrogates, which stay distinct for comparison.
#[derive(Debug, Default)]
pub(super) struct Text {
    bytes: Vec<u8>,
    pending: Option<u16>,
    odd: bool,
    cut: bool,
    controlled: bool,
}

impl Text {
    /// The raw bytes, for comparing keys.
    pub(super) fn raw(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn to_text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }

    /// Reads up to the closing quote; the opening one has been read. `None` when the string never ends.
    pub(super) fn read(&mut self, reader: &mut Reader<'_>, outcome: &mut Outcome) -> Option<()> {
        let start = reader.position();
        (self.pending, self.odd, self.cut, self.controlled) = (None, false, false, false);
        self.bytes.clear();
        loop {
            self.run(reader);
            match reader.bump()? {
                b'"' => break,
                b'\\' => self.escape(reader)?,
                _ => self.controlled = true,
            }
        }
        self.flush();
        self.report(start, outcome);
        Some(())
    }

    /// Takes over everything up to the next byte that needs a look.
    fn run(&mut self, reader: &mut Reader<'_>) {
        loop {
            let at_hand = reader.at_hand();
            let special = |&byte: &u8| byte == b'"' || byte == b'\\' || byte < 0x20;
            let end = at_hand.iter().position(special).unwrap_or(at_hand.len());
            if end == 0 {
                return;
            }
            self.flush();
            let part = at_hand.get(..end).unwrap_or_default();
            let room = MAX_STRING.saturating_sub(self.bytes.len());
            self.cut |= part.len() > room;
            self.bytes.extend_from_slice(part.get(..part.len().min(room)).unwrap_or_default());
            reader.advance(end);
        }
    }

    fn escape(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        let simple = match reader.bump()? {
            b'u' => return self.unicode(reader),
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            plain @ (b'"' | b'\\' | b'/') => plain,
            _ => return None,
        };
        self.flush();
        self.push(&[simple]);
        Some(())
    }

    fn unicode(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        let mut unit = 0u16;
        for _ in 0..4 {
            let digit = char::from(reader.bump()?).to_digit(16)?;
            unit = unit.wrapping_shl(4) | u16::try_from(digit).ok()?;
        }
        let low = (0xDC00..0xE000).contains(&unit);
        if let (Some(high), true) = (self.pending, low) {
            self.pending = None;
            let joined = char::decode_utf16([high, unit]).next().and_then(Result::ok).unwrap_or('\u{FFFD}');
            self.push(joined.encode_utf8(&mut [0; 4]).as_bytes());
            return Some(());
        }
        self.flush();
        match char::from_u32(u32::from(unit)) {
            Some(plain) => self.push(plain.encode_utf8(&mut [0; 4]).as_bytes()),
            None if low => self.lone(unit),
            None => self.pending = Some(unit),
        }
        Some(())
    }

    /// A high surrogate that no low one follows.
    fn flush(&mut self) {
        if let Some(unit) = self.pending.take() {
            self.lone(unit);
        }
    }

    fn lone(&mut self, unit: u16) {
        self.odd = true;
        let [high, low] = unit.to_be_bytes();
        let middle = 0x80 | ((high & 0x0F).wrapping_shl(2)) | low.wrapping_shr(6);
        self.push(&[0xED, middle, 0x80 | (low & 0x3F)]);
    }

    fn push(&mut self, bytes: &[u8]) {
        if self.bytes.len() < MAX_STRING {
            self.bytes.extend_from_slice(bytes);
        } else {
            self.cut = true;
        }
    }

    fn report(&self, start: u64, outcome: &mut Outcome) {
        if self.odd {
            outcome.note(start, Deviation::Lax, "a string has half of a surrogate pair");
        } else if !self.cut && std::str::from_utf8(&self.bytes).is_err() {
            outcome.note(start, Deviation::Lax, "a string is not valid UTF-8");
        }
        if self.controlled {
            outcome.note(start, Deviation::Lax, "a string has an unescaped control character");
        }
        if self.cut {
            outcome.note(start, Deviation::Limit, format!("only the first {MAX_STRING} bytes of a string are read"));
        }
    }
}
