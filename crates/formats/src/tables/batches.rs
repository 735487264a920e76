//! Arrow's batches: where the bytes of columns are, and how many rows they make.

use crate::budget::Budget;
use crate::cursor::Cursor;
use crate::fact::{Anomaly, Gap};
use crate::facts::Facts;
use crate::flatbuffers::{Broken, FlatBuffer, Table, Vector};
use crate::source::{Source, Window};

/// Messages that have no columns: descriptions come first, the others are dictionaries and batches.
const SCHEMA: u8 = 1;
const DICTIONARY: u8 = 2;
const BATCH: u8 = 3;
/// Rows that nobody minds: memory for them is small.
const FREE_ROWS: u64 = 1 << 26;
/// Bytes of one message's head.
const MAX_HEAD: u64 = 64 << 20;

/// Goes through the messages of a stream, from its first on. Gives where the stream ends, when it was read so far.
pub(crate) fn check(source: &dyn Source, start: u64, budget: &Budget, facts: &mut Facts) -> Option<u64> {
    let mut cursor = Cursor::sparing(source, start);
    let mut count = 0u64;
    while cursor.remaining() >= 8 {
        let at = cursor.position();
        let (Ok(mark), Ok(length)) = (cursor.u32(), cursor.u32()) else { return None };
        if mark != u32::MAX || length == 0 {
            // The mark of the end belongs to the stream; anything else does not.
            cursor.seek(if mark == u32::MAX { cursor.position() } else { at });
            break;
        }
        if let Err(limit) = budget.operate(16) {
            facts.incomplete(at, Gap::Limit, limit.to_string());
            return None;
        }
        let (head, length) = (cursor.position(), u64::from(length));
        if length > cursor.remaining() || length > MAX_HEAD {
            facts.anomaly(at, Anomaly::OutOfBounds, "the head of a batch ends past the file's end");
            return None;
        }
        let window = Window::new(source, head, length);
        let body = head.saturating_add(length);
        match message(&window, facts, at, source.len().saturating_sub(body), budget) {
            Ok(Some(bytes)) => cursor.seek(body.saturating_add(bytes)),
            Ok(None) => return None,
            Err(error) => {
                facts.anomaly(at, Anomaly::Malformed, format!("the head of a batch cannot be read: {error}"));
                return None;
            }
        }
        count = count.saturating_add(1);
    }
    facts.property("batches", count.saturating_sub(1).to_string());
    Some(cursor.position())
}

/// Reads one message's head; gives the length of its body, or nothing when that is not there.
fn message(head: &dyn Source, facts: &mut Facts, at: u64, rest: u64, budget: &Budget) -> Result<Option<u64>, Broken> {
    let buffer = FlatBuffer::new(head);
    let root = buffer.root()?;
    let (kind, body) = (root.u8(1)?.unwrap_or(0), root.u64(3)?.unwrap_or(0));
    if body > rest {
        facts.anomaly(at, Anomaly::OutOfBounds, format!("a batch of {body} bytes where {rest} are left"));
        return Ok(None);
    }
    match (kind, root.table(2)?) {
        (BATCH, Some(batch)) => columns(head, &batch, facts, at, body, budget)?,
        (DICTIONARY, Some(dictionary)) => {
            if let Some(batch) = dictionary.table(1)? {
                columns(head, &batch, facts, at, body, budget)?;
            }
        }
        (SCHEMA, _) => {}
        _ => facts.incomplete(at, Gap::Unsupported, format!("a message of kind {kind}")),
    }
    Ok(Some(body))
}

/// Every column within the body, and no more rows than there are bits for.
fn columns(
    head: &dyn Source,
    batch: &Table<'_>,
    facts: &mut Facts,
    at: u64,
    body: u64,
    budget: &Budget,
) -> Result<(), Broken> {
    let rows = batch.u64(0)?.unwrap_or(0);
    let mut bytes = 0u64;
    let Some(buffers) = batch.vector(2, 16)? else { return Ok(()) };
    if let Err(limit) = budget.operate(buffers.count) {
        facts.incomplete(at, Gap::Limit, limit.to_string());
        return Ok(());
    }
    for (offset, length) in places(head, &buffers) {
        if offset.checked_add(length).is_none_or(|end| end > body) {
            let detail = format!("a column has {length} bytes at {offset} of a batch of {body}");
            facts.anomaly(at, Anomaly::OutOfBounds, detail);
            return Ok(());
        }
        bytes = bytes.saturating_add(length);
    }
    let is_compressed = batch.has(3)?;
    if buffers.count > 0 && !is_compressed && rows > FREE_ROWS && rows / 8 > bytes {
        let detail = format!("a batch of {rows} rows on {bytes} bytes");
        facts.anomaly(at, Anomaly::AllocationBomb, detail);
    }
    Ok(())
}

/// Offset and length of each.
fn places(head: &dyn Source, buffers: &Vector<'_>) -> Vec<(u64, u64)> {
    let mut cursor = Cursor::new(head, buffers.start);
    (0..buffers.count).map_while(|_| Some((cursor.u64().ok()?, cursor.u64().ok()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{mutate, oddities};

    /// A message by hand: a batch of `rows`, with one column of `length` bytes, in a body of eight.
    fn batch(rows: u64, length: u64) -> Vec<u8> {
        let mut head = Vec::new();
        // The root, the fields of the message, and the message.
        head.extend(20u32.to_le_bytes());
        head.extend([12u16, 24, 0, 4, 8, 16].map(u16::to_le_bytes).concat());
        head.extend([0; 4]);
        head.extend(16i32.to_le_bytes());
        head.extend([3, 0, 0, 0]);
        head.extend((72u32 - 28).to_le_bytes());
        head.extend([0; 4]);
        head.extend(8u64.to_le_bytes());
        // The fields of the batch, and the batch.
        head.extend([10u16, 24, 8, 0, 16, 0].map(u16::to_le_bytes).concat());
        head.resize(72, 0);
        head.extend(28i32.to_le_bytes());
        head.resize(80, 0);
        head.extend(rows.to_le_bytes());
        head.extend(8u32.to_le_bytes());
        head.extend([0; 4]);
        head.extend(1u32.to_le_bytes());
        head.extend(0u64.to_le_bytes());
        head.extend(length.to_le_bytes());
        head.resize(head.len().next_multiple_of(8), 0);
        [u32::MAX.to_le_bytes().to_vec(), (head.len() as u32).to_le_bytes().to_vec(), head, vec![0; 8]].concat()
    }

    fn odd(bytes: &[u8]) -> Vec<String> {
        let mut facts = Facts::new();
        check(&bytes, 0, &Budget::small(), &mut facts);
        oddities(&facts)
    }

    #[test]
    fn columns_lie_within_their_batch() {
        assert!(odd(&batch(2, 8)).is_empty(), "{:?}", odd(&batch(2, 8)));
        assert_eq!(odd(&batch(2, 1 << 40)), ["OutOfBounds@0"]);
        assert_eq!(odd(&batch(1 << 40, 8)), ["AllocationBomb@0"]);
        let short = batch(2, 8);
        assert_eq!(odd(&short[..short.len() - 4]), ["OutOfBounds@0"]);
    }

    #[test]
    fn no_mutation_panics() {
        mutate(&batch(2, 8), 1500, |bytes| drop(odd(&bytes)));
    }
}
