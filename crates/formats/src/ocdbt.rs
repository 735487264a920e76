//! OCDBT, the store that Orbax keeps checkpoints in: a manifest and nodes of a tree, each with its length.

use crate::child::Child;
use crate::cursor::Cursor;
use crate::fact::{Anomaly, FactKind, Gap, Position};
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::source::{ReadError, Source};

/// What each part starts with.
const PARTS: &[(u32, &str)] =
    &[(0x0cdb_3a2a, "manifest"), (0x0cdb_1234, "list of versions"), (0x0cdb_20de, "node of the tree")];
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
        PARTS.iter().any(|(magic, _)| *magic == start).then_some(Certainty::Certain)
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
                Ok(None) => return rest(source, at, facts),
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
        mutate(&node(20), 500, |bytes| {
            inspect(&Ocdbt, "manifest.ocdbt", &bytes);
        });
    }
}
