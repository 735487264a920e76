//! Programs: a file that is started, with what it imports of the same project. What is absent is asked of a whole program,
//! and only of one that trains something.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use super::problem::Problem;
use super::syntax::{Call, Import, Script, Span};
use super::unit::{Unit, on_threads};
use super::{Kind, rules};

/// Files of one program.
const MAX_MEMBERS: usize = 400;

/// A file that is started, and what it imports.
#[derive(Debug)]
pub(crate) struct Program<'a> {
    /// Its files, the started one first.
    pub(crate) members: Vec<&'a Unit>,
    /// Whether all of the project that it imports is among them; otherwise nothing is known to be absent.
    pub(crate) is_whole: bool,
    /// Whether it has more files than these.
    is_cut: bool,
}

impl<'a> Program<'a> {
    /// Every call in it, with the place of its file.
    pub(crate) fn calls(&self) -> impl Iterator<Item = (usize, &'a Script, &'a Call)> {
        let members = self.members.iter().enumerate();
        members.flat_map(|(index, unit)| unit.script.calls.iter().map(move |call| (index, &unit.script, call)))
    }

    /// Whether any of its files imports this.
    pub(crate) fn imports(&self, library: &str) -> bool {
        self.members.iter().any(|unit| unit.script.imports(library))
    }

    /// Whether a dotted name is something of the project itself.
    pub(crate) fn is_own(&self, path: &str) -> bool {
        let first = path.trim_start_matches('.').split('.').next().unwrap_or_default();
        path.starts_with('.') || self.members.iter().skip(1).any(|unit| names(&unit.relative, first))
    }

    /// Whether it makes an object of one of these classes, or of a class of its own that is made from one.
    pub(crate) fn has_class(&self, is_it: impl Fn(&str) -> bool) -> bool {
        self.calls().any(|(_, _, call)| is_it(&call.callee.path))
            || self
                .members
                .iter()
                .flat_map(|unit| &unit.script.scopes)
                .any(|scope| scope.bases.iter().any(|base| is_it(base)))
    }
}

fn names(relative: &Path, word: &str) -> bool {
    relative.iter().filter_map(|part| part.to_str()).any(|part| part.strip_suffix(".py").unwrap_or(part) == word)
}

/// What is to be said of programs that train.
#[derive(Debug, Default)]
pub(super) struct Judged {
    /// The files that start them.
    pub(super) starts: Vec<usize>,
    /// The rules' opinions, each with the file that it is about, and each once.
    pub(super) problems: Vec<(usize, Problem)>,
}

/// The rules' opinions about every program that trains.
pub(super) fn judge(units: &[Unit]) -> Judged {
    let modules = Modules::new(units);
    let imported: Vec<Vec<usize>> = on_threads(units, |unit| modules.imported_by(unit));
    let known: BTreeSet<usize> = imported.iter().flatten().copied().collect();
    let starts: Vec<usize> = (0..units.len()).filter(|index| is_start(&units[*index], known.contains(index))).collect();
    let misses: Vec<OnceLock<bool>> = units.iter().map(|_| OnceLock::new()).collect();
    let is_missed = |index: &usize| *misses[*index].get_or_init(|| modules.misses(&units[*index]));
    // Programs share files: what is said of one is kept once, and not once for each program.
    let (told, shared) = (Mutex::new(BTreeMap::new()), Mutex::new(BTreeSet::new()));
    let trained = on_threads(&starts, |start| {
        let (places, is_cut) = reached(*start, &imported);
        let members = places.iter().map(|index| &units[*index]).collect();
        let mut program = Program { members, is_whole: false, is_cut };
        if !program.calls().any(|(_, script, call)| trains(script, call)) {
            return None;
        }
        program.is_whole = !is_cut && !places.iter().any(is_missed);
        let problems = opinions(&program).into_iter();
        let placed = problems.filter_map(|(member, problem)| Some((*places.get(member)?, problem)));
        keep_each_once(&told, placed);
        if let Ok(mut shared) = shared.lock() {
            shared.extend(places.iter().copied());
        }
        Some(*start)
    });
    let members: Vec<usize> = shared.into_inner().unwrap_or_default().into_iter().collect();
    let told = told.into_inner().unwrap_or_default();
    let own =
        members.iter().flat_map(|member| units[*member].of_member.iter().map(|problem| (*member, problem.clone())));
    let problems = told.into_iter().map(|((unit, ..), problem)| (unit, problem)).chain(own).collect();
    Judged { starts: trained.into_iter().flatten().collect(), problems }
}

/// What the rules say of a program.
fn opinions(program: &Program<'_>) -> Vec<(usize, Problem)> {
    let mut problems = Vec::new();
    rules::ALL.iter().for_each(|rule| rule.program(program, &mut problems));
    if program.is_cut {
        let message =
            format!("the program imports more than {MAX_MEMBERS} files, so nobody looked whether a seed is missing");
        let next = "Look yourself where it is seeded; files behind those are looked at one by one.";
        problems.push((0, Problem::incomplete(Span::default(), message, next)));
    }
    problems
}

/// By file, place and rule.
type Told = BTreeMap<(usize, Span, &'static str), Problem>;

/// Keeps of several programs' opinions about one place the same one, whichever comes first.
fn keep_each_once(told: &Mutex<Told>, problems: impl Iterator<Item = (usize, Problem)>) {
    let Ok(mut told) = told.lock() else { return };
    for (unit, problem) in problems {
        match told.entry((unit, problem.span, problem.rule)) {
            Entry::Vacant(place) => drop(place.insert(problem)),
            Entry::Occupied(mut known) if problem.message < known.get().message => drop(known.insert(problem)),
            Entry::Occupied(_) => {}
        }
    }
}

/// Whether people start this file: notebooks, scripts that say so, and files that train and that nobody imports.
fn is_start(unit: &Unit, is_imported: bool) -> bool {
    if unit.is_test() {
        return false;
    }
    match unit.kind {
        Kind::Notebook => true,
        Kind::Python => {
            let calls = &unit.script.calls;
            let at_top = |call: &Call| call.scope == 0 && trains(&unit.script, call);
            let starts = || calls.iter().any(is_main) && calls.iter().any(|call| trains(&unit.script, call));
            unit.script.is_started || (!is_imported && (calls.iter().any(at_top) || starts()))
        }
        Kind::Configuration => false,
    }
}

/// `main()` at the end, without a question of how the file is run.
fn is_main(call: &Call) -> bool {
    call.scope == 0 && matches!(call.callee.name.as_str(), "main" | "train" | "run" | "app")
}

/// Whether a call is needed to tell what is started and what trains.
pub(super) fn needs(script: &Script, call: &Call) -> bool {
    is_main(call) || trains(script, call)
}

/// The start and everything that it imports, near before far, and whether there is more.
fn reached(start: usize, imported: &[Vec<usize>]) -> (Vec<usize>, bool) {
    let mut places = vec![start];
    let mut seen = BTreeSet::from([start]);
    let mut next = 0;
    while let Some(index) = places.get(next).copied().filter(|_| places.len() < MAX_MEMBERS) {
        let more = imported[index].iter().copied().filter(|index| seen.insert(*index));
        places.extend(more);
        next += 1;
    }
    let is_cut = next < places.len();
    (places, is_cut)
}

/// Whether a call trains something.
pub(crate) fn trains(script: &Script, call: &Call) -> bool {
    let name = call.callee.name.as_str();
    let path = call.callee.path.as_str();
    match name {
        "backward" => {
            call.callee.is_method
                && (script.imports("torch") || script.imports("accelerate") || path.starts_with("accelerate."))
        }
        "fit" | "fit_generator" => {
            const LIBRARIES: &[&str] = &[
                "sklearn",
                "keras",
                "tensorflow",
                "tf_keras",
                "lightning",
                "pytorch_lightning",
                "xgboost",
                "lightgbm",
                "catboost",
                "fastai",
            ];
            // What is fitted to look at data, not to predict from it.
            let is_transform =
                ["Scaler", "Encoder", "PCA", "Vectorizer", "Tokenizer"].iter().any(|word| path.contains(word));
            call.callee.is_method && !is_transform && LIBRARIES.iter().any(|library| script.imports(library))
        }
        "train" => {
            path.contains("Trainer()")
                || path.starts_with("ultralytics.")
                || path == "xgboost.train"
                || path == "lightgbm.train"
                || script.bases(path).any(|base| base.ends_with("Trainer"))
        }
        "learn" => path.starts_with("stable_baselines3."),
        "fit_one_cycle" | "fine_tune" => script.imports("fastai"),
        "apply_gradients" => script.imports("tensorflow") || script.imports("flax") || script.imports("keras"),
        "step" => path.starts_with("torch.optim."),
        _ => false,
    }
}

/// The files of a project, by where they lie without their ending, packages by their folder.
struct Modules {
    by_path: HashMap<PathBuf, usize>,
}

impl Modules {
    fn new(units: &[Unit]) -> Self {
        let mut by_path = HashMap::new();
        for (index, unit) in units.iter().enumerate().filter(|(_, unit)| unit.kind == Kind::Python) {
            let stem = unit.place().with_extension("");
            let name =
                if stem.ends_with("__init__") { stem.parent().map(Path::to_owned).unwrap_or_default() } else { stem };
            by_path.insert(name, index);
        }
        Self { by_path }
    }

    /// The project's own files that a file imports.
    fn imported_by(&self, unit: &Unit) -> Vec<usize> {
        let found: BTreeSet<usize> =
            unit.script.imports.iter().filter_map(|import| self.resolved(unit.place(), import)).collect();
        found.into_iter().collect()
    }

    /// Whether a file imports one that lies there and was not given.
    fn misses(&self, unit: &Unit) -> bool {
        let place = unit.place();
        let mut missing = unit.script.imports.iter().filter(|import| self.resolved(place, import).is_none());
        missing.any(|import| bases(place, import).take(NEAR).any(|base| lies_in(base, &below(import))))
    }

    fn resolved(&self, place: &Path, import: &Import) -> Option<usize> {
        let below = below(import);
        // Some projects keep all in `src`.
        bases(place, import)
            .find_map(|base| self.find(base, &below, import).or_else(|| self.find(&base.join("src"), &below, import)))
    }

    /// A module, or the one that holds the name that is imported.
    fn find(&self, base: &Path, below: &str, import: &Import) -> Option<usize> {
        let whole = base.join(below);
        let is_module = |parent: &&Path| *parent != base || below.is_empty() || import.level > 0;
        let holder = || whole.parent().filter(is_module).and_then(|parent| self.by_path.get(parent));
        self.by_path.get(&whole).or_else(holder).copied()
    }
}

/// Folders above a file in which what it imports is looked for on the disk.
const NEAR: usize = 4;

fn below(import: &Import) -> String {
    import.path.replace('.', "/")
}

/// Where an import may start: beside the file, or beside a folder that it is in; by its dots in one folder alone.
fn bases<'a>(place: &'a Path, import: &Import) -> impl Iterator<Item = &'a Path> {
    let (skipped, kept) = match import.level {
        0 => (0, usize::MAX),
        level => (level as usize - 1, 1),
    };
    place.ancestors().skip(1 + skipped).take(kept)
}

/// Whether a module lies in a folder: itself, what holds the name, or the package that it is in. A file has no modules in it:
/// `hqq.core.quantize` is not what lies beside in `hqq.py`.
fn lies_in(base: &Path, below: &str) -> bool {
    let whole = base.join(below);
    let package = base.join(below.split('/').next().unwrap_or_default()).join("__init__.py");
    let mut modules = whole.ancestors().take_while(|path| *path != base).take(2);
    package.is_file() || modules.any(|path| path.with_extension("py").is_file())
}

#[cfg(test)]
mod tests;
