//! Whether torch, torchvision, torchaudio, TensorFlow, Keras, JAX, Python, CUDA, cuDNN, driver, base image and wheel index
//! of a project go together, and the smallest change after which they do. By tables that are shipped with waag; where they
//! end, that is said, and nothing is called fine.

mod builds;
mod claim;
pub mod driver;
mod families;
mod fix;
mod gather;
mod incompatible_stack;
mod judge;
pub mod python;
mod reduced_stack;
mod tables;
#[cfg(test)]
mod tests;
mod untested_stack;
mod version;

use serde::Serialize;
use waag_engine::rules::Meta;
use waag_evidence::{Dependency, Finding, Location};

use crate::telling::incomplete;

pub use claim::{Claim, Part, Voice};
pub use fix::Change;
pub use judge::{Conflict, Grade, NotKnown};
pub use tables::MADE;

/// The checks of this room.
pub static RULES: &[&Meta] = &[&incompatible_stack::META, &reduced_stack::META, &untested_stack::META];

/// Something that a place says, as it is written there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// A version, constraint, address or name of an image.
    pub text: String,
    /// Where it stands.
    pub location: Location,
    /// The group, extra or stage that it holds for; none for the project itself.
    pub group: Option<String>,
}

/// What is known of a project's stack.
#[derive(Debug, Clone, Copy, Default)]
pub struct Project<'a> {
    /// Everything that it needs, from whatever file.
    pub dependencies: &'a [Dependency],
    /// Which Python it says that it uses.
    pub python: &'a [Statement],
    /// Addresses of indexes that are named in options of installers or in settings.
    pub indexes: &'a [Statement],
    /// Base images, as `FROM` names them.
    pub images: &'a [Statement],
    /// The version of NVIDIA's driver, where somebody says so.
    pub driver: Option<&'a Statement>,
}

/// What was found out.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Stack {
    /// What the project says its stack is.
    pub claims: Vec<Claim>,
    /// Whether CUDA or cuDNN is said anywhere: by a base image, an index, a tag or a pin.
    pub cuda_documented: bool,
    /// Pairs of claims that were compared. None were: nothing is known of whether they go together.
    pub compared: usize,
    /// How often something was compared with the driver.
    pub compared_with_driver: usize,
    /// What does not go together.
    pub conflicts: Vec<Conflict>,
    /// What the tables do not have.
    pub not_known: Vec<NotKnown>,
    /// The smallest change after which nothing is left that cannot start, as far as one was found.
    pub fix: Vec<Change>,
    /// Claims beyond those that are compared.
    pub left_out: usize,
    /// The day on which the tables were made.
    pub tables: &'static str,
}

impl Stack {
    /// The claims that document CUDA or cuDNN.
    pub fn documented_cuda(&self) -> impl Iterator<Item = &Claim> {
        self.claims.iter().filter(|claim| documents_cuda(claim))
    }
}

fn documents_cuda(claim: &Claim) -> bool {
    matches!(claim.part, Part::Cuda | Part::Cudnn) || (claim.part == Part::Nvidia && claim.admitted.one().is_some())
}

/// Compares everything that a project says of its stack.
#[must_use]
pub fn examine(project: &Project<'_>) -> (Stack, Vec<Finding>) {
    let (claims, left_out) = gather::claims(project);
    let judgement = judge::judge(&claims);
    let fix = if judgement.conflicts.is_empty() { Vec::new() } else { fix::plan(&claims) };
    let stack = Stack {
        cuda_documented: claims.iter().any(documents_cuda),
        compared: judgement.compared,
        compared_with_driver: judgement.compared_with_driver,
        conflicts: judgement.conflicts,
        not_known: judgement.unknown.into_iter().collect(),
        fix,
        left_out,
        claims,
        tables: MADE,
    };
    let findings = findings(&stack);
    (stack, findings)
}

fn findings(stack: &Stack) -> Vec<Finding> {
    let each = stack.conflicts.iter().map(|conflict| match conflict.grade {
        Grade::WillNotStart => incompatible_stack::finding(conflict, &stack.fix),
        Grade::MayLackFeatures => reduced_stack::finding(conflict, &stack.fix),
        Grade::Untested => untested_stack::finding(conflict),
    });
    let mut all: Vec<Finding> = each.collect();
    if let Some(first) = stack.claims.first().filter(|_| stack.left_out > 0) {
        let message = format!("{} more statements about the stack are not compared", stack.left_out);
        all.push(incomplete(
            &Location::file(&first.location.file),
            &message,
            "Look at parts of the project one by one.",
        ));
    }
    all
}

/// The changes that concern a conflict, in words.
fn next_step(conflict: &Conflict, fix: &[Change], otherwise: &str) -> String {
    if fix.is_empty() {
        return otherwise.to_owned();
    }
    let told: Vec<String> =
        fix.iter().map(|change| format!("{} ({})", change.told(), place(&change.location))).collect();
    let other = place(&conflict.other);
    let mut text = told.join(", and ");
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    if conflict.other == conflict.location {
        format!("{text}.")
    } else {
        format!("{text}; the other place is {other}.")
    }
}

fn place(location: &Location) -> String {
    let path = waag_engine::sanitize::sanitize(&location.path());
    location.line.map_or_else(|| path.clone(), |line| format!("{path}:{line}"))
}
