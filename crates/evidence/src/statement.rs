//! in-toto Statement v1: a claim of some type about artifacts that are named by digest.
//!
//! <https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md>

pub mod claims;
pub mod cyclonedx;
pub mod evidence;
pub mod predicate;
pub mod provenance;
mod read;
pub mod reference;
pub mod role;
pub mod scai;
pub mod scan;
pub mod signature;
pub mod spdx;
pub mod test_result;
pub mod verdict;
pub mod vulns;

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::strict;
pub use predicate::{InvalidPredicate, Line, Predicate};
pub use read::InvalidStatement;

/// What `_type` says of every statement of this version.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// The same of the version before, which has the same fields; others still write it.
pub const EARLY_STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v0.1";
/// The media type of a statement in an envelope.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// A claim about artifacts; `P` is what is claimed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "P: Deserialize<'de>"))]
pub struct Statement<P = Value> {
    /// [`STATEMENT_TYPE`], or the statement is of another version.
    #[serde(rename = "_type")]
    pub statement_type: String,
    /// What the claim is about.
    #[serde(deserialize_with = "strict::objects")]
    pub subject: Vec<ResourceDescriptor>,
    /// What kind of claim it is: a URI.
    pub predicate_type: String,
    /// The claim.
    #[serde(deserialize_with = "strict::object")]
    pub predicate: P,
}

impl<P> Statement<P> {
    /// A statement of version 1.
    #[must_use]
    pub fn new(subject: Vec<ResourceDescriptor>, predicate_type: &str, predicate: P) -> Self {
        Self {
            statement_type: STATEMENT_TYPE.to_owned(),
            subject,
            predicate_type: predicate_type.to_owned(),
            predicate,
        }
    }
}

/// An artifact: its name is a hint, its digests say which it is.
///
/// <https://github.com/in-toto/attestation/blob/main/spec/v1/resource_descriptor.md>
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceDescriptor {
    /// A name among the artifacts of the statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it can be found, or what it is called globally.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Its digests.
    #[serde(default, skip_serializing_if = "DigestSet::is_empty")]
    pub digest: DigestSet,
    /// Its bytes, in Base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Where its bytes can be had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub download_location: Option<String>,
    /// The kind of its bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Whatever else is said of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, Value>,
}

/// Digests of one artifact by the names of their algorithms, in lower-case hexadecimal digits.
///
/// <https://github.com/in-toto/attestation/blob/main/spec/v1/digest_set.md>
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct DigestSet(BTreeMap<String, String>);

impl DigestSet {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The digest by one algorithm.
    #[must_use]
    pub fn get(&self, algorithm: &str) -> Option<&str> {
        self.0.get(algorithm).map(String::as_str)
    }

    /// All of them, in the order of their algorithms' names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(algorithm, digits)| (algorithm.as_str(), digits.as_str()))
    }
}

impl<A: Into<String>, D: fmt::Display> FromIterator<(A, D)> for DigestSet {
    fn from_iter<I: IntoIterator<Item = (A, D)>>(digests: I) -> Self {
        Self(digests.into_iter().map(|(algorithm, digest)| (algorithm.into(), digest.to_string())).collect())
    }
}

impl<'de> Deserialize<'de> for DigestSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(DigestVisitor)
    }
}

/// Whether a text is at least one byte in lower-case hexadecimal digits.
fn is_hex(text: &str) -> bool {
    !text.is_empty()
        && text.len().is_multiple_of(2)
        && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Reads digests so that none is said twice: readers would disagree about which holds.
struct DigestVisitor;

impl<'de> Visitor<'de> for DigestVisitor {
    type Value = DigestSet;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("digests by algorithm")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<DigestSet, M::Error> {
        let mut digests = BTreeMap::new();
        while let Some((algorithm, digits)) = map.next_entry::<String, String>()? {
            if !is_hex(&digits) {
                return Err(M::Error::custom("a digest is not in lower-case hexadecimal digits"));
            }
            if digests.insert(algorithm, digits).is_some() {
                return Err(M::Error::custom("one algorithm has two digests"));
            }
        }
        Ok(DigestSet(digests))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Statement, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_statement_is_read_as_it_is_written() {
        let text = r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"a","digest":{"sha256":"00ff"}}],"predicateType":"https://example.org/x","predicate":{"b":1}}"#;
        let statement = parse(text).unwrap();
        assert_eq!(statement.subject[0].digest.get("sha256"), Some("00ff"));
        assert_eq!(serde_json::to_string(&statement).unwrap(), text);
    }

    #[test]
    fn digests_are_clear() {
        let with = |digest: &str| {
            parse(&format!(r#"{{"_type":"t","subject":[{{"digest":{digest}}}],"predicateType":"p","predicate":{{}}}}"#))
        };
        assert!(with(r#"{"sha256":"00"}"#).is_ok());
        assert!(with(r#"{"sha256":"AA"}"#).is_err_and(|error| error.contains("lower-case")));
        assert!(with(r#"{"sha256":"00","sha256":"11"}"#).is_err_and(|error| error.contains("two digests")));
    }
}
