//! TFRecord: records with their length and checksums. What is in them is up to whoever wrote them: examples, mostly.

use super::crc32c::{masked, masked_range};
use crate::child::Role;
use crate::cursor::Cursor;
use crate::fact::{Anomaly, Gap};
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::source::{ReadError, Source};

/// Records whose checksums are verified; those of the rest would cost as much as reading all of the file.
const MAX_VERIFIED: u64 = 64;
/// Larger records are not read for their checksum.
const MAX_CHECKED: u64 = 1 << 20;

static META: Meta = Meta {
    id: "tfrecord",
    title: "TFRecord",
    extensions: &["tfrecord", "tfrecords"],
    depth: Depth::Surface,
    reads: "the length of every record and its checksum, and the checksums of the first records' data",
    specification: "https://www.tensorflow.org/tutorials/load_data/tfrecord",
};

/// The format.
#[derive(Debug)]
pub struct TfRecord;

impl Format for TfRecord {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        let (length, stored) = probe.head.split_at_checked(8).filter(|_| probe.role == Role::Unknown)?;
        let stored = u32::from_le_bytes(stored.get(..4)?.try_into().ok()?);
        (masked(length) == stored).then_some(Certainty::Likely)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let mut cursor = Cursor::new(source, 0);
        let mut records = 0u64;
        while cursor.remaining() > 0 {
            if let Err(limit) = context.budget.operate(1) {
                return facts.incomplete(cursor.position(), Gap::Limit, limit.to_string());
            }
            let start = cursor.position();
            match record(&mut cursor, source, context, records < MAX_VERIFIED) {
                Ok(true) => records = records.saturating_add(1),
                Ok(false) => {
                    facts.anomaly(start, Anomaly::ChecksumMismatch, "a record's checksum is wrong");
                    return facts.incomplete(start, Gap::Unreadable, "what follows cannot be told apart");
                }
                Err(ReadError::End) => {
                    return facts.anomaly(start, Anomaly::OutOfBounds, "a record goes on after the file's end");
                }
                Err(ReadError::Refused(reason)) => return facts.incomplete(start, Gap::Unreadable, reason),
            }
        }
        facts.property("records", records.to_string());
    }
}

/// Passes over a record; false when a checksum is wrong.
fn record(
    cursor: &mut Cursor<'_>,
    source: &dyn Source,
    context: &Context<'_>,
    verifies: bool,
) -> Result<bool, ReadError> {
    let length: [u8; 8] = cursor.take(8)?.try_into().map_err(|_| ReadError::End)?;
    if masked(&length) != cursor.u32()? {
        return Ok(false);
    }
    let (start, length) = (cursor.position(), u64::from_le_bytes(length));
    cursor.skip(length)?;
    let stored = cursor.u32()?;
    let verifies = verifies && length <= MAX_CHECKED;
    Ok(!verifies || masked_range(source, start, length, context.budget) == Some(stored))
}
