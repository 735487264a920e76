//! Where a stream of opcodes would end and what it can name, by the lengths of its opcodes alone.
//!
//! What an opcode does depends on the stack; how long it is does not, with one exception ([`Ending::Unknown`]). So streams
//! that have met once end in the same place, and in a list of words, where each word could start one, all of them are gone
//! through in the time of one.

use std::collections::HashMap;

use crate::callable::list::{dangerous_module, library};
use crate::cursor::Cursor;
use crate::source::{ReadError, Source};

use super::data::MAX_LINE;
use super::opcode::{self, Argument, describe};
use super::rename::renamed;

/// Bytes between two places of a stream that are remembered.
const BLOCK: u64 = 128;
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

/// What is known of a stream without following it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outline {
    pub(super) ending: Ending,
    /// Whether it names something of a library that is known, or may do so in a way that is not seen here.
    pub(super) names: bool,
}

/// Outlines of streams in one source.
#[derive(Debug, Default)]
pub(super) struct Ends {
    places: HashMap<u64, Outline>,
    opcodes: u64,
}

impl Ends {
    /// How the stream that starts here ends, and what it can name.
    pub(super) fn of(&mut self, source: &dyn Source, start: u64) -> Outline {
        let mut cursor = Cursor::sparing(source, start);
        let (mut passed, mut block, mut named) = (Vec::new(), start / BLOCK, None);
        let outline = loop {
            let at = cursor.position();
            if at / BLOCK != block {
                if let Some(known) = self.places.get(&at) {
                    break *known;
                }
                block = at / BLOCK;
                if passed.len() < MAX_PLACES {
                    passed.push(at);
                }
            }
            self.opcodes = self.opcodes.saturating_add(1);
            if self.opcodes > MAX_OPCODES {
                break Outline { ending: Ending::Unknown, names: true };
            }
            match pass(&mut cursor) {
                Step::Plain => {}
                Step::Named => named = Some(at),
                Step::End(ending) => break Outline { ending, names: ending == Ending::Unknown },
            }
        };
        self.remember(passed, named, outline);
        Outline { names: outline.names || named.is_some(), ..outline }
    }

    fn remember(&mut self, passed: Vec<u64>, named: Option<u64>, outline: Outline) {
        if self.places.len() > MAX_PLACES {
            self.places.clear();
        }
        let at = |place| Outline { names: outline.names || named >= Some(place), ..outline };
        self.places.extend(passed.into_iter().map(|place| (place, at(place))));
    }
}

/// What one opcode is for the outline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Plain,
    /// It names something of a library that is known, or changes how names are looked up.
    Named,
    End(Ending),
}

/// Passes over one opcode.
fn pass(cursor: &mut Cursor<'_>) -> Step {
    let Ok(code) = cursor.byte() else { return Step::End(Ending::Broken) };
    match code {
        opcode::STOP => return Step::End(Ending::Stop(cursor.position())),
        opcode::STACK_GLOBAL | opcode::EXT1 | opcode::EXT2 | opcode::EXT4 => return Step::End(Ending::Unknown),
        _ => {}
    }
    let Some((_, argument)) = describe(code) else { return Step::End(Ending::Broken) };
    match pass_argument(cursor, argument) {
        Ok(Step::Plain) if code == opcode::PROTO => Step::Named,
        Ok(step) => step,
        Err(_) => Step::End(Ending::Broken),
    }
}

/// Passes over what follows an opcode.
fn pass_argument(cursor: &mut Cursor<'_>, argument: Argument) -> Result<Step, ReadError> {
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
            let module = String::from_utf8_lossy(cursor.line(MAX_LINE)?).into_owned();
            return Ok(named(&module, cursor.line(MAX_LINE)?));
        }
    }
    Ok(Step::Plain)
}

/// What naming something is.
fn named(module: &str, name: &[u8]) -> Step {
    if name == RAW_ARRAY {
        return Step::End(Ending::Unknown);
    }
    let name = String::from_utf8_lossy(name);
    let is_known = |module: &str| {
        let ends = module.match_indices('.').map(|(end, _)| end).chain([module.len()]);
        library(module).is_some() || ends.filter_map(|end| module.get(..end)).any(|it| dangerous_module(it).is_some())
    };
    // Python 2 called some modules otherwise.
    let known = is_known(module) || is_known(renamed(module, &name).0);
    if known { Step::Named } else { Step::Plain }
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
                let names = Ends::default().of(&bytes, 0).names;
                prop_assert!(names || !machine.has_named_effects(true), "it names what is known");
            }
        }
    }

    fn of(bytes: &[u8]) -> Ending {
        Ends::default().of(&bytes, 0).ending
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
    fn what_can_be_named_is_told() {
        let names = |bytes: &[u8]| Ends::default().of(&bytes, 0).names;
        assert!(names(b"(S'id'\nios\nsystem\n."));
        assert!(names(b"c__builtin__\neval\n."));
        assert!(names(b"ctorch.nn\nLinear\nwords"));
        assert!(names(b"\x80\x04cword\nos.system\n."), "where dots are walked");
        assert!(!names(b"cword\nword\niword\nword\n."));
    }

    #[test]
    fn a_name_counts_for_what_stands_before_it() {
        let mut bytes = b"cw\nw\n".repeat(2_000);
        let middle = bytes.len() as u64;
        bytes.extend_from_slice(b"cos\nsystem\n");
        bytes.extend(b"cw\nw\n".repeat(2_000));
        let mut ends = Ends::default();
        assert!(ends.of(&bytes, 0).names);
        assert!(ends.of(&bytes, middle - 5).names);
        assert!(!ends.of(&bytes, middle + 12).names, "behind it");
    }

    #[test]
    fn streams_that_met_are_followed_once() {
        let words: Vec<u8> = (0..50_000).flat_map(|word| format!("c{word:05}a\n").into_bytes()).collect();
        let mut ends = Ends::default();
        for start in (0..words.len() as u64).step_by(8) {
            assert_eq!(ends.of(&words.as_slice(), start), Outline { ending: Ending::Broken, names: false });
        }
        assert!(ends.opcodes < 10_000_000, "{}", ends.opcodes);
    }
}
