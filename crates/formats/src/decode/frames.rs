//! bzip2 and LZ4: frames that may follow one another.

use std::io::BufRead;

use bzip2::{Decompress, Status};

use super::feed::{Drain, Feed, ended};
use super::{CHUNK, DecodeError};

/// A frame of LZ4, and the format before it.
const LZ4_MAGIC: u32 = 0x184d_2204;
const LZ4_LEGACY_MAGIC: u32 = 0x184c_2102;
/// Frames to be passed over, in LZ4 and in Zstandard; the last four bits are the writer's.
const SKIPPABLE_MAGIC: u32 = 0x184d_2a50;

/// One bzip2 stream after another.
pub(super) fn bzip2(feed: &mut Feed<'_>, drain: &mut Drain<'_>) -> Result<(), DecodeError> {
    loop {
        bzip2_stream(feed, drain)?;
        if feed.peek(3) != b"BZh" {
            return Ok(());
        }
    }
}

fn bzip2_stream(feed: &mut Feed<'_>, drain: &mut Drain<'_>) -> Result<(), DecodeError> {
    let mut decoder = Decompress::new(false);
    let mut buffer = vec![0; CHUNK];
    loop {
        let (before_in, before_out) = (decoder.total_in(), decoder.total_out());
        let result = decoder.decompress(feed.chunk(), &mut buffer);
        let taken = usize::try_from(decoder.total_in().saturating_sub(before_in)).unwrap_or(0);
        let given = usize::try_from(decoder.total_out().saturating_sub(before_out)).unwrap_or(0);
        feed.consume(taken);
        drain.push(buffer.get(..given).unwrap_or_default())?;
        match result {
            Ok(Status::StreamEnd) => return Ok(()),
            Ok(_) if taken == 0 && given == 0 => return Err(ended()),
            Ok(_) => {}
            Err(error) => return Err(DecodeError::Damaged(error.to_string())),
        }
    }
}

/// One LZ4 frame after another.
pub(super) fn lz4(feed: &mut Feed<'_>, drain: &mut Drain<'_>) -> Result<(), DecodeError> {
    let mut first = true;
    loop {
        if skip_frame(feed)? {
            first = false;
            continue;
        }
        let magic = magic(feed);
        if magic != Some(LZ4_MAGIC) && magic != Some(LZ4_LEGACY_MAGIC) {
            return if first { Err(DecodeError::Damaged("not an LZ4 frame".into())) } else { Ok(()) };
        }
        drain.pull(&mut lz4_flex::frame::FrameDecoder::new(&mut *feed))?;
        first = false;
    }
}

/// The next four bytes as a number, without taking them.
pub(super) fn magic(feed: &Feed<'_>) -> Option<u32> {
    feed.peek(4).try_into().ok().map(u32::from_le_bytes)
}

/// Passes over one frame that says of itself that it is to be passed over.
pub(super) fn skip_frame(feed: &mut Feed<'_>) -> Result<bool, DecodeError> {
    if magic(feed).is_none_or(|magic| magic & !0xf != SKIPPABLE_MAGIC) {
        return Ok(false);
    }
    feed.array::<4>()?;
    let length = u32::from_le_bytes(feed.array()?);
    feed.seek(feed.position().saturating_add(length.into()));
    Ok(true)
}
