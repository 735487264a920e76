//! Nothing dangerous was found.

use super::findings::{DANGEROUS, or_pass};
use super::{Control, Group, Level};

pub(super) static CONTROL: Control = Control {
    id: DANGEROUS,
    group: Group::Models,
    title: "scanned, and nothing dangerous was found",
    why: "Loading many formats can run code that a stranger put there.",
    needs: "the findings of a scan, but those that other controls speak of",
    pass: "Take the file away, or get it in a format that runs nothing; what was reviewed is excepted in waag.toml by rule and path.",
    default: Level::Deny,
    least: Level::Deny,
    judge: |_, evidence, policy| or_pass(DANGEROUS, evidence, policy, "no finding is grave enough to stop it"),
};
