//! Hexadecimal digits, with whitespace anywhere.

use std::io::BufRead;

use super::DecodeError;
use super::feed::{Drain, Feed};

/// Decodes up to the first character that is no digit.
pub(super) fn hex(feed: &mut Feed<'_>, drain: &mut Drain<'_>) -> Result<(), DecodeError> {
    // The first digit of a byte may end one chunk, and its second start the next.
    let mut high: Option<u8> = None;
    let mut out = Vec::new();
    loop {
        let chunk = feed.chunk();
        let length = chunk.len();
        let (mut taken, mut stop) = (0usize, length == 0);
        for &byte in chunk {
            let digit = char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            match (digit, high.take()) {
                (Some(digit), None) => high = Some(digit),
                (Some(digit), Some(first)) => out.push(first << 4 | digit),
                (None, first) if byte.is_ascii_whitespace() => high = first,
                (None, _) => {
                    stop = true;
                    break;
                }
            }
            taken = taken.saturating_add(1);
        }
        drain.push(&out)?;
        out.clear();
        feed.consume(taken);
        if stop {
            return Ok(());
        }
    }
}
