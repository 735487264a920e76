//! Every package that the project needs is pinned to one version.

use super::practice::{Measure, Practice};
use super::{Control, Group, Level};
use crate::project::Topic;

pub(super) static CONTROL: Control = Control {
    id: PRACTICE.id,
    group: Group::Dependencies,
    title: "every package that the project needs is pinned to one version, and none of these was withdrawn",
    why: "What is not pinned is another version tomorrow, and nobody can say which one the model was made with.",
    needs: "the project's dependency files and locks",
    pass: "Pin with `==`, or keep a lock file (uv.lock, poetry.lock, pylock.toml) beside the declaration.",
    default: Level::Advise,
    least: Level::Off,
    judge: |_, evidence, policy| PRACTICE.judge(evidence, policy),
};

static PRACTICE: Practice = Practice {
    id: "versions-pinned",
    topic: Topic::Dependencies,
    measure: Measure::Practice,
    nothing: "there are no dependency files",
    clean: "every package is pinned",
};
