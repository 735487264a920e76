//! Text in UTF-16 or UTF-32, as UTF-8: what Python's `json` and every XML reader take without being told.

use std::io::BufRead;

use super::DecodeError;
use super::feed::{Drain, Feed};

/// What stands for half a pair, and for what is no character.
const REPLACED: char = '\u{FFFD}';

/// Decodes units of `width` bytes, 2 or 4, to the end.
pub(super) fn wide(feed: &mut Feed<'_>, drain: &mut Drain<'_>, width: u8, big: bool) -> Result<(), DecodeError> {
    let (mut unit, mut held, mut out) = (Vec::with_capacity(4), None, String::new());
    loop {
        let chunk = feed.chunk();
        let length = chunk.len();
        for &byte in chunk {
            unit.push(byte);
            if unit.len() == usize::from(width) {
                take(number(&unit, big), width, &mut held, &mut out);
                unit.clear();
            }
        }
        if length == 0 {
            out.extend(held.take().map(|_| REPLACED));
        }
        drain.push(out.as_bytes())?;
        out.clear();
        feed.consume(length);
        if length == 0 {
            let whole = unit.is_empty();
            return if whole { Ok(()) } else { Err(DecodeError::Damaged("the last character is cut off".into())) };
        }
    }
}

fn number(unit: &[u8], big: bool) -> u32 {
    let add = |sum: u32, byte: &u8| sum << 8 | u32::from(*byte);
    if big { unit.iter().fold(0, add) } else { unit.iter().rev().fold(0, add) }
}

/// A unit is a character, or half of one; `held` is the first half of a pair.
fn take(unit: u32, width: u8, held: &mut Option<u32>, out: &mut String) {
    let high = held.take();
    if let (Some(high), 2, 0xDC00..=0xDFFF) = (high, width, unit) {
        let pair = (high & 0x3FF) << 10 | unit & 0x3FF;
        return out.push(char::from_u32(pair.saturating_add(0x1_0000)).unwrap_or(REPLACED));
    }
    out.extend(high.map(|_| REPLACED));
    if width == 2 && matches!(unit, 0xD800..=0xDBFF) {
        *held = Some(unit);
    } else {
        out.push(char::from_u32(unit).unwrap_or(REPLACED));
    }
}
