//! The walk itself: one loop, a stack of open containers, no recursion.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::reader::Reader;
use super::text::Text;
use super::{Deviation, Event, MAX_DEPTH, MAX_KEYS, Outcome, Segment, Value, path_text};
use crate::budget::Budget;
use crate::source::Source;

/// Characters of a number that are read; nothing has more digits.
const MAX_NUMBER: usize = 4096;
/// Byte order marks: UTF-8, then both UTF-16.
const UTF8_MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// An open container.
#[derive(Debug)]
struct Frame {
    is_object: bool,
    members: u64,
    /// Hashes of its keys: equal keys have equal hashes, so no duplicate is missed.
    keys: HashSet<u64>,
    offset: u64,
}

/// What was found where a value was expected.
enum Step {
    Scalar,
    Opened,
    Fatal,
}

struct Walker<'a, 'v> {
    reader: Reader<'a>,
    budget: &'a Budget,
    visit: &'v mut dyn FnMut(Event<'_>),
    outcome: Outcome,
    frames: Vec<Frame>,
    path: Vec<Segment>,
    text: Text,
    total_keys: usize,
}

/// Reads one JSON value from `length` bytes of `source` at `start`, calling `visit` for every value in it.
pub fn walk(
    source: &dyn Source,
    start: u64,
    length: u64,
    budget: &Budget,
    visit: &mut dyn FnMut(Event<'_>),
) -> Outcome {
    let mut walker = Walker::new(Reader::new(source, start, length), budget, visit);
    walker.mark();
    walker.outcome.complete = walker.document().is_some();
    walker.outcome.end = walker.reader.position();
    if walker.outcome.complete {
        walker.outcome.values = 1;
        walker.trailing();
    }
    walker.outcome
}

/// As [`walk`], but values may follow each other, as in JSON Lines. What comes after the first must then be values to
/// the end, or it is something that trails.
pub fn walk_lines(source: &dyn Source, budget: &Budget, visit: &mut dyn FnMut(Event<'_>)) -> Outcome {
    let mut walker = Walker::new(Reader::new(source, 0, u64::MAX), budget, visit);
    walker.mark();
    loop {
        let start = walker.reader.position();
        walker.outcome.complete = walker.document().is_some();
        walker.outcome.end = walker.reader.position();
        if !walker.outcome.complete {
            if walker.outcome.values > 0 {
                walker.outcome.note(start, Deviation::Trailing, "there is more after the end of the JSON value");
            }
            return walker.outcome;
        }
        walker.outcome.values = walker.outcome.values.saturating_add(1);
        walker.space();
        if walker.reader.peek().is_none() {
            return walker.outcome;
        }
    }
}

impl<'a, 'v> Walker<'a, 'v> {
    fn new(reader: Reader<'a>, budget: &'a Budget, visit: &'v mut dyn FnMut(Event<'_>)) -> Self {
        let (outcome, text) = (Outcome::default(), Text::default());
        Self { reader, budget, visit, outcome, frames: Vec::new(), path: Vec::new(), text, total_keys: 0 }
    }

    fn mark(&mut self) {
        if self.reader.at_hand().starts_with(&UTF8_MARK) {
            let offset = self.reader.position();
            self.reader.advance(UTF8_MARK.len());
            self.outcome.note(offset, Deviation::Lax, "the text starts with a byte order mark");
        }
    }

    fn document(&mut self) -> Option<()> {
        loop {
            match self.value() {
                Step::Fatal => return None,
                Step::Opened => {
                    if !self.first()? {
                        continue;
                    }
                }
                Step::Scalar => {}
            }
            while !self.frames.is_empty() {
                if self.next_member()? {
                    break;
                }
            }
            if self.frames.is_empty() {
                return Some(());
            }
        }
    }

    /// After an opening bracket: true when the container is empty and has been closed, else ready for the first value.
    fn first(&mut self) -> Option<bool> {
        self.space();
        let frame = self.frames.last()?;
        let closing = if frame.is_object { b'}' } else { b']' };
        if self.reader.peek() == Some(closing) {
            self.close();
            return Some(true);
        }
        self.enter()?;
        Some(false)
    }

    /// After a value: true when another one follows, false when the container was closed.
    fn next_member(&mut self) -> Option<bool> {
        self.space();
        let is_object = self.frames.last()?.is_object;
        let offset = self.reader.position();
        match self.reader.peek() {
            Some(b',') => {
                self.reader.bump();
                self.space();
                self.enter()?;
                Some(true)
            }
            Some(b'}') if is_object => Some(self.close()),
            Some(b']') if !is_object => Some(self.close()),
            Some(_) => self.broken(offset, "a comma or closing bracket is missing"),
            None => self.ended(),
        }
    }

    /// Moves the path to the next member, reading its key.
    fn enter(&mut self) -> Option<()> {
        let frame = self.frames.last_mut()?;
        let (is_object, index) = (frame.is_object, frame.members);
        frame.members = index.saturating_add(1);
        if is_object {
            return self.key();
        }
        if let Some(segment) = self.path.last_mut() {
            *segment = Segment::Index(index);
        }
        Some(())
    }

    fn key(&mut self) -> Option<()> {
        let offset = self.reader.position();
        match self.reader.bump() {
            Some(b'"') => {}
            Some(_) => return self.broken(offset, "a key is not a string"),
            None => return self.ended(),
        }
        if self.text.read(&mut self.reader, &mut self.outcome).is_none() {
            return self.broken(offset, "a key has no end or a wrong escape");
        }
        self.name();
        self.compare(offset)?;
        self.space();
        let offset = self.reader.position();
        if self.reader.bump() == Some(b':') { Some(()) } else { self.broken(offset, "a colon is missing after a key") }
    }

    /// Puts the key just read on the path, reusing its memory.
    fn name(&mut self) {
        let text = self.text.to_text();
        match self.path.last_mut() {
            Some(Segment::Key(key)) => {
                key.clear();
                key.push_str(&text);
            }
            Some(segment) => *segment = Segment::Key(text.into_owned()),
            None => {}
        }
    }

    fn compare(&mut self, offset: u64) -> Option<()> {
        let mut hasher = DefaultHasher::new();
        self.text.raw().hash(&mut hasher);
        let frame = self.frames.last_mut()?;
        if self.total_keys >= MAX_KEYS {
            return self.limit(offset, format!("more than {MAX_KEYS} keys are open at once"));
        }
        if frame.keys.insert(hasher.finish()) {
            self.total_keys = self.total_keys.saturating_add(1);
        } else {
            let detail = format!("the key `{}` is there twice", path_text(&self.path));
            self.outcome.note(offset, Deviation::Duplicate, detail);
        }
        Some(())
    }

    fn close(&mut self) -> bool {
        self.reader.bump();
        self.path.pop();
        if let Some(frame) = self.frames.pop() {
            self.total_keys = self.total_keys.saturating_sub(frame.keys.len());
            let end = if frame.is_object { Value::ObjectEnd(frame.members) } else { Value::ArrayEnd(frame.members) };
            self.emit(frame.offset, end);
        }
        false
    }

    fn value(&mut self) -> Step {
        self.space();
        let offset = self.reader.position();
        if let Err(limit) = self.budget.operate(1) {
            self.outcome.note(offset, Deviation::Limit, limit.to_string());
            return Step::Fatal;
        }
        match self.reader.peek() {
            Some(b'{') => self.open(offset, true),
            Some(b'[') => self.open(offset, false),
            Some(b'"') => self.string(offset),
            Some(b'-' | b'0'..=b'9') => self.number(offset),
            Some(b'a'..=b'z' | b'A'..=b'Z') => self.word(offset),
            Some(_) => self.fatal(offset, "a value is missing or is none that JSON knows"),
            None => {
                let _ended: Option<()> = self.ended();
                Step::Fatal
            }
        }
    }

    fn open(&mut self, offset: u64, is_object: bool) -> Step {
        if self.frames.len() >= MAX_DEPTH {
            self.outcome.note(offset, Deviation::Deep, format!("more than {MAX_DEPTH} levels of nesting"));
            return Step::Fatal;
        }
        self.reader.bump();
        self.emit(offset, if is_object { Value::Object } else { Value::Array });
        self.frames.push(Frame { is_object, members: 0, keys: HashSet::new(), offset });
        self.path.push(if is_object { Segment::Key(String::new()) } else { Segment::Index(0) });
        Step::Opened
    }

    fn string(&mut self, offset: u64) -> Step {
        self.reader.bump();
        if self.text.read(&mut self.reader, &mut self.outcome).is_none() {
            return self.fatal(offset, "a string has no end or a wrong escape");
        }
        let text = self.text.to_text();
        (self.visit)(Event { path: &self.path, offset, value: Value::Text(&text) });
        Step::Scalar
    }

    fn number(&mut self, offset: u64) -> Step {
        let written = self.token(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E' | b'I'));
        if written == "-I" {
            let rest = self.token(|byte| byte.is_ascii_alphabetic());
            return self.constant(offset, &format!("{written}{rest}"));
        }
        if !is_number(&written) {
            return self.fatal(offset, "a number is not written as JSON writes it");
        }
        self.emit(offset, Value::Number(&written));
        Step::Scalar
    }

    fn word(&mut self, offset: u64) -> Step {
        let word = self.token(|byte| byte.is_ascii_alphabetic());
        let value = match word.as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            _ => return self.constant(offset, &word),
        };
        self.emit(offset, value);
        Step::Scalar
    }

    /// The numbers Python writes although JSON has no word for them.
    fn constant(&mut self, offset: u64, word: &str) -> Step {
        if !matches!(word, "NaN" | "Infinity" | "-Infinity") {
            return self.fatal(offset, "a word is none that JSON knows");
        }
        self.outcome.note(offset, Deviation::Lax, format!("{word} is not JSON"));
        self.emit(offset, Value::Number(word));
        Step::Scalar
    }

    fn token(&mut self, belongs: impl Fn(u8) -> bool) -> String {
        let mut text = String::new();
        while let Some(byte) = self.reader.peek().filter(|&byte| belongs(byte)) {
            if text.len() >= MAX_NUMBER {
                break;
            }
            text.push(char::from(byte));
            self.reader.bump();
        }
        text
    }

    fn emit(&mut self, offset: u64, value: Value<'_>) {
        (self.visit)(Event { path: &self.path, offset, value });
    }

    fn space(&mut self) {
        while matches!(self.reader.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.reader.bump();
        }
    }

    fn trailing(&mut self) {
        self.space();
        if self.reader.peek().is_some() {
            let offset = self.reader.position();
            self.outcome.note(offset, Deviation::Trailing, "there is more after the end of the JSON value");
        }
    }

    fn fatal(&mut self, offset: u64, detail: &str) -> Step {
        let _none: Option<()> = self.broken(offset, detail);
        Step::Fatal
    }

    fn broken<T>(&mut self, offset: u64, detail: &str) -> Option<T> {
        self.outcome.note(offset, Deviation::Broken, detail);
        None
    }

    fn limit<T>(&mut self, offset: u64, detail: String) -> Option<T> {
        self.outcome.note(offset, Deviation::Limit, detail);
        None
    }

    fn ended<T>(&mut self) -> Option<T> {
        let offset = self.reader.position();
        if self.reader.is_cut() {
            self.outcome.note(offset, Deviation::Unreadable, "the bytes could not be read");
            return None;
        }
        self.broken(offset, "the text ends within a value")
    }
}

/// `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`
fn is_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let exponent = exponent.map(|part| part.strip_prefix(['+', '-']).unwrap_or(part));
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(digits)
}
