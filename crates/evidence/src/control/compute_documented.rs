//! It is written down which CUDA and cuDNN the project computes with.

use super::practice::{Measure, Practice};
use super::{Control, Group, Level};
use crate::project::Topic;

pub(super) static CONTROL: Control = Control {
    id: PRACTICE.id,
    group: Group::Dependencies,
    title: "it is written down which CUDA and cuDNN the project computes with",
    why: "Results differ between versions of CUDA, and nobody can make the model again without it.",
    needs: "the versions that dependency files, images and indexes name",
    pass: "Name the wheel index or the base image with its CUDA version.",
    default: Level::Advise,
    least: Level::Off,
    judge: |_, evidence, policy| PRACTICE.judge(evidence, policy),
};

static PRACTICE: Practice = Practice {
    id: "compute-documented",
    topic: Topic::Compute,
    measure: Measure::Practice,
    nothing: "no framework is named that computes on graphics cards",
    clean: "it is written down",
};
