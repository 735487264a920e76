//! No advisory is known for the packages that are used.

use super::practice::{Measure, Practice};
use super::{Control, Group, Level};
use crate::project::Topic;

pub(super) static CONTROL: Control = Control {
    id: PRACTICE.id,
    group: Group::Dependencies,
    title: "no advisory is known for the packages that are used",
    why: "A published weakness is the first thing that is tried.",
    needs: "the project's pins, and advisories that were imported",
    pass: "Update to the version that the finding names.",
    default: Level::DenyKnown,
    least: Level::Off,
    judge: |_, evidence, policy| PRACTICE.judge(evidence, policy),
};

static PRACTICE: Practice = Practice {
    id: "no-known-advisory",
    topic: Topic::Advisories,
    measure: Measure::Danger,
    nothing: "there are no dependency files",
    clean: "no advisory is known",
};
