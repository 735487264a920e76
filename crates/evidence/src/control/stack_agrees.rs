//! Framework, Python, CUDA, cuDNN and driver fit together.

use super::practice::{Measure, Practice};
use super::{Control, Group, Level};
use crate::project::Topic;

pub(super) static CONTROL: Control = Control {
    id: PRACTICE.id,
    group: Group::Dependencies,
    title: "framework, Python, CUDA, cuDNN and driver fit together",
    why: "What does not fit fails late: at the first import, at the first kernel, or silently on the processor.",
    needs: "the versions that dependency files, images and indexes name, and the published tables",
    pass: "Change the version that the finding names.",
    default: Level::DenyKnown,
    least: Level::Off,
    judge: |_, evidence, policy| PRACTICE.judge(evidence, policy),
};

static PRACTICE: Practice = Practice {
    id: "stack-agrees",
    topic: Topic::Stack,
    measure: Measure::Danger,
    nothing: "no framework is named whose versions are known here",
    clean: "the versions fit together",
};
