//! Base64, in either alphabet, with whitespace anywhere and padding or none.

use std::io::BufRead;

use super::DecodeError;
use super::feed::{Drain, Feed};

/// Decodes up to the padding, or to the first character that is none.
pub(super) fn base64(feed: &mut Feed<'_>, drain: &mut Drain<'_>) -> Result<(), DecodeError> {
    let (mut bits, mut count) = (0u32, 0u32);
    let mut out = Vec::new();
    loop {
        let chunk = feed.chunk();
        let length = chunk.len();
        let (mut taken, mut stop) = (0usize, length == 0);
        for &byte in chunk {
            if !byte.is_ascii_whitespace() {
                let Some(value) = value(byte) else {
                    stop = true;
                    break;
                };
                bits = bits << 6 | value;
                count = count.saturating_add(6);
            }
            taken = taken.saturating_add(1);
            if count >= 8 {
                count = count.saturating_sub(8);
                out.push((bits >> count & 0xff) as u8);
            }
        }
        drain.push(&out)?;
        out.clear();
        feed.consume(taken);
        if stop {
            return padding(feed);
        }
    }
}

fn padding(feed: &mut Feed<'_>) -> Result<(), DecodeError> {
    let rest = feed.peek(64);
    let padding = rest.iter().take_while(|&&byte| byte == b'=' || byte.is_ascii_whitespace()).count();
    feed.consume(padding);
    Ok(())
}

fn value(byte: u8) -> Option<u32> {
    let offset = |from: u8, to: u32| u32::from(byte.wrapping_sub(from)).saturating_add(to);
    Some(match byte {
        b'A'..=b'Z' => offset(b'A', 0),
        b'a'..=b'z' => offset(b'a', 26),
        b'0'..=b'9' => offset(b'0', 52),
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}
