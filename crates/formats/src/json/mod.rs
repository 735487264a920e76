//! JSON as hostile input: streamed, bounded, with the offset of everything and with duplicate keys kept.
//!
//! No tree is built. [`walk`] calls back for every value with the path that leads to it; a visitor keeps what it wants.
//! The grammar is RFC 8259. Where Python's `json` (which reads most model configurations) is laxer, reading goes on
//! and the deviation is a [`Note`]; so a strict loader's caller sees what it would refuse.

mod format;
mod parser;
mod reader;
mod text;

pub use format::Json;
pub(crate) use format::{is_json, looks_like_json};
pub use parser::{walk, walk_lines};

use crate::fact::{Anomaly, Gap};
use crate::facts::Facts;

/// Containers within containers; Python's own reader gives up at about a thousand.
pub const MAX_DEPTH: usize = 512;
/// Bytes kept of one string; tokenizers have long ones, nothing has longer ones than this.
pub const MAX_STRING: usize = 4 << 20;
/// Keys of one object that are compared with each other.
pub const MAX_KEYS: usize = 1 << 20;
/// Deviations that are listed.
const MAX_NOTES: usize = 64;

/// One step of the path to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// A key of an object, unescaped.
    Key(String),
    /// An index of an array.
    Index(u64),
}

impl Segment {
    /// The key, when it is one.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Key(key) => Some(key),
            Self::Index(_) => None,
        }
    }
}

/// A value, or the start or end of one that contains others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// `{`
    Object,
    /// `}`, after so many members.
    ObjectEnd(u64),
    /// `[`
    Array,
    /// `]`, after so many items.
    ArrayEnd(u64),
    /// A string, unescaped; lone surrogates are replaced.
    Text(&'a str),
    /// A number, as written; also `NaN`, `Infinity` and `-Infinity`.
    Number(&'a str),
    /// `true` or `false`.
    Bool(bool),
    /// `null`
    Null,
}

/// A value at a place.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// The keys and indexes that lead to it; empty for the outermost value.
    pub path: &'a [Segment],
    /// Where its first byte is in the source.
    pub offset: u64,
    /// What it is.
    pub value: Value<'a>,
}

impl Event<'_> {
    /// The innermost key that leads to this value, when its parent is an object.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.path.last().and_then(Segment::key)
    }

    /// The key at a depth, when it is one.
    #[must_use]
    pub fn key_at(&self, depth: usize) -> Option<&str> {
        self.path.get(depth).and_then(Segment::key)
    }
}

/// Kinds of deviation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deviation {
    /// The same key twice in one object.
    Duplicate,
    /// Accepted by Python's reader, refused by the RFC.
    Lax,
    /// Not JSON for any reader; nothing after it was read.
    Broken,
    /// Something but white space after the value.
    Trailing,
    /// A limit was met.
    Limit,
    /// Values lie too deep in each other.
    Deep,
    /// The bytes could not be read.
    Unreadable,
}

/// A deviation, where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Where.
    pub offset: u64,
    /// What kind.
    pub kind: Deviation,
    /// One readable sentence.
    pub detail: String,
}

/// How a walk ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Deviations, in order; the first few of them.
    pub notes: Vec<Note>,
    /// Where reading ended.
    pub end: u64,
    /// True when a whole value was read.
    pub complete: bool,
    /// How many whole values were read; more than one only in JSON Lines.
    pub values: u64,
}

impl Outcome {
    fn note(&mut self, offset: u64, kind: Deviation, detail: impl Into<String>) {
        let fatal = matches!(
            kind,
            Deviation::Broken | Deviation::Trailing | Deviation::Limit | Deviation::Deep | Deviation::Unreadable
        );
        if self.notes.len() < MAX_NOTES || fatal {
            self.notes.push(Note { offset, kind, detail: detail.into() });
        }
    }

    /// Writes the deviations down as facts.
    pub fn report(&self, facts: &mut Facts) {
        for note in &self.notes {
            match note.kind {
                Deviation::Duplicate => facts.anomaly(note.offset, Anomaly::DuplicateName, note.detail.as_str()),
                Deviation::Lax | Deviation::Broken => {
                    facts.anomaly(note.offset, Anomaly::Malformed, note.detail.as_str());
                }
                Deviation::Trailing => facts.anomaly(note.offset, Anomaly::TrailingBytes, note.detail.as_str()),
                Deviation::Limit => facts.incomplete(note.offset, Gap::Limit, note.detail.as_str()),
                Deviation::Deep => facts.incomplete(note.offset, Gap::Depth, note.detail.as_str()),
                Deviation::Unreadable => facts.incomplete(note.offset, Gap::Unreadable, note.detail.as_str()),
            }
        }
    }
}

/// A path for people: `a.b[3].c`.
#[must_use]
pub fn path_text(path: &[Segment]) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Index(index) => text.push_str(&format!("[{index}]")),
            Segment::Key(key) => {
                let dot = if text.is_empty() { "" } else { "." };
                text.push_str(dot);
                text.extend(key.chars().take(200));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests;
