//! Looking for pickles where nobody said there are any: behind breaks, behind the end, in bytes of no known format.
//!
//! A loader can be told to start anywhere. What is found is reported only if it would do something.

use std::collections::HashSet;
use std::ops::Range;

use crate::budget::Budget;
use crate::fact::{Anomaly, Gap};
use crate::facts::Facts;
use crate::source::{Source, read_up_to};

use super::ends::{Ending, Ends};
use super::machine::{End, Machine};
use super::opcode;
use super::reading::is_identifier_path;

/// Bytes searched in one place.
const MAX_SEARCHED: u64 = 256 << 20;
/// Bytes looked at together, and how much of them is looked at again with the next.
const CHUNK: usize = 1 << 20;
const OVERLAP: usize = 256;
/// Opcodes followed at one candidate.
const MAX_FOLLOWED: u64 = 20_000;
/// Candidates followed in one place; random bytes give about 60 a megabyte.
const MAX_CANDIDATES: u32 = 20_000;
/// Opcodes followed in one place, each counted again for so many bytes.
const MAX_WORK: u64 = 1 << 21;
const BYTES_AN_OPCODE: u64 = 64;
/// Opcodes gone through that are remembered.
const MAX_PASSED: usize = 1 << 19;
/// Hidden pickles reported in one place.
const MAX_REPORTED: u32 = 8;

/// Looks for pickles from `from` on and writes what those that do something would do.
pub fn search(source: &dyn Source, from: u64, budget: &Budget, facts: &mut Facts) {
    search_within(source, from, MAX_SEARCHED, budget, facts);
    if from.saturating_add(MAX_SEARCHED) < source.len() {
        let end = from.saturating_add(MAX_SEARCHED);
        facts.incomplete(end, Gap::Limit, "there is more here than is searched for hidden pickles");
    }
}

/// Where a search takes place, which says what counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Bytes of any kind: whatever starts as a pickle does is followed.
    Bytes,
    /// A text: without a signature, only a pickle counts that is most of it, or with which it ends.
    Text,
    /// A document, which may well show what old pickles look like: only a signature counts.
    Document,
}

/// As [`search`], in a file of a format that is not parsed and is said not to be, so that nothing is said of what was not
/// searched.
pub fn search_beneath(source: &dyn Source, place: Place, budget: &Budget, facts: &mut Facts) {
    let end = source.len();
    let mut search = Search::new(source, budget, facts, 0..end, place);
    let offset = search.run(0, MAX_SEARCHED);
    search.conclude(offset);
}

/// Looks for a pickle that starts at `at` and nowhere else.
pub fn search_start(source: &dyn Source, at: u64, budget: &Budget, facts: &mut Facts) {
    search_within(source, at, 1, budget, facts);
}

/// Looks for pickles that start within `most` bytes from `from`.
pub(super) fn search_within(source: &dyn Source, from: u64, most: u64, budget: &Budget, facts: &mut Facts) {
    let end = source.len().min(from.saturating_add(most));
    let mut search = Search::new(source, budget, facts, from..end, Place::Bytes);
    let offset = search.run(from, most);
    search.conclude(offset);
}

struct Search<'a> {
    source: &'a dyn Source,
    budget: &'a Budget,
    facts: &'a mut Facts,
    candidates: u32,
    work: u64,
    reported: u32,
    /// Where the next candidate may start: behind the last pickle found.
    next: u64,
    /// Where the last candidate may start.
    end: u64,
    /// What counts here.
    place: Place,
    /// Opcodes that a candidate went through without doing anything. Whoever starts there has less on the stack, and does
    /// no more: in a sorted list of words each line would be followed through all that come after it.
    passed: HashSet<u64>,
    /// Where streams end, and what they can name.
    ends: Ends,
    /// Whether there was a mark before, which INST needs: most texts have none.
    has_mark: bool,
}

impl<'a> Search<'a> {
    fn new(
        source: &'a dyn Source,
        budget: &'a Budget,
        facts: &'a mut Facts,
        starts: Range<u64>,
        place: Place,
    ) -> Search<'a> {
        let (passed, ends, has_mark) = (HashSet::new(), Ends::default(), starts.start > 0);
        let (next, end) = (starts.start, starts.end);
        Search { source, budget, facts, candidates: 0, work: 0, reported: 0, next, end, place, passed, ends, has_mark }
    }

    /// Tells where a search was given up.
    fn conclude(self, offset: u64) {
        if self.candidates >= MAX_CANDIDATES || self.work >= MAX_WORK {
            self.facts.incomplete(offset, Gap::Limit, "there is more here than is searched for hidden pickles");
        }
    }

    /// Goes through at most `most` bytes from `from` on; where it stopped.
    fn run(&mut self, from: u64, most: u64) -> u64 {
        let end = self.end.min(from.saturating_add(most));
        let mut offset = from;
        while offset < end && self.is_open() {
            // No more than can start here and its names: a file may have many short places.
            let wanted = end.saturating_sub(offset).saturating_add(OVERLAP as u64);
            let chunk =
                read_up_to(self.source, offset, usize::try_from(wanted).map_or(CHUNK, |wanted| wanted.min(CHUNK)));
            self.chunk(&chunk, offset);
            if chunk.len() < CHUNK {
                break;
            }
            offset = offset.saturating_add((CHUNK.saturating_sub(OVERLAP)) as u64);
        }
        offset
    }

    fn is_open(&self) -> bool {
        self.candidates < MAX_CANDIDATES && self.work < MAX_WORK && self.reported < MAX_REPORTED
    }

    fn chunk(&mut self, chunk: &[u8], offset: u64) {
        for index in 0..chunk.len() {
            let Some(rest) = chunk.get(index..) else { break };
            self.has_mark |= rest.first() == Some(&opcode::MARK);
            let start = offset.saturating_add(index as u64);
            if self.fits(rest)
                && (self.next..self.end).contains(&start)
                && !self.passed.contains(&start)
                && self.is_open()
            {
                self.follow(start);
            }
        }
    }

    /// Whether bytes could start a pickle here.
    fn fits(&self, bytes: &[u8]) -> bool {
        is_candidate(bytes) && (self.place != Place::Document || bytes.first() == Some(&opcode::PROTO))
    }

    fn follow(&mut self, start: u64) {
        if self.is_idle(start) {
            return;
        }
        self.candidates = self.candidates.saturating_add(1);
        let mut machine = Machine::new(self.source, start, self.budget, false);
        // INST and OBJ take everything from a mark, which may stand before the candidate if there is one.
        let marked = if self.has_mark { machine.stack.mark() } else { Ok(()) };
        machine.passed = Some(Vec::new());
        let end = machine.run(MAX_FOLLOWED);
        let bytes = machine.cursor.position().saturating_sub(start);
        self.work = self.work.saturating_add(machine.operations.max(bytes / BYTES_AN_OPCODE));
        if !machine.uses.has_effects() {
            self.pass(machine.passed.take().unwrap_or_default());
        }
        // Names that nobody knows are found in any text: what is hidden to do harm calls something that is there. Lists of
        // words and addresses name libraries too (`can`, `ta`), and break off.
        let is_whole = end == End::Stop || self.is_signed(start);
        if marked.is_err() || !machine.uses.has_effects() || !machine.has_named_effects(is_whole) {
            return;
        }
        if self.place == Place::Text && !self.is_no_example(start, machine.cursor.position(), end) {
            return;
        }
        self.reported = self.reported.saturating_add(1);
        self.next = machine.cursor.position();
        let detail = "a pickle that does something starts here, where nothing says there is one";
        self.facts.anomaly(start, Anomaly::HiddenContent, detail);
        machine.write_facts(self.facts);
    }

    fn pass(&mut self, opcodes: Vec<u64>) {
        // Forgetting costs time alone.
        if self.passed.len() > MAX_PASSED {
            self.passed.clear();
        }
        self.passed.extend(opcodes);
    }

    /// Whether nothing can come of what starts here without a signature: it names nothing that is known, or is in a text, most
    /// of which stands before its end, and more comes behind.
    fn is_idle(&mut self, start: u64) -> bool {
        if self.is_signed(start) {
            return false;
        }
        let outline = self.ends.of(self.source, start);
        let is_example = match outline.ending {
            Ending::Stop(stop) => !self.is_most(start, stop) && !self.is_last(stop),
            Ending::Broken => true,
            Ending::Unknown => false,
        };
        !outline.names || self.place == Place::Text && is_example
    }

    /// Whether a pickle in a text stands there to be loaded: with a signature, or whole and most of the text or its end.
    fn is_no_example(&self, start: u64, stop: u64, end: End) -> bool {
        self.is_signed(start) || end == End::Stop && (self.is_last(stop) || self.is_most(start, stop))
    }

    fn is_last(&self, stop: u64) -> bool {
        let rest = read_up_to(self.source, stop, OVERLAP);
        rest.len() < OVERLAP && rest.iter().all(u8::is_ascii_whitespace)
    }

    fn is_most(&self, start: u64, stop: u64) -> bool {
        stop.saturating_sub(start) > self.source.len() / 2
    }

    fn is_signed(&self, start: u64) -> bool {
        read_up_to(self.source, start, 1) == [opcode::PROTO]
    }
}

/// Whether bytes could start a pickle: a signature and an opcode, or GLOBAL or INST with names.
fn is_candidate(bytes: &[u8]) -> bool {
    match bytes {
        [opcode::PROTO, 2..=5, next, ..] => opcode::describe(*next).is_some(),
        [opcode::GLOBAL | opcode::INST, rest @ ..] => is_two_names(rest),
        _ => false,
    }
}

fn is_two_names(bytes: &[u8]) -> bool {
    let bytes = bytes.get(..bytes.len().min(OVERLAP)).unwrap_or_default();
    // Nearly all candidates fail at their first byte.
    if !bytes.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_') {
        return false;
    }
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let mut is_name = || lines.next().and_then(|line| std::str::from_utf8(line).ok()).is_some_and(is_identifier_path);
    is_name() && is_name() && lines.next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether something was found, and whether the budget was enough.
    fn search(bytes: &[u8], operations: u64) -> (bool, bool) {
        let budget = Budget::new(0, operations, 100);
        let mut facts = Facts::new();
        search_beneath(&bytes, Place::Text, &budget, &mut facts);
        (facts.has_anomaly(Anomaly::HiddenContent), budget.operate(1).is_ok())
    }

    #[test]
    fn endings_of_addresses_are_no_pickle() {
        let suffixes = "com.ac\nita\nta.akita.jp\nakita.jp\ncan\nre\ncom.re\n".repeat(40);
        for suffixes in
            [suffixes.as_str(), "insurance.aero\ninsure\nint\nint.ar\nint.az\nint.bo\n", "cnt\nsystem\nio\n"]
        {
            let budget = Budget::default();
            let mut facts = Facts::new();
            let bytes = [b"\0\0\x01\0", suffixes.as_bytes()].concat();
            search_beneath(&bytes, Place::Bytes, &budget, &mut facts);
            assert!(!facts.has_anomaly(Anomaly::HiddenContent), "{suffixes}");
        }
    }

    #[test]
    fn a_sorted_list_of_words_is_followed_once() {
        let words: String = (0..20_000).map(|number| format!("c{number:05}a\n")).collect();
        assert_eq!(search(words.as_bytes(), 500_000), (false, true));
        let hidden = words + "cos\nsystem\n(S'echo waag-inert'\ntR.";
        assert_eq!(search(hidden.as_bytes(), 500_000), (true, true));
        let shifted = hidden.replacen("c00000a\n", "", 1);
        assert_eq!(search(shifted.as_bytes(), 500_000), (true, true));
    }

    #[test]
    fn words_that_start_within_words_are_no_more_work() {
        // Each line has a candidate at its start and three within, and each of those leads through all that come after.
        let words: String = (0..20_000).map(|number| format!("cicicia{number:05}\n")).collect();
        assert_eq!(search(words.as_bytes(), 500_000), (false, true));
        let hidden = words.clone() + "cos\nsystem\n(S'echo waag-inert'\ntR.\n";
        assert_eq!(search(hidden.as_bytes(), 1 << 24), (true, true));
        assert_eq!(
            search((hidden + &words + &words).as_bytes(), 500_000),
            (false, true),
            "shown in the middle of a text"
        );
    }
}
