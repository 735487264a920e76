//! How artifacts were made: SLSA's provenance, version 1. What a build type means for models is in `docs/build-types.md`.
//!
//! <https://slsa.dev/spec/v1.2/build-provenance>

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ResourceDescriptor;
use super::role::Role;

/// The predicate's type.
pub const PREDICATE_TYPE: &str = "https://slsa.dev/provenance/v1";
/// The key among a dependency's annotations that holds its [`Role`].
pub const ROLE: &str = "role";

/// What was run on what, and who ran it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Provenance {
    /// Everything that decides what comes out.
    pub build_definition: BuildDefinition,
    /// This one run of it.
    pub run_details: RunDetails,
}

/// What was run, and on what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildDefinition {
    /// How to read the parameters: a URI, for ours one of [`BuildType`].
    pub build_type: String,
    /// What the user chose. Nothing may be missing, and nothing of it is to be trusted.
    pub external_parameters: Value,
    /// What the place of the run chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub internal_parameters: Option<Value>,
    /// What was read. The role of each stands among its annotations, under [`ROLE`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resolved_dependencies: Vec<ResourceDescriptor>,
}

/// One run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunDetails {
    /// Who ran it, and vouches for what is said here.
    pub builder: Builder,
    /// Which run it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<BuildMetadata>,
    /// What else came out: logs, reports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub byproducts: Vec<ResourceDescriptor>,
}

/// Who ran it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Builder {
    /// A URI.
    pub id: String,
    /// Versions of its parts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub version: BTreeMap<String, String>,
    /// What it is made of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub builder_dependencies: Vec<ResourceDescriptor>,
}

/// Which run it was, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildMetadata {
    /// The builder's name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invocation_id: Option<String>,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_on: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_on: Option<Timestamp>,
}

/// The steps in the life of a model that have a build type of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BuildType {
    /// A model from data.
    Train,
    /// A model from another one and data.
    FineTune,
    /// A model from several.
    Merge,
    /// A model with smaller numbers.
    Quantize,
    /// The same weights in another container.
    Convert,
    /// Data from data.
    PrepareDataset,
}

impl BuildType {
    /// Every one.
    pub const ALL: [Self; 6] =
        [Self::Train, Self::FineTune, Self::Merge, Self::Quantize, Self::Convert, Self::PrepareDataset];

    /// Its short name, as commands take it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::FineTune => "fine-tune",
            Self::Merge => "merge",
            Self::Quantize => "quantize",
            Self::Convert => "convert",
            Self::PrepareDataset => "prepare-dataset",
        }
    }

    /// Its URI.
    #[must_use]
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Train => "https://waag.dev/build-types/train/v1",
            Self::FineTune => "https://waag.dev/build-types/fine-tune/v1",
            Self::Merge => "https://waag.dev/build-types/merge/v1",
            Self::Quantize => "https://waag.dev/build-types/quantize/v1",
            Self::Convert => "https://waag.dev/build-types/convert/v1",
            Self::PrepareDataset => "https://waag.dev/build-types/prepare-dataset/v1",
        }
    }

    /// The one of a URI.
    #[must_use]
    pub fn of_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|build_type| build_type.uri() == uri)
    }
}

impl fmt::Display for BuildType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The role of a dependency, where its annotations name one.
#[must_use]
pub fn role_of(dependency: &ResourceDescriptor) -> Option<Role> {
    dependency.annotations.get(ROLE)?.as_str()?.parse().ok()
}

/// A dependency with its role.
#[must_use]
pub fn with_role(mut dependency: ResourceDescriptor, role: Role) -> ResourceDescriptor {
    dependency.annotations.insert(ROLE.to_owned(), role.name().into());
    dependency
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_keeps_its_role() {
        let dependency = with_role(ResourceDescriptor::default(), Role::Dataset);
        assert_eq!(role_of(&dependency), Some(Role::Dataset));
        assert_eq!(role_of(&ResourceDescriptor::default()), None);
    }

    #[test]
    fn build_types_are_known_by_their_uris() {
        for build_type in BuildType::ALL {
            assert_eq!(BuildType::of_uri(build_type.uri()), Some(build_type));
            assert_eq!(serde_json::to_value(build_type).unwrap(), build_type.name());
        }
    }

    #[test]
    fn the_least_that_the_specification_asks_for_is_read() {
        let text = r#"{"buildDefinition":{"buildType":"https://example.org/b","externalParameters":{}},"runDetails":{"builder":{"id":"https://example.org/b"}}}"#;
        let provenance: Provenance = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&provenance).unwrap(), text);
    }
}
