//! A text file that is read whole, within limits, and its lines.

use std::io;
use std::path::Path;

use waag_engine::bounded;

/// Bytes of one file: a lock of a thousand packages has two million.
pub(super) const MAX_BYTES: u64 = 16 << 20;

/// A text and where its lines begin.
#[derive(Debug, Clone, Default)]
pub(super) struct Text {
    /// Its path, as it is named to people.
    pub(super) path: String,
    /// What it says.
    pub(super) text: String,
    /// Whether some bytes were no text and are shown as U+FFFD.
    pub(super) is_lossy: bool,
    starts: Vec<usize>,
}

impl Text {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, or is longer than [`MAX_BYTES`].
    pub(super) fn read(file: &Path, path: String) -> io::Result<Self> {
        Ok(Self::new(path, &bounded::read(file, MAX_BYTES)?))
    }

    pub(super) fn new(path: String, bytes: &[u8]) -> Self {
        let (text, is_lossy) = decode(bytes);
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let starts = std::iter::once(0).chain(ends).collect();
        Self { path, text, is_lossy, starts }
    }

    /// The line, counted from 1, that an offset is on.
    pub(super) fn line_at(&self, offset: usize) -> u64 {
        self.starts.partition_point(|start| *start <= offset) as u64
    }

    /// A line, counted from 1, without its end.
    pub(super) fn line(&self, number: u64) -> Option<&str> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        let start = *self.starts.get(index)?;
        let end = self.starts.get(index + 1).copied().unwrap_or(self.text.len());
        self.text.get(start..end).map(|line| line.trim_end_matches(['\r', '\n']))
    }
}

/// UTF-8, or UTF-16 with its mark, which PowerShell writes; whether something was no text.
fn decode(bytes: &[u8]) -> (String, bool) {
    let wide = |order: fn([u8; 2]) -> u16| {
        let units = bytes[2..].chunks_exact(2).map(|pair| order([pair[0], pair[1]]));
        let text: String = char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        let is_lossy = text.contains(char::REPLACEMENT_CHARACTER) || bytes.len() % 2 == 1;
        (text, is_lossy)
    };
    match bytes {
        [0xFF, 0xFE, ..] => wide(u16::from_le_bytes),
        [0xFE, 0xFF, ..] => wide(u16::from_be_bytes),
        _ => {
            let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
            match std::str::from_utf8(bytes) {
                Ok(text) => (text.to_owned(), false),
                Err(_) => (String::from_utf8_lossy(bytes).into_owned(), true),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_from_one() {
        let text = Text::new("r.txt".into(), b"a\r\nb\n");
        assert_eq!((text.line(1), text.line(2), text.line(3), text.line(4)), (Some("a"), Some("b"), Some(""), None));
        assert_eq!((text.line_at(0), text.line_at(3), text.line_at(4)), (1, 2, 2));
    }

    #[test]
    fn marks_of_other_systems_are_understood() {
        let wide: Vec<u8> = "\u{FEFF}torch\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(Text::new(String::new(), &wide).text, "torch\n");
        assert_eq!(Text::new(String::new(), b"\xEF\xBB\xBFtorch").text, "torch");
        assert!(Text::new(String::new(), b"torch\xFF").is_lossy);
    }
}
