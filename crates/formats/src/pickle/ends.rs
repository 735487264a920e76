//! Where a stream of opcodes would end, by their lengths alone.
//!
//! What an opcode does depends on the stack; how long it is does not, with one exception ([`Ending::Unknown`]). So streams
//! that have met once end in the same place, and in a list of words, where each word could start one, all of them are gone
//! through in the time of one.

use std::collections::HashMap;

use crate::cursor::Cursor;
use crate::source::{ReadError, Source};

use super::data::MAX_LINE;
use super::opcode::{self, Argument, describe};

/// Bytes between two places of a stream that are remembered.
const BLOCK: u64 = 1024;
/// Places remembered. Forgetting costs time alone.
const MAX_PLACES: usize = 1 << 18;
/// Opcodes passed over in all.
const MAX_OPCODES: u64 = 1 << 26;
/// The class after which joblib's unpickler passes over bytes that are no opcodes.
const RAW_ARRAY: &[u8] = b"NumpyArrayWrapper";

/// How a stream ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// With STOP; where the next byte is.
    Stop(u64),
    /// With the data, or at a byte that is no opcode.
    Broken,
    /// Not known: a class in it may have bytes behind it that are no opcodes, or too much was looked at.
    Unknown,
}

/// Endings of streams in one source.
#[derive(Debug, Default)]
pub(super) struct Ends {
    places: HashMap<u64, Ending>,
    opcodes: u64,
}

impl Ends {
    /// How the stream that starts here ends.
    pub(super) fn of(&mut self, source: &dyn Source, start: u64) -> Ending {
        let mut cursor = Cursor::sparing(source, start);
        let (mut passed, mut block) = (Vec::new(), start / BLOCK);
        let ending = loop {
            let at = cursor.position();
            if at / BLOCK != block {
                if let Some(known) = self.places.get(&at) {
                    break *known;
                }
                block = at / BLOCK;
                passed.push(at);
            }
            self.opcodes = self.opcodes.saturating_add(1);
            if self.opcodes > MAX_OPCODES {
                break Ending::Unknown;
            }
            if let Some(ending) = pass(&mut cursor) {
                break ending;
            }
        };
        self.remember(passed, ending);
        ending
    }

    fn remember(&mut self, passed: Vec<u64>, ending: Ending) {
        if self.places.len() > MAX_PLACES {
            self.places.clear();
        }
        self.places.extend(passed.into_iter().map(|place| (place, ending)));
    }
}

/// Passes over one opcode; how the stream ends, if it does with this one.
fn pass(cursor: &mut Cursor<'_>) -> Option<Ending> {
    let Ok(code) = cursor.byte() else { return Some(Ending::Broken) };
    match code {
        opcode::STOP => return Some(Ending::Stop(cursor.position())),
        opcode::STACK_GLOBAL | opcode::EXT1 | opcode::EXT2 | opcode::EXT4 => return Some(Ending::Unknown),
        _ => {}
    }
    let Some((_, argument)) = describe(code) else { return Some(Ending::Broken) };
    match pass_argument(cursor, argument) {
        Ok(true) => Some(Ending::Unknown),
        Ok(false) => None,
        Err(_) => Some(Ending::Broken),
    }
}

/// Passes over what follows an opcode; whether it is the class that changes what follows.
fn pass_argument(cursor: &mut Cursor<'_>, argument: Argument) -> Result<bool, ReadError> {
    match argument {
        Argument::None => {}
        Argument::Fixed(bytes) => cursor.skip(bytes.into())?,
        Argument::Counted(width) => {
            let length = cursor.take(width.into())?.iter().rev().fold(0, |length, byte| length << 8 | u64::from(*byte));
            cursor.skip(length)?;
        }
        Argument::Line => {
            cursor.line(MAX_LINE)?;
        }
        Argument::TwoLines => {
            cursor.line(MAX_LINE)?;
            return Ok(cursor.line(MAX_LINE)? == RAW_ARRAY);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::machine::{End, Machine};
    use super::*;
    use crate::budget::Budget;

    /// What streams are put together from: whole opcodes, and parts of them that shift what follows.
    const PIECES: &[&[u8]] = &[
        b"cos\nsystem\n",
        b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n",
        b"c",
        b"i",
        b"a\nb\n",
        b"\n",
        b"(",
        b")",
        b"S'a'\n",
        b"X\x02\0\0\0ab",
        b"U\x03abc",
        b"\x8c",
        b"\x04",
        b"K\x01",
        b"\x95\x05\0\0\0\0\0\0\0",
        b"}",
        b"t",
        b"R",
        b"\x81",
        b"b",
        b"o",
        b"\x93",
        b"q\x01",
        b"h\x01",
        b"p1\n",
        b"0",
        b"1",
        b"2",
        b"a",
        b"\x80\x04",
        b".",
    ];

    proptest! {
        #[test]
        fn a_machine_stops_where_the_lengths_say(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
            let bytes = pieces.concat();
            let budget = Budget::default();
            let mut machine = Machine::new(&bytes, 0, &budget, false);
            if machine.run(10_000) == End::Stop {
                let ending = of(&bytes);
                let stop = machine.cursor.position();
                prop_assert!(ending == Ending::Stop(stop) || ending == Ending::Unknown, "{stop} {ending:?}");
            }
        }
    }

    fn of(bytes: &[u8]) -> Ending {
        Ends::default().of(&bytes, 0)
    }

    #[test]
    fn endings_are_told_by_lengths() {
        assert_eq!(of(b"cos\nsystem\n(S'id'\ntR. and more"), Ending::Stop(21));
        assert_eq!(of(b"cos\nsystem\n(S'id'\ntR"), Ending::Broken);
        assert_eq!(of(b"cos\nsystem\nwords"), Ending::Broken);
        assert_eq!(of(b"X\x04\0\0\0....K.U\x01.."), Ending::Stop(15));
        assert_eq!(of(b"X\xff\xff\xff\xffabc."), Ending::Broken);
        assert_eq!(of(b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n."), Ending::Unknown);
        assert_eq!(of(b"S'a'\nS'b'\n\x93."), Ending::Unknown);
    }

    #[test]
    fn streams_that_met_are_followed_once() {
        let words: Vec<u8> = (0..50_000).flat_map(|word| format!("c{word:05}a\n").into_bytes()).collect();
        let mut ends = Ends::default();
        for start in (0..words.len() as u64).step_by(8) {
            assert_eq!(ends.of(&words.as_slice(), start), Ending::Broken);
        }
        assert!(ends.opcodes < 10_000_000, "{}", ends.opcodes);
    }
}
