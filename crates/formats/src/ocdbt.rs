//! OCDBT, the store that Orbax keeps checkpoints in: a manifest and nodes of a tree, each with its length.

use crate::child::Child;
use crate::cursor::Cursor;
use crate::fact::{Anomaly, FactKind, Gap, Position};
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::pickle;
use crate::source::{ReadError, Source, Window, read_up_to};

/// What each part starts with.
const PARTS: &[(u32, &str)] =
    &[(0x0cdb_3a2a, "manifest"), (0x0cdb_1234, "list of versions"), (0x0cdb_20de, "node of the tree")];
/// What a node starts with, and how far from the end the last one is looked for.
const NODE: [u8; 4] = [0x0c, 0xdb, 0x20, 0xde];
const TAIL: usize = 64 * 1024;
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
                        pickle::search(&Window::new(source, 0, node), at, context.budget, facts);
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
        let mut values = b"\x28\xb5\x2f\xfd chunks".to_vec();
        values.extend([&NODE[..], &node(20)[4..]].concat());
        let name = "83239041688d57008b09e71a16fffc0d";
        let probe = Probe::new(&values, name, crate::child::Role::Unknown);
        assert_eq!(Ocdbt.recognise(&probe), Some(Certainty::Certain));
        assert_eq!(oddities(&inspect(&Ocdbt, name, &values)), Vec::<String>::new());
        mutate(&values, 500, |bytes| {
            inspect(&Ocdbt, name, &bytes);
        });
        mutate(&node(20), 500, |bytes| {
            inspect(&Ocdbt, "manifest.ocdbt", &bytes);
        });
    }
}
