//! For GitHub Actions: workflow commands, which become annotations.

use std::io::{self, Write};

use waag_evidence::verdict::Judged;
use waag_evidence::{Decision, Finding, Severity};

use super::{Output, Style, controls, subject, text};
use crate::report::Report;
use crate::sanitize::sanitize;

/// See the module.
pub(super) struct GitHub;

impl Output for GitHub {
    fn id(&self) -> &'static str {
        "github"
    }

    fn about(&self) -> &'static str {
        "annotations for GitHub Actions"
    }

    fn render(&self, report: &Report, out: &mut dyn Write, _style: Style) -> io::Result<()> {
        for (index, finding) in report.findings.iter().enumerate() {
            if !subject::is_excepted(report, index) {
                annotate(finding, out)?;
            }
        }
        for judged in controls::beside_findings(report).filter(|judged| judged.decision != Decision::Allow) {
            annotate_control(report, judged, out)?;
        }
        let level = match report.verdict.decision {
            Decision::Allow => "notice",
            Decision::Inconclusive => "warning",
            Decision::Deny => "error",
        };
        let word = text::decision_word(report.verdict.decision);
        writeln!(out, "::{level} title=waag%3A {word}::{}", value(&subject::reason(report)))
    }
}

/// A control that leads to a verdict. It is about no line of a file.
fn annotate_control(report: &Report, judged: &Judged, out: &mut dyn Write) -> io::Result<()> {
    let level = if judged.decision == Decision::Deny { "error" } else { "warning" };
    let word = text::decision_word(judged.decision);
    let title = property(&format!("{word}[{}]", judged.id));
    let mut lines = vec![sanitize(&judged.title)];
    if let Some((seen, _)) = controls::worst(judged) {
        lines.push(format!("at: {}", sanitize(&controls::place(report, seen))));
        lines.push(format!("seen: {}", controls::told(judged)));
        lines.push(format!("next: {}", sanitize(&seen.observation.next)));
    }
    lines.retain(|line| !line.ends_with(": "));
    writeln!(out, "::{level} title={title}::{}", value(&lines.join("\n")))
}

fn annotate(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let level = match finding.severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "notice",
    };
    let severity = text::severity_word(finding.severity);
    // A line only means something to the runner in the file itself, not in what is packed inside it.
    let line = finding.location.line.filter(|_| finding.location.members.is_empty());
    let line = line.map(|line| format!(",line={line}")).unwrap_or_default();
    let file = property(&finding.location.file);
    let title = property(&format!("{severity}[{}]", finding.rule));
    writeln!(out, "::{level} file={file}{line},title={title}::{}", value(&message(finding)))
}

fn message(finding: &Finding) -> String {
    let mut lines = vec![sanitize(&finding.message), format!("at: {}", text::place(&finding.location))];
    lines.extend(finding.evidence.iter().map(|evidence| format!("seen: {}", text::excerpt(evidence, 200))));
    lines.push(format!("next: {}", sanitize(&finding.next_step)));
    lines.join("\n")
}

/// Escapes the part of a command after `::`, as the runner unescapes it.
fn value(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a command, as the runner unescapes it.
fn property(text: &str) -> String {
    value(&sanitize(text)).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_property_or_a_command() {
        assert_eq!(property("a::b,c=100%\n::error::x"), "a%3A%3Ab%2Cc=100%25\\n%3A%3Aerror%3A%3Ax");
        assert_eq!(value("a%\r\nb"), "a%25%0D%0Ab");
    }
}
