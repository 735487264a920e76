//! Files that are read: on all cores, each on a stack that is deep enough for the deepest tree that is accepted.
//!
//! A file is judged as soon as it is read. Of its text and of what was read in it, only that is kept then which other files
//! or what is printed may need: a project can be much larger than memory.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use waag_engine::bounded;

use super::configuration::{self, Configuration};
use super::files::Found;
use super::notebook;
use super::problem::Problem;
use super::rule::View;
use super::rules::nondeterministic_algorithm::{is_on_card, is_switch, names_workspace};
use super::source::{Encoding, Source};
use super::suppression::{self, Allowance};
use super::syntax::{self, Call, Script, Span};
use super::{Kind, LookedAt, Options, Unread, models, program, rules};

/// Bytes of one file of Python or notebook.
const MAX_BYTES: u64 = 16 << 20;
/// Bytes of one configuration that are read; what is longer is data, or is said to be read in part.
const MAX_CONFIGURATION: usize = 1 << 20;
/// Bytes of the stack of each thread.
const STACK: usize = 64 << 20;

/// What is kept of a file for rules about programs, beside calls.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Remarks {
    /// Whether it does what only a program for graphics cards does.
    pub(crate) is_on_card: bool,
    /// Whether it says how cuBLAS is to work.
    pub(crate) names_workspace: bool,
}

/// A file.
#[derive(Debug)]
pub(crate) struct Unit {
    /// As it was named.
    pub(crate) shown: String,
    /// From the project's folder on.
    pub(crate) relative: PathBuf,
    /// The file itself, wherever its name leads; what it names lies beside it or above.
    pub(crate) opened: PathBuf,
    pub(crate) kind: Kind,
    pub(crate) source: Source,
    /// The bytes of a notebook, which edits have to be made in.
    pub(crate) bytes: Vec<u8>,
    pub(crate) size: u64,
    pub(crate) script: Script,
    pub(crate) configuration: Option<Configuration>,
    /// What reading it gave, and the rules' opinions about it.
    pub(crate) problems: Vec<Problem>,
    /// Whether all of it was understood.
    pub(crate) is_complete: bool,
    /// The rules' opinions about it if it belongs to a program that trains.
    pub(crate) of_member: Vec<Problem>,
    pub(crate) remarks: Remarks,
    pub(crate) allowances: Vec<Allowance>,
    /// What it writes to, by the names that it knows.
    pub(crate) written: Vec<String>,
}

impl Unit {
    pub(super) fn looked_at(&self) -> LookedAt {
        LookedAt { path: self.shown.clone(), size: self.size, kind: self.kind, is_complete: self.is_complete }
    }

    /// Where it lies, as it was named.
    pub(crate) fn place(&self) -> &Path {
        let shown = Path::new(&self.shown);
        shown.strip_prefix(".").unwrap_or(shown)
    }

    /// Whether it is a test of the project's code: what it does is done again by nobody.
    pub(crate) fn is_test(&self) -> bool {
        let name = self.relative.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let folders = self.relative.parent().into_iter().flat_map(Path::iter);
        let is_test = |part: &str| matches!(part, "tests" | "test" | "testing");
        name.starts_with("test_")
            || name.ends_with("_test")
            || name == "conftest"
            || folders.filter_map(|part| part.to_str()).any(is_test)
    }
}

/// Reads and judges files. What could not be read is told apart.
pub(super) fn read_all(found: &[Found], options: &Options) -> (Vec<Unit>, Vec<Unread>) {
    let read = on_threads(found, |file| match bytes_of(file) {
        Ok((bytes, size)) => read_one(file, bytes, size, options).map(Ok),
        Err(error) => Some(Err((file.shown.clone(), format!("cannot be read: {error}")))),
    });
    let (mut units, mut unread) = (Vec::new(), Vec::new());
    for one in read.into_iter().flatten() {
        match one {
            Ok(unit) => units.push(unit),
            Err(why) => unread.push(why),
        }
    }
    (units, unread)
}

/// A file's bytes, of a configuration no more than are looked at, and how many it has.
fn bytes_of(file: &Found) -> io::Result<(Vec<u8>, u64)> {
    if file.kind != Kind::Configuration {
        let bytes = bounded::read(&file.opened, MAX_BYTES)?;
        let size = bytes.len() as u64;
        return Ok((bytes, size));
    }
    let opened = File::open(&file.opened)?;
    let (size, mut bytes) = (opened.metadata()?.len(), Vec::new());
    io::copy(&mut opened.take(MAX_CONFIGURATION as u64 + 1), &mut bytes)?;
    Ok((bytes, size))
}

/// Reads and judges one file that is in memory.
pub(super) fn read_bytes(file: &Found, bytes: Vec<u8>, options: &Options) -> Option<Unit> {
    on_threads(&[(file, Mutex::new(Some(bytes)))], |(file, bytes)| {
        let bytes = bytes.lock().ok()?.take()?;
        let size = bytes.len() as u64;
        read_one(file, bytes, size, options)
    })
    .pop()
    .flatten()
}

/// Adds the rules' opinions.
fn judge(unit: &mut Unit, options: &Options) {
    let (mut problems, mut of_member) = (std::mem::take(&mut unit.problems), Vec::new());
    for rule in rules::ALL {
        match &unit.configuration {
            Some(configuration) => rule.configuration(configuration, &mut problems),
            None => {
                rule.script(&View { unit, script: &unit.script, options }, &mut problems);
                rule.member(unit, &mut of_member);
            }
        }
    }
    (unit.problems, unit.of_member) = (problems, of_member);
}

/// Forgets what nobody asks for any more.
fn reduce(unit: &mut Unit) {
    unit.allowances = suppression::allowances(&unit.source, &unit.script.comments);
    unit.written = models::written(&unit.script).map(str::to_owned).collect();
    unit.remarks =
        Remarks { is_on_card: is_on_card(&unit.script), names_workspace: names_workspace(&unit.source.text) };
    let needs = |script: &Script, call: &Call| {
        program::needs(script, call) || rules::ALL.iter().any(|rule| rule.needs(script, call))
    };
    unit.script.reduce(needs, is_switch);
    unit.configuration = None;
    // What may be edited is needed as it is.
    let mut problems = unit.problems.iter().chain(&unit.of_member);
    if unit.is_complete && problems.any(|problem| !problem.edits.is_empty()) {
        return;
    }
    let places = places(unit);
    unit.bytes = Vec::new();
    unit.source.forget(places.into_iter());
}

/// Where findings may stand.
fn places(unit: &Unit) -> Vec<u32> {
    let problems = unit.problems.iter().chain(&unit.of_member).map(|problem| problem.span);
    let comments = unit.allowances.iter().map(|allowance| allowance.span);
    let stores = unit.script.stores.iter().map(|store| store.span);
    let calls = unit.script.calls.iter().flat_map(|call| {
        let arguments = call.keywords.iter().map(|(_, argument)| argument.span);
        [call.span, call.callee.span].into_iter().chain(arguments)
    });
    problems.chain(comments).chain(stores).chain(calls).map(|span| span.start).collect()
}

fn read_one(file: &Found, bytes: Vec<u8>, size: u64, options: &Options) -> Option<Unit> {
    let mut unit = Unit {
        shown: file.shown.clone(),
        relative: file.relative.clone(),
        opened: file.opened.clone(),
        kind: file.kind,
        source: Source::new(String::new(), Encoding::Utf8, Vec::new()),
        bytes: Vec::new(),
        size,
        script: Script::default(),
        configuration: None,
        problems: Vec::new(),
        is_complete: false,
        of_member: Vec::new(),
        remarks: Remarks::default(),
        allowances: Vec::new(),
        written: Vec::new(),
    };
    match file.kind {
        Kind::Python => {
            unit.source = Source::decode(&bytes);
            unit.script = syntax::read(&unit.source.text);
        }
        Kind::Notebook => {
            let read = notebook::read(&bytes);
            unit.script = syntax::read_cells(&read.code, &read.source.cell_spans());
            unit.script.commands.extend(read.commands);
            unit.source = read.source;
            unit.problems.extend(read.problems);
            unit.bytes = bytes;
        }
        Kind::Configuration => {
            let most = bytes.len().min(MAX_CONFIGURATION);
            let configuration = configuration::read(&file.relative, &bytes[..most], most < bytes.len())?;
            unit.source = Source::decode(&bytes[..most]);
            unit.script.comments = configuration::comments(&file.relative, &unit.source.text);
            unit.configuration = Some(configuration);
        }
    }
    unit.problems.extend(broken(&unit));
    unit.is_complete = unit.problems.is_empty();
    judge(&mut unit, options);
    reduce(&mut unit);
    Some(unit)
}

/// What of a file was not understood.
fn broken(unit: &Unit) -> Vec<Problem> {
    const NEXT: &str = "Correct it, or look at this part yourself; what is not read is not judged.";
    let mut problems = Vec::new();
    if let Some(why) = &unit.script.refused {
        problems.push(Problem::incomplete(Span::default(), format!("nothing of it was read: {why}"), NEXT));
    }
    if unit.source.encoding == Encoding::Broken {
        problems.push(Problem::incomplete(
            Span::default(),
            "its bytes are no text in an encoding that is known here",
            NEXT,
        ));
    }
    if let Some(why) = unit.configuration.as_ref().and_then(|configuration| configuration.stopped.as_deref()) {
        problems.push(Problem::incomplete(
            Span::default(),
            format!("the configuration is not wholly read: {why}"),
            NEXT,
        ));
    }
    if unit.script.is_cut {
        let message = "what its names stand for is more than is looked up";
        problems.push(Problem::incomplete(Span::default(), message, NEXT));
    }
    let breaks = unit
        .script
        .breaks
        .first()
        .map(|first| Problem::incomplete(first.span, format!("this is no Python: {}", first.message), NEXT));
    problems.extend(breaks);
    problems
}

/// Does something with each of a list, on all cores, in order.
pub(super) fn on_threads<T: Sync, R: Send>(list: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(list.len());
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::with_capacity(list.len()));
    let run = || {
        let mut own = Vec::new();
        while let index = next.fetch_add(1, Ordering::Relaxed)
            && let Some(item) = list.get(index)
        {
            own.push((index, work(item)));
        }
        if let Ok(mut done) = done.lock() {
            done.append(&mut own);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            // Where the system has no room for such a stack, the other threads do the work, or else this one.
            let _ = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, run);
        }
    });
    run();
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}
