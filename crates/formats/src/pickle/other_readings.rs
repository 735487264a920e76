//! Other readings of a stream in which joblib's raw arrays stand: any other unpickler reads their bytes as opcodes, and joblib
//! itself unpickles them where the type of their elements turns out to be objects.

use std::ops::Range;

use crate::budget::Budget;
use crate::cursor::Cursor;
use crate::fact::Anomaly;
use crate::facts::Facts;
use crate::source::Source;

use super::machine::{End, Machine};

/// Opcodes followed from the start of one raw array: numbers are no program for long.
const MAX_FOLLOWED: u64 = 1 << 20;

/// What a reading would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reach {
    acts: bool,
    dangerous: bool,
}

impl Reach {
    pub(super) fn of(machine: &Machine<'_>) -> Self {
        Self { acts: machine.uses.has_effects(), dangerous: machine.has_named_effects(false) }
    }

    /// Whether another reading, which ended so, does what this one does not.
    fn is_exceeded_by(self, other: &Machine<'_>, end: End) -> bool {
        let found = Self::of(other);
        found.dangerous && !self.dangerous || end == End::Stop && found.acts && !self.acts
    }
}

/// Reads a stream that starts at `start` and has these raw arrays in the other ways, and tells what only they would do.
pub(super) fn read(
    source: &dyn Source,
    start: u64,
    arrays: &[Range<u64>],
    known: Reach,
    budget: &Budget,
    facts: &mut Facts,
) {
    if arrays.is_empty() {
        return;
    }
    let mut plain = Machine::new(source, start, budget, false);
    plain.raw_arrays = false;
    follow(plain, u64::MAX, known, "read without joblib, the bytes of an array do something", facts);
    for array in arrays {
        let mut objects = Machine::new(source, array.start, budget, false);
        // Most end with the first byte, and a file may have a hundred thousand arrays.
        objects.cursor = Cursor::sparing(source, array.start);
        follow(
            objects,
            MAX_FOLLOWED,
            known,
            "the bytes of an array are a pickle, which joblib loads if they are objects",
            facts,
        );
    }
}

fn follow(mut machine: Machine<'_>, most: u64, known: Reach, detail: &str, facts: &mut Facts) {
    machine.passed = Some(Vec::new());
    let end = machine.run(most);
    if known.is_exceeded_by(&machine, end) {
        facts.anomaly(machine.start, Anomaly::HiddenContent, detail);
        machine.write_facts(facts);
    }
}
