//! The memo: values by index, dense as picklers write them, sparse as attackers may.

use std::collections::BTreeMap;

use super::value::Value;

/// Entries per block; a block is allocated when its first entry is written.
const BLOCK: usize = 1 << 14;
/// Entries of the dense part: 48 MiB of values.
const MAX_DENSE: usize = 6 << 20;
/// Entries beyond the dense part or far ahead of it.
const MAX_SPARSE: usize = 1 << 16;

/// Values by index.
#[derive(Debug, Default)]
pub(super) struct Memo {
    blocks: Vec<Vec<Option<Value>>>,
    sparse: BTreeMap<u64, Value>,
    entries: u64,
}

impl Memo {
    /// How many entries there are: the index that MEMOIZE writes next.
    pub(super) fn entries(&self) -> u64 {
        self.entries
    }

    pub(super) fn get(&self, index: u64) -> Option<Value> {
        let dense = usize::try_from(index).ok().and_then(|index| {
            let block = self.blocks.get(index.checked_div(BLOCK)?)?;
            *block.get(index.checked_rem(BLOCK)?)?
        });
        dense.or_else(|| self.sparse.get(&index).copied())
    }

    /// Writes an entry; false when there is no room for it.
    #[inline]
    pub(super) fn put(&mut self, index: u64, value: Value) -> bool {
        if index == self.entries && self.append(value) {
            return true;
        }
        let known = self.get(index).is_some();
        let written = if self.is_near(index) { self.put_dense(index, value) } else { self.put_sparse(index, value) };
        if written && !known {
            self.entries = self.entries.saturating_add(1);
        }
        written
    }

    /// Writes the next entry of a memo without gaps, as picklers do nearly always; false when it has gaps.
    #[inline]
    pub(super) fn append(&mut self, value: Value) -> bool {
        if !self.sparse.is_empty() {
            return false;
        }
        let full = |block: &Vec<Option<Value>>| block.len() == BLOCK;
        let before = self.blocks.len().saturating_sub(1).saturating_mul(BLOCK);
        let Some(last) = self.blocks.last_mut().filter(|block| !full(block)) else { return false };
        let next = before.saturating_add(last.len()) as u64;
        if next != self.entries || last.len() == last.capacity() {
            return false;
        }
        last.push(Some(value));
        self.entries = self.entries.saturating_add(1);
        true
    }

    /// Whether an index is within the blocks there are or the next one.
    fn is_near(&self, index: u64) -> bool {
        let room = self.blocks.len().saturating_add(1).saturating_mul(BLOCK).min(MAX_DENSE);
        index < room as u64 && !self.sparse.contains_key(&index)
    }

    fn put_dense(&mut self, index: u64, value: Value) -> bool {
        let Ok(index) = usize::try_from(index) else { return false };
        let (block, within) = (index.wrapping_div(BLOCK), index.wrapping_rem(BLOCK));
        while self.blocks.len() <= block {
            self.blocks.push(Vec::new());
        }
        let Some(block) = self.blocks.get_mut(block) else { return false };
        if block.len() <= within {
            block.reserve_exact(if block.is_empty() && within < 64 { 64 } else { BLOCK }.saturating_sub(block.len()));
            block.resize(within.saturating_add(1), None);
        }
        if let Some(entry) = block.get_mut(within) {
            *entry = Some(value);
        }
        true
    }

    fn put_sparse(&mut self, index: u64, value: Value) -> bool {
        if self.sparse.len() >= MAX_SPARSE && !self.sparse.contains_key(&index) {
            return false;
        }
        self.sparse.insert(index, value);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_takes_no_more_than_its_value() {
        assert_eq!(size_of::<Option<Value>>(), size_of::<Value>());
    }

    #[test]
    fn what_is_written_is_read_wherever_it_lies() {
        let mut memo = Memo::default();
        for index in [0, 1, BLOCK as u64 - 1, BLOCK as u64, u64::from(u32::MAX), 7, 300] {
            assert!(memo.put(index, Value::Literal(u32::try_from(index).unwrap())));
        }
        for index in [0, 1, BLOCK as u64 - 1, BLOCK as u64, u64::from(u32::MAX), 7, 300] {
            assert_eq!(memo.get(index), Some(Value::Literal(u32::try_from(index).unwrap())));
        }
        assert_eq!(memo.get(2), None);
        assert_eq!(memo.entries(), 7);
        assert!(memo.put(7, Value::Plain));
        assert_eq!((memo.get(7), memo.entries()), (Some(Value::Plain), 7));
    }

    #[test]
    fn far_indices_take_room_for_themselves_only() {
        let mut memo = Memo::default();
        for index in 0..MAX_SPARSE as u64 {
            assert!(memo.put(1_000_000_000 + index * 1_000_000, Value::Plain));
        }
        assert!(!memo.put(1, Value::Plain) || memo.blocks.len() == 1);
        assert!(!memo.put(5, Value::Plain) || memo.sparse.len() == MAX_SPARSE);
    }
}
