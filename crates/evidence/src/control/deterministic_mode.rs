//! The code asks for deterministic algorithms.

use super::practice::{Measure, Practice};
use super::{Control, Group, Level};
use crate::project::Topic;

pub(super) static CONTROL: Control = Control {
    id: PRACTICE.id,
    group: Group::Training,
    title: "the code asks for deterministic algorithms",
    why: "With seeds alone, two runs on the same graphics card still differ.",
    needs: "the project's training code",
    pass: "Call `torch.use_deterministic_algorithms(True)`, and set CUBLAS_WORKSPACE_CONFIG before CUDA starts.",
    default: Level::Advise,
    least: Level::Off,
    judge: |_, evidence, policy| PRACTICE.judge(evidence, policy),
};

static PRACTICE: Practice = Practice {
    id: "deterministic-mode",
    topic: Topic::Training,
    measure: Measure::Practice,
    nothing: "there is no code that trains",
    clean: "nothing was seen in it that differs from run to run",
};
