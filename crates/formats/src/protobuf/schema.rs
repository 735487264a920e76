//! Messages read against their schema: what is not in it, stands in it with another type, or stands twice where it may
//! stand once, is told. Protocol Buffers' own readers keep or drop such things without a word, and differ in which.

use crate::budget::Budget;
use crate::child::Child;
use crate::fact::{Anomaly, FactKind, Gap, Position};
use crate::facts::{Facts, MAX_TEXT};
use crate::payload;
use crate::source::Source;

use super::{Broken, Field, Message, Span, Wire};

/// Children made of bytes that no field of the schema claims, or that start as another format does.
const MAX_CHILDREN: u32 = 64;
/// Fields that are newer than the schema, told one by one.
const MAX_NEWER: u32 = 16;
/// Bytes of an unknown field from which on it is opened.
const HIDDEN: u64 = 16;

/// What a field holds, by the schema.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// An integer, a boolean or an enumeration.
    Number,
    /// Several of them, packed or one by one.
    Numbers,
    /// A `float`.
    Float,
    /// Several of them, packed or one by one.
    Floats,
    /// A `double`.
    Double,
    /// Several of them, packed or one by one.
    Doubles,
    /// Text, or bytes that are no numbers.
    Text,
    /// Numbers as bytes, which look like anything by chance.
    Raw,
    /// A message whose own schema is this.
    Message(&'static Schema),
    /// A message, or anything else with a length, that is not looked into.
    Opaque,
}

impl Shape {
    /// Whether a field may hold this.
    #[must_use]
    pub fn fits(self, wire: Wire) -> bool {
        match self {
            Self::Number => matches!(wire, Wire::Varint(_)),
            Self::Numbers => matches!(wire, Wire::Varint(_) | Wire::Bytes(_)),
            Self::Float => matches!(wire, Wire::Fixed32(_)),
            Self::Floats => matches!(wire, Wire::Fixed32(_) | Wire::Bytes(_)),
            Self::Double => matches!(wire, Wire::Fixed64(_)),
            Self::Doubles => matches!(wire, Wire::Fixed64(_) | Wire::Bytes(_)),
            Self::Text | Self::Raw | Self::Message(_) | Self::Opaque => matches!(wire, Wire::Bytes(_)),
        }
    }
}

/// A field of a message.
#[derive(Debug)]
pub struct Entry {
    /// Its number.
    pub number: u32,
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub shape: Shape,
    /// Whether it may stand more than once.
    pub is_repeated: bool,
}

/// A field that stands once.
#[must_use]
pub const fn once(number: u32, name: &'static str, shape: Shape) -> Entry {
    Entry { number, name, shape, is_repeated: false }
}

/// A field that may stand several times.
#[must_use]
pub const fn many(number: u32, name: &'static str, shape: Shape) -> Entry {
    Entry { number, name, shape, is_repeated: true }
}

/// A message.
#[derive(Debug)]
pub struct Schema {
    /// Its name.
    pub name: &'static str,
    /// Its fields; at most 128 of them.
    pub fields: &'static [Entry],
}

impl Schema {
    /// The field of this number.
    #[must_use]
    pub fn find(&self, number: u32) -> Option<(usize, &'static Entry)> {
        self.fields.iter().enumerate().find(|(_, entry)| entry.number == number)
    }

    /// Whether a range starts with fields of this message: none that is of another type, and at most `most` looked at.
    #[must_use]
    pub fn fits(&self, source: &dyn Source, span: Span, most: u32) -> bool {
        let mut message = Message::new(source, span);
        for _ in 0..most {
            match message.next() {
                Ok(Some(field)) if self.find(field.number).is_some_and(|(_, entry)| entry.shape.fits(field.wire)) => {}
                Ok(None) => return true,
                _ => return false,
            }
        }
        true
    }
}

/// What to make of fields that the schema does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// The schema is whole: they are hidden from every reader.
    Hidden,
    /// The file is newer than the schema: they are not analysed.
    Newer,
    /// The schema has only what is looked at.
    Passed,
}

/// Reads messages against their schemas, and writes what does not fit.
#[derive(Debug)]
pub struct Reader<'a, 'f> {
    /// The bytes.
    pub source: &'a dyn Source,
    /// What they may cost.
    pub budget: &'a Budget,
    /// What is read from them.
    pub facts: &'f mut Facts,
    /// What to make of fields that the schema does not have.
    pub unknown: Unknown,
    children: u32,
    newer: u32,
    is_stopped: bool,
}

/// The fields of one message, as far as they were read.
#[derive(Debug)]
pub struct Fields<'a> {
    message: Message<'a>,
    schema: &'static Schema,
    seen: u128,
    span: Span,
    is_over: bool,
}

impl Fields<'_> {
    /// Whether the message ended with an error.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.is_over
    }
}

impl<'a, 'f> Reader<'a, 'f> {
    /// A reader of this source.
    #[must_use]
    pub fn new(source: &'a dyn Source, budget: &'a Budget, facts: &'f mut Facts) -> Self {
        Self { source, budget, facts, unknown: Unknown::Hidden, children: 0, newer: 0, is_stopped: false }
    }

    /// Starts on a message.
    #[must_use]
    pub fn open(&self, span: Span, schema: &'static Schema) -> Fields<'a> {
        Fields { message: Message::new(self.source, span), schema, seen: 0, span, is_over: false }
    }

    /// The next field that fits the schema; none at the end, or where nothing can be read any more.
    pub fn next(&mut self, fields: &mut Fields<'a>) -> Option<Field> {
        while !fields.is_over && self.pay(fields.message.position()) {
            let at = fields.message.position();
            match fields.message.next() {
                Ok(None) => return None,
                Ok(Some(field)) if self.admits(fields, &field) => return Some(field),
                Ok(Some(_)) => {}
                Err(error) => {
                    fields.is_over = true;
                    self.broken(fields, at, &error);
                }
            }
        }
        None
    }

    /// Pays a step; false when there is nothing left to pay with.
    pub fn pay(&mut self, at: u64) -> bool {
        if let (false, Err(limit)) = (self.is_stopped, self.budget.operate(1)) {
            self.is_stopped = true;
            self.facts.incomplete(at, Gap::Limit, limit.to_string());
        }
        !self.is_stopped
    }

    /// Looks through a message and all within it for what does not fit, and for nothing else.
    pub fn verify(&mut self, span: Span, schema: &'static Schema, depth: u32) {
        let Some(depth) = depth.checked_sub(1) else {
            let detail = format!("a {} lies deeper than it is followed", schema.name);
            return self.facts.incomplete(span.offset, Gap::Depth, detail);
        };
        let mut fields = self.open(span, schema);
        while let Some(field) = self.next(&mut fields) {
            if let (Some((_, entry)), Some(span)) = (schema.find(field.number), field.span())
                && let Shape::Message(inner) = entry.shape
            {
                self.verify(span, inner, depth);
            }
        }
    }

    /// A text, cut to a readable length.
    #[must_use]
    pub fn text(&self, span: Span) -> String {
        span.text(self.source, MAX_TEXT)
    }

    /// A name, cut to a readable length.
    #[must_use]
    pub fn name(&self, span: Span) -> String {
        crate::facts::shorten(span.text(self.source, 301), 300)
    }

    /// Adds a range that deserves to be opened, as long as there are not too many.
    pub fn child(&mut self, name: String, span: Span) {
        if self.children < MAX_CHILDREN {
            self.children = self.children.saturating_add(1);
            let child = Child::stored(name, span.offset, span.length);
            self.facts.push(Position::Offset(span.offset), FactKind::Child(child));
        } else if self.children == MAX_CHILDREN {
            self.children = self.children.saturating_add(1);
            let detail = format!("more than {MAX_CHILDREN} payloads; the rest is not opened");
            self.facts.incomplete(span.offset, Gap::Limit, detail);
        }
    }

    /// Whether a field is as the schema says. What is not is told.
    fn admits(&mut self, fields: &mut Fields<'a>, field: &Field) -> bool {
        let Some((index, entry)) = fields.schema.find(field.number) else {
            self.stray(fields, field);
            return false;
        };
        if !entry.shape.fits(field.wire) {
            let detail = format!("`{}` of {} has another type than it may have", entry.name, fields.schema.name);
            self.facts.anomaly(field.offset, Anomaly::Malformed, detail);
            return false;
        }
        let bit = u32::try_from(index).ok().and_then(|index| 1u128.checked_shl(index)).unwrap_or(0);
        if !entry.is_repeated && fields.seen & bit != 0 {
            let detail = format!("`{}` stands twice in one {}", entry.name, fields.schema.name);
            self.facts.anomaly(field.offset, Anomaly::DuplicateName, detail);
        }
        fields.seen |= bit;
        if let (Some(span), Shape::Text | Shape::Raw) = (field.span(), entry.shape) {
            self.payload(entry, span);
        }
        true
    }

    fn payload(&mut self, entry: &Entry, span: Span) {
        let is_text = matches!(entry.shape, Shape::Text);
        if payload::is_payload(self.source, span.offset, span.length, is_text) {
            self.child(format!("{}@{}", entry.name, span.offset), span);
        }
    }

    fn stray(&mut self, fields: &Fields<'a>, field: &Field) {
        let (number, name) = (field.number, fields.schema.name);
        match (self.unknown, field.span()) {
            (Unknown::Passed, _) => {}
            (Unknown::Newer, _) => {
                self.newer = self.newer.saturating_add(1);
                if self.newer <= MAX_NEWER {
                    let detail = format!("field {number} of {name} is newer than what is read here");
                    self.facts.incomplete(field.offset, Gap::Unsupported, detail);
                }
            }
            (Unknown::Hidden, Some(span)) if span.length >= HIDDEN => {
                let detail = format!("{} bytes in field {number} of {name}, which it does not have", span.length);
                self.facts.anomaly(field.offset, Anomaly::HiddenContent, detail);
                self.child(format!("field {number}@{}", span.offset), span);
            }
            (Unknown::Hidden, _) => {
                let detail = format!("field {number} of {name}, which it does not have");
                self.facts.anomaly(field.offset, Anomaly::Malformed, detail);
                // A file that was put behind the message reads like fields by chance.
                let rest = fields.span.end().min(self.source.len()).saturating_sub(field.offset);
                if payload::is_payload(self.source, field.offset, rest, true) {
                    self.child(format!("rest@{}", field.offset), Span { offset: field.offset, length: rest });
                }
            }
        }
    }

    fn broken(&mut self, fields: &Fields<'a>, at: u64, error: &Broken) {
        let detail = format!("{} cannot be read on: {error}", fields.schema.name);
        match error {
            Broken::Read(crate::source::ReadError::Refused(_)) => {
                return self.facts.incomplete(at, Gap::Unreadable, detail);
            }
            Broken::Length(_) | Broken::Read(_) => self.facts.anomaly(at, Anomaly::OutOfBounds, detail),
            _ => self.facts.anomaly(at, Anomaly::Malformed, detail),
        }
        let end = fields.span.end().min(self.source.len());
        let rest = Span { offset: at, length: end.saturating_sub(at) };
        if rest.length >= HIDDEN {
            self.child(format!("unread@{at}"), rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::oddities;

    static INNER: Schema = Schema { name: "Inner", fields: &[once(1, "text", Shape::Text)] };
    static OUTER: Schema =
        Schema { name: "Outer", fields: &[once(1, "number", Shape::Number), many(2, "inner", Shape::Message(&INNER))] };

    fn verify(bytes: &[u8], unknown: Unknown) -> Vec<String> {
        let (budget, mut facts) = (Budget::small(), Facts::new());
        let mut reader = Reader::new(&bytes, &budget, &mut facts);
        reader.unknown = unknown;
        reader.verify(Span::whole(&bytes), &OUTER, 4);
        oddities(&facts)
    }

    #[test]
    fn what_fits_gives_nothing() {
        assert!(verify(b"\x08\x01\x12\x03\x0a\x01a\x12\x00", Unknown::Hidden).is_empty());
    }

    #[test]
    fn what_does_not_fit_is_told() {
        assert_eq!(verify(b"\x08\x01\x08\x02", Unknown::Hidden), ["DuplicateName@2"]);
        assert_eq!(verify(b"\x0a\x00", Unknown::Hidden), ["Malformed@0"]);
        assert_eq!(verify(b"\x12\x02\x08\x01", Unknown::Hidden), ["Malformed@2"]);
        assert_eq!(verify(b"\x12\x09\x08\x01", Unknown::Hidden), ["OutOfBounds@0"]);
        assert_eq!(verify(b"\x1a\x10aaaaaaaaaaaaaaaa", Unknown::Hidden), ["HiddenContent@0"]);
    }

    #[test]
    fn what_is_unknown_is_taken_as_the_version_says() {
        assert_eq!(verify(b"\x20\x01", Unknown::Hidden), ["Malformed@0"]);
        assert_eq!(verify(b"\x20\x01", Unknown::Newer), ["Unsupported@0"]);
        assert!(verify(b"\x20\x01", Unknown::Passed).is_empty());
    }
}
