//! What `waag ledger` says.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use waag_engine::ledger::assurance::{Assurance, Judge};
use waag_engine::ledger::{Added, Checked, Ledger, Listed};
use waag_engine::lineage::extract::short_name;
use waag_engine::output::text::{BAD, DOUBT, HEADING, NAME, Painted, QUIET, counted, excerpt};
use waag_engine::output::{Style, write_json};
use waag_engine::sanitize::sanitize;
use waag_evidence::Sha256Digest;

use crate::failure::Failure;

/// Names the form. A change that old readers do not survive gets a new number.
const LIST_SCHEMA: &str = "https://waag.dev/schema/ledger-list-1.json";
const CHECK_SCHEMA: &str = "https://waag.dev/schema/ledger-check-1.json";
/// Items of each list that people are shown.
const MAX_TOLD: usize = 40;
/// Letters of a subject's name.
const LETTERS: usize = 40;

/// A statement, as it is listed.
#[derive(Serialize)]
pub(super) struct Entry {
    digest: Sha256Digest,
    #[serde(skip_serializing_if = "Option::is_none")]
    predicate_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    builder: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    said_at: Option<String>,
    subjects: Vec<Subject>,
    subject_count: u64,
    signatures: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    assurance: Option<Assurance>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

#[derive(Serialize)]
struct Subject {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
}

/// What was added, in a line.
pub(super) fn added(added: &Added, folder: &Path) -> String {
    let mut parts = vec![format!("{} added", counted(added.new, "statement"))];
    for (count, words) in
        [(added.known, "there already"), (added.repaired, "repaired"), (added.refused.len() as u64, "refused")]
    {
        if count > 0 {
            parts.push(format!("{count} {words}"));
        }
    }
    format!("{} in {}", parts.join(", "), sanitize(&folder.display().to_string()))
}

/// Every statement with who signed it.
pub(super) fn rows(ledger: &mut Ledger, judge: &dyn Judge) -> Result<Vec<Entry>, Failure> {
    let mut judged = Vec::new();
    let mut entries = Vec::new();
    for listed in ledger.list()? {
        let assurance = match listed.row.fault {
            Some(_) => None,
            None => ledger.assurance(&listed.row, judge).ok(),
        };
        judged.extend(assurance.clone().map(|assurance| (listed.row.clone(), assurance)));
        entries.push(entry(listed, assurance));
    }
    ledger.remember(&judged, judge)?;
    Ok(entries)
}

fn entry(listed: Listed, assurance: Option<Assurance>) -> Entry {
    let Listed { row, subjects, subject_count } = listed;
    let subjects = subjects.into_iter().map(|(id, label)| Subject { id: id.to_string(), label }).collect();
    let problem = row.fault.map(|fault| fault.words().to_owned()).or(row.problem);
    Entry {
        digest: row.digest,
        predicate_type: row.predicate_type,
        step: row.step,
        builder: row.builder,
        said_at: row.said_at,
        subjects,
        subject_count,
        signatures: row.signatures,
        assurance,
        problem,
    }
}

#[derive(Serialize)]
struct ListDocument<'a> {
    schema: &'static str,
    statements: &'a [Entry],
}

pub(super) fn list_json(statements: &[Entry], out: &mut dyn Write) -> io::Result<()> {
    write_json(&ListDocument { schema: LIST_SCHEMA, statements }, out)
}

pub(super) fn list(entries: &[Entry], out: &mut dyn Write, style: Style) -> io::Result<()> {
    for entry in entries {
        let digest: String = entry.digest.to_string().chars().take(12).collect();
        let kind = entry.step.as_deref().or(entry.predicate_type.as_deref().map(short_name)).unwrap_or("?");
        let kind = excerpt(&sanitize(kind), 20);
        let about = about(entry);
        let who = match (&entry.problem, &entry.assurance) {
            (Some(problem), _) => Painted(style.color, BAD, excerpt(&sanitize(problem), 60)),
            (None, Some(assurance)) => Painted(style.color, assurance.style(), assurance.to_string()),
            (None, None) => Painted(style.color, BAD, "cannot be read".to_owned()),
        };
        writeln!(out, "{}  {kind:<16} {about}  [{who}]", Painted(style.color, NAME, digest))?;
    }
    writeln!(out, "{}", counted(entries.len() as u64, "statement"))
}

fn about(entry: &Entry) -> String {
    let Some(first) = entry.subjects.first() else { return "nothing that is named".to_owned() };
    let name = first.label.as_deref().unwrap_or(&first.id);
    let more = entry.subject_count.saturating_sub(1);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", excerpt(&sanitize(name), LETTERS))
}

pub(super) fn show(
    listed: &Listed,
    assurance: &Assurance,
    bytes: &[u8],
    out: &mut dyn Write,
    style: Style,
) -> io::Result<()> {
    let row = &listed.row;
    let mut line = |name: &str, text: &str| writeln!(out, "{name:>10}: {}", sanitize(text));
    line("statement", &row.digest.to_string())?;
    line("type", row.predicate_type.as_deref().unwrap_or("unknown"))?;
    if let Some(builder) = &row.builder {
        line("builder", builder)?;
    }
    if let Some(at) = &row.said_at {
        line("said at", at)?;
    }
    for (identifier, label) in &listed.subjects {
        let label = label.as_deref().map(|label| format!(" ({label})")).unwrap_or_default();
        line("about", &format!("{identifier}{label}"))?;
    }
    if let Some(problem) = &row.problem {
        line("problem", &format!("it {problem}"))?;
    }
    writeln!(out, "{:>10}: {}", "who", Painted(style.color, assurance.style(), assurance))?;
    if let Assurance::Unverified { reason, .. } = assurance {
        writeln!(out, "{:>10}: {}", "why", sanitize(reason))?;
    }
    if let Ok(opened) = waag_engine::ledger::entry::open(bytes)
        && let Ok(statement) = serde_json::from_slice::<serde_json::Value>(&opened.payload)
    {
        writeln!(out, "\n{}", Painted(style.color, HEADING, "what it says"))?;
        write_json(&statement, out)?;
    }
    Ok(())
}

#[derive(Serialize)]
struct CheckDocument<'a> {
    schema: &'static str,
    #[serde(flatten)]
    checked: &'a Checked,
}

pub(super) fn check_json(checked: &Checked, out: &mut dyn Write) -> io::Result<()> {
    write_json(&CheckDocument { schema: CHECK_SCHEMA, checked }, out)
}

pub(super) fn check(checked: &Checked, out: &mut dyn Write, style: Style) -> io::Result<()> {
    for found in checked.faults.iter().take(MAX_TOLD) {
        let bad = Painted(style.color, BAD, "bad");
        writeln!(out, "{bad}: {} {}", sanitize(&found.name), found.fault.words())?;
    }
    more(checked.faults.len(), out)?;
    for (digest, why) in checked.unread.iter().take(MAX_TOLD) {
        let words = Painted(style.color, DOUBT, "not understood");
        writeln!(out, "{words}: {digest} {}", sanitize(&excerpt(why, 200)))?;
    }
    more(checked.unread.len(), out)?;
    for (digest, count) in checked.cut.iter().take(MAX_TOLD) {
        let words = Painted(style.color, DOUBT, "not in full");
        writeln!(out, "{words}: {digest} names {count} artifacts or edges beyond what the graph takes up")?;
    }
    more(checked.cut.len(), out)?;
    let good = counted(checked.good, "statement");
    let bad = checked.faults.len();
    let words = if bad == 0 { format!("{good} as they were") } else { format!("{good} as they were, {bad} not") };
    writeln!(out, "{}", Painted(style.color, if bad == 0 { QUIET } else { BAD }, words))
}

fn more(count: usize, out: &mut dyn Write) -> io::Result<()> {
    match count.checked_sub(MAX_TOLD) {
        Some(more) if more > 0 => writeln!(out, "  and {more} more (--format json tells all)"),
        _ => Ok(()),
    }
}
