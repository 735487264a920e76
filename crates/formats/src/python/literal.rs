//! String literals: where they end, and what they say.

/// Bytes kept of one literal: as many as are read of a file.
pub(super) const MAX_LITERAL: usize = 4 << 20;

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
pub(super) fn end_of(inner: &str, delimiter: &str) -> (usize, bool) {
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

pub(super) fn floor(text: &str, most: usize) -> usize {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    end
}

pub(super) fn unescape(raw: &str) -> String {
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
