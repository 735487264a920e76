//! Python bytecode as Keras keeps it: base64 over `marshal`. Nothing is disassembled; the names and texts in it are
//! what tells a reader what it calls.

use crate::facts::shorten;

/// Characters of base64 that are decoded.
const MAX_ENCODED: usize = 256 << 10;
/// Names that are shown.
const MAX_NAMES: usize = 40;
/// Characters of one name that are shown.
const MAX_NAME: usize = 120;
/// Characters shown of what is no bytecode.
const SHOWN: usize = 200;

/// The names and texts in bytecode, or the start of what is not base64.
pub(super) fn excerpt(encoded: &str) -> String {
    let bytes = base64(encoded);
    let names = names(&bytes);
    if names.is_empty() {
        return shorten(encoded.chars().take(SHOWN.saturating_add(1)).collect(), SHOWN);
    }
    names.join(", ")
}

/// Decodes base64, in either alphabet, up to the first character that is none.
pub(super) fn base64(text: &str) -> Vec<u8> {
    let (mut bits, mut count) = (0u32, 0u32);
    let mut out = Vec::new();
    for byte in text.bytes().take(MAX_ENCODED).filter(|byte| !byte.is_ascii_whitespace()) {
        let value = match byte {
            b'A'..=b'Z' => byte.wrapping_sub(b'A'),
            b'a'..=b'z' => byte.wrapping_sub(b'a').wrapping_add(26),
            b'0'..=b'9' => byte.wrapping_sub(b'0').wrapping_add(52),
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => break,
        };
        bits = (bits << 6 | u32::from(value)) & 0xFFFF;
        count = count.saturating_add(6);
        if let Some(left) = count.checked_sub(8) {
            out.push((bits.checked_shr(left).unwrap_or(0) & 0xFF) as u8);
            count = left;
        }
    }
    out
}

/// Texts of `marshal`, in the order in which they come: names of one byte's length and longer ones.
fn names(bytes: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = bytes;
    while let Some((&code, after)) = rest.split_first() {
        rest = after;
        let (length, body) = match code & 0x7F {
            b'z' | b'Z' => match after.split_first() {
                Some((&length, body)) => (usize::from(length), body),
                None => break,
            },
            b'a' | b'A' | b'u' | b't' => match after.split_first_chunk::<4>() {
                Some((length, body)) => (usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX), body),
                None => continue,
            },
            _ => continue,
        };
        let Some(text) = body.get(..length).filter(|text| is_readable(text)) else { continue };
        rest = body.get(length..).unwrap_or_default();
        let text = shorten(String::from_utf8_lossy(text).into_owned(), MAX_NAME);
        if !names.contains(&text) && names.len() < MAX_NAMES {
            names.push(text);
        }
    }
    names
}

fn is_readable(text: &[u8]) -> bool {
    text.len() > 1 && text.iter().all(|byte| (0x20..0x7F).contains(byte))
}
