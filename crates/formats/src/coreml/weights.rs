//! `weight.bin` beside a program: blocks of numbers, each behind a record of its type, size and place.

use crate::child::{Child, Role};
use crate::cursor::Cursor;
use crate::fact::{Anomaly, FactKind, Gap, Position, Tensor};
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::source::{ReadError, Source};

/// What the file's header, every record and every block are aligned to.
const ALIGNMENT: u64 = 64;
/// What a record begins with.
const SENTINEL: u32 = 0xDEAD_BEEF;
/// The version that is written.
const VERSION: u32 = 2;

/// Element types, from 1 on.
const TYPES: &[&str] = &[
    "float16",
    "float32",
    "uint8",
    "int8",
    "bfloat16",
    "int16",
    "uint16",
    "int4",
    "uint1",
    "uint2",
    "uint4",
    "uint3",
    "uint6",
    "int32",
    "uint32",
    "float8e4m3fn",
    "float8e5m2",
];

static META: Meta = Meta {
    id: "coreml-weights",
    title: "Core ML weights",
    extensions: &[],
    depth: Depth::Full,
    reads: "every record and the place of its block; no byte is unaccounted for but padding",
    specification: "https://github.com/apple/coremltools/tree/main/mlmodel/src/MILBlob",
};

/// The format.
#[derive(Debug)]
pub struct CoreMlWeights;

impl Format for CoreMlWeights {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        let version = probe.head.get(4..8).filter(|_| probe.role == Role::Unknown)?;
        // A program without numbers has a header and no record.
        let is_empty = probe.source.len() == ALIGNMENT
            && probe.head.get(..4).is_some_and(|count| count == [0; 4])
            && probe.head.get(8..).is_some_and(|rest| rest.iter().all(|byte| *byte == 0));
        let has_record = probe.head.get(64..68).is_some_and(|sentinel| sentinel == SENTINEL.to_le_bytes());
        let fits = version == VERSION.to_le_bytes() && (has_record || is_empty);
        fits.then_some(Certainty::Certain)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let mut cursor = Cursor::sparing(source, 0);
        if let Err(error) = blocks(&mut cursor, context, facts) {
            let at = cursor.position();
            match error {
                ReadError::End => facts.anomaly(at, Anomaly::OutOfBounds, "the blocks go on after the file's end"),
                ReadError::Refused(reason) => facts.incomplete(at, Gap::Unreadable, reason),
            }
        }
    }
}

fn blocks(cursor: &mut Cursor<'_>, context: &Context<'_>, facts: &mut Facts) -> Result<(), ReadError> {
    let count = cursor.u32()?;
    facts.property("blocks", count.to_string());
    cursor.seek(ALIGNMENT);
    for index in 0..count {
        if let Err(limit) = context.budget.operate(1) {
            facts.incomplete(cursor.position(), Gap::Limit, limit.to_string());
            return Ok(());
        }
        if !block(cursor, index, facts)? {
            break;
        }
    }
    let at = cursor.position();
    let rest = cursor.remaining();
    if rest > 0 {
        facts.anomaly(at, Anomaly::TrailingBytes, format!("{rest} bytes follow the last block"));
        facts.push(Position::Offset(at), FactKind::Child(Child::stored(format!("rest@{at}"), at, rest)));
    }
    Ok(())
}

/// Reads a record and passes over its block; false when these bytes are no record.
fn block(cursor: &mut Cursor<'_>, index: u32, facts: &mut Facts) -> Result<bool, ReadError> {
    let at = cursor.position();
    let (sentinel, dtype) = (cursor.u32()?, cursor.u32()?);
    let (bytes, offset) = (cursor.u64()?, cursor.u64()?);
    if sentinel != SENTINEL {
        facts.anomaly(at, Anomaly::Malformed, "what stands where a record should is none");
        return Ok(false);
    }
    let expected = at.saturating_add(ALIGNMENT);
    let end = offset.checked_add(bytes).filter(|end| *end <= cursor.length()).ok_or(ReadError::End)?;
    if offset != expected {
        let kind = if offset < expected { Anomaly::Overlap } else { Anomaly::Hole };
        facts.anomaly(at, kind, format!("block {index} is at {offset}, and its record ends at {expected}"));
    }
    // A block that lies in front of its own record would be read for ever.
    let next = end.max(expected).next_multiple_of(ALIGNMENT).min(cursor.length());
    cursor.seek(next);
    let known = usize::try_from(dtype).ok().and_then(|dtype| TYPES.get(dtype.checked_sub(1)?));
    let dtype = known.map_or_else(|| format!("type {dtype}"), |name| (*name).to_owned());
    let tensor = Tensor { name: index.to_string(), dtype, shape: vec![], bytes: Some(bytes) };
    facts.push(Position::Offset(at), FactKind::Tensor(tensor));
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{inspect, mutate, oddities};

    fn file(blocks: u32) -> Vec<u8> {
        let mut bytes = [blocks.to_le_bytes(), VERSION.to_le_bytes()].concat();
        for _ in 0..blocks {
            bytes.resize(bytes.len().next_multiple_of(64), 0);
            let offset = bytes.len() as u64 + 64;
            bytes.extend(SENTINEL.to_le_bytes());
            bytes.extend(1u32.to_le_bytes());
            bytes.extend(4u64.to_le_bytes());
            bytes.extend(offset.to_le_bytes());
            bytes.resize(bytes.len().next_multiple_of(64), 0);
            bytes.extend([1; 4]);
        }
        bytes
    }

    #[test]
    fn blocks_are_accounted_for() {
        let bytes = file(2);
        assert!(CoreMlWeights.recognise(&Probe::new(&bytes, "weight.bin", Role::Unknown)).is_some());
        let facts = inspect(&CoreMlWeights, "weight.bin", &bytes);
        assert!(oddities(&facts).is_empty(), "{:?}", oddities(&facts));
        assert_eq!(facts.totals().tensors, 2);
        let mut none = file(0);
        none.resize(64, 0);
        assert!(CoreMlWeights.recognise(&Probe::new(&none, "weight.bin", Role::Unknown)).is_some());
        assert!(oddities(&inspect(&CoreMlWeights, "weight.bin", &none)).is_empty());
    }

    #[test]
    fn what_is_behind_or_missing_is_told() {
        let tail = [file(1), vec![0; 60], b"#!/bin/sh\necho waag-inert".to_vec()].concat();
        assert_eq!(oddities(&inspect(&CoreMlWeights, "x", &tail)), ["TrailingBytes@192"]);
        assert_eq!(oddities(&inspect(&CoreMlWeights, "x", &file(2)[..200])).len(), 1);
    }

    #[test]
    fn no_mutation_panics() {
        mutate(&file(2), 1000, |bytes| drop(inspect(&CoreMlWeights, "", &bytes)));
    }
}
