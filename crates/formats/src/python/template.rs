//! f-strings: where they end, and what they compute. A field may hold strings with the same quotes, and its format may
//! have fields of its own (PEP 701).

use super::literal;

/// Fields within the formats of fields; Python has fewer.
const MAX_LEVELS: usize = 150;
/// Bytes of a file that are looked through for an end that is not there; in what Python reads there is always one.
const MAX_VAIN: usize = 32 << 20;

/// A part of an f-string.
#[derive(Debug, PartialEq)]
pub(super) enum Part {
    Text(String),
    /// The source of an expression, without its conversion, and those of the expressions in its format.
    Expression(String, Vec<String>),
}

/// The parts of the f-string at the start of `source`, prefix included, and the bytes that it takes.
pub(super) fn read(source: &str, prefix: &str, vain: &mut usize) -> (Vec<Part>, usize) {
    let body = source.get(prefix.len()..).unwrap_or_default();
    let quote = body.get(..1).unwrap_or_default();
    let triple = quote.repeat(3);
    let delimiter = if body.starts_with(&triple) { triple.as_str() } else { quote };
    let inner = body.get(delimiter.len()..).unwrap_or_default();
    let (end, closed) = end_of(inner, delimiter, vain);
    let opened = prefix.len().saturating_add(delimiter.len());
    let length = opened.saturating_add(end).saturating_add(if closed { delimiter.len() } else { 0 });
    let raw = inner.get(..end).unwrap_or_default();
    let raw = raw.get(..literal::floor(raw, literal::MAX_LITERAL)).unwrap_or_default();
    (take_apart(raw, prefix.contains(['r', 'R'])), length)
}

/// Where the text ends, and whether a delimiter follows it.
fn end_of(inner: &str, delimiter: &str, vain: &mut usize) -> (usize, bool) {
    if *vain < MAX_VAIN {
        let (passed, end) = Walk::over(inner.as_bytes(), delimiter.as_bytes()).end();
        if let Some(end) = end {
            return (end, true);
        }
        *vain = vain.saturating_add(passed);
    }
    literal::end_of(inner, delimiter)
}

/// What is open at a place.
enum Open<'a> {
    /// A string, and whether it has fields.
    Text(&'a [u8], bool),
    /// A field's expression, and its open brackets.
    Field(usize),
    /// A field's format, up to the field's end.
    Format,
}

/// A walk over the source of an f-string.
struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    open: Vec<Open<'a>>,
}

impl<'a> Walk<'a> {
    fn over(bytes: &'a [u8], delimiter: &'a [u8]) -> Self {
        Self { bytes, at: 0, open: vec![Open::Text(delimiter, true)] }
    }

    /// How far it went, and the place of the delimiter that ends the outermost string.
    fn end(mut self) -> (usize, Option<usize>) {
        while let Some(byte) = self.bytes.get(self.at).copied() {
            let place = self.at;
            let goes_on = self.step(byte);
            if self.open.is_empty() {
                return (place, Some(place));
            }
            if !goes_on {
                break;
            }
        }
        (self.at, None)
    }

    /// Goes on by one step; false where there can be none.
    fn step(&mut self, byte: u8) -> bool {
        match self.open.last() {
            Some(Open::Text(delimiter, has_fields)) => {
                let (delimiter, has_fields) = (*delimiter, *has_fields);
                self.text(byte, delimiter, has_fields)
            }
            Some(Open::Field(_)) => self.field(byte),
            Some(Open::Format) => self.format(byte),
            None => false,
        }
    }

    fn starts(&self, what: &[u8]) -> bool {
        self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(what))
    }

    fn pass(&mut self, count: usize) {
        self.at = self.at.saturating_add(count);
    }

    fn text(&mut self, byte: u8, delimiter: &[u8], has_fields: bool) -> bool {
        match byte {
            b'\\' => self.pass(2),
            b'\n' if delimiter.len() == 1 => return false,
            _ if self.starts(delimiter) => {
                self.open.pop();
                self.pass(delimiter.len());
            }
            b'{' if has_fields && self.starts(b"{{") => self.pass(2),
            b'{' if has_fields => {
                self.open.push(Open::Field(0));
                self.pass(1);
            }
            _ => self.pass(1),
        }
        true
    }

    fn field(&mut self, byte: u8) -> bool {
        let Some(Open::Field(depth)) = self.open.last_mut() else { return false };
        match byte {
            b'(' | b'[' | b'{' => *depth = depth.saturating_add(1),
            b')' | b']' => *depth = depth.saturating_sub(1),
            b'}' if *depth > 0 => *depth = depth.saturating_sub(1),
            b'}' => drop(self.open.pop()),
            b':' if *depth == 0 => drop(self.open.last_mut().map(|open| *open = Open::Format)),
            b'"' | b'\'' => return self.string(byte),
            b'#' => {
                let rest = self.bytes.get(self.at..).unwrap_or_default();
                self.pass(rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()));
                return true;
            }
            _ => {}
        }
        self.pass(1);
        true
    }

    /// A string within a field opens, with the letters before it.
    fn string(&mut self, quote: u8) -> bool {
        let before = self.bytes.get(..self.at).unwrap_or_default();
        let has_fields = before
            .iter()
            .rev()
            .take(2)
            .take_while(|byte| byte.is_ascii_alphabetic())
            .any(|byte| matches!(byte, b'f' | b'F' | b't' | b'T'));
        let triple = [quote; 3];
        let length = if self.starts(&triple) { 3 } else { 1 };
        let Some(delimiter) = self.bytes.get(self.at..self.at.saturating_add(length)) else { return false };
        self.open.push(Open::Text(delimiter, has_fields));
        self.pass(length);
        true
    }

    fn format(&mut self, byte: u8) -> bool {
        match byte {
            b'{' => self.open.push(Open::Field(0)),
            b'}' => drop(self.open.pop()),
            // The string that the field stands in ends within the format: there is no such thing.
            _ if self.ends_outer() => return false,
            _ => {}
        }
        self.pass(1);
        true
    }

    fn ends_outer(&self) -> bool {
        let outer = self.open.iter().rev().find_map(|open| match open {
            Open::Text(delimiter, _) => Some(*delimiter),
            _ => None,
        });
        outer.is_some_and(|delimiter| self.starts(delimiter))
    }
}

/// Text and expressions in turn.
fn take_apart(raw: &str, is_raw: bool) -> Vec<Part> {
    let said = |text: &str| if is_raw { text.to_owned() } else { literal::unescape(text) };
    let (mut parts, mut plain, mut rest) = (Vec::new(), String::new(), raw);
    while let Some(at) = rest.find(['{', '}']) {
        plain.push_str(&said(rest.get(..at).unwrap_or_default()));
        let found = rest.get(at..).unwrap_or_default();
        let twice = found.starts_with("{{") || found.starts_with("}}");
        if twice || found.starts_with('}') {
            plain.push_str(found.get(..1).unwrap_or_default());
            rest = found.get(if twice { 2 } else { 1 }..).unwrap_or_default();
            continue;
        }
        let Field { expression, format, after } = Field::of(found.get(1..).unwrap_or_default());
        parts.push(Part::Text(std::mem::take(&mut plain)));
        parts.push(Part::Expression(expression.to_owned(), fields_of(format)));
        rest = after;
    }
    plain.push_str(&said(rest));
    if !plain.is_empty() || parts.is_empty() {
        parts.push(Part::Text(plain));
    }
    parts
}

/// The expressions in a format, and those in their formats.
fn fields_of(format: &str) -> Vec<String> {
    let (mut found, mut levels) = (Vec::new(), vec![format]);
    while let Some(rest) = levels.pop() {
        let Some((_, inside)) = rest.split_once('{') else { continue };
        let Field { expression, format, after } = Field::of(inside);
        found.push(expression.to_owned());
        levels.push(after);
        if levels.len() < MAX_LEVELS {
            levels.push(format);
        }
    }
    found
}

/// A replacement field, and what follows it.
struct Field<'a> {
    expression: &'a str,
    format: &'a str,
    after: &'a str,
}

impl<'a> Field<'a> {
    /// `inside` begins after the bracket.
    fn of(inside: &'a str) -> Self {
        let mut walk = Walk { bytes: inside.as_bytes(), at: 0, open: vec![Open::Field(0)] };
        let (mut end, mut format) = (None, None);
        while let Some(byte) = walk.bytes.get(walk.at).copied() {
            let is_outer = walk.open.len() == 1 && matches!(walk.open.last(), Some(Open::Field(0)));
            if is_outer && byte == b'!' && end.is_none() && !walk.starts(b"!=") {
                end = Some(walk.at);
            }
            if is_outer && byte == b':' {
                end = end.or(Some(walk.at));
                format = Some(walk.at.saturating_add(1));
            }
            let place = walk.at;
            let goes_on = walk.step(byte);
            if walk.open.is_empty() {
                return Self::cut(inside, end.unwrap_or(place), format, place);
            }
            if !goes_on {
                break;
            }
        }
        Self::cut(inside, end.unwrap_or(inside.len()), format, inside.len())
    }

    fn cut(inside: &'a str, end: usize, format: Option<usize>, close: usize) -> Self {
        Self {
            expression: inside.get(..end).unwrap_or_default(),
            format: format.and_then(|start| inside.get(start..close)).unwrap_or_default(),
            after: inside.get(close.saturating_add(1)..).unwrap_or_default(),
        }
    }
}
