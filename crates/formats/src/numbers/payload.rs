//! Programs, archives and text in the bytes of a tensor, or in the lowest bits of its numbers.

use super::{Element, number};

/// Numbers of a sample whose lowest bits are put together.
const MAX_NUMBERS: usize = 4_096;
/// Bits of each number that are taken.
const WIDTHS: &[u32] = &[1, 2, 4, 8];
/// Bytes before a payload: its length, most often.
const MAX_LEAD: usize = 16;
/// Characters of a text that nobody's numbers are by chance.
const MIN_TEXT: usize = 64;
/// Different characters that a text has.
const MIN_DISTINCT: usize = 12;

/// What the sample spells that is no numbers.
pub(super) fn find(element: Element, sample: &[u8]) -> Option<String> {
    if let Some(kind) = signature(sample) {
        return Some(format!("its bytes are {kind}"));
    }
    if element == Element::Byte {
        return None;
    }
    if let Some(text) = text(sample) {
        return Some(format!("its bytes are text: {text}"));
    }
    let bits = |width: &&u32| **width < element.mantissa();
    for width in WIDTHS.iter().filter(bits) {
        for high_first in [true, false] {
            let spelt = plane(element, sample, *width, high_first);
            let leads = (0..=MAX_LEAD).filter_map(|at| spelt.get(at..));
            let found = leads.filter_map(signature).next().map(str::to_owned);
            let found = found.or_else(|| text(&spelt).map(|text| format!("text: {text}")));
            if let Some(what) = found {
                let bits = if *width == 1 {
                    "bit of each number spells".into()
                } else {
                    format!("{width} bits of each number spell")
                };
                return Some(format!("the lowest {bits} {what}"));
            }
        }
    }
    None
}

/// Likewise where the kind of the numbers is not known: they are read as floats where they look like some.
pub(super) fn find_anywhere(sample: &[u8]) -> Option<String> {
    if let Some(kind) = signature(sample) {
        return Some(format!("its bytes are {kind}"));
    }
    // Nearly all weights of a network lie between 2^-32 and 2^8.
    let likely = |bytes: &&[u8]| bytes.last().is_some_and(|high| (0x2F..=0x43).contains(&(high & 0x7F)));
    let count = sample.chunks_exact(4).count();
    let floats = sample.chunks_exact(4).filter(likely).count();
    (count >= 64 && floats.saturating_mul(10) >= count.saturating_mul(9)).then(|| find(Element::F32, sample)).flatten()
}

/// The lowest bits of each number, one behind the other.
fn plane(element: Element, sample: &[u8], width: u32, high_first: bool) -> Vec<u8> {
    let mask = 1u64.checked_shl(width).unwrap_or(0).wrapping_sub(1);
    let mut bytes = Vec::with_capacity(MAX_NUMBERS);
    let (mut held, mut count) = (0u64, 0u32);
    for chunk in sample.chunks_exact(element.size()).take(MAX_NUMBERS) {
        let part = number(chunk) & mask;
        held = if high_first { (held << width) | part } else { held | part.checked_shl(count).unwrap_or(0) };
        count = count.saturating_add(width);
        if count == 8 {
            bytes.push(u8::try_from(held & 0xFF).unwrap_or(0));
            (held, count) = (0, 0);
        }
    }
    bytes
}

/// What starts so; long enough that numbers do not start so by chance.
fn signature(bytes: &[u8]) -> Option<&'static str> {
    let at = |place: usize| bytes.get(place).copied().unwrap_or(0xFF);
    if bytes.starts_with(b"\x7FELF") && matches!(at(4), 1 | 2) && matches!(at(5), 1 | 2) && at(6) == 1 {
        return Some("an ELF program");
    }
    if bytes.starts_with(b"MZ") && is_windows(bytes) {
        return Some("a Windows program");
    }
    if bytes.starts_with(b"PK\x03\x04") && at(4) < 64 && at(5) < 10 {
        return Some("a zip archive");
    }
    if bytes.starts_with(b"7z\xBC\xAF\x27\x1C") {
        return Some("a 7z archive");
    }
    if bytes.starts_with(b"\xFD7zXZ\0") {
        return Some("xz data");
    }
    if bytes.starts_with(b"\x1F\x8B\x08") && at(3) < 0x20 && matches!(at(9), 0 | 3 | 0xFF) && matches!(at(8), 0 | 2 | 4)
    {
        return Some("gzip data");
    }
    if is_pickle(bytes) {
        return Some("a pickle");
    }
    if bytes.starts_with(b"#!/") && bytes.iter().take(16).all(u8::is_ascii) && bytes.len() >= 16 {
        return Some("a script");
    }
    bytes
        .starts_with(b"import ")
        .then_some("a Python program")
        .filter(|_| text(bytes.get(..MIN_TEXT).unwrap_or_default()).is_some())
}

fn is_windows(bytes: &[u8]) -> bool {
    let at = bytes.get(0x3C..0x40).map_or(u64::MAX, number);
    let at = usize::try_from(at).unwrap_or(usize::MAX);
    bytes.get(at..).is_some_and(|rest| rest.starts_with(b"PE\0\0"))
}

/// A protocol, and what pickles go on with.
fn is_pickle(bytes: &[u8]) -> bool {
    let Some((head, rest)) = bytes.split_first_chunk::<2>() else { return false };
    match head {
        // A frame is no longer than what is left could be.
        [0x80, 4 | 5] => {
            rest.first() == Some(&0x95) && rest.get(4..9).is_some_and(|size| size.iter().all(|byte| *byte == 0))
        }
        [0x80, 2 | 3] => {
            rest.starts_with(b"cposix\n")
                || rest.starts_with(b"c__builtin__\n")
                || rest.starts_with(b"cos\n")
                || rest.starts_with(b"cbuiltins\n")
        }
        _ => false,
    }
}

/// A run of characters that people write, of many kinds and mostly letters.
fn text(bytes: &[u8]) -> Option<String> {
    let is_plain = |byte: &u8| matches!(*byte, b' '..=b'~' | b'\n' | b'\t' | b'\r');
    let mut start = 0usize;
    for end in 0..=bytes.len() {
        if bytes.get(end).is_some_and(is_plain) {
            continue;
        }
        let run = bytes.get(start..end).unwrap_or_default();
        if run.len() >= MIN_TEXT && is_written(run) {
            return Some(String::from_utf8_lossy(run.get(..40).unwrap_or(run)).escape_debug().to_string());
        }
        start = end.saturating_add(1);
    }
    None
}

fn is_written(run: &[u8]) -> bool {
    let mut seen = [false; 128];
    for byte in run {
        if let Some(seen) = seen.get_mut(usize::from(*byte)) {
            *seen = true;
        }
    }
    let distinct = seen.iter().filter(|seen| **seen).count();
    let letters = run.iter().filter(|byte| byte.is_ascii_alphanumeric() || **byte == b' ').count();
    distinct >= MIN_DISTINCT && letters.saturating_mul(2) > run.len() && is_mixed(run)
}

/// Whether neighbours differ in both halves of their bytes, as they do in writing, in hexadecimal digits and in base64.
/// Regular numbers, such as the corners of a grid, repeat one half and count in the other.
fn is_mixed(run: &[u8]) -> bool {
    let pairs = run.len().saturating_sub(1);
    let is_alike = |two: &&[u8], mask: u8| matches!(two, [one, other] if (one ^ other) & mask == 0);
    let alike = |mask: u8| run.windows(2).filter(|two| is_alike(two, mask)).count();
    [0xF0, 0x0F].iter().all(|mask| alike(*mask).saturating_mul(3) < pairs.saturating_mul(2))
}
