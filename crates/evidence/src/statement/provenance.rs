//! How artifacts were made: SLSA's provenance, version 1. What a build type means for models is in `docs/build-types.md`.
//!
//! <https://slsa.dev/spec/v1.2/build-provenance>

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ResourceDescriptor;
use super::evidence::{EvidenceType, Maker, reading};
use super::predicate::{InvalidPredicate, Line, Predicate, check_descriptor, check_uri, told};
use super::role::Role;

/// The predicate's type.
pub const PREDICATE_TYPE: &str = "https://slsa.dev/provenance/v1";
/// The key among a dependency's annotations that holds its [`Role`].
pub const ROLE: &str = "role";

/// Parameters and dependencies that are told one by one.
const MAX_LISTED: usize = 20;
/// Parameters that every build type of ours may have.
const COMMON_PARAMETERS: [&str; 4] = ["command", "script", "parameters", "seed"];

pub(super) static TYPE: EvidenceType = EvidenceType {
    id: "provenance",
    title: "SLSA provenance",
    about: "what it was made from, by what and by whom",
    uris: &[PREDICATE_TYPE],
    versioned: false,
    specification: "https://slsa.dev/spec/v1.2/build-provenance",
    maker: Maker::Attest,
    read: |value| reading::<Provenance>(PREDICATE_TYPE, value),
};

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

    /// What it is, in a few words.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Train => "a model from data",
            Self::FineTune => "a model from another one and data",
            Self::Merge => "a model from several",
            Self::Quantize => "a model with smaller numbers",
            Self::Convert => "the same weights in another container",
            Self::PrepareDataset => "data from data",
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

    /// Parameters that it may have beside those of every build type, as `docs/build-types.md` defines them.
    #[must_use]
    pub const fn own_parameters(self) -> &'static [&'static str] {
        match self {
            Self::Train | Self::PrepareDataset => &[],
            Self::FineTune | Self::Merge => &["method"],
            Self::Quantize => &["method", "bits", "groupSize"],
            Self::Convert => &["tied", "shardSize"],
        }
    }

    /// Whether a parameter is one that its definition names. What the others mean, nobody knows.
    #[must_use]
    pub fn knows(self, parameter: &str) -> bool {
        COMMON_PARAMETERS.contains(&parameter) || self.own_parameters().contains(&parameter)
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

impl Predicate for Provenance {
    fn check(&self) -> Result<(), InvalidPredicate> {
        let BuildDefinition { build_type, external_parameters, internal_parameters, .. } = &self.build_definition;
        check_uri("buildDefinition.buildType", build_type)?;
        if !external_parameters.is_object() {
            return Err(InvalidPredicate::at("buildDefinition.externalParameters", "an object is expected"));
        }
        if internal_parameters.as_ref().is_some_and(|parameters| !parameters.is_object()) {
            return Err(InvalidPredicate::at("buildDefinition.internalParameters", "an object is expected"));
        }
        check_uri("runDetails.builder.id", &self.run_details.builder.id)?;
        let lists = [
            ("buildDefinition.resolvedDependencies", &self.build_definition.resolved_dependencies),
            ("runDetails.builder.builderDependencies", &self.run_details.builder.builder_dependencies),
            ("runDetails.byproducts", &self.run_details.byproducts),
        ];
        for (list, descriptors) in lists {
            for (index, descriptor) in descriptors.iter().enumerate() {
                check_descriptor(format_args!("{list}[{index}]"), descriptor)?;
            }
        }
        self.check_roles()?;
        match &self.run_details.metadata {
            Some(BuildMetadata { started_on: Some(start), finished_on: Some(end), .. }) if end < start => {
                Err(InvalidPredicate::at("runDetails.metadata.finishedOn", "it is before startedOn"))
            }
            _ => Ok(()),
        }
    }

    fn summary(&self) -> Vec<Line> {
        let BuildDefinition { build_type, resolved_dependencies, .. } = &self.build_definition;
        let mut lines = vec![Line::new("build type", build_type), Line::new("builder", &self.run_details.builder.id)];
        lines.extend(self.parameter_lines());
        for dependency in resolved_dependencies.iter().take(MAX_LISTED) {
            let role = role_of(dependency).map_or("dependency", Role::name);
            lines.push(Line::new("from", format_args!("{role}: {}", told(dependency))));
        }
        let more = resolved_dependencies.len().saturating_sub(MAX_LISTED);
        lines.extend((more > 0).then(|| Line::new("from", format_args!("and {more} more"))));
        let metadata = self.run_details.metadata.iter();
        lines.extend(metadata.flat_map(|metadata| metadata.finished_on).map(|time| Line::new("finished", time)));
        lines
    }
}

impl Provenance {
    /// Roles stand where models of ours are made, and only words that are defined; other builders may say anything.
    fn check_roles(&self) -> Result<(), InvalidPredicate> {
        if BuildType::of_uri(&self.build_definition.build_type).is_none() {
            return Ok(());
        }
        for (index, dependency) in self.build_definition.resolved_dependencies.iter().enumerate() {
            let named = dependency.annotations.get(ROLE);
            if let Some(role) = named.filter(|_| role_of(dependency).is_none()) {
                let place = format!("buildDefinition.resolvedDependencies[{index}].annotations.role");
                return Err(InvalidPredicate::at(
                    place,
                    format_args!("{role} is no role: docs/build-types.md lists them"),
                ));
            }
        }
        Ok(())
    }

    /// What the user chose. A parameter that the build type does not define is told as such: it may change what came out.
    fn parameter_lines(&self) -> Vec<Line> {
        let build_type = BuildType::of_uri(&self.build_definition.build_type);
        let parameters = self.build_definition.external_parameters.as_object();
        let line = |(name, value): (&String, &Value)| match build_type {
            Some(build_type) if build_type.knows(name) => Line::new("parameter", format_args!("{name} = {value}")),
            _ => Line::new("unknown", format_args!("parameter {name} = {value}")),
        };
        parameters.into_iter().flatten().take(MAX_LISTED).map(line).collect()
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
    fn every_role_and_build_type_is_on_its_page() {
        let page = include_str!("../../../../docs/build-types.md");
        for role in Role::ALL {
            assert!(page.contains(&format!("| `{role}` |")), "{role}");
        }
        for build_type in BuildType::ALL {
            assert!(page.contains(build_type.uri()), "{build_type}");
            for parameter in COMMON_PARAMETERS.iter().chain(build_type.own_parameters()) {
                assert!(page.contains(&format!("| `{parameter}` |")), "{build_type}: {parameter}");
            }
        }
    }

    #[test]
    fn what_is_wrong_is_placed() {
        let good = serde_json::json!({
            "buildDefinition": {
                "buildType": BuildType::Train.uri(),
                "externalParameters": {"seed": 1, "odd": true},
                "resolvedDependencies": [{"uri": "pkg:huggingface/a/b", "annotations": {"role": "dataset"}}],
            },
            "runDetails": {
                "builder": {"id": "https://example.org/b"},
                "metadata": {"startedOn": "2026-01-01T00:00:00Z", "finishedOn": "2026-01-01T00:00:01Z"},
            },
        });
        let lines = crate::statement::predicate::read::<Provenance>(&good).unwrap().summary();
        assert!(lines.contains(&Line::new("parameter", "seed = 1")), "{lines:?}");
        assert!(lines.contains(&Line::new("unknown", "parameter odd = true")), "{lines:?}");
        let place = |pointer: &str, other: Value| {
            let mut value = good.clone();
            *value.pointer_mut(pointer).unwrap() = other;
            crate::statement::predicate::read::<Provenance>(&value).unwrap_err().place
        };
        let (build, run) = ("buildDefinition", "runDetails");
        assert_eq!(place("/buildDefinition/buildType", "train".into()), format!("{build}.buildType"));
        assert_eq!(place("/buildDefinition/externalParameters", Value::Null), format!("{build}.externalParameters"));
        assert_eq!(
            place("/buildDefinition/resolvedDependencies/0/annotations/role", "data".into()),
            format!("{build}.resolvedDependencies[0].annotations.role")
        );
        assert_eq!(
            place("/buildDefinition/resolvedDependencies/0", serde_json::json!({"digest": {"sha256": "AB"}})),
            format!("{build}.resolvedDependencies[0].digest")
        );
        assert_eq!(place("/runDetails/builder", serde_json::json!({})), format!("{run}.builder"));
        assert_eq!(
            place("/runDetails/metadata/finishedOn", "2025-01-01T00:00:00Z".into()),
            format!("{run}.metadata.finishedOn")
        );
    }

    #[test]
    fn the_least_that_the_specification_asks_for_is_read() {
        let text = r#"{"buildDefinition":{"buildType":"https://example.org/b","externalParameters":{}},"runDetails":{"builder":{"id":"https://example.org/b"}}}"#;
        let provenance: Provenance = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&provenance).unwrap(), text);
    }
}
