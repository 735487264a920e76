//! Files that are read: on all cores, each on a stack that is deep enough for the deepest tree that is accepted.

use std::collections::HashSet;
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
use super::source::{Encoding, Source};
use super::syntax::{self, Script, Span};
use super::{Kind, LookedAt, Options, Unread, models, rules};

/// Bytes of one file of Python or notebook.
const MAX_BYTES: u64 = 16 << 20;
/// Bytes of one configuration that are read; what is longer is data, or is said to be read in part.
const MAX_CONFIGURATION: usize = 1 << 20;
/// Bytes of the stack of each thread.
const STACK: usize = 64 << 20;

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
    /// What reading it gave.
    pub(crate) problems: Vec<Problem>,
}

impl Unit {
    pub(super) fn looked_at(&self) -> LookedAt {
        let is_complete = self.problems.is_empty();
        LookedAt { path: self.shown.clone(), size: self.size, kind: self.kind, is_complete }
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

/// Reads files. What could not be read is told apart.
pub(super) fn read_all(found: &[Found]) -> (Vec<Unit>, Vec<Unread>) {
    let read = on_threads(found, |file| match bytes_of(file) {
        Ok((bytes, size)) => read_one(file, bytes, size).map(Ok),
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

/// Reads one file that is in memory.
pub(super) fn read_bytes(file: &Found, bytes: Vec<u8>) -> Option<Unit> {
    on_threads(&[(file, Mutex::new(Some(bytes)))], |(file, bytes)| {
        let bytes = bytes.lock().ok()?.take()?;
        let size = bytes.len() as u64;
        read_one(file, bytes, size)
    })
    .pop()
    .flatten()
}

/// The rules' opinions about each file.
pub(super) fn judge_all(units: &[Unit], options: &Options) -> Vec<Vec<Problem>> {
    let written: HashSet<&str> = units.iter().flat_map(|unit| models::written(&unit.script)).collect();
    on_threads(units, |unit| {
        let mut problems = unit.problems.clone();
        for rule in rules::ALL {
            match &unit.configuration {
                Some(configuration) => rule.configuration(configuration, &mut problems),
                None => rule.script(&View { unit, script: &unit.script, options, written: &written }, &mut problems),
            }
        }
        problems
    })
}

fn read_one(file: &Found, bytes: Vec<u8>, size: u64) -> Option<Unit> {
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
