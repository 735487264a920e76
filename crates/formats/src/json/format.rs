//! JSON that is nothing more particular. Read as a model's configuration all the same: a name decides nothing.

use crate::child::Role;
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::huggingface::inspect_json;
use crate::source::Source;

static META: Meta = Meta {
    id: "json",
    title: "JSON or JSON Lines",
    extensions: &["json", "jsonl", "ndjson", "ipynb"],
    depth: Depth::Surface,
    reads: "every value, as a model's configuration would be: whatever the name, a loader can be pointed at it",
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
        // The few bytes of a storage that are looked at are JSON by chance, and no loader reads them so.
        let likely = looks_like_json(&probe.head).filter(|_| probe.role != Role::Numbers)?;
        let named = META.extensions.contains(&probe.extension().as_str());
        Some(if named || likely { Certainty::Likely } else { Certainty::Possible })
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        inspect_json(source, context, true, facts);
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
    fn numbers_are_not_json_by_chance() {
        let bytes = b"[f\x01\x02".to_vec();
        assert_eq!(Json.recognise(&Probe::new(&bytes, "228", Role::Numbers)), None);
        assert_eq!(Json.recognise(&Probe::new(&bytes, "228", Role::Unknown)), Some(Certainty::Possible));
    }

    #[test]
    fn json_is_told_from_its_first_bytes() {
        assert_eq!(looks_like_json(b" {\n\"a\""), Some(true));
        assert_eq!(looks_like_json(b"[1,2]"), Some(true));
        assert_eq!(looks_like_json(b"{% if x %}"), None);
        assert_eq!(looks_like_json(b"{x}"), None);
        assert_eq!(looks_like_json(b"text"), None);
    }
}
