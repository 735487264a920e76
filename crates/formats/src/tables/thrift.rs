//! Thrift's compact protocol, as far as Parquet's description of its columns needs it.

/// Values within values.
const MAX_DEPTH: u32 = 16;
/// Values of one description.
const MAX_VALUES: u32 = 1 << 22;

/// Calls with the path of field numbers, and the number, of every integer and every text's length and place.
pub(crate) struct Walk<'b, 'v> {
    bytes: &'b [u8],
    at: usize,
    left: u32,
    path: Vec<i64>,
    visit: &'v mut dyn FnMut(&[i64], Item),
}

/// A value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Item {
    Integer(i64),
    /// First byte and length.
    Text(usize, usize),
    /// A structure ends.
    End,
}

/// Why reading stopped: the bytes end, or are no such structure.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Broken;

/// Reads a structure; gives how many bytes it takes.
pub(crate) fn walk(bytes: &[u8], visit: &mut dyn FnMut(&[i64], Item)) -> Result<usize, Broken> {
    let mut walk = Walk { bytes, at: 0, left: MAX_VALUES, path: Vec::new(), visit };
    walk.structure(MAX_DEPTH)?;
    Ok(walk.at)
}

impl Walk<'_, '_> {
    fn byte(&mut self) -> Result<u8, Broken> {
        let byte = self.bytes.get(self.at).copied().ok_or(Broken)?;
        self.at = self.at.saturating_add(1);
        Ok(byte)
    }

    fn varint(&mut self) -> Result<u64, Broken> {
        let mut value = 0u64;
        for shift in (0..70).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F).checked_shl(shift).unwrap_or(0);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Broken)
    }

    fn integer(&mut self) -> Result<i64, Broken> {
        let value = self.varint()?;
        let half = (value >> 1).cast_signed();
        Ok(if value & 1 == 1 { !half } else { half })
    }

    fn structure(&mut self, depth: u32) -> Result<(), Broken> {
        let depth = depth.checked_sub(1).ok_or(Broken)?;
        let mut number = 0i64;
        loop {
            let head = self.byte()?;
            if head == 0 {
                (self.visit)(&self.path, Item::End);
                return Ok(());
            }
            let step = i64::from(head >> 4);
            number = if step == 0 { self.integer()? } else { number.saturating_add(step) };
            self.path.push(number);
            // In a field, the type says what a truth value is.
            if !matches!(head & 15, 1 | 2) {
                self.value(head & 15, depth)?;
            }
            self.path.pop();
        }
    }

    fn value(&mut self, kind: u8, depth: u32) -> Result<(), Broken> {
        self.left = self.left.checked_sub(1).ok_or(Broken)?;
        match kind {
            1..=3 => drop(self.byte()?),
            4..=6 => {
                let number = self.integer()?;
                (self.visit)(&self.path, Item::Integer(number));
            }
            7 => self.pass(8)?,
            8 => {
                let length = usize::try_from(self.varint()?).map_err(|_| Broken)?;
                let start = self.at;
                self.pass(length)?;
                (self.visit)(&self.path, Item::Text(start, length));
            }
            9 | 10 => self.list(depth)?,
            12 => self.structure(depth)?,
            13 => self.pass(16)?,
            _ => return Err(Broken),
        }
        Ok(())
    }

    fn list(&mut self, depth: u32) -> Result<(), Broken> {
        let depth = depth.checked_sub(1).ok_or(Broken)?;
        let head = self.byte()?;
        let count = match head >> 4 {
            15 => self.varint()?,
            count => u64::from(count),
        };
        for _ in 0..count {
            self.value(head & 15, depth)?;
        }
        Ok(())
    }

    fn pass(&mut self, count: usize) -> Result<(), Broken> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.bytes.len());
        self.at = end.ok_or(Broken)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_numbers() {
        // 1: 7, 3: "ab", 4: [{1: -1}]
        let bytes = [0x15, 14, 0x28, 2, b'a', b'b', 0x19, 0x1C, 0x15, 1, 0, 0];
        let mut seen = Vec::new();
        assert_eq!(walk(&bytes, &mut |path, item| seen.push((path.to_vec(), item))), Ok(12));
        let expected = [
            (vec![1], Item::Integer(7)),
            (vec![3], Item::Text(4, 2)),
            (vec![4, 1], Item::Integer(-1)),
            (vec![4], Item::End),
            (vec![], Item::End),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn what_goes_on_after_the_end_is_told() {
        for bytes in [&[0x15][..], &[0x28, 9, b'a'], &[0x19, 0xFC, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F], &[0x1F; 40]] {
            assert_eq!(walk(bytes, &mut |_, _| {}), Err(Broken), "{bytes:?}");
        }
    }
}
