//! Files of another kind within numbers, texts and gaps: opened where they start as such, and pickles followed.

use crate::budget::Budget;
use crate::child::Child;
use crate::fact::{FactKind, Gap, Position};
use crate::facts::Facts;
use crate::protobuf::Span;
use crate::source::{Source, Window, read_up_to};
use crate::{payload, pickle};

/// Bytes read at once where the start of a file could be anywhere.
const PIECE: u64 = 4096;
/// Bytes by which pieces overlap: as much as the longest signature.
const OVERLAP: u64 = 11;

/// Opens a field that starts as a file does. One that only starts as a pickle does is followed instead, and what it
/// would do is told: numbers start so by chance, and then do nothing.
pub fn open(source: &dyn Source, name: &str, span: Span, is_text: bool, budget: &Budget, facts: &mut Facts) {
    if let Err(error) = budget.operate(OVERLAP) {
        return facts.incomplete(span.offset, Gap::Limit, error.to_string());
    }
    if payload::is_payload(source, span.offset, span.length, is_text) {
        let child = Child::stored(format!("{name}@{}", span.offset), span.offset, span.length);
        return facts.push(Position::Offset(span.offset), FactKind::Child(child));
    }
    if matches!(read_up_to(source, span.offset, 2).as_slice(), [0x80, 2..=5]) {
        pickle::search_start(&Window::new(source, 0, span.end()), span.offset, budget, facts);
    }
}

/// Looks through a range that nothing claims for files and pickles that start anywhere in it.
pub fn search(source: &dyn Source, span: Span, budget: &Budget, facts: &mut Facts) {
    pickle::search(&Window::new(source, 0, span.end()), span.offset, budget, facts);
    let mut at = span.offset;
    while at < span.end() {
        let count = PIECE.min(span.end().saturating_sub(at));
        if let Err(error) = budget.operate(count) {
            return facts.incomplete(at, Gap::Limit, error.to_string());
        }
        let piece = read_up_to(source, at, usize::try_from(count).unwrap_or(0));
        if let Some(start) = starts(&piece).map(|start| at.saturating_add(start)) {
            let child = Child::stored(format!("hidden@{start}"), start, span.end().saturating_sub(start));
            return facts.push(Position::Offset(start), FactKind::Child(child));
        }
        if piece.len() as u64 <= OVERLAP {
            return;
        }
        at = at.saturating_add((piece.len() as u64).saturating_sub(OVERLAP));
    }
}

/// Where the first signature is.
fn starts(piece: &[u8]) -> Option<u64> {
    let signed = |bytes: &[u8]| payload::SIGNATURES.iter().any(|signature| bytes.starts_with(signature));
    let begins = |bytes: &[u8]| {
        let is_gzip = matches!(bytes, [0x1F, 0x8B, 8, 0..=0x1F, _, _, _, _, 0 | 2 | 4, ..]);
        is_gzip || [&b"#!/bin"[..], b"#!/usr"].iter().any(|start| bytes.starts_with(start))
    };
    let found = |at: &usize| piece.get(*at..).is_some_and(|bytes| signed(bytes) || begins(bytes));
    (0..piece.len()).find(found).map(|at| at as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_in_the_middle_are_found_and_pickles_are_followed() {
        let budget = Budget::default();
        let mut bytes = vec![7; 5000];
        bytes.extend(b"#!/bin/sh\necho waag-inert\n");
        let mut facts = Facts::new();
        search(&bytes, Span { offset: 3, length: bytes.len() as u64 - 3 }, &budget, &mut facts);
        assert!(matches!(&facts.list()[0].kind, FactKind::Child(child) if child.offset == 5000));
        let pickle = b"\x80\x02cos\nsystem\nU\x0fecho waag-inert\x85R.".to_vec();
        for (bytes, found) in [(&pickle, true), (&vec![0x80, 2, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9], false)] {
            let mut facts = Facts::new();
            open(bytes, "w", Span { offset: 0, length: bytes.len() as u64 }, false, &budget, &mut facts);
            assert_eq!(!facts.list().is_empty(), found);
        }
    }
}
