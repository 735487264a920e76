//! What one analysis may cost. Every parser draws on the same budget, so nesting buys an attacker nothing.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Bytes that may come out of decoders below one file, whatever its size.
const FREE_EXPANSION: u64 = 512 << 20;
/// Bytes that may come out of decoders for each byte of the file.
const EXPANSION_PER_BYTE: u64 = 32;
/// Steps (pickle opcodes, JSON values, archive records) below one file.
const MAX_OPERATIONS: u64 = 400_000_000;
/// Archive members, over all levels, below one file.
const MAX_MEMBERS: u64 = 100_000;
/// Containers within containers.
pub const MAX_DEPTH: u32 = 12;

/// A limit that was met. What was read until then counts; what was not read is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Exhausted {
    /// Decoders produced more than may be expanded.
    #[error("far more bytes would have to be decompressed than a file of this size is worth")]
    Expansion,
    /// More parsing steps than allowed.
    #[error("more than {MAX_OPERATIONS} parsing steps would be needed")]
    Operations,
    /// More archive members than allowed.
    #[error("more than {MAX_MEMBERS} archive members")]
    Members,
}

/// Counters shared by everything below one file.
#[derive(Debug)]
pub struct Budget {
    expansion: AtomicU64,
    operations: AtomicU64,
    members: AtomicU64,
}

impl Default for Budget {
    fn default() -> Self {
        Self::for_size(0)
    }
}

impl Budget {
    /// The budget of a file of `size` bytes.
    #[must_use]
    pub fn for_size(size: u64) -> Self {
        let expansion = FREE_EXPANSION.saturating_add(size.saturating_mul(EXPANSION_PER_BYTE));
        Self::new(expansion, MAX_OPERATIONS, MAX_MEMBERS)
    }

    /// A budget of `expansion` decoded bytes, `operations` steps and `members` archive members.
    #[must_use]
    pub fn new(expansion: u64, operations: u64, members: u64) -> Self {
        Self { expansion: expansion.into(), operations: operations.into(), members: members.into() }
    }

    /// A small budget, for fuzzing and for guesses that must stay cheap.
    #[must_use]
    pub fn small() -> Self {
        Self::new(4 << 20, 1 << 20, 4096)
    }

    /// Pays for decoded bytes.
    ///
    /// # Errors
    /// [`Exhausted::Expansion`] when they are too many.
    pub fn expand(&self, bytes: u64) -> Result<(), Exhausted> {
        spend(&self.expansion, bytes).ok_or(Exhausted::Expansion)
    }

    /// Pays for parsing steps.
    ///
    /// # Errors
    /// [`Exhausted::Operations`] when they are too many.
    pub fn operate(&self, steps: u64) -> Result<(), Exhausted> {
        spend(&self.operations, steps).ok_or(Exhausted::Operations)
    }

    /// Pays for archive members.
    ///
    /// # Errors
    /// [`Exhausted::Members`] when they are too many.
    pub fn admit(&self, members: u64) -> Result<(), Exhausted> {
        spend(&self.members, members).ok_or(Exhausted::Members)
    }
}

/// Takes `amount` from `left`; an account that cannot pay is emptied, so that a limit once met stays met.
fn spend(left: &AtomicU64, amount: u64) -> Option<()> {
    let before = left.fetch_update(Relaxed, Relaxed, |left| Some(left.saturating_sub(amount))).unwrap_or(0);
    (before >= amount).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_once_met_stays_met() {
        let budget = Budget::new(10, 10, 10);
        assert_eq!(budget.expand(8), Ok(()));
        assert_eq!(budget.expand(3), Err(Exhausted::Expansion));
        assert_eq!(budget.expand(1), Err(Exhausted::Expansion));
        assert_eq!(budget.operate(10), Ok(()));
    }
}
