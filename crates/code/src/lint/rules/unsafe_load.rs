//! What loads a file by running what is in it.

use waag_engine::rules::Meta;
use waag_evidence::Severity;

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
                .or_else(|| library(view.script, call))
                .or_else(|| other(view.script, index, call));
            problems
                .extend(found.map(|problem| graver(view.script, index, call, problem).about(call.callee.path.clone())));
        }
    }
}

/// Functions that unpickle whatever they are given, and what to use instead.
const UNPICKLING: &[(&str, &str)] = &[
    ("pickle.load", PICKLE),
    ("pickle.loads", PICKLE),
    ("pickle.Unpickler().load", PICKLE),
    ("dill.load", PICKLE),
    ("dill.loads", PICKLE),
    ("dill.load_session", PICKLE),
    ("dill.load_module", PICKLE),
    ("cloudpickle.load", PICKLE),
    ("cloudpickle.loads", PICKLE),
    ("compress_pickle.load", PICKLE),
    ("compress_pickle.loads", PICKLE),
    ("pandas.read_pickle", "Keep tables as Parquet (`to_parquet`, `read_parquet`), which holds data alone."),
    ("joblib.load", "Keep scikit-learn models with skops, which names every type before it loads one."),
    ("shelve.open", "Keep the values in SQLite or JSON; a shelf unpickles what it is asked for."),
    ("marshal.load", "Keep data as JSON; marshal is for code, and can crash the interpreter."),
    ("marshal.loads", "Keep data as JSON; marshal is for code, and can crash the interpreter."),
    ("jsonpickle.decode", "Read it with `json` and build the objects yourself."),
    ("jsonpickle.loads", "Read it with `json` and build the objects yourself."),
    (
        "torch.package.PackageImporter",
        "A package brings its own code; keep weights as safetensors and code in the project.",
    ),
    (
        "torch.utils.model_zoo.load_url",
        "Use `torch.hub.load_state_dict_from_url` with `weights_only=True` and `check_hash=True`.",
    ),
    ("mlflow.pyfunc.load_model", MLFLOW),
    ("mlflow.sklearn.load_model", MLFLOW),
    ("mlflow.pytorch.load_model", MLFLOW),
    ("mlflow.keras.load_model", MLFLOW),
    ("mlflow.tensorflow.load_model", MLFLOW),
    ("mlflow.lightgbm.load_model", MLFLOW),
    ("mlflow.xgboost.load_model", MLFLOW),
    ("msgpack_numpy.patch", "Send the bytes, type and shape of an array, and build it with `numpy.frombuffer`."),
];
const PICKLE: &str =
    "Keep data in a format that holds data alone: safetensors for tensors, JSON, Parquet or npz for the rest.";
const MLFLOW: &str = "Scan the model's folder before it is loaded (`waag check`), and name its version and digest.";

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
    let is_loader = call.callee.path.starts_with("keras.") && call.callee.name == "load_model";
    if is_loader && call.keyword("safe_mode").is_some_and(|value| value.is(false)) {
        let message = "the model may bring code of its own: safe_mode is off";
        return Some(Problem::new(
            &META,
            call.span,
            message,
            "Leave safe_mode on; register the classes that the model needs.",
        ));
    }
    let is_switch = call.callee.path.starts_with("keras.") && call.callee.name == "enable_unsafe_deserialization";
    let message = "every model that is loaded after this may bring code of its own";
    is_switch
        .then(|| Problem::new(&META, call.span, message, "Take the call away; register the classes that models need."))
}

fn numpy_load(call: &Call) -> Option<Problem> {
    let allows = call.argument("allow_pickle", Some(2)).is_some_and(|argument| argument.value.is(true));
    let next = "Leave allow_pickle off; keep arrays of numbers, and what else there is as JSON.";
    (call.is("numpy.load") && allows)
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

/// Libraries that unpickle the models that they load.
fn library(script: &Script, call: &Call) -> Option<Problem> {
    let (path, name) = (call.callee.path.as_str(), call.callee.name.as_str());
    // Its own documentation imports everything of it: `from fastai.vision.all import *`.
    let is_learner =
        name == "load_learner" && (path.starts_with("fastai.") || path.is_empty() && script.imports("fastai"));
    let is_agent = name == "load" && path.starts_with("stable_baselines3.") && !path.contains('(');
    let is_weights = || {
        call.argument("model", Some(0)).and_then(|model| model.value.part()).is_some_and(|model| model.ends_with(".pt"))
    };
    let is_network = path == "ultralytics.YOLO" && is_weights();
    let next = "Load it from whom you trust alone, pin its digest (`waag lock`), and scan it before (`waag check`).";
    (is_learner || is_agent || is_network).then(|| {
        Problem::new(&META, call.span, "the file is unpickled by the library, which runs whatever code it names", next)
    })
}

fn other(script: &Script, index: usize, call: &Call) -> Option<Problem> {
    let path = call.callee.path.as_str();
    if path == "skops.io.load" || path == "skops.io.loads" {
        let trusted = call.argument("trusted", Some(1)).map(|argument| &argument.value)?;
        let blindly = trusted.is(true) || trusted.path() == Some("skops.io.get_untrusted_types()");
        let next = "Name the types that you have looked at: trusted=['package.Class'].";
        return blindly
            .then(|| Problem::new(&META, call.span, "every type that the file names is trusted unseen", next));
    }
    let (_, next) = UNPICKLING.iter().find(|(known, _)| *known == path)?;
    let message = match path {
        "msgpack_numpy.patch" => "messages are read with a decoder that unpickles arrays of objects",
        path if path.starts_with("marshal.") => "the file is read as marshalled code and data",
        path if path.starts_with("mlflow.") => "the model is unpickled, or brings code of its own",
        "torch.package.PackageImporter" => "the package brings code that is run as it is loaded",
        "shelve.open" => "values of the shelf are unpickled when they are asked for",
        path if path.starts_with("jsonpickle.") => "the text names the classes that are made from it",
        _ => "the file is unpickled, which runs whatever code it names",
    };
    if path == "shelve.open" && call.argument("flag", Some(1)).is_some_and(|flag| flag.value.text() == Some("n")) {
        return None;
    }
    (!is_own_copy(script, index)).then(|| Problem::new(&META, call.span, message, *next))
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
