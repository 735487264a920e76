//! A licence is stated, by a name that can be looked up.

use super::practice::{Measure, Practice};
use super::{Control, Group, Level};
use crate::project::Topic;

pub(super) static CONTROL: Control = Control {
    id: PRACTICE.id,
    group: Group::Models,
    title: "a licence is stated, by a name that can be looked up",
    why: "Without a licence nobody may use it, whatever its card says.",
    needs: "cards, licence files and what weights say of themselves",
    pass: "Name an SPDX licence in the card's `license`, and put its text beside the model.",
    default: Level::Advise,
    least: Level::Off,
    judge: |_, evidence, policy| PRACTICE.judge(evidence, policy),
};

static PRACTICE: Practice = Practice {
    id: "licence-stated",
    topic: Topic::Licences,
    measure: Measure::Practice,
    nothing: "there is nothing that has a licence",
    clean: "a licence is stated",
};
