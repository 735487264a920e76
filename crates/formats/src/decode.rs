//! The bytes of a child, decoded as a stream: bounded in memory, paid for, and as forgiving as a loader.
//!
//! A wrong checksum does not stop anything, because it does not stop every loader either; it is noted. Damage stops the
//! decoding but not the analysis: what came out before it has been written, and a loader may have acted on it by then.

mod base64;
mod deflate;
pub(crate) mod feed;
mod frames;
mod hex;
mod latin1;
mod lzma;
mod wide;
mod zstd;

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub(crate) use deflate::{gzip_header, inflates};

use crate::budget::{Budget, Exhausted};
use crate::child::{Child, Encoding};
use crate::source::{ReadError, Source, Window};
use feed::{Drain, Feed};

/// Bytes decoded and paid for at once.
const CHUNK: usize = 64 * 1024;
/// Decoded bytes below which nobody is harmed, whatever the ratio.
pub const BOMB_BYTES: u64 = 64 << 20;
/// Decoded bytes per stored byte above which nothing honest is stored.
/// Deflate reaches 1,032 on zeros, and large arrays of zeros are honest.
pub const BOMB_RATIO: u64 = 1100;
/// The largest dictionary or window that is allocated.
pub(crate) const MAX_WINDOW: u64 = 64 << 20;

/// What was decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decoded {
    /// Decoded bytes, all of them written.
    pub bytes: u64,
    /// Stored bytes they came from.
    pub consumed: u64,
    /// Stored bytes behind the end of the stream, which the stream's own reader does not look at.
    pub trailing: u64,
    /// Whether every checksum in the stream was right. A stream without one counts as right.
    pub checksum_ok: bool,
}

/// Why decoding stopped. What was decoded until then has been written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The budget was met.
    #[error(transparent)]
    Exhausted(#[from] Exhausted),
    /// Far more comes out than goes in.
    #[error("more than {BOMB_RATIO} times as much comes out as is stored")]
    Bomb,
    /// The stream breaks its own rules, or ends before its end.
    #[error("{0}")]
    Damaged(String),
    /// A feature that is not read here, or a window too large to allocate for a stranger.
    #[error("{0}")]
    Unsupported(String),
    /// The stored bytes could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The decoded bytes could not be written.
    #[error("{0}")]
    Write(String),
}

/// Decodes `child` of `parent` into `out`.
///
/// # Errors
/// When decoding stops before the end of the stream; what was decoded until then has been written.
pub fn decode(
    parent: &dyn Source,
    child: &Child,
    budget: &Budget,
    out: &mut dyn Write,
) -> Result<Decoded, DecodeError> {
    let window = Window::new(parent, child.offset, child.length);
    let mut feed = Feed::new(window);
    let mut drain = Drain::new(out, budget, window.len());
    let result = guarded(|| run(&window, child, &mut feed, &mut drain));
    drain.flush()?;
    // A source that stopped reading looks like a stream that ends too early; the source's own word is better.
    if let Some(error) = feed.failure() {
        return Err(DecodeError::Read(error));
    }
    result?;
    let consumed = feed.consumed();
    Ok(Decoded {
        bytes: drain.written(),
        consumed,
        trailing: window.len().saturating_sub(consumed),
        checksum_ok: drain.checksum_ok(),
    })
}

fn run(window: &Window<'_>, child: &Child, feed: &mut Feed<'_>, drain: &mut Drain<'_>) -> Result<(), DecodeError> {
    match child.encoding {
        Encoding::Stored => feed.copy(drain),
        Encoding::Deflate => deflate::raw(feed, drain),
        Encoding::Zlib => deflate::zlib(feed, drain),
        Encoding::Gzip => deflate::gzip(feed, drain),
        Encoding::Bzip2 => frames::bzip2(feed, drain),
        Encoding::Xz => lzma::xz(feed, drain),
        Encoding::Lzma => lzma::lzma(feed, drain, child.declared),
        Encoding::Zstd => zstd::zstd(feed, drain),
        Encoding::Lz4 => frames::lz4(feed, drain),
        Encoding::Hex => hex::hex(feed, drain),
        Encoding::Latin1 => latin1::latin1(feed, drain),
        Encoding::Wide { width, big } => wide::wide(feed, drain, width, big),
        Encoding::Base64 => base64::base64(feed, drain),
        Encoding::SevenZip { index } => {
            feed.consume_all();
            crate::sevenzip::decode(window, index, drain)
        }
    }
}

/// Other people's decoders are meant not to panic. Should one do so on bytes made for it, only this child is lost.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, DecodeError>) -> Result<T, DecodeError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(DecodeError::Damaged("the decoder gave up on these bytes".into())))
}

#[cfg(test)]
pub(crate) mod tests;
