//! Pins carry the digests of what they pin.

use super::practice::{Measure, Practice};
use super::{Control, Group, Level};
use crate::project::Topic;

pub(super) static CONTROL: Control = Control {
    id: PRACTICE.id,
    group: Group::Dependencies,
    title: "pins carry the digests of what they pin",
    why: "A version is a name on a server; a digest is the bytes.",
    needs: "the project's dependency files and locks",
    pass: "Write hashes into the pins: `uv lock`, or `pip-compile --generate-hashes`.",
    default: Level::Advise,
    least: Level::Off,
    judge: |_, evidence, policy| PRACTICE.judge(evidence, policy),
};

static PRACTICE: Practice = Practice {
    id: "pins-hashed",
    topic: Topic::Pins,
    measure: Measure::Practice,
    nothing: "no package is pinned to one version",
    clean: "every pin has a digest",
};
