//! The model brings no code of its own.

use super::findings::{REMOTE_CODE, or_pass};
use super::{Control, Group, Level};

pub(super) static CONTROL: Control = Control {
    id: REMOTE_CODE,
    group: Group::Models,
    title: "no code that comes with the model or is fetched for it",
    why: "A configuration can make the loader import Python that lies beside the weights or on a hub.",
    needs: "the findings of the rule remote-code",
    pass: "Take a model that the library itself can load, or read that code at a pinned revision and except it by rule and path.",
    default: Level::Deny,
    least: Level::Deny,
    judge: |_, evidence, policy| {
        or_pass(REMOTE_CODE, evidence, policy, "no configuration asks for code of the model's own")
    },
};
