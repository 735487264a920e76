//! A project's Python, notebooks and training configurations: what loads unsafely, what is taken from elsewhere without
//! being pinned, and what is absent that a run needs to be made again. Nothing is run.
//!
//! [`examine`] gives findings, what was looked at, and the edits that would settle some of the findings.

mod configuration;
mod files;
pub mod fix;
mod loaders;
mod magic;
mod models;
mod notebook;
mod problem;
mod program;
pub mod report;
mod rule;
pub mod rules;
mod shell;
mod source;
mod suppression;
pub(crate) mod syntax;
mod unit;

use std::cmp::Reverse;
use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

pub use pep440_rs::Version;
use serde::Serialize;
use waag_engine::sanitize::sanitize;
use waag_evidence::exception::Exception;
use waag_evidence::finding::Nature;
use waag_evidence::{Finding, Location};
use waag_formats::secrets;

use crate::telling::incomplete;
use fix::FileFix;
use problem::Problem;
use unit::Unit;

/// Bytes of a source line that are shown.
const MAX_EVIDENCE: usize = 200;
/// Bytes of a message.
const MAX_MESSAGE: usize = 400;
/// Bytes behind those that are shown which a credential that starts in them may go on to.
const MAX_CREDENTIAL: usize = 4096;
/// Findings of one file, the gravest; how many more there are is told in a last one.
const MAX_FINDINGS: usize = 1_000;

/// What is known of the project from elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The version of PyTorch that the project pins, where exactly one is meant.
    pub torch: Option<Version>,
    /// Agreed exceptions that hold: what they cover is found all the same, and not edited.
    pub exceptions: Vec<Exception>,
}

/// What was found, and in what.
#[derive(Debug, Default)]
pub struct Examined {
    /// Gravest first, then by place.
    pub findings: Vec<Finding>,
    /// Every file that was looked at, by path.
    pub looked_at: Vec<LookedAt>,
    /// The files by which people start a training.
    pub trains: Vec<String>,
    /// Edits that settle findings, by file.
    pub fixes: Vec<FileFix>,
}

/// A file that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LookedAt {
    /// As it was named.
    pub path: String,
    /// Its bytes.
    pub size: u64,
    /// What it was read as.
    pub kind: Kind,
    /// Whether all of it was understood.
    pub is_complete: bool,
}

/// What a file is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Python.
    Python,
    /// A Jupyter notebook.
    Notebook,
    /// A configuration of a training.
    Configuration,
}

/// Looks at everything below some paths.
///
/// # Errors
/// When a path does not exist or cannot be read at all, or is a file that is nothing that is looked at; what cannot be
/// read below a folder is a finding.
pub fn examine(paths: &[PathBuf], options: &Options) -> io::Result<Examined> {
    let (found, mut unread) = files::find(paths)?;
    let (units, not_read) = unit::read_all(&found, options);
    unread.extend(not_read);
    Ok(conclude(units, unread, options))
}

/// Looks at bytes in memory, as a file of this name would be.
#[must_use]
pub fn examine_bytes(name: &str, bytes: Vec<u8>, options: &Options) -> Examined {
    let Some(kind) = files::kind_of(Path::new(name)) else { return Examined::default() };
    let file = files::Found { shown: name.to_owned(), opened: name.into(), relative: name.into(), kind };
    let units = unit::read_bytes(&file, bytes, options).into_iter().collect();
    conclude(units, Vec::new(), options)
}

/// A file or folder that could not be read at all, and why.
pub(crate) type Unread = (String, String);

fn conclude(units: Vec<Unit>, unread: Vec<Unread>, options: &Options) -> Examined {
    let written: HashSet<&str> = units.iter().flat_map(|unit| &unit.written).map(String::as_str).collect();
    let program::Judged { starts, problems: of_programs } = program::judge(&units);
    let mut problems: Vec<Vec<Problem>> = units.iter().map(|_| Vec::new()).collect();
    for (index, problem) in of_programs {
        if let Some(list) = problems.get_mut(index) {
            list.push(problem);
        }
    }
    let trains = starts.iter().filter_map(|index| units.get(*index)).map(|unit| unit.looked_at().path).collect();
    let mut examined = Examined { trains, ..Examined::default() };
    for (shown, why) in unread {
        examined.findings.push(incomplete(
            &Location::file(shown),
            &why,
            "Look at it yourself; what is not read is not judged.",
        ));
    }
    for (unit, problems) in units.iter().zip(problems) {
        let own = unit.problems.iter().cloned().filter_map(|problem| problem.settled(&written));
        let problems = suppression::apply(unit, own.chain(problems).collect());
        let kept = arranged(problems);
        let to_edit: Vec<&Problem> = kept.iter().filter(|problem| !is_excepted(unit, problem, options)).collect();
        examined.fixes.extend(fix::of(unit, &to_edit));
        examined.looked_at.push(unit.looked_at());
        let (listed, left_out) = gravest(kept);
        examined.findings.extend(listed.into_iter().map(|problem| told(unit, problem)));
        examined.findings.extend(unlisted(unit, left_out));
    }
    examined.findings.sort_by(|one, other| {
        let grave = |finding: &Finding| std::cmp::Reverse(finding.severity);
        (grave(one), &one.location, &one.rule).cmp(&(grave(other), &other.location, &other.rule))
    });
    examined
}

/// In order of place, each once.
fn arranged(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by(|one, other| (one.span, one.rule, &one.message).cmp(&(other.span, other.rule, &other.message)));
    problems.dedup_by(|one, other| (one.span, one.rule) == (other.span, other.rule));
    problems
}

/// Whether somebody agreed that it may stay.
fn is_excepted(unit: &Unit, problem: &Problem, options: &Options) -> bool {
    let covers = |finding: Finding| options.exceptions.iter().any(|exception| exception.covers(&finding));
    !problem.edits.is_empty() && !options.exceptions.is_empty() && covers(told(unit, problem.clone()))
}

/// The gravest problems, and how many are left out.
fn gravest(mut problems: Vec<Problem>) -> (Vec<Problem>, usize) {
    let left_out = problems.len().saturating_sub(MAX_FINDINGS);
    // What was not read comes before what is grave in what was.
    problems.sort_by_key(|problem| Reverse((problem.nature == Nature::Incomplete, problem.severity)));
    problems.truncate(MAX_FINDINGS);
    (problems, left_out)
}

fn unlisted(unit: &Unit, left_out: usize) -> Option<Finding> {
    let message = format!("{left_out} more findings of this file, none of them graver, are not listed");
    let next = "Settle those that are listed, and look again.";
    (left_out > 0).then(|| incomplete(&Location::file(unit.shown.clone()), &message, next))
}

fn told(unit: &Unit, problem: Problem) -> Finding {
    let (cell, line, text) = unit.source.place(problem.span);
    Finding {
        rule: problem.rule.to_owned(),
        nature: problem.nature,
        severity: problem.severity,
        confidence: problem.confidence,
        persona: problem.persona,
        location: Location {
            members: cell.map(|cell| format!("cell {cell}")).into_iter().collect(),
            line: Some(line),
            ..Location::file(unit.shown.clone())
        },
        message: shown(&problem.message, MAX_MESSAGE),
        subject: problem.subject.map(|subject| shown(&subject, MAX_EVIDENCE)),
        evidence: Some(shown(text.trim(), MAX_EVIDENCE)).filter(|text| !text.is_empty()),
        next_step: problem.next,
        count: 1,
    }
}

/// A text of the file as it can be shown: of a credential its first characters alone, and no more than is read.
fn shown(text: &str, most: usize) -> String {
    let end = text.floor_char_boundary(most);
    let within = &text[..text.floor_char_boundary(most + MAX_CREDENTIAL)];
    let (mut told, mut at) = (String::new(), 0);
    for hidden in secrets::hidden(within, most) {
        // One may lie in another.
        if hidden.start >= at && hidden.start < end {
            told += &sanitize(&text[at..hidden.start]);
            told.push('…');
            at = hidden.end;
        }
    }
    told += &sanitize(text.get(at..end).unwrap_or_default());
    shortened(&told, most)
}

fn shortened(text: &str, most: usize) -> String {
    match text.len() <= most {
        true => text.to_owned(),
        false => format!("{}…", &text[..text.floor_char_boundary(most)]),
    }
}

#[cfg(test)]
mod tests;
