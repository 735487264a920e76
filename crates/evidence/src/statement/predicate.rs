//! What all predicates have in common: they are read strictly, checked, and told to people in a few lines.

use std::fmt::Display;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{DigestSet, ResourceDescriptor};

/// Digits of a SHA-256 digest.
const SHA256_DIGITS: usize = 64;
/// Characters of a value that are told in a line.
const MAX_TOLD: usize = 200;
/// Fields that nobody knows which are listed.
const MAX_UNKNOWN: usize = 20;

/// A claim of one type.
pub trait Predicate: Serialize + DeserializeOwned {
    /// Whether it says everything that it has to say, in a way that does not contradict itself.
    ///
    /// # Errors
    /// With the place of the first thing that is wrong.
    fn check(&self) -> Result<(), InvalidPredicate>;

    /// What it says, in a few lines. Texts may come from a stranger: sanitize them before they are shown.
    fn summary(&self) -> Vec<Line>;

    /// What it says against the subject, where that is what it is for: a verdict that is FAILED.
    fn objection(&self) -> Option<String> {
        None
    }
}

/// Why something is no predicate of its type. Texts may quote it: sanitize them before they are shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct InvalidPredicate {
    /// Where, as in `buildDefinition.resolvedDependencies[0].digest`; `predicate` for the whole.
    pub place: String,
    /// What is wrong there.
    pub problem: String,
}

impl InvalidPredicate {
    /// Something is wrong at a place.
    #[must_use]
    pub fn at(place: impl Display, problem: impl Display) -> Self {
        let place = place.to_string();
        let place = if place.is_empty() || place == "." { "predicate".to_owned() } else { place };
        Self { place, problem: problem.to_string() }
    }
}

/// A line for people: what it is about, and what is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What it is about, in a word or two.
    pub label: &'static str,
    /// What is said.
    pub text: String,
}

impl Line {
    /// A line; long texts are cut.
    #[must_use]
    pub fn new(label: &'static str, text: impl Display) -> Self {
        let text = text.to_string();
        match text.char_indices().nth(MAX_TOLD) {
            Some((end, _)) => Self { label, text: format!("{}…", &text[..end]) },
            None => Self { label, text },
        }
    }
}

/// Reads a predicate and checks it. Fields that its specification does not name are passed over, as in-toto demands.
///
/// # Errors
/// With the place of the first thing that is wrong.
pub fn read<P: Predicate>(value: &Value) -> Result<P, InvalidPredicate> {
    if !value.is_object() {
        return Err(InvalidPredicate::at("", "a JSON object is expected"));
    }
    let predicate: P =
        serde_path_to_error::deserialize(value).map_err(|error| InvalidPredicate::at(error.path(), error.inner()))?;
    predicate.check()?;
    Ok(predicate)
}

/// The fields of a predicate that its type does not know: a misspelled one would be lost on every reader.
pub(super) fn unknown_fields(given: &Value, known: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect_unknown(given, known, "", &mut found);
    found
}

fn collect_unknown(given: &Value, known: &Value, place: &str, found: &mut Vec<String>) {
    match (given, known) {
        (Value::Object(given), Value::Object(known)) => {
            for (name, value) in given {
                let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
                match known.get(name) {
                    Some(known) => collect_unknown(value, known, &place, found),
                    None if is_nothing(value) || found.len() >= MAX_UNKNOWN => {}
                    None => found.push(place),
                }
            }
        }
        (Value::Array(given), Value::Array(known)) => {
            for (index, (given, known)) in given.iter().zip(known).enumerate() {
                collect_unknown(given, known, &format!("{place}[{index}]"), found);
            }
        }
        _ => {}
    }
}

/// Whether a value says as much as if it were not there.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

/// A text that has to be there.
pub(super) fn check_text(place: impl Display, text: &str) -> Result<(), InvalidPredicate> {
    if text.trim().is_empty() { Err(InvalidPredicate::at(place, "it is empty")) } else { Ok(()) }
}

/// A URI: a scheme in lower-case letters, a colon, and something without white space.
pub(super) fn check_uri(place: impl Display, uri: &str) -> Result<(), InvalidPredicate> {
    if is_uri(uri) {
        Ok(())
    } else {
        Err(InvalidPredicate::at(
            place,
            format_args!("'{uri}' is no URI, such as https://example.org/a or pkg:type/name"),
        ))
    }
}

/// Whether a text has the form of a URI.
#[must_use]
pub fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_lowercase())
        && scheme.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'-' | b'.'));
    is_scheme && !rest.is_empty() && !rest.contains(|found: char| found.is_whitespace() || found.is_control())
}

/// An artifact that is named by something.
pub(super) fn check_descriptor(place: impl Display, descriptor: &ResourceDescriptor) -> Result<(), InvalidPredicate> {
    let ResourceDescriptor { name, uri, digest, .. } = descriptor;
    let is_named = [name, uri].into_iter().flatten().any(|text| !text.is_empty());
    if !is_named && digest.is_empty() {
        return Err(InvalidPredicate::at(place, "one of name, uri or digest is needed"));
    }
    check_digest(place, digest)
}

/// Digests whose length is known.
pub(super) fn check_digest(place: impl Display, digest: &DigestSet) -> Result<(), InvalidPredicate> {
    match digest.get("sha256").filter(|digits| digits.len() != SHA256_DIGITS) {
        Some(_) => Err(InvalidPredicate::at(
            format_args!("{place}.digest.sha256"),
            format_args!("it has to have {SHA256_DIGITS} hexadecimal digits"),
        )),
        None => Ok(()),
    }
}

/// What an artifact is called, and by which digest, for people.
pub(super) fn told(descriptor: &ResourceDescriptor) -> String {
    let name = descriptor.uri.as_deref().or(descriptor.name.as_deref()).unwrap_or("without a name");
    let sha256 = descriptor.digest.get("sha256").map(|digits| ("sha256", digits));
    match sha256.or_else(|| descriptor.digest.iter().next()) {
        Some((algorithm, digits)) => format!("{name} ({algorithm}:{})", digits.get(..12).unwrap_or(digits)),
        None => format!("{name} (no digest)"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn uris_have_a_scheme() {
        for uri in ["https://example.org", "pkg:huggingface/a/b@1", "git+https://x/y", "file:a", "urn:uuid:1"] {
            assert!(is_uri(uri), "{uri}");
        }
        for text in ["", "model", "HTTPS://x", "https:", "a b:c", "https://a b", ":x", "1a:b"] {
            assert!(!is_uri(text), "{text}");
        }
    }

    #[test]
    fn fields_that_are_not_known_are_named() {
        let given = json!({"a": 1, "b": [{"c": 1, "d": 2}], "e": {"f": 1}, "none": null, "empty": []});
        let known = json!({"a": 1, "b": [{"c": 1}], "e": {}});
        assert_eq!(unknown_fields(&given, &known), ["b[0].d", "e.f"]);
    }

    #[test]
    fn a_long_line_is_cut_between_letters() {
        let line = Line::new("x", "é".repeat(300));
        assert_eq!(line.text.chars().count(), MAX_TOLD + 1);
    }
}
