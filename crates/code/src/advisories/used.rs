//! Which of the versions that a project names are used.

use std::collections::BTreeSet;

use waag_evidence::dependency::normalised;
use waag_evidence::{Dependency, Ecosystem, Standing};

/// Which versions the project uses, as far as it says so.
pub(super) struct Used {
    /// Packages that it needs.
    named: BTreeSet<String>,
    /// Those of which it says the version.
    exact: BTreeSet<String>,
    /// Those of which only a list of constraints says the version.
    constrained: BTreeSet<String>,
}

impl Used {
    pub(super) fn of(dependencies: &[Dependency]) -> Self {
        let python = || dependencies.iter().filter(|one| one.ecosystem == Ecosystem::Pypi);
        let is_constraint = |one: &&Dependency| one.standing == Standing::Constrained;
        let name = |one: &Dependency| normalised(&one.name);
        let named = || python().filter(|one| !is_constraint(one));
        let constrained = python().filter(is_constraint).filter(|one| one.version.is_some());
        Self {
            named: named().map(name).collect(),
            exact: named().filter(|one| one.version.is_some()).map(name).collect(),
            constrained: constrained.map(name).collect(),
        }
    }

    /// Whether a package is looked up. A constraint installs nothing: it is the version of what is needed in any.
    pub(super) fn counts(&self, dependency: &Dependency) -> bool {
        let name = normalised(&dependency.name);
        let is_constraint = dependency.ecosystem == Ecosystem::Pypi && dependency.standing == Standing::Constrained;
        !is_constraint || (dependency.version.is_some() && self.named.contains(&name) && !self.exact.contains(&name))
    }

    /// Whether something says which version of a package is used.
    pub(super) fn says_version(&self, name: &str) -> bool {
        self.exact.contains(name) || self.constrained.contains(name)
    }
}
