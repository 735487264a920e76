//! Reading the lists, lazily: one file a library, parsed when the first name of that library is met.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::LazyLock;

use serde::Deserialize;

use super::arguments::Expected;
use crate::fact::Usage;

macro_rules! lists {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("lists/", $name, ".toml")))),*]
    };
}

/// Every list, by file name. A file that is not here fails a test.
static FILES: &[(&str, &str)] = lists![
    "accelerate",
    "catboost",
    "deepspeed",
    "diffusers",
    "fairseq",
    "fastai",
    "flair",
    "gensim",
    "imblearn",
    "joblib",
    "keras",
    "lightgbm",
    "lightning",
    "madmom",
    "mmengine",
    "numpy",
    "omegaconf",
    "pandas",
    "peft",
    "pillow",
    "pyannote",
    "pyarrow",
    "python",
    "scipy",
    "segmentation_models_pytorch",
    "sentence_transformers",
    "sklearn",
    "spacy",
    "statsmodels",
    "tables",
    "timezones",
    "timm",
    "tokenizers",
    "torch",
    "torch_geometric",
    "torchmetrics",
    "torchvision",
    "transformers",
    "trl",
    "ultralytics",
    "xgboost",
];

static DANGER: &str = include_str!("lists/danger.toml");
static KNOWN: &str = include_str!("lists/known.toml");

/// One group of a list: why some names are inert in some uses.
#[derive(Debug)]
pub struct Entry {
    /// Why a loader doing this cannot do anything but build data.
    pub reason: String,
    uses: Vec<Usage>,
    /// Demanded arguments by position; none when anything listed will do.
    pub arguments: Option<Vec<Expected>>,
    /// What is demanded of a state that is set on an instance.
    state: Option<StateConditions>,
}

/// What a list demands of the dictionary that is set as state, where some keys make the class evaluate what they hold.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateConditions {
    /// Keys that may not be there.
    #[serde(default)]
    refused: Vec<String>,
    /// Keys whose value must be one of these texts.
    #[serde(default)]
    texts: BTreeMap<String, Vec<String>>,
    /// Keys whose value must be the name of an array file in the same folder.
    #[serde(default)]
    array_files: Vec<String>,
    /// Classes, as `module:name`, of which the state may be an instance.
    #[serde(default)]
    instances: Vec<String>,
    /// Whether a tuple, as old releases write, is fine.
    #[serde(default)]
    pub tuples: bool,
}

impl StateConditions {
    /// Whether the state may be an instance of this class.
    #[must_use]
    pub fn allow_instance(&self, module: &str, name: &str) -> bool {
        self.instances.iter().any(|class| class.split_once(':') == Some((module, name)))
    }

    /// Whether a key with this value may be there; the value is given when it is a constant text.
    #[must_use]
    pub fn allow(&self, key: &str, value: Option<&str>) -> bool {
        let is_listed = |texts: &Vec<String>| value.is_some_and(|value| texts.iter().any(|text| text == value));
        let is_held = |keys: &[String]| keys.iter().any(|held| held == key);
        let fits = self.texts.get(key).is_none_or(is_listed)
            && (!is_held(&self.array_files) || value.is_some_and(is_array_file_beside));
        fits && !is_held(&self.refused)
    }
}

/// Whether a path, joined to a folder, is an array file in that folder on every system.
fn is_array_file_beside(path: &str) -> bool {
    let leaves = path.contains(['/', '\\', ':', '\0']) || path.starts_with('.');
    !leaves && (path.ends_with(".npy") || path.ends_with(".npy.z"))
}

impl Entry {
    /// Whether the entry covers a use. Being looked up is part of every use.
    #[must_use]
    pub fn allows(&self, usage: Usage) -> bool {
        usage == Usage::Reference || self.uses.contains(&usage)
    }

    /// What the entry expects, in words.
    #[must_use]
    pub fn describe(&self) -> String {
        let uses: Vec<_> = self.uses.iter().map(|usage| describe_usage(*usage)).collect();
        let uses = uses.join(" or ");
        let Some(arguments) = &self.arguments else { return uses };
        let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        format!("{uses} with ({})", arguments.join(", "))
    }
}

/// A use in words.
#[must_use]
pub fn describe_usage(usage: Usage) -> &'static str {
    match usage {
        Usage::Reference => "being looked up",
        Usage::Reduce => "being called",
        Usage::New => "being made without its constructor",
        Usage::Build => "having state set",
        Usage::Append => "having items appended",
        Usage::SetItem => "having items assigned",
        Usage::AddItem => "having items added",
        Usage::Instantiate => "being named in a configuration",
    }
}

/// Why a callable is dangerous.
#[derive(Debug)]
pub struct Danger {
    /// Completes "loading this file …".
    pub effect: String,
    /// Whether the danger is the greatest there is.
    pub critical: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawList {
    library: String,
    modules: Vec<String>,
    #[serde(default)]
    inert: Vec<RawEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    reason: String,
    #[serde(rename = "use")]
    uses: Vec<Usage>,
    arguments: Option<Vec<String>>,
    state: Option<StateConditions>,
    names: Vec<String>,
}

#[derive(Deserialize)]
struct RawDangers {
    dangerous: Vec<RawDanger>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDanger {
    effect: String,
    severity: String,
    names: Vec<String>,
}

/// A parsed list: entries by `module:name`. One name may have several entries, for different uses.
#[derive(Debug, Default)]
struct List {
    entries: Vec<Entry>,
    names: HashMap<String, Vec<usize>>,
}

/// Head of a list, read without its entries.
struct Shelf {
    library: String,
    list: LazyLock<List, Box<dyn FnOnce() -> List + Send>>,
}

/// Shelves, and which of them speak for a module.
type Shelves = (Vec<Shelf>, HashMap<String, Vec<usize>>);

/// Shelves by top-level module. Several lists may speak for one module.
static SHELVES: LazyLock<Shelves> = LazyLock::new(|| {
    let mut shelves = Vec::new();
    let mut modules: HashMap<String, Vec<usize>> = HashMap::new();
    for (_, text) in FILES {
        let head = text.split("\n[[inert]]").next().unwrap_or_default();
        // A list that does not parse clears nothing; a test makes sure that all of them do.
        let Ok(raw) = toml::from_str::<RawList>(head) else { continue };
        for module in raw.modules {
            modules.entry(module).or_default().push(shelves.len());
        }
        let parse: Box<dyn FnOnce() -> List + Send> = Box::new(|| parse_list(text).unwrap_or_default());
        shelves.push(Shelf { library: raw.library, list: LazyLock::new(parse) });
    }
    (shelves, modules)
});

fn parse_list(text: &str) -> Result<List, String> {
    let raw: RawList = toml::from_str(text).map_err(|error| error.to_string())?;
    let mut list = List::default();
    for entry in raw.inert {
        let parse = |word: &String| Expected::parse(word).ok_or_else(|| format!("unknown argument word '{word}'"));
        let arguments = entry.arguments.map(|words| words.iter().map(parse).collect::<Result<_, _>>()).transpose()?;
        for name in entry.names {
            list.names.entry(name).or_default().push(list.entries.len());
        }
        list.entries.push(Entry { reason: entry.reason, uses: entry.uses, arguments, state: entry.state });
    }
    Ok(list)
}

fn top_level(module: &str) -> &str {
    module.split('.').next().unwrap_or(module)
}

fn shelves_of(module: &str) -> impl Iterator<Item = &'static Shelf> {
    let (shelves, modules) = &*SHELVES;
    let indices = modules.get(top_level(module)).map(Vec::as_slice).unwrap_or_default();
    indices.iter().filter_map(|index| shelves.get(*index))
}

/// All entries for a callable, over all lists that speak for its top-level module.
#[must_use]
pub fn inert(module: &str, name: &str) -> Vec<&'static Entry> {
    let key = format!("{module}:{name}");
    let of_list = |list: &'static List| {
        let indices = list.names.get(&key).map(Vec::as_slice).unwrap_or_default();
        indices.iter().filter_map(|index| list.entries.get(*index))
    };
    shelves_of(module).flat_map(|shelf| of_list(&shelf.list)).collect()
}

/// What the lists demand of a state that is set on an instance of this class.
#[must_use]
pub fn state_conditions(module: &str, name: &str) -> Option<&'static StateConditions> {
    inert(module, name).into_iter().find_map(|entry| entry.state.as_ref())
}

/// Modules known from many installations, for which there is no list.
static KNOWN_MODULES: LazyLock<HashSet<String>> =
    LazyLock::new(|| toml::from_str::<RawList>(KNOWN).map(|raw| raw.modules.into_iter().collect()).unwrap_or_default());

/// The library a module belongs to, when it is known here.
#[must_use]
pub fn library(module: &str) -> Option<&'static str> {
    if let Some(shelf) = shelves_of(module).next() {
        return Some(&shelf.library);
    }
    KNOWN_MODULES.get(top_level(module)).map(String::as_str)
}

/// Dangers by pattern: `module:name`, `module:*` or `module.*:*`.
static DANGERS: LazyLock<(Vec<Danger>, HashMap<String, usize>)> = LazyLock::new(|| {
    let mut dangers = Vec::new();
    let mut names = HashMap::new();
    if let Ok(raw) = toml::from_str::<RawDangers>(DANGER) {
        for danger in raw.dangerous {
            names.extend(danger.names.into_iter().map(|name| (name, dangers.len())));
            dangers.push(Danger { effect: danger.effect, critical: danger.severity == "critical" });
        }
    }
    (dangers, names)
});

/// Bytes of a module or a name in the list of dangerous callables, at most.
const MAX_PATTERN: usize = 200;

/// Why a callable is known to be dangerous. A dotted name is as dangerous as what it starts from.
#[must_use]
pub fn danger(module: &str, name: &str) -> Option<&'static Danger> {
    let (dangers, names) = &*DANGERS;
    let find = |pattern: String| names.get(&pattern).and_then(|index| dangers.get(*index));
    // A text of any length may come here, and nothing that is listed is long: longer patterns are not even made.
    let is_short = |text: &str| text.len() <= MAX_PATTERN;
    let of_module = |ending: &str| is_short(module).then(|| format!("{module}{ending}")).and_then(find);
    let within_name = |(end, _): (usize, &str)| {
        let (start, rest) = name.split_at(end);
        let rest = rest.trim_start_matches('.');
        let below = is_short(module).then(|| format!("{module}:{start}")).and_then(find);
        // `GLOBAL 'torch' 'os.system'`: the dotted path may walk into another module.
        let other = || is_short(rest).then(|| format!("{start}:{rest}")).and_then(find);
        below.or_else(other).or_else(|| find(format!("{start}:*")))
    };
    let whole = if is_short(name) { of_module(&format!(":{name}")) } else { None };
    let of_program = || module.ends_with(".__main__").then(|| find("*.__main__:*".to_owned())).flatten();
    whole
        .or_else(of_program)
        .or_else(|| of_module(":*"))
        .or_else(|| name.match_indices('.').take_while(|(end, _)| *end <= MAX_PATTERN).find_map(within_name))
        .or_else(|| of_module(".*:*"))
        .or_else(|| {
            let ends = module.match_indices('.').map(|(end, _)| end).take_while(|end| *end <= MAX_PATTERN);
            ends.map(|end| format!("{}.*:*", module.split_at(end).0)).find_map(find)
        })
}

/// Whether the list of dangerous callables has this very name, and not only all that is in its module.
#[must_use]
pub fn is_named_danger(module: &str, name: &str) -> bool {
    DANGERS.1.contains_key(&format!("{module}:{name}"))
}

/// Why a module is known to be dangerous: the first group that names anything of it.
#[must_use]
pub fn dangerous_module(module: &str) -> Option<&'static Danger> {
    MODULES.get(module).and_then(|index| DANGERS.0.get(*index))
}

/// Modules of which the list of dangerous callables names something, with the first group that does so.
static MODULES: LazyLock<HashMap<String, usize>> = LazyLock::new(|| {
    let mut modules = HashMap::new();
    let groups = toml::from_str::<RawDangers>(DANGER).map(|raw| raw.dangerous).unwrap_or_default();
    for (index, group) in groups.into_iter().enumerate() {
        for pattern in group.names {
            let module = pattern.split(':').next().unwrap_or_default().trim_end_matches(".*");
            modules.entry(module.to_owned()).or_insert(index);
        }
    }
    modules
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_judged_by_their_beginning_and_cost_nothing() {
        assert!(DANGERS.1.keys().all(|pattern| pattern.split(':').all(|part| part.len() <= MAX_PATTERN)));
        let long = "a.".repeat(1 << 20);
        let same = |module: &str, name: &str| {
            let short = danger(module, &format!("{name}.a")).is_some();
            assert_eq!(danger(module, &format!("{name}.{long}")).is_some(), short, "{module} {name}");
            short
        };
        assert!(same("os", "system") && !same("torch", "nn"));
        same("torch", "os.system");
        assert_eq!(danger(&format!("subprocess.{long}"), "x").is_some(), danger("subprocess.a", "x").is_some());
        assert!(danger(&long, &long).is_none());
    }

    #[test]
    fn an_old_wrapper_may_name_an_array_beside_it_only() {
        let conditions = state_conditions("joblib.numpy_pickle", "NDArrayWrapper").unwrap();
        for name in ["model.pkl_01.npy", "model.pkl_01.npy.z"] {
            assert!(conditions.allow("filename", Some(name)), "{name}");
        }
        for name in ["../a.npy", "/a.npy", "C:a.npy", "\\\\host\\a.npy", ".npy", "a.pkl", "a.npy\0", ""] {
            assert!(!conditions.allow("filename", Some(name)), "{name}");
        }
        assert!(!conditions.allow("filename", None));
        assert!(conditions.allow("allow_mmap", None));
    }

    #[test]
    fn every_file_is_a_list_and_every_list_parses() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/callable/lists");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .filter(|name| !["danger", "known", "targets"].contains(&name.as_str()))
            .collect();
        names.sort();
        let mut registered: Vec<_> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
        registered.sort();
        assert_eq!(names, registered);
        for (name, text) in FILES {
            assert!(parse_list(text).is_ok(), "{name}: {:?}", parse_list(text).err());
        }
        assert!(!KNOWN_MODULES.is_empty());
        assert!(!DANGERS.0.is_empty());
    }

    #[test]
    fn every_entry_says_why_and_names_callables_of_its_own_modules() {
        for (file, text) in FILES {
            let raw: RawList = toml::from_str(text).unwrap();
            for entry in &raw.inert {
                assert!(entry.reason.len() > 12, "{file}: '{}' is no reason", entry.reason);
                for name in &entry.names {
                    let (module, _) = name.split_once(':').unwrap();
                    assert!(raw.modules.iter().any(|known| known == top_level(module)), "{file}: {name}");
                    assert_eq!(name.matches(':').count(), 1, "{file}: {name}");
                }
            }
        }
    }

    #[test]
    fn nothing_is_both_inert_and_dangerous() {
        for (file, text) in FILES {
            let names = parse_list(text).unwrap().names;
            for name in names.keys().collect::<std::collections::BTreeSet<_>>() {
                let (module, name) = name.split_once(':').unwrap();
                assert!(
                    danger(module, name).is_none(),
                    "{file}: {module}:{name} is on the list of dangerous callables too"
                );
            }
        }
    }
}
