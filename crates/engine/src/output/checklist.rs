//! The answers of controls on one screen: group by group, each with what was seen and what to do next. For projects, where
//! what is asked for matters as much as what was found.

use std::io::{self, Write};

use waag_evidence::control::Group;
use waag_evidence::verdict::Judged;
use waag_evidence::{Decision, Outcome, Topic};

use super::controls::{beside_findings, place, told, worst};
use super::text::{self, Painted};
use super::{Style, View};
use crate::report::Report;
use crate::sanitize::sanitize;

/// Columns before the name of a control, and before what was seen.
const MARGIN: usize = 12;
/// The fewest columns that are left for what was seen.
const LEAST: usize = 40;

/// Whether a report is about a project, and not only about a model with its card.
pub(super) fn is_wanted(report: &Report, style: Style) -> bool {
    let is_project = |topic: Topic| matches!(topic, Topic::Dependencies | Topic::Images | Topic::Code);
    style.view == View::Check && report.evidence.project.looks.iter().any(|look| is_project(look.topic))
}

/// Tells them to people.
pub(super) fn write(report: &Report, out: &mut dyn Write, style: Style) -> io::Result<()> {
    for group in Group::ALL {
        let answered = |judged: &&Judged| judged.group == group && judged.outcome != Outcome::NotApplicable;
        let judged: Vec<&Judged> = beside_findings(report).filter(answered).collect();
        if judged.is_empty() {
            continue;
        }
        writeln!(out, "\n{}", Painted(style.color, text::HEADING, group.title()))?;
        let open = judged.iter().filter(|judged| is_open(judged));
        open.clone().try_for_each(|judged| told_in_full(report, judged, out, style))?;
        let passed = judged.iter().filter(|judged| matches!(judged.outcome, Outcome::Pass | Outcome::Excepted));
        passed.filter(|judged| !is_open(judged)).try_for_each(|judged| in_a_line(judged, out, style))?;
        not_known(&judged, out, style)?;
    }
    not_applicable(report, out, style)
}

/// Whether somebody has something to do about it.
fn is_open(judged: &Judged) -> bool {
    judged.decision != Decision::Allow || judged.outcome == Outcome::Fail
}

fn told_in_full(report: &Report, judged: &Judged, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let (word, colour) = match judged.decision {
        Decision::Allow => ("advice", text::DOUBT),
        decision => (text::decision_word(decision), text::decision_style(decision)),
    };
    first_line(word, colour, judged, out, style)?;
    let Some((seen, more)) = worst(judged) else { return Ok(()) };
    let at = sanitize(&place(report, seen));
    let others = if more > 0 { format!(" and {more} more") } else { String::new() };
    if !at.is_empty() {
        continued("at", &format!("{at}{others}"), out, style)?;
    }
    if !seen.observation.next.is_empty() {
        continued("next", &sanitize(&seen.observation.next), out, style)?;
    }
    Ok(())
}

fn in_a_line(judged: &Judged, out: &mut dyn Write, style: Style) -> io::Result<()> {
    match judged.outcome {
        Outcome::Pass => first_line("pass", text::GOOD, judged, out, style),
        _ => first_line("excepted", text::QUIET, judged, out, style),
    }
}

/// What is not known: controls that say the same stand together.
fn not_known(judged: &[&Judged], out: &mut dyn Write, style: Style) -> io::Result<()> {
    let unknown = judged.iter().filter(|judged| !is_open(judged) && judged.outcome == Outcome::Unknown);
    let mut groups: Vec<(String, String, Vec<String>)> = Vec::new();
    for judged in unknown {
        let (seen, next) =
            (told(judged), worst(judged).map(|(seen, _)| seen.observation.next.clone()).unwrap_or_default());
        let id = sanitize(&judged.id);
        match groups.iter_mut().find(|(known, ..)| *known == seen) {
            Some((.., ids)) => ids.push(id),
            None => groups.push((seen, next, vec![id])),
        }
    }
    for (seen, next, ids) in groups {
        let text = format!("{}: {seen}", ids.join(", "));
        labelled_line("not known", text::QUIET, &text, out, style)?;
        if !next.is_empty() {
            continued("next", &sanitize(&next), out, style)?;
        }
    }
    Ok(())
}

fn first_line(
    word: &str,
    colour: anstyle::Style,
    judged: &Judged,
    out: &mut dyn Write,
    style: Style,
) -> io::Result<()> {
    labelled_line(word, colour, &format!("{}: {}", sanitize(&judged.id), without_count(judged)), out, style)
}

fn labelled_line(word: &str, colour: anstyle::Style, text: &str, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let lines = text::wrap(text, width(style));
    let margin = " ".repeat(MARGIN + 1);
    let word = Painted(style.color, colour, format!("{word:>MARGIN$}"));
    writeln!(out, "{word} {}", lines.join(&format!("\n{margin}")))
}

/// What was seen; how much more there is stands with the place.
fn without_count(judged: &Judged) -> String {
    match worst(judged) {
        Some((seen, 1..)) if is_open(judged) => text::excerpt(&seen.observation.seen, 200),
        _ => told(judged),
    }
}

fn continued(label: &str, text: &str, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let label = Painted(style.color, text::QUIET, format!("{label:>MARGIN$}"));
    let margin = " ".repeat(MARGIN + 1);
    writeln!(out, "{label} {}", text::wrap(text, width(style)).join(&format!("\n{margin}")))
}

fn width(style: Style) -> usize {
    style.width.saturating_sub(MARGIN + 1).max(LEAST)
}

fn not_applicable(report: &Report, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let ids: Vec<String> = beside_findings(report)
        .filter(|judged| judged.outcome == Outcome::NotApplicable)
        .map(|judged| sanitize(&judged.id))
        .collect();
    if !ids.is_empty() {
        let lines = text::wrap(&format!("nothing to ask of: {}", ids.join(", ")), style.width.saturating_sub(2));
        writeln!(out, "\n{}", Painted(style.color, text::QUIET, lines.join("\n  ")))?;
    }
    writeln!(out)
}
