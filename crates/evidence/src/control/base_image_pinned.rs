//! Base images are pinned by digest.

use super::practice::{Measure, Practice};
use super::{Control, Group, Level};
use crate::project::Topic;

pub(super) static CONTROL: Control = Control {
    id: PRACTICE.id,
    group: Group::Dependencies,
    title: "base images are pinned by digest",
    why: "A tag is moved whenever its owner likes.",
    needs: "Dockerfiles, Containerfiles and compose files",
    pass: "Write the digest behind the tag: `FROM python:3.12@sha256:…`.",
    default: Level::Advise,
    least: Level::Off,
    judge: |_, evidence, policy| PRACTICE.judge(evidence, policy),
};

static PRACTICE: Practice = Practice {
    id: "base-image-pinned",
    topic: Topic::Images,
    measure: Measure::Practice,
    nothing: "there is no Dockerfile",
    clean: "every base image has a digest",
};
