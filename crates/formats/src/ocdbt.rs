//! OCDBT, the store that Orbax keeps checkpoints in: a manifest and nodes of a tree, each with its length.

use crate::child::{Child, Encoding, Role};
use crate::cursor::Cursor;
use crate::fact::{Anomaly, FactKind, Gap, Position};
use crate::facts::Facts;
use crate::foreign;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::pickle;
use crate::protobuf::Span;
use crate::source::{ReadError, Source, Window, read_up_to};

/// What each part starts with.
const PARTS: &[(u32, &str)] =
    &[(0x0cdb_3a2a, "manifest"), (0x0cdb_1234, "list of versions"), (0x0cdb_20de, "node of the tree")];
/// What a node starts with, and how far from the end the last one is looked for.
const NODE: [u8; 4] = [0x0c, 0xdb, 0x20, 0xde];
const TAIL: usize = 64 * 1024;
/// What compressed values start with.
const ZSTD: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
/// Compressed values of one file that are opened, and blocks of them all together: each is 128 KiB at most. Values of
/// zeros come to far more than they take, and are ordinary; so what comes out counts, not what is stored.
const MAX_OPENED: u64 = 1_000;
const MAX_BLOCKS: u64 = 64;
/// Bytes before a part's own content, and of the checksum behind it.
const FRAME: u64 = 18;

static META: Meta = Meta {
    id: "ocdbt",
    title: "OCDBT store (Orbax)",
    extensions: &["ocdbt"],
    depth: Depth::Surface,
    reads: "the parts and their lengths, and what lies between them; not the tree, whose values are numbers",
    specification: "https://google.github.io/tensorstore/kvstore/ocdbt/index.html",
};

/// The format.
#[derive(Debug)]
pub struct Ocdbt;

impl Format for Ocdbt {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        let start = probe.head.get(..4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes)?;
        let is_part = PARTS.iter().any(|(magic, _)| *magic == start);
        (is_part || is_data(probe)).then_some(Certainty::Certain)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        facts.property("framework", "Orbax");
        let mut at = 0;
        while at < source.len() {
            if let Err(error) = context.budget.operate(1) {
                return facts.incomplete(at, Gap::Limit, error.to_string());
            }
            match part(source, at) {
                Ok(Some((kind, length))) if length >= FRAME && length <= source.len().saturating_sub(at) => {
                    facts.property("part", kind);
                    at = at.saturating_add(length);
                }
                Ok(Some((kind, length))) => {
                    let detail = format!("a {kind} of {length} bytes does not fit in the file");
                    return facts.anomaly(at, Anomaly::OutOfBounds, detail);
                }
                Ok(None) => match last_node(source, at) {
                    Some(node) => {
                        facts.property("values", format!("{} bytes", node.saturating_sub(at)));
                        values(source, Span { offset: at, length: node.saturating_sub(at) }, context, facts);
                        at = node;
                    }
                    None => return rest(source, at, facts),
                },
                Err(error) => return facts.anomaly(at, Anomaly::Malformed, format!("a part is cut: {error}")),
            }
        }
    }
}

fn part(source: &dyn Source, at: u64) -> Result<Option<(&'static str, u64)>, ReadError> {
    if source.len().saturating_sub(at) < FRAME {
        return Ok(None);
    }
    let mut cursor = Cursor::sparing(source, at);
    let magic = cursor.u32()?.swap_bytes();
    let length = cursor.u64()?;
    Ok(PARTS.iter().find(|(known, _)| *known == magic).map(|(_, kind)| (*kind, length)))
}

/// Whether this is a file of values, by its name, that ends with a node of the tree.
pub(crate) fn is_data(probe: &Probe<'_>) -> bool {
    let name = probe.name.rsplit(['/', '\\']).next().unwrap_or_default();
    let named = name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    named && last_node(probe.source, 0).is_some()
}

/// The first node, not far from the end and behind `from`, that ends where the file does.
fn last_node(source: &dyn Source, from: u64) -> Option<u64> {
    let start = source.len().saturating_sub(TAIL as u64).max(from);
    let tail = read_up_to(source, start, TAIL);
    let places = tail.windows(12).enumerate().filter(|(_, bytes)| bytes.starts_with(&NODE));
    places
        .map(|(index, bytes)| {
            let length = bytes.get(4..).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes);
            (start.saturating_add(index as u64), length)
        })
        .find(|(at, length)| *at > from && *length >= FRAME && at.checked_add(*length) == Some(source.len()))
        .map(|(at, _)| at)
}

/// Values before a node: chunks of arrays, each compressed by itself. The reader takes them for numbers, whatever they
/// are; so they are looked at for what is none, as far as memory and time allow, and how far is said.
fn values(source: &dyn Source, span: Span, context: &Context<'_>, facts: &mut Facts) {
    let (mut at, mut opened, mut left) = (span.offset, 0_u64, MAX_BLOCKS);
    while read_up_to(source, at, 4) == ZSTD {
        let value = frame(source, at, left).filter(|(end, _)| *end <= span.end());
        let Some((end, blocks)) = value.filter(|_| opened < MAX_OPENED) else {
            facts.property("values not decompressed", format!("{} bytes", span.end().saturating_sub(at)));
            break;
        };
        if let Err(error) = context.budget.operate(64) {
            return facts.incomplete(at, Gap::Limit, error.to_string());
        }
        opened = opened.saturating_add(1);
        left = left.saturating_sub(blocks);
        let stored = Child::stored(format!("value@{at}"), at, end.saturating_sub(at));
        let child = Child { encoding: Encoding::Zstd, declared: None, role: Role::Numbers, ..stored };
        facts.push(Position::Offset(at), FactKind::Child(child));
        at = end;
    }
    let rest = Span { offset: at, length: span.end().saturating_sub(at) };
    // Two bytes are too few for numbers: of the short signatures, only the longest counts.
    let is_gzip = read_up_to(source, at, 3) == [0x1F, 0x8B, 8];
    foreign::open(source, "value", rest, is_gzip, context.budget, facts);
    pickle::search(&Window::new(source, 0, span.end()), span.offset, context.budget, facts);
}

/// Where the Zstandard frame at `at` ends by the sizes of its blocks, and how many of these it has, unless too many.
fn frame(source: &dyn Source, at: u64, most: u64) -> Option<(u64, u64)> {
    let mut cursor = Cursor::sparing(source, at);
    cursor.skip(4).ok()?;
    let descriptor = cursor.byte().ok()?;
    let is_single = descriptor & 0x20 != 0;
    let size = match (descriptor >> 6, is_single) {
        (0, is_single) => u64::from(is_single),
        (flag, _) => 1_u64 << u32::from(flag & 3),
    };
    let dictionary = [0, 1, 2, 4].get(usize::from(descriptor & 3)).copied().unwrap_or(0);
    cursor.skip(u64::from(!is_single).saturating_add(dictionary).saturating_add(size)).ok()?;
    for blocks in 1..=most {
        let header = cursor.take(3).ok()?.iter().rev().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        cursor.skip(if header >> 1 & 3 == 1 { 1 } else { header >> 3 }).ok()?;
        if header & 1 == 1 {
            cursor.skip(if descriptor & 4 != 0 { 4 } else { 0 }).ok()?;
            return Some((cursor.position(), blocks));
        }
    }
    None
}

/// Values lie between the nodes: opened as what they are.
fn rest(source: &dyn Source, at: u64, facts: &mut Facts) {
    let length = source.len().saturating_sub(at);
    facts.push(Position::Offset(at), FactKind::Child(Child::stored(format!("values@{at}"), at, length)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{inspect, mutate, oddities};

    fn node(length: u64) -> Vec<u8> {
        let mut bytes = vec![0x0c, 0xdb, 0x3a, 0x2a];
        bytes.extend(length.to_le_bytes());
        bytes.extend([0, 0, 1, 2, 3, 4, 5, 6]);
        bytes
    }

    #[test]
    fn parts_are_bounded() {
        assert_eq!(oddities(&inspect(&Ocdbt, "manifest.ocdbt", &node(20))), Vec::<String>::new());
        assert_eq!(oddities(&inspect(&Ocdbt, "manifest.ocdbt", &node(21))), ["OutOfBounds@0"]);
        assert_eq!(oddities(&inspect(&Ocdbt, "manifest.ocdbt", &node(0))), ["OutOfBounds@0"]);
        // A frame of one block that is stored as it is, and another one.
        let mut values = b"\x28\xb5\x2f\xfd\x20\x04\x21\0\0abcd".repeat(2);
        assert_eq!(frame(&values, 0, 1), Some((13, 1)));
        assert_eq!(frame(&values, 0, 0), None);
        values.extend([&NODE[..], &node(20)[4..]].concat());
        let name = "83239041688d57008b09e71a16fffc0d";
        let probe = Probe::new(&values, name, crate::child::Role::Unknown);
        assert_eq!(Ocdbt.recognise(&probe), Some(Certainty::Certain));
        let facts = inspect(&Ocdbt, name, &values);
        assert_eq!(oddities(&facts), Vec::<String>::new());
        let opened = facts.list().iter().filter(|fact| matches!(fact.kind, FactKind::Child(_))).count();
        assert_eq!(opened, 2);
        mutate(&values, 500, |bytes| {
            inspect(&Ocdbt, name, &bytes);
        });
        mutate(&node(20), 500, |bytes| {
            inspect(&Ocdbt, "manifest.ocdbt", &bytes);
        });
    }
}
