//! JSON that is nothing more particular.

use super::{Outcome, Value, walk};
use crate::fact::{FactKind, Position};
use crate::facts::{Facts, MAX_TEXT, shorten};
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::source::Source;

static META: Meta = Meta {
    id: "json",
    title: "JSON",
    extensions: &["json"],
    depth: Depth::Surface,
    reads: "every value, for its structure: duplicate keys, what only lax readers accept, what follows the value",
    specification: "RFC 8259",
};

/// The format.
#[derive(Debug)]
pub struct Json;

impl Format for Json {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        let likely = looks_like_json(&probe.head)?;
        if probe.extension() == "json" || likely { Some(Certainty::Likely) } else { Some(Certainty::Possible) }
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let mut kept = Vec::new();
        let outcome: Outcome = walk(source, 0, u64::MAX, context.budget, &mut |event| {
            if kept.len() >= 200 || event.path.len() != 1 {
                return;
            }
            if let (Some(key), Some(value)) = (event.key(), plain(event.value)) {
                kept.push((event.offset, shorten(key.to_owned(), 200), value));
            }
        });
        for (offset, key, value) in kept {
            facts.push(Position::Offset(offset), FactKind::Metadata { key, value });
        }
        outcome.report(facts);
    }
}

/// A value that is one, as text.
fn plain(value: Value<'_>) -> Option<String> {
    match value {
        Value::Text(text) => Some(shorten(text.chars().take(MAX_TEXT).collect(), MAX_TEXT)),
        Value::Number(text) => Some(text.to_owned()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// Whether bytes start as a JSON object or array does; surely (a key and a colon) or perhaps.
#[must_use]
pub(crate) fn looks_like_json(head: &[u8]) -> Option<bool> {
    let head = head.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(head);
    let mut rest = head.trim_ascii_start().iter().copied();
    let opening = rest.next().filter(|byte| matches!(byte, b'{' | b'['))?;
    let next = rest.find(|byte| !byte.is_ascii_whitespace());
    match (opening, next) {
        (b'{', Some(b'"' | b'}')) => Some(true),
        (b'[', Some(b'{' | b'[' | b']' | b'"' | b'-' | b'0'..=b'9')) => Some(true),
        (b'[', Some(b't' | b'f' | b'n' | b'N')) => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_told_from_its_first_bytes() {
        assert_eq!(looks_like_json(b" {\n\"a\""), Some(true));
        assert_eq!(looks_like_json(b"[1,2]"), Some(true));
        assert_eq!(looks_like_json(b"{% if x %}"), None);
        assert_eq!(looks_like_json(b"{x}"), None);
        assert_eq!(looks_like_json(b"text"), None);
    }
}
