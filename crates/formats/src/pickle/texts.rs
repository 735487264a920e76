//! Texts that are pushed and remembered, one after the other: most of what a large pickle is made of, and followed
//! here without the ceremony of a step. Whatever is not quite so is left to the steps, which do the same with care.

use super::embedded::may_be_encoded;
use super::machine::Machine;
use super::opcode;
use super::value::Value;

/// A text at hand: how many bytes its opcode takes before the text, and in all.
#[inline]
fn text(bytes: &[u8]) -> Option<(usize, usize)> {
    let (header, length) = match *bytes {
        [opcode::SHORT_BINUNICODE, length, ..] => (2, usize::from(length)),
        [opcode::BINUNICODE, a, b, 0, 0, ..] => (5, usize::from(u16::from_le_bytes([a, b]))),
        _ => return None,
    };
    Some((header, length.saturating_add(header)))
}

/// An opcode at hand that remembers the top of the stack as entry `next`: how many bytes it takes.
#[inline]
fn remember(bytes: &[u8], next: u64) -> Option<usize> {
    let (index, width) = match *bytes {
        [opcode::MEMOIZE, ..] => (next, 1),
        [opcode::BINPUT, index, ..] => (u64::from(index), 2),
        [opcode::LONG_BINPUT, a, b, c, d, ..] => (u64::from(u32::from_le_bytes([a, b, c, d])), 5),
        _ => return None,
    };
    (index == next).then_some(width)
}

impl Machine<'_> {
    /// Follows pairs of a text and its entry in the memo, as long as both are at hand and within the frame.
    #[inline]
    pub(super) fn texts(&mut self, most: u64) {
        let most = most.min(self.paid);
        let start = self.start;
        while self.operations.saturating_add(2) < most {
            let position = self.cursor.position();
            let bytes = self.cursor.at_hand();
            let Some((header, pushed)) = text(bytes) else { return };
            let Some(rest) = bytes.get(pushed..) else { return };
            if bytes.get(header..).is_some_and(may_be_encoded) {
                return;
            }
            let Some(put) = remember(rest, self.memo.entries()) else { return };
            let both = pushed.saturating_add(put);
            if self.stack.is_full() || self.ends_frame(position.saturating_add(both as u64)) {
                return;
            }
            let Ok(offset) = u32::try_from(position.saturating_sub(start)) else { return };
            let value = Value::Literal(offset);
            if !self.memo.append(value) || self.stack.push(value).is_err() {
                return;
            }
            self.cursor.pass(both);
            self.operations = self.operations.saturating_add(2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_pairs_in_order_are_taken() {
        assert_eq!(text(b"\x8c\x02os\x94"), Some((2, 4)));
        assert_eq!(text(b"X\x02\0\0\0osq\x07"), Some((5, 7)));
        assert_eq!(text(b"X\x02\0\x01\0"), None, "so long a text is for a step");
        assert_eq!(text(b"K\x01"), None);
        assert_eq!(remember(b"\x94", 7), Some(1));
        assert_eq!(remember(b"q\x07", 7), Some(2));
        assert_eq!(remember(b"q\x07", 8), None, "an entry out of order is for a step");
        assert_eq!(remember(b"r\x00\x01\0\0", 256), Some(5));
        assert_eq!(remember(b"r\x00\x01", 256), None);
    }
}
