//! Indexes of chunks that are arrays: of a fixed length, and growing in one dimension.
//!
//! "Fixed Array Index" and "Extensible Array Index" of the HDF5 File Format Specification, version 3.

use super::file::File;
use super::layout::{Chunk, MAX_CHUNKS};

/// A chunk in a newer index: its address, and when it went through filters its size and which were left out.
/// The inner `None` is a chunk that was never written.
pub(super) fn located(file: &File<'_>, entry: &[u8], whole: u64) -> Option<Option<Chunk>> {
    let mut fields = file.fields(entry);
    let Some(address) = fields.address()? else { return Some(None) };
    let rest = fields.rest().len();
    let Some(width) = rest.checked_sub(4).filter(|_| rest > 0) else {
        return Some(Some(Chunk { address, size: whole, mask: 0 }));
    };
    Some(Some(Chunk { address, size: fields.number(width)?, mask: u64::from(fields.u32()?) }))
}

/// An array of a fixed length: a header, a block behind it, and in long ones pages with a checksum each.
pub(super) fn fixed(
    file: &File<'_>,
    address: u64,
    whole: u64,
    visit: &mut dyn FnMut(Chunk) -> Option<()>,
) -> Option<()> {
    let pointer = file.sizes.offset as u64;
    let head = file.block(address, 8u64.checked_add(file.sizes.length as u64)?.checked_add(pointer)?)?;
    let mut fields = file.fields(&head);
    if fields.take(4)? != b"FAHD" || fields.u8()? != 0 {
        return None;
    }
    fields.skip(1)?;
    let (entry, bits) = (u64::from(fields.u8()?), u32::from(fields.u8()?));
    let count = fields.length()?;
    let Some(block) = fields.address()? else { return Some(()) };
    if count > MAX_CHUNKS || file.block(block, 4)? != b"FADB" || entry < pointer {
        return None;
    }
    let page = 1u64.checked_shl(bits).filter(|page| *page < count);
    let mut at = block.checked_add(6)?.checked_add(pointer)?;
    if let Some(page) = page {
        let bitmap = count.div_ceil(page).div_ceil(8);
        at = at.checked_add(bitmap)?.checked_add(4)?;
    }
    let mut left = count;
    while left > 0 {
        let here = page.unwrap_or(count).min(left);
        let bytes = file.block(at, here.checked_mul(entry)?)?;
        for one in bytes.chunks_exact(usize::try_from(entry).ok()?) {
            file.budget.operate(1).ok()?;
            // Pages that were never written are zeros.
            if let Some(chunk) = located(file, one, whole)?.filter(|chunk| chunk.address != 0) {
                visit(chunk)?;
            }
        }
        at = at.checked_add(here.checked_mul(entry)?)?.checked_add(4)?;
        left = left.saturating_sub(here);
    }
    Some(())
}

/// What the header of a growing array says. Blocks of data are doubled in size and number in turn, by levels; those of
/// the first levels are named in the index block, those of later ones in a super block for each level.
struct Growing<'f, 'a> {
    file: &'f File<'a>,
    /// Bytes of an entry.
    entry: u64,
    /// Bytes that the number of a block's first entry takes.
    width: u64,
    /// Entries that lie in the index block itself.
    first: u64,
    /// Entries of the smallest block of data.
    least: u64,
    /// Entries of a page, into which longer blocks of data are cut.
    page: u64,
    levels: u32,
    /// Levels whose blocks the index block names.
    direct: u32,
    /// Bytes of a chunk that went through no filter.
    whole: u64,
    left: u64,
}

/// An array that grows.
pub(super) fn growing(
    file: &File<'_>,
    address: u64,
    whole: u64,
    visit: &mut dyn FnMut(Chunk) -> Option<()>,
) -> Option<()> {
    let (pointer, length) = (file.sizes.offset as u64, file.sizes.length as u64);
    let head = file.block(address, 12u64.checked_add(length.checked_mul(6)?)?.checked_add(pointer)?)?;
    let mut fields = file.fields(&head);
    if fields.take(4)? != b"EAHD" || fields.u8()? != 0 {
        return None;
    }
    fields.skip(1)?;
    let (entry, bits) = (u64::from(fields.u8()?), u32::from(fields.u8()?));
    let (first, least, pointers) = (u64::from(fields.u8()?), u64::from(fields.u8()?), u64::from(fields.u8()?));
    let page = 1u64.checked_shl(u32::from(fields.u8()?))?;
    fields.skip(file.sizes.length.checked_mul(6)?)?;
    let Some(index) = fields.address()? else { return Some(()) };
    if !least.is_power_of_two() || !pointers.is_power_of_two() || bits > 64 || entry < pointer {
        return None;
    }
    let levels = bits.checked_sub(least.ilog2())?.checked_add(1)?;
    let direct = pointers.ilog2().checked_mul(2)?.min(levels);
    let width = u64::from(bits.div_ceil(8));
    Growing { file, entry, width, first, least, page, levels, direct, whole, left: MAX_CHUNKS }.index(index, visit)
}

impl Growing<'_, '_> {
    fn index(&mut self, address: u64, visit: &mut dyn FnMut(Chunk) -> Option<()>) -> Option<()> {
        let pointer = self.file.sizes.offset as u64;
        let entries = self.first.checked_mul(self.entry)?;
        let direct = (0..self.direct).try_fold(0u64, |all, level| all.checked_add(blocks(level)?))?;
        let places = direct.checked_add(u64::from(self.levels.checked_sub(self.direct)?))?;
        let start = 6u64.checked_add(pointer)?;
        let block =
            self.block(address, b"EAIB", start.checked_add(entries)?.checked_add(places.checked_mul(pointer)?)?)?;
        let mut fields = self.file.fields(&block);
        fields.skip(usize::try_from(start).ok()?)?;
        self.entries(fields.take(usize::try_from(entries).ok()?)?, visit)?;
        for level in 0..self.direct {
            for _ in 0..blocks(level)? {
                self.data(fields.address()?, level, &|_| true, visit)?;
            }
        }
        for level in self.direct..self.levels {
            if let Some(address) = fields.address()? {
                self.above(address, level, visit)?;
            }
        }
        Some(())
    }

    /// A super block: which pages of its blocks of data were ever written, and where the blocks are.
    fn above(&mut self, address: u64, level: u32, visit: &mut dyn FnMut(Chunk) -> Option<()>) -> Option<()> {
        let (pointer, blocks) = (self.file.sizes.offset as u64, blocks(level)?);
        let pages = self.pages(level)?;
        let written = blocks.checked_mul(pages.div_ceil(8))?;
        let start = 6u64.checked_add(pointer)?.checked_add(self.width)?;
        let size = start.checked_add(written)?.checked_add(blocks.checked_mul(pointer)?)?;
        let block = self.block(address, b"EASB", size)?;
        let mut fields = self.file.fields(&block);
        fields.skip(usize::try_from(start).ok()?)?;
        let written = fields.take(usize::try_from(written).ok()?)?;
        for number in 0..blocks {
            let is_written = |page: u64| bit(written, number.saturating_mul(pages).saturating_add(page));
            self.data(fields.address()?, level, &is_written, visit)?;
        }
        Some(())
    }

    /// A block of data: entries, or in a long one pages of them with a checksum behind each.
    fn data(
        &mut self,
        address: Option<u64>,
        level: u32,
        is_written: &dyn Fn(u64) -> bool,
        visit: &mut dyn FnMut(Chunk) -> Option<()>,
    ) -> Option<()> {
        let Some(address) = address else { return Some(()) };
        let (count, pages) = (self.count(level)?, self.pages(level)?);
        let start = 6u64.checked_add(self.file.sizes.offset as u64)?.checked_add(self.width)?;
        if pages == 0 {
            let block = self.block(address, b"EADB", start.checked_add(count.checked_mul(self.entry)?)?)?;
            return self.entries(block.get(usize::try_from(start).ok()?..)?, visit);
        }
        self.block(address, b"EADB", start)?;
        let size = self.page.checked_mul(self.entry)?;
        let first = address.checked_add(start)?.checked_add(4)?;
        for page in (0..pages).filter(|page| is_written(*page)) {
            let at = first.checked_add(page.checked_mul(size.checked_add(4)?)?)?;
            self.entries(&self.file.block(at, size)?, visit)?;
        }
        Some(())
    }

    fn entries(&mut self, bytes: &[u8], visit: &mut dyn FnMut(Chunk) -> Option<()>) -> Option<()> {
        for one in bytes.chunks_exact(usize::try_from(self.entry).ok()?) {
            self.file.budget.operate(1).ok()?;
            if let Some(chunk) = located(self.file, one, self.whole)? {
                self.left = self.left.checked_sub(1)?;
                visit(chunk)?;
            }
        }
        Some(())
    }

    fn block(&self, address: u64, signature: &[u8], size: u64) -> Option<Vec<u8>> {
        self.file.block(address, size).filter(|block| block.starts_with(signature))
    }

    /// Entries of each block of data of a level.
    fn count(&self, level: u32) -> Option<u64> {
        self.least.checked_mul(1u64.checked_shl(level.checked_add(1)? / 2)?)
    }

    /// Pages of each block of data of a level: none in one that is no longer than a page.
    fn pages(&self, level: u32) -> Option<u64> {
        let count = self.count(level)?;
        Some(if count > self.page { count.checked_div(self.page)? } else { 0 })
    }
}

/// Blocks of data of a level.
fn blocks(level: u32) -> Option<u64> {
    1u64.checked_shl(level / 2)
}

/// A bit of a bitmap; the first is the highest of the first byte.
fn bit(bitmap: &[u8], index: u64) -> bool {
    let byte = usize::try_from(index / 8).ok().and_then(|place| bitmap.get(place));
    byte.is_some_and(|byte| byte & (0x80 >> (index % 8)) != 0)
}
