//! A run writes down what it did.

use super::practice::{Measure, Practice};
use super::{Control, Group, Level};
use crate::project::Topic;

pub(super) static CONTROL: Control = Control {
    id: PRACTICE.id,
    group: Group::Training,
    title: "training writes down its settings and results",
    why: "Numbers that nobody kept cannot be compared with those of the next run.",
    needs: "the project's training code",
    pass: "Log to a tracker (MLflow, Weights & Biases, TensorBoard), or record the run with `waag run`.",
    default: Level::Advise,
    least: Level::Off,
    judge: |_, evidence, policy| PRACTICE.judge(evidence, policy),
};

static PRACTICE: Practice = Practice {
    id: "experiment-tracked",
    topic: Topic::Training,
    measure: Measure::Strict,
    nothing: "there is no code that trains",
    clean: "no training was seen that keeps nothing of itself",
};
