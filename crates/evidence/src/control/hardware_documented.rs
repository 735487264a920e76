//! The hardware is known.

use super::recorded::{NEXT, asked, few};
use super::{Control, Group, Level};

pub(super) static CONTROL: Control = Control {
    id: "hardware-documented",
    group: Group::Training,
    title: "the hardware that it was made on is documented",
    why: "Numbers come out differently on other processors, drivers and libraries.",
    needs: "a trusted provenance with parameters that name hardware",
    pass: "Record the run with `waag run`, which writes down processors, drivers and CUDA.",
    default: Level::Advise,
    least: Level::Off,
    judge: |_, evidence, _| {
        asked(evidence, "hardware", NEXT, |facts| (!facts.hardware.is_empty()).then(|| few(&facts.hardware)))
    },
};
