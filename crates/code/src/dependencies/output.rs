//! Telling what was read and found of dependencies, to people and to programs.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use waag_engine::output::text::{
    HEADING, NAME, Painted, QUIET, counted, decision_style, decision_word, place, severity_style, severity_word, wrap,
};
use waag_engine::output::{Style, View, write_json};
use waag_engine::sanitize::sanitize;
use waag_engine::settings::Driver;
use waag_evidence::finding::Nature;
use waag_evidence::{Dependency, DependencySource, Finding, Standing, Verdict};

use super::reading::{FileRead, Reading};

/// Version of the JSON form.
const FORMAT_VERSION: u32 = 1;
/// Places of one group of findings, and files, that people are shown.
const MAX_SHOWN: usize = 8;

/// What is told: what was read, what every room found, and what follows.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// The path, as it was named.
    pub path: &'a str,
    /// What was read.
    pub reading: &'a Reading,
    /// The driver that it is to run on, where somebody says so.
    pub driver: Option<&'a Driver>,
    /// Findings of all rooms, as they were judged.
    pub findings: &'a [Finding],
    /// What follows from them.
    pub verdict: &'a Verdict,
}

/// The JSON form.
#[derive(Serialize)]
struct Document<'a> {
    format_version: u32,
    path: &'a str,
    decision: waag_evidence::Decision,
    /// Findings that led to it, as indices.
    reasons: &'a [usize],
    /// Findings that an exception covers, as indices.
    excepted: Vec<usize>,
    files: &'a [super::FileRead],
    passed_over: &'a [String],
    packages: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    verified: Option<super::Verified>,
    python: &'a [super::PythonClaim],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    notices: &'a [super::Notice],
    #[serde(skip_serializing_if = "Option::is_none")]
    driver: Option<&'a Driver>,
    indexes: &'a [super::Index],
    dependencies: &'a [Dependency],
    findings: &'a [Finding],
}

/// Writes it for programs; `docs/schema/deps.schema.json` describes it.
///
/// # Errors
/// When `out` cannot be written to.
pub fn json(told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
    let Told { path, reading, driver, findings, verdict } = told;
    let document = Document {
        format_version: FORMAT_VERSION,
        path,
        decision: verdict.decision,
        reasons: &verdict.reasons,
        excepted: verdict.excepted.iter().map(|(finding, _)| *finding).collect(),
        files: &reading.files,
        passed_over: &reading.passed_over,
        packages: reading.packages(),
        verified: reading.verified,
        python: &reading.python,
        notices: &reading.notices,
        driver: *driver,
        indexes: &reading.indexes,
        dependencies: &reading.dependencies,
        findings,
    };
    write_json(&document, out)
}

/// Writes one screen for people; with `all`, every package and every place.
///
/// # Errors
/// When `out` cannot be written to.
pub fn plain(told: &Told<'_>, all: bool, out: &mut dyn Write, style: Style) -> io::Result<()> {
    if style.view != View::Verdict {
        read(told, all, out, style)?;
        if all {
            table(told.reading, out, style)?;
        }
        groups(told, all, out, style)?;
    }
    verdict(told, out, style)
}

/// What was looked at.
fn read(told: &Told<'_>, all: bool, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let reading = told.reading;
    let packages = counted(reading.packages() as u64, "package");
    let heading = Painted(style.color, HEADING, sanitize(told.path));
    let files = counted(reading.declaring().count() as u64, "file");
    match reading.verified {
        Some(verified) => {
            let and =
                if reading.declaring().next().is_some() { format!(" or named in {files}") } else { String::new() };
            writeln!(out, "{heading}: {packages} installed{and}")?;
            let checked = verified.matching + verified.changed + verified.missing;
            writeln!(
                out,
                "  {} of {} as recorded, {} changed, {} missing, {} unrecorded, {} without a digest",
                verified.matching,
                counted(checked, "file"),
                verified.changed,
                verified.missing,
                verified.unlisted,
                verified.unchecked
            )?;
        }
        None if reading.files.is_empty() => writeln!(out, "{heading}: no list of packages")?,
        None => writeln!(out, "{heading}: {packages} in {files}")?,
    }
    files_read(reading, all, out, style)?;
    let most = if all { usize::MAX } else { MAX_SHOWN };
    for claim in reading.python.iter().take(most) {
        writeln!(
            out,
            "  Python {}  {}",
            sanitize(&claim.constraint),
            Painted(style.color, QUIET, place(&claim.location))
        )?;
    }
    more(reading.python.len().saturating_sub(most), "Python", out)?;
    if let Some(driver) = told.driver {
        let place = Painted(style.color, QUIET, place(&driver.location));
        writeln!(out, "  NVIDIA driver {}  {place}", sanitize(&driver.version))?;
    }
    for folder in reading.passed_over.iter().take(most) {
        writeln!(out, "  {}", Painted(style.color, QUIET, format!("not read: {}", sanitize(folder))))?;
    }
    more(reading.passed_over.len().saturating_sub(most), "folder", out)
}

/// That a list goes on.
fn more(count: usize, what: &str, out: &mut dyn Write) -> io::Result<()> {
    match count {
        0 => Ok(()),
        _ => writeln!(out, "  and {count} more {what}{} (--all lists them)", if count == 1 { "" } else { "s" }),
    }
}

fn files_read(reading: &Reading, all: bool, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let files: Vec<&FileRead> = reading.declaring().collect();
    let shown = if all { files.len() } else { files.len().min(2 * MAX_SHOWN) };
    let width = files[..shown].iter().map(|file| sanitize(&file.path).chars().count()).max().unwrap_or(0).min(50);
    for file in &files[..shown] {
        let path = sanitize(&file.path);
        let packages = counted(file.packages as u64, "package");
        let partly = if file.complete { "" } else { ", not all of it understood" };
        let path = Painted(style.color, NAME, format!("{path:width$}"));
        writeln!(out, "  {path}  {}, {packages}{partly}", file.kind.word())?;
    }
    more(files.len() - shown, "file", out)
}

/// Every package and place.
fn table(reading: &Reading, out: &mut dyn Write, style: Style) -> io::Result<()> {
    writeln!(out)?;
    let name = |it: &Dependency| sanitize(if it.written.is_empty() { "(unnamed)" } else { &it.written });
    let width = reading.dependencies.iter().map(|it| name(it).chars().count()).max().unwrap_or(0).min(40);
    for dependency in &reading.dependencies {
        let version = sanitize(&version_of(dependency));
        let origin = origin(&dependency.source);
        let hashed = if dependency.digests.is_empty() { "" } else { ", digested" };
        let group = dependency.group.as_deref().map(|group| format!(" [{}]", sanitize(group))).unwrap_or_default();
        let name = Painted(style.color, NAME, format!("{:width$}", name(dependency)));
        let place = Painted(style.color, QUIET, place(&dependency.location));
        writeln!(out, "  {name}  {version:16}  {}{hashed}{origin}{group}  {place}", standing(dependency.standing))?;
    }
    Ok(())
}

fn version_of(dependency: &Dependency) -> String {
    match (&dependency.version, &dependency.constraint) {
        (Some(version), _) => version.clone(),
        (None, Some(constraint)) => constraint.clone(),
        (None, None) => "any".to_owned(),
    }
}

fn origin(source: &DependencySource) -> String {
    let text = match source {
        DependencySource::Index { url: None } => return String::new(),
        DependencySource::Index { url: Some(url) } => format!(", from {url}"),
        DependencySource::Archive { url } => format!(", archive {url}"),
        DependencySource::Repository { url, revision, .. } => {
            format!(", repository {url} at {}", revision.as_deref().unwrap_or("its main branch"))
        }
        DependencySource::Path { path, .. } => format!(", path {path}"),
    };
    sanitize(&text)
}

const fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Declared => "declared",
        Standing::Constrained => "constrained",
        Standing::Locked => "locked",
        Standing::Installed => "installed",
    }
}

/// Findings of one rule and gravity under one heading, with one piece of advice.
fn groups(told: &Told<'_>, all: bool, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let excepted: Vec<usize> = told.verdict.excepted.iter().map(|(finding, _)| *finding).collect();
    let mut groups: BTreeMap<(std::cmp::Reverse<waag_evidence::Severity>, &str, &str), Vec<&Finding>> = BTreeMap::new();
    for (_, finding) in told.findings.iter().enumerate().filter(|(index, _)| !excepted.contains(index)) {
        let key = (std::cmp::Reverse(finding.severity), finding.rule.as_str(), finding.next_step.as_str());
        groups.entry(key).or_default().push(finding);
    }
    for ((severity, rule, next), findings) in groups {
        let is_incomplete = findings.iter().all(|finding| finding.nature == Nature::Incomplete);
        let word = if is_incomplete { "incomplete" } else { severity_word(severity.0) };
        let heading = Painted(style.color, severity_style(severity.0), format!("{word}[{rule}]"));
        writeln!(out, "\n{heading} {}", counted(findings.len() as u64, "finding"))?;
        let shown = if all { findings.len() } else { findings.len().min(MAX_SHOWN) };
        for finding in &findings[..shown] {
            wrap(&finding.message, style.width.saturating_sub(4))
                .iter()
                .try_for_each(|line| writeln!(out, "  {line}"))?;
            let seen = finding.evidence.as_deref().map(|seen| format!("  {seen}")).unwrap_or_default();
            writeln!(out, "    {}{seen}", Painted(style.color, QUIET, place(&finding.location)))?;
        }
        if findings.len() > shown {
            writeln!(out, "  and {} more (--all lists them)", findings.len() - shown)?;
        }
        let lines = wrap(next, style.width.saturating_sub(8));
        lines
            .iter()
            .enumerate()
            .try_for_each(|(number, line)| writeln!(out, "  {} {line}", if number == 0 { "next:" } else { "     " }))?;
    }
    Ok(())
}

fn verdict(told: &Told<'_>, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let decision = told.verdict.decision;
    let word = Painted(style.color, decision_style(decision), decision_word(decision));
    let excepted = told.verdict.excepted.len() as u64;
    let findings = counted(told.findings.len() as u64 - excepted, "finding");
    let aside = if excepted > 0 { format!(", {excepted} more excepted by waag.toml") } else { String::new() };
    let looked = match told.reading.verified {
        Some(_) => "what is installed was compared with its records, not with an index",
        None if told.reading.files.is_empty() => "no list of packages is here; descriptions of images were read",
        None => "the files were read; nothing was resolved, fetched or run",
    };
    if style.view != View::Verdict {
        writeln!(out)?;
    }
    writeln!(out, "{word}: {findings}{aside}; {looked}")
}
