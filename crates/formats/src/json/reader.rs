//! Bytes of a range of a source, one look ahead, in chunks of bounded size.

use crate::source::{Source, Window, read_up_to};

/// How much is read at once.
const CHUNK: usize = 64 * 1024;

/// A forward reader with one byte of look-ahead.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    window: Window<'a>,
    base: u64,
    buffer: Vec<u8>,
    /// Offset of the buffer's first byte, from the start of the window.
    start: u64,
    next: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(source: &'a dyn Source, start: u64, length: u64) -> Self {
        let window = Window::new(source, start, length);
        Self { window, base: start, buffer: Vec::new(), start: 0, next: 0 }
    }

    /// Offset of the next byte in the source.
    pub(super) fn position(&self) -> u64 {
        self.base.saturating_add(self.inner())
    }

    fn inner(&self) -> u64 {
        self.start.saturating_add(self.next as u64)
    }

    /// True when the source has bytes that could not be read.
    pub(super) fn is_cut(&self) -> bool {
        self.inner() < self.window.len()
    }

    /// The bytes at hand, at least one unless the range has ended.
    pub(super) fn at_hand(&mut self) -> &[u8] {
        if self.next >= self.buffer.len() {
            self.start = self.inner();
            self.buffer = read_up_to(&self.window, self.start, CHUNK);
            self.next = 0;
        }
        self.buffer.get(self.next..).unwrap_or_default()
    }

    #[inline]
    pub(super) fn peek(&mut self) -> Option<u8> {
        match self.buffer.get(self.next) {
            Some(&byte) => Some(byte),
            None => self.at_hand().first().copied(),
        }
    }

    #[inline]
    pub(super) fn bump(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.next = self.next.saturating_add(1);
        Some(byte)
    }

    /// Passes over bytes at hand.
    pub(super) fn advance(&mut self, count: usize) {
        self.next = self.next.saturating_add(count).min(self.buffer.len());
    }
}
