//! The bytes behind addresses.

use super::fields::{Fields, Sizes};
use crate::budget::Budget;
use crate::source::{Source, read_up_to};

/// The largest block of structure that is read at once.
const MAX_BLOCK: u64 = 16 << 20;

/// Bytes of a block that are paid for as one step.
pub(super) const BYTES_PER_STEP: u64 = 16;
/// Steps that a message of a header or a member of a group is worth: thousands of objects may share the same ones, and
/// each time they are taken apart and named.
pub(super) const RECORD: u64 = 64;

/// A file whose superblock has been read.
#[derive(Debug, Clone, Copy)]
pub(super) struct File<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) base: u64,
    pub(super) sizes: Sizes,
    pub(super) budget: &'a Budget,
}

impl<'a> File<'a> {
    /// Offset in the source of an address.
    pub(super) fn offset(&self, address: u64) -> u64 {
        self.base.saturating_add(address)
    }

    /// Whether a range lies within the file.
    pub(super) fn has(&self, address: u64, length: u64) -> bool {
        self.offset(address).checked_add(length).is_some_and(|end| end <= self.source.len())
    }

    /// Exactly `length` bytes of structure at an address.
    pub(super) fn block(&self, address: u64, length: u64) -> Option<Vec<u8>> {
        // Headers may name the same block again and again, and it is copied and summed up each time.
        self.budget.operate(1u64.saturating_add(length / BYTES_PER_STEP)).ok()?;
        if length > MAX_BLOCK || !self.has(address, length) {
            return None;
        }
        let length = usize::try_from(length).ok()?;
        let bytes = read_up_to(self.source, self.offset(address), length);
        (bytes.len() == length).then_some(bytes)
    }

    /// Up to `most` bytes at an address: what has no length of its own.
    pub(super) fn start(&self, address: u64, most: usize) -> Vec<u8> {
        if self.budget.operate(1).is_err() {
            return Vec::new();
        }
        read_up_to(self.source, self.offset(address), most)
    }

    pub(super) fn fields<'b>(&self, bytes: &'b [u8]) -> Fields<'b> {
        Fields::new(bytes, self.sizes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_that_is_read_again_and_again_is_paid_for_each_time() {
        let bytes = vec![0u8; 16_000];
        let budget = Budget::new(0, 10_000, 0);
        let sizes = Sizes { offset: 8, length: 8 };
        let file = File { source: &bytes, base: 0, sizes, budget: &budget };
        let read = (0..100).take_while(|_| file.block(0, 16_000).is_some()).count();
        assert_eq!(read, 9);
    }
}
