//! JSON that is nothing more particular. Read as a model's configuration all the same: a name decides nothing.

use crate::child::Role;
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::huggingface::{HuggingFaceConfig, inspect_json};
use crate::notebook::is_notebook;
use crate::source::{Source, read_up_to};

/// White space in front of a value that is passed over to see what the value is.
const MAX_SPACE: u64 = 16 << 20;
/// Bytes read at once.
const CHUNK: usize = 64 << 10;
/// Brackets that open one in the other, and nothing else: too deep to be read, and JSON for whoever tries.
const DEEP: usize = 32;

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
        let likely = is_json(probe).filter(|_| probe.role != Role::Numbers && !is_notebook(probe))?;
        // What is read as a configuration with a name of its own need not be read so a second time.
        if HuggingFaceConfig.recognise(probe).is_some() {
            return None;
        }
        let named = META.extensions.contains(&probe.extension().as_str());
        Some(if named || likely { Certainty::Likely } else { Certainty::Possible })
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        inspect_json(source, context, true, facts);
    }
}

/// As [`looks_like_json`], whatever white space stands in front.
pub(crate) fn is_json(probe: &Probe<'_>) -> Option<bool> {
    let head = probe.head.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(&probe.head);
    if head.is_empty() || !head.iter().all(u8::is_ascii_whitespace) {
        return looks_like_json(&probe.head);
    }
    let mut at = probe.head.len() as u64;
    while at < MAX_SPACE {
        let bytes = read_up_to(probe.source, at, CHUNK);
        if bytes.is_empty() {
            return None;
        }
        match bytes.iter().position(|byte| !byte.is_ascii_whitespace()) {
            Some(first) => return looks_like_json(&read_up_to(probe.source, at.saturating_add(first as u64), CHUNK)),
            None => at = at.saturating_add(bytes.len() as u64),
        }
    }
    None
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
    if rest.is_empty() && head.iter().filter(|byte| **byte == b'[').count() > DEEP {
        return Some(true);
    }
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
    fn a_configuration_is_read_once() {
        let bytes = br#"{"architectures": ["Bert"]}"#.to_vec();
        for name in ["config.json", "any.json"] {
            let probe = Probe::new(&bytes, name, Role::Unknown);
            assert!(HuggingFaceConfig.recognise(&probe).is_some() && Json.recognise(&probe).is_none(), "{name}");
        }
        let other = br#"{"a": 1}"#.to_vec();
        assert!(Json.recognise(&Probe::new(&other, "any.json", Role::Unknown)).is_some());
    }

    #[test]
    fn neither_depth_nor_white_space_hides_json() {
        let deep = "[".repeat(5000).into_bytes();
        assert_eq!(is_json(&Probe::new(&deep, "a", Role::Unknown)), Some(true));
        let spaced = format!("{}{{\"a\": 1}}", " \n".repeat(200_000)).into_bytes();
        assert_eq!(is_json(&Probe::new(&spaced, "a", Role::Unknown)), Some(true));
        assert_eq!(is_json(&Probe::new(&b"   ".to_vec(), "a", Role::Unknown)), None);
        assert_eq!(looks_like_json(b"[["), None);
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
