//! A text file that is read whole, within limits, and its lines.

use std::io;
use std::path::Path;

use waag_engine::bounded;

/// Where Python ends a line (`str.splitlines`): pip and setuptools part their lists so.
const PYTHON_ENDS: [char; 10] =
    ['\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}'];
/// Encodings that are UTF-8, and those that are its part of ASCII.
const UTF_8: [&str; 4] = ["utf-8", "utf8", "utf_8", "utf-8-sig"];
const OF_ASCII: [&str; 7] = ["ascii", "us-ascii", "latin-1", "latin1", "iso-8859-1", "iso-8859-15", "cp1252"];

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
        Ok(Self::new(path, &read_file(file, MAX_BYTES)?))
    }

    pub(super) fn new(path: String, bytes: &[u8]) -> Self {
        let (text, is_lossy) = decode(bytes);
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let starts = std::iter::once(0).chain(ends).collect();
        Self { path, text, is_lossy, starts }
    }

    /// The encoding that it says it is written in, as Python takes it from a comment in the first two lines (PEP 263), where
    /// that gives another text than the one that was read.
    pub(super) fn other_encoding(&self) -> Option<&str> {
        let comments = self.text.split('\n').take(2).filter_map(|line| Some(line.split_once('#')?.1));
        let mut said = comments.flat_map(|comment| {
            comment.match_indices("coding").filter_map(|(at, word)| {
                let rest = comment[at + word.len()..].strip_prefix([':', '='])?.trim_start();
                let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
                rest.split(|c| !is_name(c)).next().filter(|name| !name.is_empty())
            })
        });
        said.find(|name| {
            let lower = name.to_ascii_lowercase();
            let is_same = |names: &[&str]| names.contains(&lower.as_str());
            !(is_same(&UTF_8) || is_same(&OF_ASCII) && self.text.is_ascii())
        })
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

/// The lines of a text as Python parts them, with the line that an editor shows each on.
pub(super) fn python_lines(text: &str) -> impl Iterator<Item = (u64, &str)> {
    (1u64..).zip(text.lines()).flat_map(|(number, line)| line.split(PYTHON_ENDS).map(move |part| (number, part)))
}

/// Reads a file that has at most `limit` bytes. Opening a pipe would wait for someone to write into it.
///
/// # Errors
/// When it is no file, cannot be read, or is longer.
pub(super) fn read_file(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    match std::fs::metadata(path)?.is_file() {
        true => bounded::read(path, limit),
        false => Err(io::Error::other("it is no regular file")),
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
    fn lines_end_where_python_ends_them() {
        let parted = |text| python_lines(text).collect::<Vec<_>>();
        assert_eq!(parted("a\r\nb\rc\u{c}d\u{2028}e\n"), [(1, "a"), (2, "b"), (2, "c"), (2, "d"), (2, "e")]);
        assert_eq!(parted("a\\\u{85}\nb"), [(1, "a\\"), (1, ""), (2, "b")]);
    }

    #[test]
    fn other_encodings_are_noticed() {
        for (text, expected) in [
            ("# -*- coding: utf-7 -*-\nx", Some("utf-7")),
            ("#!/usr/bin/python\n# vim: set fileencoding=cp037 :\n", Some("cp037")),
            ("# coding=UTF-8\n", None),
            ("# coding: latin-1\nx", None),
            ("# coding: latin-1\n\u{c5}", Some("latin-1")),
            ("\n\n# coding: utf-7\n", None),
            ("# encoding and such", None),
        ] {
            assert_eq!(Text::new(String::new(), text.as_bytes()).other_encoding(), expected, "{text}");
        }
    }

    #[test]
    fn marks_of_other_systems_are_understood() {
        let wide: Vec<u8> = "\u{FEFF}torch\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(Text::new(String::new(), &wide).text, "torch\n");
        assert_eq!(Text::new(String::new(), b"\xEF\xBB\xBFtorch").text, "torch");
        assert!(Text::new(String::new(), b"torch\xFF").is_lossy);
    }
}
