//! Seeds that come from a clock.

use std::collections::HashMap;

use waag_engine::rules::Meta;
use waag_evidence::Severity;

use super::super::problem::Problem;
use super::super::rule::{Rule, View};
use super::super::syntax::{Call, Script};

/// Who it is.
pub static META: Meta =
    Meta { id: "changing-seed", title: "a seed is another one each time", page: include_str!("changing_seed.md") };

/// The rule.
pub(crate) struct ChangingSeed;

impl Rule for ChangingSeed {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn script(&self, view: &View<'_>, problems: &mut Vec<Problem>) {
        let seeders = seeders(view.script);
        for call in view.script.calls.iter().filter(|call| is_clock(&call.callee.path)) {
            let around: Vec<&Call> = std::iter::once(call).chain(view.script.around(call)).collect();
            // Straight into a seed, or under a name that then is one.
            let by_name = || seeders.get(around.iter().find_map(|call| call.assigned.as_deref())?).copied();
            if let Some(seeder) = around.iter().copied().find(|call| seeds(call)).or_else(by_name) {
                let next = "Take a number that you write down: an argument with a default, or the configuration.";
                let problem =
                    Problem::new(&META, seeder.span, "the seed is the time of day, so no run can be made again", next);
                problems.push(problem.severity(Severity::Low).about(seeder.callee.path.clone()));
            }
        }
    }
}

/// What seeds with a name, by the name; the first of each.
fn seeders(script: &Script) -> HashMap<&str, &Call> {
    let by_name = script.calls.iter().rev().filter(|call| seeds(call));
    by_name.filter_map(|call| Some((call.first()?.name.as_deref()?, call))).collect()
}

fn is_clock(path: &str) -> bool {
    const CLOCKS: &[&str] = &[
        "time.time",
        "time.time_ns",
        "time.perf_counter",
        "datetime.datetime.now",
        "datetime.now",
        "os.urandom",
        "os.getpid",
    ];
    CLOCKS.contains(&path)
}

fn seeds(call: &Call) -> bool {
    const SEEDERS: &[&str] = &[
        "seed",
        "manual_seed",
        "manual_seed_all",
        "set_seed",
        "seed_everything",
        "set_random_seed",
        "PRNGKey",
        "key",
        "default_rng",
        "RandomState",
    ];
    const LIBRARIES: &[&str] =
        &["random.", "numpy.", "torch.", "tensorflow.", "keras.", "jax.", "lightning.", "transformers.", "accelerate."];
    SEEDERS.contains(&call.callee.name.as_str())
        && LIBRARIES.iter().any(|library| call.callee.path.starts_with(library))
}
