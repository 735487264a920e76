//! Python source to logical lines of tokens. Tolerant: what Python would refuse is skipped, and nothing fails.

use std::borrow::Cow;

use super::letters::plain;
use super::literal::{self, Literal};
use super::template::{self, Part};

/// Tokens of one logical line; a longer one is handed out in pieces.
const MAX_TOKENS: usize = 200_000;
/// f-strings within f-strings. Each opens two brackets, and an expression has fewer of these: what is nested more deeply
/// is told where the brackets are counted.
const MAX_NESTING: u32 = 40;

/// Longest first, so that the first that fits is the right one.
const OPERATORS: &[&str] = &[
    "**=", "//=", ">>=", "<<=", "...", ":=", "==", "!=", "<=", ">=", "->", "+=", "-=", "*=", "/=", "%=", "&=", "|=",
    "^=", "@=", "**", "//", "<<", ">>", "(", ")", "[", "]", "{", "}", ",", ":", ".", ";", "@", "=", "+", "-", "*", "/",
    "%", "&", "|", "^", "~", "<", ">", "!",
];

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// A name or keyword, in the letters Python reads it in; whether it was written in others.
    Name(String, bool),
    /// A string, unescaped.
    Text(String),
    /// A whole number, as far as it fits.
    Number(Option<i64>),
    /// An operator or bracket.
    Operator(&'static str),
}

/// A token, where it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) line: u64,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Token {
    pub(super) fn name(&self) -> Option<&str> {
        match &self.kind {
            Kind::Name(name, _) => Some(name),
            _ => None,
        }
    }

    pub(super) fn is(&self, operator: &str) -> bool {
        matches!(self.kind, Kind::Operator(known) if known == operator)
    }
}

/// A logical line.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Line {
    pub(super) indent: usize,
    pub(super) tokens: Vec<Token>,
}

/// Lines that end as Python ends them: a carriage return by itself ends one too.
pub(super) fn with_plain_lines(text: &str) -> Cow<'_, str> {
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n").into() } else { text.into() }
}

/// Hands out logical lines, of text with plain ones.
#[derive(Debug)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    line: u64,
    open: usize,
    nesting: u32,
    /// Bytes in which no end of an f-string was found.
    vain: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self { text, at: 0, line: 1, open: 0, nesting: 0, vain: 0 }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn advance(&mut self, count: usize) {
        let end = self.at.saturating_add(count).min(self.text.len());
        let passed = self.text.as_bytes().get(self.at..end).unwrap_or_default();
        let breaks = passed.iter().filter(|byte| **byte == b'\n').count();
        self.line = self.line.saturating_add(breaks as u64);
        self.at = end;
    }

    /// The next logical line that has a token.
    pub(super) fn next_line(&mut self) -> Option<Line> {
        loop {
            let mut line = Line { indent: self.indentation(), tokens: Vec::new() };
            while line.tokens.len() < MAX_TOKENS && self.token(&mut line.tokens) {}
            if !line.tokens.is_empty() {
                return Some(line);
            }
            if self.at >= self.text.len() {
                return None;
            }
        }
    }

    fn indentation(&mut self) -> usize {
        let mut column = 0usize;
        for byte in self.rest().bytes() {
            match byte {
                b' ' => column = column.saturating_add(1),
                b'\t' => column = (column | 7).saturating_add(1),
                0x0C => column = 0,
                _ => break,
            }
            self.at = self.at.saturating_add(1);
        }
        column
    }

    /// Reads a token; false at the end of the logical line.
    fn token(&mut self, tokens: &mut Vec<Token>) -> bool {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return false };
        match first {
            '\n' => {
                self.advance(1);
                return self.open > 0;
            }
            ' ' | '\t' | '\r' | '\u{c}' => self.advance(1),
            '#' => self.advance(rest.find('\n').unwrap_or(rest.len())),
            '\\' => self.advance(2.min(rest.len())),
            '"' | '\'' => self.string("", tokens),
            '0'..='9' => self.number(tokens),
            '.' if rest.as_bytes().get(1).is_some_and(u8::is_ascii_digit) => self.number(tokens),
            _ if first == '_' || first.is_alphabetic() || plain(first).is_some() => self.word(tokens),
            _ => self.operator(first, tokens),
        }
        // A line continuation may have left the place within a character.
        while !self.text.is_char_boundary(self.at) {
            self.at = self.at.saturating_add(1);
        }
        true
    }

    fn push(&mut self, kind: Kind, length: usize, tokens: &mut Vec<Token>) {
        let (start, line) = (self.at, self.line);
        self.advance(length);
        tokens.push(Token { kind, line, start, end: self.at });
    }

    fn operator(&mut self, first: char, tokens: &mut Vec<Token>) {
        let Some(operator) = OPERATORS.iter().find(|operator| self.rest().starts_with(**operator)) else {
            return self.advance(first.len_utf8());
        };
        match *operator {
            "(" | "[" | "{" => self.open = self.open.saturating_add(1),
            ")" | "]" | "}" => self.open = self.open.saturating_sub(1),
            _ => {}
        }
        self.push(Kind::Operator(operator), operator.len(), tokens);
    }

    fn number(&mut self, tokens: &mut Vec<Token>) {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_';
        let rest = self.rest();
        let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let digits: String = rest.chars().take(length.min(40)).filter(|c| *c != '_').collect();
        let lower = digits.to_ascii_lowercase();
        let value = match lower.get(..2) {
            Some("0x") => i64::from_str_radix(lower.get(2..).unwrap_or_default(), 16).ok(),
            Some("0o") => i64::from_str_radix(lower.get(2..).unwrap_or_default(), 8).ok(),
            Some("0b") => i64::from_str_radix(lower.get(2..).unwrap_or_default(), 2).ok(),
            _ => lower.parse().ok(),
        };
        self.push(Kind::Number(value), length, tokens);
    }

    fn word(&mut self, tokens: &mut Vec<Token>) {
        let is_part = |c: char| c == '_' || c.is_alphanumeric() || plain(c).is_some();
        let rest = self.rest();
        let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let word = rest.get(..length).unwrap_or_default();
        let is_quote = rest.as_bytes().get(length).is_some_and(|byte| matches!(byte, b'"' | b'\''));
        if is_quote && length <= 2 && word.chars().all(|c| "rRbBuUfFtT".contains(c)) {
            return self.string(word, tokens);
        }
        let normal: String = word.chars().map(|c| plain(c).unwrap_or(c)).collect();
        let foreign = normal != word;
        self.push(Kind::Name(normal, foreign), length, tokens);
    }

    fn string(&mut self, prefix: &str, tokens: &mut Vec<Token>) {
        let is_format = prefix.contains(['f', 'F', 't', 'T']);
        if !is_format || self.nesting >= MAX_NESTING {
            let Literal { text, length } = literal::read(self.rest(), prefix);
            return self.push(Kind::Text(text), length, tokens);
        }
        let (parts, length) = template::read(self.rest(), prefix, &mut self.vain);
        self.format(parts, length, tokens);
    }

    /// `f"a{b}c"` as `("a" + (b) + "c")`, so that what it computes is seen as any other expression.
    fn format(&mut self, parts: Vec<Part>, length: usize, tokens: &mut Vec<Token>) {
        let (start, line) = (self.at, self.line);
        self.advance(length);
        let end = self.at;
        let token = |kind: Kind| Token { kind, line, start, end };
        tokens.push(token(Kind::Operator("(")));
        for (index, part) in parts.into_iter().enumerate() {
            if index > 0 {
                tokens.push(token(Kind::Operator("+")));
            }
            match part {
                Part::Text(text) => tokens.push(token(Kind::Text(text))),
                Part::Expression(source, format) => {
                    tokens.extend(self.field(&source, &format).into_iter().map(token));
                }
            }
        }
        tokens.push(token(Kind::Operator(")")));
    }

    /// `{a}` as `(a)`, and `{a:{b}}` as `((a, (b))[0])`.
    fn field(&mut self, source: &str, format: &[String]) -> Vec<Kind> {
        let mut kinds = vec![Kind::Operator("(")];
        if format.is_empty() {
            kinds.extend(self.inner(source));
        } else {
            kinds.push(Kind::Operator("("));
            kinds.extend(self.inner(source));
            for source in format {
                kinds.extend([Kind::Operator(","), Kind::Operator("(")]);
                kinds.extend(self.inner(source));
                kinds.push(Kind::Operator(")"));
            }
            kinds.extend([")", "["].map(Kind::Operator));
            kinds.extend([Kind::Number(Some(0)), Kind::Operator("]")]);
        }
        kinds.push(Kind::Operator(")"));
        kinds
    }

    /// The tokens of an expression within an f-string.
    fn inner(&mut self, source: &str) -> Vec<Kind> {
        let nesting = self.nesting.saturating_add(1);
        let mut inner = Lexer { text: source, at: 0, line: self.line, open: 1, nesting, vain: self.vain };
        let mut found = Vec::new();
        while found.len() < MAX_TOKENS && inner.at < source.len() && inner.token(&mut found) {}
        self.vain = inner.vain;
        found.into_iter().map(|found| found.kind).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<(usize, String)> {
        let mut lexer = Lexer::new(text);
        let mut lines = Vec::new();
        while let Some(line) = lexer.next_line() {
            let words: Vec<String> = line
                .tokens
                .iter()
                .map(|token| match &token.kind {
                    Kind::Name(name, _) => name.clone(),
                    Kind::Text(text) => format!("'{text}'"),
                    Kind::Number(value) => value.map_or("?".into(), |value| value.to_string()),
                    Kind::Operator(operator) => (*operator).to_owned(),
                })
                .collect();
            lines.push((line.indent, words.join(" ")));
        }
        lines
    }

    #[test]
    fn logical_lines_have_their_indentation() {
        let lines = shown("if a:\n\tb = (1,\n 2) # c\n\n  c \\\n + 0x10\n");
        assert_eq!(lines, [(0, "if a :".into()), (8, "b = ( 1 , 2 )".into()), (2, "c + 16".into())]);
    }

    #[test]
    fn strings_of_all_kinds_are_read() {
        assert_eq!(shown(r#"x = r'\n' "\x41\n" b"""a"b""" '''c'''"#)[0].1, "x = '\\n' 'A\n' 'a\"b' 'c'");
        assert_eq!(shown(r#"f"a{b!r:>{w}}{{c" "#)[0].1, "( 'a' + ( ( b , ( w ) ) [ 0 ] ) + '{c' )");
        assert_eq!(shown("'unterminated\nx")[1].1, "x");
    }

    #[test]
    fn formats_have_expressions_too() {
        assert_eq!(shown(r#"f"{1:{a('x')}}b""#)[0].1, "( '' + ( ( 1 , ( a ( 'x' ) ) ) [ 0 ] ) + 'b' )");
        assert_eq!(shown(r#"f"{1:'>9}{a}""#)[0].1, "( '' + ( 1 ) + '' + ( a ) )");
        assert_eq!(shown(r#"f"{a["b"]}c""#)[0].1, "( '' + ( a [ 'b' ] ) + 'c' )");
        assert_eq!(shown(r#"f"{'\''}{a}" b"#)[0].1, "( '' + ( ''' ) + '' + ( a ) ) b");
        assert_eq!(shown("f'{'.x")[0].1, "( '' + ( ) ) . x");
    }

    #[test]
    fn a_carriage_return_ends_a_line_and_a_comment() {
        assert_eq!(with_plain_lines("a # b\rc\r\nd"), "a # b\nc\nd");
    }

    #[test]
    fn letters_that_python_takes_for_others_are_those() {
        assert_eq!(shown("𝓮𝔁𝓮𝓬(ｘ)")[0].1, "exec ( x )");
    }
}
