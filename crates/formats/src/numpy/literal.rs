//! The literals of Python that a NumPy header may be made of; nothing is evaluated.

/// Containers within containers.
const MAX_DEPTH: u32 = 24;

/// A literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Literal {
    Text(String),
    Number(u64),
    /// A number below zero, too large, or with a fraction: nothing that a header needs.
    OtherNumber,
    Truth(bool),
    None,
    Tuple(Vec<Literal>),
    List(Vec<Literal>),
    Dict(Vec<(Literal, Literal)>),
}

/// Why a text is no literal: where, and what is wrong.
pub(super) type Fault = (usize, &'static str);

/// Reads one literal that is the whole text but for white space.
pub(super) fn parse(text: &str) -> Result<Literal, Fault> {
    let mut parser = Parser { text, at: 0 };
    parser.space();
    let literal = parser.literal(MAX_DEPTH)?;
    parser.space();
    if parser.rest().is_empty() { Ok(literal) } else { Err((parser.at, "there is more after the header's dictionary")) }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn advance(&mut self, count: usize) {
        self.at = self.at.saturating_add(count);
    }

    fn space(&mut self) {
        let rest = self.rest();
        let trimmed = rest.trim_start_matches([' ', '\t', '\n', '\r', '\x0c']);
        self.advance(rest.len().saturating_sub(trimmed.len()));
    }

    fn skip(&mut self, wanted: &str) -> bool {
        let found = self.rest().starts_with(wanted);
        if found {
            self.advance(wanted.len());
        }
        found
    }

    fn fault<T>(&self, what: &'static str) -> Result<T, Fault> {
        Err((self.at, what))
    }

    fn literal(&mut self, depth: u32) -> Result<Literal, Fault> {
        let Some(depth) = depth.checked_sub(1) else { return self.fault("too many levels of nesting") };
        match self.rest().chars().next() {
            Some('{') => self.dict(depth),
            Some('(') => self.tuple(depth),
            Some('[') => {
                self.advance(1);
                Ok(Literal::List(self.items("]", depth)?.0))
            }
            Some('\'' | '"') => self.string(),
            Some('0'..='9' | '-' | '+' | '.') => self.number(),
            Some(_) => self.word(),
            None => self.fault("the header ends within a value"),
        }
    }

    /// A word that is a literal. A name or a call is none.
    fn word(&mut self) -> Result<Literal, Fault> {
        let word: String = self.rest().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let literal = match word.as_str() {
            "True" => Literal::Truth(true),
            "False" => Literal::Truth(false),
            "None" => Literal::None,
            "u" | "U" if self.rest().get(1..).is_some_and(|rest| rest.starts_with(['\'', '"'])) => {
                self.advance(1);
                return self.string();
            }
            _ => return self.fault("something that is not a literal"),
        };
        self.advance(word.len());
        Ok(literal)
    }

    /// Items up to the closing bracket, and whether a comma stood behind the last.
    fn items(&mut self, closing: &str, depth: u32) -> Result<(Vec<Literal>, bool), Fault> {
        let (mut items, mut comma) = (Vec::new(), false);
        loop {
            self.space();
            if self.skip(closing) {
                return Ok((items, comma));
            }
            if !items.is_empty() && !comma {
                return self.fault("a comma or closing bracket is missing");
            }
            items.push(self.literal(depth)?);
            self.space();
            comma = self.skip(",");
        }
    }

    fn tuple(&mut self, depth: u32) -> Result<Literal, Fault> {
        self.advance(1);
        let (mut items, comma) = self.items(")", depth)?;
        match (items.len(), comma) {
            (1, false) => items.pop().map_or_else(|| self.fault("an empty bracket"), Ok),
            _ => Ok(Literal::Tuple(items)),
        }
    }

    fn dict(&mut self, depth: u32) -> Result<Literal, Fault> {
        self.advance(1);
        let (mut pairs, mut comma) = (Vec::new(), true);
        loop {
            self.space();
            if self.skip("}") {
                return Ok(Literal::Dict(pairs));
            }
            if !comma {
                return self.fault("a comma or closing brace is missing");
            }
            let key = self.literal(depth)?;
            self.space();
            if !self.skip(":") {
                return self.fault("a colon is missing");
            }
            self.space();
            pairs.push((key, self.literal(depth)?));
            self.space();
            comma = self.skip(",");
        }
    }

    /// A number; Python 2 wrote an `L` behind long ones.
    fn number(&mut self) -> Result<Literal, Fault> {
        let digits: String = self.rest().chars().take_while(char::is_ascii_digit).collect();
        self.advance(digits.len());
        self.skip("L");
        let follows = self.rest().chars().next();
        if digits.is_empty() || follows.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '+' | '-')) {
            let odd = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '+' | '-');
            let length = self.rest().chars().take_while(odd).count();
            self.advance(length);
            return if length == 0 { self.fault("not a number") } else { Ok(Literal::OtherNumber) };
        }
        Ok(digits.parse().map_or(Literal::OtherNumber, Literal::Number))
    }

    fn string(&mut self) -> Result<Literal, Fault> {
        let rest = self.rest();
        let quote = rest.chars().next().unwrap_or('\'');
        let (mut out, mut chars) = (String::new(), rest.char_indices().skip(1));
        while let Some((at, c)) = chars.next() {
            match c {
                _ if c == quote => {
                    self.advance(at.saturating_add(1));
                    return Ok(Literal::Text(out));
                }
                '\\' => match chars.next() {
                    Some((_, 'n')) => out.push('\n'),
                    Some((_, plain @ ('\\' | '\'' | '"'))) => out.push(plain),
                    // Field names only: what they are called does not matter, so other escapes stay as written.
                    Some((_, other)) => out.extend(['\\', other]),
                    None => break,
                },
                '\n' | '\0' => break,
                _ => out.push(c),
            }
        }
        self.fault("a string has no end")
    }
}
