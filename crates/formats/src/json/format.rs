//! JSON that is nothing more particular. Read as a model's configuration all the same: a name decides nothing.

use crate::child::Role;
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::huggingface::inspect_json;
use crate::notebook::is_notebook;
use crate::source::Source;

static META: Meta = Meta {
    id: "json",
    title: "JSON or JSON Lines",
    extensions: &["json", "jsonl", "ndjson"],
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
        let likely = looks_like_json(&probe.head).filter(|_| probe.role != Role::Numbers && !is_notebook(probe))?;
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
    let head = head.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(head).trim_ascii_start();
    let mut rest = head;
    // TOML and INI open their tables with brackets too, so what is inside them decides.
    while let Some(inside) = rest.strip_prefix(b"[") {
        rest = inside.trim_ascii_start();
    }
    let is_list = rest.len() < head.len();
    match rest.first()? {
        b'{' => matches!(rest.get(1..)?.trim_ascii_start().first(), Some(b'"' | b'}')).then_some(true),
        b'"' | b']' if is_list => Some(true),
        b'-' | b'0'..=b'9' if is_list => starts_with_number(rest).then_some(true),
        b't' | b'f' | b'n' | b'N' if is_list => starts_with_word(rest).then_some(false),
        _ => None,
    }
}

fn starts_with_number(rest: &[u8]) -> bool {
    let end = rest.iter().position(|byte| b",] \t\r\n".contains(byte)).unwrap_or(rest.len());
    let number = rest.get(..end).and_then(|number| std::str::from_utf8(number).ok());
    number.is_some_and(|number| number.parse::<f64>().is_ok())
}

fn starts_with_word(rest: &[u8]) -> bool {
    [&b"true"[..], b"false", b"null", b"NaN"].iter().any(|word| rest.starts_with(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_not_json_by_chance() {
        let bytes = b"[f\x01\x02".to_vec();
        assert_eq!(Json.recognise(&Probe::new(&bytes, "228", Role::Numbers)), None);
        assert_eq!(Json.recognise(&Probe::new(&bytes, "228", Role::Unknown)), None);
    }

    #[test]
    fn json_is_told_from_its_first_bytes() {
        assert_eq!(looks_like_json(b" {\n\"a\""), Some(true));
        assert_eq!(looks_like_json(b"[1,2]"), Some(true));
        assert_eq!(looks_like_json(b"{% if x %}"), None);
        assert_eq!(looks_like_json(b"{x}"), None);
        assert_eq!(looks_like_json(b"[[table]]"), None);
        assert_eq!(looks_like_json(b"[section]"), None);
        assert_eq!(looks_like_json(b"[1.2.3] - a changelog"), None);
        assert_eq!(looks_like_json(b"[[1.5, 2], [3]]"), Some(true));
        assert_eq!(looks_like_json(b"[null]"), Some(false));
        assert_eq!(looks_like_json(b"text"), None);
    }
}
