//! Whether the keys of the tokenizer agree: a loader that takes one's length for another's reads past an end.

use super::metadata::{STRING, Value};
use crate::fact::Anomaly;
use crate::facts::Facts;

/// Tokens that a model was given after its vocabulary was counted: ids a little past its end are honest.
const MAX_ADDED: u64 = 1 << 16;

const U32: u32 = 4;
const I32: u32 = 5;
const F32: u32 = 6;

/// What is known of the tokenizer so far.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    tokens: Option<u64>,
    /// Arrays with an item for each token: where, the key, and how many there are.
    beside: Vec<(u64, &'static str, u64)>,
    /// Ids of tokens: where, the key and the id.
    ids: Vec<(u64, String, u64)>,
}

impl Vocabulary {
    /// Takes a pair down, and says when its type is not the one that every loader reads there.
    pub(super) fn pair(&mut self, at: u64, key: &str, value: &Value, facts: &mut Facts) {
        let right = match key {
            "general.architecture" | "general.name" | "tokenizer.ggml.model" | "tokenizer.ggml.pre" => {
                value.kind == STRING
            }
            "tokenizer.ggml.tokens" | "tokenizer.ggml.merges" => value.holds(&[STRING]),
            "tokenizer.ggml.scores" => value.holds(&[F32]),
            "tokenizer.ggml.token_type" => value.holds(&[I32, U32]),
            _ if key == "tokenizer.chat_template" || key.starts_with("tokenizer.chat_template.") => {
                value.kind == STRING
            }
            _ if is_id(key) => matches!(value.kind, 0..=5 | 10 | 11),
            _ => true,
        };
        if !right {
            facts.anomaly(at, Anomaly::Malformed, format!("`{key}` is not of the type that loaders read there"));
        }
        let count = value.items.map(|(_, count)| count);
        match (key, count, value.number) {
            ("tokenizer.ggml.tokens", Some(count), _) => self.tokens = Some(count),
            ("tokenizer.ggml.scores", Some(count), _) => self.beside.push((at, "scores", count)),
            ("tokenizer.ggml.token_type", Some(count), _) => self.beside.push((at, "types", count)),
            (_, _, Some(id)) if is_id(key) => self.ids.push((at, key.to_owned(), id)),
            _ => {}
        }
    }

    /// Compares what was taken down.
    pub(super) fn report(&self, facts: &mut Facts) {
        let Some(tokens) = self.tokens else { return };
        for (at, what, count) in self.beside.iter().filter(|(.., count)| *count < tokens) {
            let detail = format!("there are {tokens} tokens and {what} for {count} of them");
            facts.anomaly(*at, Anomaly::SizeMismatch, detail);
        }
        // All ones is how minus one, "none", is written.
        let none = u64::from(u32::MAX);
        for (at, key, id) in self.ids.iter().filter(|(.., id)| *id >= tokens.saturating_add(MAX_ADDED) && *id < none) {
            let detail = format!("`{key}` is {id}, but there are {tokens} tokens");
            facts.anomaly(*at, Anomaly::SizeMismatch, detail);
        }
    }
}

fn is_id(key: &str) -> bool {
    key.starts_with("tokenizer.ggml.") && key.ends_with("_token_id")
}
