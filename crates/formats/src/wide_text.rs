//! Text in UTF-16 or UTF-32: JSON, XML and other readers take it unasked, so it is decoded and read as what it then is.

use crate::child::{Child, Encoding, Role};
use crate::fact::{FactKind, Position};
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::source::{Source, read_up_to};

/// Bytes by which text is told from numbers.
const HEAD: usize = 512;
/// Characters without which numbers may look like text.
const LEAST: usize = 6;

static META: Meta = Meta {
    id: "wide-text",
    title: "text in UTF-16 or UTF-32",
    extensions: &[],
    depth: Depth::Container,
    reads: "The text, decoded; it is analysed as what it then is.",
    specification: "RFC 2781, The Unicode Standard, chapter 3",
};

/// The format.
#[derive(Debug)]
pub struct WideText;

/// How the characters are stored, and where they start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Layout {
    width: u8,
    big: bool,
    start: u8,
}

/// Byte order marks, longest first, then how ASCII looks without one.
fn candidates(head: &[u8]) -> Option<Layout> {
    let (width, big, start) = match head {
        [0xFF, 0xFE, 0, 0, ..] => (4, false, 4),
        [0, 0, 0xFE, 0xFF, ..] => (4, true, 4),
        [0xFF, 0xFE, ..] => (2, false, 2),
        [0xFE, 0xFF, ..] => (2, true, 2),
        [1..=0x7F, 0, 0, 0, 1..=0x7F, 0, 0, 0, ..] => (4, false, 0),
        [0, 0, 0, 1..=0x7F, 0, 0, 0, 1..=0x7F, ..] => (4, true, 0),
        [1..=0x7F, 0, 1..=0x7F, 0, ..] => (2, false, 0),
        [0, 1..=0x7F, 0, 1..=0x7F, ..] => (2, true, 0),
        _ => return None,
    };
    Some(Layout { width, big, start })
}

/// How these bytes store text, if they do.
fn layout(head: &[u8]) -> Option<Layout> {
    let layout = candidates(head)?;
    let body = head.get(usize::from(layout.start)..head.len().min(HEAD))?;
    let units = body.chunks_exact(usize::from(layout.width));
    let (mut all, mut fit) = (0usize, 0usize);
    for unit in units {
        let value = unit.iter().enumerate().fold(0u32, |sum, (at, byte)| {
            let place = if layout.big { usize::from(layout.width).saturating_sub(at).saturating_sub(1) } else { at };
            sum | u32::from(*byte) << place.saturating_mul(8)
        });
        all = all.saturating_add(1);
        let marked = layout.start > 0 && (0xA0..0xFFFE).contains(&value);
        fit = fit.saturating_add(usize::from(matches!(value, 0x20..=0x7E | 9 | 10 | 13) || marked));
    }
    let is_text = all >= LEAST && fit.saturating_mul(10) >= all.saturating_mul(9);
    is_text.then_some(layout)
}

/// Whether these are the first bytes of such a text.
pub(crate) fn is_wide(head: &[u8]) -> bool {
    layout(head).is_some()
}

impl Format for WideText {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        (probe.role != Role::Numbers && is_wide(&probe.head)).then_some(Certainty::Likely)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let Some(Layout { width, big, start }) = layout(&read_up_to(source, 0, HEAD)) else { return };
        let order = if big { "big-endian" } else { "little-endian" };
        facts.property("encoding", format!("UTF-{}, {order}", u32::from(width).saturating_mul(8)));
        let start = u64::from(start);
        let child = Child {
            encoding: Encoding::Wide { width, big },
            declared: None,
            ..Child::stored(
                context.name.rsplit(['/', '\\']).next().unwrap_or_default(),
                start,
                source.len().saturating_sub(start),
            )
        };
        facts.push(Position::Offset(start), FactKind::Child(child));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;
    use crate::decode::decode;
    use crate::testing::{inspect, mutate};

    fn encoded(text: &str, width: u8, big: bool, mark: bool) -> Vec<u8> {
        let text = if mark { format!("\u{FEFF}{text}") } else { text.to_owned() };
        let order = |mut bytes: Vec<u8>| {
            if big {
                bytes.reverse();
            }
            bytes
        };
        match width {
            2 => text.encode_utf16().flat_map(|unit| order(unit.to_le_bytes().to_vec())).collect(),
            _ => text.chars().flat_map(|c| order(u32::from(c).to_le_bytes().to_vec())).collect(),
        }
    }

    #[test]
    fn every_way_to_write_it_gives_the_text_back() {
        let text = "{\"class_name\": \"Lambda\", \"x\": \"grüße 😀\"}";
        for (width, big, mark) in [2, 4].into_iter().flat_map(|width| {
            [(false, false), (false, true), (true, false), (true, true)].map(|(big, mark)| (width, big, mark))
        }) {
            let bytes = encoded(text, width, big, mark);
            let facts = inspect(&WideText, "config.json", &bytes);
            let child = facts.list().iter().find_map(|fact| match &fact.kind {
                FactKind::Child(child) => Some(child.clone()),
                _ => None,
            });
            let mut out = Vec::new();
            decode(&bytes.as_slice(), &child.unwrap(), &Budget::default(), &mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), text, "{width} {big} {mark}");
        }
    }

    #[test]
    fn numbers_and_plain_text_are_not_taken_for_it() {
        let numbers: Vec<u8> = (0..400u16).flat_map(u16::to_le_bytes).collect();
        for head in [b"plain text".as_slice(), b"{\"a\": 1}", b"\x80\x04\x95", &numbers, b"a\0b\0"] {
            assert!(!is_wide(head), "{head:?}");
        }
    }

    #[test]
    fn halves_of_pairs_and_cut_ends_are_no_panic() {
        let seed = encoded("<?xml version=\"1.0\"?><a>😀</a>", 2, false, true);
        mutate(&seed, 2000, |bytes| {
            let child = Child {
                encoding: Encoding::Wide { width: 2, big: false },
                ..Child::stored("a", 0, bytes.len() as u64)
            };
            drop(decode(&bytes, &child, &Budget::small(), &mut Vec::new()));
        });
    }
}
