//! `waag verify --pins`: a model beside digests that other tools wrote down.

use std::collections::HashSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use waag_engine::hash::files_of;
use waag_engine::output::text::{BAD, DOUBT, GOOD, Painted, counted};
use waag_engine::output::{Style, View, write_json};
use waag_engine::pins::{Broken, Pin, PinKind, Pins, PinsError, read, verify};
use waag_engine::sanitize::sanitize;

use super::super::formats::Telling;
use crate::failure::Failure;
use crate::progress::Bar;

/// The form of the answer in JSON: `docs/schema/pins.schema.json`.
const SCHEMA: &str = "waag-pins-1";
/// Broken promises that are told; `--format json` tells all.
const MAX_TOLD: usize = 40;

impl From<PinsError> for Failure {
    fn from(error: PinsError) -> Self {
        Self::with_hint(&error, error.hint())
    }
}

/// What became of the promises of one list.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    schema: &'static str,
    list: String,
    kind: String,
    /// Files that the list promises something about.
    promised: usize,
    /// Whether all promises are made with a digest that can be forged.
    weak: bool,
    verified: bool,
    broken: Vec<BrokenPromise>,
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct BrokenPromise {
    path: String,
    problem: String,
}

impl Answer {
    /// Reads a list and every file that it promises something about.
    /// `lists` are all that were named: a list is judged by what it says, and not by what another one says of it.
    pub(super) fn of(list: &Path, lists: &[PathBuf], model: &Path, watched: bool) -> Result<Self, Failure> {
        let Pins { kind, pins, whole, notes } = read(list, model)?;
        let (pins, outside) = split(pins, kind, model);
        let weak = pins.iter().all(|pin| pin.algorithm.is_weak());
        let mut notes = notes;
        if outside > 0 {
            notes.push(format!("{} of the list are not part of the model", counted(outside, "file")));
        }
        notes.extend(unpinned(&pins, kind, lists, model));
        let chosen = Pins { kind, pins, whole, notes: Vec::new() };
        if chosen.pins.is_empty() && chosen.whole.is_empty() {
            return Err(Failure::with_hint(
                format!("'{}' promises nothing about '{}'", shown(list), shown(model)),
                "name the folder that the list is about, or a file below it",
            ));
        }
        let bar = Bar::new(watched);
        let broken = verify(&chosen, &bar);
        bar.finish();
        let verified = broken.is_empty();
        let broken = broken.iter().map(told).collect();
        let (list, promised) = (list.display().to_string(), chosen.pins.len());
        Ok(Self { schema: SCHEMA, list, kind: kind.to_string(), promised, weak, verified, broken, notes })
    }

    pub(super) const fn is_good(&self) -> bool {
        self.verified
    }

    fn plain(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        let (word, colour) = if self.verified { ("verified", GOOD) } else { ("not verified", BAD) };
        let count = counted(self.promised as u64, "file");
        let verdict = Painted(style.color, colour, word);
        if style.view == View::Verdict {
            return writeln!(out, "{verdict}: {count}");
        }
        for broken in self.broken.iter().take(MAX_TOLD) {
            let line = sanitize(&format!("{} {}", broken.path, broken.problem));
            writeln!(out, "{}: {line}", Painted(style.color, BAD, "bad"))?;
        }
        if let Some(more) = self.broken.len().checked_sub(MAX_TOLD).filter(|more| *more > 0) {
            writeln!(out, "     and {more} more (--format json tells all)")?;
        }
        for note in &self.notes {
            writeln!(out, "{}: {}", Painted(style.color, DOUBT, "note"), sanitize(note))?;
        }
        if self.weak {
            let words = "MD5 and SHA-1 protect from accidents, not from people: files of one digest can be made";
            writeln!(out, "{}: {words}", Painted(style.color, DOUBT, "weak"))?;
        }
        writeln!(out, "{verdict}: {count}, by the {} {}", self.kind, sanitize(&self.list))
    }
}

/// Tells what became of all lists.
pub(super) fn write(answers: &[Answer], format: Telling, out: &mut dyn Write, style: Style) -> io::Result<()> {
    match format {
        Telling::Plain => answers.iter().try_for_each(|answer| answer.plain(out, style)),
        Telling::Json => write_json(&answers, out),
    }
}

/// Promises about the model, and how many of them are about something else. A cache is named as a whole.
fn split(pins: Vec<Pin>, kind: PinKind, model: &Path) -> (Vec<Pin>, u64) {
    if kind == PinKind::HuggingFaceCache {
        return (pins, 0);
    }
    let real = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let model = real(model);
    let (inside, outside): (Vec<_>, Vec<_>) = pins.into_iter().partition(|pin| real(&pin.path).starts_with(&model));
    (inside, outside.len() as u64)
}

/// Files of the model that a list says nothing about: they can be anything.
fn unpinned(pins: &[Pin], kind: PinKind, lists: &[PathBuf], model: &Path) -> Option<String> {
    if kind == PinKind::HuggingFaceCache {
        return None;
    }
    let known = pins.iter().map(|pin| &pin.path).chain(lists);
    let known: HashSet<PathBuf> = known.filter_map(|path| std::fs::canonicalize(path).ok()).collect();
    let files = files_of(model, &[], true, None).ok()?.files;
    let mut others = files.iter().filter(|file| !known.contains(&file.opened)).map(|file| file.path.as_str());
    let count = others.clone().count() as u64;
    let first = others.next()?;
    let (verb, more) = if count == 1 { ("is", "") } else { ("are", " and others") };
    Some(format!("{} of the model {verb} not on the list, and can be anything: {first}{more}", counted(count, "file")))
}

fn told(broken: &Broken) -> BrokenPromise {
    BrokenPromise { path: broken.path.display().to_string(), problem: broken.how.to_string() }
}

fn shown(path: &Path) -> String {
    sanitize(&path.display().to_string())
}
