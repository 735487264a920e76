//! Kernels that give other bits each time.

use waag_engine::rules::Meta;
use waag_evidence::Severity;

use super::super::configuration::{Configuration, Tool};
use super::super::problem::Problem;
use super::super::program::{Program, trains};
use super::super::rule::Rule;
use super::super::syntax::{Call, Script, Store, Value};

/// Who it is.
pub static META: Meta = Meta {
    id: "nondeterministic-algorithm",
    title: "a training on a GPU may sum in another order each time",
    page: include_str!("nondeterministic_algorithm.md"),
};

/// The rule.
pub(crate) struct NondeterministicAlgorithm;

impl Rule for NondeterministicAlgorithm {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn needs(&self, _: &Script, call: &Call) -> bool {
        may_ask(call) || call.is_any(TRAINERS) && call.keyword("benchmark").is_some()
    }

    fn program(&self, program: &Program<'_>, problems: &mut Vec<(usize, Problem)>) {
        if !program.imports("torch") {
            return;
        }
        for (index, unit) in program.members.iter().enumerate() {
            problems.extend(switches(&unit.script).map(|problem| (index, problem)));
        }
        if !program.is_whole {
            return;
        }
        problems.extend(cublas(program));
        problems.extend(unasked(program));
    }

    fn configuration(&self, configuration: &Configuration, problems: &mut Vec<Problem>) {
        if configuration.tool != Tool::Lightning {
            return;
        }
        if let Some(entry) =
            configuration.entries.iter().find(|entry| entry.path == "trainer.benchmark" && entry.is_true())
        {
            let message = "cuDNN picks the algorithm that is quickest at the time, and not all give the same bits";
            problems.push(
                Problem::new(&META, entry.span, message, "Set `deterministic: true` instead.")
                    .severity(Severity::Low)
                    .about(entry.path.clone()),
            );
        }
    }
}

/// What has a switch of its own for it.
const TRAINERS: &[&str] = &["lightning.Trainer", "lightning.fabric.Fabric"];

/// Where cuDNN is told to pick the quickest: by PyTorch's own switch, or by that of Lightning's trainer.
fn switches(script: &Script) -> impl Iterator<Item = Problem> {
    let stores = script.stores.iter().filter(|store| store.path == BENCHMARK);
    let stores = stores.filter(|store| store.value.is(true)).map(|store| (store.span, store.path.clone()));
    let trainers = script.calls.iter().filter(|call| call.is_any(TRAINERS));
    let arguments = trainers.filter_map(|call| call.argument("benchmark", None).filter(|given| given.value.is(true)));
    stores.chain(arguments.map(|given| (given.span, "benchmark".to_owned()))).map(|(span, subject)| {
        let message = "cuDNN picks the algorithm that is quickest at the time, and not all give the same bits";
        let next = "Set it to False where runs have to be the same bit for bit.";
        Problem::new(&META, span, message, next).severity(Severity::Low).about(subject)
    })
}

/// A program trains on a card, and nothing in it asks for deterministic algorithms.
fn unasked(program: &Program<'_>) -> Option<(usize, Problem)> {
    if !program.members.iter().any(|unit| unit.remarks.is_on_card) || asks(program) {
        return None;
    }
    let (index, _, call) = program.calls().find(|(_, script, call)| trains(script, call))?;
    let message = "the program trains on a GPU, and nothing asks PyTorch for deterministic algorithms";
    let next = "Call torch.use_deterministic_algorithms(True) where the program starts, and set CUBLAS_WORKSPACE_CONFIG=:4096:8.";
    Some((
        index,
        Problem::new(&META, call.callee.span, message, next)
            .severity(Severity::Low)
            .about("torch.use_deterministic_algorithms"),
    ))
}

/// Whether a file does what only a program for graphics cards does; what its comments say is nothing.
pub(crate) fn is_on_card(script: &Script) -> bool {
    let is_card = |text: &str| matches!(text.split(':').next(), Some("cuda" | "gpu"));
    let moves = |call: &Call| {
        let to = call.first().filter(|_| call.callee.name == "to");
        let is_device = |name: &str| name.rsplit('.').next().is_some_and(|name| name.contains("device"));
        to.and_then(|to| to.name.as_deref()).is_some_and(is_device)
    };
    let is_on = |call: &Call| {
        call.callee.is_method && call.callee.name == "cuda"
            || call.callee.path.starts_with("torch.cuda.")
            || call.keyword("accelerator").and_then(Value::text).is_some_and(is_card)
            || call.is("torch.device") && call.first().and_then(|first| first.value.part()).is_some_and(is_card)
            || moves(call)
    };
    script.imports("accelerate") || script.texts.iter().any(|(_, text)| is_card(text)) || script.calls.iter().any(is_on)
}

/// Whether a file says anywhere how cuBLAS is to work.
pub(crate) fn names_workspace(text: &str) -> bool {
    text.contains("CUBLAS_WORKSPACE_CONFIG")
}

/// Whether a store is one of the switches that are asked for.
pub(crate) fn is_switch(store: &Store) -> bool {
    [BENCHMARK, DETERMINISTIC].contains(&store.path.as_str())
}

const BENCHMARK: &str = "torch.backends.cudnn.benchmark";
const DETERMINISTIC: &str = "torch.backends.cudnn.deterministic";

/// Whether something asks for them, or may: PyTorch's own switches, or those of what is built on it.
fn asks(program: &Program<'_>) -> bool {
    let by_call = program.calls().any(|(_, _, call)| may_ask(call));
    let mut stores = program.members.iter().flat_map(|unit| &unit.script.stores);
    by_call || stores.any(|store| store.path == DETERMINISTIC && store.value.is(true))
}

fn may_ask(call: &Call) -> bool {
    const NAMED: &[&str] = &["use_deterministic_algorithms", "enable_full_determinism", "set_determinism"];
    let is_off = |value: &Value| value.is(false) || *value == Value::Nothing;
    NAMED.contains(&call.callee.name.as_str()) && !call.first().is_some_and(|first| is_off(&first.value))
        || ["deterministic", "full_determinism"].iter().any(|key| call.keyword(key).is_some_and(|set| !is_off(set)))
        || call.is_open && call.callee.name.ends_with("Arguments")
}

/// Deterministic algorithms are asked for, and cuBLAS is not told how to have them: on CUDA that is an error at run time.
fn cublas(program: &Program<'_>) -> Option<(usize, Problem)> {
    // What a library elsewhere in the repository can be told to ask for, the program may never ask for.
    let folder = program.members.first()?.place().parent()?;
    let is_near = |index: usize| program.members.get(index).is_some_and(|unit| unit.place().starts_with(folder));
    let (index, _, call) = program.calls().find(|(index, _, call)| {
        let is_warning = call.keyword("warn_only").is_some_and(|value| value.is(true));
        is_near(*index)
            && call.is("torch.use_deterministic_algorithms")
            && call.first().is_some_and(|first| first.value.is(true))
            && !is_warning
    })?;
    let sets = program.members.iter().any(|unit| unit.remarks.names_workspace);
    let next = "Set CUBLAS_WORKSPACE_CONFIG=:4096:8 in the environment, or in os.environ before torch is imported.";
    let message =
        "deterministic algorithms are asked for, and nothing sets CUBLAS_WORKSPACE_CONFIG, which CUDA needs for them";
    (!sets).then(|| {
        (index, Problem::new(&META, call.span, message, next).severity(Severity::Low).about(call.callee.path.clone()))
    })
}
