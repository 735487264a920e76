//! Zstandard frames.

use std::io::Read;

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::feed::{Drain, Feed};
use super::frames::{magic, skip_frame};
use super::{CHUNK, DecodeError, MAX_WINDOW};

const MAGIC: u32 = 0xfd2f_b528;

/// One frame after another.
pub(super) fn zstd(feed: &mut Feed<'_>, drain: &mut Drain<'_>) -> Result<(), DecodeError> {
    let mut first = true;
    loop {
        if skip_frame(feed)? {
            first = false;
            continue;
        }
        if magic(feed) != Some(MAGIC) {
            return if first { Err(DecodeError::Damaged("not a Zstandard frame".into())) } else { Ok(()) };
        }
        frame(feed, drain)?;
        first = false;
    }
}

fn frame(feed: &mut Feed<'_>, drain: &mut Drain<'_>) -> Result<(), DecodeError> {
    let start = feed.position();
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(MAX_WINDOW);
    decoder.init(&mut *feed).map_err(|error| header_error(&error.to_string()))?;
    let before = drain.written();
    while !decoder.is_finished() {
        let good = feed.position();
        if let Err(error) = decoder.decode_blocks(&mut *feed, BlockDecodingStrategy::UptoBlocks(1)) {
            drop(decoder);
            retained(feed, drain, start, good, before)?;
            return Err(DecodeError::Damaged(error.to_string()));
        }
        drain.pull(&mut decoder)?;
    }
    drain.pull(&mut decoder)?;
    let (stored, computed) = (decoder.get_checksum_from_data(), decoder.get_calculated_checksum());
    drain.note(stored.is_none() || stored == computed);
    Ok(())
}

/// The decoder keeps back a window of bytes until the frame ends, also when it never does. They come out by decoding the
/// good blocks again with one empty last block behind them.
fn retained(feed: &mut Feed<'_>, drain: &mut Drain<'_>, start: u64, good: u64, before: u64) -> Result<(), DecodeError> {
    /// A raw block of no bytes, the last of its frame, and room for the checksum that may be asked for.
    const LAST_BLOCK: &[u8] = &[1, 0, 0, 0, 0, 0, 0];
    feed.seek(start);
    let mut source = Read::take(&mut *feed, good.saturating_sub(start)).chain(LAST_BLOCK);
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(MAX_WINDOW);
    let mut known = drain.written().saturating_sub(before);
    if decoder.init(&mut source).is_err() {
        return Ok(());
    }
    let mut buffer = vec![0; CHUNK];
    loop {
        let more = !decoder.is_finished();
        if more && decoder.decode_blocks(&mut source, BlockDecodingStrategy::UptoBlocks(1)).is_err() {
            return Ok(());
        }
        while let Ok(count @ 1..) = decoder.read(&mut buffer) {
            drain.operate(count as u64 / 64)?;
            let skip = known.min(count as u64);
            known = known.saturating_sub(skip);
            drain.push(buffer.get(usize::try_from(skip).unwrap_or(count)..count).unwrap_or_default())?;
        }
        if !more {
            return Ok(());
        }
    }
}

fn header_error(text: &str) -> DecodeError {
    if text.contains("window") || text.contains("ictionary") {
        return DecodeError::Unsupported(text.to_owned());
    }
    DecodeError::Damaged(text.to_owned())
}
