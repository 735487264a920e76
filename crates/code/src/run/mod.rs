//! Runs a command and tells what it really read, wrote, executed and connected to: provenance that nobody has to write.
//!
//! On Linux the program is watched (`capture`); elsewhere, and where that is not allowed, what was declared is hashed and
//! the provenance says so. `docs/run.md` has the whole of it.

pub mod again;
mod asked;
mod environment;
mod facts;
mod gather;
mod git;
mod hashing;
mod level;
mod log;
mod machine;
mod packages;
mod place;
mod python;
mod record;
mod roles;
mod secret;
mod stamp;
mod statement;
mod write;
mod yaml;

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod capture;
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
#[path = "elsewhere.rs"]
mod capture;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use waag_engine::clock::now;
use waag_engine::sanitize::sanitize;
use waag_evidence::Sha256Digest;
use waag_evidence::statement::Statement;
use waag_evidence::statement::provenance::{BuildType, Provenance};
use waag_evidence::statement::role::Role;

use self::asked::{Asked, Failed};
use self::capture::Signals;
use self::facts::{Facts, Output};
use self::gather::{Gathered, Written};
use self::hashing::{Hashed, Hashing, Urgency, hash_file};
pub use self::level::Level;
use self::place::{Places, shown};
use self::python::SideChannel;
use self::record::{Record, Write};
pub use self::write::whole;

/// The longest script that is searched for a seed.
const MAX_SCRIPT: u64 = 4 << 20;

/// What to run, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The program and its arguments.
    pub command: Vec<OsString>,
    /// The step in the life of a model that it is.
    pub build_type: BuildType,
    /// Files and folders whose part the user named; absolute.
    pub inputs: Vec<(Role, PathBuf)>,
    /// Files and folders that are its outputs; absolute. When there are none, what was written and remains.
    pub outputs: Vec<PathBuf>,
    /// Parameters, by name.
    pub parameters: BTreeMap<String, String>,
    /// Whether to watch.
    pub capture: bool,
    /// Whether to deny it the network.
    pub no_network: bool,
    /// Whether to let it write in few places only: the working directory, outputs, temporary files, and these.
    pub sandbox: Option<Vec<PathBuf>>,
    /// Where to write what it prints.
    pub log: Option<PathBuf>,
    /// The working directory, without links.
    pub folder: PathBuf,
}

/// Why there is no provenance.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The program is not there, or is none.
    #[error("cannot run '{program}': {source}")]
    Command {
        /// What was to be run.
        program: String,
        /// What the system says.
        source: io::Error,
    },
    /// It could not be confined as asked, and did not run.
    #[error("cannot confine the command: {0}")]
    Unconfined(String),
    /// It was lost sight of.
    #[error("cannot follow the command: {0}")]
    Lost(io::Error),
    /// Something that was declared cannot be read.
    #[error("cannot read the input '{path}': {source}")]
    Input {
        /// Its path.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// The log cannot be written.
    #[error("cannot write the log '{path}': {source}")]
    Log {
        /// Its path.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// Nothing is watched, and nothing was declared.
    #[error("nothing is known of a run that is not watched and has no declared outputs")]
    NothingDeclared,
    /// What is to be run again wrote where its outputs would be moved away from.
    #[error("cannot run it again: its output '{0}' lies outside the working folder")]
    OutputElsewhere(String),
}

impl RunError {
    /// What to do next.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Command { .. } => {
                "the command stands after `--`, as in `waag run -- python train.py`; check its name"
            }
            Self::Unconfined(_) => {
                "leave out --sandbox and --no-network, or run where the kernel has Landlock and seccomp"
            }
            Self::Lost(_) => "run it again with --no-capture, and name what goes in and out with --input and --output",
            Self::Input { .. } => "inputs are files or folders that are there before the run: --input ROLE=PATH",
            Self::Log { .. } => "name a file in a folder that exists with --log",
            Self::OutputElsewhere(_) => {
                "nothing was moved and nothing was run: a second run moves the outputs aside, and does that below the folder \
                 that it runs in alone; record a run that writes there, and move the file afterwards"
            }
            Self::NothingDeclared => "name what it makes with --output PATH, and what it reads with --input ROLE=PATH",
        }
    }
}

/// A run that is over.
#[derive(Debug)]
pub struct Finished {
    facts: Facts,
    /// What a person should hear of.
    pub notes: Vec<String>,
}

impl Finished {
    /// Its provenance. None when nothing that it made remains: provenance is of something.
    #[must_use]
    pub fn statement(&self) -> Option<Statement<Provenance>> {
        (!self.facts.outputs.is_empty()).then(|| statement::statement(&self.facts))
    }

    /// The same for people, as they write it by hand.
    #[must_use]
    pub fn yaml(&self) -> String {
        yaml::document(&self.facts)
    }

    /// The exit code of the command: 128 and the signal's number when one ended it.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        self.facts.exit_code
    }

    /// Whether it was watched.
    #[must_use]
    pub const fn is_observed(&self) -> bool {
        self.facts.observed
    }

    /// What it comes to, in one line.
    #[must_use]
    pub fn summary(&self) -> String {
        let facts = &self.facts;
        let count = |number: usize, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
        let how = if facts.observed { "captured" } else { "declared, not observed" };
        let mut parts = vec![count(facts.inputs.len(), "input"), count(facts.packages.len(), "package")];
        parts.push(count(facts.outputs.len(), "output"));
        if !facts.connected.is_empty() {
            parts.push(count(facts.connected.len(), "address").replace("addresss", "addresses"));
        }
        format!("{how}: {}", parts.join(", "))
    }
}

/// Runs it. `talk` is told of what a person should know at once.
///
/// # Errors
/// When it could not be run, confined or followed.
pub fn run(options: &Options, talk: &dyn Fn(&str)) -> Result<Finished, RunError> {
    let mut before = Before::of(options)?;
    let signals = Signals::hold();
    let side_channel = SideChannel::open().ok();
    let places = places(options, side_channel.as_ref());
    let hashing = Hashing::beside();
    let mut watched = options.capture;
    let started = now();
    let mut ran = attempt(options, &places, &hashing, &signals, side_channel.as_ref(), watched)?;
    if let Attempt::Unwatchable(error) = &ran {
        talk(&format!("the command may not be watched here ({error}): what is declared is hashed instead"));
        watched = false;
        before.hash_declared(options)?;
        ran = attempt(options, &places, &hashing, &signals, side_channel.as_ref(), watched)?;
    }
    let finished = now();
    let (exit_code, mut record) = match ran {
        Attempt::Done(code, record) => (code, record),
        Attempt::Unwatchable(error) => return Err(RunError::Lost(error)),
    };
    let mut hashed = hashing.finish();
    hashed.extend(before.hashed.iter().map(|(path, known)| (path.clone(), known.clone())));
    let executed = executed(&mut record, &mut hashed, &places, options);
    if !watched {
        before.add_declared(&mut record, options);
    }
    let (mut record, read) = gather::gather(record, &hashed, &places, options);
    let written = gather::written(&mut record, options);
    let run = Run { watched, exit_code, started, finished, executed };
    let (python, more) = side_channel.map(|channel| channel.records()).unwrap_or_default();
    if more {
        record.gap("records of Python programs beyond 64: not told");
    }
    Ok(told(options, before, &record, read, written, run, python))
}

/// What is known before it starts: the run may change all of it.
struct Before {
    commit: Option<git::Commit>,
    machine: Value,
    script: Option<(PathBuf, Option<Sha256Digest>, Option<String>)>,
    hashed: BTreeMap<PathBuf, Hashed>,
    outputs: BTreeMap<PathBuf, Option<Sha256Digest>>,
}

impl Before {
    fn of(options: &Options) -> Result<Self, RunError> {
        for (_, path) in &options.inputs {
            let failed = |source| RunError::Input { path: sanitize(&path.display().to_string()), source };
            std::fs::metadata(path).map_err(failed)?;
        }
        let script = script(options);
        let mut before = Self {
            commit: git::commit(&options.folder, script.as_ref().map(|(path, ..)| path.as_path())),
            machine: machine::describe(),
            script,
            hashed: BTreeMap::new(),
            outputs: BTreeMap::new(),
        };
        if !options.capture {
            before.hash_declared(options)?;
        }
        Ok(before)
    }

    /// What is not watched has to be read before it runs.
    fn hash_declared(&mut self, options: &Options) -> Result<(), RunError> {
        if options.outputs.is_empty() {
            return Err(RunError::NothingDeclared);
        }
        let hashing = Hashing::alone();
        let inputs = gather::declared(options.inputs.iter().map(|(_, path)| path.clone()));
        let outputs = gather::declared(options.outputs.iter().cloned());
        inputs.iter().chain(&outputs).for_each(|path| hashing.want(path, None, Urgency::Now));
        let mut hashed = hashing.finish();
        self.outputs =
            outputs.iter().map(|path| (path.clone(), hashed.get(path).and_then(|known| known.digest))).collect();
        hashed.retain(|path, _| inputs.binary_search(path).is_ok());
        self.hashed = hashed;
        Ok(())
    }

    /// Takes what was declared for what was done.
    fn add_declared(&self, record: &mut Record, options: &Options) {
        for path in gather::declared(options.outputs.iter().cloned()) {
            record.wrote(&path, Write { existed: self.outputs.contains_key(&path) });
        }
    }
}

/// The script that a command runs: the first of its words that is a file with code.
fn script(options: &Options) -> Option<(PathBuf, Option<Sha256Digest>, Option<String>)> {
    let paths = options.command.iter().skip(1).take(16).map(|word| options.folder.join(word));
    let script = paths.into_iter().find(|path| roles::of(path) == Role::Code && path.is_file())?;
    let digest = hash_file(&script).ok().and_then(|hashed| hashed.digest);
    let text = waag_engine::bounded::read(&script, MAX_SCRIPT).unwrap_or_default();
    let seed = roles::seed_in(&String::from_utf8_lossy(&text));
    Some((script, digest, seed))
}

fn places(options: &Options, side_channel: Option<&SideChannel>) -> Places {
    let mut own: Vec<PathBuf> = options.inputs.iter().map(|(_, path)| path.clone()).collect();
    own.extend(options.outputs.iter().cloned());
    if options.folder.parent().is_some() {
        own.push(options.folder.clone());
    }
    let ignored = side_channel.map(|channel| channel.folder().to_owned()).into_iter();
    let ignored =
        ignored.flat_map(|folder| [folder.canonicalize().unwrap_or_else(|_| folder.clone()), folder]).collect();
    Places { own, ignored }
}

enum Attempt {
    Done(u8, Record),
    Unwatchable(io::Error),
}

fn attempt(
    options: &Options,
    places: &Places,
    hashing: &Hashing,
    signals: &Signals,
    side_channel: Option<&SideChannel>,
    watched: bool,
) -> Result<Attempt, RunError> {
    if !watched && options.outputs.is_empty() {
        return Err(RunError::NothingDeclared);
    }
    let Some((program, arguments)) = options.command.split_first() else { return Err(RunError::NothingDeclared) };
    let mut command = Command::new(program);
    command.args(arguments).current_dir(&options.folder);
    command.envs(side_channel.map(SideChannel::variables).unwrap_or_default());
    let writable = options.sandbox.as_ref().map(|more| writable(options, more));
    let asked = Asked {
        command,
        watched,
        no_network: options.no_network,
        writable: writable.as_deref(),
        log: options.log.as_deref(),
        places,
        hashing,
        signals,
    };
    let name = |path: &Path| sanitize(&path.display().to_string());
    match capture::run(asked) {
        Ok((code, record)) => Ok(Attempt::Done(code, record)),
        Err(Failed::Unwatchable(error)) => Ok(Attempt::Unwatchable(error)),
        Err(Failed::Unconfined(why)) => Err(RunError::Unconfined(why)),
        Err(Failed::Command(source)) => Err(RunError::Command { program: name(Path::new(program)), source }),
        Err(Failed::Log(source)) => {
            Err(RunError::Log { path: options.log.as_deref().map(name).unwrap_or_default(), source })
        }
        Err(Failed::Lost(error)) => Err(RunError::Lost(error)),
    }
}

/// Where a confined program may write.
fn writable(options: &Options, more: &[PathBuf]) -> Vec<PathBuf> {
    let mut places = vec![options.folder.clone(), std::env::temp_dir(), "/tmp".into(), "/var/tmp".into()];
    // A file that is not there yet is made in its folder.
    let of_output = |path: &PathBuf| if path.is_dir() { Some(path.clone()) } else { path.parent().map(Path::to_owned) };
    places.extend(options.outputs.iter().filter_map(of_output));
    places.extend(more.iter().cloned());
    places
}

/// The programs that ran, with their digests; those of the user's own are inputs too.
fn executed(
    record: &mut Record,
    hashed: &mut BTreeMap<PathBuf, Hashed>,
    places: &Places,
    options: &Options,
) -> Vec<(String, Option<Sha256Digest>)> {
    let programs = std::mem::take(&mut record.executed);
    let told = programs.iter().map(|path| {
        let known = hashed.get(path).cloned().or_else(|| hash_file(path).ok()).unwrap_or_default();
        hashed.entry(path.clone()).or_insert_with(|| known.clone());
        if places.of(path) == place::Place::Own {
            record.read(
                path,
                record::Read {
                    asked: path.clone(),
                    stamp: Some(known.stamp),
                    digest: known.digest,
                    program: true,
                    moved: false,
                },
            );
        }
        (shown(path, &options.folder), known.digest)
    });
    told.collect()
}

/// The run itself.
struct Run {
    watched: bool,
    exit_code: u8,
    started: jiff::Timestamp,
    finished: jiff::Timestamp,
    executed: Vec<(String, Option<Sha256Digest>)>,
}

fn told(
    options: &Options,
    before: Before,
    record: &Record,
    read: Gathered,
    mut written: Written,
    run: Run,
    python: Vec<Value>,
) -> Finished {
    let words: Vec<String> = options.command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let command = secret::masked(&words);
    let variables = environment::variables();
    let named = |name: &str| options.parameters.get(name).cloned();
    let seed = named("seed").or_else(|| named("random_seed")).or_else(|| roles::seed_of(&words));
    let seed = seed.or_else(|| variables.get("PL_GLOBAL_SEED").cloned());
    let seed = seed.or_else(|| before.script.as_ref().and_then(|(_, _, seed)| seed.clone()));
    let masked = |(name, value): (&String, &String)| (name.clone(), secret::masked_value(name, value));
    let parameters: BTreeMap<_, _> = options.parameters.iter().map(masked).collect();
    let mut notes = notes(record, &read, &written);
    if command != words || parameters != options.parameters {
        notes.push("what looks like a secret on the command line is not written down".to_owned());
    }
    for output in &mut written.outputs {
        let was = before.outputs.get(&place::found(&output.name, &options.folder)).copied().flatten();
        output.unchanged = was.is_some() && was == output.digest;
    }
    if let Some(log) = &options.log {
        let digest = hash_file(log).ok().and_then(|hashed| hashed.digest);
        written.byproducts.push(Output { name: shown(log, &options.folder), digest, kind: "log", ..Output::default() });
    }
    if written.outputs.is_empty() {
        notes.push("nothing that the command wrote remains: there is nothing to tell the provenance of".to_owned());
    }
    let level = level(run.watched, &before, &read, seed.is_some());
    let facts = Facts {
        build_type: options.build_type,
        command,
        parameters,
        declared_inputs: options.inputs.iter().map(|(role, path)| (*role, shown(path, &options.folder))).collect(),
        declared_outputs: options.outputs.iter().map(|path| shown(path, &options.folder)).collect(),
        observed: run.watched,
        level,
        exit_code: run.exit_code,
        started: run.started,
        finished: run.finished,
        no_network: options.no_network,
        sandbox: options.sandbox.as_ref().and_then(|_| capture::sandbox_support()),
        inputs: read.inputs,
        packages: read.packages,
        surroundings: read.surroundings,
        outputs: written.outputs,
        byproducts: written.byproducts,
        executed: run.executed,
        connected: record.connected.clone(),
        bound: record.bound.clone(),
        gaps: record.gaps.iter().map(|(what, count)| ((*what).to_owned(), *count)).collect(),
        commit: before.commit,
        variables,
        machine: before.machine,
        python,
        script: before.script.map(|(path, digest, _)| (shown(&path, &options.folder), digest)),
        seed,
        comparison: None,
    };
    Finished { facts, notes }
}

fn level(watched: bool, before: &Before, read: &Gathered, seeded: bool) -> Level {
    let clean = before.commit.as_ref().is_some_and(|commit| commit.dirty == Some(false));
    let pinned = read.inputs.iter().any(|input| input.role == Some(Role::Environment) && input.digest.is_some());
    match watched {
        true => Level::Captured,
        false if clean && pinned && seeded => Level::PinnedAndSeeded,
        false => Level::Documented,
    }
}

fn notes(record: &Record, read: &Gathered, written: &Written) -> Vec<String> {
    let changed = read.inputs.iter().filter(|input| input.changed);
    let mut notes: Vec<String> =
        changed.map(|input| format!("'{}' changed during the run", sanitize(&input.name))).collect();
    let differing: BTreeSet<&str> = read
        .packages
        .iter()
        .filter(|package| !package.differing.is_empty())
        .map(|package| package.name.as_str())
        .collect();
    notes.extend(
        differing.iter().map(|name| format!("files of the package '{}' are not those that it lists", sanitize(name))),
    );
    notes.extend(record.gaps.iter().map(|(what, count)| format!("{what} ({count})")));
    notes.extend(written.notes.iter().map(|name| format!("the output '{}' was not written", sanitize(name))));
    notes
}
