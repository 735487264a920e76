//! Packages come from where nobody else can put them.

use super::practice::{Measure, Practice};
use super::{Control, Group, Level};
use crate::project::Topic;

pub(super) static CONTROL: Control = Control {
    id: PRACTICE.id,
    group: Group::Dependencies,
    title: "packages come from where nobody else can put them",
    why: "An index that anybody can add to, a branch that moves, or a changed file of an installed package is code of somebody else.",
    needs: "the project's dependency files and locks",
    pass: "Take packages from one index over https, pin repositories to a commit, and install again what was changed.",
    default: Level::DenyKnown,
    least: Level::Off,
    judge: |_, evidence, policy| PRACTICE.judge(evidence, policy),
};

static PRACTICE: Practice = Practice {
    id: "dependency-sources",
    topic: Topic::Dependencies,
    measure: Measure::Danger,
    nothing: "there are no dependency files",
    clean: "no package can be replaced by somebody else's",
};
