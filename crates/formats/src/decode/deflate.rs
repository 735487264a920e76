//! Deflate, bare and in its two wrappers. The wrappers are read here rather than by a library, because a library stops at
//! a wrong checksum and a loader need not.

use std::io::BufRead;

use flate2::{Decompress, FlushDecompress, Status};

use super::feed::{Check, Drain, Feed, ended};
use super::{CHUNK, DecodeError};

/// First bytes of a gzip member, with the only method there is.
pub(crate) const GZIP_MAGIC: &[u8] = b"\x1f\x8b\x08";
/// Flags of a gzip header.
const HEADER_CHECKSUM: u8 = 2;
const EXTRA: u8 = 4;
const NAME: u8 = 8;
const COMMENT: u8 = 16;
/// The most that is read of a name or comment.
const MAX_TEXT: usize = 64 * 1024;

/// Bare deflate.
pub(super) fn raw(feed: &mut Feed<'_>, drain: &mut Drain<'_>) -> Result<(), DecodeError> {
    let mut inflate = Decompress::new(false);
    let mut buffer = vec![0; CHUNK];
    loop {
        let (before_in, before_out) = (inflate.total_in(), inflate.total_out());
        let input = feed.chunk();
        let at_end = input.is_empty();
        let result = inflate.decompress(input, &mut buffer, FlushDecompress::None);
        let taken = usize::try_from(inflate.total_in().saturating_sub(before_in)).unwrap_or(0);
        let given = usize::try_from(inflate.total_out().saturating_sub(before_out)).unwrap_or(0);
        feed.consume(taken);
        drain.push(buffer.get(..given).unwrap_or_default())?;
        match result {
            Ok(Status::StreamEnd) => return Ok(()),
            Ok(_) if taken == 0 && given == 0 && at_end => return Err(ended()),
            Ok(Status::BufError) if taken == 0 && given == 0 => return Err(ended()),
            Ok(_) => {}
            Err(error) => return Err(DecodeError::Damaged(error.to_string())),
        }
    }
}

/// A zlib stream.
pub(super) fn zlib(feed: &mut Feed<'_>, drain: &mut Drain<'_>) -> Result<(), DecodeError> {
    let [method, flags] = feed.array()?;
    if method & 0x0f != 8 || u16::from_be_bytes([method, flags]) % 31 != 0 {
        return Err(DecodeError::Damaged("not a zlib header".into()));
    }
    if flags & 0x20 != 0 {
        return Err(DecodeError::Unsupported("a zlib stream with a dictionary of its own".into()));
    }
    drain.start(Check::Adler32(1, 0));
    raw(feed, drain)?;
    drain.compare(u32::from_be_bytes(feed.array()?));
    Ok(())
}

/// One gzip member after another.
pub(super) fn gzip(feed: &mut Feed<'_>, drain: &mut Drain<'_>) -> Result<(), DecodeError> {
    loop {
        gzip_header(feed)?;
        drain.start(Check::Crc32(flate2::Crc::new()));
        let before = drain.written();
        raw(feed, drain)?;
        drain.compare(u32::from_le_bytes(feed.array()?));
        let length = u32::from_le_bytes(feed.array()?);
        drain.note(u64::from(length) == drain.written().saturating_sub(before) & 0xffff_ffff);
        if !next_member(feed) {
            return Ok(());
        }
    }
}

/// Passes over the zeros between members and says whether another one follows. Zeros to the end belong to the stream,
/// as readers see it; anything else behind it does not.
fn next_member(feed: &mut Feed<'_>) -> bool {
    let end = feed.position();
    loop {
        let chunk = feed.chunk();
        if chunk.is_empty() {
            return false;
        }
        let zeros = chunk.iter().take_while(|&&byte| byte == 0).count();
        let stopped = zeros < chunk.len();
        feed.consume(zeros);
        if stopped {
            let follows = feed.peek(GZIP_MAGIC.len()) == GZIP_MAGIC;
            if !follows {
                feed.seek(end);
            }
            return follows;
        }
    }
}

/// What a gzip header says beside how to decode.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct GzipHeader {
    /// Name of the file that was compressed.
    pub(crate) name: Option<String>,
    /// A comment.
    pub(crate) comment: Option<String>,
    /// Length of the extra field.
    pub(crate) extra: u16,
}

/// Reads a gzip header.
pub(crate) fn gzip_header(feed: &mut Feed<'_>) -> Result<GzipHeader, DecodeError> {
    let fixed: [u8; 10] = feed.array()?;
    let [_, _, _, flags, ..] = fixed;
    if !fixed.starts_with(GZIP_MAGIC) {
        return Err(DecodeError::Damaged("not a gzip header".into()));
    }
    let mut header = GzipHeader::default();
    if flags & EXTRA != 0 {
        header.extra = u16::from_le_bytes(feed.array()?);
        feed.seek(feed.position().saturating_add(header.extra.into()));
    }
    if flags & NAME != 0 {
        header.name = Some(text(feed)?);
    }
    if flags & COMMENT != 0 {
        header.comment = Some(text(feed)?);
    }
    if flags & HEADER_CHECKSUM != 0 {
        feed.array::<2>()?;
    }
    Ok(header)
}

/// Text up to a zero byte, in Latin-1.
fn text(feed: &mut Feed<'_>) -> Result<String, DecodeError> {
    let mut text = String::new();
    for _ in 0..MAX_TEXT {
        let [byte] = feed.array()?;
        if byte == 0 {
            return Ok(text);
        }
        text.push(char::from(byte));
    }
    Err(DecodeError::Unsupported(format!("a name in a gzip header of more than {MAX_TEXT} bytes")))
}

/// Whether the first bytes of bare deflate decode to something, to tell a stream from two bytes that look like its header.
pub(crate) fn inflates(head: &[u8]) -> bool {
    let mut buffer = [0; 64];
    let mut inflate = Decompress::new(false);
    match inflate.decompress(head, &mut buffer, FlushDecompress::None) {
        Ok(Status::StreamEnd) => true,
        Ok(_) => inflate.total_out() > 0,
        Err(_) => false,
    }
}
