//! CRC-32C, and the masked form of it that tables and records store.

use std::sync::LazyLock;

use crate::budget::Budget;
use crate::source::{Source, read_up_to};

/// The polynomial of Castagnoli, its bits reversed.
const POLYNOMIAL: u32 = 0x82F6_3B78;
/// What a stored checksum has been moved by, so that a checksum of checksums stays one.
const MASK: u32 = 0xA282_EAD8;
/// How much is read at once.
const CHUNK: usize = 64 * 1024;

/// The checksum of each byte alone.
static TABLE: LazyLock<[u32; 256]> = LazyLock::new(|| {
    std::array::from_fn(|index| {
        let shift = |value: u32| if value & 1 == 1 { (value >> 1) ^ POLYNOMIAL } else { value >> 1 };
        (0..8).fold(u32::try_from(index).unwrap_or(0), |value, _| shift(value))
    })
});

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
