//! How something was made, as a person tells it.

use serde_json::{Map, Value};
use waag_evidence::statement::provenance::{BuildDefinition, BuildType, Builder, Provenance, RunDetails};

use super::dependency::{Dependency, DependencyError};
use crate::scan::Progress;

/// The builder where nobody watched the run: whoever signs says so.
pub const DECLARED: &str = "https://waag.dev/builders/declared/v1";

/// What a person tells of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// Which step.
    pub build_type: BuildType,
    /// Who ran it: a URI.
    pub builder: Option<String>,
    /// What was chosen.
    pub parameters: Map<String, Value>,
    /// What was read.
    pub dependencies: Vec<Dependency>,
}

impl Declared {
    /// The provenance. What is on this machine is digested.
    ///
    /// # Errors
    /// When a dependency cannot be named.
    pub fn provenance(&self, progress: &dyn Progress) -> Result<Provenance, DependencyError> {
        let dependencies = self.dependencies.iter().map(|dependency| dependency.descriptor(progress));
        Ok(Provenance {
            build_definition: BuildDefinition {
                build_type: self.build_type.uri().to_owned(),
                external_parameters: Value::Object(self.parameters.clone()),
                internal_parameters: None,
                resolved_dependencies: dependencies.collect::<Result<_, _>>()?,
            },
            run_details: RunDetails {
                builder: Builder {
                    id: self.builder.clone().unwrap_or_else(|| DECLARED.to_owned()),
                    ..Builder::default()
                },
                ..RunDetails::default()
            },
        })
    }
}
