//! For people at a terminal: what it comes to, then each kind of change, what needs a look first.

use std::io::{self, Write};

use super::rows::{Row, rows};
use crate::diff::Diff;
use crate::diff::report::{Kind, ModelSide};
use crate::output::text::{BAD, DOUBT, GOOD, HEADING, NAME, Painted, QUIET, counted, parameters, wrap};
use crate::output::{Style, View};
use crate::sanitize::sanitize;

/// Columns of the relative change.
const CHANGE_WIDTH: usize = 17;

/// Writes a comparison for people.
///
/// # Errors
/// When `out` cannot be written to.
pub(super) fn render(diff: &Diff, top: usize, out: &mut dyn Write, style: Style) -> io::Result<()> {
    if style.view != View::Verdict {
        side("first ", &diff.old, out, style)?;
        side("second", &diff.new, out, style)?;
        writeln!(out)?;
        for kind in Kind::ALL {
            section(diff, kind, top, out, style)?;
        }
    }
    summary(diff, out, style)
}

fn side(which: &str, side: &ModelSide, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let path = Painted(style.color, NAME, sanitize(&side.path));
    let tensors = counted(side.tensors, "tensor");
    writeln!(out, "{which}  {path}  {} numbers in {tensors}", parameters(side.elements))?;
    writeln!(out, "        {}", Painted(style.color, QUIET, format!("root sha256:{}", side.root)))
}

fn section(diff: &Diff, kind: Kind, top: usize, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let rows = rows(&diff.tensors, kind);
    if rows.is_empty() {
        return Ok(());
    }
    let count = counted(diff.count(kind), "tensor");
    let heading = Painted(style.color, HEADING, kind.name());
    writeln!(out, "{heading}: {count}, {}", kind.about())?;
    if kind == Kind::Identical {
        return writeln!(out);
    }
    for row in rows.iter().take(top) {
        line(row, out, style)?;
    }
    let hidden = rows.len().saturating_sub(top);
    if hidden > 0 {
        let more = format!("… and {} (--top {} lists them)", counted(hidden as u64, "more line"), rows.len());
        writeln!(out, "  {}", Painted(style.color, QUIET, more))?;
    }
    writeln!(out)
}

/// The change, the name, and below it what is particular.
fn line(row: &Row<'_>, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let change = Painted(style.color, change_style(row.most()), format!("{:>CHANGE_WIDTH$}", row.change()));
    writeln!(out, "  {change}  {}", row.name)?;
    let indent = CHANGE_WIDTH + 4;
    let detail = row.detail();
    let lines = wrap(&detail, style.width.saturating_sub(indent).max(20));
    let lines = lines.iter().filter(|line| !line.is_empty());
    lines.into_iter().try_for_each(|line| writeln!(out, "{:indent$}{}", "", Painted(style.color, QUIET, line)))
}

fn change_style(relative: f64) -> anstyle::Style {
    match relative {
        _ if relative >= 0.5 => BAD,
        _ if relative >= 0.05 => DOUBT,
        _ => QUIET,
    }
}

fn summary(diff: &Diff, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let tone = if diff.is_identical() { GOOD } else { DOUBT };
    let mut text = sanitize(&diff.summary.text);
    if let Some(only) = &diff.only {
        text += &format!(" (only names that match '{}' were compared)", sanitize(only));
    }
    for line in wrap(&text, style.width) {
        writeln!(out, "{}", Painted(style.color, tone, line))?;
    }
    let notes = diff.summary.notes.iter().filter(|_| style.view != View::Verdict);
    notes.into_iter().try_for_each(|note| writeln!(out, "  {note}"))
}
