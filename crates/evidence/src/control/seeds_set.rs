//! Seeds were set.

use super::practice::{Measure, Practice};
use super::recorded::{asked, few};
use super::{Control, Group, Level, Observation, Outcome};
use crate::gathered::{Evidence, Subject};
use crate::policy::Policy;
use crate::project::Topic;

pub(super) static CONTROL: Control = Control {
    id: "seeds-set",
    group: Group::Training,
    title: "the seeds of random numbers were set",
    why: "Without them the run cannot be repeated.",
    needs: "the project's training code, or a trusted provenance with parameters whose names speak of seeds",
    pass: "Set the seeds in the script, and record the run with `waag run`.",
    default: Level::Advise,
    least: Level::Off,
    judge,
};

static PRACTICE: Practice = Practice {
    id: "seeds-set",
    topic: Topic::Training,
    measure: Measure::Practice,
    nothing: "there is no code that trains",
    clean: "every random generator that the code uses has a seed",
};

/// The code where it is there, and what was written down of runs.
fn judge(_: &Subject, evidence: &Evidence, policy: &Policy) -> Vec<Observation> {
    let next = "set the seeds in the script, and record the run again";
    let recorded = asked(evidence, "seed", next, |facts| (!facts.seeds.is_empty()).then(|| few(&facts.seeds)));
    let practice = PRACTICE.judge(evidence, policy);
    if practice.iter().all(|observation| observation.outcome == Outcome::NotApplicable) {
        return recorded;
    }
    let recorded = recorded.into_iter().filter(|observation| observation.outcome != Outcome::Unknown);
    practice.into_iter().chain(recorded).collect()
}
