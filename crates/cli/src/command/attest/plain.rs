//! What was attested, for people.

use std::io::{self, Write};

use waag_engine::attest::AttestReport;
use waag_engine::output::Style;
use waag_engine::output::text::{DOUBT, GOOD, Painted, counted};
use waag_engine::sanitize::sanitize;
use waag_evidence::statement::Line;

use super::super::verify::uncovered_lines;

/// Columns of labels.
const LABEL: usize = 15;

pub(super) fn attested(report: &AttestReport, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let (word, colour) = if report.signer.is_some() { ("attested", GOOD) } else { ("written, not signed", DOUBT) };
    let files = counted(report.files, "file");
    let subject = sanitize(&report.subject);
    writeln!(out, "{}: {} of {files} of {subject}", Painted(style.color, colour, word), report.kind)?;
    let mut line = |label, text: &str| entry(label, text, out);
    if let Some(output) = &report.output {
        line("attestation", output)?;
    }
    line("type", report.predicate_type)?;
    if let Some(signer) = &report.signer {
        line("signer", signer)?;
    }
    line("root", &report.root.to_string())?;
    if let Some(root) = report.names_root {
        line("names root", &root.to_string())?;
    }
    summary(&report.summary, out)?;
    uncovered_lines(&report.uncovered, out, style)
}

/// What a predicate says.
pub(in super::super) fn summary(lines: &[Line], out: &mut dyn Write) -> io::Result<()> {
    lines.iter().try_for_each(|line| entry(line.label, &line.text, out))
}

/// A line with a label; both may come from a stranger.
pub(in super::super) fn entry(label: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{label:>LABEL$}: {}", sanitize(text))
}
