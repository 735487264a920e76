//! A file's text, and where in the file each part of it is.

use std::collections::{BTreeMap, BTreeSet};

use super::syntax::Span;

/// Bytes of a line that is kept: more than is shown of one, with what a credential in it may go on to.
const MAX_LINE: usize = 8 << 10;

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

impl Cell {
    /// Its strings, and whether each is the last.
    pub(crate) fn literals(&self) -> impl Iterator<Item = (&Literal, bool)> {
        let last = self.strings.len().saturating_sub(1);
        self.strings.iter().enumerate().map(move |(index, literal)| (literal, index == last))
    }
}

/// A string of the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Literal {
    /// Its first quote, in the file.
    pub(crate) offset: u64,
    /// Its characters, in the text.
    pub(crate) span: Span,
}

/// A text, as it is in the file.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) text: String,
    pub(crate) encoding: Encoding,
    pub(crate) cells: Vec<Cell>,
    /// Where lines start.
    lines: Vec<u32>,
    /// The lines that are left when the text is forgotten, by their number.
    kept: BTreeMap<usize, Box<str>>,
}

impl Source {
    pub(crate) fn new(text: String, encoding: Encoding, cells: Vec<Cell>) -> Self {
        let ends = line_starts(text.as_bytes());
        let lines = std::iter::once(0).chain(ends).collect();
        Self { text, encoding, cells, lines, kept: BTreeMap::new() }
    }

    /// Forgets the text, but for the lines in which these offsets are; places can be told of them alone.
    pub(crate) fn forget(&mut self, but: impl Iterator<Item = u32>) {
        let lines: BTreeSet<usize> = but.map(|offset| self.line_index(offset)).collect();
        let kept = lines.into_iter().map(|index| (index, cut(self.line(index).trim()).into()));
        self.kept = kept.collect();
        self.text = String::new();
        self.lines.shrink_to_fit();
        if self.kept.is_empty() {
            (self.lines, self.cells) = (Vec::new(), Vec::new());
        }
        for cell in &mut self.cells {
            cell.strings = Vec::new();
        }
    }

    /// Decodes Python as Python does: UTF-8, or what its first two lines say.
    pub(crate) fn decode(bytes: &[u8]) -> Self {
        let (bytes, is_marked) = bytes.strip_prefix(b"\xEF\xBB\xBF").map_or((bytes, false), |rest| (rest, true));
        let utf8 = if is_marked { Encoding::Utf8WithMark } else { Encoding::Utf8 };
        let declared = declared(bytes).filter(|_| !is_marked).map_or(Declared::Utf8, |name| family(&name));
        match (declared, std::str::from_utf8(bytes)) {
            (Declared::Utf8, Ok(text)) => Self::new(text.to_owned(), utf8, Vec::new()),
            (Declared::Latin1 | Declared::WithAscii, Ok(text)) if text.is_ascii() => {
                Self::new(text.to_owned(), utf8, Vec::new())
            }
            (Declared::Latin1, _) => {
                Self::new(bytes.iter().copied().map(char::from).collect(), Encoding::Latin1, Vec::new())
            }
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

    /// Where the cells are.
    pub(crate) fn cell_spans(&self) -> Vec<Span> {
        self.cells.iter().map(|cell| cell.span).collect()
    }

    /// The line that an offset is in, counted from 0.
    pub(crate) fn line_index(&self, offset: u32) -> usize {
        self.lines.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// A line's text, without its end; of a text that is forgotten without the space around it, and no more of it than is shown.
    pub(crate) fn line(&self, index: usize) -> &str {
        if let Some(kept) = self.kept.get(&index) {
            return kept;
        }
        let start = self.lines.get(index).copied().unwrap_or(0) as usize;
        let end = self.lines.get(index + 1).map_or(self.text.len(), |end| *end as usize);
        self.text.get(start..end).unwrap_or_default().trim_end_matches(['\r', '\n'])
    }

    /// A part of the text.
    pub(crate) fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or_default()
    }
}

fn cut(line: &str) -> &str {
    &line[..line.floor_char_boundary(MAX_LINE)]
}

/// Where lines start, but for the first. A lone carriage return ends a line too, for Python.
fn line_starts(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.iter().enumerate().filter_map(|(at, byte)| {
        let ends = *byte == b'\n' || *byte == b'\r' && bytes.get(at + 1) != Some(&b'\n');
        ends.then(|| u32::try_from(at + 1).unwrap_or(u32::MAX))
    })
}

/// What a declared encoding means for bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Declared {
    Utf8,
    Latin1,
    /// Another one, in which ASCII is ASCII.
    WithAscii,
    /// One that gives ASCII another meaning (UTF-7, `unicode_escape`, UTF-16 …), or that is not known here.
    Other,
}

/// How names of encodings start in which ASCII is ASCII; CPython's codecs of these names decode it as it is.
const WITH_ASCII: &[&str] = &[
    "latin",
    "iso-latin",
    "iso-8859",
    "iso8859",
    "cp125",
    "windows-125",
    "cp437",
    "cp85",
    "cp866",
    "cp932",
    "cp936",
    "cp949",
    "cp950",
    "gb2312",
    "gbk",
    "gb18030",
    "euc-",
    "euckr",
    "eucjp",
    "big5",
    "koi8",
    "mac-roman",
    "mac-cyrillic",
    "tis-620",
];

/// What a name means, written as [`declared`] gives it.
fn family(name: &str) -> Declared {
    match name {
        "utf-8" | "utf8" | "u8" | "ascii" | "us-ascii" => Declared::Utf8,
        // Editors put the kind of line ends behind it.
        _ if name.starts_with("utf-8-") => Declared::Utf8,
        "latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" | "iso-8859-15" | "cp1252" | "windows-1252" => {
            Declared::Latin1
        }
        "shift-jis" | "shiftjis" | "sjis" => Declared::WithAscii,
        _ if WITH_ASCII.iter().any(|start| name.starts_with(start)) => Declared::WithAscii,
        _ => Declared::Other,
    }
}

/// The encoding that the first two lines name (PEP 263), in small letters and with hyphens. The second counts where the
/// first has nothing but a comment or nothing at all.
fn declared(bytes: &[u8]) -> Option<String> {
    let starts: Vec<usize> = std::iter::once(0).chain(line_starts(bytes).take(2).map(|start| start as usize)).collect();
    for (index, start) in starts.iter().take(2).enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(bytes.len());
        let line = String::from_utf8_lossy(bytes.get(*start..end)?).into_owned();
        let line = line.trim_start_matches([' ', '\t', '\u{c}']).trim_end_matches(['\r', '\n']);
        match line.strip_prefix('#') {
            Some(comment) => {
                if let Some(name) = named(comment) {
                    return Some(name);
                }
            }
            None if line.is_empty() => {}
            None => return None,
        }
    }
    None
}

/// `coding: name` or `coding=name`, the first of a comment.
fn named(comment: &str) -> Option<String> {
    let is_letter = |letter: &char| letter.is_ascii_alphanumeric() || "-_.".contains(*letter);
    comment.match_indices("coding").find_map(|(at, word)| {
        let rest = comment[at + word.len()..].strip_prefix([':', '='])?.trim_start_matches([' ', '\t']);
        let name: String = rest.chars().take_while(is_letter).collect();
        (!name.is_empty()).then(|| name.to_ascii_lowercase().replace('_', "-"))
    })
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
        assert_eq!(Source::decode(b"# coding: gbk\nx = 'a'").encoding, Encoding::Utf8);
        assert_eq!(Source::decode(b"# coding: gbk\nx = '\xe9'").encoding, Encoding::Broken);
        assert_eq!(Source::decode("# vim: set fileencoding=utf-8-unix :\nx = 'é'".as_bytes()).encoding, Encoding::Utf8);
    }

    /// What each of these hides, CPython runs.
    #[test]
    fn encodings_that_give_ascii_another_meaning_are_not_read() {
        for text in [
            "# coding: utf-7\n# +AAo-import pickle",
            "# coding: unicode_escape\n# \\u000aimport pickle",
            "\n# coding: utf-7\n",
            "#!/usr/bin/env python\r# coding: utf-7\r",
            "# my coding coding:utf_7\n",
            "\u{c} #  coding=\tUTF-7\n",
            "# coding: iso2022_jp\n",
        ] {
            assert_eq!(Source::decode(text.as_bytes()).encoding, Encoding::Broken, "{text:?}");
        }
        let far = format!("#{} coding: utf-7\n", " ".repeat(1_000));
        assert_eq!(Source::decode(far.as_bytes()).encoding, Encoding::Broken);
        for text in ["x = 1\n# coding: utf-7\n", "#\n#\n# coding: utf-7\n", "x = 'coding: utf-7'\n"] {
            assert_eq!(Source::decode(text.as_bytes()).encoding, Encoding::Utf8, "{text:?}");
        }
    }

    #[test]
    fn lines_end_as_python_ends_them() {
        let source = Source::decode(b"a\r\nb\rc\nd");
        let lines: Vec<&str> = (0..4).map(|index| source.line(index)).collect();
        assert_eq!(lines, ["a", "b", "c", "d"]);
        assert_eq!(source.place(Span::at(3)), (None, 2, "b"));
    }
}
