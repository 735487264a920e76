//! For test dashboards: JUnit's XML as CI systems read it. One file is one test case; what denies is a failure, what
//! leaves the verdict open is an error, and what no loader of models executes is skipped.

use std::io::{self, Write};

use waag_evidence::policy::Origin;
use waag_evidence::verdict::Judged;
use waag_evidence::{Decision, Finding};

use super::collection::decision_of;
use super::subject::{self, Subject, subjects};
use super::{Output, Style, controls, text};
use crate::report::{Analysis, Report};
use crate::sanitize::sanitize;

/// See the module.
pub(super) struct Junit;

impl Output for Junit {
    fn id(&self) -> &'static str {
        "junit"
    }

    fn about(&self) -> &'static str {
        "test results for CI dashboards (JUnit XML)"
    }

    fn render(&self, report: &Report, out: &mut dyn Write, _style: Style) -> io::Result<()> {
        let cases: Vec<Case<'_>> = subjects(report).into_iter().map(|subject| Case::new(report, subject)).collect();
        let elsewhere = elsewhere(report, &cases);
        let of = |outcome| cases.iter().filter(|case| case.outcome == outcome).count();
        let (mut failures, mut errors) = (of(Outcome::Failure), of(Outcome::Error));
        match elsewhere.as_ref().map(|(outcome, _)| *outcome) {
            Some(Outcome::Failure) => failures += 1,
            Some(Outcome::Error) => errors += 1,
            _ => {}
        }
        let controls: Vec<(&Judged, Outcome)> = controls::beside_findings(report)
            .filter(is_asked)
            .map(|judged| (judged, outcome_of_control(judged)))
            .collect();
        let answered = |outcome| controls.iter().filter(|(_, found)| *found == outcome).count();
        failures += answered(Outcome::Failure);
        errors += answered(Outcome::Error);
        let tests = cases.len() + usize::from(elsewhere.is_some()) + controls.len();
        let skipped = of(Outcome::Skipped) + answered(Outcome::Skipped);
        let counts = format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\"");
        writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
        writeln!(out, "<testsuites name=\"waag\" {counts}>")?;
        let name = report.paths.iter().map(|path| escape(path)).collect::<Vec<_>>().join(", ");
        writeln!(out, "  <testsuite name=\"{name}\" {counts}>")?;
        for case in &cases {
            case.write(report, out)?;
        }
        if let Some((outcome, findings)) = elsewhere {
            writeln!(out, "    <testcase classname=\"waag\" name=\"what is no file of its own\">")?;
            write_findings(report, outcome, &findings, out)?;
            writeln!(out, "    </testcase>")?;
        }
        controls.iter().try_for_each(|(judged, outcome)| write_control(judged, *outcome, out))?;
        writeln!(out, "  </testsuite>\n</testsuites>")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Passed,
    Skipped,
    Error,
    Failure,
}

struct Case<'a> {
    subject: Subject<'a>,
    outcome: Outcome,
}

impl<'a> Case<'a> {
    fn new(report: &Report, subject: Subject<'a>) -> Self {
        let indices = subject.findings.iter().map(|(index, _)| *index);
        let outcome = match outcome(report, indices) {
            Outcome::Passed if subject.analysis == Analysis::NotAnalysed => Outcome::Skipped,
            outcome => outcome,
        };
        Self { subject, outcome }
    }

    fn write(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let (class, name) = (escape(self.subject.main.title), escape(self.subject.file));
        write!(out, "    <testcase classname=\"{class}\" name=\"{name}\"")?;
        match self.outcome {
            Outcome::Passed => writeln!(out, "/>"),
            Outcome::Skipped => {
                writeln!(out, "><skipped message=\"loaders of models do not execute such files\"/></testcase>")
            }
            outcome => {
                writeln!(out, ">")?;
                write_findings(report, outcome, &self.subject.findings, out)?;
                writeln!(out, "    </testcase>")
            }
        }
    }
}

/// Controls that somebody asked for or that decide are tests of their own.
fn is_asked(judged: &&Judged) -> bool {
    judged.origin == Origin::Settings || judged.decision != Decision::Allow
}

fn outcome_of_control(judged: &Judged) -> Outcome {
    match outcome_of(judged.decision) {
        Outcome::Passed if judged.outcome == waag_evidence::Outcome::NotApplicable => Outcome::Skipped,
        outcome => outcome,
    }
}

fn write_control(judged: &Judged, outcome: Outcome, out: &mut dyn Write) -> io::Result<()> {
    let name = escape(&judged.id);
    write!(out, "    <testcase classname=\"control\" name=\"{name}\"")?;
    let seen = escape(&controls::told(judged));
    let next = controls::worst(judged).map(|(seen, _)| escape(&seen.observation.next)).unwrap_or_default();
    match outcome {
        Outcome::Passed => writeln!(out, "/>"),
        Outcome::Skipped => writeln!(out, "><skipped message=\"{seen}\"/></testcase>"),
        outcome => {
            let element = if outcome == Outcome::Failure { "failure" } else { "error" };
            let title = escape(&judged.title);
            writeln!(
                out,
                ">\n      <{element} type=\"{name}\" message=\"{title}\">seen: {seen}\nnext: {next}</{element}>\n    </testcase>"
            )
        }
    }
}

/// What findings make of a test: those that led to the verdict decide, and those an exception covers do not count.
fn outcome(report: &Report, indices: impl Iterator<Item = usize>) -> Outcome {
    let judge = |index: usize| match report.findings.get(index) {
        Some(finding) if !subject::is_excepted(report, index) => outcome_of(decision_of(report, index, finding)),
        _ => Outcome::Passed,
    };
    indices.map(judge).max().unwrap_or(Outcome::Passed)
}

fn outcome_of(decision: Decision) -> Outcome {
    match decision {
        Decision::Deny => Outcome::Failure,
        Decision::Inconclusive => Outcome::Error,
        Decision::Allow => Outcome::Passed,
    }
}

/// Findings about what is no artifact of the report, such as a file that is missing.
fn elsewhere<'a>(report: &'a Report, cases: &[Case<'_>]) -> Option<(Outcome, Vec<(usize, &'a Finding)>)> {
    let files: std::collections::BTreeSet<&str> = cases.iter().map(|case| case.subject.file).collect();
    let placed = |finding: &Finding| files.contains(finding.location.file.as_str());
    let findings: Vec<_> = report.findings.iter().enumerate().filter(|(_, finding)| !placed(finding)).collect();
    let outcome = outcome(report, findings.iter().map(|(index, _)| *index));
    (outcome > Outcome::Skipped).then_some((outcome, findings))
}

/// All findings of a case in one element: dashboards show the first element, and only that.
fn write_findings(
    report: &Report,
    outcome: Outcome,
    findings: &[(usize, &Finding)],
    out: &mut dyn Write,
) -> io::Result<()> {
    let element = if outcome == Outcome::Failure { "failure" } else { "error" };
    let open = findings.iter().filter(|(index, _)| !subject::is_excepted(report, *index));
    let mut lines = Vec::new();
    let mut first = None;
    for (_, finding) in open {
        first.get_or_insert(*finding);
        let severity = text::severity_word(finding.severity);
        lines.push(format!("{severity}[{}]: {}", finding.rule, sanitize(&finding.message)));
        lines.push(format!("  at: {}", text::place(&finding.location)));
        lines.extend(finding.evidence.iter().map(|evidence| format!("  seen: {}", text::excerpt(evidence, 200))));
        lines.push(format!("  next: {}", sanitize(&finding.next_step)));
    }
    let Some(first) = first else { return Ok(()) };
    let (kind, message) = (escape(&first.rule), escape(&first.message));
    writeln!(out, "      <{element} type=\"{kind}\" message=\"{message}\">{}</{element}>", escape_lines(&lines))
}

/// Text that neither ends an attribute nor an element, without characters that XML 1.0 cannot hold.
fn escape(text: &str) -> String {
    let safe = sanitize(text);
    let safe = safe.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    safe.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

fn escape_lines(lines: &[String]) -> String {
    lines.iter().map(|line| escape(line)).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_an_attribute_or_an_element() {
        assert_eq!(escape("a\"b<c>&d]]>\u{0}"), "a&quot;b&lt;c&gt;&amp;d]]&gt;\\u{0}");
    }
}
