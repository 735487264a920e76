//! Fractal heaps: where groups with many links and objects with many attributes keep them.

use super::btree;
use super::fields::bytes_for;
use super::file::File;
use super::heap::Place;

/// Blocks of pointers within blocks of pointers.
const MAX_DEPTH: usize = 12;

/// A heap whose header has been read.
#[derive(Debug)]
pub(super) struct FractalHeap<'a> {
    file: File<'a>,
    id_length: usize,
    filtered: bool,
    largest_managed: u64,
    huge: Option<u64>,
    width: u64,
    start_block: u64,
    largest_block: u64,
    bits: u16,
    root: Option<u64>,
    rows: u16,
}

/// An object, where it is, or its bytes when they are in the identifier itself.
#[derive(Debug)]
pub(super) enum Found {
    At(Place),
    Here(Vec<u8>),
}

impl<'a> FractalHeap<'a> {
    pub(super) fn read(file: &File<'a>, address: u64) -> Option<Self> {
        let head = file.start(address, 256);
        let mut fields = file.fields(&head);
        if fields.take(4)? != b"FRHP" || fields.u8()? != 0 {
            return None;
        }
        let (id_length, filters) = (usize::from(fields.u16()?), fields.u16()?);
        fields.skip(1)?;
        let largest_managed = u64::from(fields.u32()?);
        fields.length()?;
        let huge = fields.address()?;
        fields.length()?;
        fields.address()?;
        for _ in 0..8 {
            fields.length()?;
        }
        let width = u64::from(fields.u16()?);
        let (start_block, largest_block) = (fields.length()?, fields.length()?);
        let bits = fields.u16()?;
        fields.u16()?;
        let (root, rows) = (fields.address()?, fields.u16()?);
        let filtered = filters > 0;
        let file = *file;
        Some(Self {
            file,
            id_length,
            filtered,
            largest_managed,
            huge,
            width,
            start_block,
            largest_block,
            bits,
            root,
            rows,
        })
    }

    /// The object that an identifier names. `None` also when the heap is compressed, which nobody writes by default.
    pub(super) fn find(&self, id: &[u8]) -> Option<Found> {
        let mut fields = self.file.fields(id);
        let head = fields.u8()?;
        match head >> 4 & 3 {
            0 if !self.filtered => {
                let offset = fields.number(usize::from(self.bits.div_ceil(8)))?;
                let length = fields.number(self.length_bytes())?;
                let address = self.locate(offset)?;
                Some(Found::At(Place { offset: self.file.offset(address), length }))
            }
            1 if !self.filtered => self.huge(&mut fields),
            2 if self.id_length <= 17 => {
                let length = usize::from(head & 0xF).saturating_add(1);
                fields.take(length).map(|bytes| Found::Here(bytes.to_vec()))
            }
            2 => {
                let length = usize::from(head & 0xF) << 8 | usize::from(fields.u8()?);
                fields.take(length.saturating_add(1)).map(|bytes| Found::Here(bytes.to_vec()))
            }
            _ => None,
        }
    }

    fn length_bytes(&self) -> usize {
        let of_block = self.largest_block.checked_ilog2().unwrap_or(0).div_ceil(8);
        bytes_for(self.largest_managed).min(usize::try_from(of_block).unwrap_or(8))
    }

    fn huge(&self, fields: &mut super::fields::Fields<'_>) -> Option<Found> {
        let sizes = self.file.sizes;
        if sizes.offset.saturating_add(sizes.length) < self.id_length {
            let (address, length) = (fields.address()??, fields.length()?);
            return Some(Found::At(Place { offset: self.file.offset(address), length }));
        }
        let wanted = fields.number(self.id_length.saturating_sub(1).min(sizes.length))?;
        let mut found = None;
        btree::records(&self.file, self.huge?, &mut |record| {
            let mut fields = self.file.fields(record);
            let (address, length, id) = (fields.address()??, fields.length()?, fields.length()?);
            if id == wanted {
                found = Some(Found::At(Place { offset: self.file.offset(address), length }));
            }
            Some(())
        })?;
        found
    }

    /// The address of a byte of the heap.
    fn locate(&self, offset: u64) -> Option<u64> {
        let root = self.root?;
        if self.rows == 0 {
            return root.checked_add(offset);
        }
        self.within(root, u64::from(self.rows), offset, MAX_DEPTH)
    }

    fn row_size(&self, row: u64) -> Option<u64> {
        let doubled = u32::try_from(row.saturating_sub(1)).ok()?;
        self.start_block.checked_mul(1u64.checked_shl(doubled)?)
    }

    /// How many rows of a block of pointers point to blocks of data.
    fn direct_rows(&self) -> Option<u64> {
        let rows = self.largest_block.checked_ilog2()?.checked_sub(self.start_block.checked_ilog2()?)?;
        Some(u64::from(rows).saturating_add(2))
    }

    /// Looks for the byte `offset`, counted from the start of what the block of pointers at `address` covers.
    fn within(&self, address: u64, rows: u64, offset: u64, depth: usize) -> Option<u64> {
        let depth = depth.checked_sub(1)?;
        self.file.budget.operate(1).ok()?;
        let (mut row, mut start) = (0, 0u64);
        let size = loop {
            let size = self.row_size(row)?;
            let end = start.checked_add(size.checked_mul(self.width)?)?;
            if offset < end {
                break size;
            }
            (row, start) = (row.saturating_add(1), end);
            if row >= rows {
                return None;
            }
        };
        let column = offset.saturating_sub(start).checked_div(size)?;
        let index = row.checked_mul(self.width)?.checked_add(column)?;
        let child = self.pointer(address, index)?;
        let inside = offset.saturating_sub(start).checked_rem(size)?;
        if row < self.direct_rows()? {
            return child.checked_add(inside);
        }
        // A block of pointers in this row covers `size` bytes: as many rows as sum up to that.
        let first_row = self.start_block.checked_mul(self.width)?;
        let rows = u64::from(size.checked_div(first_row)?.checked_ilog2()?).saturating_add(1);
        self.within(child, rows, inside, depth)
    }

    fn pointer(&self, address: u64, index: u64) -> Option<u64> {
        let head = 5u64.saturating_add(self.file.sizes.offset as u64).saturating_add(u64::from(self.bits.div_ceil(8)));
        let at = address.checked_add(head)?.checked_add(index.checked_mul(self.file.sizes.offset as u64)?)?;
        if !self.file.start(address, 4).starts_with(b"FHIB") {
            return None;
        }
        let bytes = self.file.block(at, self.file.sizes.offset as u64)?;
        self.file.fields(&bytes).address()?
    }
}
