//! Functions of libraries that run what is in the file that they are given, and what to use instead.

use waag_evidence::Severity;

use super::syntax::{Call, Script};

/// What is to be said of a function.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Loader {
    /// What it does.
    pub(crate) message: &'static str,
    /// What to do about it.
    pub(crate) next: &'static str,
    /// How bad it is: least where a program of another kind than Python is run, which can do less.
    pub(crate) severity: Severity,
}

const fn loader(message: &'static str, next: &'static str) -> Loader {
    Loader { message, next, severity: Severity::Medium }
}

/// What unpickles whatever it is given, by its name.
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
    ("ray.cloudpickle.load", PICKLE),
    ("ray.cloudpickle.loads", PICKLE),
    ("compress_pickle.load", PICKLE),
    ("compress_pickle.loads", PICKLE),
    ("srsly.pickle_loads", PICKLE),
    ("networkx.read_gpickle", PICKLE),
    ("pyarrow.deserialize", PICKLE),
    ("paddle.load", PICKLE),
    ("statsmodels.api.load", PICKLE),
    ("statsmodels.iolib.smpickle.load_pickle", PICKLE),
    ("surprise.dump.load", PICKLE),
    ("pandas.read_pickle", PARQUET),
    ("modin.pandas.read_pickle", PARQUET),
    ("joblib.load", "Keep scikit-learn models with skops, which names every type before it loads one."),
    (
        "torch.utils.model_zoo.load_url",
        "Use `torch.hub.load_state_dict_from_url` with `weights_only=True` and `check_hash=True`.",
    ),
];

/// What does something else than that, by its name.
const OTHERS: &[(&str, Loader)] = &[
    (
        "shelve.open",
        loader(
            "values of the shelf are unpickled when they are asked for",
            "Keep the values in SQLite or JSON; a shelf unpickles what it is asked for.",
        ),
    ),
    ("marshal.load", MARSHAL),
    ("marshal.loads", MARSHAL),
    ("jsonpickle.decode", JSONPICKLE),
    ("jsonpickle.loads", JSONPICKLE),
    (
        "torch.package.PackageImporter",
        loader(
            "the package brings code that is run as it is loaded",
            "A package brings its own code; keep weights as safetensors and code in the project.",
        ),
    ),
    (
        "msgpack_numpy.patch",
        loader(
            "messages are read with a decoder that unpickles arrays of objects",
            "Send the bytes, type and shape of an array, and build it with `numpy.frombuffer`.",
        ),
    ),
    ("torch.jit.load", PROGRAM),
    ("tensorflow.saved_model.load", PROGRAM),
    ("tensorflow.saved_model.loader.load", PROGRAM),
];

const PICKLE: &str =
    "Keep data in a format that holds data alone: safetensors for tensors, JSON, Parquet or npz for the rest.";
const PARQUET: &str = "Keep tables as Parquet (`to_parquet`, `read_parquet`), which holds data alone.";
const TRUST: &str =
    "Load it from whom you trust alone, pin its digest (`waag lock`), and scan it before (`waag check`).";
const MLFLOW: Loader = loader(
    "the model is unpickled, or brings code of its own",
    "Scan the model's folder before it is loaded (`waag check`), and name its version and digest.",
);
const MARSHAL: Loader = loader(
    "the file is read as marshalled code and data",
    "Keep data as JSON; marshal is for code, and can crash the interpreter.",
);
const JSONPICKLE: Loader =
    loader("the text names the classes that are made from it", "Read it with `json` and build the objects yourself.");
/// Nothing of it is Python, but its operators can read and write files.
const PROGRAM: Loader =
    Loader { severity: Severity::Low, ..loader("the model is a program, and its operators can reach files", TRUST) };
const LIBRARY: Loader = loader("the file is unpickled by the library, which runs whatever code it names", TRUST);

/// What a function does that runs what it loads, whatever else it is given.
pub(crate) fn known(script: &Script, call: &Call) -> Option<Loader> {
    let path = call.callee.path.as_str();
    let unpickling = UNPICKLING.iter().find(|(known, _)| *known == path);
    let by_name = unpickling.map(|(_, next)| loader("the file is unpickled, which runs whatever code it names", next));
    let other = || OTHERS.iter().find(|(known, _)| *known == path).map(|(_, loader)| *loader);
    by_name.or_else(other).or_else(|| family(path)).or_else(|| is_library(script, call).then_some(LIBRARY))
}

/// Libraries of which every flavour loads alike.
fn family(path: &str) -> Option<Loader> {
    let flavour = path.strip_prefix("mlflow.")?.strip_suffix(".load_model")?;
    (!flavour.contains('(') && flavour != "onnx").then_some(MLFLOW)
}

/// Libraries that unpickle the models that they load.
fn is_library(script: &Script, call: &Call) -> bool {
    let (path, name) = (call.callee.path.as_str(), call.callee.name.as_str());
    let is_of = |libraries: &[&str]| !path.contains('(') && libraries.iter().any(|library| path.starts_with(library));
    match name {
        // Its own documentation imports everything of it: `from fastai.vision.all import *`.
        "load_learner" => path.starts_with("fastai.") || path.is_empty() && script.imports("fastai"),
        "load" => is_of(&["stable_baselines3.", "sb3_contrib.", "gensim.models.", "autogluon."]) || is_corpus(call),
        "load_replay_buffer" => script.imports("stable_baselines3") || script.imports("sb3_contrib"),
        "load_model" => is_of(&["pycaret."]),
        _ => NETWORKS.contains(&path) && names(call, "model", &[".pt"]),
    }
}

const NETWORKS: &[&str] =
    &["ultralytics.YOLO", "ultralytics.RTDETR", "ultralytics.NAS", "ultralytics.SAM", "ultralytics.FastSAM"];

/// NLTK's data are of many formats, told by their names.
fn is_corpus(call: &Call) -> bool {
    call.is("nltk.data.load") && names(call, "resource_url", &[".pickle", ".pkl"])
}

/// Whether the first argument is a file with one of these endings.
pub(crate) fn names(call: &Call, name: &str, endings: &[&str]) -> bool {
    let file = call.argument(name, Some(0)).and_then(|file| file.value.part());
    file.is_some_and(|file| endings.iter().any(|ending| file.ends_with(ending)))
}
