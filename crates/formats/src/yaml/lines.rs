//! What a parser that gave up would have missed: tags and members of the lines that follow, without their structure.

use super::Visit;
use crate::budget::Budget;
use crate::json::{Event, Segment, Value};

/// Characters of one line that are looked at.
const MAX_LINE: usize = 4096;

/// Shows every tag and every `key: value` from a byte on, a line each.
pub(super) fn search(text: &str, start: usize, base: u64, budget: &Budget, visit: &mut Visit<'_>) {
    let mut at = floor(text, start);
    for line in text.get(at..).unwrap_or_default().split_inclusive('\n') {
        if budget.operate(1).is_err() {
            return;
        }
        let offset = base.saturating_add(at as u64);
        at = at.saturating_add(line.len());
        let line = line.get(..floor(line, MAX_LINE)).unwrap_or(line).trim();
        if !line.starts_with('#') {
            show(line, offset, visit);
        }
    }
}

/// The start of the line in which a byte is, at a boundary of characters.
fn floor(text: &str, most: usize) -> usize {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    end
}

fn show(line: &str, offset: u64, visit: &mut Visit<'_>) {
    let line = line.trim_start_matches("- ");
    let (key, value) = line.split_once(": ").map_or(("", line), |(key, value)| (unquoted(key), unquoted(value)));
    let path = [Segment::Key(key.to_owned())];
    let event = Event { path: &path, offset, value: Value::Text(value) };
    let tags: Vec<&str> = line.split([' ', ',', '[', '{', '"', '\'']).filter(|word| word.starts_with('!')).collect();
    for tag in &tags {
        let tag = tag.strip_prefix("!<").map_or(*tag, |tag| tag.trim_end_matches('>'));
        let long = tag.strip_prefix("!!").map(|rest| format!("tag:yaml.org,2002:{rest}"));
        visit(Some(long.as_deref().unwrap_or(tag)), &event);
    }
    if tags.is_empty() && !key.is_empty() {
        visit(None, &event);
    }
}

fn unquoted(text: &str) -> &str {
    text.trim().trim_matches(['"', '\''])
}
