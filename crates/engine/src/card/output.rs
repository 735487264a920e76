//! The report on cards, for people and for programs. The schema of the latter is `docs/schema/card.schema.json`.

use std::io::{self, Write};

use serde::Serialize;
use waag_evidence::finding::Finding;
use waag_evidence::verdict::Verdict;

use super::complete::Completeness;
use super::examine::{CardReport, Examined};
use super::read::Kind;
use super::show::{Row, rows};
use crate::licence::NO_ADVICE;
use crate::licence::chain::Agreement;
use crate::output::Style;
use crate::output::text::{self, Painted, counted};
use crate::output::write_json;
use crate::sanitize::sanitize;

/// The form of the report in JSON.
const SCHEMA: &str = "waag-card-1";
/// Columns that continued lines are set in.
const INDENT: usize = 8;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    schema: &'static str,
    decision: waag_evidence::Decision,
    folders: usize,
    read: &'a [String],
    cards: Vec<CardDocument<'a>>,
    findings: &'a [Finding],
    excepted: Vec<usize>,
    note: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CardDocument<'a> {
    folder: &'a str,
    kind: Kind,
    file: Option<&'a str>,
    licence: Option<LicenceDocument<'a>>,
    completeness: Option<Completeness>,
    facts: Vec<Row>,
    parameters: Option<u64>,
    chain: Option<ChainDocument<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LicenceDocument<'a> {
    said: &'a str,
    expression: Option<&'a str>,
    is_known: bool,
    notes: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChainDocument<'a> {
    agreement: Agreement,
    links: &'a [String],
}

/// Writes the report for programs.
///
/// # Errors
/// When `out` cannot be written to.
pub fn json(report: &CardReport, verdict: &Verdict, out: &mut dyn Write) -> io::Result<()> {
    let document = Document {
        schema: SCHEMA,
        decision: verdict.decision,
        folders: report.folders,
        read: &report.read,
        cards: report.cards.iter().map(card).collect(),
        findings: &report.findings,
        excepted: verdict.excepted.iter().map(|(finding, _)| *finding).collect(),
        note: NO_ADVICE,
    };
    write_json(&document, out)
}

fn card(examined: &Examined) -> CardDocument<'_> {
    CardDocument {
        folder: &examined.folder,
        kind: examined.kind,
        file: examined.card.as_ref().map(|card| card.shown.as_str()),
        licence: examined.licence.as_ref().map(|licence| LicenceDocument {
            said: &licence.said,
            expression: licence.expression.as_deref(),
            is_known: licence.is_known(),
            notes: &licence.notes,
        }),
        completeness: examined.completeness,
        facts: rows(examined),
        parameters: examined.proven.parameters,
        chain: examined.chain.as_ref().map(|chain| ChainDocument { agreement: chain.agreement, links: &chain.shown }),
    }
}

/// Writes the report for people: each model and dataset in a line with its chain of licences, then the findings.
///
/// # Errors
/// When `out` cannot be written to.
pub fn plain(report: &CardReport, verdict: &Verdict, out: &mut dyn Write, style: Style) -> io::Result<()> {
    for examined in &report.cards {
        thing(examined, out, style)?;
    }
    for (index, finding) in report.findings.iter().enumerate() {
        if !verdict.excepted.iter().any(|(excepted, _)| *excepted == index) {
            self::finding(finding, out, style)?;
        }
    }
    let (all, excepted) = (report.findings.len(), verdict.excepted.len());
    let things =
        counted(report.cards.len() as u64, "model or dataset").replace("model or datasets", "models and datasets");
    let open = counted(all.saturating_sub(excepted) as u64, "finding");
    writeln!(out, "{open} on {things} in {} ({excepted} excepted)", counted(report.folders as u64, "folder"))?;
    match report.cards.iter().any(|examined| examined.chain.is_some()) {
        true => writeln!(out, "{NO_ADVICE}"),
        false => Ok(()),
    }
}

fn thing(examined: &Examined, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let place = examined.card.as_ref().map_or(examined.folder.as_str(), |card| card.shown.as_str());
    let place = if place.is_empty() { "." } else { place };
    write!(out, "{} {}", examined.kind.name(), Painted(style.color, text::NAME, sanitize(place)))?;
    if let Some(completeness) = examined.completeness {
        write!(out, ": {} of {} filled in", completeness.filled, completeness.wanted)?;
    }
    writeln!(out)?;
    if let Some(chain) = &examined.chain {
        let word = match chain.agreement {
            Agreement::Agrees => "licences agree",
            Agreement::Unknown => "licences not all known",
            Agreement::Conflicts => "licences disagree",
        };
        writeln!(out, "  {word}")?;
        for link in chain.shown.iter().take(20) {
            writeln!(out, "    {}", sanitize(link))?;
        }
    }
    writeln!(out)
}

fn finding(finding: &Finding, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let width = style.width.saturating_sub(INDENT);
    let label = format!("{}[{}]", text::severity_word(finding.severity), finding.rule);
    let label = Painted(style.color, text::severity_style(finding.severity), label);
    writeln!(out, "{label}: {}", text::wrap(&sanitize(&finding.message), width).join("\n        "))?;
    let mut line = |label: &str, lines: Vec<String>| {
        let label = Painted(style.color, text::QUIET, format!("{label:>6}:"));
        writeln!(out, "{label} {}", lines.join("\n        "))
    };
    line("at", vec![text::place(&finding.location)])?;
    if let Some(evidence) = &finding.evidence {
        line("seen", text::wrap(&sanitize(evidence), width))?;
    }
    line("next", text::wrap(&sanitize(&finding.next_step), width))?;
    writeln!(out)
}
