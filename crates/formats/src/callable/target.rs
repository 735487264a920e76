//! What is known of a dotted path in a configuration. Where its module ends is for the loader to find out, so every
//! place is tried: one that is dangerous decides, else one that is on a list.

use std::sync::LazyLock;

use serde::Deserialize;

use super::list;
use crate::fact::{Standing, Usage};

/// Steps of a path that are tried as the end of its module; nothing real has more.
const MAX_STEPS: usize = 24;

/// What the list of the standard library is called.
const STANDARD: &str = "Python standard library";

/// Names under which modules import others: a path through one of these leaves the library it starts in.
const WAYS_OUT: &[&str] = &[
    "np",
    "pd",
    "numpy",
    "pandas",
    "sys",
    "importlib",
    "builtins",
    "pickle",
    "dill",
    "cloudpickle",
    "joblib",
    "shutil",
    "yaml",
    "ctypes",
    "requests",
    "urllib",
    "socket",
    "inspect",
    "threading",
    "tempfile",
    "io",
    "types",
    "functools",
    "hydra",
    "omegaconf",
    "torch",
    "os",
    "subprocess",
    "tarfile",
    "zipfile",
    "runpy",
    "marshal",
    "shelve",
];

/// Functions by which libraries run, import or fetch what they are told to, wherever they are imported again.
const GADGETS: &[&str] = &[
    "superpowers",
    "importutils",
    "run_shell",
    "import_from_path",
    "foreign_class",
    "get_obj_from_str",
    "instantiate_from_config",
    "import_class_by_path",
    "import_module",
    "get_class_from_dynamic_module",
    "class_from_module_path",
    "_exec_cmd",
];

#[derive(Deserialize)]
struct Lists {
    library: Vec<Library>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Library {
    name: String,
    reason: String,
    #[serde(default)]
    below: Vec<String>,
    #[serde(default)]
    classes: Vec<String>,
    #[serde(default)]
    names: Vec<String>,
}

static LIBRARIES: LazyLock<Vec<Library>> = LazyLock::new(|| {
    let parsed = toml::from_str::<Lists>(include_str!("lists/targets.toml"));
    // A list that does not parse clears nothing; a test makes sure that it does.
    parsed.map(|lists| lists.library).unwrap_or_default()
});

/// What is known of what a configuration makes its loader import and call: `torch.optim.AdamW`.
#[must_use]
pub fn judge_target(path: &str) -> Standing {
    if let Some(standing) = judge_danger(path) {
        return standing;
    }
    if let Some(library) = LIBRARIES.iter().find(|library| library.covers(path)) {
        return Standing::Inert { reason: library.reason.as_str().into() };
    }
    let listed = splits(path).find_map(|(module, name)| match super::judge(module, name, Usage::Instantiate, None) {
        inert @ Standing::Inert { .. } => Some(inert),
        _ => None,
    });
    listed.unwrap_or_else(|| unlisted(path))
}

/// What is known of a class that is restored under its own name, whatever is done with it then.
#[must_use]
pub fn judge_named(module: &str, name: &str) -> Standing {
    if let Some(entry) = list::inert(module, name).first() {
        return Standing::Inert { reason: entry.reason.as_str().into() };
    }
    if let Some(danger) = list::danger(module, name) {
        return Standing::Dangerous { effect: danger.effect.clone(), critical: danger.critical };
    }
    let path = format!("{module}.{name}");
    match LIBRARIES.iter().find(|library| library.covers(&path)) {
        Some(library) => Standing::Inert { reason: library.reason.as_str().into() },
        None => unlisted(&path),
    }
}

/// The danger of a path, if it is a known one.
#[must_use]
pub fn judge_danger(path: &str) -> Option<Standing> {
    if LIBRARIES.iter().any(|library| library.names.iter().any(|name| name == path)) {
        return None;
    }
    if path.contains("../") || path.starts_with(['/', '\\']) {
        return Some(Standing::Dangerous {
            effect: "imports a file outside the model by its path".into(),
            critical: false,
        });
    }
    let is_standard = || list::library(path).is_some_and(|library| library == STANDARD);
    if let Some(danger) = list::dangerous_module(path).filter(|_| is_standard()) {
        return Some(Standing::Dangerous { effect: danger.effect.clone(), critical: false });
    }
    let bare = (!path.contains('.')).then_some(("builtins", path));
    let danger = bare.into_iter().chain(splits(path)).find_map(|(module, name)| list::danger(module, name))?;
    Some(Standing::Dangerous { effect: danger.effect.clone(), critical: danger.critical })
}

fn unlisted(path: &str) -> Standing {
    let root = path.split('.').next().unwrap_or(path);
    let known = LIBRARIES.iter().find(|library| library.speaks_for(root));
    match known.map(|library| library.name.as_str()).or_else(|| list::library(root)) {
        Some(library) => Standing::Unlisted { library: library.to_owned() },
        None => Standing::Unknown,
    }
}

/// Every way to read a path as a module and a name in it.
fn splits(path: &str) -> impl Iterator<Item = (&str, &str)> {
    let dots = path.match_indices('.').take(MAX_STEPS);
    dots.filter_map(|(at, _)| Some((path.get(..at)?, path.get(at.saturating_add(1)..)?)))
}

impl Library {
    fn covers(&self, path: &str) -> bool {
        if self.names.iter().any(|name| name == path) {
            return true;
        }
        let below = self.below.iter().filter_map(|module| rest_below(path, module)).any(is_plain);
        below || self.classes.iter().filter_map(|module| rest_below(path, module)).any(is_class)
    }

    fn speaks_for(&self, root: &str) -> bool {
        let all = self.below.iter().chain(&self.classes);
        all.into_iter().any(|module| module.split('.').next() == Some(root))
    }
}

fn rest_below<'p>(path: &'p str, module: &str) -> Option<&'p str> {
    if path == module {
        return Some("");
    }
    path.strip_prefix(module)?.strip_prefix('.')
}

/// No step of the path leads out of the library, or into Python's own machinery.
fn is_plain(rest: &str) -> bool {
    rest.split('.').all(|step| !step.starts_with("__") && !WAYS_OUT.contains(&step) && !GADGETS.contains(&step))
}

/// A class, or a class and a method of it.
fn is_class(rest: &str) -> bool {
    let mut steps = rest.split('.');
    let capital = steps.next().is_some_and(|first| first.starts_with(|c: char| c.is_ascii_uppercase()));
    capital && steps.clone().count() <= 1 && steps.all(|step| !step.starts_with('_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_parses_and_gives_reasons() {
        toml::from_str::<Lists>(include_str!("lists/targets.toml")).map(drop).unwrap();
        assert!(LIBRARIES.iter().all(|library| library.reason.len() > 12));
    }

    #[test]
    fn what_configurations_name_is_inert() {
        for path in [
            "torch.optim.AdamW",
            "nemo.collections.asr.models.EncDecCTCModel",
            "transformers.AutoModel.from_pretrained",
            "lightning.pytorch.callbacks.ModelCheckpoint",
            "builtins.dict",
        ] {
            assert!(matches!(judge_target(path), Standing::Inert { .. }), "{path}: {:?}", judge_target(path));
        }
    }

    #[test]
    fn danger_wins_wherever_the_module_ends() {
        for path in [
            "os.system",
            "eval",
            "builtins.exec",
            "subprocess.Popen",
            "torch.nn.modules.module.os.system",
            "nemo.collections.asr.models.subprocess.run",
            "transformers.utils.import_utils.importlib.import_module",
            "speechbrain.utils.superpowers.run_shell",
            "speechbrain.inference.interfaces.foreign_class",
            "mlflow.utils.process._exec_cmd",
            "mlflow.projects.run",
            "mlflow.pyfunc.load_model",
            "ldm.util.get_obj_from_str",
            "sgm.util.get_obj_from_str",
            "nemo.core.classes.common.import_class_by_path",
            "hydra.utils.instantiate",
        ] {
            assert!(matches!(judge_target(path), Standing::Dangerous { .. }), "{path}: {:?}", judge_target(path));
        }
    }

    #[test]
    fn a_way_out_of_a_library_is_not_covered() {
        assert!(!matches!(judge_target("nemo.collections.asr.np.load"), Standing::Inert { .. }));
        assert!(!matches!(judge_target("torch.nn.Module.__init__.__globals__"), Standing::Inert { .. }));
        assert!(!matches!(judge_target("transformers.dynamic_module_utils.x"), Standing::Inert { .. }));
        for path in ["mlflow.anything", "mlflow.sklearn.os", "ldm.models.autoencoder.instantiate_from_config"] {
            assert!(!matches!(judge_target(path), Standing::Inert { .. }), "{path}: {:?}", judge_target(path));
        }
        for path in ["mlflow.sklearn", "mlflow.pyfunc.model", "speechbrain.nnet.CNN.Conv1d", "ldm.modules.ema.LitEma"] {
            assert!(matches!(judge_target(path), Standing::Inert { .. }), "{path}: {:?}", judge_target(path));
        }
        assert_eq!(judge_target("mine.Net"), Standing::Unknown);
    }

    #[test]
    fn a_listed_class_is_inert_by_its_name() {
        assert!(matches!(judge_named("collections", "OrderedDict"), Standing::Inert { .. }));
        assert!(matches!(judge_named("os", "system"), Standing::Dangerous { .. }));
        assert_eq!(judge_named("mine", "Net"), Standing::Unknown);
    }
}
