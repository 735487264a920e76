//! A file's text, and where in the file each part of it is.

use super::syntax::Span;

/// How a file's bytes are its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// The bytes are the text.
    Utf8,
    /// They are, after three that say so.
    Utf8WithMark,
    /// Each byte is one character; the text is longer.
    Latin1,
    /// Some bytes are no text in any encoding known here, and were replaced.
    Broken,
}

/// A cell of a notebook: its number, and where its text is within all of the text.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    /// Counted from 1 over all cells, also those that are no code.
    pub(crate) number: u64,
    /// Its text.
    pub(crate) span: Span,
    /// The strings of the file that make it, in order: where each starts in the file and in the text.
    pub(crate) strings: Vec<Literal>,
}

/// A string of the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Literal {
    /// Its first quote, in the file.
    pub(crate) offset: u64,
    /// Its characters, in the text.
    pub(crate) span: Span,
}

/// A text.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) text: String,
    pub(crate) encoding: Encoding,
    pub(crate) cells: Vec<Cell>,
    /// Where lines start.
    lines: Vec<u32>,
}

impl Source {
    pub(crate) fn new(text: String, encoding: Encoding, cells: Vec<Cell>) -> Self {
        let ends = memchr_lines(text.as_bytes());
        let lines = std::iter::once(0).chain(ends).collect();
        Self { text, encoding, cells, lines }
    }

    /// Decodes Python as Python does: UTF-8, or what its first two lines say.
    pub(crate) fn decode(bytes: &[u8]) -> Self {
        let (bytes, is_marked) = bytes.strip_prefix(b"\xEF\xBB\xBF").map_or((bytes, false), |rest| (rest, true));
        let utf8 = if is_marked { Encoding::Utf8WithMark } else { Encoding::Utf8 };
        let declared = declared(bytes).filter(|_| !is_marked);
        match (declared.as_deref(), std::str::from_utf8(bytes)) {
            (None | Some("utf-8" | "utf8" | "ascii" | "us-ascii"), Ok(text)) => {
                Self::new(text.to_owned(), utf8, Vec::new())
            }
            (Some("latin-1" | "latin1" | "iso-8859-1" | "iso-8859-15" | "cp1252" | "windows-1252"), text) => {
                let is_ascii = text.is_ok_and(str::is_ascii);
                let decoded = bytes.iter().copied().map(char::from).collect();
                Self::new(decoded, if is_ascii { Encoding::Utf8 } else { Encoding::Latin1 }, Vec::new())
            }
            (_, Ok(text)) if text.is_ascii() => Self::new(text.to_owned(), utf8, Vec::new()),
            _ => Self::new(String::from_utf8_lossy(bytes).into_owned(), Encoding::Broken, Vec::new()),
        }
    }

    /// The cell, the line within it or the file, and the text of the line.
    pub(crate) fn place(&self, span: Span) -> (Option<u64>, u64, &str) {
        let index = self.line_index(span.start);
        let line = self.line(index);
        let Some(cell) = self.cell_at(span.start) else { return (None, index as u64 + 1, line) };
        let first = self.line_index(cell.span.start);
        (Some(cell.number), index.saturating_sub(first) as u64 + 1, line)
    }

    /// The cell that an offset is in; offsets behind a cell's end belong to it until the next starts.
    pub(crate) fn cell_at(&self, offset: u32) -> Option<&Cell> {
        let after = self.cells.partition_point(|cell| cell.span.start <= offset);
        self.cells.get(after.checked_sub(1)?)
    }

    /// The line that an offset is in, counted from 0.
    pub(crate) fn line_index(&self, offset: u32) -> usize {
        self.lines.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// A line's text, without its end.
    pub(crate) fn line(&self, index: usize) -> &str {
        let start = self.lines.get(index).copied().unwrap_or(0) as usize;
        let end = self.lines.get(index + 1).map_or(self.text.len(), |end| *end as usize);
        self.text.get(start..end).unwrap_or_default().trim_end_matches(['\r', '\n'])
    }

    /// A part of the text.
    pub(crate) fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or_default()
    }
}

/// Where lines start, but for the first. A lone carriage return ends a line too, for Python.
fn memchr_lines(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.iter().enumerate().filter_map(|(at, byte)| {
        let ends = *byte == b'\n' || *byte == b'\r' && bytes.get(at + 1) != Some(&b'\n');
        ends.then(|| u32::try_from(at + 1).unwrap_or(u32::MAX))
    })
}

/// The encoding that the first two lines name (PEP 263), in small letters.
fn declared(bytes: &[u8]) -> Option<String> {
    let lines = bytes.split(|byte| *byte == b'\n').take(2);
    for line in lines {
        let line = &line[..line.len().min(200)];
        let text = String::from_utf8_lossy(line);
        let Some((_, rest)) = text.trim_start().starts_with('#').then(|| text.split_once("coding"))? else { continue };
        let name = rest.strip_prefix([':', '=']).unwrap_or_default().trim_start();
        let name: String =
            name.chars().take_while(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(*letter)).collect();
        if !name.is_empty() {
            return Some(name.to_ascii_lowercase().replace('_', "-"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_decoded_as_python_does() {
        assert_eq!(Source::decode("é".as_bytes()).encoding, Encoding::Utf8);
        assert_eq!(Source::decode(b"\xEF\xBB\xBFx = 1").text, "x = 1");
        let latin = Source::decode(b"# -*- coding: latin-1 -*-\nx = '\xe9'");
        assert_eq!((latin.encoding, latin.text.ends_with("'é'")), (Encoding::Latin1, true));
        assert_eq!(Source::decode(b"x = '\xe9'").encoding, Encoding::Broken);
    }

    #[test]
    fn lines_end_as_python_ends_them() {
        let source = Source::decode(b"a\r\nb\rc\nd");
        let lines: Vec<&str> = (0..4).map(|index| source.line(index)).collect();
        assert_eq!(lines, ["a", "b", "c", "d"]);
        assert_eq!(source.place(Span::at(3)), (None, 2, "b"));
    }
}
