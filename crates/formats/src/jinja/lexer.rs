//! Template text to tags, tags to tokens, as Jinja2's own lexer does it with its default delimiters.

/// A token and the bytes of the template it stands for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Name(String),
    /// Unescaped.
    Text(String),
    /// A whole number, as far as it fits.
    Number(Option<u64>),
    Operator(&'static str),
}

/// `{{ … }}` or `{% … %}`.
#[derive(Debug)]
pub(super) struct Tag {
    pub(super) is_statement: bool,
    pub(super) tokens: Vec<Token>,
    /// Where its first byte is.
    pub(super) start: usize,
    /// Just behind its last.
    pub(super) end: usize,
}

/// Longest first, so that the first that fits is the right one.
const OPERATORS: &[&str] = &[
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".",
    ":", "|", ",", ";",
];

/// Tags in order, and where lexing stopped when Jinja2 would refuse the text.
pub(super) fn tags(text: &str) -> (Vec<Tag>, Option<usize>) {
    let (mut tags, mut at) = (Vec::new(), 0usize);
    while let Some(start) = next_opening(text, at) {
        let rest = text.get(start..).unwrap_or_default();
        if rest.starts_with("{#") {
            match rest.get(2..).unwrap_or_default().find("#}") {
                Some(length) => at = start.saturating_add(length).saturating_add(4),
                None => return (tags, Some(start)),
            }
            continue;
        }
        let Some(tag) = tag(text, start) else { return (tags, Some(start)) };
        at = tag.end;
        if is_raw(&tag) {
            match end_of_raw(text, at) {
                Some(end) => at = end,
                None => return (tags, Some(start)),
            }
        } else {
            tags.push(tag);
        }
    }
    (tags, None)
}

fn next_opening(text: &str, from: usize) -> Option<usize> {
    let rest = text.as_bytes().get(from..)?;
    let found = rest.windows(2).position(|pair| matches!(pair, [b'{', b'{' | b'%' | b'#']))?;
    from.checked_add(found)
}

fn is_raw(tag: &Tag) -> bool {
    let raw = |token: &Token| matches!(&token.kind, Kind::Name(name) if name == "raw");
    tag.is_statement && tag.tokens.len() == 1 && tag.tokens.first().is_some_and(raw)
}

/// Behind `{% endraw %}`.
fn end_of_raw(text: &str, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let found = at.checked_add(text.get(at..)?.find("{%")?)?;
        let inside = text.get(found.checked_add(2)?..)?;
        let rest = inside.strip_prefix(['-', '+']).unwrap_or(inside).trim_start();
        if let Some(rest) = rest.strip_prefix("endraw") {
            let rest = rest.trim_start();
            let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest);
            if let Some(rest) = rest.strip_prefix("%}") {
                return text.len().checked_sub(rest.len());
            }
        }
        at = found.checked_add(2)?;
    }
}

/// The tag that starts at `start`; `None` when it has no end or has characters that Jinja2 does not know.
fn tag(text: &str, start: usize) -> Option<Tag> {
    let is_statement = text.get(start..)?.starts_with("{%");
    let closing = if is_statement { "%}" } else { "}}" };
    let mut at = start.checked_add(2)?;
    if text.get(at..)?.starts_with(['-', '+']) {
        at = at.checked_add(1)?;
    }
    let (mut tokens, mut open) = (Vec::new(), 0usize);
    loop {
        let rest = text.get(at..)?;
        let trimmed = rest.trim_start();
        at = at.checked_add(rest.len().checked_sub(trimmed.len())?)?;
        if open == 0 {
            let stripped = trimmed.strip_prefix(['-', '+']).unwrap_or(trimmed);
            let ends = [trimmed, stripped].into_iter().find_map(|rest| rest.strip_prefix(closing));
            if let Some(after) = ends {
                let end = text.len().checked_sub(after.len())?;
                return Some(Tag { is_statement, tokens, start, end });
            }
        }
        let token = token(trimmed, at)?;
        match token.kind {
            Kind::Operator("(" | "[" | "{") => open = open.saturating_add(1),
            Kind::Operator(")" | "]" | "}") => open = open.saturating_sub(1),
            _ => {}
        }
        at = token.end;
        tokens.push(token);
    }
}

fn token(rest: &str, start: usize) -> Option<Token> {
    let first = rest.chars().next()?;
    let (kind, length) = match first {
        '\'' | '"' => text(rest, first)?,
        '0'..='9' => number(rest),
        _ if first == '_' || first.is_alphabetic() => {
            let name: String = rest.chars().take_while(|&c| c == '_' || c.is_alphanumeric()).collect();
            let length = name.len();
            (Kind::Name(name), length)
        }
        _ => OPERATORS.iter().find(|one| rest.starts_with(**one)).map(|one| (Kind::Operator(one), one.len()))?,
    };
    Some(Token { kind, start, end: start.checked_add(length)? })
}

fn number(rest: &str) -> (Kind, usize) {
    let digits: String = rest.chars().take_while(|&c| c == '_' || c == '.' || c.is_ascii_alphanumeric()).collect();
    // `1.upper` is not a number with a fraction; neither is the end of `x[1]`.
    let plain = digits.split_once('.').filter(|(_, part)| !part.starts_with(|c: char| c.is_ascii_digit()));
    let digits = plain.map_or(digits.as_str(), |(whole, _)| whole);
    let clean = digits.replace('_', "").to_ascii_lowercase();
    let value = match (clean.strip_prefix("0x"), clean.strip_prefix("0b"), clean.strip_prefix("0o")) {
        (Some(hex), ..) => u64::from_str_radix(hex, 16).ok(),
        (_, Some(bits), _) => u64::from_str_radix(bits, 2).ok(),
        (.., Some(octal)) => u64::from_str_radix(octal, 8).ok(),
        _ if clean.bytes().all(|byte| byte.is_ascii_digit()) => Some(clean.parse().unwrap_or(u64::MAX)),
        _ => None,
    };
    (Kind::Number(value), digits.len())
}

/// A string literal and its length with quotes.
fn text(rest: &str, quote: char) -> Option<(Kind, usize)> {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return Some((Kind::Text(unescape(rest.get(1..at)?)), at.checked_add(1)?)),
            _ => {}
        }
    }
    None
}

/// What Python's `unicode-escape` makes of it.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('x') => code(&mut chars, 2, 16, &mut out),
            Some('u') => code(&mut chars, 4, 16, &mut out),
            Some('U') => code(&mut chars, 8, 16, &mut out),
            Some('N') => named(&mut chars, &mut out),
            Some('a' | 'b' | 'f' | 'v') => out.push(' '),
            Some('\n') | None => {}
            Some(digit @ '0'..='7') => octal(digit, &mut chars, &mut out),
            Some(plain @ ('\\' | '\'' | '"')) => out.push(plain),
            Some(other) => out.extend(['\\', other]),
        }
    }
    out
}

fn code(chars: &mut std::str::Chars<'_>, digits: usize, radix: u32, out: &mut String) {
    let text: String = chars.as_str().chars().take(digits).collect();
    let value = u32::from_str_radix(&text, radix).ok().and_then(char::from_u32);
    if value.is_some() {
        for _ in 0..digits {
            chars.next();
        }
    }
    out.push(value.unwrap_or('\u{FFFD}'));
}

fn octal(first: char, chars: &mut std::str::Chars<'_>, out: &mut String) {
    let mut value = first.to_digit(8).unwrap_or(0);
    for _ in 0..2 {
        let Some(digit) = chars.as_str().chars().next().and_then(|c| c.to_digit(8)) else { break };
        value = value.saturating_mul(8).saturating_add(digit);
        chars.next();
    }
    out.push(char::from_u32(value).unwrap_or('\u{FFFD}'));
}

/// `\N{…}`: only the one name that matters here is known.
fn named(chars: &mut std::str::Chars<'_>, out: &mut String) {
    let rest = chars.as_str();
    let Some((name, after)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) else { return };
    let low_line = matches!(name.to_ascii_uppercase().as_str(), "LOW LINE" | "SPACING UNDERSCORE");
    out.push(if low_line { '_' } else { '\u{FFFD}' });
    *chars = after.chars();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_unescaped_as_python_does() {
        assert_eq!(unescape(r"\x5f\u005f\137\N{LOW LINE}\U0000005f"), "_____");
        assert_eq!(unescape(r"\d\'\\"), r"\d'\");
    }

    #[test]
    fn tags_end_where_jinja_ends_them() {
        let (found, stop) = tags("a{{ {'x': {}} }}b{%- if '%}' -%}{# {{ x }} #}{% raw %}{{ y }}{% endraw %}{{z}}");
        assert_eq!((found.len(), stop), (3, None));
        assert_eq!(tags("{{ 'x }}").1, Some(0));
        assert_eq!(tags("a{# b").1, Some(1));
        assert_eq!(tags("{{ a ? b }}").1, Some(0));
    }
}
