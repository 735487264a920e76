//! Torch7's serialisation, of Lua: tables, objects of classes, tensors, and functions as byte code.

mod input;

use std::collections::BTreeMap;

use crate::budget::Budget;
use crate::child::Child;
use crate::fact::{Anomaly, Code, FactKind, Gap, Position, Runs, Tensor};
use crate::facts::{Facts, shorten};
use crate::foreign;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::protobuf::Span;
use crate::source::{ReadError, Source, read_up_to};
use input::Input;

/// Values still to be read.
const MAX_PENDING: usize = 1 << 20;
/// Objects that may be referred to.
const MAX_OBJECTS: usize = 1 << 20;
/// Extents of one tensor.
const MAX_DIMENSIONS: u64 = 64;
/// Bytes kept of a text.
const MAX_TEXT: u64 = 300;
/// Functions that are listed one by one.
const MAX_FUNCTIONS: u64 = 64;
/// Classes that are listed.
const MAX_CLASSES: usize = 200;

/// Types of elements, by the middle of the name of their tensors and storages, and their size in bytes.
const ELEMENTS: &[(&str, u64)] = &[
    ("Byte", 1),
    ("Char", 1),
    ("Short", 2),
    ("Int", 4),
    ("Long", 8),
    ("Half", 2),
    ("Float", 4),
    ("Double", 8),
    ("Cuda", 4),
    ("CudaByte", 1),
    ("CudaChar", 1),
    ("CudaShort", 2),
    ("CudaInt", 4),
    ("CudaLong", 8),
    ("CudaHalf", 2),
    ("CudaDouble", 8),
    ("Cl", 4),
];

static META: Meta = Meta {
    id: "torch7",
    title: "Torch7 (Lua)",
    extensions: &["t7", "th"],
    depth: Depth::Full,
    reads: "every value, binary or text: tensors against their storages, classes, functions and their byte code",
    specification: "https://github.com/torch/torch7/blob/master/doc/serialization.md",
};

/// The format.
#[derive(Debug)]
pub struct Torch7;

impl Format for Torch7 {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        let named = matches!(probe.extension().as_str(), "t7" | "th" | "net");
        match probe.head.as_slice() {
            [4, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, b'V', b' ', b'1', ..] => Some(Certainty::Certain),
            [b'4', b'\n', b'1', b'\n', b'3', b'\n', b'V', b' ', b'1', b'\n', ..] => Some(Certainty::Certain),
            [3 | 4 | 6 | 8, 0, 0, 0, _, _, 0, 0, ..] if named => Some(Certainty::Likely),
            [b'3' | b'4' | b'6' | b'8', b'\n', b'0'..=b'9', ..] if named => Some(Certainty::Likely),
            _ => None,
        }
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        facts.property("framework", "Torch7");
        let is_text = read_up_to(source, 0, 2).get(1) == Some(&b'\n');
        facts.property("encoding", if is_text { "text" } else { "binary" });
        let input = Input::new(source, is_text);
        let mut walk = Walk::new(source, input, context.budget, facts);
        let read = walk.read();
        let end = walk.input.position();
        walk.conclude();
        if let Err(stop) = read {
            return report(&stop, end, facts);
        }
        let rest = source.len().saturating_sub(end);
        if rest > 0 {
            facts.anomaly(end, Anomaly::TrailingBytes, format!("{rest} bytes follow the value"));
            facts.push(Position::Offset(end), FactKind::Child(Child::stored(format!("trailing@{end}"), end, rest)));
        }
    }
}

/// Why reading stopped.
#[derive(Debug)]
enum Stop {
    Odd(Anomaly, String),
    Gap(Gap, String),
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::End => Self::Odd(Anomaly::Malformed, "the data end within a value".to_owned()),
            ReadError::Refused(why) => Self::Gap(Gap::Unreadable, why),
        }
    }
}

fn report(stop: &Stop, at: u64, facts: &mut Facts) {
    match stop {
        Stop::Odd(anomaly, detail) => facts.anomaly(at, *anomaly, detail.as_str()),
        Stop::Gap(gap, detail) => facts.incomplete(at, *gap, detail.as_str()),
    }
}

fn odd<T>(anomaly: Anomaly, detail: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Odd(anomaly, detail.into()))
}

/// The language of compiled code.
fn bytecode(text: &str) -> Option<&'static str> {
    match text.as_bytes() {
        [0x1b, b'L', b'J', ..] => Some("LuaJIT bytecode"),
        [0x1b, b'L', b'u', b'a', ..] => Some("Lua bytecode"),
        _ => None,
    }
}

enum Task {
    Object,
    /// So many keys and values.
    Pairs(u64),
    /// The value that belongs to the key just read.
    Value,
}

/// What a value turned out to be, as far as others need to know.
enum Seen {
    Nothing,
    Text(String),
    Storage(u64),
    Other,
}

struct Walk<'a, 'f> {
    source: &'a dyn Source,
    input: Input<'a>,
    budget: &'a Budget,
    facts: &'f mut Facts,
    tasks: Vec<Task>,
    /// Objects by their index; storages with their number of elements.
    objects: BTreeMap<i64, Option<u64>>,
    key: String,
    functions: u64,
    classes: Vec<String>,
}

impl<'a, 'f> Walk<'a, 'f> {
    fn new(source: &'a dyn Source, input: Input<'a>, budget: &'a Budget, facts: &'f mut Facts) -> Self {
        let (tasks, objects, classes) = (vec![Task::Object], BTreeMap::new(), Vec::new());
        Self { source, input, budget, facts, tasks, objects, key: String::new(), functions: 0, classes }
    }

    fn conclude(&mut self) {
        for class in &self.classes {
            self.facts.property("class", class.as_str());
        }
        if self.functions > 0 {
            self.facts.property("functions", self.functions.to_string());
        }
    }

    fn read(&mut self) -> Result<(), Stop> {
        while let Some(task) = self.tasks.pop() {
            self.pay(2)?;
            if self.tasks.len() > MAX_PENDING {
                return Err(Stop::Gap(Gap::Depth, "values lie too deep within each other".to_owned()));
            }
            match task {
                Task::Object | Task::Value => {
                    self.object()?;
                }
                Task::Pairs(left) => {
                    let Some(left) = left.checked_sub(1) else { continue };
                    self.tasks.extend([Task::Pairs(left), Task::Value]);
                    if let Seen::Text(text) = self.object()? {
                        self.key = text;
                    }
                }
            }
        }
        Ok(())
    }

    fn pay(&self, steps: u64) -> Result<(), Stop> {
        self.budget.operate(steps).map_err(|error| Stop::Gap(Gap::Limit, error.to_string()))
    }

    fn object(&mut self) -> Result<Seen, Stop> {
        let at = self.input.position();
        match self.input.int()? {
            0 => return Ok(Seen::Nothing),
            1 => self.input.skip_number()?,
            2 => return Ok(Seen::Text(self.text()?)),
            3 => self.table()?,
            4 => return self.instance(),
            5 => {
                self.input.int()?;
            }
            6 => self.function(at)?,
            7 | 8 => {
                if self.is_new()?.is_none() {
                    self.function(at)?;
                }
            }
            other => return odd(Anomaly::Malformed, format!("a value of type {other}, which Torch does not write")),
        }
        Ok(Seen::Other)
    }

    /// Reads an index; what it refers to, when it has been read before.
    fn is_new(&mut self) -> Result<Option<Option<u64>>, Stop> {
        let index = self.input.int()?;
        if let Some(known) = self.objects.get(&index) {
            return Ok(Some(*known));
        }
        if self.objects.len() >= MAX_OBJECTS {
            return Err(Stop::Gap(Gap::Limit, format!("more than {MAX_OBJECTS} objects")));
        }
        self.objects.insert(index, None);
        self.input.last = index;
        Ok(None)
    }

    fn text(&mut self) -> Result<String, Stop> {
        let length = self.count(1)?;
        self.pay(length / 16)?;
        let start = self.input.position();
        let text = self.input.text(length, MAX_TEXT)?;
        self.payload(start, length, &text);
        Ok(text)
    }

    /// A text that is code, which a model loads with `loadstring`, or a file of another kind.
    fn payload(&mut self, start: u64, length: u64, text: &str) {
        let span = Span { offset: start, length };
        let Some(language) = bytecode(text) else {
            return foreign::open(self.source, "text", span, true, self.budget, self.facts);
        };
        let name = if self.key.is_empty() { "a text".to_owned() } else { self.key.clone() };
        let excerpt = format!("{length} bytes at {start:#x}");
        let code = Code { name, language: language.into(), runs: Runs::Used, excerpt };
        self.facts.push(Position::Offset(start), FactKind::Code(code));
    }

    /// A number of things of `size` bytes, which must be there.
    fn count(&mut self, size: u64) -> Result<u64, Stop> {
        let count = self.input.int()?;
        self.fits(count, size)
    }

    fn fits(&self, count: i64, size: u64) -> Result<u64, Stop> {
        let left = self.input.remaining();
        match u64::try_from(count) {
            Ok(count) if count.saturating_mul(size) <= left => Ok(count),
            Ok(count) => {
                odd(Anomaly::AllocationBomb, format!("{count} items are announced where {left} bytes are left"))
            }
            Err(_) => odd(Anomaly::Malformed, format!("{count} items are announced")),
        }
    }

    fn table(&mut self) -> Result<(), Stop> {
        if self.is_new()?.is_none() {
            let count = self.count(4)?;
            self.tasks.push(Task::Pairs(count));
        }
        Ok(())
    }

    fn function(&mut self, at: u64) -> Result<(), Stop> {
        let length = self.count(1)?;
        let start = self.input.position();
        let text = self.input.text(length, 64)?;
        self.functions = self.functions.saturating_add(1);
        if self.functions <= MAX_FUNCTIONS {
            let language = bytecode(&text).unwrap_or("Lua");
            let name = if self.key.is_empty() { "a function".to_owned() } else { self.key.clone() };
            let excerpt = if language == "Lua" { shorten(text, 60) } else { format!("{length} bytes at {start:#x}") };
            let code = Code { name, language: language.into(), runs: Runs::Used, excerpt };
            self.facts.push(Position::Offset(at), FactKind::Code(code));
        }
        // What the function closes over.
        self.tasks.push(Task::Object);
        Ok(())
    }

    /// An object of a class: tensors and storages have their own form, all others are a table.
    fn instance(&mut self) -> Result<Seen, Stop> {
        if let Some(known) = self.is_new()? {
            return Ok(known.map_or(Seen::Other, Seen::Storage));
        }
        let index = self.input.last;
        let first = self.text()?;
        let class = if first.starts_with("V ") { self.text()? } else { first };
        if self.classes.len() < MAX_CLASSES && !self.classes.contains(&class) {
            self.classes.push(class.clone());
        }
        let kind = class.strip_prefix("torch.").unwrap_or_default();
        let element = |ending: &str| {
            let middle = kind.strip_suffix(ending)?;
            ELEMENTS.iter().find(|(name, _)| *name == middle).copied()
        };
        if let Some((_, size)) = element("Storage") {
            let count = self.input.long()?;
            let count = self.fits(count, self.input.least(size))?;
            if self.input.is_text {
                self.pay(count)?;
            }
            if !self.input.is_text {
                let span = Span { offset: self.input.position(), length: count.saturating_mul(size) };
                foreign::open(self.source, "storage", span, false, self.budget, self.facts);
            }
            self.input.skip_elements(count, size)?;
            self.objects.insert(index, Some(count));
            return Ok(Seen::Storage(count));
        }
        match element("Tensor") {
            Some((name, size)) => self.tensor(name, size)?,
            None => self.tasks.push(Task::Object),
        }
        Ok(Seen::Other)
    }

    fn tensor(&mut self, dtype: &str, size: u64) -> Result<(), Stop> {
        let at = self.input.position();
        let rank = self.count(1)?;
        if rank > MAX_DIMENSIONS {
            return odd(Anomaly::Malformed, format!("a tensor of {rank} dimensions"));
        }
        let mut shape = Vec::new();
        for _ in 0..rank {
            shape.push(self.input.long()?);
        }
        let mut furthest = Some(0_i64);
        for &extent in &shape {
            let stride = self.input.long()?;
            let reach = extent.saturating_sub(1).max(0).checked_mul(stride);
            furthest = furthest.zip(reach.filter(|reach| *reach >= 0)).and_then(|(sum, reach)| sum.checked_add(reach));
        }
        let first = self.input.long()?;
        let stored = match self.object()? {
            Seen::Storage(count) => count,
            Seen::Nothing => 0,
            _ => return odd(Anomaly::Malformed, "a tensor whose numbers are something else"),
        };
        let shape: Vec<u64> = shape.iter().map(|extent| u64::try_from(*extent).unwrap_or(0)).collect();
        let empty = shape.is_empty() || shape.contains(&0);
        let last = furthest.and_then(|reach| reach.checked_add(first)).and_then(|last| u64::try_from(last).ok());
        // The first element is 1, as everywhere in Lua.
        if !empty && (first < 1 || last.is_none_or(|last| last > stored)) {
            let detail = format!("tensor '{}' reaches outside its storage of {stored} elements", self.key);
            self.facts.anomaly(at, Anomaly::OutOfBounds, detail);
        }
        let bytes = (!empty).then(|| shape.iter().fold(size, |product, &extent| product.saturating_mul(extent)));
        let tensor = Tensor { name: self.key.clone(), dtype: dtype.to_owned(), shape, bytes };
        self.facts.push(Position::Offset(at), FactKind::Tensor(tensor));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
