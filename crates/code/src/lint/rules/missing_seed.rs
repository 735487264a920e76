//! Generators of random numbers that a training uses and nobody seeds.

use std::collections::{BTreeSet, HashMap};

use waag_engine::rules::Meta;

use waag_evidence::{Confidence, Severity};

use super::super::configuration::{Configuration, Entry, Scalar, Tool};
use super::super::problem::Problem;
use super::super::program::Program;
use super::super::rule::Rule;
use super::super::syntax::{Call, Script, Span, Value};

/// Who it is.
pub static META: Meta = Meta {
    id: "missing-seed",
    title: "a training draws random numbers that no seed settles",
    page: include_str!("missing_seed.md"),
};

/// The rule.
pub(crate) struct MissingSeed;

impl Rule for MissingSeed {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn needs(&self, script: &Script, call: &Call) -> bool {
        drawn(call).is_some() || seeds(call) || says_so(call) || makes_trainer(script, call)
    }

    fn program(&self, program: &Program<'_>, problems: &mut Vec<(usize, Problem)>) {
        let Some(seeded) = seeded(program) else { return };
        let trainers = trainers(program);
        // A trainer seeds what is drawn after it; of other functions and files nobody knows what comes first.
        let is_after = |index: usize, call: &Call| {
            let here = trainers.get(&(index, call.scope));
            trainers.len() > 1 || here.is_none_or(|start| *start <= call.span.start)
        };
        let has_trainer = program.has_class(is_trainer);
        let has_keras = ["tensorflow", "keras", "tf_keras"].iter().any(|library| program.imports(library));
        let mut told: Vec<Generator> = Vec::new();
        for (index, _, call) in program.calls() {
            let Some(generator) = drawn(call).filter(|generator| !seeded.contains(&generator.settled_by())) else {
                continue;
            };
            if generator == Generator::TensorFlow && !has_keras {
                continue;
            }
            if generator.is_global() && has_trainer && is_after(index, call) {
                continue;
            }
            // One place is enough for what one line settles; estimators are settled one by one.
            if generator != Generator::Estimator && told.contains(&generator) {
                continue;
            }
            told.push(generator);
            let span = call.callee.span;
            let message =
                format!("{} draws random numbers, and nothing in the program seeds {}", name(call), generator.name());
            let problem = Problem::new(&META, span, message, generator.next())
                .severity(Severity::Low)
                .confidence(Confidence::Medium);
            problems.push((index, problem.about(call.callee.path.clone())));
        }
    }

    fn configuration(&self, configuration: &Configuration, problems: &mut Vec<Problem>) {
        let keys: &[&str] = match configuration.tool {
            Tool::Lightning => &["seed_everything"],
            Tool::Axolotl | Tool::Hydra => &["seed"],
            // Its default is 42; the program has it.
            Tool::Transformers | Tool::Launch => return,
        };
        let found = keys.iter().find_map(|key| configuration.find(key));
        let is_off = |entry: &Entry| entry.is_empty() || entry.value == Scalar::Bool(false);
        match (configuration.tool, found) {
            (_, Some(entry)) if is_off(entry) => {
                let message = format!("{} is not set: each run draws other numbers", entry.path);
                problems.push(
                    Problem::new(&META, entry.span, message, format!("Set {} to a number.", entry.key))
                        .severity(Severity::Low)
                        .about(entry.path.clone()),
                );
            }
            (Tool::Axolotl, None) => {
                let message = "nothing sets a seed for this training";
                problems.push(
                    Problem::new(&META, Span::default(), message, "Add `seed: 42`.")
                        .severity(Severity::Info)
                        .for_auditors(),
                );
            }
            _ => {}
        }
    }
}

/// A generator of random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Generator {
    Python,
    NumPy,
    /// `default_rng()` and the like, which hold their own state.
    NumPyOwn,
    Torch,
    TensorFlow,
    /// An estimator or splitter of scikit-learn without `random_state`.
    Estimator,
}

impl Generator {
    const fn name(self) -> &'static str {
        match self {
            Self::Python => "Python's random",
            Self::NumPy => "NumPy",
            Self::NumPyOwn => "this generator",
            Self::Torch => "PyTorch",
            Self::TensorFlow => "TensorFlow or Keras",
            Self::Estimator => "it or NumPy",
        }
    }

    const fn next(self) -> &'static str {
        match self {
            Self::Python => "Call random.seed(SEED) where the program starts.",
            Self::NumPy => "Call numpy.random.seed(SEED) where the program starts.",
            Self::NumPyOwn => "Give it a seed: numpy.random.default_rng(SEED).",
            Self::Torch => "Call torch.manual_seed(SEED) where the program starts, before the model is made.",
            Self::TensorFlow => "Call keras.utils.set_random_seed(SEED) where the program starts.",
            Self::Estimator => "Give it random_state=SEED.",
        }
    }

    /// Whether one seed settles it wherever it is drawn from.
    const fn is_global(self) -> bool {
        !matches!(self, Self::NumPyOwn)
    }

    /// Whose seed settles it.
    const fn settled_by(self) -> Self {
        if let Self::Estimator = self { Self::NumPy } else { self }
    }
}

fn name(call: &Call) -> &str {
    if call.callee.path.is_empty() { &call.callee.name } else { &call.callee.path }
}

/// What a call draws from.
fn drawn(call: &Call) -> Option<Generator> {
    let path = call.callee.path.as_str();
    if let Some(name) = path.strip_prefix("random.") {
        const DRAWS: &[&str] = &[
            "random",
            "randint",
            "randrange",
            "choice",
            "choices",
            "shuffle",
            "sample",
            "uniform",
            "gauss",
            "normalvariate",
            "betavariate",
            "getrandbits",
        ];
        return DRAWS.contains(&name).then_some(Generator::Python);
    }
    if let Some(name) = path.strip_prefix("numpy.random.") {
        let is_empty = call.positional.is_empty() && call.keywords.is_empty() && !call.is_open
            || call.first().is_some_and(|first| first.value == Value::Nothing);
        return match name {
            "default_rng" | "RandomState" | "PCG64" | "MT19937" if is_empty => Some(Generator::NumPyOwn),
            "rand" | "randn" | "randint" | "random" | "random_sample" | "choice" | "shuffle" | "permutation"
            | "normal" | "uniform" | "standard_normal" | "binomial" | "beta" | "multinomial" | "poisson" => {
                Some(Generator::NumPy)
            }
            _ => None,
        };
    }
    if let Some(name) = path.strip_prefix("torch.") {
        return torch(name, call).then_some(Generator::Torch);
    }
    if is_new_network(path, call) {
        return Some(Generator::Torch);
    }
    if keras(path, call) {
        return Some(Generator::TensorFlow);
    }
    estimator(path, call).then_some(Generator::Estimator)
}

fn torch(name: &str, call: &Call) -> bool {
    const DRAWS: &[&str] =
        &["rand", "randn", "randint", "randperm", "rand_like", "randn_like", "normal", "bernoulli", "multinomial"];
    const LAYERS: &[&str] = &[
        "Linear",
        "Conv1d",
        "Conv2d",
        "Conv3d",
        "ConvTranspose2d",
        "Embedding",
        "LSTM",
        "GRU",
        "RNN",
        "Transformer",
        "TransformerEncoderLayer",
        "MultiheadAttention",
        "Dropout",
    ];
    let has_generator = call.keyword("generator").is_some_and(|value| *value != Value::Nothing);
    let shuffles = name == "utils.data.DataLoader"
        && call.argument("shuffle", Some(2)).is_some_and(|argument| argument.value.is(true));
    let is_draw = DRAWS.contains(&name)
        || name == "utils.data.random_split"
        || shuffles
        || name.starts_with("nn.init.")
            && name.ends_with('_')
            && !name.contains("zeros")
            && !name.contains("ones")
            && !name.contains("constant");
    is_draw && !has_generator || name.strip_prefix("nn.").is_some_and(|layer| LAYERS.contains(&layer))
}

/// A network of torchvision whose weights are not taken from anywhere.
fn is_new_network(path: &str, call: &Call) -> bool {
    let Some(name) = path.strip_prefix("torchvision.models.") else { return false };
    let is_off = |value: &Value| value.is(false) || *value == Value::Nothing;
    let given = call.argument("weights", Some(0)).or(call.argument("pretrained", None));
    let is_network = name.starts_with(|first: char| first.is_ascii_lowercase()) && !name.contains(['.', '(']);
    let is_helper = name.starts_with("get_") || name.starts_with("list_");
    is_network && !is_helper && !call.is_open && given.is_none_or(|given| is_off(&given.value))
}

/// Whether it is something of TensorFlow or Keras that draws: a layer with weights that start anywhere, or with noise.
fn keras(path: &str, call: &Call) -> bool {
    const LAYERS: &[&str] = &["Dense", "EinsumDense", "Embedding", "LSTM", "GRU", "SimpleRNN", "MultiHeadAttention"];
    const PARTS: &[&str] = &["Conv", "Dropout", "Noise", "Random"];
    if let Some(layer) = path.strip_prefix("keras.layers.") {
        let draws = LAYERS.contains(&layer) || PARTS.iter().any(|part| layer.contains(part));
        return draws && !layer.contains(['.', '(']);
    }
    if path.starts_with("keras.applications.") {
        return call.keyword("weights").is_some_and(|weights| *weights == Value::Nothing);
    }
    let is_seeded = ["Generator", "stateless", "set_seed", "("].iter().any(|word| path.contains(word));
    path.starts_with("tensorflow.random.") && !is_seeded
}

/// Whether it is something of scikit-learn that draws unless it is told from where.
fn estimator(path: &str, call: &Call) -> bool {
    const DRAWS: &[&str] = &[
        "train_test_split",
        "ShuffleSplit",
        "StratifiedShuffleSplit",
        "GroupShuffleSplit",
        "RandomizedSearchCV",
        "RandomForestClassifier",
        "RandomForestRegressor",
        "ExtraTreesClassifier",
        "ExtraTreesRegressor",
        "MLPClassifier",
        "MLPRegressor",
        "SGDClassifier",
        "SGDRegressor",
        "KMeans",
        "MiniBatchKMeans",
        "IsolationForest",
        "BaggingClassifier",
        "BaggingRegressor",
        "TSNE",
        "GaussianMixture",
        "RandomizedPCA",
        "GradientBoostingClassifier",
        "GradientBoostingRegressor",
        "DecisionTreeClassifier",
        "DecisionTreeRegressor",
        "shuffle",
        "resample",
    ];
    let name = path.rsplit('.').next().unwrap_or_default();
    let shuffles = matches!(name, "KFold" | "StratifiedKFold")
        && call.argument("shuffle", None).is_some_and(|argument| argument.value.is(true));
    let is_off = name == "train_test_split" && call.keyword("shuffle").is_some_and(|value| value.is(false));
    let is_unsettled = match call.keyword("random_state") {
        None => !call.is_open,
        Some(value) => *value == Value::Nothing,
    };
    path.starts_with("sklearn.") && (DRAWS.contains(&name) || shuffles) && is_unsettled && !is_off
}

/// Whether a call seeds something, or everything.
fn seeds(call: &Call) -> bool {
    const SEEDERS: &[&str] = &[
        "random.seed",
        "numpy.random.seed",
        "torch.manual_seed",
        "torch.random.manual_seed",
        "tensorflow.random.set_seed",
        "tensorflow.set_random_seed",
    ];
    call.is_any(SEEDERS) || seeds_all(&call.callee.path)
}

/// What is seeded somewhere in the program; nothing where something unknown may seed anything.
fn seeded(program: &Program<'_>) -> Option<BTreeSet<Generator>> {
    const ALL: &[Generator] = &[Generator::Python, Generator::NumPy, Generator::Torch, Generator::TensorFlow];
    // What is not looked at may seed as well.
    if !program.is_whole {
        return None;
    }
    let mut seeded = BTreeSet::new();
    for (_, _, call) in program.calls() {
        let path = call.callee.path.as_str();
        match path {
            "random.seed" | "numpy.random.seed" | "torch.manual_seed" | "torch.random.manual_seed"
                if !is_settled(call) => {}
            "random.seed" => drop(seeded.insert(Generator::Python)),
            "numpy.random.seed" => drop(seeded.insert(Generator::NumPy)),
            "torch.manual_seed" | "torch.random.manual_seed" => drop(seeded.insert(Generator::Torch)),
            "tensorflow.random.set_seed" | "tensorflow.set_random_seed" => drop(seeded.insert(Generator::TensorFlow)),
            _ if seeds_all(path) => seeded.extend(ALL),
            _ if is_unknown_seeder(program, call) => return None,
            _ => {}
        }
    }
    Some(seeded)
}

/// `random.seed()` and `random.seed(None)` settle nothing.
fn is_settled(call: &Call) -> bool {
    call.positional
        .first()
        .map(|first| &first.value)
        .or(call.keyword("seed"))
        .or(call.keyword("a"))
        .is_some_and(|value| *value != Value::Nothing)
}

fn seeds_all(path: &str) -> bool {
    const SEEDERS: &[&str] = &[
        "seed_everything",
        "set_seed",
        "set_random_seed",
        "enable_full_determinism",
        "set_determinism",
        "set_global_seeds",
        "make_deterministic",
    ];
    const LIBRARIES: &[&str] = &[
        "lightning.",
        "transformers.",
        "accelerate.",
        "keras.",
        "monai.",
        "stable_baselines3.",
        "fastai.",
        "trl.",
        "ultralytics.",
        "diffusers.",
    ];
    let name = path.rsplit('.').next().unwrap_or_default();
    SEEDERS.contains(&name) && LIBRARIES.iter().any(|library| path.starts_with(library))
        || path.starts_with("ultralytics.YOLO().train")
}

/// Trainers that set every seed as they are made, to 42 unless they are told another one.
fn is_trainer(path: &str) -> bool {
    let name = path.rsplit('.').next().unwrap_or_default();
    let library = ["transformers.", "trl.", "sentence_transformers."].iter().any(|library| path.starts_with(library));
    library && name.ends_with("Trainer")
}

/// Where trainers are made first, by file and function.
fn trainers(program: &Program<'_>) -> HashMap<(usize, usize), u32> {
    let mut first = HashMap::new();
    for (index, _, call) in program.calls().filter(|(_, script, call)| makes_trainer(script, call)) {
        first.entry((index, call.scope)).or_insert(call.span.start);
    }
    first
}

/// Whether a call makes such a trainer, or one of a class that is made from one.
fn makes_trainer(script: &Script, call: &Call) -> bool {
    let path = call.callee.path.as_str();
    is_trainer(path) || !path.contains('(') && script.bases(path).any(is_trainer)
}

/// Whether its name says that something is seeded.
fn says_so(call: &Call) -> bool {
    let name = call.callee.name.to_ascii_lowercase();
    ["seed", "determinis", "reproducib"].iter().any(|word| name.contains(word))
}

/// Something from elsewhere whose name says that it seeds: what, nobody here can say.
fn is_unknown_seeder(program: &Program<'_>, call: &Call) -> bool {
    const KNOWN: &[&str] = &["numpy.", "torch.", "random.", "tensorflow.", "jax.", "gym", "sklearn."];
    let path = call.callee.path.as_str();
    says_so(call)
        && path.contains('.')
        && !KNOWN.iter().any(|library| path.starts_with(library))
        && !call.callee.path.contains("()")
        && !program.is_own(path)
}
