//! For reading, sending and filing: one page that holds everything it needs and runs nothing.

pub(crate) mod parts;

use std::io::{self, Write};

use waag_evidence::Decision;

use super::subject::{self, Subject, subjects};
use super::{Output, Style, text};
use crate::report::{Analysis, Report};

const PAGE: &str = include_str!("html/page.html");
const STYLE: &str = include_str!("html/page.css");
/// Files that are described each in a card of its own when nothing was found in them.
const MAX_CLEAN: usize = 3;
/// Findings on the page, which a browser still scrolls smoothly.
const MAX_FINDINGS: usize = 500;
/// Rows of the table of artifacts.
const MAX_ROWS: usize = 1000;

/// See the module.
pub(super) struct Html;

impl Output for Html {
    fn id(&self) -> &'static str {
        "html"
    }

    fn about(&self) -> &'static str {
        "one self-contained page"
    }

    fn render(&self, report: &Report, out: &mut dyn Write, _style: Style) -> io::Result<()> {
        let subjects = subjects(report);
        // Filled in one pass: what is inserted is never searched for marks again.
        for (index, piece) in PAGE.split("{{").enumerate() {
            match piece.split_once("}}").filter(|_| index > 0) {
                Some((name, rest)) => write!(out, "{}{rest}", section(name, report, &subjects))?,
                None => write!(out, "{piece}")?,
            }
        }
        Ok(())
    }
}

fn section(name: &str, report: &Report, subjects: &[Subject<'_>]) -> String {
    match name {
        "version" => env!("CARGO_PKG_VERSION").to_owned(),
        "title" => format!("{}: {}", text::decision_word(report.verdict.decision), parts::paths(report)),
        "style" => STYLE.to_owned(),
        "paths" => parts::paths(report),
        "verdict" => verdict(report),
        "tiles" => tiles(report, subjects),
        "subjects" => described(report, subjects),
        "findings" => findings(report),
        "controls" => parts::controls(report),
        "exceptions" => parts::exceptions(report),
        "not-analysed" => not_analysed(subjects),
        "artifacts" => artifacts(report),
        "how" => how(report).to_owned(),
        _ => String::new(),
    }
}

fn how(report: &Report) -> &'static str {
    match report.is_code {
        true => "the code was read.",
        false => "bytes were read, and what loading them would do was worked out.",
    }
}

fn verdict(report: &Report) -> String {
    let decision = report.verdict.decision;
    let icon = match decision {
        Decision::Allow => "<path d=\"M8 12.5l3 3 5.5-6.5\"/>",
        Decision::Inconclusive => "<path d=\"M9.2 9.5a2.8 2.8 0 1 1 4 2.6c-.8.4-1.2 1-1.2 1.9M12 17v.01\"/>",
        Decision::Deny => "<path d=\"M8.5 8.5l7 7M15.5 8.5l-7 7\"/>",
    };
    let word = text::decision_word(decision);
    let reason = parts::safe(&subject::reason(report));
    format!(
        "<section class=\"verdict {word}\"><svg viewBox=\"0 0 24 24\" aria-hidden=\"true\"><circle cx=\"12\" cy=\"12\" r=\"10\"/>{icon}</svg>\
         <div><h1>{word}</h1><p>{reason}</p></div></section>\n"
    )
}

fn tiles(report: &Report, subjects: &[Subject<'_>]) -> String {
    let sum =
        |of: fn(&Subject<'_>) -> u64| subjects.iter().fold(0, |sum: u64, subject| sum.saturating_add(of(subject)));
    let excepted = report.verdict.excepted.len();
    let open = report.findings.len().saturating_sub(excepted);
    let mut tiles = parts::tile("findings", &open.to_string());
    if excepted > 0 {
        tiles += &parts::tile("excepted", &excepted.to_string());
    }
    tiles += &parts::tile("files", &subjects.len().to_string());
    tiles += &parts::tile("size", &text::size(sum(|subject| subject.main.size)));
    let tensors = sum(|subject| subject.tensors.tensors);
    if tensors > 0 {
        tiles += &parts::tile("tensors", &tensors.to_string());
        tiles += &parts::tile("parameters", &text::parameters(sum(|subject| subject.tensors.parameters)));
    }
    format!("<dl class=\"tiles\">{tiles}</dl>\n")
}

fn described(report: &Report, subjects: &[Subject<'_>]) -> String {
    let open = |subject: &Subject<'_>| subject.findings.iter().any(|(index, _)| !subject::is_excepted(report, *index));
    let read = |subject: &&Subject<'_>| subject.analysis != Analysis::NotAnalysed || open(subject);
    let all: Vec<&Subject<'_>> = subjects.iter().filter(read).collect();
    let clean = all.iter().filter(|subject| !open(subject)).count();
    let shown = all.iter().filter(|subject| open(subject) || clean <= MAX_CLEAN);
    let mut cards: String = shown.take(MAX_FINDINGS).map(|subject| parts::subject(subject, report.is_code)).collect();
    if clean > MAX_CLEAN {
        let count = text::counted(clean as u64, "more file");
        cards += &format!("<p class=\"quiet\">{count} with nothing to report: see the artifacts below.</p>\n");
    }
    let title = if report.is_code { "What it is" } else { "What it is, and what loading it does" };
    parts::titled(title, &cards)
}

/// Excepted findings come last: somebody has dealt with them.
fn findings(report: &Report) -> String {
    let listed = report.findings.iter().enumerate();
    let mut listed: Vec<_> = listed.map(|(index, finding)| (subject::is_excepted(report, index), finding)).collect();
    listed.sort_by_key(|(excepted, _)| *excepted);
    let shown = listed.iter().take(MAX_FINDINGS);
    let mut cards: String = shown.map(|(excepted, finding)| parts::finding(finding, *excepted)).collect();
    cards += &rest(listed.len().saturating_sub(MAX_FINDINGS), "finding");
    parts::titled("Findings", &cards)
}

fn not_analysed(subjects: &[Subject<'_>]) -> String {
    let unread: Vec<&Subject<'_>> =
        subjects.iter().filter(|subject| subject.analysis == Analysis::NotAnalysed).collect();
    let names: Vec<String> = unread.iter().take(MAX_ROWS).map(|subject| parts::code(subject.file)).collect();
    if names.is_empty() {
        return String::new();
    }
    let list = names.join(", ");
    let more = rest(unread.len().saturating_sub(MAX_ROWS), "file");
    let why = "Loaders of models do not execute such files. They were named and sized, not judged.";
    parts::titled("Not analysed", &format!("<div class=\"card\"><p>{why}</p><p>{list}</p>{more}</div>\n"))
}

fn artifacts(report: &Report) -> String {
    let rows: String = report.artifacts.iter().take(MAX_ROWS).map(parts::row).collect();
    if rows.is_empty() {
        return rows;
    }
    let more = rest(report.artifacts.len().saturating_sub(MAX_ROWS), "artifact");
    let head = "<thead><tr><th>where</th><th>format</th><th class=\"number\">size</th><th class=\"number\">tensors</th><th>analysis</th></tr></thead>";
    let table = format!("<div class=\"card scroll\"><table>{head}<tbody>\n{rows}</tbody></table></div>\n{more}");
    parts::titled("Artifacts", &table)
}

fn rest(more: usize, noun: &str) -> String {
    match more {
        0 => String::new(),
        _ => format!(
            "<p class=\"quiet\">… and {}. <code>--format json</code> lists all.</p>\n",
            text::counted(more as u64, &format!("more {noun}"))
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample;

    fn page(report: &Report) -> String {
        let mut bytes = Vec::new();
        Html.render(report, &mut bytes, Style::default()).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn every_mark_of_the_template_is_filled() {
        let report = sample::allow();
        for piece in PAGE.split("{{").skip(1) {
            let (name, _) = piece.split_once("}}").unwrap();
            let known = !section(name, &report, &subjects(&report)).is_empty();
            assert!(known || matches!(name, "findings" | "exceptions" | "not-analysed"), "{name}");
        }
        assert!(!page(&report).contains("{{"));
    }

    #[test]
    fn the_page_needs_and_runs_nothing() {
        for (name, report) in sample::all() {
            let page = page(&report);
            for forbidden in ["<script", "javascript:", "http://", "src=", "href=", "@import", "url("] {
                assert!(!page.contains(forbidden), "{name}: {forbidden}");
            }
        }
    }
}
