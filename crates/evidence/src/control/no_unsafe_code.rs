//! The project's code loads nothing that can run code.

use super::practice::{Measure, Practice};
use super::{Control, Group, Level};
use crate::project::Topic;

pub(super) static CONTROL: Control = Control {
    id: PRACTICE.id,
    group: Group::Training,
    title: "the project's code loads nothing that can run code",
    why: "A script that unpickles what it downloaded hands over the machine that trains.",
    needs: "the project's Python files, notebooks and configurations",
    pass: "Load weights only, from safetensors where you can, and leave `trust_remote_code` out.",
    default: Level::DenyKnown,
    least: Level::Off,
    judge: |_, evidence, policy| PRACTICE.judge(evidence, policy),
};

static PRACTICE: Practice = Practice {
    id: "no-unsafe-code",
    topic: Topic::Code,
    measure: Measure::Danger,
    nothing: "there is no code",
    clean: "nothing in the code loads what can run code",
};
