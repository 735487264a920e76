//! Files of another kind within a field: bytes that start as an executable, an archive or a pickle does.

use crate::source::{Source, Window, read_up_to};

/// Fewer bytes are no file of any kind looked for.
const LEAST: u64 = 12;

/// Bytes of a start that are looked at: a module and a name are as long.
const HEAD: usize = 220;

/// Signatures of four bytes and more, which numbers do not have by chance.
pub(crate) const SIGNATURES: &[&[u8]] = &[
    b"\x7FELF",
    b"\xCE\xFA\xED\xFE",
    b"\xCF\xFA\xED\xFE",
    b"\xFE\xED\xFA\xCE",
    b"\xFE\xED\xFA\xCF",
    b"\xCA\xFE\xBA\xBE",
    b"\0asm\x01\0\0\0",
    b"dex\n03",
    b"PK\x03\x04",
    b"7z\xBC\xAF\x27\x1C",
    b"\xFD7zXZ\0",
    b"Rar!\x1A\x07",
    b"\x93NUMPY",
    b"\x89HDF\r\n\x1A\n",
    b"<?php",
    b"\x1BLua",
];

/// Signatures that are too short for numbers, and long enough for what should be text.
const IN_TEXT: &[&[u8]] = &[b"\x1F\x8B\x08", b"#!/", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"];

/// What pickles of the oldest protocols import to do harm.
const IMPORTS: &[&[u8]] = &[
    b"os\nsystem\n",
    b"posix\nsystem\n",
    b"nt\nsystem\n",
    b"__builtin__\n",
    b"builtins\n",
    b"subprocess\n",
    b"runpy\n",
    b"pty\n",
];

/// Whether a range starts as a file does that somebody may have hidden there. In numbers only what is no chance counts.
#[must_use]
pub fn is_payload(source: &dyn Source, offset: u64, length: u64, is_text: bool) -> bool {
    if length < LEAST {
        return false;
    }
    let head = read_up_to(source, offset, usize::try_from(length).unwrap_or(HEAD).min(HEAD));
    SIGNATURES.iter().any(|signature| head.starts_with(signature))
        || is_framed_pickle(&head, length)
        || starts_here(&head)
        || head.starts_with(b"MZ") && is_windows(source, offset, length)
        || is_text && IN_TEXT.iter().any(|signature| head.starts_with(signature))
}

/// Where the first file of another kind starts in bytes that are numbers or texts: only what is long enough not to be
/// there by chance, and the start of a pickle that imports something.
#[must_use]
pub fn find(bytes: &[u8]) -> Option<usize> {
    (0..bytes.len()).find(|at| bytes.get(*at..).is_some_and(starts_here))
}

fn starts_here(rest: &[u8]) -> bool {
    match rest {
        [0x80, 4 | 5, 0x95, ..] => is_framed_pickle(rest, rest.len() as u64),
        [0x80, 2..=5, b'c', name @ ..] => is_global(name),
        [0x7F, b'E', b'L', b'F', 1 | 2, 1 | 2, 1, ..] => true,
        [b'c', name @ ..] => IMPORTS.iter().any(|import| name.starts_with(import)),
        _ => false,
    }
}

/// A module and a name, as pickles of all protocols may write them.
fn is_global(name: &[u8]) -> bool {
    let mut lines = name.get(..name.len().min(200)).unwrap_or_default().split(|byte| *byte == b'\n');
    let is_name = |line: &[u8]| {
        line.len() > 1 && line.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
    };
    lines.next().is_some_and(is_name) && lines.next().is_some_and(is_name) && lines.next().is_some()
}

/// Protocol 4 or 5 with a frame that lies within the range.
fn is_framed_pickle(head: &[u8], length: u64) -> bool {
    let frame: Option<[u8; 8]> = head.get(3..11).and_then(|bytes| bytes.try_into().ok());
    matches!(head.get(..3), Some([0x80, 4 | 5, 0x95])) && frame.is_some_and(|frame| u64::from_le_bytes(frame) < length)
}

fn is_windows(source: &dyn Source, offset: u64, length: u64) -> bool {
    let whole = Window::new(source, offset, length);
    let at: Option<[u8; 4]> = read_up_to(&whole, 0x3C, 4).try_into().ok();
    at.is_some_and(|at| read_up_to(&whole, u64::from(u32::from_le_bytes(at)), 4) == b"PE\0\0")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bytes: &[u8], is_text: bool) -> bool {
        is_payload(&bytes, 0, bytes.len() as u64, is_text)
    }

    #[test]
    fn files_are_told_by_their_first_bytes() {
        assert!(found(b"\x7FELF\x02\x01\x01\0\0\0\0\0\0\0\0\0", false));
        assert!(found(b"\x80\x04\x95\x0B\0\0\0\0\0\0\0.............", false));
        assert!(found(b"\x80\x02cos\nsystem\n.", true));
        assert!(found(b"\x80\x02cos\nsystem\nX\x02\0\0\0id\x85R.", false));
        assert!(found(b"#!/bin/sh\necho waag-inert\n", true));
        let mut program = vec![0; 80];
        program[..2].copy_from_slice(b"MZ");
        program[0x3C] = 0x40;
        program[0x40..0x44].copy_from_slice(b"PE\0\0");
        assert!(found(&program, false));
    }

    #[test]
    fn files_within_numbers_are_found() {
        let mut numbers: Vec<u8> = (0..2000u32).flat_map(|number| (number as f32).to_le_bytes()).collect();
        assert_eq!(find(&numbers), None);
        let at = numbers.len();
        numbers.extend(b"\x80\x04\x95\x0B\0\0\0\0\0\0\0...........");
        assert_eq!(find(&numbers), Some(at));
        assert_eq!(find(b"xx\x80\x02cos\nsystem\n(X"), Some(2));
        assert_eq!(find(b"some text, and cos\nsystem\n(S'id'\ntR."), Some(15));
        assert_eq!(find(b"\x80\x02c is no pickle"), None);
    }

    #[test]
    fn numbers_and_words_are_not() {
        assert!(!found(b"\x80\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c", false));
        assert!(!found(b"MZ is no program by itself, and this is a text", true));
        assert!(!found(b"\x7FELF", true));
        assert!(!found(b"an ordinary description", true));
    }
}
