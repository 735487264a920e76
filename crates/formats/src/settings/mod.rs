//! TOML, INI and spaCy's `config.cfg`: sections, keys and values, read as the same stream of values that JSON gives.
//!
//! The three are told apart by nobody's rule but their readers'. So this reads what any of them would: a section's path
//! split at dots, a value that is a string, a number, or a list or table in TOML's or JSON's spelling. It verifies nothing.

mod inline;

use std::borrow::Cow;

use crate::budget::Budget;
use crate::child::Role;
use crate::configuration::Observers;
use crate::fact::{Anomaly, Gap};
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::json::{Event, Segment, Value};
use crate::source::{Source, read_up_to};
use crate::text::is_text;

/// Bytes of one file that are read.
const MAX_BYTES: usize = 8 << 20;
/// Steps of the path of a section or key.
const MAX_STEPS: usize = 64;
/// Bytes of one value.
const MAX_VALUE: usize = 1 << 20;
/// Marks of texts over several lines.
const FENCES: [&str; 2] = ["\"\"\"", "'''"];

static META: Meta = Meta {
    id: "settings",
    title: "TOML or INI settings",
    extensions: &["toml", "ini", "cfg", "conf"],
    depth: Depth::Surface,
    reads: "every value under its section and key, as a configuration",
    specification: "https://toml.io/en/v1.1.0",
};

/// The format.
#[derive(Debug)]
pub struct Settings;

impl Format for Settings {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        let named = META.extensions.contains(&probe.extension().as_str());
        let readable = probe.role == Role::Unknown && is_text(&probe.head);
        (named && readable && !probe.head.is_empty()).then_some(Certainty::Likely)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let bytes = read_up_to(source, 0, MAX_BYTES);
        if source.len() > bytes.len() as u64 {
            facts.incomplete(bytes.len() as u64, Gap::Limit, "longer settings than are read");
        }
        let text: Cow<'_, str> = String::from_utf8_lossy(&bytes);
        let mut observers = Observers::new(context.name);
        let stopped = walk(&text, context.budget, &mut |event| observers.event(&event, facts));
        observers.finish(facts);
        if let Some((offset, why)) = stopped {
            facts.incomplete(offset, Gap::Limit, why);
        }
        crate::yaml::search_tags(&text, context, facts);
        if let Some(nul) = text.find('\0') {
            facts.anomaly(nul as u64, Anomaly::HiddenContent, "what starts as text goes on as binary data");
        }
    }
}

/// Reads a text, calling `visit` for every value; where it stopped before the end, and why.
fn walk(text: &str, budget: &Budget, visit: &mut dyn FnMut(Event<'_>)) -> Option<(u64, String)> {
    let mut reader = Reader { text, at: 0, path: Vec::new(), section: 0, tables: 0, budget, visit };
    (reader.visit)(Event { path: &[], offset: 0, value: Value::Object });
    let stopped = reader.lines();
    reader.leave();
    (reader.visit)(Event { path: &[], offset: 0, value: Value::ObjectEnd(0) });
    stopped
}

struct Reader<'t, 'v> {
    text: &'t str,
    /// First byte that was not read.
    at: usize,
    path: Vec<Segment>,
    /// How much of the path is the section's.
    section: usize,
    /// Tables of lists of tables, to number them.
    tables: u64,
    budget: &'t Budget,
    visit: &'v mut dyn FnMut(Event<'_>),
}

impl Reader<'_, '_> {
    fn lines(&mut self) -> Option<(u64, String)> {
        loop {
            let start = self.at;
            if let Err(limit) = self.budget.operate(1) {
                return Some((start as u64, limit.to_string()));
            }
            let rest = self.text.get(start..).filter(|rest| !rest.is_empty())?;
            let line = rest.split_inclusive('\n').next().unwrap_or(rest);
            self.at = start.saturating_add(line.len());
            let trimmed = line.trim_start_matches('\u{FEFF}').trim();
            if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
                continue;
            }
            if trimmed.starts_with('[') {
                self.open(start as u64, trimmed);
            } else if let Some(too_long) = self.member(start, line) {
                return Some((start as u64, too_long));
            }
        }
    }

    /// `[a.b]`, `[[a.b]]`
    fn open(&mut self, offset: u64, line: &str) {
        self.leave();
        let is_list = line.starts_with("[[");
        let inner = line.trim_start_matches('[');
        let inner = inner.rsplit_once(']').map_or(inner, |(inner, _)| inner).trim_end_matches(']');
        self.path = steps(inner);
        if is_list {
            self.path.push(Segment::Index(self.tables));
            self.tables = self.tables.saturating_add(1);
        }
        self.section = self.path.len();
        (self.visit)(Event { path: &self.path, offset, value: Value::Object });
    }

    fn leave(&mut self) {
        self.path.truncate(self.section);
        if self.section > 0 {
            (self.visit)(Event { path: &self.path, offset: self.at as u64, value: Value::ObjectEnd(0) });
        }
        self.path.clear();
        self.section = 0;
    }

    /// `key = value`; a value may go on over the lines that follow. What is too long, in words.
    fn member(&mut self, start: usize, line: &str) -> Option<String> {
        let end = separator(line)?;
        let key = line.get(..end).unwrap_or_default();
        let after = end.saturating_add(1);
        let spaces = line.get(after..).unwrap_or_default();
        let indent = spaces.len().saturating_sub(spaces.trim_start_matches([' ', '\t']).len());
        let value = start.saturating_add(after).saturating_add(indent);
        let rest = self.text.get(value..).unwrap_or_default();
        let length = length_of(rest);
        if length > MAX_VALUE {
            return Some(format!("a value of more than {MAX_VALUE} bytes"));
        }
        let written = rest.get(..length).unwrap_or_default();
        self.at = self.at.max(value.saturating_add(length));
        self.path.truncate(self.section);
        self.path.extend(steps(key));
        self.path.truncate(MAX_STEPS.saturating_mul(2));
        inline::read(written, value as u64, &mut self.path, self.budget, self.visit).err()
    }
}

/// The `=` or `:` between key and value, outside quotes.
fn separator(line: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (None, '=' | ':') => return Some(at),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    line.find('=')
}

/// How many bytes belong to a value: to the end of its line, of its fence or of its brackets.
fn length_of(rest: &str) -> usize {
    let line = || rest.find('\n').unwrap_or(rest.len());
    if let Some(fence) = FENCES.iter().find(|fence| rest.starts_with(**fence)) {
        let end = rest.get(3..).and_then(|inner| inner.find(*fence)).map(|end| end.saturating_add(6));
        return end.unwrap_or_else(line);
    }
    if rest.starts_with(['[', '{']) { brackets(rest).unwrap_or_else(line) } else { line() }
}

/// The end of balanced brackets, outside strings and comments.
fn brackets(rest: &str) -> Option<usize> {
    let (mut depth, mut quote, mut escaped, mut comment) = (0usize, None, false, false);
    for (at, c) in rest.char_indices() {
        if comment {
            comment = c != '\n';
            continue;
        }
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some('"'), '\\') => escaped = true,
            (Some(open), c) => quote = (open != c).then_some(open),
            (None, '"' | '\'') => quote = Some(c),
            (None, '#') => comment = true,
            (None, '[' | '{') => depth = depth.saturating_add(1),
            (None, ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && quote.is_none() {
            return Some(at.saturating_add(c.len_utf8()));
        }
        if at > MAX_VALUE {
            return Some(at);
        }
    }
    None
}

/// The steps of a dotted path, without their quotes.
fn steps(path: &str) -> Vec<Segment> {
    let mut steps = vec![String::new()];
    let mut quote = None;
    for c in path.trim().chars() {
        match (quote, c) {
            (None, '.') if steps.len() < MAX_STEPS => steps.push(String::new()),
            (None, '"' | '\'') => quote = Some(c),
            (None, c) if c.is_whitespace() => {}
            (Some(open), c) if open == c => quote = None,
            _ => steps.last_mut().into_iter().for_each(|step| step.push(c)),
        }
    }
    steps.into_iter().map(Segment::Key).collect()
}

#[cfg(test)]
mod tests;
