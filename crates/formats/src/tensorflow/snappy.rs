//! Snappy's raw format, for the blocks of tables. Specification: <https://github.com/google/snappy/blob/main/format_description.txt>.

/// The most a block may become.
pub(super) const MAX_BLOCK: usize = 16 << 20;

/// Decodes a block; none when it is broken or too large.
pub(super) fn decode(mut input: &[u8]) -> Option<Vec<u8>> {
    let length = usize::try_from(varint(&mut input)?).ok().filter(|length| *length <= MAX_BLOCK)?;
    let mut output = Vec::new();
    while let Some(tag) = byte(&mut input) {
        match tag & 3 {
            0 => {
                let count = literal(tag >> 2, &mut input)?;
                let (text, rest) = input.split_at_checked(count)?;
                output.extend_from_slice(text);
                input = rest;
            }
            1 => {
                let offset = usize::from(tag >> 5) << 8 | usize::from(byte(&mut input)?);
                copy(&mut output, offset, usize::from(tag >> 2 & 7).saturating_add(4))?;
            }
            kind => {
                let offset = number(&mut input, if kind == 2 { 2 } else { 4 })?;
                copy(&mut output, offset, usize::from(tag >> 2).saturating_add(1))?;
            }
        }
        if output.len() > length {
            return None;
        }
    }
    (output.len() == length).then_some(output)
}

fn byte(input: &mut &[u8]) -> Option<u8> {
    let (first, rest) = input.split_first()?;
    *input = rest;
    Some(*first)
}

fn number(input: &mut &[u8], bytes: u32) -> Option<usize> {
    let mut value = 0usize;
    for index in 0..bytes {
        value |= usize::from(byte(input)?).checked_shl(index.saturating_mul(8))?;
    }
    Some(value)
}

fn varint(input: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..35).step_by(7) {
        let byte = byte(input)?;
        value |= u64::from(byte & 0x7F).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Length of a literal: in the tag, or in the bytes behind it.
fn literal(length: u8, input: &mut &[u8]) -> Option<usize> {
    let length = match length {
        60..=63 => number(input, u32::from(length).saturating_sub(59))?,
        short => usize::from(short),
    };
    length.checked_add(1)
}

fn copy(output: &mut Vec<u8>, offset: usize, count: usize) -> Option<()> {
    let start = output.len().checked_sub(offset).filter(|_| offset > 0)?;
    for index in start..start.checked_add(count)? {
        output.push(*output.get(index)?);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_copies_are_decoded() {
        assert_eq!(decode(b"\x03\x08abc"), Some(b"abc".to_vec()));
        assert_eq!(decode(b"\x0b\x08abc\x11\x03"), Some(b"abcabcabcab".to_vec()));
        assert_eq!(decode(b"\x06\x00a\x12\x01\x00"), Some(b"aaaaaa".to_vec()));
    }

    #[test]
    fn what_is_broken_is_refused() {
        for broken in [
            &b"\x03\x08ab"[..],
            b"\x04\x08abc",
            b"\x03\x11\x03",
            b"\xff\xff\xff\xff\x7f",
            b"",
            b"\x05\x00a\x12\x00\x00",
        ] {
            assert_eq!(decode(broken), None, "{broken:?}");
        }
    }
}
