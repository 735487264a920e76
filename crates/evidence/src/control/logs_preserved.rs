//! Logs are kept.

use super::recorded::{NEXT, asked, few};
use super::{Control, Group, Level};

pub(super) static CONTROL: Control = Control {
    id: "logs-preserved",
    group: Group::Training,
    title: "logs of the run are kept",
    why: "A loss that went wrong or a warning of a library is only in the logs.",
    needs: "a trusted provenance with byproducts that are logs",
    pass: "Record the run with `waag run`, which keeps what the command prints.",
    default: Level::Advise,
    least: Level::Off,
    judge: |_, evidence, _| asked(evidence, "log", NEXT, |facts| (!facts.logs.is_empty()).then(|| few(&facts.logs))),
};
