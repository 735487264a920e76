//! The walk over R's values: one loop over a stack of what is still to be read, no recursion.
//!
//! Values are not kept. What is remembered is what later parts refer to: the names of symbols.

use super::calls::{calls_by_name, is_dangerous, takes_from_package};
use super::input::{Input, Mode};
use crate::budget::Budget;
use crate::fact::{Anomaly, Code, FactKind, Gap, Position, Runs, Tensor};
use crate::facts::{Facts, shorten};
use crate::foreign;
use crate::protobuf::Span;
use crate::source::{ReadError, Source, read_up_to};

/// Values that are still to be read; each level of nesting adds a few. R itself runs out of stack not far from here.
const MAX_PENDING: usize = 1 << 15;
/// Things that are referred to.
const MAX_REFERENCES: usize = 1 << 18;
/// Bytes kept of a symbol's name.
const MAX_SYMBOL: usize = 100;
/// Bytes kept of a text.
const MAX_TEXT: u64 = 300;
/// Vectors from this length on are listed.
const LISTED: u64 = 16;
/// Classes and packages that are listed.
const MAX_LISTED: usize = 64;

/// Types of values, as R numbers them.
mod kind {
    pub(super) const SYMBOL: u8 = 1;
    pub(super) const LIST: u8 = 2;
    pub(super) const CLOSURE: u8 = 3;
    pub(super) const ENVIRONMENT: u8 = 4;
    pub(super) const PROMISE: u8 = 5;
    pub(super) const CALL: u8 = 6;
    pub(super) const SPECIAL: u8 = 7;
    pub(super) const BUILTIN: u8 = 8;
    pub(super) const CHARACTERS: u8 = 9;
    pub(super) const LOGICAL: u8 = 10;
    pub(super) const INTEGER: u8 = 13;
    pub(super) const REAL: u8 = 14;
    pub(super) const COMPLEX: u8 = 15;
    pub(super) const STRINGS: u8 = 16;
    pub(super) const DOTS: u8 = 17;
    pub(super) const VECTOR: u8 = 19;
    pub(super) const EXPRESSIONS: u8 = 20;
    pub(super) const BYTECODE: u8 = 21;
    pub(super) const POINTER: u8 = 22;
    pub(super) const WEAK: u8 = 23;
    pub(super) const RAW: u8 = 24;
    pub(super) const OBJECT: u8 = 25;
    pub(super) const ALTERNATIVE: u8 = 238;
    pub(super) const LIST_WITH_ATTRIBUTES: u8 = 239;
    pub(super) const CALL_WITH_ATTRIBUTES: u8 = 240;
    pub(super) const BASE_ENVIRONMENT: u8 = 241;
    pub(super) const EMPTY_ENVIRONMENT: u8 = 242;
    pub(super) const REPEATED: u8 = 243;
    pub(super) const REPEATABLE: u8 = 244;
    pub(super) const PERSISTENT: u8 = 247;
    pub(super) const PACKAGE: u8 = 248;
    pub(super) const NAMESPACE: u8 = 249;
    pub(super) const BASE_NAMESPACE: u8 = 250;
    pub(super) const MISSING: u8 = 251;
    pub(super) const UNBOUND: u8 = 252;
    pub(super) const GLOBAL: u8 = 253;
    pub(super) const NOTHING: u8 = 254;
    pub(super) const REFERENCE: u8 = 255;
}

/// What a value is to the one it is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Slot {
    /// The value of the file, or of one of its variables.
    Root,
    /// The list of variables of a file.
    Variables,
    /// Anything that is only data.
    Data,
    /// The function of a call.
    Callee,
    /// The function of the call that a promise is.
    PromisedCallee,
    /// Arguments of a call that takes a function by its name.
    Named,
    /// The list of an environment's variables, and the table of such lists.
    Frame,
    Table,
    /// The value of a variable of an environment.
    Binding,
    /// What a promise came to.
    PromiseValue,
    /// What a promise is of.
    PromiseCode,
    /// Whatever describes a value, and the classes among it.
    Attributes,
    /// The name of an attribute.
    Tag,
    Class,
    /// How a value is stored that is not stored as usual.
    Storage,
}

enum Task {
    Item(Slot),
    Items(u64, Slot),
    /// Constants of byte code.
    Constants(u64),
    /// A part of the source that byte code was made from.
    Source(Slot),
    /// The value of an alternative or of code: a type comes first.
    Constant,
}

enum Stop {
    Read(ReadError),
    Odd(Anomaly, String),
    Gap(Gap, String),
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

/// A dangerous call whose first argument has not come yet.
struct Pending {
    at: u64,
    name: String,
    runs: Runs,
}

pub(super) struct Walk<'a, 'f> {
    source: &'a dyn Source,
    pub(super) input: Input<'a>,
    budget: &'a Budget,
    facts: &'f mut Facts,
    tasks: Vec<Task>,
    /// Names of what can be referred to; empty for what is no symbol.
    references: Vec<String>,
    /// For each promise that is open, whether it has not come to a value.
    promises: Vec<bool>,
    pending: Option<Pending>,
    closures: u64,
    classes: Vec<String>,
    packages: Vec<String>,
}

impl<'a, 'f> Walk<'a, 'f> {
    pub(super) fn new(source: &'a dyn Source, input: Input<'a>, budget: &'a Budget, facts: &'f mut Facts) -> Self {
        let (tasks, references, promises) = (Vec::new(), Vec::new(), Vec::new());
        let (classes, packages) = (Vec::new(), Vec::new());
        Self {
            source,
            input,
            budget,
            facts,
            tasks,
            references,
            promises,
            pending: None,
            closures: 0,
            classes,
            packages,
        }
    }

    /// Reads the one value of a file. Returns where it ends, when all of it could be read.
    pub(super) fn run(mut self, is_image: bool) -> Option<u64> {
        self.tasks.push(Task::Item(if is_image { Slot::Variables } else { Slot::Root }));
        let read = self.read();
        self.settle("");
        let at = self.input.position();
        for class in &self.classes {
            self.facts.property("class", class.as_str());
        }
        for package in &self.packages {
            self.facts.property("package", package.as_str());
        }
        if self.closures > 0 {
            self.facts.property("functions", self.closures.to_string());
        }
        match read {
            Ok(()) => return Some(at),
            Err(Stop::Read(ReadError::End)) => {
                self.facts.anomaly(at, Anomaly::Malformed, "the data end within a value");
            }
            // In the text form, what is no number is refused by the input itself.
            Err(Stop::Read(ReadError::Refused(why))) if self.input.mode == Mode::Ascii => {
                self.facts.anomaly(at, Anomaly::Malformed, why);
            }
            Err(Stop::Read(error)) => self.facts.incomplete(at, Gap::Unreadable, error.to_string()),
            Err(Stop::Odd(anomaly, detail)) => self.facts.anomaly(at, anomaly, detail),
            Err(Stop::Gap(gap, detail)) => self.facts.incomplete(at, gap, detail),
        }
        None
    }

    fn read(&mut self) -> Result<(), Stop> {
        while let Some(task) = self.tasks.pop() {
            self.pay(4)?;
            if self.tasks.len() > MAX_PENDING {
                return Err(Stop::Gap(Gap::Depth, "values lie too deep within each other".to_owned()));
            }
            match task {
                Task::Item(slot) => self.item(slot)?,
                Task::Items(left, slot) => {
                    if let Some(left) = left.checked_sub(1) {
                        self.tasks.push(Task::Items(left, slot));
                        self.item(slot)?;
                    }
                }
                Task::Constants(left) => {
                    if let Some(left) = left.checked_sub(1) {
                        self.tasks.push(Task::Constants(left));
                        self.tasks.push(Task::Constant);
                    }
                }
                Task::Constant => self.constant()?,
                Task::Source(slot) => {
                    let kind = self.input.integer()?;
                    self.source(kind, slot)?;
                }
            }
        }
        Ok(())
    }

    fn pay(&self, steps: u64) -> Result<(), Stop> {
        self.budget.operate(steps).map_err(|error| Stop::Gap(Gap::Limit, error.to_string()))
    }

    fn item(&mut self, slot: Slot) -> Result<(), Stop> {
        let at = self.input.position();
        let flags = self.input.integer()?.cast_unsigned();
        let [kind, ..] = flags.to_le_bytes();
        let (has_attributes, has_tag) = (flags & 1 << 9 != 0, flags & 1 << 10 != 0);
        if slot == Slot::PromiseValue && kind == kind::UNBOUND {
            self.promises.last_mut().into_iter().for_each(|unbound| *unbound = true);
        }
        let promised = slot == Slot::PromiseCode && self.promises.pop() == Some(true);
        match kind {
            kind::BASE_ENVIRONMENT
            | kind::EMPTY_ENVIRONMENT
            | kind::BASE_NAMESPACE
            | kind::MISSING
            | kind::UNBOUND
            | kind::GLOBAL
            | kind::NOTHING => {}
            kind::REFERENCE => self.reference(flags, at, slot)?,
            kind::SYMBOL => {
                let name = self.symbol()?;
                self.named(&name, at, slot);
                self.refer(name)?;
            }
            kind::PERSISTENT | kind::PACKAGE | kind::NAMESPACE => self.package()?,
            kind::ENVIRONMENT => self.environment()?,
            kind::LIST | kind::DOTS | kind::CALL | kind::CLOSURE | kind::PROMISE => {
                self.pair(kind, slot, has_attributes, has_tag);
            }
            kind::BYTECODE => self.bytecode(has_attributes)?,
            kind::ALTERNATIVE => {
                self.tasks.extend([Task::Item(Slot::Attributes), Task::Item(Slot::Data), Task::Item(Slot::Storage)])
            }
            _ => self.vector(kind, at, slot, has_attributes)?,
        }
        if promised && matches!(kind, kind::CALL | kind::BYTECODE) {
            self.promise(at);
        }
        Ok(())
    }

    /// A promise that has not come to a value: whoever looks at it runs it.
    fn promise(&mut self, at: u64) {
        self.settle("");
        self.pending = Some(Pending { at, name: String::new(), runs: Runs::Loaded });
        // The call's own function comes next.
        for task in self.tasks.iter_mut().rev().take(3) {
            if let Task::Item(slot @ Slot::Callee) = task {
                *slot = Slot::PromisedCallee;
                break;
            }
        }
    }

    fn reference(&mut self, flags: u32, at: u64, slot: Slot) -> Result<(), Stop> {
        let packed = flags >> 8;
        let index = if packed == 0 { u32::try_from(self.input.integer()?).unwrap_or(0) } else { packed };
        let index = usize::try_from(index).ok().and_then(|index| index.checked_sub(1));
        let Some(name) = index.and_then(|index| self.references.get(index)).cloned() else {
            return Err(Stop::Odd(Anomaly::OutOfBounds, "a reference to something that has not been read".to_owned()));
        };
        self.named(&name, at, slot);
        Ok(())
    }

    fn refer(&mut self, name: String) -> Result<(), Stop> {
        if self.references.len() >= MAX_REFERENCES {
            return Err(Stop::Gap(Gap::Limit, format!("more than {MAX_REFERENCES} symbols and environments")));
        }
        self.references.push(shorten(name, MAX_SYMBOL));
        Ok(())
    }

    /// A symbol in a place where its name counts.
    fn named(&mut self, name: &str, at: u64, slot: Slot) {
        match slot {
            Slot::PromisedCallee => {
                if let Some(pending) = self.pending.as_mut() {
                    name.clone_into(&mut pending.name);
                }
            }
            Slot::Callee | Slot::Named if is_dangerous(name) => {
                self.settle("");
                self.pending = Some(Pending { at, name: name.to_owned(), runs: Runs::Used });
            }
            Slot::Callee if calls_by_name(name) || takes_from_package(name) => self.arguments_are_names(),
            Slot::Tag if name == "class" => {
                if let Some(Task::Item(slot)) = self.tasks.last_mut() {
                    *slot = Slot::Class;
                }
            }
            Slot::Storage if name.starts_with("mmap_") => {
                let detail = "a vector is to be mapped from a file elsewhere";
                self.facts.anomaly(at, Anomaly::ExternalData, detail);
            }
            _ => {}
        }
    }

    /// The list of arguments comes next.
    fn arguments_are_names(&mut self) {
        if let Some(Task::Item(slot @ Slot::Data) | Task::Source(slot @ Slot::Data)) = self.tasks.last_mut() {
            *slot = Slot::Named;
        }
    }

    /// Writes down the call that waited for its first argument.
    fn settle(&mut self, argument: &str) {
        let Some(Pending { at, name, runs }) = self.pending.take() else { return };
        let excerpt = if argument.is_empty() { format!("{name}(…)") } else { format!("{name}('{argument}', …)") };
        let place = if runs == Runs::Loaded { "a promise" } else { "a call that is kept in the model" };
        let excerpt = shorten(excerpt, 300);
        let code = Code { name: place.to_owned(), language: "R".into(), runs, excerpt };
        self.facts.push(Position::Offset(at), FactKind::Code(code));
    }

    /// The name of a symbol: text with flags of its own.
    fn symbol(&mut self) -> Result<String, Stop> {
        let flags = self.input.integer()?;
        if flags & 0xff != i32::from(kind::CHARACTERS) {
            return Err(Stop::Odd(Anomaly::Malformed, "a symbol's name is no text".to_owned()));
        }
        self.text()
    }

    fn text(&mut self) -> Result<String, Stop> {
        let length = self.input.integer()?;
        let Ok(length) = u64::try_from(length) else { return Ok(String::new()) };
        self.fits(length, 1)?;
        self.pay(length / 16)?;
        Ok(self.input.text(length, MAX_TEXT)?)
    }

    /// R makes room for a vector before it reads it.
    fn fits(&self, count: u64, size: u64) -> Result<(), Stop> {
        let left = self.input.cursor.remaining();
        if count.saturating_mul(size) > left {
            let detail = format!("{count} items of {size} bytes are announced where {left} bytes are left");
            return Err(Stop::Odd(Anomaly::AllocationBomb, detail));
        }
        Ok(())
    }

    fn length(&mut self) -> Result<u64, Stop> {
        let length = self.input.integer()?;
        if length != -1 {
            let odd = |_| Stop::Odd(Anomaly::Malformed, format!("a vector of {length} items"));
            return u64::try_from(length).map_err(odd);
        }
        let (high, low) = (self.input.integer()?.cast_unsigned(), self.input.integer()?.cast_unsigned());
        Ok(u64::from(high) << 32 | u64::from(low))
    }

    /// A package or namespace: reading it loads it.
    fn package(&mut self) -> Result<(), Stop> {
        self.input.integer()?;
        let count = self.length()?;
        self.fits(count, 4)?;
        for index in 0..count {
            self.pay(4)?;
            let name = self.symbol()?;
            if index == 0 {
                note(&mut self.packages, name);
            }
        }
        self.refer(String::new())
    }

    fn environment(&mut self) -> Result<(), Stop> {
        self.input.integer()?;
        self.refer(String::new())?;
        self.tasks.extend([
            Task::Item(Slot::Attributes),
            Task::Item(Slot::Table),
            Task::Item(Slot::Frame),
            Task::Item(Slot::Data),
        ]);
        Ok(())
    }

    /// Values of two parts, a name and attributes: lists, calls, functions, promises.
    fn pair(&mut self, kind: u8, slot: Slot, has_attributes: bool, has_tag: bool) {
        let (first, rest) = match (kind, slot) {
            (kind::CALL, _) => (Slot::Callee, Slot::Data),
            // In an environment, a promise is an argument that its function did not look at: what it calls counts.
            (kind::PROMISE, Slot::Binding) => (Slot::Data, Slot::Data),
            (kind::PROMISE, _) => {
                self.promises.push(false);
                (Slot::PromiseValue, Slot::PromiseCode)
            }
            (kind::CLOSURE, _) => {
                self.closures = self.closures.saturating_add(1);
                (Slot::Data, Slot::Data)
            }
            (_, Slot::Variables) => (Slot::Root, Slot::Variables),
            (_, Slot::Frame) => (Slot::Binding, Slot::Frame),
            (_, Slot::Named) => (Slot::Named, Slot::Named),
            (_, Slot::Storage) => (Slot::Storage, Slot::Storage),
            (_, Slot::Attributes) => (Slot::Data, Slot::Attributes),
            _ => (Slot::Data, Slot::Data),
        };
        self.tasks.extend([Task::Item(rest), Task::Item(first)]);
        if has_tag {
            self.tasks.push(Task::Item(if slot == Slot::Attributes { Slot::Tag } else { Slot::Data }));
        }
        if has_attributes {
            self.tasks.push(Task::Item(Slot::Attributes));
        }
    }

    fn bytecode(&mut self, has_attributes: bool) -> Result<(), Stop> {
        self.input.integer()?;
        if has_attributes {
            self.tasks.push(Task::Item(Slot::Attributes));
        }
        self.code()
    }

    /// Instructions, which are a vector, and constants.
    fn code(&mut self) -> Result<(), Stop> {
        let before = self.tasks.len();
        self.item(Slot::Storage)?;
        if self.tasks.len() != before {
            return Err(Stop::Odd(Anomaly::Malformed, "instructions of byte code are no plain vector".to_owned()));
        }
        let count = self.length()?;
        self.fits(count, 4)?;
        self.tasks.push(Task::Constants(count));
        Ok(())
    }

    fn constant(&mut self) -> Result<(), Stop> {
        let kind = self.input.integer()?;
        match u8::try_from(kind) {
            Ok(kind::BYTECODE) => self.code(),
            _ => self.source(kind, Slot::Data),
        }
    }

    /// Source in byte code: as a list, but what stands there more than once is written once.
    fn source(&mut self, kind: i32, slot: Slot) -> Result<(), Stop> {
        let mut kind = u8::try_from(kind).unwrap_or(0);
        match kind {
            kind::REPEATED => {
                self.input.integer()?;
                return Ok(());
            }
            kind::REPEATABLE => {
                self.input.integer()?;
                kind = u8::try_from(self.input.integer()?).unwrap_or(0);
            }
            _ => {}
        }
        match kind {
            kind::CALL | kind::LIST | kind::CALL_WITH_ATTRIBUTES | kind::LIST_WITH_ATTRIBUTES => {
                let is_call = matches!(kind, kind::CALL | kind::CALL_WITH_ATTRIBUTES);
                let has_attributes = matches!(kind, kind::CALL_WITH_ATTRIBUTES | kind::LIST_WITH_ATTRIBUTES);
                let rest = if is_call { Slot::Data } else { slot };
                let first = if is_call { Slot::Callee } else { slot };
                self.tasks.extend([Task::Source(rest), Task::Source(first)]);
                self.tasks.push(Task::Item(Slot::Data));
                if has_attributes {
                    self.tasks.push(Task::Item(Slot::Attributes));
                }
                Ok(())
            }
            _ => self.item(slot),
        }
    }

    fn vector(&mut self, kind: u8, at: u64, slot: Slot, has_attributes: bool) -> Result<(), Stop> {
        // Attributes come behind the items.
        if has_attributes {
            self.tasks.push(Task::Item(Slot::Attributes));
        }
        match kind {
            kind::CHARACTERS => {
                let text = self.text()?;
                self.string(text, at, slot);
            }
            kind::SPECIAL | kind::BUILTIN => {
                let name = self.text()?;
                self.named(&name, at, Slot::Callee);
            }
            kind::LOGICAL | kind::INTEGER => self.numbers(at, slot, "integer", 4)?,
            kind::REAL => self.numbers(at, slot, "double", 8)?,
            kind::COMPLEX => self.numbers(at, slot, "complex", 16)?,
            kind::RAW => self.raw(at, slot)?,
            kind::STRINGS | kind::VECTOR | kind::EXPRESSIONS => {
                let count = self.length()?;
                // Each item has flags at least; in text, a digit and the end of its line.
                self.fits(count, if self.input.mode == Mode::Ascii { 2 } else { 4 })?;
                let slot = match slot {
                    Slot::Table => Slot::Frame,
                    Slot::Class | Slot::Named if kind == kind::STRINGS => slot,
                    _ => Slot::Data,
                };
                self.tasks.push(Task::Items(count, slot));
            }
            kind::POINTER => {
                self.refer(String::new())?;
                self.tasks.extend([Task::Item(Slot::Data), Task::Item(Slot::Data)]);
            }
            kind::WEAK => self.refer(String::new())?,
            kind::OBJECT => {}
            other => {
                let detail = format!("a value of type {other}, which R does not write");
                return Err(Stop::Odd(Anomaly::Malformed, detail));
            }
        }
        Ok(())
    }

    /// Bytes of no type: models of other libraries, serialised, or anything else.
    fn raw(&mut self, at: u64, slot: Slot) -> Result<(), Stop> {
        let before = self.input.position();
        self.numbers(at, slot, "raw", 1)?;
        // The length comes first, in four bytes or, of long vectors, in twelve.
        let span = |head: u64| {
            let offset = before.saturating_add(head);
            Span { offset, length: self.input.position().saturating_sub(offset) }
        };
        let is_long = read_up_to(self.source, before, 4) == [0xFF; 4];
        if self.input.mode != Mode::Ascii {
            let span = span(if is_long { 12 } else { 4 });
            foreign::open(self.source, "raw", span, true, self.budget, self.facts);
        }
        Ok(())
    }

    fn numbers(&mut self, at: u64, slot: Slot, dtype: &str, size: u64) -> Result<(), Stop> {
        let count = self.length()?;
        let is_text = self.input.mode == Mode::Ascii;
        self.fits(count, if is_text { 2 } else { size })?;
        if is_text {
            self.pay(count)?;
        }
        self.input.skip(count, size)?;
        if count >= LISTED && slot != Slot::Storage {
            let bytes = Some(count.saturating_mul(size));
            let tensor = Tensor { name: String::new(), dtype: dtype.to_owned(), shape: vec![count], bytes };
            self.facts.push(Position::Offset(at), FactKind::Tensor(tensor));
        }
        Ok(())
    }

    fn string(&mut self, text: String, at: u64, slot: Slot) {
        match slot {
            Slot::Class => note(&mut self.classes, text),
            Slot::Named if is_dangerous(&text) => {
                self.settle("");
                self.pending = Some(Pending { at, name: text, runs: Runs::Used });
            }
            _ => self.settle(&text),
        }
    }
}

fn note(list: &mut Vec<String>, name: String) {
    if list.len() < MAX_LISTED && !list.contains(&name) {
        list.push(name);
    }
}
