//! The answers of controls: what every format tells of them.
//!
//! Controls that speak of findings are told by their findings. Where no policy asks for more than the default, and nothing
//! else decides, the others are one line, and of a single file none.

use std::io::{self, Write};

use waag_evidence::control::{Group, is_of_findings};
use waag_evidence::policy::Origin;
use waag_evidence::verdict::{Judged, Seen};
use waag_evidence::{Decision, Level, Outcome};

use super::text::{self, Painted};
use super::{Style, View, checklist};
use crate::report::Report;
use crate::sanitize::sanitize;

/// Columns that labels take.
const INDENT: usize = 8;
/// Characters of what was seen, on a line.
const MAX_SEEN: usize = 200;

/// What an exception covers: findings, or answers of a control.
#[must_use]
pub fn covered(report: &Report, exception: usize) -> u64 {
    let seen = report.verdict.controls.iter().flat_map(|judged| &judged.observations);
    seen.filter(|seen| seen.exception == Some(exception)).count() as u64
}

/// The controls that do not speak of findings.
pub fn beside_findings(report: &Report) -> impl Iterator<Item = &Judged> {
    report.verdict.controls.iter().filter(|judged| !is_of_findings(&judged.id))
}

/// Those of them that led to the verdict.
pub fn reasons(report: &Report) -> impl Iterator<Item = &Judged> {
    let decision = report.verdict.decision;
    beside_findings(report).filter(move |judged| decision != Decision::Allow && judged.decision == decision)
}

/// The worst of what a control saw and no exception covers, and how much more of it there is.
#[must_use]
pub fn worst(judged: &Judged) -> Option<(&Seen, usize)> {
    let of = |seen: &&Seen| seen.exception.is_none() && seen.observation.outcome == judged.outcome;
    let first = judged.observations.iter().find(of)?;
    Some((first, judged.observations.iter().filter(of).count() - 1))
}

/// Where a control saw something, with the line where a finding says one.
#[must_use]
pub fn place(report: &Report, seen: &Seen) -> String {
    let finding = seen.observation.finding.and_then(|index| report.findings.get(index));
    let place = &seen.observation.place;
    finding.and_then(|finding| finding.location.line).map_or(place.clone(), |line| format!("{place}:{line}"))
}

/// What a control answered, on a line. Safe to print.
#[must_use]
pub fn told(judged: &Judged) -> String {
    let Some((seen, more)) = worst(judged) else { return judged.outcome.name().to_owned() };
    let mut line = text::excerpt(&seen.observation.seen, MAX_SEEN);
    if more > 0 {
        line += &format!(" (and {more} more)");
    }
    line
}

/// Whether somebody asks for more than the default policy does, or something beside findings decides.
#[must_use]
pub fn are_asked_for(report: &Report) -> bool {
    beside_findings(report).any(|judged| judged.origin == Origin::Settings || judged.decision != Decision::Allow)
}

/// Tells them to people, those that decide first.
pub(super) fn write(report: &Report, out: &mut dyn Write, style: Style) -> io::Result<()> {
    if style.view != View::Check || beside_findings(report).next().is_none() {
        return Ok(());
    }
    if checklist::is_wanted(report, style) {
        return checklist::write(report, out, style);
    }
    if !are_asked_for(report) {
        return if report.subject.is_file || report.artifacts.is_empty() {
            Ok(())
        } else {
            in_short(report, out, style)
        };
    }
    let mut list: Vec<&Judged> = beside_findings(report).collect();
    list.sort_by_key(|judged| (std::cmp::Reverse(judged.decision), std::cmp::Reverse(judged.outcome)));
    writeln!(out)?;
    for judged in list.iter().filter(|judged| judged.decision != Decision::Allow) {
        deciding(report, judged, out, style)?;
    }
    let advice = list.iter().filter(|judged| judged.decision == Decision::Allow);
    for judged in advice.clone().filter(|judged| judged.outcome == Outcome::Fail) {
        let label = Painted(style.color, text::QUIET, "advice");
        let told = format!("{}: {}", sanitize(&judged.id), told(judged));
        let lines = text::wrap(&told, style.width.saturating_sub(INDENT));
        writeln!(out, "{label}: {}", lines.join("\n        "))?;
    }
    for (word, outcome) in [("not known", Outcome::Unknown), ("excepted", Outcome::Excepted), ("pass", Outcome::Pass)] {
        collapsed(word, advice.clone().filter(|judged| judged.outcome == outcome), out, style)?;
    }
    writeln!(out)
}

/// A control that leads to a verdict, as a finding is told.
fn deciding(report: &Report, judged: &Judged, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let label = format!("{}[{}]", text::decision_word(judged.decision), sanitize(&judged.id));
    let label = Painted(style.color, text::decision_style(judged.decision), label);
    let lines = text::wrap(&headline(judged), style.width.saturating_sub(INDENT));
    writeln!(out, "{label}: {}", lines.join("\n        "))?;
    let Some((seen, more)) = worst(judged) else { return Ok(()) };
    let labelled = |out: &mut dyn Write, word: &str, text: &str| {
        if text.is_empty() {
            return Ok(());
        }
        let word = Painted(style.color, text::QUIET, format!("{word:>6}:"));
        let lines = text::wrap(&sanitize(text), style.width.saturating_sub(INDENT));
        writeln!(out, "{word} {}", lines.join("\n        "))
    };
    let place = match more {
        0 => place(report, seen),
        more => format!("{} and {more} more", place(report, seen)),
    };
    labelled(out, "at", &place)?;
    // What a condition of the policy saw is its reason, which was just told.
    if judged.group != Group::Conditions || judged.outcome == Outcome::Unknown {
        labelled(out, "seen", &text::excerpt(&seen.observation.seen, MAX_SEEN))?;
    }
    labelled(out, "next", &seen.observation.next)
}

/// What is wrong, in one line.
fn headline(judged: &Judged) -> String {
    let title = sanitize(&judged.title);
    match (judged.group, judged.outcome) {
        (Group::Conditions, Outcome::Fail) => title,
        (_, Outcome::Unknown) => format!("not known whether it holds: {title}"),
        _ => format!("does not hold: {title}"),
    }
}

fn collapsed<'a>(
    word: &str,
    list: impl Iterator<Item = &'a &'a Judged>,
    out: &mut dyn Write,
    style: Style,
) -> io::Result<()> {
    let ids: Vec<String> = list.map(|judged| sanitize(&judged.id)).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let lines = text::wrap(&format!("{word}: {}", ids.join(", ")), style.width.saturating_sub(2));
    writeln!(out, "{}", lines.join("\n  "))
}

/// One line, where nobody asked.
fn in_short(report: &Report, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let of = |outcome| beside_findings(report).filter(move |judged| judged.outcome == outcome);
    let failing: Vec<&str> = of(Outcome::Fail).map(|judged| judged.id.as_str()).collect();
    let mut parts = Vec::new();
    match failing.as_slice() {
        [] => {}
        [one] => parts.push(format!("{one} does not hold")),
        several => parts.push(format!("{} do not hold", several.join(", "))),
    }
    match of(Outcome::Unknown).count() {
        0 => {}
        1 => parts.push("1 is not known".to_owned()),
        several => parts.push(format!("{several} are not known")),
    }
    if parts.is_empty() {
        return Ok(());
    }
    let line = format!("controls: {} (`waag policy explain PATH`)", parts.join(", "));
    writeln!(out, "{}", Painted(style.color, text::QUIET, line))
}

/// The level of a control in words, with who says so.
#[must_use]
pub fn level_words(level: Level, origin: Origin) -> String {
    match origin {
        Origin::Default => level.name().to_owned(),
        Origin::Settings => format!("{level} (waag.toml)"),
    }
}
