//! Numbers one after another in a block of bytes, in the sizes that the superblock chose.

/// How many bytes an address and a length take in this file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) offset: usize,
    pub(super) length: usize,
}

/// A forward reader over a block. Every read fails quietly at its end.
#[derive(Debug, Clone)]
pub(super) struct Fields<'b> {
    bytes: &'b [u8],
    next: usize,
    sizes: Sizes,
}

impl<'b> Fields<'b> {
    pub(super) fn new(bytes: &'b [u8], sizes: Sizes) -> Self {
        Self { bytes, next: 0, sizes }
    }

    /// How many bytes have been read.
    pub(super) fn position(&self) -> usize {
        self.next
    }

    pub(super) fn rest(&self) -> &'b [u8] {
        self.bytes.get(self.next..).unwrap_or_default()
    }

    pub(super) fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let end = self.next.checked_add(count)?;
        let part = self.bytes.get(self.next..end)?;
        self.next = end;
        Some(part)
    }

    pub(super) fn skip(&mut self, count: usize) -> Option<()> {
        self.take(count).map(|_| ())
    }

    /// A little-endian number of so many bytes; `None` also when it does not fit 64 bits.
    pub(super) fn number(&mut self, size: usize) -> Option<u64> {
        let bytes = self.take(size)?;
        let (low, high) = bytes.split_at_checked(8).unwrap_or((bytes, &[]));
        if high.iter().any(|byte| *byte != 0) {
            return None;
        }
        Some(low.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.number(2).and_then(|value| u16::try_from(value).ok())
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.number(4).and_then(|value| u32::try_from(value).ok())
    }

    pub(super) fn length(&mut self) -> Option<u64> {
        self.number(self.sizes.length)
    }

    /// An address; the inner `None` is the undefined one, all bits set.
    pub(super) fn address(&mut self) -> Option<Option<u64>> {
        let size = self.sizes.offset;
        let undefined = self.rest().get(..size)?.iter().all(|byte| *byte == 0xFF);
        if undefined {
            self.skip(size)?;
            return Some(None);
        }
        self.number(size).map(Some)
    }

    /// A number as wide as an address that is none: the offset of a name in its heap.
    pub(super) fn heap_offset(&mut self) -> Option<u64> {
        self.number(self.sizes.offset)
    }

    /// Text up to a zero byte, which is read too.
    pub(super) fn text(&mut self) -> Option<String> {
        let length = self.rest().iter().position(|byte| *byte == 0)?;
        let text = String::from_utf8_lossy(self.take(length)?).into_owned();
        self.skip(1)?;
        Some(text)
    }
}

/// Bytes that a number up to `most` takes: the library's own way to count them.
pub(super) fn bytes_for(most: u64) -> usize {
    let bits = most.checked_ilog2().unwrap_or(0);
    usize::try_from(bits / 8).unwrap_or(0).saturating_add(1)
}
