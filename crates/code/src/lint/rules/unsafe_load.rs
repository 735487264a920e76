//! What loads a file by running what is in it.

use waag_engine::rules::Meta;
use waag_evidence::{Confidence, Severity};

use super::super::loaders::{known, names};
use super::super::models::is_downloaded;
use super::super::problem::{Edit, Problem};
use super::super::rule::{Rule, View};
use super::super::syntax::{Call, Script, Span, Value};

/// Who it is.
pub static META: Meta = Meta {
    id: "unsafe-load",
    title: "a file is loaded in a way that runs code in it",
    page: include_str!("unsafe_load.md"),
};

/// The rule.
pub(crate) struct UnsafeLoad;

impl Rule for UnsafeLoad {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn script(&self, view: &View<'_>, problems: &mut Vec<Problem>) {
        for (index, call) in view.script.calls.iter().enumerate() {
            let found = torch_load(view, call)
                .or_else(|| keras(call))
                .or_else(|| numpy_load(call))
                .or_else(|| checkpoint(view.script, call))
                .or_else(|| skops(call))
                .or_else(|| other(view.script, index, call))
                .or_else(|| switch(call));
            problems
                .extend(found.map(|problem| graver(view.script, index, call, problem).about(call.callee.path.clone())));
        }
    }
}

/// `torch.load` without `weights_only=True`.
fn torch_load(view: &View<'_>, call: &Call) -> Option<Problem> {
    const NEXT: &str = "Give it `weights_only=True`, or better: keep weights as safetensors.";
    if !call.is_any(&["torch.load", "torch.hub.load_state_dict_from_url"]) {
        return None;
    }
    let is_open = call.is_open;
    let torch = view.options.torch.as_ref();
    match call.keyword("weights_only") {
        Some(Value::Bool(false)) => {
            Some(Problem::new(&META, call.span, "the file is unpickled: weights_only is off", NEXT))
        }
        Some(_) => None,
        None if is_open || call.positional.len() > 3 => None,
        None if call.is("torch.load") && torch.is_some_and(|version| *version >= version_of([2, 6])) => {
            let message =
                "nothing says weights_only=True; the pinned PyTorch does so by itself, those before 2.6 do not";
            let problem = Problem::new(&META, call.span, message, NEXT).severity(Severity::Info).for_auditors();
            Some(problem.fixed_by(with_argument(view, call)))
        }
        None => {
            let message = match torch {
                Some(_) => {
                    "the file is unpickled: nothing says weights_only=True, and the pinned PyTorch does not by itself"
                }
                None if call.is("torch.load") => {
                    "PyTorch before 2.6 unpickles the file: nothing says weights_only=True"
                }
                None => "the file is unpickled: nothing says weights_only=True",
            };
            Some(Problem::new(&META, call.span, message, NEXT).fixed_by(with_argument(view, call)))
        }
    }
}

fn version_of(release: [u64; 2]) -> pep440_rs::Version {
    pep440_rs::Version::new(release)
}

/// `weights_only=True` behind the last argument, where nothing but white space and a comma follows it. PyTorch has it from
/// 1.13 on, refuses it beside a `pickle_module`, and has it in `torch.hub` only since later.
fn with_argument(view: &View<'_>, call: &Call) -> Vec<Edit> {
    let has_it = view.options.torch.as_ref().is_some_and(|version| *version >= version_of([1, 13]));
    if !has_it || !call.is("torch.load") || call.argument("pickle_module", Some(2)).is_some() {
        return Vec::new();
    }
    let arguments = call.positional.iter().chain(call.keywords.iter().map(|(_, argument)| argument));
    let Some(last) = arguments.map(|argument| argument.span.end).max() else { return Vec::new() };
    let rest = view.unit.source.slice(Span { start: last, end: call.parentheses.end.saturating_sub(1) });
    if !rest.chars().all(|letter| letter.is_whitespace() || letter == ',') {
        return Vec::new();
    }
    vec![Edit { span: Span { start: last, end: last }, text: ", weights_only=True".to_owned() }]
}

fn keras(call: &Call) -> Option<Problem> {
    let is_keras = call.callee.path.starts_with("keras.");
    let is_loader = is_keras && call.callee.name == "load_model";
    if is_keras && call.keyword("safe_mode").is_some_and(|value| value.is(false)) {
        let message = "the model may bring code of its own: safe_mode is off";
        return Some(Problem::new(
            &META,
            call.span,
            message,
            "Leave safe_mode on; register the classes that the model needs.",
        ));
    }
    if is_loader && names(call, "filepath", &[".h5", ".hdf5"]) {
        let message = "before Keras 3.11.3 code that an H5 file brings in Lambda layers is run, whatever safe_mode is";
        let next = "Keep models in the format .keras, or weights alone (`load_weights`) and the layers in the project.";
        return Some(Problem::new(&META, call.span, message, next).confidence(Confidence::Medium));
    }
    let is_switch = is_keras && call.callee.name == "enable_unsafe_deserialization";
    let message = "every model that is loaded after this may bring code of its own";
    is_switch
        .then(|| Problem::new(&META, call.span, message, "Take the call away; register the classes that models need."))
}

fn numpy_load(call: &Call) -> Option<Problem> {
    let place = if call.is("numpy.load") { 2 } else { 1 };
    let allows = call.argument("allow_pickle", Some(place)).is_some_and(|argument| argument.value.is(true));
    let next = "Leave allow_pickle off; keep arrays of numbers, and what else there is as JSON.";
    (call.is_any(&["numpy.load", "numpy.lib.format.read_array"]) && allows)
        .then(|| Problem::new(&META, call.span, "objects in the file are unpickled: allow_pickle is on", next))
}

/// Lightning's checkpoints, loaded without `weights_only=True`.
fn checkpoint(script: &Script, call: &Call) -> Option<Problem> {
    let is_lightning = || script.imports("lightning") || script.imports("pytorch_lightning");
    let is_loader = call.callee.name == "load_from_checkpoint" && call.callee.is_method && is_lightning();
    let message = match call.keyword("weights_only") {
        Some(value) if value.is(false) => "the checkpoint is unpickled: weights_only is off",
        None if !call.is_open => {
            "before Lightning 2.6 and PyTorch 2.6 the checkpoint is unpickled: nothing says weights_only=True"
        }
        _ => return None,
    };
    let next = "Give it `weights_only=True` (Lightning 2.6), or load a state_dict that is kept as safetensors.";
    is_loader.then(|| Problem::new(&META, call.span, message, next))
}

fn other(script: &Script, index: usize, call: &Call) -> Option<Problem> {
    let loader = known(script, call)?;
    let is_new =
        call.is("shelve.open") && call.argument("flag", Some(1)).is_some_and(|flag| flag.value.text() == Some("n"));
    let problem = || Problem::new(&META, call.span, loader.message, loader.next).severity(loader.severity);
    (!is_new && !is_own_copy(script, index)).then(problem)
}

fn skops(call: &Call) -> Option<Problem> {
    let trusted = call.argument("trusted", Some(1)).filter(|_| call.is_any(&["skops.io.load", "skops.io.loads"]))?;
    let blindly = trusted.value.is(true) || trusted.value.path() == Some("skops.io.get_untrusted_types()");
    let next = "Name the types that you have looked at: trusted=['package.Class'].";
    blindly.then(|| Problem::new(&META, call.span, "every type that the file names is trusted unseen", next))
}

/// A switch that a loader's own documentation calls dangerous, whatever library it is of.
fn switch(call: &Call) -> Option<Problem> {
    let is_off = |name: &str| call.keyword(name).is_some_and(|value| value.is(false));
    let is_on = |name: &str| call.keyword(name).is_some_and(|value| value.is(true));
    if is_on("allow_dangerous_deserialization") {
        let next = "Build the index again from the texts, or keep it in a store that holds data alone.";
        return Some(Problem::new(&META, call.span, "the index is unpickled: its loader is told to", next));
    }
    let next = "Give it `weights_only=True`, or keep weights as safetensors.";
    is_off("weights_only").then(|| {
        Problem::new(&META, call.span, "weights_only is off: what is loaded by this is unpickled", next)
            .confidence(Confidence::Medium)
    })
}

/// `pickle.loads(pickle.dumps(x))` makes a copy of what is there already.
fn is_own_copy(script: &Script, index: usize) -> bool {
    let mut inner = script.calls.iter().skip(index + 1).take(8).take_while(|call| call.within.is_some());
    inner.any(|call| call.within == Some(index) && call.callee.name == "dumps")
        || script.calls.get(index).is_some_and(|call| {
            call.first().is_some_and(|first| first.value.path().is_some_and(|path| path.ends_with(".dumps()")))
        })
}

/// A file that was just downloaded is anybody's.
fn graver(script: &Script, index: usize, call: &Call, problem: Problem) -> Problem {
    let is_from_there = call.first().is_some_and(|first| is_downloaded(&first.value))
        || call.is("torch.hub.load_state_dict_from_url")
            && problem.severity >= Severity::Medium
            && call.keyword("weights_only").is_some_and(|value| value.is(false))
        || script.calls.iter().skip(index + 1).take(8).any(|inner| {
            inner.within == Some(index)
                && (is_downloaded(&Value::Path(format!("{}()", inner.callee.path)))
                    || inner.first().is_some_and(|first| is_downloaded(&first.value)))
        });
    if !is_from_there || problem.severity < Severity::Medium {
        return problem;
    }
    let message = format!("what was just downloaded is loaded: {}", problem.message);
    Problem { message, ..problem }.severity(Severity::High)
}
