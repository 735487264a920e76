//! What a scanner for known vulnerabilities found: in-toto's vulnerabilities, version 0.2.
//!
//! <https://github.com/in-toto/attestation/blob/main/spec/predicates/vulns_02.md>

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::evidence::{EvidenceType, Maker, reading};
use super::predicate::{InvalidPredicate, Line, Predicate, check_text, check_uri};
use crate::strict;

/// The predicate's type.
pub const PREDICATE_TYPE: &str = "https://in-toto.io/attestation/vulns/v0.2";
/// Vulnerabilities that are told one by one.
const MAX_LISTED: usize = 5;

pub(super) static TYPE: EvidenceType = EvidenceType {
    id: "vulns",
    title: "in-toto vulnerabilities",
    about: "which known vulnerabilities a scanner found in it",
    uris: &[PREDICATE_TYPE, "https://in-toto.io/attestation/vulns"],
    versioned: false,
    specification: "https://github.com/in-toto/attestation/blob/main/spec/predicates/vulns_02.md",
    maker: Maker::File,
    read: |value| reading::<Vulnerabilities>(PREDICATE_TYPE, value),
};

/// One run of a scanner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Vulnerabilities {
    /// Which scanner, with what it found.
    #[serde(deserialize_with = "strict::object")]
    pub scanner: Scanner,
    /// When it ran.
    #[serde(deserialize_with = "strict::object")]
    pub metadata: ScanMetadata,
}

/// A scanner and what it found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scanner {
    /// Which.
    pub uri: String,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What it knew.
    #[serde(deserialize_with = "strict::object")]
    pub db: Database,
    /// What it found. Nothing here means that it found nothing.
    #[serde(deserialize_with = "strict::objects")]
    pub result: Vec<Vulnerability>,
}

/// What a scanner knew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Database {
    /// Which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// How new it was.
    pub last_update: Timestamp,
}

/// A known vulnerability.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vulnerability {
    /// What everybody calls it: CVE-…, GHSA-….
    pub id: String,
    /// How bad it is, by one scale or several.
    #[serde(deserialize_with = "strict::objects")]
    pub severity: Vec<Score>,
    /// What else the scanner says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub annotations: Vec<BTreeMap<String, Value>>,
}

/// How bad it is, by one scale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    /// The scale.
    pub method: String,
    /// The place on it.
    pub score: String,
}

/// When a scanner ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScanMetadata {
    /// From.
    pub scan_started_on: Timestamp,
    /// To.
    pub scan_finished_on: Timestamp,
}

impl Predicate for Vulnerabilities {
    fn check(&self) -> Result<(), InvalidPredicate> {
        check_uri("scanner.uri", &self.scanner.uri)?;
        if let Some(uri) = &self.scanner.db.uri {
            check_uri("scanner.db.uri", uri)?;
        }
        for (index, found) in self.scanner.result.iter().enumerate() {
            check_text(format_args!("scanner.result[{index}].id"), &found.id)?;
        }
        if self.metadata.scan_finished_on < self.metadata.scan_started_on {
            return Err(InvalidPredicate::at("metadata.scanFinishedOn", "it is before scanStartedOn"));
        }
        Ok(())
    }

    fn summary(&self) -> Vec<Line> {
        let Scanner { uri, version, db, result } = &self.scanner;
        let version = version.as_ref().map_or_else(String::new, |version| format!(" {version}"));
        let found = |found: &Vulnerability| {
            let scores: Vec<_> = found.severity.iter().map(|it| format!("{} {}", it.method, it.score)).collect();
            Line::new("found", format_args!("{} ({})", found.id, scores.join(", ")))
        };
        let mut lines = vec![Line::new("scanner", format_args!("{uri}{version}"))];
        lines.push(Line::new("known until", db.last_update));
        lines.push(Line::new("vulnerabilities", result.len()));
        lines.extend(result.iter().take(MAX_LISTED).map(found));
        lines.push(Line::new("scanned", self.metadata.scan_finished_on));
        lines
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::statement::predicate::read;

    fn example() -> Value {
        json!({
            "scanner": {
                "uri": "pkg:github/aquasecurity/trivy@244fd47e07d1004f0aed9",
                "version": "0.19.2",
                "db": {"uri": "pkg:github/aquasecurity/trivy-db/commit/4c76bb58", "version": "v1-2021080612", "lastUpdate": "2021-08-06T17:45:50.52Z"},
                "result": [{"id": "CVE-123", "severity": [{"method": "nvd", "score": "medium"}]}],
            },
            "metadata": {"scanStartedOn": "2021-08-06T17:45:50.52Z", "scanFinishedOn": "2021-08-06T17:50:50.52Z"},
        })
    }

    #[test]
    fn the_specifications_example_is_read() {
        let found: Vulnerabilities = read(&example()).unwrap();
        assert_eq!(serde_json::to_value(&found).unwrap(), example());
    }

    #[test]
    fn what_is_wrong_is_placed() {
        let place = |pointer: &str, other: Value| {
            let mut value = example();
            *value.pointer_mut(pointer).unwrap() = other;
            read::<Vulnerabilities>(&value).unwrap_err().place
        };
        assert_eq!(place("/scanner/uri", json!("trivy")), "scanner.uri");
        assert_eq!(place("/scanner/result/0/severity/0", json!("high")), "scanner.result[0].severity[0]");
        assert_eq!(place("/scanner/result/0/id", json!(" ")), "scanner.result[0].id");
        assert_eq!(place("/metadata/scanFinishedOn", json!("2020-08-06T17:50:50Z")), "metadata.scanFinishedOn");
        assert_eq!(place("/scanner/db", json!({})), "scanner.db");
    }
}
