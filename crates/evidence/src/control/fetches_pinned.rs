//! What the code downloads is pinned.

use super::practice::{Measure, Practice};
use super::{Control, Group, Level};
use crate::project::Topic;

pub(super) static CONTROL: Control = Control {
    id: PRACTICE.id,
    group: Group::Training,
    title: "what the code fetches is pinned, and is found on other machines too",
    why: "A model or dataset by name alone is another one tomorrow, and a path of one machine is nothing on another.",
    needs: "the project's Python files, notebooks and configurations",
    pass: "Give a commit as `revision`, or a digest to check against.",
    default: Level::Advise,
    least: Level::Off,
    judge: |_, evidence, policy| PRACTICE.judge(evidence, policy),
};

static PRACTICE: Practice = Practice {
    id: "fetches-pinned",
    topic: Topic::Code,
    measure: Measure::Practice,
    nothing: "there is no code",
    clean: "everything that the code downloads is pinned",
};
