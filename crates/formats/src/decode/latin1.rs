//! Bytes written as text, one character a byte: how protocols below 3 store bytes, before `_codecs.encode` undoes it.

use std::io::BufRead;

use super::DecodeError;
use super::feed::{Drain, Feed};

/// Turns UTF-8 of characters below 256 into bytes, up to the first character that is none.
pub(super) fn latin1(feed: &mut Feed<'_>, drain: &mut Drain<'_>) -> Result<(), DecodeError> {
    // The first byte of a character may end one chunk, and its second start the next.
    let mut lead: Option<u8> = None;
    let mut out = Vec::new();
    loop {
        let chunk = feed.chunk();
        let length = chunk.len();
        for &byte in chunk {
            match (lead.take(), byte) {
                (None, 0..=0x7f) => out.push(byte),
                (None, 0xc2 | 0xc3) => lead = Some(byte),
                (Some(first), 0x80..=0xbf) => out.push(byte & 0x3f | first << 6),
                _ => return Err(DecodeError::Damaged("a character is not one byte's".into())),
            }
        }
        drain.push(&out)?;
        out.clear();
        feed.consume(length);
        if length == 0 {
            return Ok(());
        }
    }
}
