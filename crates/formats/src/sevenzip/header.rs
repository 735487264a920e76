//! The two numbers in a 7z header that decide what reading it costs: how large it becomes and with which dictionary.

use crate::decode::MAX_WINDOW;
use crate::source::{Source, read_exact_at, read_up_to};

/// Length of the record at the start of the file.
const START: u64 = 32;
/// The largest header that is read, as stored and as expanded.
const MAX_HEADER: u64 = 32 << 20;
/// Coders of one block; honest ones have four at most.
const MAX_CODERS: u64 = 32;

const ENCODED_HEADER: u8 = 0x17;
const HEADER: u8 = 0x01;
const END: u8 = 0x00;
const PACK_INFO: u8 = 0x06;
const UNPACK_INFO: u8 = 0x07;
const SIZES: u8 = 0x09;
const DIGESTS: u8 = 0x0a;
const FOLDERS: u8 = 0x0b;
const UNPACK_SIZES: u8 = 0x0c;

const COPY: &[u8] = &[0];
const LZMA: &[u8] = &[3, 1, 1];
const LZMA2: &[u8] = &[0x21];
const ENCRYPTION: &[u8] = &[6, 0xf1, 7];

/// Why an archive is not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// The list of entries is encrypted.
    #[error("the list of entries is encrypted")]
    Encrypted,
    /// It may be in order, but is not read here.
    #[error("{0}")]
    Unsupported(String),
    /// It is not in order.
    #[error("{0}")]
    Broken(String),
}

/// Where the archive ends, by its own account.
pub(super) fn end(source: &dyn Source) -> Option<u64> {
    let (offset, size) = place(source)?;
    START.checked_add(offset)?.checked_add(size)
}

fn place(source: &dyn Source) -> Option<(u64, u64)> {
    let mut start = [0; START as usize];
    read_exact_at(source, 0, &mut start).ok()?;
    let number = |at: usize| Some(u64::from_le_bytes(start.get(at..at.checked_add(8)?)?.try_into().ok()?));
    Some((number(12)?, number(20)?))
}

/// Refuses headers that cost more to read than they are worth.
pub(super) fn check(source: &dyn Source) -> Result<(), Refusal> {
    let (offset, size) = place(source).ok_or_else(|| Refusal::Broken("the archive ends in its first record".into()))?;
    if size > MAX_HEADER {
        return Err(Refusal::Unsupported(format!("a list of entries of {size} bytes")));
    }
    if size == 0 {
        // With an empty first record some readers search the end of the file for a header; nothing honest needs that.
        return if offset == 0 { Err(Refusal::Broken("there is no list of entries".into())) } else { Ok(()) };
    }
    let bytes = read_up_to(source, START.saturating_add(offset), usize::try_from(size).unwrap_or(0));
    if (bytes.len() as u64) < size {
        return Err(Refusal::Broken("the list of entries lies past the end of the file".into()));
    }
    match bytes.split_first() {
        Some((&ENCODED_HEADER, rest)) => check_encoded(rest),
        Some((&HEADER, _)) => Ok(()),
        _ => Err(Refusal::Broken("what should be the list of entries is none".into())),
    }
}

fn check_encoded(bytes: &[u8]) -> Result<(), Refusal> {
    let unread = || Refusal::Unsupported("the list of entries is packed in an unusual way".into());
    let packing = Packing::read(&mut Numbers { bytes }).ok_or_else(unread)?;
    for (method, properties) in &packing.coders {
        check_coder(method, properties)?;
    }
    match packing.sizes.iter().max() {
        Some(&size) if size > MAX_HEADER => {
            Err(Refusal::Unsupported(format!("a list of entries that expands to {size} bytes")))
        }
        _ => Ok(()),
    }
}

/// Whether a coder encrypts.
pub(super) fn is_encryption(method: &[u8]) -> bool {
    method.starts_with(ENCRYPTION)
}

/// Refuses a coder that needs a password, more memory than a stranger gets, or another decoder.
pub(super) fn check_coder(method: &[u8], properties: &[u8]) -> Result<(), Refusal> {
    if is_encryption(method) {
        return Err(Refusal::Encrypted);
    }
    let dictionary = match (method, properties) {
        (LZMA, &[_, a, b, c, d, ..]) => u64::from(u32::from_le_bytes([a, b, c, d])),
        (LZMA2, &[bits, ..]) => lzma2_dictionary(bits),
        (COPY, _) => 0,
        // Filters and bzip2 allocate a fixed amount.
        _ => 0,
    };
    if dictionary > MAX_WINDOW {
        return Err(Refusal::Unsupported(format!("a dictionary of {dictionary} bytes")));
    }
    Ok(())
}

fn lzma2_dictionary(bits: u8) -> u64 {
    let mantissa = 2 | u64::from(bits & 1);
    mantissa.checked_shl(u32::from(bits / 2).saturating_add(11)).unwrap_or(u64::MAX)
}

/// How a header is packed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Packing {
    coders: Vec<(Vec<u8>, Vec<u8>)>,
    sizes: Vec<u64>,
}

impl Packing {
    fn read(numbers: &mut Numbers<'_>) -> Option<Self> {
        let mut packing = Self::default();
        if numbers.byte()? != PACK_INFO {
            return None;
        }
        pack_info(numbers)?;
        if (numbers.byte()?, numbers.byte()?) != (UNPACK_INFO, FOLDERS) {
            return None;
        }
        let (folders, external) = (numbers.number()?, numbers.byte()?);
        if folders == 0 || folders > MAX_CODERS || external != 0 {
            return None;
        }
        let mut streams = 0u64;
        for _ in 0..folders {
            streams = streams.saturating_add(packing.folder(numbers)?);
        }
        if numbers.byte()? != UNPACK_SIZES {
            return None;
        }
        for _ in 0..streams {
            packing.sizes.push(numbers.number()?);
        }
        Some(packing)
    }

    /// Reads one folder and gives its number of output streams.
    fn folder(&mut self, numbers: &mut Numbers<'_>) -> Option<u64> {
        let coders = numbers.number().filter(|&coders| coders <= MAX_CODERS)?;
        let (mut inputs, mut outputs) = (0u64, 0u64);
        for _ in 0..coders {
            let flags = numbers.byte()?;
            let method = numbers.take(u64::from(flags & 0x0f))?.to_vec();
            let complex = flags & 0x10 != 0;
            inputs = inputs.checked_add(if complex { numbers.number()? } else { 1 })?;
            outputs = outputs.checked_add(if complex { numbers.number()? } else { 1 })?;
            let length = if flags & 0x20 != 0 { numbers.number()? } else { 0 };
            self.coders.push((method, numbers.take(length)?.to_vec()));
        }
        if inputs > MAX_CODERS || outputs > MAX_CODERS {
            return None;
        }
        let bound = outputs.saturating_sub(1);
        let packed = inputs.saturating_sub(bound);
        for _ in 0..bound.saturating_mul(2).saturating_add(if packed > 1 { packed } else { 0 }) {
            numbers.number()?;
        }
        Some(outputs)
    }
}

fn pack_info(numbers: &mut Numbers<'_>) -> Option<()> {
    numbers.number()?;
    let streams = numbers.number().filter(|&streams| streams <= MAX_CODERS)?;
    loop {
        match numbers.byte()? {
            END => return Some(()),
            SIZES => (0..streams).try_for_each(|_| numbers.number().map(drop))?,
            DIGESTS => {
                let all = numbers.byte()? != 0;
                let defined = if all { streams } else { numbers.bits(streams)? };
                numbers.take(defined.saturating_mul(4))?;
            }
            _ => return None,
        }
    }
}

/// Numbers as 7z writes them: the first byte's leading ones say how many bytes follow.
struct Numbers<'a> {
    bytes: &'a [u8],
}

impl<'a> Numbers<'a> {
    fn take(&mut self, count: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(usize::try_from(count).ok()?)?;
        self.bytes = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    /// Counts the ones among the next `count` bits.
    fn bits(&mut self, count: u64) -> Option<u64> {
        let bytes = self.take(count.div_ceil(8))?;
        Some(bytes.iter().map(|byte| u64::from(byte.count_ones())).sum())
    }

    fn number(&mut self) -> Option<u64> {
        let first = self.byte()?;
        let extra = first.leading_ones();
        let low = self.take(extra.into())?;
        let value = low.iter().rev().fold(0u64, |value, &byte| value << 8 | u64::from(byte));
        let high = u64::from(first) & 0x7fu64.checked_shr(extra).unwrap_or(0);
        Some(high.checked_shl(extra.saturating_mul(8)).unwrap_or(0) | value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_all_lengths_are_read() {
        let cases: [(&[u8], u64); 4] = [
            (&[0x7f], 0x7f),
            (&[0x81, 2], 0x102),
            (&[0xc0, 1, 2], 0x201),
            (&[0xff, 1, 0, 0, 0, 0, 0, 0, 1], 1 << 56 | 1),
        ];
        for (bytes, value) in cases {
            assert_eq!(Numbers { bytes }.number(), Some(value));
        }
        assert_eq!(Numbers { bytes: &[0xc0, 1] }.number(), None);
    }

    #[test]
    fn a_header_that_expands_beyond_measure_is_refused() {
        let mut bytes = vec![PACK_INFO, 0, 1, SIZES, 9, END, UNPACK_INFO, FOLDERS, 1, 0, 1, 0x23, 3, 1, 1, 5];
        bytes.extend([0x5d, 0, 0, 1, 0, UNPACK_SIZES, 0xf0, 0, 0, 0, 0x40, END]);
        assert!(matches!(check_encoded(&bytes), Err(Refusal::Unsupported(_))));
        bytes[22] = 1;
        assert_eq!(check_encoded(&bytes), Ok(()));
        bytes[20] = 0x7f;
        assert!(matches!(check_encoded(&bytes), Err(Refusal::Unsupported(_))));
    }

    #[test]
    fn encryption_is_told() {
        assert_eq!(check_coder(&[6, 0xf1, 7, 1], &[]), Err(Refusal::Encrypted));
    }
}
