//! For people at a terminal: one screen, readable without colours.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::io::{self, Write};

use anstyle::Style as Paint;
use waag_evidence::control::{is_of_findings, of_finding};
use waag_evidence::exception::Exception;
use waag_evidence::{Confidence, Decision, Finding};

use super::collection::{self, Group};
use super::subject::{self, Subject, subjects};
use super::text::{self, Painted};
use super::{Output, Style, View};
use super::{checklist, controls};
use crate::report::{Analysis, Report};
use crate::sanitize::sanitize;

/// Findings that are told in full; more would push the verdict off the screen.
const MAX_FINDINGS: usize = 20;
/// Files with findings that are told one by one; of more, what was found is told, and in which files.
const MAX_ONE_BY_ONE: usize = 10;
/// The same of a project, whose controls need room too.
const MAX_OF_PROJECT: usize = 3;
/// Kinds of findings that are told of a collection.
const MAX_GROUPS: usize = 15;
/// Folders of a collection that are listed.
const MAX_FOLDERS: usize = 10;
/// Files that are described though nothing was found in them.
const MAX_CLEAN: usize = 3;
/// Files that are named when they were not analysed.
const MAX_NAMES: usize = 4;
/// Characters of what a finding is about, where several are listed.
const MAX_SUBJECT: usize = 60;
/// Characters of evidence; more is in the formats for machines.
const MAX_EVIDENCE: usize = 200;
/// Columns that labels take.
const INDENT: usize = 8;

/// See the module.
pub(super) struct Plain;

impl Output for Plain {
    fn id(&self) -> &'static str {
        "plain"
    }

    fn about(&self) -> &'static str {
        "for people at a terminal"
    }

    fn render(&self, report: &Report, out: &mut dyn Write, style: Style) -> io::Result<()> {
        let mut page = Page { report, out, style, left: MAX_FINDINGS };
        match style.view {
            View::Check => page.check(),
            View::Findings => page.findings(),
            View::Verdict => page.verdict(),
        }
    }
}

struct Page<'a> {
    report: &'a Report,
    out: &'a mut dyn Write,
    style: Style,
    left: usize,
}

impl<'a> Page<'a> {
    fn check(&mut self) -> io::Result<()> {
        let subjects = subjects(self.report);
        let most = if checklist::is_wanted(self.report, self.style) { MAX_OF_PROJECT } else { MAX_ONE_BY_ONE };
        if subjects.iter().filter(|subject| self.has_open(subject)).count() > most {
            return self.collection(&subjects);
        }
        let clean = |subject: &Subject<'_>| subject.analysis != Analysis::NotAnalysed && !self.has_open(subject);
        // Of a model's many files, those that hold its weights say what it is.
        let weights = |subject: &Subject<'_>| clean(subject) && subject.tensors.tensors > 0;
        let few =
            |kind: &dyn Fn(&Subject<'_>) -> bool| subjects.iter().filter(|subject| kind(subject)).count() <= MAX_CLEAN;
        let (show_clean, show_weights) = (few(&clean), few(&weights));
        let shown: Vec<bool> = subjects
            .iter()
            .map(|subject| {
                self.has_open(subject) || (show_clean && clean(subject)) || (show_weights && weights(subject))
            })
            .collect();
        for (subject, _) in subjects.iter().zip(&shown).filter(|(_, shown)| **shown) {
            self.subject(subject)?;
        }
        self.elsewhere(&subjects)?;
        self.more()?;
        if subjects.len() > 1 {
            writeln!(self.out, "{}", subject::totals(&subjects))?;
        }
        self.not_analysed(&subjects)?;
        self.exceptions()?;
        controls::write(self.report, self.out, self.style)?;
        self.verdict()
    }

    /// Many files with findings: what was found, worst first, each kind once with the files that have it.
    fn collection(&mut self, subjects: &[Subject<'_>]) -> io::Result<()> {
        let groups = collection::groups(self.report);
        let mut advice = "";
        for group in groups.iter().take(MAX_GROUPS) {
            self.group(group, advice)?;
            advice = &group.finding.next_step;
        }
        if groups.len() > MAX_GROUPS {
            let more = text::counted((groups.len() - MAX_GROUPS) as u64, "more kind");
            writeln!(self.out, "… and {more} of findings (--format json or html lists all)\n")?;
        }
        self.folders()?;
        writeln!(self.out, "{}", subject::totals(subjects))?;
        let counts = collection::counts(self.report, subjects);
        for (decision, count) in counts {
            let word = self.paint(text::decision_style(decision), format!("{:>12}", text::decision_word(decision)));
            writeln!(self.out, "{word}  {}", text::counted(count, "file"))?;
        }
        self.not_analysed(subjects)?;
        self.exceptions()?;
        controls::write(self.report, self.out, self.style)?;
        self.verdict()
    }

    /// One kind of finding: what it is, about what, and in which files. Advice that was just given is not repeated.
    fn group(&mut self, group: &Group<'_>, advice: &str) -> io::Result<()> {
        let finding = group.finding;
        let label = format!("{}[{}]", text::severity_word(finding.severity), finding.rule);
        let label = self.paint(text::severity_style(finding.severity), label);
        let about = text::listing(group.subjects.iter().map(|subject| text::excerpt(subject, MAX_SUBJECT)), MAX_NAMES);
        let colon = if about.is_empty() { "" } else { ": " };
        let width = self.style.width.saturating_sub(INDENT);
        let lines = text::wrap(&format!("{}{colon}{about}", sanitize(group.kind)), width);
        writeln!(self.out, "{label}: {}", lines.join("\n        "))?;
        let mut files: Vec<String> = group.files.iter().take(MAX_NAMES).map(|file| sanitize(file)).collect();
        if let more @ 1.. = group.files.len().saturating_sub(MAX_NAMES) {
            files.push(format!("and {}", text::counted(more as u64, "more file")));
        }
        self.labelled("in", &files)?;
        if advice != finding.next_step {
            self.labelled("next", &text::wrap(&sanitize(&finding.next_step), width))?;
        }
        writeln!(self.out)
    }

    /// Where the most is wrong.
    fn folders(&mut self) -> io::Result<()> {
        let folders = collection::folders(self.report);
        // Where every file lies in a folder of its own, the files have been named already.
        if folders.len() < 2 || folders.first().is_none_or(|(_, denied, open)| denied + open < 2) {
            return Ok(());
        }
        writeln!(self.out, "folders with the most files to act on:")?;
        for (folder, denied, open) in folders.iter().take(MAX_FOLDERS) {
            writeln!(self.out, "  {denied:>6} to deny, {open:>6} open  {}", sanitize(folder))?;
        }
        if folders.len() > MAX_FOLDERS {
            writeln!(self.out, "  … and {}", text::counted((folders.len() - MAX_FOLDERS) as u64, "more folder"))?;
        }
        writeln!(self.out)
    }

    /// Whether anything was found in it that no exception covers.
    fn has_open(&self, subject: &Subject<'_>) -> bool {
        subject.findings.iter().any(|(index, _)| !subject::is_excepted(self.report, *index))
    }

    fn subject(&mut self, subject: &Subject<'_>) -> io::Result<()> {
        let name = self.paint(text::HEADING, sanitize(subject.file));
        writeln!(self.out, "{name}  {}, {}", subject.kind(), text::size(subject.main.size))?;
        if let Some(numbers) = subject.numbers() {
            writeln!(self.out, "  {numbers}")?;
        }
        if let Some(digest) = subject.main.sha256 {
            let digest = self.paint(text::QUIET, format!("sha256:{digest}"));
            writeln!(self.out, "  {digest}")?;
        }
        let effect = subject.effect();
        let words = self.paint(text::decision_style(effect.decision()), effect.words());
        writeln!(self.out, "  Loading it {words}")?;
        for (index, finding) in &subject.findings {
            self.finding(*index, finding)?;
        }
        writeln!(self.out)
    }

    /// Findings about what is no artifact, such as a file that is missing.
    fn elsewhere(&mut self, subjects: &[Subject<'_>]) -> io::Result<()> {
        let report = self.report;
        let files: BTreeSet<&str> = subjects.iter().map(|subject| subject.file).collect();
        let placed = |finding: &Finding| files.contains(finding.location.file.as_str());
        let before = self.left;
        // What is wrong with a project is told by its controls.
        let own = |finding: &Finding| is_of_findings(of_finding(finding));
        let elsewhere = report.findings.iter().enumerate().filter(|(_, finding)| !placed(finding) && own(finding));
        for (index, finding) in elsewhere {
            self.finding(index, finding)?;
        }
        if self.left < before { writeln!(self.out) } else { Ok(()) }
    }

    fn findings(&mut self) -> io::Result<()> {
        let report = self.report;
        for (index, finding) in report.findings.iter().enumerate() {
            self.finding(index, finding)?;
        }
        self.more()?;
        let open = report.findings.len().saturating_sub(report.verdict.excepted.len()) as u64;
        let excepted = report.verdict.excepted.len();
        let files = text::counted(subjects(report).len() as u64, "file");
        writeln!(self.out, "{} in {files} ({excepted} excepted)", text::counted(open, "finding"))?;
        // Whether a model may be loaded is what `check` answers.
        if report.is_code { self.verdict() } else { Ok(()) }
    }

    /// One finding as a block of labelled lines, unless an exception covers it or the screen is full.
    fn finding(&mut self, index: usize, finding: &Finding) -> io::Result<()> {
        if self.left == 0 || subject::is_excepted(self.report, index) {
            return Ok(());
        }
        self.left -= 1;
        if self.style.view == View::Check {
            writeln!(self.out)?;
        }
        let label = format!("{}[{}]", text::severity_word(finding.severity), finding.rule);
        let label = self.paint(text::severity_style(finding.severity), label);
        let lines = text::wrap(&headline(finding), self.style.width.saturating_sub(INDENT));
        writeln!(self.out, "{label}: {}", lines.join("\n        "))?;
        self.labelled("at", &[text::place(&finding.location)])?;
        if let Some(evidence) = &finding.evidence {
            self.labelled("seen", &[text::excerpt(evidence, MAX_EVIDENCE)])?;
        }
        self.labelled("next", &text::wrap(&sanitize(&finding.next_step), self.style.width.saturating_sub(INDENT)))?;
        if self.style.view == View::Findings { writeln!(self.out) } else { Ok(()) }
    }

    fn labelled(&mut self, label: &str, lines: &[String]) -> io::Result<()> {
        let label = self.paint(text::QUIET, format!("{label:>6}:"));
        writeln!(self.out, "{label} {}", lines.join("\n        "))
    }

    fn more(&mut self) -> io::Result<()> {
        let is_told = |(index, finding): (usize, &Finding)| {
            !subject::is_excepted(self.report, index)
                && (self.style.view != View::Check || is_of_findings(of_finding(finding)))
        };
        let open = self.report.findings.iter().enumerate().filter(|one| is_told(*one)).count();
        match open.saturating_sub(MAX_FINDINGS) {
            0 => Ok(()),
            more => {
                writeln!(self.out, "… and {} (--format json lists all)\n", text::counted(more as u64, "more finding"))
            }
        }
    }

    fn not_analysed(&mut self, subjects: &[Subject<'_>]) -> io::Result<()> {
        let unread = subjects.iter().filter(|subject| subject.analysis == Analysis::NotAnalysed);
        let names: Vec<String> = unread.map(|subject| sanitize(subject.file)).collect();
        if names.is_empty() {
            return Ok(());
        }
        let count = text::counted(names.len() as u64, "file");
        let list = text::listing(names.into_iter(), MAX_NAMES);
        writeln!(self.out, "not analysed: {count} that loaders of models do not execute ({list})")
    }

    fn exceptions(&mut self) -> io::Result<()> {
        let report = self.report;
        for (index, exception) in report.exceptions.iter().enumerate() {
            let covered = controls::covered(report, index);
            if covered > 0 {
                let noun = if exception.rule.is_some() { "finding" } else { "answer" };
                let state = format!("exception applied to {}", text::counted(covered, noun));
                self.exception(&state, text::QUIET, exception)?;
            }
        }
        for index in &report.verdict.ended_exceptions {
            self.idle("exception has ended", *index)?;
        }
        for index in &report.verdict.unused_exceptions {
            self.idle("exception matches nothing", *index)?;
        }
        Ok(())
    }

    fn idle(&mut self, state: &str, index: usize) -> io::Result<()> {
        match self.report.exceptions.get(index) {
            Some(exception) => self.exception(state, text::DOUBT, exception),
            None => Ok(()),
        }
    }

    fn exception(&mut self, state: &str, paint: Paint, exception: &Exception) -> io::Result<()> {
        let Exception { path, reason, until, .. } = exception;
        let state = self.paint(paint, state);
        writeln!(
            self.out,
            "{state}: {} in {} until {until} ({})",
            sanitize(exception.about()),
            sanitize(path),
            text::excerpt(reason, MAX_EVIDENCE)
        )
    }

    fn verdict(&mut self) -> io::Result<()> {
        let decision: Decision = self.report.verdict.decision;
        let word = self.paint(text::decision_style(decision), text::decision_word(decision));
        writeln!(self.out, "{word}: {}", subject::reason(self.report))
    }

    fn paint<T: Display>(&self, paint: Paint, text: T) -> Painted<T> {
        Painted(self.style.color, paint, text)
    }
}

/// What was found, how often, and how sure that is.
fn headline(finding: &Finding) -> String {
    let mut line = sanitize(&finding.message);
    if finding.count > 1 {
        line += &format!(" (×{})", finding.count);
    }
    if finding.confidence != Confidence::High {
        line += &format!(" (confidence: {})", text::confidence_word(finding.confidence));
    }
    line
}
