//! The superblock: where the file starts, how wide its numbers are, where it ends and where its root is.

use super::checksum::lookup3;
use super::fields::{Fields, Sizes};
use crate::source::{Source, read_up_to};

/// What every HDF5 file starts with.
pub(super) const SIGNATURE: &[u8] = b"\x89HDF\r\n\x1a\n";
/// Bytes of the longest superblock.
const LONGEST: usize = 256;
/// Places where one may be: 0, 512, 1024 and so on.
const MAX_PLACES: u32 = 24;

/// A superblock that could be read.
#[derive(Debug)]
pub(super) struct Superblock {
    pub(super) version: u8,
    pub(super) sizes: Sizes,
    /// Where it is, and so what addresses count from.
    pub(super) start: u64,
    /// Where the file ends, as an offset from the start of the bytes.
    pub(super) end: u64,
    pub(super) root: Option<u64>,
    pub(super) extension: Option<u64>,
    pub(super) driver: Option<u64>,
    pub(super) checksum_ok: bool,
}

/// Where the superblock is.
pub(super) fn find(source: &dyn Source) -> Option<u64> {
    let places = std::iter::once(0).chain((0..MAX_PLACES).filter_map(|power| 512u64.checked_shl(power)));
    places
        .take_while(|place| *place < source.len())
        .find(|place| read_up_to(source, *place, SIGNATURE.len()) == SIGNATURE)
}

/// Reads the superblock at `start`.
pub(super) fn read(source: &dyn Source, start: u64) -> Result<Superblock, &'static str> {
    let bytes = read_up_to(source, start, LONGEST);
    let version = *bytes.get(SIGNATURE.len()).ok_or("the superblock is cut")?;
    match version {
        0 | 1 => old(&bytes, version, start).ok_or("the superblock cannot be read"),
        2 | 3 => new(&bytes, version, start).ok_or("the superblock cannot be read"),
        _ => Err("the version of the superblock is not known"),
    }
}

fn sizes(offset: u8, length: u8) -> Option<Sizes> {
    let valid = |size: u8| matches!(size, 2 | 4 | 8 | 16 | 32).then_some(usize::from(size));
    Some(Sizes { offset: valid(offset)?, length: valid(length)? })
}

fn old(bytes: &[u8], version: u8, start: u64) -> Option<Superblock> {
    let sizes = sizes(*bytes.get(13)?, *bytes.get(14)?)?;
    let mut fields = Fields::new(bytes, sizes);
    fields.skip(if version == 0 { 24 } else { 28 })?;
    let base = fields.address()?.unwrap_or(0);
    fields.address()?;
    let end = fields.address()?.unwrap_or(0);
    let driver = fields.address()?;
    fields.skip(sizes.offset)?;
    let root = fields.address()?;
    let end = end.saturating_sub(base).saturating_add(start);
    Some(Superblock { version, sizes, start, end, root, extension: None, driver, checksum_ok: true })
}

fn new(bytes: &[u8], version: u8, start: u64) -> Option<Superblock> {
    let sizes = sizes(*bytes.get(9)?, *bytes.get(10)?)?;
    let mut fields = Fields::new(bytes, sizes);
    fields.skip(12)?;
    let base = fields.address()?.unwrap_or(0);
    let extension = fields.address()?;
    let end = fields.address()?.unwrap_or(0);
    let root = fields.address()?;
    let checked = bytes.get(..fields.position())?;
    let checksum_ok = fields.u32()? == lookup3(checked);
    let end = end.saturating_sub(base).saturating_add(start);
    Some(Superblock { version, sizes, start, end, root, extension, driver: None, checksum_ok })
}
