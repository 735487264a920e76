//! Where the bytes of a dataset are, and what they went through.

use super::btree;
use super::chunk_arrays::{fixed, growing, located};
use super::file::File;

/// Chunks of one dataset that are counted.
pub(super) const MAX_CHUNKS: u64 = 4_000_000;
/// Names of other files that one virtual dataset is made of, as far as they are read.
const MAX_SOURCE: usize = 4096;

/// Where the bytes of a dataset are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Layout {
    /// In the object header itself: offset in the source, and length.
    Compact(u64, u64),
    /// In one piece, when it has been written; older versions do not say how long it is.
    Contiguous(Option<u64>, Option<u64>),
    /// In chunks.
    Chunked(Chunks),
    /// In other datasets; the block of a heap says which.
    Virtual(Option<u64>, u32),
    /// A version that is not known here.
    Unknown,
}

/// How chunks are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chunks {
    pub(super) index: Option<u64>,
    pub(super) kind: Index,
    /// Extents of a chunk; in older versions the size of an element is the last.
    pub(super) extents: Vec<u64>,
}

/// The kind of an index of chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Index {
    /// The older B-tree.
    Tree,
    /// One chunk; its stored size when it went through filters.
    Single(Option<u64>),
    /// All chunks one after another.
    Implicit,
    /// An array of a fixed length.
    Array,
    /// The newer B-tree.
    NewTree,
    /// An array that grows in one dimension.
    GrowingArray,
}

/// Reads a layout message.
pub(super) fn read(file: &File<'_>, body: &[u8], offset: u64) -> Option<Layout> {
    let mut fields = file.fields(body);
    let version = fields.u8()?;
    match version {
        1 | 2 => old(file, body, offset),
        3..=5 => {
            let class = fields.u8()?;
            match class {
                0 => {
                    let length = u64::from(fields.u16()?);
                    Some(Layout::Compact(offset.saturating_add(4), length))
                }
                1 => Some(Layout::Contiguous(fields.address()?, Some(fields.length()?))),
                2 if version == 3 => {
                    let rank = fields.u8()?;
                    let index = fields.address()?;
                    let extents = (0..rank).map(|_| fields.number(4)).collect::<Option<Vec<_>>>()?;
                    Some(Layout::Chunked(Chunks { index, kind: Index::Tree, extents }))
                }
                2 => new_chunks(&mut fields),
                3 => Some(Layout::Virtual(fields.address()?, fields.u32()?)),
                _ => Some(Layout::Unknown),
            }
        }
        _ => Some(Layout::Unknown),
    }
}

fn old(file: &File<'_>, body: &[u8], offset: u64) -> Option<Layout> {
    let mut fields = file.fields(body);
    fields.skip(1)?;
    let (rank, class) = (fields.u8()?, fields.u8()?);
    fields.skip(5)?;
    let address = if class == 0 { None } else { fields.address()? };
    let extents = (0..rank).map(|_| fields.number(4)).collect::<Option<Vec<_>>>()?;
    match class {
        0 => {
            let length = u64::from(fields.u32()?);
            Some(Layout::Compact(offset.saturating_add(fields.position() as u64), length))
        }
        1 => Some(Layout::Contiguous(address, None)),
        2 => Some(Layout::Chunked(Chunks { index: address, kind: Index::Tree, extents })),
        _ => Some(Layout::Unknown),
    }
}

fn new_chunks(fields: &mut super::fields::Fields<'_>) -> Option<Layout> {
    let (flags, rank, width) = (fields.u8()?, fields.u8()?, usize::from(fields.u8()?));
    let extents = (0..rank).map(|_| fields.number(width)).collect::<Option<Vec<_>>>()?;
    let kind = match fields.u8()? {
        1 if flags & 2 != 0 => {
            let size = fields.length()?;
            fields.skip(4)?;
            Index::Single(Some(size))
        }
        1 => Index::Single(None),
        2 => Index::Implicit,
        3 => fields.skip(1).map(|()| Index::Array)?,
        4 => fields.skip(5).map(|()| Index::GrowingArray)?,
        5 => fields.skip(6).map(|()| Index::NewTree)?,
        _ => return Some(Layout::Unknown),
    };
    Some(Layout::Chunked(Chunks { index: fields.address()?, kind, extents }))
}

/// A chunk: its address, its stored size, and which filters it did not go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) address: u64,
    pub(super) size: u64,
    pub(super) mask: u64,
}

/// Goes through the chunks of a dataset of that shape, with elements of so many bytes: `None` when their index breaks.
pub(super) fn chunks(
    file: &File<'_>,
    chunks: &Chunks,
    element: u64,
    shape: &[u64],
    visit: &mut dyn FnMut(Chunk) -> Option<()>,
) -> Option<()> {
    let Some(index) = chunks.index else { return Some(()) };
    match chunks.kind {
        Index::Tree => {
            let key = chunks.extents.len().saturating_mul(8).saturating_add(8);
            let mut left = MAX_CHUNKS;
            btree::children(file, index, 1, key, &mut |key, address| {
                left = left.checked_sub(1)?;
                let mut fields = file.fields(key);
                visit(Chunk { size: u64::from(fields.u32()?), mask: u64::from(fields.u32()?), address })
            })
        }
        Index::Single(size) => {
            let size = size.unwrap_or(chunks.whole(element));
            visit(Chunk { address: index, size, mask: 0 })
        }
        Index::Implicit => one_after_another(file, index, chunks, element, shape, visit),
        Index::Array => fixed(file, index, chunks.whole(element), visit),
        Index::GrowingArray => growing(file, index, chunks.whole(element), visit),
        Index::NewTree => {
            let offsets = chunks.extents.len().saturating_sub(1).checked_mul(8)?;
            let whole = chunks.whole(element);
            let mut left = MAX_CHUNKS;
            btree::records(file, index, &mut |record| {
                left = left.checked_sub(1)?;
                let stored = record.get(..record.len().checked_sub(offsets)?)?;
                visit(located(file, stored, whole)??)
            })
        }
    }
}

/// Chunks that have no index: there are as many as the shape needs.
fn one_after_another(
    file: &File<'_>,
    address: u64,
    chunks: &Chunks,
    element: u64,
    shape: &[u64],
    visit: &mut dyn FnMut(Chunk) -> Option<()>,
) -> Option<()> {
    let size = chunks.whole(element);
    let grid = shape.iter().zip(&chunks.extents).map(|(shape, extent)| (*extent > 0).then(|| shape.div_ceil(*extent)));
    let count = grid.into_iter().try_fold(1u64, |count, one| count.checked_mul(one?))?;
    for number in 0..count.min(MAX_CHUNKS) {
        file.budget.operate(1).ok()?;
        visit(Chunk { address: address.checked_add(number.checked_mul(size)?)?, size, mask: 0 })?;
    }
    (count <= MAX_CHUNKS).then_some(())
}

impl Chunks {
    /// Bytes of a chunk as it is in memory. The last extent is the element's size, as in the older version.
    pub(super) fn whole(&self, element: u64) -> u64 {
        self.extents.iter().fold(1u64, |all, one| all.saturating_mul(*one)).max(element)
    }
}

/// Filters that every reader of HDF5 has, or that come with h5py or PyTables.
const KNOWN_FILTERS: &[(u16, &str)] = &[
    (1, "deflate"),
    (2, "shuffle"),
    (3, "fletcher32"),
    (4, "szip"),
    (5, "nbit"),
    (6, "scale-offset"),
    (305, "lzo"),
    (307, "bzip2"),
    (32000, "lzf"),
    (32001, "blosc"),
    (32004, "lz4"),
    (32008, "bitshuffle"),
    (32015, "zstd"),
    (32026, "blosc2"),
];

/// One filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) id: u16,
    /// Its usual name, when it is known.
    pub(super) known: Option<&'static str>,
    /// The name the file gives it.
    pub(super) name: String,
}

/// Reads a filter pipeline message.
pub(super) fn filters(file: &File<'_>, body: &[u8]) -> Option<Vec<Filter>> {
    let mut fields = file.fields(body);
    let (version, count) = (fields.u8()?, fields.u8()?);
    fields.skip(if version == 1 { 6 } else { 0 })?;
    let mut list = Vec::new();
    for _ in 0..count {
        let id = fields.u16()?;
        let named = version == 1 || id >= 256;
        let length = if named { usize::from(fields.u16()?) } else { 0 };
        fields.skip(2)?;
        let values = usize::from(fields.u16()?);
        let name = fields.take(if version == 1 { length.next_multiple_of(8) } else { length })?;
        let name = String::from_utf8_lossy(name.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned();
        let padding = if version == 1 && values % 2 == 1 { 4 } else { 0 };
        fields.skip(values.saturating_mul(4).saturating_add(padding))?;
        let known = KNOWN_FILTERS.iter().find(|(known, _)| *known == id).map(|(_, name)| *name);
        list.push(Filter { id, known, name });
    }
    Some(list)
}

/// The first file that a virtual dataset is made of, from its block in a heap; and how many parts it has.
pub(super) fn virtual_source(file: &File<'_>, block: &[u8]) -> Option<(String, u64)> {
    let block = block.get(..block.len().min(MAX_SOURCE))?;
    let mut fields = file.fields(block);
    let version = fields.u8()?;
    let count = fields.length()?;
    if version > 0 && count > 0 {
        // Newer blocks may say with a flag that the file is this one, and leave its name out.
        let flags = fields.u8()?;
        if flags & 4 != 0 {
            return Some((".".to_owned(), count));
        }
    }
    Some((fields.text()?, count))
}
