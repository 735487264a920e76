//! xz, the older `.lzma` container, and LZMA as zip stores it.

use lzma_rust2::{LzmaReader, XzReader};

use super::feed::{Drain, Feed, damaged};
use super::{DecodeError, MAX_WINDOW};

/// First bytes of an xz stream.
const XZ_MAGIC: &[u8] = b"\xfd7zXZ\0";
/// What a decoder may allocate: the window and its own tables, in KiB.
const MEMORY_KIB: u32 = (MAX_WINDOW >> 10) as u32 + 1024;
/// The longest end marker.
const MAX_MARKER: u64 = 6;
/// The size that says: until the end marker.
const UNKNOWN: u64 = u64::MAX;

/// One xz stream after another, with zeros between them.
pub(super) fn xz(feed: &mut Feed<'_>, drain: &mut Drain<'_>) -> Result<(), DecodeError> {
    loop {
        drain.pull(&mut XzReader::new_mem_limit(&mut *feed, false, MEMORY_KIB))?;
        let end = feed.position();
        let zeros = feed.peek(4096).chunks_exact(4).take_while(|group| group.iter().all(|&byte| byte == 0)).count();
        feed.seek(end.saturating_add((zeros as u64).saturating_mul(4)));
        if feed.peek(XZ_MAGIC.len()) == XZ_MAGIC {
            continue;
        }
        if !feed.is_done() {
            feed.seek(end);
        }
        return Ok(());
    }
}

/// A `.lzma` file; or what zip makes of it, which is a header of its own and the decoded size elsewhere.
pub(super) fn lzma(feed: &mut Feed<'_>, drain: &mut Drain<'_>, declared: Option<u64>) -> Result<(), DecodeError> {
    let head = feed.peek(13);
    let reader = match *head.as_slice() {
        // Two bytes of version, the length of the properties, the properties. As `.lzma` this would be a dictionary
        // whose size no encoder chooses.
        [_, _, 5, 0, properties, a, b, c, d, ..] if properties < 225 => {
            let size = u32::from_le_bytes([a, b, c, d]);
            check_window(size)?;
            feed.array::<9>()?;
            // Both with and without end marker: the marker is obeyed where there is one.
            LzmaReader::new_with_props(&mut *feed, declared.unwrap_or(UNKNOWN), properties, size, None)
        }
        [_, a, b, c, d, ..] => {
            check_window(u32::from_le_bytes([a, b, c, d]))?;
            LzmaReader::new_mem_limit(&mut *feed, MEMORY_KIB, None)
        }
        _ => return Err(super::feed::ended()),
    };
    let mut reader = reader.map_err(|error| damaged(&error))?;
    reader.set_relaxed_end_condition(true);
    let result = drain.pull(&mut reader);
    let (_, unused) = reader.into_parts();
    feed.give_back(unused.len() as u64);
    // With a size from elsewhere the decoder stops before the end marker, should there be one.
    if declared.is_some() && feed.rest() <= MAX_MARKER {
        feed.consume_all();
    }
    result
}

fn check_window(size: u32) -> Result<(), DecodeError> {
    if u64::from(size) > MAX_WINDOW {
        return Err(DecodeError::Unsupported(format!("an LZMA dictionary of {size} bytes")));
    }
    Ok(())
}
