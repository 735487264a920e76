//! Plain text: what is left when bytes are nothing else and can be read by people.

use crate::child::Role;
use crate::fact::{Anomaly, Gap};
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::source::{Source, read_up_to};

/// How much is read at once.
const CHUNK: usize = 64 * 1024;

static META: Meta = Meta {
    id: "text",
    title: "plain text",
    extensions: &["txt", "md", "csv", "tsv", "jsonl", "yaml", "yml", "toml", "ini", "cfg", "rst", "log", "vocab"],
    depth: Depth::Surface,
    reads: "that it is text to its end",
    specification: "RFC 3629",
};

/// The format.
#[derive(Debug)]
pub struct Text;

impl Format for Text {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        (probe.role != Role::Numbers && is_text(&probe.head)).then_some(Certainty::Possible)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let mut at = 0u64;
        loop {
            let bytes = read_up_to(source, at, CHUNK);
            if let Err(limit) = context.budget.operate(1) {
                return facts.incomplete(at, Gap::Limit, limit.to_string());
            }
            if let Some(index) = bytes.iter().position(|byte| *byte == 0) {
                let offset = at.saturating_add(index as u64);
                return facts.anomaly(offset, Anomaly::HiddenContent, "what starts as text goes on as binary data");
            }
            at = at.saturating_add(bytes.len() as u64);
            if bytes.is_empty() {
                break;
            }
        }
        if at < source.len() {
            facts.incomplete(at, Gap::Unreadable, "the bytes could not be read");
        }
    }
}

/// Whether the start of an artifact is text: UTF-8 (perhaps cut at its end), no NUL, hardly any control characters.
#[must_use]
pub fn is_text(head: &[u8]) -> bool {
    let valid = match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && head.len().saturating_sub(error.valid_up_to()) < 4,
    };
    let is_control = |byte: &&u8| **byte < 0x20 && !matches!(**byte, b'\t' | b'\n' | b'\r' | 0x0C | 0x1B);
    let controls = head.iter().filter(is_control).count();
    valid && !head.contains(&0) && controls.saturating_mul(100) <= head.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{inspect, mutate, oddities};

    #[test]
    fn text_is_told_from_numbers() {
        assert!(is_text("grüße\n".as_bytes()));
        assert!(is_text(&"grüße".as_bytes()[..3]));
        assert!(is_text(b""));
        assert!(!is_text(b"a\0b"));
        assert!(!is_text(&[0x80, 0x04, 0x95, 0x01, 0x02]));
        assert!(!is_text(b"\x01\x02\x03abc"));
    }

    #[test]
    fn binary_data_behind_text_are_found() {
        let mut bytes = vec![b'a'; CHUNK + 10];
        assert_eq!(oddities(&inspect(&Text, "a.txt", &bytes)), Vec::<String>::new());
        bytes.push(0);
        assert_eq!(oddities(&inspect(&Text, "a.txt", &bytes)), [format!("HiddenContent@{}", CHUNK + 10)]);
    }

    #[test]
    fn no_mutation_panics() {
        mutate(b"some text\nand more", 1000, |bytes| drop((is_text(&bytes), inspect(&Text, "", &bytes))));
    }
}
