//! The training script is known by digest.

use super::recorded::{NEXT, asked, few};
use super::{Control, Group, Level};
use crate::statement::role::Role;

pub(super) static CONTROL: Control = Control {
    id: "script-versioned",
    group: Group::Training,
    title: "the training script is named by digest or commit",
    why: "The same data and another script make another model.",
    needs: "a trusted provenance with a dependency in the role code that has a digest",
    pass: "Record the run with `waag run` in a Git repository.",
    default: Level::Advise,
    least: Level::Off,
    judge: |_, evidence, _| {
        asked(evidence, "script by digest", NEXT, |facts| {
            let digested = facts.in_role(Role::Code).filter(|code| code.digested);
            let names: Vec<String> = digested.map(|code| code.name.clone()).collect();
            (!names.is_empty()).then(|| few(&names))
        })
    },
};
