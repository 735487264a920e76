//! Seeds that come from a clock.

use waag_engine::rules::Meta;
use waag_evidence::Severity;

use super::super::problem::Problem;
use super::super::rule::{Rule, View};
use super::super::syntax::Call;

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
        for call in view.script.calls.iter().filter(|call| is_clock(&call.callee.path)) {
            let around: Vec<&Call> = std::iter::once(call).chain(view.script.around(call)).collect();
            // Straight into a seed, or under a name that then is one.
            let name = around.iter().find_map(|call| call.assigned.as_deref());
            let by_name = |seeder: &&Call| {
                seeds(seeder)
                    && seeder.first().is_some_and(|first| first.name.is_some() && first.name.as_deref() == name)
            };
            let seeder =
                around.iter().copied().find(|call| seeds(call)).or_else(|| view.script.calls.iter().find(by_name));
            if let Some(seeder) = seeder {
                let next = "Take a number that you write down: an argument with a default, or the configuration.";
                let problem =
                    Problem::new(&META, seeder.span, "the seed is the time of day, so no run can be made again", next);
                problems.push(problem.severity(Severity::Low).about(seeder.callee.path.clone()));
            }
        }
    }
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
