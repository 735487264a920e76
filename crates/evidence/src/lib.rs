//! The vocabulary of waag: what is named, what is thought of it, and what follows. Pure: no input, no output, no clock.

pub mod condition;
pub mod control;
pub mod dependency;
pub mod digest;
pub mod exception;
pub mod finding;
pub mod gathered;
pub mod ingredient;
pub mod lock;
pub mod manifest;
pub mod policy;
pub mod project;
pub mod rule;
pub mod statement;
pub mod strict;
pub mod trust;
pub mod unique;
pub mod verdict;

pub use control::{CONTROLS, Control, Level, Outcome};
pub use dependency::{Dependency, DependencySource, Ecosystem, Standing};
pub use digest::Sha256Digest;
pub use finding::{Confidence, Finding, Location, Persona, Severity};
pub use gathered::{Ancestry, Evidence, Subject};
pub use manifest::{HashAlgorithm, Manifest};
pub use policy::Policy;
pub use project::{Look, NotKnown, ProjectEvidence, Topic};
pub use trust::TrustPolicy;
pub use verdict::{Decision, Verdict, evaluate};
