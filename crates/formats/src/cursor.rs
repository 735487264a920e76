//! Sequential reading over a [`Source`], buffered and bounded.

use crate::source::{ReadError, Source};

/// How much is read ahead at once.
const READ_AHEAD: usize = 64 * 1024;
/// How much is read ahead where a value is looked up and left again.
const READ_LITTLE: usize = 256;

/// The most bytes that may be asked for as one slice.
pub const MAX_TAKE: usize = 16 * 1024 * 1024;

/// A position in a source with a buffer behind it. All numbers are little-endian unless the name says otherwise.
#[derive(Debug)]
pub struct Cursor<'a> {
    source: &'a dyn Source,
    length: u64,
    buffer: Vec<u8>,
    /// How many bytes of the buffer are read from the source; what is behind them is left from before.
    filled: usize,
    /// Offset in the source of the first buffered byte.
    start: u64,
    /// Next unread byte, as an index into the buffer.
    next: usize,
    /// How much is read at once.
    read_ahead: usize,
}

macro_rules! numbers {
    ($($name:ident $type:ty),*) => {$(
        /// Reads one number.
        ///
        /// # Errors
        /// As [`Cursor::take`].
        #[inline]
        pub fn $name(&mut self) -> Result<$type, ReadError> {
            let bytes = self.take(size_of::<$type>())?;
            Ok(<$type>::from_le_bytes(bytes.try_into().map_err(|_| ReadError::End)?))
        }
    )*};
}

impl<'a> Cursor<'a> {
    /// Starts at `offset`.
    #[must_use]
    pub fn new(source: &'a dyn Source, offset: u64) -> Self {
        Self {
            source,
            length: source.len(),
            buffer: Vec::new(),
            filled: 0,
            start: offset,
            next: 0,
            read_ahead: READ_AHEAD,
        }
    }

    /// Starts at `offset` to read little: one value, say.
    #[must_use]
    pub fn sparing(source: &'a dyn Source, offset: u64) -> Self {
        Self { read_ahead: READ_LITTLE, ..Self::new(source, offset) }
    }

    /// Offset of the next byte.
    #[must_use]
    #[inline]
    pub fn position(&self) -> u64 {
        self.start.saturating_add(self.next as u64)
    }

    /// Length of the whole source.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Bytes left to read.
    #[must_use]
    #[inline]
    pub fn remaining(&self) -> u64 {
        self.length.saturating_sub(self.position())
    }

    /// Continues at `offset`, keeping the buffer where it can.
    #[inline]
    pub fn seek(&mut self, offset: u64) {
        match offset.checked_sub(self.start).and_then(|index| usize::try_from(index).ok()) {
            Some(index) if index <= self.filled => self.next = index,
            _ => {
                self.filled = 0;
                self.start = offset;
                self.next = 0;
            }
        }
    }

    /// Passes over `count` bytes without reading them.
    ///
    /// # Errors
    /// [`ReadError::End`] when there are fewer.
    #[inline]
    pub fn skip(&mut self, count: u64) -> Result<(), ReadError> {
        if count > self.remaining() {
            return Err(ReadError::End);
        }
        self.seek(self.position().saturating_add(count));
        Ok(())
    }

    /// Reads one byte.
    ///
    /// # Errors
    /// As [`Cursor::take`].
    #[inline]
    pub fn byte(&mut self) -> Result<u8, ReadError> {
        if self.next < self.filled
            && let Some(&byte) = self.buffer.get(self.next)
        {
            self.next = self.next.saturating_add(1);
            return Ok(byte);
        }
        Ok(*self.take(1)?.first().ok_or(ReadError::End)?)
    }

    numbers!(u16 u16, u32 u32, u64 u64, i32 i32, i64 i64);

    /// Reads exactly `count` bytes, at most [`MAX_TAKE`].
    ///
    /// # Errors
    /// [`ReadError::End`] when there are fewer, [`ReadError::Refused`] when they cannot be read or are too many.
    #[inline]
    pub fn take(&mut self, count: usize) -> Result<&[u8], ReadError> {
        if count > self.filled.saturating_sub(self.next) {
            self.fill(count)?;
        }
        let from = self.next;
        self.next = from.saturating_add(count);
        self.buffer.get(from..self.next).ok_or(ReadError::End)
    }

    /// The bytes that are buffered and not read yet; none may mean that more have to be asked for.
    #[must_use]
    #[inline]
    pub fn at_hand(&self) -> &[u8] {
        self.buffer.get(self.next..self.filled).unwrap_or_default()
    }

    /// Passes over bytes at hand.
    #[inline]
    pub fn pass(&mut self, count: usize) {
        self.next = self.next.saturating_add(count).min(self.filled);
    }

    /// Reads up to and past the next newline, which is not part of the result.
    ///
    /// # Errors
    /// [`ReadError::End`] when no newline comes within `most` bytes or before the end; nothing is consumed then.
    pub fn line(&mut self, most: usize) -> Result<&[u8], ReadError> {
        let mut searched = 0usize;
        loop {
            let unread = self.buffer.get(self.next..self.filled).unwrap_or_default();
            let fresh = unread.get(searched..).unwrap_or_default();
            if let Some(found) = fresh.iter().position(|&byte| byte == b'\n') {
                let length = searched.saturating_add(found);
                let from = self.next;
                let to = from.saturating_add(length);
                self.next = to.saturating_add(1);
                return self.buffer.get(from..to).ok_or(ReadError::End);
            }
            searched = unread.len();
            if searched >= most || searched as u64 >= self.remaining() {
                return Err(ReadError::End);
            }
            // Twice as much each time, or a long line would be copied once for each buffer that it takes.
            let more = searched.saturating_mul(2).min(MAX_TAKE).max(searched.saturating_add(1));
            self.fill(usize::try_from(self.remaining()).map_or(more, |remaining| more.min(remaining)))?;
        }
    }

    /// Makes `count` bytes available behind `next`. Rare, and kept out of the way of what is not.
    #[cold]
    #[inline(never)]
    fn fill(&mut self, count: usize) -> Result<(), ReadError> {
        if count as u64 > self.remaining() {
            return Err(ReadError::End);
        }
        if count > MAX_TAKE {
            return Err(ReadError::Refused(format!("a single item of {count} bytes is over the limit")));
        }
        self.start = self.position();
        let unread = self.next.min(self.filled)..self.filled;
        let mut have = unread.len();
        self.buffer.copy_within(unread, 0);
        self.next = 0;
        let available = usize::try_from(self.remaining()).unwrap_or(usize::MAX);
        let wanted = count.max(self.read_ahead.min(available));
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        let mut failure = None;
        while have < wanted {
            let Some(rest) = self.buffer.get_mut(have..wanted) else { break };
            match self.source.read_at(self.start.saturating_add(have as u64), rest) {
                Ok(0) => break,
                Ok(read) => have = have.saturating_add(read),
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        self.filled = have;
        if have < count { Err(failure.unwrap_or(ReadError::End)) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_lines_advance() -> Result<(), ReadError> {
        let bytes = b"\x01\x00\x02\x00\x00\x00os\nsystem\nx".to_vec();
        let mut cursor = Cursor::new(&bytes, 0);
        assert_eq!(cursor.u16()?, 1);
        assert_eq!(cursor.u32()?, 2);
        assert_eq!(cursor.line(100)?, b"os");
        assert_eq!(cursor.line(100)?, b"system");
        assert_eq!(cursor.line(100), Err(ReadError::End));
        assert_eq!(cursor.byte()?, b'x');
        assert_eq!(cursor.byte(), Err(ReadError::End));
        Ok(())
    }

    #[test]
    fn lines_longer_than_the_buffer_are_found() -> Result<(), ReadError> {
        let mut bytes = vec![b'a'; READ_AHEAD * 2];
        bytes.push(b'\n');
        let mut cursor = Cursor::new(&bytes, 0);
        assert_eq!(cursor.line(READ_AHEAD * 3)?.len(), READ_AHEAD * 2);
        assert_eq!(cursor.remaining(), 0);
        Ok(())
    }

    #[test]
    fn a_huge_request_fails_without_allocating() {
        let bytes = b"abc".to_vec();
        assert_eq!(Cursor::new(&bytes, 0).take(usize::MAX), Err(ReadError::End));
        assert_eq!(Cursor::new(&bytes, 0).skip(u64::MAX), Err(ReadError::End));
    }
}
