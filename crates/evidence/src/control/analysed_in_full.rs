//! Nothing was left out.

use super::findings::{ANALYSED, or_pass};
use super::{Control, Group, Level};

pub(super) static CONTROL: Control = Control {
    id: ANALYSED,
    group: Group::Models,
    title: "everything that decides what loading does was analysed",
    why: "What was not read cannot be called clean.",
    needs: "the findings of a scan that say what was not analysed",
    pass: "Get the file whole, unencrypted and in a format that is read in full.",
    default: Level::Inconclusive,
    least: Level::Inconclusive,
    judge: |_, evidence, policy| or_pass(ANALYSED, evidence, policy, "nothing that loading executes was left out"),
};
