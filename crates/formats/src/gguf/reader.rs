//! Numbers and strings of a GGUF file, in its byte order and its version's widths.

use crate::cursor::Cursor;
use crate::source::{ReadError, Source};

/// Bytes of a string that are kept; the rest is passed over.
pub(super) const MAX_KEPT: usize = 4 << 20;

/// A string: as much of it as is kept.
#[derive(Debug, Default)]
pub(super) struct Text {
    pub(super) bytes: Vec<u8>,
    pub(super) length: u64,
}

impl Text {
    pub(super) fn is_cut(&self) -> bool {
        (self.bytes.len() as u64) < self.length
    }

    pub(super) fn to_text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// Whether what was kept is UTF-8; a cut within a character does not count.
    pub(super) fn is_utf8(&self) -> bool {
        match std::str::from_utf8(&self.bytes) {
            Ok(_) => true,
            Err(error) => self.is_cut() && error.error_len().is_none(),
        }
    }
}

/// The file as a stream.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    cursor: Cursor<'a>,
    pub(super) is_big: bool,
    /// Version 1 counts with 32 bits.
    pub(super) is_narrow: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(source: &'a dyn Source, offset: u64) -> Self {
        Self { cursor: Cursor::new(source, offset), is_big: false, is_narrow: false }
    }

    pub(super) fn position(&self) -> u64 {
        self.cursor.position()
    }

    pub(super) fn remaining(&self) -> u64 {
        self.cursor.remaining()
    }

    pub(super) fn u32(&mut self) -> Result<u32, ReadError> {
        let value = self.cursor.u32()?;
        Ok(if self.is_big { value.swap_bytes() } else { value })
    }

    pub(super) fn u64(&mut self) -> Result<u64, ReadError> {
        let value = self.cursor.u64()?;
        Ok(if self.is_big { value.swap_bytes() } else { value })
    }

    /// A count or a length.
    pub(super) fn count(&mut self) -> Result<u64, ReadError> {
        if self.is_narrow { Ok(u64::from(self.u32()?)) } else { self.u64() }
    }

    /// A number of `width` bytes, as bits.
    pub(super) fn bits(&mut self, width: u64) -> Result<u64, ReadError> {
        let big = self.is_big;
        let bytes = self.cursor.take(usize::try_from(width).unwrap_or(8).min(8))?;
        let push = |value: u64, byte: &u8| value.wrapping_shl(8) | u64::from(*byte);
        Ok(if big { bytes.iter().fold(0, push) } else { bytes.iter().rev().fold(0, push) })
    }

    pub(super) fn skip(&mut self, count: u64) -> Result<(), ReadError> {
        self.cursor.skip(count)
    }

    /// A string, keeping at most `most` bytes of it.
    pub(super) fn text(&mut self, most: usize) -> Result<Text, ReadError> {
        let length = self.count()?;
        if length > self.remaining() {
            return Err(ReadError::End);
        }
        let kept = usize::try_from(length).unwrap_or(usize::MAX).min(most);
        let bytes = self.cursor.take(kept)?.to_vec();
        self.cursor.skip(length.saturating_sub(kept as u64))?;
        Ok(Text { bytes, length })
    }
}
