//! String literals: where they end, and what they say.

/// Bytes kept of one literal: as many as are read of a file.
const MAX_LITERAL: usize = 4 << 20;

/// A string literal.
#[derive(Debug)]
pub(super) struct Literal {
    /// Unescaped.
    pub(super) text: String,
    /// Bytes of source it takes.
    pub(super) length: usize,
}

/// Reads the literal at the start of `source`, prefix included. One that has no end ends with its line, or the source.
pub(super) fn read(source: &str, prefix: &str) -> Literal {
    let body = source.get(prefix.len()..).unwrap_or_default();
    let quote = body.get(..1).unwrap_or_default();
    let triple = quote.repeat(3);
    let delimiter = if body.starts_with(&triple) { triple.as_str() } else { quote };
    let inner = body.get(delimiter.len()..).unwrap_or_default();
    let (end, closed) = end_of(inner, delimiter);
    let raw = inner.get(..end).unwrap_or_default();
    let opened = prefix.len().saturating_add(delimiter.len());
    let length = opened.saturating_add(end).saturating_add(if closed { delimiter.len() } else { 0 });
    let kept = raw.get(..floor(raw, MAX_LITERAL)).unwrap_or_default();
    let text = if prefix.contains(['r', 'R']) { kept.to_owned() } else { unescape(kept) };
    Literal { text, length }
}

/// Where the text ends, and whether a delimiter follows it.
fn end_of(inner: &str, delimiter: &str) -> (usize, bool) {
    let bytes = inner.as_bytes();
    let mut at = 0usize;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at = at.saturating_add(2),
            b'\n' if delimiter.len() == 1 => return (at, false),
            _ if bytes.get(at..).is_some_and(|rest| rest.starts_with(delimiter.as_bytes())) => return (at, true),
            _ => at = at.saturating_add(1),
        }
    }
    (inner.len(), false)
}

fn floor(text: &str, most: usize) -> usize {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    end
}

fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        text.push_str(rest.get(..at).unwrap_or_default());
        rest = escape(rest.get(at.saturating_add(1)..).unwrap_or_default(), &mut text);
    }
    text.push_str(rest);
    text
}

/// Writes what an escape stands for; returns what follows it.
fn escape<'a>(rest: &'a str, text: &mut String) -> &'a str {
    let Some(first) = rest.chars().next() else { return rest };
    let after = rest.get(first.len_utf8()..).unwrap_or_default();
    let simple = match first {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'x' => return coded(after, 2, 16, text),
        'u' => return coded(after, 4, 16, text),
        'U' => return coded(after, 8, 16, text),
        '0'..='7' => return coded(rest, 3, 8, text),
        '\n' => return after,
        '\\' | '\'' | '"' => first,
        other => {
            text.push('\\');
            other
        }
    };
    text.push(simple);
    after
}

fn coded<'a>(rest: &'a str, most: usize, radix: u32, text: &mut String) -> &'a str {
    let length = rest.chars().take(most).take_while(|c| c.is_digit(radix)).count();
    let digits = rest.get(..length).unwrap_or_default();
    let code = u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
    text.push(code.unwrap_or(char::REPLACEMENT_CHARACTER));
    rest.get(length..).unwrap_or_default()
}

/// A part of an f-string.
#[derive(Debug, PartialEq)]
pub(super) enum Part {
    Text(String),
    /// The source of an expression, without its conversion and format.
    Expression(String),
}

/// The parts of an f-string's text.
pub(super) fn parts(text: &str) -> Vec<Part> {
    let (mut parts, mut plain, mut rest) = (Vec::new(), String::new(), text);
    while let Some(at) = rest.find(['{', '}']) {
        plain.push_str(rest.get(..at).unwrap_or_default());
        let found = rest.get(at..).unwrap_or_default();
        let twice = found.starts_with("{{") || found.starts_with("}}");
        if twice || found.starts_with('}') {
            plain.push_str(found.get(..1).unwrap_or_default());
            rest = found.get(if twice { 2 } else { 1 }..).unwrap_or_default();
            continue;
        }
        let inside = found.get(1..).unwrap_or_default();
        let (expression, after) = field(inside);
        parts.push(Part::Text(std::mem::take(&mut plain)));
        parts.push(Part::Expression(expression.to_owned()));
        rest = after;
    }
    plain.push_str(rest);
    if !plain.is_empty() || parts.is_empty() {
        parts.push(Part::Text(plain));
    }
    parts
}

/// The expression of a replacement field, and what follows the field.
fn field(inside: &str) -> (&str, &str) {
    let (mut depth, mut quote, mut end) = (0usize, None, None);
    for (at, character) in inside.char_indices() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(character),
            (None, '(' | '[' | '{') => depth = depth.saturating_add(1),
            (None, '}') if depth == 0 => {
                let expression = inside.get(..end.unwrap_or(at)).unwrap_or_default();
                return (expression, inside.get(at.saturating_add(1)..).unwrap_or_default());
            }
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, ':') if depth == 0 && end.is_none() => end = Some(at),
            (None, '!') if depth == 0 && end.is_none() && !inside.get(at..).unwrap_or_default().starts_with("!=") => {
                end = Some(at);
            }
            _ => {}
        }
    }
    (inside.get(..end.unwrap_or(inside.len())).unwrap_or_default(), "")
}
