//! B-trees of both versions, gone through from end to end: nothing is looked up by key, so that nothing is missed.

use super::fields::bytes_for;
use super::file::File;

/// Levels of a tree.
const MAX_LEVELS: u8 = 32;
/// Bytes before the entries of a node of the newer version, with the checksum behind them.
const FRAME: u64 = 10;

/// Calls back for every child of every leaf of an older tree, with the key before it.
/// `kind` is 0 for groups and 1 for chunks; `key` is the size of a key in bytes.
pub(super) fn children(
    file: &File<'_>,
    address: u64,
    kind: u8,
    key: usize,
    visit: &mut dyn FnMut(&[u8], u64) -> Option<()>,
) -> Option<()> {
    old_node(file, address, kind, key, MAX_LEVELS, visit)
}

fn old_node(
    file: &File<'_>,
    address: u64,
    kind: u8,
    key: usize,
    below: u8,
    visit: &mut dyn FnMut(&[u8], u64) -> Option<()>,
) -> Option<()> {
    let pointer = file.sizes.offset as u64;
    let prefix = 8u64.saturating_add(pointer.saturating_mul(2));
    let head = file.block(address, prefix)?;
    let mut fields = file.fields(&head);
    if fields.take(4)? != b"TREE" || fields.u8()? != kind {
        return None;
    }
    let (level, entries) = (fields.u8()?, u64::from(fields.u16()?));
    // The levels must fall, or a tree that contains itself would never end.
    if level >= below {
        return None;
    }
    let size = entries.checked_mul(pointer.checked_add(key as u64)?)?;
    let body = file.block(address.checked_add(prefix)?, size)?;
    let mut fields = file.fields(&body);
    for _ in 0..entries {
        file.budget.operate(1).ok()?;
        let before = fields.take(key)?;
        let child = fields.address()??;
        match level {
            0 => visit(before, child)?,
            _ => old_node(file, child, kind, key, level, visit)?,
        }
    }
    Some(())
}

/// A newer tree whose header has been read.
struct Tree<'f, 'a> {
    file: &'f File<'a>,
    record: usize,
    node: u64,
    /// For each level, from the leaves up: records of a node, and of everything below it.
    capacities: Vec<(u64, u64)>,
}

/// Calls back for every record of a newer tree.
pub(super) fn records(file: &File<'_>, address: u64, visit: &mut dyn FnMut(&[u8]) -> Option<()>) -> Option<()> {
    let size = 22u64.saturating_add(file.sizes.offset as u64).saturating_add(file.sizes.length as u64);
    let head = file.block(address, size)?;
    let mut fields = file.fields(&head);
    if fields.take(4)? != b"BTHD" || fields.u8()? != 0 {
        return None;
    }
    fields.skip(1)?;
    let (node, record, depth) = (u64::from(fields.u32()?), usize::from(fields.u16()?), fields.u16()?);
    fields.skip(2)?;
    let Some(root) = fields.address()? else { return Some(()) };
    let count = u64::from(fields.u16()?);
    let depth = u8::try_from(depth).ok().filter(|depth| *depth < MAX_LEVELS)?;
    let capacities = capacities(file, node, record, depth)?;
    Tree { file, record, node, capacities }.node(root, count, depth, visit)
}

fn capacities(file: &File<'_>, node: u64, record: usize, depth: u8) -> Option<Vec<(u64, u64)>> {
    let record = record as u64;
    let leaf = node.checked_sub(FRAME)?.checked_div(record)?;
    let mut list = vec![(leaf, leaf)];
    for level in 1..=depth {
        let below = list.last()?.1;
        let total = if level > 1 { bytes_for(below) } else { 0 };
        let pointer = (file.sizes.offset.checked_add(bytes_for(leaf))?.checked_add(total)?) as u64;
        let most = node.checked_sub(FRAME.checked_add(pointer)?)?.checked_div(record.checked_add(pointer)?)?;
        let all = most.saturating_add(1).saturating_mul(below).saturating_add(most);
        list.push((most, all));
    }
    Some(list)
}

impl Tree<'_, '_> {
    fn node(&self, address: u64, count: u64, depth: u8, visit: &mut dyn FnMut(&[u8]) -> Option<()>) -> Option<()> {
        let bytes = self.file.block(address, self.node)?;
        let mut fields = self.file.fields(&bytes);
        let signature: &[u8] = if depth == 0 { b"BTLF" } else { b"BTIN" };
        if fields.take(4)? != signature {
            return None;
        }
        fields.skip(2)?;
        for _ in 0..count {
            self.file.budget.operate(1).ok()?;
            visit(fields.take(self.record)?)?;
        }
        let Some(below) = depth.checked_sub(1) else { return Some(()) };
        for _ in 0..=count {
            let child = fields.address()??;
            let count = fields.number(bytes_for(self.capacities.first()?.0))?;
            if depth > 1 {
                fields.skip(bytes_for(self.capacities.get(usize::from(below))?.1))?;
            }
            self.node(child, count, below, visit)?;
        }
        Some(())
    }
}
