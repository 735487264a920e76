//! CRC-32C, and the masked form of it that tables and records store.

use crate::budget::Budget;
use crate::source::{Source, read_up_to};

/// The polynomial of Castagnoli, its bits reversed.
const POLYNOMIAL: u32 = 0x82F6_3B78;
/// What a stored checksum has been moved by, so that a checksum of checksums stays one.
const MASK: u32 = 0xA282_EAD8;
/// How much is read at once.
const CHUNK: usize = 64 * 1024;

static TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "below 256")]
        let mut value = index as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { (value >> 1) ^ POLYNOMIAL } else { value >> 1 };
            bit += 1;
        }
        #[expect(clippy::indexing_slicing, reason = "below 256, and checked while compiling")]
        {
            table[index] = value;
        }
        index += 1;
    }
    table
}

fn extend(mut state: u32, bytes: &[u8]) -> u32 {
    for byte in bytes {
        let index = usize::from(state.to_le_bytes()[0] ^ byte);
        state = TABLE.get(index).copied().unwrap_or(0) ^ (state >> 8);
    }
    state
}

/// The masked checksum of some bytes.
pub(super) fn masked(bytes: &[u8]) -> u32 {
    mask(!extend(!0, bytes))
}

/// The masked checksum of a range; none when it cannot be read, or costs more than there is.
pub(super) fn masked_range(source: &dyn Source, offset: u64, length: u64, budget: &Budget) -> Option<u32> {
    let (mut state, mut at, end) = (!0, offset, offset.checked_add(length)?);
    while at < end {
        let wanted = usize::try_from(end.saturating_sub(at)).unwrap_or(CHUNK).min(CHUNK);
        let bytes = read_up_to(source, at, wanted);
        budget.operate((bytes.len() as u64 / 256).saturating_add(1)).ok()?;
        if bytes.is_empty() {
            return None;
        }
        state = extend(state, &bytes);
        at = at.saturating_add(bytes.len() as u64);
    }
    Some(mask(!state))
}

fn mask(checksum: u32) -> u32 {
    checksum.rotate_right(15).wrapping_add(MASK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_rfc_3720() {
        assert_eq!(!extend(!0, &[0; 32]), 0x8A91_36AA);
        assert_eq!(!extend(!0, &[0xFF; 32]), 0x62A8_AB43);
        let bytes = vec![0xFF; 32];
        assert_eq!(masked_range(&bytes, 0, 32, &Budget::small()), Some(masked(&bytes)));
        assert_eq!(masked_range(&bytes, 0, 33, &Budget::small()), None);
    }
}
