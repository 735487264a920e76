//! Seeds were set.

use super::recorded::{asked, few};
use super::{Control, Group, Level};

pub(super) static CONTROL: Control = Control {
    id: "seeds-set",
    group: Group::Training,
    title: "the seeds of random numbers were set and written down",
    why: "Without them the run cannot be repeated.",
    needs: "a trusted provenance with parameters whose names speak of seeds",
    pass: "Set the seeds in the script, and record the run with `waag run`.",
    default: Level::Advise,
    least: Level::Off,
    judge: |_, evidence, _| {
        let next = "set the seeds in the script, and record the run again";
        asked(evidence, "seed", next, |facts| (!facts.seeds.is_empty()).then(|| few(&facts.seeds)))
    },
};
