//! One header block.

/// Length of a block.
pub(super) const BLOCK: u64 = 512;
/// Where the checksum is; it counts as spaces in its own sum.
const CHECKSUM: std::ops::Range<usize> = 148..156;

/// What a header describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A file. Kinds that nobody knows are files too, to every reader.
    File,
    /// A folder.
    Folder,
    /// Another name for an earlier member.
    HardLink,
    /// A link.
    SymbolicLink,
    /// A character or block device.
    Device,
    /// A named pipe.
    Pipe,
    /// A GNU file with holes.
    Sparse,
    /// The next member's name.
    LongName,
    /// The next member's link target.
    LongLink,
    /// PAX records for the next member.
    Pax,
    /// PAX records for all that follow.
    GlobalPax,
}

impl Kind {
    fn parse(flag: u8, name: &str) -> Self {
        match flag {
            b'0' | 0 if name.ends_with('/') => Self::Folder,
            b'1' => Self::HardLink,
            b'2' => Self::SymbolicLink,
            b'3' | b'4' => Self::Device,
            b'5' | b'D' => Self::Folder,
            b'6' => Self::Pipe,
            b'S' => Self::Sparse,
            b'L' => Self::LongName,
            b'K' => Self::LongLink,
            b'x' | b'X' => Self::Pax,
            b'g' => Self::GlobalPax,
            _ => Self::File,
        }
    }

    /// Whether data follow the header. What a link or a folder gives as its size is ignored.
    pub(super) fn has_data(self) -> bool {
        self == Self::File || self == Self::Sparse || self.is_extension()
    }

    /// Whether it only says something about others.
    pub(super) fn is_extension(self) -> bool {
        matches!(self, Self::LongName | Self::LongLink | Self::Pax | Self::GlobalPax)
    }
}

/// A header that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) name: String,
    pub(super) link: String,
    pub(super) kind: Kind,
    pub(super) size: u64,
    pub(super) has_magic: bool,
}

impl Header {
    /// Reads a header; none when the block is empty or its checksum does not fit.
    pub(super) fn parse(block: &[u8; BLOCK as usize]) -> Option<Self> {
        let field = |range: std::ops::Range<usize>| block.get(range).unwrap_or_default();
        let stored = number(field(CHECKSUM))?;
        if stored == 0 || !sums(block).contains(&i64::try_from(stored).ok()?) {
            return None;
        }
        let has_magic = field(257..262) == b"ustar";
        let (prefix, name) = (text(field(345..500)), text(field(0..100)));
        let gnu = field(257..265) == b"ustar  \0";
        let name = if has_magic && !gnu && !prefix.is_empty() { format!("{prefix}/{name}") } else { name };
        let [flag] = *field(156..157) else { return None };
        let (kind, link) = (Kind::parse(flag, &name), text(field(157..257)));
        Some(Self { kind, link, size: number(field(124..136))?, has_magic, name })
    }
}

/// Whether a block is a header whose size is below zero: Python's tarfile walks backwards on it, for ever
/// (CVE-2025-8194), and other readers stop.
pub(super) fn goes_backwards(block: &[u8; BLOCK as usize]) -> bool {
    let mut positive = *block;
    let is_negative = positive.get(124) == Some(&0xff);
    if let Some(first) = positive.get_mut(124) {
        *first = 0x80;
    }
    let stored = number(block.get(CHECKSUM).unwrap_or_default()).and_then(|sum| i64::try_from(sum).ok());
    is_negative && stored.is_some_and(|sum| sum != 0 && sums(block).contains(&sum))
}

/// The sum over a block, as most writers and as some old ones compute it.
fn sums(block: &[u8]) -> [i64; 2] {
    let spaces = i64::try_from(CHECKSUM.len()).unwrap_or(0).saturating_mul(i64::from(b' '));
    let bytes = || block.iter().enumerate().filter(|(index, _)| !CHECKSUM.contains(index)).map(|(_, &byte)| byte);
    let unsigned: i64 = bytes().map(i64::from).sum();
    let signed: i64 = bytes().map(|byte| i64::from(byte.cast_signed())).sum();
    [unsigned.saturating_add(spaces), signed.saturating_add(spaces)]
}

/// A number in octal digits, or in base 256 when its first bit is set. An empty field is 0.
fn number(field: &[u8]) -> Option<u64> {
    if let Some((first @ (0x80 | 0xff), rest)) = field.split_first() {
        // A size below zero makes tarfile stop, and nobody else go on.
        return (*first == 0x80)
            .then(|| rest.iter().try_fold(0u64, |value, &byte| Some(value.checked_mul(256)? | u64::from(byte))))?;
    }
    let digits = text(field);
    let digits = digits.trim();
    if digits.is_empty() { Some(0) } else { u64::from_str_radix(digits, 8).ok() }
}

/// Text up to the first zero byte.
pub(super) fn text(field: &[u8]) -> String {
    let end = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(field.get(..end).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_in_two_bases() {
        assert_eq!(number(b"0000755\0"), Some(0o755));
        assert_eq!(number(b"   17 \0"), Some(0o17));
        assert_eq!(number(&[0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1]), None, "more than 64 bits");
        assert_eq!(number(&[0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1]), Some((2 << 32) | 1));
        assert_eq!(number(&[0xff; 12]), None);
        assert_eq!(number(b"9"), None);
        assert_eq!(number(b"\0\0"), Some(0));
    }

    #[test]
    fn an_empty_block_is_no_header() {
        assert_eq!(Header::parse(&[0; BLOCK as usize]), None);
        assert_eq!(Header::parse(&[b' '; BLOCK as usize]), None);
    }
}
