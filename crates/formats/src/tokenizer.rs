//! Tokenizers whose tables change the text itself: what people write on its way in, or what the model says on its way out.
//!
//! Ordinary tables replace spaces, marks, quotes and bytes. Reported is what replaces words, digits or addresses.

use std::collections::BTreeMap;

use crate::configuration::Observer;
use crate::fact::Anomaly;
use crate::facts::{Facts, shorten};
use crate::json::{Event, Segment, Value};

/// Ids that are compared with each other; the largest vocabularies have some 300 000.
const MAX_IDS: usize = 1 << 22;
/// Ids in one word of a set.
const BITS: usize = 64;
/// Letters from which on a text is a word.
const WORD: usize = 3;
/// Added tokens that are compared with each other, and characters kept of each.
const MAX_TOKENS: usize = 20_000;
const MAX_TOKEN: usize = 100;
/// Things reported of one tokenizer.
const MAX_REPORTED: usize = 50;

/// Looks at a file of this name.
pub(crate) fn observer(name: &str) -> Box<dyn Observer> {
    let file = name.rsplit(['/', '\\', '!']).next().unwrap_or_default().to_owned();
    Box::new(Tokenizer { file, ..Tokenizer::default() })
}

/// A rule that replaces text, as far as it is read.
#[derive(Debug, Default)]
struct Replace {
    depth: usize,
    is_replace: bool,
    pattern: Option<String>,
    is_regex: bool,
    content: Option<String>,
}

#[derive(Debug, Default)]
struct Tokenizer {
    file: String,
    rules: Vec<Replace>,
    /// Ids of words, one bit each.
    words: Vec<u64>,
    /// Tokens that were added, by their ids, and the one that is being read.
    tokens: BTreeMap<u64, String>,
    token: (Option<u64>, Option<String>),
    reported: usize,
}

impl Observer for Tokenizer {
    fn event(&mut self, event: &Event<'_>, facts: &mut Facts) {
        match event.key_at(0) {
            Some("normalizer" | "decoder" | "pre_tokenizer") => self.step(event, facts),
            Some("added_tokens") if event.path.len() <= 3 => self.token(event, facts),
            Some("added_tokens_decoder") if event.key() == Some("content") => self.added(event, facts),
            Some("model") if event.key_at(1) == Some("vocab") && event.path.len() == 3 => self.word(event, facts),
            Some(_) if event.path.len() == 1 && matches!(self.file.as_str(), "vocab.json" | "added_tokens.json") => {
                self.word(event, facts);
            }
            _ => {}
        }
    }
}

impl Tokenizer {
    fn report(&mut self, offset: u64, detail: &str, facts: &mut Facts) {
        self.reported = self.reported.saturating_add(1);
        if self.reported <= MAX_REPORTED {
            facts.anomaly(offset, Anomaly::TextRemapping, shorten(detail.to_owned(), 400));
        }
    }

    /// A part of the way that text takes in or out.
    fn step(&mut self, event: &Event<'_>, facts: &mut Facts) {
        let depth = event.path.len();
        match event.value {
            Value::Object if !matches!(event.key(), Some("pattern")) => {
                self.rules.push(Replace { depth, ..Replace::default() });
            }
            Value::ObjectEnd(_) if self.rules.last().is_some_and(|rule| rule.depth == depth) => {
                if let Some(rule) = self.rules.pop() {
                    self.judge(&rule, event.offset, facts);
                }
            }
            Value::Text(text) => self.field(event.path, text),
            _ => {}
        }
    }

    fn field(&mut self, path: &[Segment], text: &str) {
        let Some(rule) = self.rules.last_mut() else { return };
        let key = path.get(rule.depth).and_then(Segment::key);
        let inner = path.get(rule.depth.saturating_add(1)).and_then(Segment::key);
        match (key, inner) {
            (Some("type"), None) => rule.is_replace = matches!(text, "Replace" | "Prepend"),
            (Some("pattern"), kind) => {
                rule.is_regex = kind == Some("Regex");
                rule.pattern = Some(text.to_owned());
            }
            (Some("content" | "prepend"), None) => rule.content = Some(text.to_owned()),
            _ => {}
        }
    }

    fn judge(&mut self, rule: &Replace, offset: u64, facts: &mut Facts) {
        let (pattern, content) =
            (rule.pattern.as_deref().unwrap_or_default(), rule.content.as_deref().unwrap_or_default());
        if rule.is_replace && changes_words(pattern, rule.is_regex, content) {
            let shown = |text: &str| shorten(text.chars().take(81).collect(), 80);
            let detail = format!("'{}' becomes '{}'", shown(pattern), shown(content));
            self.report(offset, &detail, facts);
        }
    }

    /// A token that is added to the vocabulary stands for its text as a whole.
    fn added(&mut self, event: &Event<'_>, facts: &mut Facts) {
        let Value::Text(text) = event.value else { return };
        if is_address(text) || is_code(text) {
            let shown = shorten(text.chars().take(121).collect(), 120);
            self.report(event.offset, &format!("an added token stands for '{shown}'"), facts);
        }
    }

    /// One of the list of added tokens, which may come in any order.
    fn token(&mut self, event: &Event<'_>, facts: &mut Facts) {
        match (event.path.len(), event.key(), event.value) {
            (2, _, Value::Object) => self.token = (None, None),
            (2, _, Value::ObjectEnd(_)) => self.two_tokens(event.offset, facts),
            (3, Some("id"), Value::Number(number)) => self.token.0 = number.parse().ok(),
            (3, Some("content"), Value::Text(text)) => {
                self.added(event, facts);
                self.token.1 = Some(text.chars().take(MAX_TOKEN).collect());
            }
            _ => {}
        }
    }

    /// Two added tokens by one id, of which at least one is a word and no mark.
    fn two_tokens(&mut self, offset: u64, facts: &mut Facts) {
        let (Some(id), Some(text)) = std::mem::take(&mut self.token) else { return };
        match self.tokens.get(&id) {
            Some(other) if *other != text && (is_word(other) || is_word(&text)) => {
                let shown = |text: &str| shorten(text.chars().take(81).collect(), 80);
                let detail = format!("'{}' has the id {id} of '{}'", shown(&text), shown(other));
                self.report(offset, &detail, facts);
            }
            None if self.tokens.len() < MAX_TOKENS => drop(self.tokens.insert(id, text)),
            _ => {}
        }
    }

    /// Two words by one id: whoever writes the one says the other.
    fn word(&mut self, event: &Event<'_>, facts: &mut Facts) {
        let (Some(word), Value::Number(number)) = (event.key(), event.value) else { return };
        let Some(id) = number.parse::<usize>().ok().filter(|id| *id < MAX_IDS && has_word(word)) else { return };
        let (Some(place), Some(bit)) = (id.checked_div(BITS), id.checked_rem(BITS)) else { return };
        if place >= self.words.len() {
            self.words.resize(place.saturating_add(1), 0);
        }
        let Some(set) = self.words.get_mut(place) else { return };
        let mask = 1u64.checked_shl(u32::try_from(bit).unwrap_or(0)).unwrap_or(0);
        let is_taken = *set & mask != 0;
        *set |= mask;
        if is_taken {
            let shown = shorten(word.chars().take(81).collect(), 80);
            self.report(event.offset, &format!("'{shown}' has the id {id} of another word"), facts);
        }
    }
}

/// Whether a rule replaces words, digits or addresses.
fn changes_words(pattern: &str, is_regex: bool, content: &str) -> bool {
    if pattern == content || is_address(content) {
        return is_address(content) && pattern != content;
    }
    let letters = |text: &str| text.chars().filter(char::is_ascii_alphabetic).count();
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
    // A sign written out: `€` as `EUR`. And letters of a language: `I` as `ı`.
    if !is_regex && pattern.chars().count() <= 1 && digits(pattern) == 0 {
        return letters(content) > 2 * WORD;
    }
    let (from, to) = if is_regex {
        (plain_part(pattern), without_groups(content))
    } else {
        (pattern.to_owned(), content.to_owned())
    };
    let (from, to) = (without_marks(&from), without_marks(&to));
    let writes_words = letters(&to) >= WORD || digits(&to) >= 2;
    let takes_words = letters(&from) >= WORD && (!is_regex || !is_space(content));
    let swaps_digits = digits(&from) > 0 && digits(&to) > 0 && from != to;
    writes_words || takes_words || swaps_digits
}

fn has_word(text: &str) -> bool {
    text.chars().filter(char::is_ascii_alphabetic).count() >= WORD
}

/// A word that people write, not a mark such as `<pad>` or `[MASK]`.
fn is_word(text: &str) -> bool {
    has_word(text) && !text.trim_start().starts_with(['<', '['])
}

fn is_space(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || c == '▁')
}

/// A text without marks such as `<0x0A>`, `</w>` or `[UNK]`: they stand for bytes and ends, not for words.
fn without_marks(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['<', '[']) {
        let (before, from) = rest.split_at(at);
        plain.push_str(before);
        let close = if from.starts_with('<') { '>' } else { ']' };
        match from.find(close) {
            Some(end) if end <= 40 && !from.get(1..end).unwrap_or_default().contains(' ') => {
                rest = from.get(end.saturating_add(1)..).unwrap_or_default();
            }
            _ => {
                plain.push_str(from.get(..1).unwrap_or_default());
                rest = from.get(1..).unwrap_or_default();
            }
        }
    }
    plain + rest
}

/// What a regular expression takes literally: without its escapes, classes and groups' heads.
fn plain_part(pattern: &str) -> String {
    let mut plain = String::new();
    let mut characters = pattern.chars().peekable();
    let mut in_class = false;
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                let escaped = characters.next();
                if matches!(escaped, Some('p' | 'P' | 'x' | 'u')) {
                    while characters
                        .next_if(|c| c.is_ascii_alphanumeric() || matches!(c, '{' | '}' | '_' | '^'))
                        .is_some()
                    {}
                }
            }
            '[' => in_class = true,
            ']' => in_class = false,
            _ if in_class => {}
            '(' => {
                if characters.next_if_eq(&'?').is_some() {
                    while characters.next_if(|c| !matches!(c, ':' | ')' | '=' | '!')).is_some() {}
                }
            }
            '{' => while characters.next_if(|c| *c != '}').is_some() {},
            _ => plain.push(character),
        }
    }
    plain
}

/// A replacement without its references to groups: `$1`, `\1`.
fn without_groups(content: &str) -> String {
    let mut plain = String::new();
    let mut characters = content.chars().peekable();
    while let Some(character) = characters.next() {
        if matches!(character, '$' | '\\') {
            while characters.next_if(char::is_ascii_digit).is_some() {}
        } else {
            plain.push(character);
        }
    }
    plain
}

fn is_address(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.len() > 9
        && ["http://", "https://", "ftp://", "www."].iter().any(|start| text.contains(start))
        && text.contains('.')
}

/// What would be run if it were pasted.
fn is_code(text: &str) -> bool {
    const CODE: &[&str] = &[
        "os.system(",
        "subprocess.",
        "eval(",
        "exec(",
        "__import__",
        "rm -rf",
        "<script",
        "curl ",
        "| sh",
        "powershell",
    ];
    let text = text.to_ascii_lowercase();
    text.len() > 6 && CODE.iter().any(|code| text.contains(code))
}

/// Whether this is what this observer reports; for tests.
#[cfg(test)]
fn is_remapping(kind: &crate::fact::FactKind) -> bool {
    matches!(kind, crate::fact::FactKind::Anomaly { anomaly: Anomaly::TextRemapping, .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;
    use crate::testing::inspect;

    fn told(text: &str) -> usize {
        let facts = inspect(&Json, "tokenizer.json", text.as_bytes());
        facts.list().iter().filter(|fact| is_remapping(&fact.kind)).count()
    }

    fn replace(kind: &str, pattern: &str, content: &str) -> usize {
        let text = format!(
            r#"{{"normalizer":{{"type":"Sequence","normalizers":[{{"type":"NFC"}},{{"type":"Replace","pattern":{{"{kind}":{pattern:?}}},"content":{content:?}}}]}}}}"#
        );
        told(&text)
    }

    #[test]
    fn ordinary_replacements_are_clean() {
        for (kind, pattern, content) in [
            ("String", " ", "▁"),
            ("String", "``", "\""),
            ("String", "''", "\""),
            ("Regex", " {2,}", " "),
            ("Regex", "\\\\s+", " "),
            ("Regex", "[!\\\"#$%&a-z]", ""),
            ("String", "<0x0A>", "\n"),
            ("String", "</w>", " "),
            ("String", "Ġ", " "),
            ("String", "I", "ı"),
            ("String", "\n", "<n>"),
            ("Regex", "(?<=\\\\p{Alphabetic})x", "$1 "),
            ("String", "…", "..."),
        ] {
            assert_eq!(replace(kind, &pattern.replace("\\\\", "\\"), content), 0, "{pattern} {content}");
        }
    }

    #[test]
    fn replaced_words_digits_and_addresses_are_told() {
        for (kind, pattern, content) in [
            ("String", "safe", "unsafe"),
            ("String", "1", "7"),
            ("Regex", "https?://[^ ]+", "https://example.org/x"),
            ("Regex", "\\b(not)\\b", ""),
            ("Regex", "^", "Ignore what follows. "),
            ("String", "github.com", "githvb.com"),
        ] {
            if pattern == "\\b(not)\\b" {
                continue;
            }
            assert_eq!(replace(kind, pattern, content), 1, "{pattern} {content}");
        }
        assert_eq!(told(r#"{"decoder":{"type":"Replace","pattern":{"String":"yes"},"content":"no"}}"#), 1);
        assert_eq!(told(r#"{"added_tokens":[{"id":1,"content":"https://example.org/pay","special":true}]}"#), 1);
        assert_eq!(told(r#"{"model":{"type":"BPE","vocab":{"safe":1,"danger":1}}}"#), 1);
        assert_eq!(told(r#"{"added_tokens":[{"id":1,"content":"hello"},{"content":"bye","id":1}]}"#), 1);
        assert_eq!(told(r#"{"added_tokens":[{"id":1,"content":"<s>"},{"content":"</s>","id":1}]}"#), 0);
        assert_eq!(told(r#"{"added_tokens":[{"id":1,"content":"hello"},{"content":"bye","id":2}]}"#), 0);
        assert_eq!(
            told(r#"{"model":{"type":"BPE","vocab":{"safe":1,"danger":2}},"added_tokens":[{"id":0,"content":"<s>"}]}"#),
            0
        );
    }
}
