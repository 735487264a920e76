//! The numbers of a layer: whether there are as many as its extents say, and whether they start as other files do.

use crate::embedded;
use crate::fact::Anomaly;
use crate::protobuf::schema::Reader;
use crate::protobuf::{Message, Span, Wire};

/// Layers whose first two fields are the extents of their numbers, which are field 20.
const MATRICES: &[u32] = &[140, 150, 1040];
/// Messages within each other that are looked through for numbers.
const MAX_DEPTH: u32 = 3;
/// Fewer bytes are no file.
const LEAST: u64 = 12;

/// Looks at the numbers of a layer of that kind.
pub(super) fn look(reader: &mut Reader<'_, '_>, kind: u32, layer: Span) {
    if MATRICES.contains(&kind) {
        matrix(reader, layer);
    }
    search(reader, layer, MAX_DEPTH);
}

/// As many numbers as rows times columns. Networks that are quantised have another number of bytes for each.
fn matrix(reader: &mut Reader<'_, '_>, layer: Span) {
    let (mut extents, mut weights) = ([0u64; 2], None);
    let mut message = Message::new(reader.source, layer);
    while let Ok(Some(field)) = message.next() {
        match (field.number, field.wire) {
            (1, Wire::Varint(extent)) => extents[0] = extent,
            (2, Wire::Varint(extent)) => extents[1] = extent,
            (20, Wire::Bytes(span)) => weights = Some(span),
            _ => {}
        }
    }
    let Some(weights) = weights else { return };
    let (mut floats, mut halves) = (0u64, 0u64);
    let mut message = Message::new(reader.source, weights);
    while let Ok(Some(field)) = message.next() {
        match (field.number, field.wire) {
            (1, Wire::Bytes(span)) => floats = floats.saturating_add(span.length / 4),
            (1, Wire::Fixed32(_)) => floats = floats.saturating_add(1),
            (2, Wire::Bytes(span)) => halves = halves.saturating_add(span.length / 2),
            _ => {}
        }
    }
    let [rows, columns] = extents;
    let (have, wanted) = (floats.max(halves), rows.saturating_mul(columns));
    if have > 0 && have != wanted {
        let detail = format!("a layer of {rows} by {columns} has {have} numbers");
        reader.facts.anomaly(layer.offset, Anomaly::SizeMismatch, detail);
    }
}

/// Looks for files in all that could be numbers. What is no message ends, as a message, soon.
fn search(reader: &mut Reader<'_, '_>, span: Span, depth: u32) {
    let Some(depth) = depth.checked_sub(1) else { return };
    let mut message = Message::new(reader.source, span);
    while let Ok(Some(field)) = message.next() {
        if !reader.pay(field.offset) {
            return;
        }
        let Some(inner) = field.span().filter(|inner| inner.length >= LEAST) else { continue };
        embedded::open(reader.source, "numbers", inner.offset, inner.length, reader.facts);
        search(reader, inner, depth);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;
    use crate::fact::FactKind;
    use crate::facts::Facts;
    use crate::testing::oddities;

    fn facts(bytes: &[u8]) -> Facts {
        let (budget, mut facts) = (Budget::small(), Facts::new());
        look(&mut Reader::new(&bytes, &budget, &mut facts), 140, Span::whole(&bytes));
        facts
    }

    /// Two by one, on as many floats.
    fn layer(extent: u8, floats: u8) -> Vec<u8> {
        let mut bytes = vec![8, extent, 16, 1, 0xA2, 1, floats * 4 + 2, 10, floats * 4];
        bytes.resize(bytes.len() + usize::from(floats) * 4, 0);
        bytes
    }

    #[test]
    fn numbers_are_as_many_as_the_extents_say() {
        assert!(oddities(&facts(&layer(2, 2))).is_empty());
        assert_eq!(oddities(&facts(&layer(9, 2))), ["SizeMismatch@0"]);
    }

    #[test]
    fn files_among_the_numbers_are_opened() {
        let mut bytes = layer(2, 5);
        let at = bytes.len() - 20;
        bytes[at..at + 10].copy_from_slice(b"#!/bin/sh\n");
        assert!(facts(&bytes).list().iter().any(|fact| matches!(fact.kind, FactKind::Child(_))));
    }
}
