//! One value of a setting: a string, a number, or a list or table in TOML's or JSON's spelling.

use super::{FENCES, MAX_STEPS, steps};
use crate::budget::Budget;
use crate::json::{Event, Segment, Value};

/// Lists and tables within each other.
const MAX_DEPTH: usize = 128;

/// A piece of a value.
#[derive(Debug, PartialEq, Eq)]
enum Token {
    Open(bool),
    Close,
    Text(String),
    Word(String),
    Separator,
    Comma,
}

/// An open list or table, and how long the path was before it.
struct Frame {
    is_table: bool,
    members: u64,
    base: usize,
    has_key: bool,
}

/// Shows a value at its path, and what it contains. What is wrong with it, in words.
pub(super) fn read(
    text: &str,
    offset: u64,
    path: &mut Vec<Segment>,
    budget: &Budget,
    visit: &mut dyn FnMut(Event<'_>),
) -> Result<(), String> {
    let is_container = text.starts_with(['[', '{']);
    let is_fenced = FENCES.iter().any(|fence| text.starts_with(fence));
    if !is_container {
        let text = if is_fenced { text.trim_matches(['"', '\'']).to_owned() } else { plain(text) };
        let value = if is_fenced { Value::Text(&text) } else { scalar(&text) };
        visit(Event { path, offset, value });
        return Ok(());
    }
    let mut frames: Vec<Frame> = Vec::new();
    let mut rest = text;
    while let Some((token, length)) = next(rest) {
        let at = offset.saturating_add(text.len().saturating_sub(rest.len()) as u64);
        rest = rest.get(length..).unwrap_or_default();
        budget.operate(1).map_err(|limit| limit.to_string())?;
        step(token, at, path, &mut frames, visit)?;
    }
    while let Some(frame) = frames.pop() {
        path.truncate(frame.base);
        close(&frame, offset, path, visit);
    }
    Ok(())
}

fn step(
    token: Token,
    offset: u64,
    path: &mut Vec<Segment>,
    frames: &mut Vec<Frame>,
    visit: &mut dyn FnMut(Event<'_>),
) -> Result<(), String> {
    match token {
        Token::Open(is_table) => {
            if frames.len() >= MAX_DEPTH {
                return Err(format!("more than {MAX_DEPTH} levels of nesting"));
            }
            place(path, frames);
            visit(Event { path, offset, value: if is_table { Value::Object } else { Value::Array } });
            frames.push(Frame { is_table, members: 0, base: path.len(), has_key: false });
        }
        Token::Close => {
            if let Some(frame) = frames.pop() {
                path.truncate(frame.base);
                close(&frame, offset, path, visit);
            }
        }
        Token::Comma => {
            if let Some(frame) = frames.last_mut() {
                frame.members = frame.members.saturating_add(1);
                frame.has_key = false;
                path.truncate(frame.base);
            }
        }
        Token::Separator => {}
        Token::Text(text) | Token::Word(text) if awaits_key(frames) => key(&text, path, frames),
        Token::Text(text) => {
            place(path, frames);
            visit(Event { path, offset, value: Value::Text(&text) });
        }
        Token::Word(text) => {
            place(path, frames);
            visit(Event { path, offset, value: scalar(&text) });
        }
    }
    Ok(())
}

fn awaits_key(frames: &[Frame]) -> bool {
    frames.last().is_some_and(|frame| frame.is_table && !frame.has_key)
}

fn key(text: &str, path: &mut Vec<Segment>, frames: &mut [Frame]) {
    let Some(frame) = frames.last_mut() else { return };
    frame.has_key = true;
    path.truncate(frame.base);
    path.extend(steps(text).into_iter().take(MAX_STEPS));
}

/// Items of a list are numbered; members of a table have been named by their key.
fn place(path: &mut Vec<Segment>, frames: &[Frame]) {
    if let Some(frame) = frames.last().filter(|frame| !frame.is_table) {
        path.truncate(frame.base);
        path.push(Segment::Index(frame.members));
    }
}

fn close(frame: &Frame, offset: u64, path: &[Segment], visit: &mut dyn FnMut(Event<'_>)) {
    let members = frame.members;
    let value = if frame.is_table { Value::ObjectEnd(members) } else { Value::ArrayEnd(members) };
    visit(Event { path, offset, value });
}

/// The next piece and its length, with the space before it.
fn next(rest: &str) -> Option<(Token, usize)> {
    let trimmed = rest.trim_start();
    let skipped = rest.len().saturating_sub(trimmed.len());
    let first = trimmed.chars().next()?;
    let one = |token| Some((token, skipped.saturating_add(1)));
    match first {
        '[' => one(Token::Open(false)),
        '{' => one(Token::Open(true)),
        ']' | '}' => one(Token::Close),
        ',' => one(Token::Comma),
        '=' | ':' => one(Token::Separator),
        '#' => Some((Token::Separator, skipped.saturating_add(trimmed.find('\n').unwrap_or(trimmed.len())))),
        '"' | '\'' => {
            let length = quoted(trimmed, first);
            let inner = trimmed.get(1..length.saturating_sub(1)).unwrap_or_default();
            let text = if first == '"' { unescaped(inner) } else { inner.to_owned() };
            Some((Token::Text(text), skipped.saturating_add(length)))
        }
        _ => {
            let length = trimmed.find([',', '=', ':', ']', '}', '[', '{', '\n', '#']).unwrap_or(trimmed.len()).max(1);
            Some((Token::Word(trimmed.get(..length)?.trim_end().to_owned()), skipped.saturating_add(length)))
        }
    }
}

/// The length of a quoted text with its quotes.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            c if c == quote => return at.saturating_add(1),
            _ => {}
        }
    }
    text.len()
}

/// A value on its line: without its quotes, or without the comment behind it.
fn plain(text: &str) -> String {
    let text = text.trim();
    match text.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            let length = quoted(text, quote);
            let inner = text.get(1..length.saturating_sub(1)).unwrap_or_default();
            if quote == '"' { unescaped(inner) } else { inner.to_owned() }
        }
        _ => text.split(" #").next().unwrap_or_default().trim_end().to_owned(),
    }
}

fn scalar(text: &str) -> Value<'_> {
    match text {
        "true" | "True" => Value::Bool(true),
        "false" | "False" => Value::Bool(false),
        "null" | "" => Value::Null,
        _ if text.len() < 64 && text.parse::<f64>().is_ok() => Value::Number(text),
        _ => Value::Text(text),
    }
}

/// Escapes of TOML and JSON.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let digits = match characters.next() {
            Some('n') => Err('\n'),
            Some('t') => Err('\t'),
            Some('x') => Ok(2),
            Some('u') => Ok(4),
            Some('U') => Ok(8),
            Some(other) => Err(other),
            None => continue,
        };
        match digits {
            Err(plain) => out.push(plain),
            Ok(count) => {
                let hex: String = characters.by_ref().take(count).collect();
                let code = u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32);
                out.push(code.unwrap_or(char::REPLACEMENT_CHARACTER));
            }
        }
    }
    out
}
