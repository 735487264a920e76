//! The licence agrees with those of base model, adapter and data.

use super::practice::{Measure, Practice};
use super::{Control, Group, Level};
use crate::project::Topic;

pub(super) static CONTROL: Control = Control {
    id: PRACTICE.id,
    group: Group::Models,
    title: "the licence agrees with those of base model, adapter and data",
    why: "A derived model can give away only what it was given.",
    needs: "cards, licence files, and the claims of what a model was made from",
    pass: "Take the licence that the base asks for, or another base.",
    default: Level::DenyKnown,
    least: Level::Off,
    judge: |_, evidence, policy| PRACTICE.judge(evidence, policy),
};

static PRACTICE: Practice = Practice {
    id: "licence-compatible",
    topic: Topic::LicenceChain,
    measure: Measure::Danger,
    nothing: "nothing says what it was made from",
    clean: "the licences agree",
};
