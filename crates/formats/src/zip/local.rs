//! Local records: what a reader of the stream takes the archive to hold.

use super::bytes::{u16_at, u32_at, u64_at};
use super::extra::{Extra, SATURATED};
use crate::source::{Source, read_up_to};

pub(super) const SIGNATURE: &[u8] = b"PK\x03\x04";
const DESCRIPTOR_SIGNATURE: &[u8] = b"PK\x07\x08";
const LENGTH: usize = 30;
/// Enough for nearly every header, so that one read per member will do.
const USUAL_LENGTH: usize = 512;
/// The flag that says: sizes follow the data.
const SIZES_FOLLOW: u16 = 1 << 3;

/// One local record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Local {
    /// Whether it starts with the signature. Torch reads offsets from records without looking at it.
    pub(super) signed: bool,
    /// Lowest version that can extract it; nonsense here means that it is no record.
    pub(super) version: u16,
    /// Name as stored.
    pub(super) name: Vec<u8>,
    /// General purpose flags.
    pub(super) flags: u16,
    /// Compression method.
    pub(super) method: u16,
    /// Checksum of the decoded bytes.
    pub(super) crc: u32,
    /// Stored length.
    pub(super) compressed: u64,
    /// Decoded length.
    pub(super) size: u64,
    /// First byte of the data.
    pub(super) data: u64,
    /// The extra fields.
    pub(super) extra: Extra,
    /// First bytes of the data, as far as they came along.
    pub(super) head: Vec<u8>,
}

/// Reads the record at `at`; nothing when the source ends before its fixed part does.
pub(super) fn read(source: &dyn Source, at: u64) -> Option<Local> {
    let mut bytes = read_up_to(source, at, USUAL_LENGTH);
    let name_end = LENGTH.saturating_add(u16_at(&bytes, 26)?.into());
    let end = name_end.saturating_add(u16_at(&bytes, 28)?.into());
    if end > bytes.len() {
        bytes = read_up_to(source, at, end.saturating_add(8));
    }
    let name = bytes.get(LENGTH..name_end.min(bytes.len()))?.to_vec();
    let extra = Extra::parse(bytes.get(name_end..end.min(bytes.len())).unwrap_or_default(), &name);
    let mut compressed = u64::from(u32_at(&bytes, 18)?);
    let mut size = u64::from(u32_at(&bytes, 22)?);
    extra.widen(&mut [&mut size, &mut compressed]);
    Some(Local {
        signed: bytes.starts_with(SIGNATURE),
        version: u16_at(&bytes, 4)?,
        flags: u16_at(&bytes, 6)?,
        method: u16_at(&bytes, 8)?,
        crc: u32_at(&bytes, 14)?,
        data: at.saturating_add(end as u64),
        head: bytes.get(end..).unwrap_or_default().iter().take(8).copied().collect(),
        name,
        compressed,
        size,
        extra,
    })
}

impl Local {
    /// The name for people.
    pub(super) fn shown(&self) -> String {
        String::from_utf8_lossy(&self.name).into_owned()
    }

    /// Whether a descriptor follows the data.
    pub(super) fn has_descriptor(&self) -> bool {
        self.flags & SIZES_FOLLOW != 0
    }

    /// Whether this record alone does not say how long its data are. What archives on a Mac writes the size there, and
    /// leaves the stored size to the descriptor.
    pub(super) fn is_open(&self) -> bool {
        self.leaves_open(self.compressed)
    }

    /// Whether a length is left to the descriptor.
    pub(super) fn leaves_open(&self, length: u64) -> bool {
        self.has_descriptor() && (length == 0 || length == u64::from(SATURATED))
    }

    /// Whether it can be a record at all, for places where nothing says that there is one.
    pub(super) fn is_plausible(&self, length: u64) -> bool {
        self.signed && self.version & 0xff <= 100 && !self.name.is_empty() && self.data <= length
    }
}

/// What follows the data of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Descriptor {
    /// A descriptor that says what was expected, of this length.
    Right(u64),
    /// A descriptor that says something else.
    Wrong,
    /// No descriptor.
    Absent,
}

/// Reads the descriptor at `at`, in whichever of its four shapes fits the expected sizes.
pub(super) fn descriptor(source: &dyn Source, at: u64, compressed: u64, size: u64) -> Descriptor {
    let bytes = read_up_to(source, at, 32);
    let signed = bytes.starts_with(DESCRIPTOR_SIGNATURE);
    let skip = if signed { 8 } else { 4 };
    let wide = (u64_at(&bytes, skip), u64_at(&bytes, skip.saturating_add(8))) == (Some(compressed), Some(size));
    let pair = (u32_at(&bytes, skip).map(u64::from), u32_at(&bytes, skip.saturating_add(4)).map(u64::from));
    let narrow = pair == (Some(compressed & 0xffff_ffff), Some(size & 0xffff_ffff));
    let (short, long) = (skip.saturating_add(8), skip.saturating_add(16));
    let followed = |end: usize| bytes.get(end..).is_some_and(|rest| rest.starts_with(b"PK"));
    match (narrow, wide) {
        (true, true) if !followed(short) && followed(long) => Descriptor::Right(long as u64),
        (true, _) => Descriptor::Right(short as u64),
        (false, true) => Descriptor::Right(long as u64),
        (false, false) if signed => Descriptor::Wrong,
        (false, false) => Descriptor::Absent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn describe(parts: &[&[u8]]) -> Descriptor {
        descriptor(&parts.concat(), 0, 5, 9)
    }

    #[test]
    fn all_four_shapes_of_a_descriptor_are_read() {
        let (crc, five, nine) = ([1; 4], 5u32.to_le_bytes(), 9u32.to_le_bytes());
        let (wide_five, wide_nine) = (5u64.to_le_bytes(), 9u64.to_le_bytes());
        assert_eq!(describe(&[b"PK\x07\x08", &crc, &five, &nine]), Descriptor::Right(16));
        assert_eq!(describe(&[b"PK\x07\x08", &crc, &wide_five, &wide_nine]), Descriptor::Right(24));
        assert_eq!(describe(&[&crc, &five, &nine]), Descriptor::Right(12));
        assert_eq!(describe(&[&crc, &wide_five, &wide_nine]), Descriptor::Right(20));
        assert_eq!(describe(&[b"PK\x07\x08", &crc, &nine, &nine]), Descriptor::Wrong);
        assert_eq!(describe(&[&crc]), Descriptor::Absent);
    }

    #[test]
    fn a_record_cut_short_is_none() {
        assert_eq!(read(&b"PK\x03\x04".to_vec(), 0), None);
        assert_eq!(read(&b"PK\x03\x04".to_vec(), u64::MAX), None);
    }
}
