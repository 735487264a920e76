//! Where bytes come from: anything with a length that can be read at an offset.
//!
//! A file, a slice in memory, a member of an archive and an object behind ranged requests all look the same
//! to a parser, so one parser serves a disk, a zip in a tar and a gateway.

use std::fmt;

/// Why bytes could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The source ends before the bytes that were asked for.
    #[error("the data end before they should")]
    End,
    /// The bytes exist but the operating system or the transport refused them.
    #[error("{0}")]
    Refused(String),
}

/// Bytes of known length, readable at any offset.
pub trait Source: Sync {
    /// How many bytes there are.
    fn len(&self) -> u64;

    /// Reads at `offset` into `buffer`; returns how many bytes were read, 0 only at the end or for an empty buffer.
    ///
    /// # Errors
    /// [`ReadError::Refused`] when bytes that exist cannot be read.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError>;

    /// True when there is not one byte.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Debug for dyn Source + '_ {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Source({} bytes)", self.len())
    }
}

impl Source for &[u8] {
    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(<[u8]>::len(self));
        let available = self.get(start..).unwrap_or_default();
        let count = available.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), available.get(..count)) {
            to.copy_from_slice(from);
        }
        Ok(count)
    }
}

impl Source for Vec<u8> {
    fn len(&self) -> u64 {
        Source::len(&self.as_slice())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        self.as_slice().read_at(offset, buffer)
    }
}

/// A range of another source, cut to what really exists there.
#[derive(Debug, Clone, Copy)]
pub struct Window<'a> {
    source: &'a dyn Source,
    start: u64,
    length: u64,
}

impl<'a> Window<'a> {
    /// The bytes `start..start + length` of `source`, or as many of them as there are.
    #[must_use]
    pub fn new(source: &'a dyn Source, start: u64, length: u64) -> Self {
        let start = start.min(source.len());
        let length = length.min(source.len().saturating_sub(start));
        Self { source, start, length }
    }
}

impl Source for Window<'_> {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let available = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let count = buffer.len().min(available);
        match buffer.get_mut(..count) {
            Some(part) if count > 0 => self.source.read_at(self.start.saturating_add(offset), part),
            _ => Ok(0),
        }
    }
}

/// Fills `buffer` from `offset`.
///
/// # Errors
/// [`ReadError::End`] when the source is too short, [`ReadError::Refused`] when it cannot be read.
pub fn read_exact_at(source: &dyn Source, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
    let mut done = 0usize;
    while done < buffer.len() {
        let rest = buffer.get_mut(done..).unwrap_or_default();
        let count = source.read_at(offset.saturating_add(done as u64), rest)?;
        if count == 0 {
            return Err(ReadError::End);
        }
        done = done.saturating_add(count);
    }
    Ok(())
}

/// Reads up to `most` bytes at `offset`: fewer when the source ends, or cannot be read further.
#[must_use]
pub fn read_up_to(source: &dyn Source, offset: u64, most: usize) -> Vec<u8> {
    let available = usize::try_from(source.len().saturating_sub(offset)).unwrap_or(usize::MAX);
    let mut bytes = vec![0; most.min(available)];
    let mut done = 0usize;
    while let Some(rest) = bytes.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match source.read_at(offset.saturating_add(done as u64), rest) {
            Ok(count) if count > 0 => done = done.saturating_add(count),
            _ => break,
        }
    }
    bytes.truncate(done);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_never_shows_what_lies_outside_it() {
        let bytes = b"0123456789".to_vec();
        let window = Window::new(&bytes, 2, 4);
        assert_eq!(read_up_to(&window, 0, 100), b"2345");
        assert_eq!(read_up_to(&window, 3, 100), b"5");
        assert_eq!(read_up_to(&window, 4, 100), b"");
    }

    #[test]
    fn a_window_past_the_end_is_empty() {
        let bytes = b"0123".to_vec();
        assert!(Window::new(&bytes, u64::MAX, u64::MAX).is_empty());
        assert_eq!(Window::new(&bytes, 3, u64::MAX).len(), 1);
    }

    #[test]
    fn reading_past_the_end_says_so() {
        let mut buffer = [0; 4];
        assert_eq!(read_exact_at(&b"012".as_slice(), 0, &mut buffer), Err(ReadError::End));
    }
}
