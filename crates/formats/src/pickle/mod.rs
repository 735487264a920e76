//! Pickles, protocols 0 to 5, with everything that is written around and between them: several streams in a file,
//! joblib's raw arrays, PyTorch's older files, bytes behind the end.
//!
//! Specification: CPython's `pickletools` for the opcodes, `_pickle.c` for what they do.

mod arrays;
mod bombs;
mod calls;
mod changes;
mod data;
mod embedded;
mod ends;
mod express;
mod global;
mod literal;
mod lookups;
mod machine;
mod memo;
mod opcode;
mod other_readings;
mod reading;
mod rename;
mod search;
mod stack;
pub mod state;
mod tensors;
mod texts;
mod uses;
mod value;

use crate::budget::Budget;
use crate::callable::list::library;
use crate::child::{Child, Role};
use crate::cursor::Cursor;
use crate::fact::{Anomaly, FactKind, Gap, Position};
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::source::{Source, Window, read_up_to};
use crate::text::is_text;

use literal::Literal;
use machine::{End, Machine};
use other_readings::Reach;
use tensors::{Storage, bytes_of};

pub use search::{Place, search, search_beneath, search_start};

/// Streams in one file.
const MAX_STREAMS: u64 = 100_000;
/// Opcodes followed to tell whether something without a signature is a pickle.
const MAX_PROBED: u64 = 2_000;
/// The number that PyTorch's older files start with, as a pickle of its own.
const TORCH_MAGIC: &str = "119547037146038801333356";
/// Pickles in front of the storages in PyTorch's older files.
const TORCH_PICKLES: u64 = 5;

/// Bytes searched at the start of a raw array, where an unpickler that does not know of it goes on.
const ARRAY_SEARCHED: u64 = 4096;

/// The format.
pub static PICKLE: Pickle = Pickle;

/// Python's serialisation, which is a program for a small machine.
#[derive(Debug)]
pub struct Pickle;

static META: Meta = Meta {
    id: "pickle",
    title: "pickle",
    extensions: &["pkl", "pickle", "p", "dill", "joblib", "pt", "pth", "ckpt", "bin"],
    depth: Depth::Full,
    reads: "every opcode of every stream: what would be looked up, called and changed, with which arguments",
    specification: "CPython pickletools.py and _pickle.c, protocols 0 to 5",
};

impl Format for Pickle {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        if probe.role == Role::Pickle {
            return Some(Certainty::Certain);
        }
        let signed = matches!(probe.head.as_slice(), [0x80, 0..=5, next, ..] if opcode::describe(*next).is_some());
        match probe.role {
            _ if !starts_plausibly(&probe.head) => None,
            Role::Numbers if !signed => None,
            Role::Unknown if signed => Some(Certainty::Certain),
            _ => looks_like_a_program(probe).then_some(Certainty::Likely),
        }
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let (budget, in_archive) = (context.budget, context.role == Role::Pickle);
        Streams { source, budget, facts, in_archive, count: 0, legacy: false, storages: Vec::new() }.inspect();
    }
}

/// Whether the first byte is an opcode. A zip's signature happens to be that of a persistent id: taken so, its
/// members would be read as if they followed, which no loader does.
fn starts_plausibly(head: &[u8]) -> bool {
    head.first().is_some_and(|code| opcode::describe(*code).is_some()) && !head.starts_with(b"PK\x03\x04")
}

/// Runs a short way: data without a signature are a pickle when they do something that only a pickle does,
/// or are a pickle from the first byte to the last.
fn looks_like_a_program(probe: &Probe<'_>) -> bool {
    let budget = Budget::small();
    let mut machine = Machine::new(probe.source, 0, &budget, false);
    let end = machine.run(MAX_PROBED);
    if machine.uses.has_effects() || machine.uses.is_broken() || probe.role == Role::Numbers {
        // A look-up of what is dangerous is no chance, whatever becomes of it; in a text it may be two words.
        let may_be_words = end != End::Stop && is_text(&probe.head);
        return machine.uses.has_effects() || probe.role != Role::Numbers && machine.has_danger(may_be_words);
    }
    let whole = end == End::Stop && machine.cursor.remaining() == 0;
    whole || end == End::Exhausted || (end == End::Stop && machine.uses.has_callables())
}

/// All streams of one file.
struct Streams<'a> {
    source: &'a dyn Source,
    budget: &'a Budget,
    facts: &'a mut Facts,
    /// Whether the file lies in an archive that says that it is a pickle, as TorchScript's do.
    in_archive: bool,
    count: u64,
    legacy: bool,
    storages: Vec<Storage>,
}

impl Streams<'_> {
    fn inspect(mut self) {
        let mut position = 0;
        while let Some(next) = self.follow(position) {
            position = next;
            if self.legacy && self.count >= TORCH_PICKLES {
                position = self.pass_storages(position);
            }
            if position >= self.source.len() || !self.continues(position) {
                break;
            }
        }
        self.facts.property("streams", self.count.to_string());
        self.rest(position);
    }

    /// Follows one stream; gives where the next may start, none when this one broke.
    fn follow(&mut self, position: u64) -> Option<u64> {
        let mut machine = Machine::new(self.source, position, self.budget, self.facts.wants_steps());
        machine.globals.torchscript = self.in_archive;
        let end = machine.run(u64::MAX);
        self.count = self.count.saturating_add(1);
        self.describe(&machine);
        let storages = std::mem::take(&mut machine.tensors.storages);
        for storage in &storages {
            let bytes = bytes_of(storage.dtype).map(|bytes| bytes.saturating_mul(storage.elements));
            self.facts.push(Position::Offset(storage.at), FactKind::Storage { key: storage.key.clone(), bytes });
        }
        self.storages.extend(storages);
        let arrays = std::mem::take(&mut machine.uses.arrays);
        let (at, next) = (machine.at, machine.cursor.position());
        let reach = Reach::of(&machine);
        machine.write_tensors(self.facts);
        machine.write_facts(self.facts);
        other_readings::read(self.source, position, &arrays, reach, self.budget, self.facts);
        for array in arrays {
            let most = array.end.saturating_sub(array.start).min(ARRAY_SEARCHED);
            search::search_within(self.source, array.start, most, self.budget, self.facts);
        }
        if end == End::Stop && self.count < MAX_STREAMS {
            return Some(next);
        }
        // Behind the break there may be what a loader that starts elsewhere would run.
        search(self.source, at.saturating_add(1), self.budget, self.facts);
        None
    }

    fn describe(&mut self, machine: &Machine<'_>) {
        if self.count == 1 {
            self.facts.property("protocol", machine.protocol.to_string());
            self.legacy =
                matches!(machine.read_literal(machine.result), Some(Literal::Number(number)) if number == TORCH_MAGIC);
            if self.legacy {
                self.facts.property("layout", "pytorch-legacy");
                self.facts.property("framework", "PyTorch");
            }
        }
        if machine.uses.joblib {
            self.facts.property("layout", "joblib");
        }
        if let Some(global) = machine.class_of(machine.result).and_then(|id| machine.globals.get(id)) {
            self.facts.property("makes", global.path());
            if let Some(library) = library(&global.module).filter(|library| !library.starts_with("Python")) {
                self.facts.property("framework", library);
            }
        }
    }

    /// Whether another pickle follows: loaders that are called again start where the last one stopped.
    fn continues(&self, position: u64) -> bool {
        let rest = Window::new(self.source, position, u64::MAX);
        let probe = Probe::new(&rest, "", if self.legacy { Role::Pickle } else { Role::Unknown });
        PICKLE.recognise(&probe).is_some()
    }

    /// The raw storages of PyTorch's older files, in the order of their keys as text: each a count of elements and as
    /// many elements. Goes on where the first of them is not what its key says.
    fn pass_storages(&mut self, start: u64) -> u64 {
        self.legacy = false;
        let mut storages = std::mem::take(&mut self.storages);
        storages.sort_by(|one, other| one.key.cmp(&other.key));
        let mut position = start;
        for storage in &storages {
            let Some(bytes) = bytes_of(storage.dtype) else {
                let detail = format!("the size of storage '{}' cannot be told", storage.key);
                self.facts.incomplete(position, Gap::Unsupported, detail);
                return self.source.len();
            };
            let mut cursor = Cursor::new(self.source, position);
            let counted = cursor.u64().is_ok_and(|count| count == storage.elements);
            if !counted || cursor.skip(storage.elements.saturating_mul(bytes)).is_err() {
                let detail = format!("storage '{}' is not where or not as long as the pickle says", storage.key);
                self.facts.anomaly(position, Anomaly::SizeMismatch, detail);
                return position;
            }
            position = cursor.position();
        }
        position
    }

    /// What is left behind the last stream.
    fn rest(&mut self, position: u64) {
        let length = self.source.len().saturating_sub(position);
        let start = read_up_to(self.source, position, 3);
        if position == 0 || length == 0 || matches!(start.as_slice(), b"\n" | b"\r\n") {
            return;
        }
        self.facts.anomaly(position, Anomaly::TrailingBytes, format!("{length} bytes follow the end of the pickle"));
        let child = Child::stored(format!("bytes at {position:#x}"), position, length);
        self.facts.push(Position::Offset(position), FactKind::Child(child));
        search(self.source, position, self.budget, self.facts);
    }
}

#[cfg(test)]
mod tests;
