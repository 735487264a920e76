//! An image is built from what was verified, and keeps no secrets.

use super::practice::{Measure, Practice};
use super::{Control, Group, Level};
use crate::project::Topic;

pub(super) static CONTROL: Control = Control {
    id: PRACTICE.id,
    group: Group::Dependencies,
    title: "an image is built from what was verified, and keeps no secrets",
    why: "What is fetched while an image is built becomes part of it, and so does what is written into its layers.",
    needs: "Dockerfiles and Containerfiles",
    pass: "Do what the finding says: fetch by digest, mount secrets instead of copying them, run as a user of its own.",
    default: Level::DenyKnown,
    least: Level::Off,
    judge: |_, evidence, policy| PRACTICE.judge(evidence, policy),
};

static PRACTICE: Practice = Practice {
    id: "image-built-safely",
    topic: Topic::Builds,
    measure: Measure::Danger,
    nothing: "there is no Dockerfile",
    clean: "nothing dangerous is done while it is built",
};
