//! Loaders whose order hangs on everything before them.

use waag_engine::rules::Meta;
use waag_evidence::Severity;

use super::super::problem::Problem;
use super::super::program::Program;
use super::super::rule::Rule;
use super::super::syntax::{Call, Script, Value};

/// Who it is.
pub static META: Meta = Meta {
    id: "unseeded-loader",
    title: "workers that load data draw without a seed of their own",
    page: include_str!("unseeded_loader.md"),
};

/// The rule.
pub(crate) struct UnseededLoader;

impl Rule for UnseededLoader {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn needs(&self, _: &Script, call: &Call) -> bool {
        is_settled(call) || call.is(LOADER)
    }

    fn program(&self, program: &Program<'_>, problems: &mut Vec<(usize, Problem)>) {
        if program.calls().any(|(_, _, call)| is_settled(call)) {
            return;
        }
        for (index, _, call) in program.calls().filter(|(_, _, call)| call.is(LOADER)) {
            let has = |name: &str| call.keyword(name).is_some_and(|value| *value != Value::Nothing);
            let workers = call.argument("num_workers", Some(5)).map(|argument| &argument.value);
            let has_workers = matches!(workers, Some(Value::Integer(1..)));
            let shuffles = call.argument("shuffle", Some(2)).is_some_and(|argument| argument.value.is(true));
            if call.is_open || has("generator") || has("worker_init_fn") || !(has_workers && shuffles) {
                continue;
            }
            let message = "its order and its workers' numbers hang on everything that was drawn before";
            let next = "Give it generator=torch.Generator().manual_seed(SEED), and a worker_init_fn that seeds what its data draw from.";
            problems.push((
                index,
                Problem::new(&META, call.callee.span, message, next)
                    .severity(Severity::Info)
                    .for_auditors()
                    .about("DataLoader"),
            ));
        }
    }
}

const LOADER: &str = "torch.utils.data.DataLoader";

/// Whether a call settles what all workers draw.
fn is_settled(call: &Call) -> bool {
    call.callee.name == "seed_everything" && call.keyword("workers").is_some_and(|value| value.is(true))
        || matches!(call.callee.name.as_str(), "enable_full_determinism" | "set_determinism")
}
