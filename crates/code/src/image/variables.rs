//! `ARG` and `ENV`: what a name stands for. A value is put together once, when it is set, and is bounded.

use std::collections::BTreeMap;

/// Bytes of a value, and of a text after names were replaced in it.
const MAX_VALUE: usize = 16 << 10;
/// Bytes of all names and values together.
const MAX_TOTAL: usize = 256 << 10;

/// Names and values.
#[derive(Debug, Clone, Default)]
pub(super) struct Variables {
    values: BTreeMap<String, String>,
    total: usize,
}

impl Variables {
    /// Sets a name. None: it is given from outside, and not known.
    pub(super) fn set(&mut self, name: &str, value: Option<String>) {
        let old = self.values.remove(name).map_or(0, |value| value.len() + name.len());
        self.total = self.total.saturating_sub(old);
        let value =
            value.filter(|value| value.len() <= MAX_VALUE && self.total + value.len() + name.len() <= MAX_TOTAL);
        // A name without a value is as good as one that was never set.
        if let Some(value) = value {
            self.total += value.len() + name.len();
            self.values.insert(name.to_owned(), value);
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// A text with names replaced: none where one is not known, or far too much would come out.
    pub(super) fn replace(&self, text: &str, escape: char) -> Option<String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['$', escape]) {
            out.push_str(&rest[..at]);
            let tail = &rest[at..];
            if let Some(escaped) = tail.strip_prefix(escape) {
                let mut characters = escaped.chars();
                if escape == '$' {
                    out.push('$');
                } else {
                    out.extend(characters.next());
                }
                rest = characters.as_str();
                continue;
            }
            let (value, length) = self.one(&tail[1..])?;
            out.push_str(&value);
            rest = &tail[1 + length..];
            if out.len() > MAX_VALUE {
                return None;
            }
        }
        out.push_str(rest);
        (out.len() <= MAX_VALUE).then_some(out)
    }

    /// The value of what follows a dollar sign, and how many bytes that is.
    fn one(&self, text: &str) -> Option<(String, usize)> {
        if let Some(inner) = text.strip_prefix('{') {
            let end = inner.find('}')?;
            return Some((self.braces(&inner[..end])?, end + 2));
        }
        let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
        if end == 0 {
            return Some(("$".to_owned(), 0));
        }
        Some((self.get(&text[..end])?.to_owned(), end))
    }

    /// `NAME`, `NAME:-default`, `NAME:+other`, `NAME-default`.
    fn braces(&self, inner: &str) -> Option<String> {
        let end = inner.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(inner.len());
        let (name, operator) = inner.split_at(end);
        let value = self.get(name);
        let filled = value.filter(|value| !value.is_empty());
        let known = |text: &str| (!text.contains('$')).then(|| text.to_owned());
        if let Some(default) = operator.strip_prefix(":-") {
            return filled.map(str::to_owned).or_else(|| known(default));
        }
        if let Some(default) = operator.strip_prefix('-') {
            return value.map(str::to_owned).or_else(|| known(default));
        }
        if let Some(other) = operator.strip_prefix(":+") {
            return filled.map_or_else(|| Some(String::new()), |_| known(other));
        }
        operator.is_empty().then(|| value.map(str::to_owned))?
    }
}

/// Pairs of `ENV` and `ARG`: `A=b C="d e"`, or the old `A b c`. A name without a value has none.
pub(super) fn pairs(text: &str) -> Vec<(String, Option<String>)> {
    pairs_at(text).into_iter().map(|(_, name, value)| (name, value)).collect()
}

/// Pairs, and where each begins.
pub(super) fn pairs_at(text: &str) -> Vec<(usize, String, Option<String>)> {
    let start = text.len() - text.trim_start().len();
    let text = text.trim();
    let first = text.split_whitespace().next().unwrap_or_default();
    if !first.contains('=') {
        let rest = text[first.len()..].trim();
        return vec![(start, first.to_owned(), (!rest.is_empty()).then(|| rest.to_owned()))];
    }
    let pair = |(at, word): (usize, String)| match word.split_once('=') {
        Some((name, value)) => (start + at, name.to_owned(), Some(value.to_owned())),
        None => (start + at, word, None),
    };
    unquoted_words(text).into_iter().map(pair).collect()
}

/// Words without their quotes, and where each begins.
fn unquoted_words(text: &str) -> Vec<(usize, String)> {
    let mut words = Vec::new();
    let mut word: Option<(usize, String)> = None;
    let mut quote = None;
    for (at, character) in text.char_indices() {
        match (quote, character) {
            (Some(open), close) if open == close => quote = None,
            (None, '"' | '\'') => {
                quote = Some(character);
                word.get_or_insert_with(|| (at, String::new()));
            }
            (None, space) if space.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_with(|| (at, String::new())).1.push(character),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_as_the_reference_says() {
        let mut variables = Variables::default();
        variables.set("A", Some("x".to_owned()));
        variables.set("EMPTY", Some(String::new()));
        variables.set("OUTSIDE", None);
        for (text, expected) in [
            ("$A-${A}", Some("x-x")),
            ("${B:-d}${A:-d}${EMPTY:-d}${EMPTY-d}", Some("dxd")),
            ("${A:+y}${B:+y}", Some("y")),
            (r"\$A $", Some("$A $")),
            ("$OUTSIDE", None),
            ("$B", None),
            ("${A", None),
            ("${A#x}", None),
        ] {
            assert_eq!(variables.replace(text, '\\').as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn values_that_double_end() {
        let mut variables = Variables::default();
        variables.set("A", Some("0123456789".to_owned()));
        for _ in 0..100_000 {
            let next = variables.replace("$A$A", '\\');
            variables.set("A", next);
        }
        assert_eq!(variables.get("A"), None);
    }

    #[test]
    fn pairs_of_every_form() {
        let one = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
        assert_eq!(pairs(r#"A=b C="d e" F='g'"#), [one("A", "b"), one("C", "d e"), one("F", "g")]);
        let places: Vec<usize> = pairs_at(" A=b  'C'=d").into_iter().map(|(at, ..)| at).collect();
        assert_eq!(places, [1, 6]);
        assert_eq!(pairs("A b  c"), [one("A", "b  c")]);
        assert_eq!(pairs("A"), [("A".to_owned(), None)]);
    }
}
