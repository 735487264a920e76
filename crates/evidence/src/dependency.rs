//! A piece of software that a project needs: as it is declared, locked or installed. Ranges stay ranges: a version is there
//! only where exactly one is meant.

use serde::{Deserialize, Serialize};

use crate::finding::Location;

/// A package, and what one place says of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Dependency {
    /// Whose names these are.
    pub ecosystem: Ecosystem,
    /// Its name, as the ecosystem compares names (PEP 503 for Python).
    pub name: String,
    /// Its name, as it is written there.
    pub written: String,
    /// What versions are accepted, as it is written there; none where all are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constraint: Option<String>,
    /// The one version that is meant: pinned with `==`, resolved by a lock file, or installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Extras that are asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extras: Vec<String>,
    /// When it is needed at all: an environment marker of PEP 508.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// Where it comes from.
    pub source: DependencySource,
    /// Digests of its archives, as `algorithm:hexadecimal`, that an installer checks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub digests: Vec<String>,
    /// How binding the place is that says so.
    pub standing: Standing,
    /// The group, extra or stage of the project that needs it; none for the project itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Names of what it needs itself, where that place says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    /// Where it is written.
    pub location: Location,
}

/// Whose names and versions these are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ecosystem {
    /// The Python Package Index, and everything that follows its rules.
    Pypi,
    /// Conda channels.
    Conda,
}

/// How binding a place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// The project says that it needs this.
    Declared,
    /// If it is installed at all, then so: a constraints file.
    Constrained,
    /// A lock file says what is installed.
    Locked,
    /// It is installed.
    Installed,
}

/// Where a dependency comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum DependencySource {
    /// An index or channel, by name and version.
    Index {
        /// Its address, where it is not the usual one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
    },
    /// One archive at an address.
    Archive {
        /// The address.
        url: String,
    },
    /// A repository of source code.
    Repository {
        /// Its address.
        url: String,
        /// The branch, tag or commit that is asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        revision: Option<String>,
        /// The commit, in full, where one is named: the only revision that cannot move.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        commit: Option<String>,
    },
    /// A file or folder beside the project.
    Path {
        /// The path, as it is written.
        path: String,
        /// Whether it is used where it lies.
        editable: bool,
    },
}

impl Dependency {
    /// Its package URL, where one version from an index or a commit of a repository is meant; a guess is not given.
    #[must_use]
    pub fn package_url(&self) -> Option<String> {
        let kind = match self.ecosystem {
            Ecosystem::Pypi => "pypi",
            Ecosystem::Conda => "conda",
        };
        let version = self.version.as_deref()?;
        match &self.source {
            DependencySource::Index { .. } => {
                Some(format!("pkg:{kind}/{}@{}", percent_encoded(&self.name), percent_encoded(version)))
            }
            _ => None,
        }
    }
}

/// A package's name as Python's index compares names (PEP 503): small letters, and one hyphen for each run of `-`, `_`
/// and `.`.
#[must_use]
pub fn normalised(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for character in name.trim().chars() {
        match character {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            other => normal.extend(other.to_lowercase()),
        }
    }
    normal
}

/// A part of a package URL: everything but letters, digits and `.-_~` is written as `%XX`.
fn percent_encoded(part: &str) -> String {
    part.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn torch(source: DependencySource, version: Option<&str>) -> Dependency {
        Dependency {
            ecosystem: Ecosystem::Pypi,
            name: "torch".to_owned(),
            written: "Torch".to_owned(),
            constraint: None,
            version: version.map(str::to_owned),
            extras: Vec::new(),
            marker: None,
            source,
            digests: Vec::new(),
            standing: Standing::Declared,
            group: None,
            requires: Vec::new(),
            location: Location::file("requirements.txt"),
        }
    }

    #[test]
    fn a_package_url_needs_one_version_of_an_index() {
        let index = DependencySource::Index { url: None };
        let local = torch(index.clone(), Some("2.4.0+cu121"));
        assert_eq!(local.package_url().as_deref(), Some("pkg:pypi/torch@2.4.0%2Bcu121"));
        assert_eq!(torch(index, None).package_url(), None);
        let path = DependencySource::Path { path: ".".to_owned(), editable: true };
        assert_eq!(torch(path, Some("2.4.0")).package_url(), None);
    }
}
