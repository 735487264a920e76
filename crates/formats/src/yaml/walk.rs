//! The walk: pieces of a document in, values at their places out. One loop, a stack of open containers, no recursion.

use std::cell::Cell;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::str::Chars;

use saphyr_parser::{BufferedInput, Event as Parsed, Parser, ScalarStyle, Tag};

use super::scalar::resolve;
use super::tape::{Item, Piece, Tape};
use super::{MAX_DEPTH, MAX_DOCUMENTS, Outcome, Stop, Visit};
use crate::budget::Budget;
use crate::json::{Event, Segment, Value, path_text};

/// Values that aliases may add. A honest file has fewer than its text has.
const MAX_REPLAYED: u64 = 1_000_000;
/// Bytes of text that count as one more value when aliases repeat them.
const REPLAYED_BYTES: usize = 32;
/// Characters that the parser may take for one event. It holds a whole `[…]` or `{…}` before it gives the first event of
/// it, at more than a hundred bytes for each character.
const MAX_AHEAD: usize = 320 << 10;
/// Keys that stand twice and are listed.
const MAX_DUPLICATES: usize = 16;
/// The key under which a mapping takes in the members of another.
const MERGE: &str = "<<";
/// The key shown for a value below a key that is no scalar.
const COMPLEX: &str = "?";

/// An open container.
#[derive(Debug)]
struct Frame {
    is_mapping: bool,
    /// Its members land in the mapping around it: it has no place of its own.
    is_merged: bool,
    /// It is the key of a member, not a value.
    is_key: bool,
    members: u64,
    /// What comes next is a value: its key has been read.
    has_key: bool,
    /// The key that has been read is the merge key.
    merges: bool,
    keys: HashSet<u64>,
    offset: u64,
}

/// Everything but the tape, which is read while this changes.
struct Machine<'v, 'c> {
    visit: &'c mut Visit<'v>,
    frames: Vec<Frame>,
    path: Vec<Segment>,
    duplicates: Vec<(u64, String)>,
}

/// Reads all documents of `text`.
pub(super) fn walk(text: &str, base: u64, budget: &Budget, visit: &mut Visit<'_>) -> Outcome {
    let ahead = Rc::new(Cell::new(MAX_AHEAD));
    let mut parser = Parser::new_from_iter(Metered { characters: text.chars(), left: Rc::clone(&ahead) });
    let mut machine = Machine { visit, frames: Vec::new(), path: Vec::new(), duplicates: Vec::new() };
    let mut tape = Tape::default();
    let mut places = Places { text, base, characters: 0, bytes: 0 };
    let mut outcome = Outcome::default();
    let mut replayed = 0u64;
    outcome.stopped = loop {
        if let Err(limit) = budget.operate(1) {
            break Some((places.here(), Stop::Limit(limit.to_string())));
        }
        ahead.set(MAX_AHEAD);
        let start = places.here();
        let next = next(&mut parser, &mut places);
        if ahead.get() == 0 {
            let detail = format!("a single value, list or table of more than {MAX_AHEAD} characters");
            break Some((start, Stop::Limit(detail)));
        }
        let (event, offset) = match next {
            Ok(Some(next)) => next,
            Ok(None) => break None,
            Err(stop) => break Some((places.here(), stop)),
        };
        if let Parsed::DocumentStart(_) = event {
            machine.reset();
            tape.clear();
            outcome.documents = outcome.documents.saturating_add(1);
            if outcome.documents > MAX_DOCUMENTS {
                break Some((offset, Stop::Limit(format!("more than {MAX_DOCUMENTS} documents"))));
            }
        }
        let Some((piece, anchor)) = piece_of(event, offset) else { continue };
        if !tape.take(&piece, anchor) {
            break Some((offset, Stop::Limit("more anchored values than are kept".to_owned())));
        }
        let fed = match piece.item {
            Item::Alias(number) => machine.replay(&tape, number, &mut replayed, budget),
            _ => machine.feed(&piece),
        };
        if let Err(stop) = fed {
            break Some((offset, stop));
        }
    };
    outcome.duplicates = machine.duplicates;
    outcome
}

/// The characters of a text, as many as may be taken for one event; none left is the end of the text.
struct Metered<'t> {
    characters: Chars<'t>,
    left: Rc<Cell<usize>>,
}

impl Iterator for Metered<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        let left = self.left.get().saturating_sub(1);
        self.left.set(left);
        if left == 0 { None } else { self.characters.next() }
    }
}

/// The next event and its offset. A panic within the parser ends the text as an error does.
fn next<'i>(
    parser: &mut Parser<'i, BufferedInput<Metered<'i>>>,
    places: &mut Places<'_>,
) -> Result<Option<(Parsed<'i>, u64)>, Stop> {
    let next = catch_unwind(AssertUnwindSafe(|| parser.next_event()));
    match next {
        Ok(None) => Ok(None),
        Ok(Some(Ok((event, span)))) => Ok(Some((event, places.offset(span.start.index())))),
        Ok(Some(Err(error))) => {
            places.offset(error.marker().index());
            let detail = error.info();
            let is_limit = detail.contains("recursion limit");
            Err(if is_limit { Stop::Deep(detail.to_owned()) } else { Stop::Broken(format!("no YAML: {detail}")) })
        }
        Err(_) => Err(Stop::Limit("the YAML parser gave up".to_owned())),
    }
}

/// From characters, as the parser counts, to bytes of the file.
struct Places<'t> {
    text: &'t str,
    base: u64,
    characters: usize,
    bytes: usize,
}

impl Places<'_> {
    fn offset(&mut self, character: usize) -> u64 {
        let ahead = character.saturating_sub(self.characters);
        let rest = self.text.get(self.bytes..).unwrap_or_default();
        let step = rest.char_indices().nth(ahead).map_or(rest.len(), |(at, _)| at);
        self.bytes = self.bytes.saturating_add(step);
        self.characters = self.characters.max(character);
        self.here()
    }

    fn here(&self) -> u64 {
        self.base.saturating_add(self.bytes as u64)
    }
}

fn piece_of(event: Parsed<'_>, offset: u64) -> Option<(Piece, usize)> {
    let (item, anchor, tag) = match event {
        Parsed::Scalar(text, style, anchor, tag) => {
            let is_plain = style == ScalarStyle::Plain;
            (Item::Scalar { text: text.into_owned(), is_plain }, anchor, tag)
        }
        Parsed::SequenceStart(anchor, tag) => (Item::Open { is_mapping: false }, anchor, tag),
        Parsed::MappingStart(anchor, tag) => (Item::Open { is_mapping: true }, anchor, tag),
        Parsed::SequenceEnd | Parsed::MappingEnd => (Item::Close, 0, None),
        Parsed::Alias(number) => (Item::Alias(number), 0, None),
        _ => return None,
    };
    Some((Piece { item, tag: tag.map(|tag| written_out(&tag)), offset }, anchor))
}

/// A tag with its handle resolved: `tag:yaml.org,2002:python/tuple`, `!include`.
fn written_out(tag: &Tag) -> String {
    format!("{}{}", tag.handle, tag.suffix)
}

impl Machine<'_, '_> {
    fn reset(&mut self) {
        self.frames.clear();
        self.path.clear();
    }

    /// Shows an anchored value again, and what it names in turn.
    fn replay(&mut self, tape: &Tape, number: usize, replayed: &mut u64, budget: &Budget) -> Result<(), Stop> {
        let mut cursors: Vec<(usize, usize)> = Vec::new();
        self.enter(tape, number, &mut cursors)?;
        while let Some((next, end)) = cursors.last_mut() {
            let index = *next;
            if index >= *end {
                cursors.pop();
                continue;
            }
            *next = index.saturating_add(1);
            let Some(piece) = tape.piece(index) else { break };
            let text = if let Item::Scalar { text, .. } = &piece.item { text.len() } else { 0 };
            let cost = (text / REPLAYED_BYTES).saturating_add(1) as u64;
            *replayed = replayed.saturating_add(cost);
            if *replayed > MAX_REPLAYED {
                return Err(Stop::Bomb);
            }
            budget.operate(cost).map_err(|limit| Stop::Limit(limit.to_string()))?;
            match piece.item {
                Item::Alias(number) => self.enter(tape, number, &mut cursors)?,
                _ => self.feed(piece)?,
            }
        }
        Ok(())
    }

    fn enter(&mut self, tape: &Tape, number: usize, cursors: &mut Vec<(usize, usize)>) -> Result<(), Stop> {
        if cursors.len() >= MAX_DEPTH {
            return Err(Stop::Bomb);
        }
        if let Some(range) = tape.range(number) {
            cursors.push(range);
            return Ok(());
        }
        // A value that contains itself: readers tie the knot, there is nothing more to see.
        let item = Item::Scalar { text: String::new(), is_plain: true };
        self.feed(&Piece { item, tag: None, offset: 0 })
    }

    fn feed(&mut self, piece: &Piece) -> Result<(), Stop> {
        match &piece.item {
            Item::Scalar { text, is_plain } => self.scalar(piece, text, *is_plain),
            Item::Open { is_mapping } => return self.open(piece, *is_mapping),
            Item::Close => self.close(),
            Item::Alias(_) => {}
        }
        Ok(())
    }

    fn scalar(&mut self, piece: &Piece, text: &str, is_plain: bool) {
        if self.frames.last().is_some_and(|frame| frame.is_mapping && !frame.has_key) {
            return self.key(piece, text, is_plain);
        }
        self.advance();
        let resolved = if is_plain && piece.tag.is_none() { resolve(text) } else { Value::Text(text) };
        self.show(piece.tag.as_deref(), piece.offset, resolved);
        self.member_ends();
    }

    fn key(&mut self, piece: &Piece, text: &str, is_plain: bool) {
        if let Some(last) = self.path.last_mut() {
            *last = Segment::Key(text.to_owned());
        }
        let merges = is_plain && text == MERGE;
        if !merges {
            self.compare(text, piece.offset);
        }
        if piece.tag.is_some() {
            self.show(piece.tag.as_deref(), piece.offset, Value::Text(text));
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.has_key = true;
            frame.merges = merges;
        }
    }

    /// Members of a merged mapping may repeat those of the one that takes them in.
    fn compare(&mut self, text: &str, offset: u64) {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let Some(frame) = self.frames.last_mut().filter(|frame| !frame.is_merged) else { return };
        if !frame.keys.insert(hasher.finish()) && self.duplicates.len() < MAX_DUPLICATES {
            self.duplicates.push((offset, path_text(&self.path)));
        }
    }

    fn open(&mut self, piece: &Piece, is_mapping: bool) -> Result<(), Stop> {
        if self.frames.len() >= MAX_DEPTH {
            return Err(Stop::Deep(format!("more than {MAX_DEPTH} levels of nesting")));
        }
        let parent = self.frames.last();
        let is_key = parent.is_some_and(|parent| parent.is_mapping && !parent.has_key);
        let is_merged = parent.is_some_and(|parent| parent.merges || (parent.is_merged && !parent.is_mapping));
        match (is_key, self.path.last_mut()) {
            (true, Some(last)) => *last = Segment::Key(COMPLEX.to_owned()),
            _ => self.advance(),
        }
        if !is_merged {
            self.show(piece.tag.as_deref(), piece.offset, if is_mapping { Value::Object } else { Value::Array });
            self.path.push(if is_mapping { Segment::Key(String::new()) } else { Segment::Index(0) });
        }
        let keys = HashSet::new();
        let offset = piece.offset;
        let frame = Frame { is_mapping, is_merged, is_key, members: 0, has_key: false, merges: false, keys, offset };
        self.frames.push(frame);
        Ok(())
    }

    fn close(&mut self) {
        let Some(frame) = self.frames.pop() else { return };
        if !frame.is_merged {
            self.path.pop();
            let members = frame.members;
            let end = if frame.is_mapping { Value::ObjectEnd(members) } else { Value::ArrayEnd(members) };
            self.show(None, frame.offset, end);
        }
        if frame.is_key {
            if let Some(parent) = self.frames.last_mut() {
                parent.has_key = true;
            }
            return;
        }
        self.member_ends();
    }

    /// The path moves on to the next item of a sequence.
    fn advance(&mut self) {
        let Some(frame) = self.frames.last().filter(|frame| !frame.is_mapping && !frame.is_merged) else { return };
        if let Some(last) = self.path.last_mut() {
            *last = Segment::Index(frame.members);
        }
    }

    fn member_ends(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.members = frame.members.saturating_add(1);
            frame.has_key = false;
            frame.merges = false;
        }
    }

    fn show(&mut self, tag: Option<&str>, offset: u64, value: Value<'_>) {
        (self.visit)(tag, &Event { path: &self.path, offset, value });
    }
}
