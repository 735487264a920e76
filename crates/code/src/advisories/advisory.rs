//! An advisory, as far as it is kept: who it is, what it affects, how bad it is. Written once by its database, in the schema
//! of OSV (<https://ossf.github.io/osv-schema/>).

use serde::{Deserialize, Serialize};

/// What somebody says of a weakness of one or more packages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Advisory {
    /// Its id: `PYSEC-2022-28`, `GHSA-…`, `CVE-…`.
    pub id: String,
    /// Other ids of the same weakness.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// What it is, in one line.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// When it was changed last, RFC 3339.
    pub modified: String,
    /// When it was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<String>,
    /// Vectors of CVSS, as they are written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vectors: Vec<String>,
    /// How bad it is in its database's own word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word: Option<String>,
    /// What it affects, of packages of the Python Package Index.
    pub affected: Vec<Affected>,
}

/// One package and its affected versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Affected {
    /// The package's name, as PEP 503 compares names.
    pub package: String,
    /// Ranges of versions in the order of PEP 440.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<Vec<Event>>,
    /// Versions that are listed one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
}

/// What happened with a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// From this one on it is affected; `0` is before every version.
    Introduced(String),
    /// From this one on it is not.
    Fixed(String),
    /// After this one it is not.
    LastAffected(String),
    /// Nothing is said of this one and later ones.
    Limit(String),
}

impl Event {
    /// The version it speaks of.
    #[must_use]
    pub fn version(&self) -> &str {
        match self {
            Self::Introduced(version) | Self::Fixed(version) | Self::LastAffected(version) | Self::Limit(version) => {
                version
            }
        }
    }
}

impl Advisory {
    /// Whether it is about a package that was published to do harm: ids of OpenSSF's list of malicious packages say so
    /// (<https://github.com/ossf/malicious-packages>).
    #[must_use]
    pub fn is_malicious(&self) -> bool {
        self.ids().any(|id| id.starts_with("MAL-"))
    }

    /// Whether it is about every version of a package that there is or will be.
    #[must_use]
    pub fn is_about_all_of(&self, package: &str) -> bool {
        let is_all = |events: &Vec<Event>| matches!(events.as_slice(), [Event::Introduced(version)] if version == "0");
        self.affected.iter().any(|one| one.package == package && one.ranges.iter().any(is_all))
    }

    /// Its id and all others of the same weakness.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.id.as_str()).chain(self.aliases.iter().map(String::as_str))
    }
}
