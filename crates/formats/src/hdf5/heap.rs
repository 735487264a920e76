//! Local heaps, which hold names, and global heaps, which hold values of any length.

use std::collections::HashMap;

use super::file::File;

/// The largest heap that is read.
const MAX_HEAP: u64 = 16 << 20;
/// Bytes of a name that are read.
const MAX_NAME: usize = 4096;
/// Objects of one global heap that are known at a time.
const MAX_OBJECTS: usize = 1 << 17;

/// The names of a group.
#[derive(Debug)]
pub(super) struct LocalHeap(Vec<u8>);

impl LocalHeap {
    pub(super) fn read(file: &File<'_>, address: u64) -> Option<Self> {
        let head = file.block(
            address,
            (8usize.checked_add(file.sizes.length.checked_mul(2)?)? as u64).checked_add(file.sizes.offset as u64)?,
        )?;
        let mut fields = file.fields(&head);
        if fields.take(4)? != b"HEAP" {
            return None;
        }
        fields.skip(4)?;
        let size = fields.length()?;
        fields.length()?;
        file.block(fields.address()??, size.min(MAX_HEAP)).map(Self)
    }

    pub(super) fn text(&self, offset: u64) -> Option<String> {
        let rest = self.0.get(usize::try_from(offset).ok()?..)?;
        let end = rest.iter().take(MAX_NAME).position(|byte| *byte == 0);
        rest.get(..end.unwrap_or(MAX_NAME)).map(|text| String::from_utf8_lossy(text).into_owned())
    }
}

/// Where an object of a heap is in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) length: u64,
}

/// The global heap that was read last: values of one array lie in the same one.
#[derive(Debug, Default)]
pub(super) struct GlobalHeaps {
    address: Option<u64>,
    objects: HashMap<u16, Place>,
}

impl GlobalHeaps {
    /// Where an object of the heap at `address` is.
    pub(super) fn find(&mut self, file: &File<'_>, address: u64, index: u32) -> Option<Place> {
        file.budget.operate(1).ok()?;
        if self.address != Some(address) {
            self.objects = objects(file, address)?;
            self.address = Some(address);
        }
        self.objects.get(&u16::try_from(index).ok()?).copied()
    }
}

fn objects(file: &File<'_>, address: u64) -> Option<HashMap<u16, Place>> {
    let prefix = 8u64.saturating_add(file.sizes.length as u64);
    let head = file.block(address, prefix)?;
    let mut fields = file.fields(&head);
    if fields.take(4)? != b"GCOL" {
        return None;
    }
    fields.skip(4)?;
    let end = address.checked_add(fields.length()?)?;
    let mut next = address.checked_add(prefix)?;
    let mut found = HashMap::new();
    while next.checked_add(prefix)? <= end && found.len() < MAX_OBJECTS {
        let Some(head) = file.block(next, prefix) else { break };
        let mut fields = file.fields(&head);
        let index = fields.u16()?;
        fields.skip(6)?;
        let length = fields.length()?;
        let start = next.checked_add(prefix)?;
        if index == 0 {
            break;
        }
        found.insert(index, Place { offset: file.offset(start), length });
        next = start.checked_add(length.checked_next_multiple_of(8)?)?;
    }
    Some(found)
}
