//! Universal Binary JSON: the same values as JSON, with types and lengths before them.
//!
//! Every value is shown as the JSON reader shows it, with its path and offset, so that one visitor reads both.
//! Specification: <https://ubjson.org/>. Numbers are big-endian.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::budget::Budget;
use crate::cursor::Cursor;
use crate::fact::{Anomaly, Gap};
use crate::facts::Facts;
use crate::json::{Event, Segment, Value};
use crate::source::{ReadError, Source};

/// Containers within containers.
const MAX_DEPTH: usize = 512;
/// Bytes kept of a text.
const MAX_TEXT: u64 = 4096;
/// Keys, over all objects, that are compared with each other.
const MAX_KEYS: usize = 1 << 20;

/// An open container.
struct Frame {
    is_object: bool,
    /// Members still to come, when their number is announced.
    left: Option<u64>,
    /// The type of all members, when it is announced.
    element: Option<u8>,
    members: u64,
    /// Hashes of its keys: equal keys have equal hashes, so no duplicate is missed.
    keys: HashSet<u64>,
}

/// Why reading stopped.
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

struct Walker<'a, 'v> {
    cursor: Cursor<'a>,
    budget: &'a Budget,
    visit: &'v mut dyn FnMut(Event<'_>),
    frames: Vec<Frame>,
    path: Vec<Segment>,
    keys: usize,
    duplicates: Vec<(u64, String)>,
}

/// Reads one value from the start of `source`. Returns where it ends, when all of it could be read; what is wrong is
/// written down.
pub fn walk(source: &dyn Source, budget: &Budget, facts: &mut Facts, visit: &mut dyn FnMut(Event<'_>)) -> Option<u64> {
    let (cursor, frames, path) = (Cursor::new(source, 0), Vec::new(), Vec::new());
    let mut walker = Walker { cursor, budget, visit, frames, path, keys: 0, duplicates: Vec::new() };
    let read = walker.document();
    let at = walker.cursor.position();
    for (at, key) in walker.duplicates {
        facts.anomaly(at, Anomaly::DuplicateName, format!("the key '{key}' stands here twice"));
    }
    match read {
        Ok(()) => return Some(at),
        Err(Stop::Odd(anomaly, detail)) => facts.anomaly(at, anomaly, detail),
        Err(Stop::Gap(gap, detail)) => facts.incomplete(at, gap, detail),
    }
    None
}

impl Walker<'_, '_> {
    fn document(&mut self) -> Result<(), Stop> {
        let marker = self.marker()?;
        self.value(marker)?;
        while let Some(frame) = self.frames.last() {
            let (is_object, element) = (frame.is_object, frame.element);
            if self.is_over()? {
                self.close();
                continue;
            }
            self.enter(is_object)?;
            let marker = match element {
                Some(marker) => marker,
                None => self.marker()?,
            };
            self.value(marker)?;
        }
        Ok(())
    }

    /// The next marker that means something.
    fn marker(&mut self) -> Result<u8, Stop> {
        loop {
            self.pay()?;
            match self.cursor.byte()? {
                b'N' => {}
                marker => return Ok(marker),
            }
        }
    }

    fn pay(&mut self) -> Result<(), Stop> {
        self.budget.operate(1).map_err(|error| Stop::Gap(Gap::Limit, error.to_string()))
    }

    /// Whether the innermost container has no more members; its closing bracket is passed.
    fn is_over(&mut self) -> Result<bool, Stop> {
        let Some(frame) = self.frames.last_mut() else { return Ok(true) };
        if let Some(left) = frame.left.as_mut() {
            let over = *left == 0;
            *left = left.saturating_sub(1);
            return Ok(over);
        }
        let closing = if frame.is_object { b'}' } else { b']' };
        let at = self.cursor.position();
        if self.marker()? == closing {
            return Ok(true);
        }
        self.cursor.seek(at);
        Ok(false)
    }

    fn close(&mut self) {
        let Some(frame) = self.frames.pop() else { return };
        self.path.pop();
        let end = if frame.is_object { Value::ObjectEnd(frame.members) } else { Value::ArrayEnd(frame.members) };
        self.show(self.cursor.position(), end);
    }

    fn show(&mut self, offset: u64, value: Value<'_>) {
        (self.visit)(Event { path: &self.path, offset, value });
    }

    /// Moves the path to the next member, reading its key.
    fn enter(&mut self, is_object: bool) -> Result<(), Stop> {
        let offset = self.cursor.position();
        let key = if is_object { Some(self.key()?) } else { None };
        let Some(frame) = self.frames.last_mut() else { return Ok(()) };
        let index = frame.members;
        frame.members = index.saturating_add(1);
        if let Some(key) = &key {
            self.keys = self.keys.saturating_add(1);
            if self.keys > MAX_KEYS {
                return Err(Stop::Gap(Gap::Limit, format!("more than {MAX_KEYS} keys")));
            }
            if !frame.keys.insert(hash(key)) && self.duplicates.len() < 64 {
                self.duplicates.push((offset, key.clone()));
            }
        }
        if let Some(last) = self.path.last_mut() {
            *last = key.map_or(Segment::Index(index), Segment::Key);
        }
        Ok(())
    }

    fn key(&mut self) -> Result<String, Stop> {
        let marker = self.marker()?;
        let length = self.length(marker)?;
        self.text(length)
    }

    /// A number that counts something.
    fn length(&mut self, marker: u8) -> Result<u64, Stop> {
        let number = self.integer(marker)?;
        let number = number.and_then(|number| u64::try_from(number).ok());
        number.ok_or_else(|| Stop::Odd(Anomaly::Malformed, "a length is negative, or no whole number".to_owned()))
    }

    fn integer(&mut self, marker: u8) -> Result<Option<i64>, Stop> {
        Ok(Some(match marker {
            b'i' => i8::from_be_bytes([self.cursor.byte()?]).into(),
            b'U' => self.cursor.byte()?.into(),
            b'I' => self.cursor.u16()?.swap_bytes().cast_signed().into(),
            b'l' => self.cursor.i32()?.swap_bytes().into(),
            b'L' => self.cursor.i64()?.swap_bytes(),
            _ => return Ok(None),
        }))
    }

    fn text(&mut self, length: u64) -> Result<String, Stop> {
        if length > self.cursor.remaining() {
            return Err(Stop::Odd(Anomaly::OutOfBounds, format!("a text of {length} bytes ends outside the file")));
        }
        let kept = length.min(MAX_TEXT);
        let bytes = self.cursor.take(usize::try_from(kept).unwrap_or(0))?;
        let text = String::from_utf8_lossy(bytes).into_owned();
        self.cursor.skip(length.saturating_sub(kept))?;
        Ok(text)
    }

    fn value(&mut self, marker: u8) -> Result<(), Stop> {
        self.pay()?;
        let offset = self.cursor.position();
        if let Some(number) = self.integer(marker)? {
            self.show(offset, Value::Number(&number.to_string()));
            return Ok(());
        }
        match marker {
            b'd' => {
                let number = f32::from_bits(self.cursor.u32()?.swap_bytes()).to_string();
                self.show(offset, Value::Number(&number));
            }
            b'D' => {
                let number = f64::from_bits(self.cursor.u64()?.swap_bytes()).to_string();
                self.show(offset, Value::Number(&number));
            }
            b'S' => {
                let text = self.key()?;
                self.show(offset, Value::Text(&text));
            }
            b'H' => {
                let text = self.key()?;
                self.show(offset, Value::Number(&text));
            }
            b'C' => {
                let text = char::from(self.cursor.byte()?).to_string();
                self.show(offset, Value::Text(&text));
            }
            b'T' | b'F' => self.show(offset, Value::Bool(marker == b'T')),
            b'Z' => self.show(offset, Value::Null),
            b'{' | b'[' => self.open(offset, marker == b'{')?,
            _ => return Err(Stop::Odd(Anomaly::Malformed, format!("no value starts with the byte {marker:#04x}"))),
        }
        Ok(())
    }

    fn open(&mut self, offset: u64, is_object: bool) -> Result<(), Stop> {
        if self.frames.len() >= MAX_DEPTH {
            return Err(Stop::Gap(Gap::Depth, format!("containers lie more than {MAX_DEPTH} deep")));
        }
        let mut at = self.cursor.position();
        let (mut element, mut left) = (None, None);
        let mut next = self.cursor.byte()?;
        if next == b'$' {
            element = Some(self.cursor.byte()?);
            at = self.cursor.position();
            next = self.cursor.byte()?;
            if next != b'#' {
                return Err(Stop::Odd(Anomaly::Malformed, "a type is announced without a count".to_owned()));
            }
        }
        if next == b'#' {
            let marker = self.cursor.byte()?;
            let count = self.length(marker)?;
            self.plausible(count, element, is_object)?;
            left = Some(count);
        } else {
            self.cursor.seek(at);
        }
        self.show(offset, if is_object { Value::Object } else { Value::Array });
        self.frames.push(Frame { is_object, left, element, members: 0, keys: HashSet::new() });
        self.path.push(Segment::Index(0));
        Ok(())
    }

    /// Members without bytes of their own, as `T` is, can be announced without end.
    fn plausible(&self, count: u64, element: Option<u8>, is_object: bool) -> Result<(), Stop> {
        let size = match element {
            Some(b'T' | b'F' | b'Z' | b'N') => u64::from(is_object),
            Some(b'I') => 2,
            Some(b'l' | b'd') => 4,
            Some(b'L' | b'D') => 8,
            _ => 1,
        };
        let left = self.cursor.remaining();
        if count.saturating_mul(size.max(1)) > left {
            let detail = format!("{count} members are announced where {left} bytes are left");
            return Err(Stop::Odd(Anomaly::AllocationBomb, detail));
        }
        Ok(())
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::path_text;
    use crate::testing::{mutate, oddities};

    fn read(bytes: &[u8]) -> (Vec<String>, Vec<String>) {
        let (mut facts, mut seen) = (Facts::new(), Vec::new());
        walk(&bytes, &Budget::small(), &mut facts, &mut |event| {
            if let Value::Number(text) | Value::Text(text) = event.value {
                seen.push(format!("{}={text}", path_text(event.path)));
            }
        });
        (seen, oddities(&facts))
    }

    const GOOD: &[u8] =
        b"{i\x01a[$d#U\x02\x3f\x80\0\0\xc0\0\0\0U\x01b{L\0\0\0\0\0\0\0\x01cSi\x02hi}i\x01d[#i\x02i\xffTi\x01e[Z]}";

    #[test]
    fn values_have_paths() {
        let (seen, odd) = read(GOOD);
        assert_eq!(seen, ["a[0]=1", "a[1]=-2", "b.c=hi", "d[0]=-1"]);
        assert!(odd.is_empty(), "{odd:?}");
    }

    #[test]
    fn bombs_and_breaks_are_told() {
        assert_eq!(read(b"[$T#L\x7f\xff\xff\xff\xff\xff\xff\xff").1, ["AllocationBomb@13"]);
        assert_eq!(read(b"[$d#L\0\0\0\0\x7f\xff\xff\xff").1, ["AllocationBomb@13"]);
        assert_eq!(read(&[b'['; 10_000]).1.len(), 1);
        assert_eq!(read(b"{i\x01aTi\x01aT}").1, ["DuplicateName@5"]);
        assert_eq!(read(b"Si\xff").1, ["Malformed@3"]);
        assert_eq!(read(b"?").1, ["Malformed@1"]);
    }

    #[test]
    fn corrupted_values_do_not_panic() {
        mutate(GOOD, 4000, |bytes| {
            read(&bytes);
        });
    }
}
