//! What was imported, told to people and to programs, and as statements in envelopes that nobody has signed.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use waag_evidence::statement::claims::{Claim, Voice};
use waag_evidence::statement::role::Role;

use super::conflict::{Conflict, shown};
use super::statement::envelope;
use super::{Artifact, Checked, Grade, Imported, Remark, SourceRead};
use crate::output::text::{counted, size};
use crate::output::write_json;
use crate::sanitize::sanitize;

/// The form of the answer in JSON: `docs/schema/import.schema.json`.
const SCHEMA: &str = "waag-import-1";
/// Lines of each kind that people are shown; JSON has all.
const MAX_LISTED: usize = 40;
/// Artifacts of which the same is said that are named.
const MAX_ALIKE: usize = 5;

/// Writes the statements: one envelope on each line.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write_statements(imported: &Imported, out: &mut dyn Write) -> io::Result<()> {
    imported.statements.iter().try_for_each(|statement| writeln!(out, "{}", envelope(statement)))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    schema: &'static str,
    grade: Grade,
    sources: &'a [SourceRead],
    artifacts: &'a [Artifact],
    claims: &'a [Claim],
    conflicts: &'a [Conflict],
    remarks: &'a [Remark],
    statements: usize,
}

/// Tells it to programs.
///
/// # Errors
/// When `out` cannot be written to.
pub fn json(imported: &Imported, out: &mut dyn Write) -> io::Result<()> {
    let document = Document {
        schema: SCHEMA,
        grade: imported.grade(),
        sources: &imported.sources,
        artifacts: &imported.artifacts,
        claims: &imported.claims,
        conflicts: &imported.conflicts,
        remarks: &imported.remarks,
        statements: imported.statements.len(),
    };
    write_json(&document, out)
}

/// Tells it to people: what was read, what it says, where sources disagree, and what could not be checked.
///
/// # Errors
/// When `out` cannot be written to.
pub fn plain(imported: &Imported, out: &mut dyn Write) -> io::Result<()> {
    section(out, "Read", imported.sources.iter().filter(|source| source.kind != "folder").map(source_line))?;
    section(out, "Artifacts, by the bytes that are there", imported.artifacts.iter().map(artifact_line))?;
    claims(imported, out)?;
    conflicts(&imported.conflicts, out)?;
    for (grade, title) in
        [(Grade::Wrong, "Wrong"), (Grade::Unchecked, "Could not be checked"), (Grade::Note, "Worth knowing")]
    {
        let remarks = imported.remarks.iter().filter(|remark| remark.grade == grade);
        section(out, title, remarks.map(|remark| format!("{}: {}", remark.location, remark.text)))?;
    }
    summary(imported, out)
}

/// A title and lines, when there are any.
fn section(out: &mut dyn Write, title: &str, lines: impl Iterator<Item = String>) -> io::Result<()> {
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "{title}")?;
    for line in lines.iter().take(MAX_LISTED) {
        writeln!(out, "  {}", sanitize(line))?;
    }
    if let Some(more) = lines.len().checked_sub(MAX_LISTED).filter(|more| *more > 0) {
        writeln!(out, "  {more} more (--format json lists all)")?;
    }
    writeln!(out)
}

fn source_line(source: &SourceRead) -> String {
    let digest = source.sha256.map(|digest| format!("  sha256 {digest}")).unwrap_or_default();
    format!("{}  {}, {}{digest}", source.location, source.kind, counted(source.claims as u64, "claim"))
}

fn artifact_line(artifact: &Artifact) -> String {
    let checked = match &artifact.checked {
        Checked::Unpinned => String::new(),
        Checked::Agrees { algorithm } => format!("  {algorithm} as recorded"),
        Checked::Differs { expected, .. } => format!("  NOT as recorded, {expected}"),
    };
    let bytes = if artifact.size > 0 { format!("  {}", size(artifact.size)) } else { String::new() };
    format!("{}  sha256 {}{bytes}{checked}", artifact.name, artifact.sha256)
}

/// Claims by what they are about. What is said of several artifacts alike, as of all that a run gave, is told once.
fn claims(imported: &Imported, out: &mut dyn Write) -> io::Result<()> {
    let mut by_subject: BTreeMap<String, Vec<&Claim>> = BTreeMap::new();
    for claim in &imported.claims {
        by_subject.entry(subject_name(claim)).or_default().push(claim);
    }
    let mut groups: Vec<(Vec<String>, Vec<String>)> = Vec::new();
    let mut index: BTreeMap<Vec<String>, usize> = BTreeMap::new();
    for (subject, claims) in by_subject {
        // That a file is part of a whole goes without saying.
        let said = claims.into_iter().filter(|claim| claim.role != Role::PartOf);
        let lines: Vec<String> = said.map(claim_line).collect();
        match index.get(&lines).and_then(|at| groups.get_mut(*at)) {
            _ if lines.is_empty() => {}
            Some((_, subjects)) => subjects.push(subject),
            None => {
                index.insert(lines.clone(), groups.len());
                groups.push((lines, vec![subject]));
            }
        }
    }
    let lines = groups.into_iter().flat_map(|(claims, subjects)| {
        let more = subjects.len().saturating_sub(MAX_ALIKE);
        let more = (more > 0).then(|| format!("and {more} more"));
        subjects.into_iter().take(MAX_ALIKE).chain(more).chain(claims).collect::<Vec<_>>()
    });
    section(out, "Claims, none of them signed", lines)
}

fn subject_name(claim: &Claim) -> String {
    let digest = claim.subject.digest.get("sha256").map(|digest| format!("  sha256 {digest}")).unwrap_or_default();
    format!("{}{digest}", shown(&claim.subject))
}

fn claim_line(claim: &Claim) -> String {
    let who = match claim.voice {
        Voice::SelfDeclared => "self-declared",
        Voice::DerivedFromFile => "derived from file",
    };
    let object = match claim.role {
        Role::Description => {
            let says: Vec<String> =
                claim.object.annotations.iter().map(|(key, value)| format!("{key} {}", short(value))).collect();
            if says.is_empty() { shown(&claim.object) } else { says.join(", ") }
        }
        _ => format!("{}{}", shown(&claim.object), revision(claim)),
    };
    let place = claim.source.place.as_deref().map(|place| format!("#{place}")).unwrap_or_default();
    let when = claim.said_at.map(|time| format!(", {time}")).unwrap_or_default();
    format!("    {}: {object}  ({who}, {}{place}{when})", claim.role, claim.source.location)
}

fn short(value: &serde_json::Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match text.char_indices().nth(100) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

fn revision(claim: &Claim) -> String {
    let revision = claim.object.annotations.get("revision").and_then(|revision| revision.as_str());
    revision.map(|revision| format!(" at revision '{revision}'")).unwrap_or_default()
}

fn conflicts(conflicts: &[Conflict], out: &mut dyn Write) -> io::Result<()> {
    let mut lines = Vec::new();
    for conflict in conflicts {
        lines.push(format!("{} of {}", conflict.topic, conflict.subject));
        for voice in &conflict.voices {
            lines.push(format!("    {}  says {}#{}", voice.values.join(", "), voice.source, voice.place));
        }
    }
    section(out, "Sources disagree", lines.into_iter())
}

fn summary(imported: &Imported, out: &mut dyn Write) -> io::Result<()> {
    let count = |count: usize, noun: &str| counted(count as u64, noun);
    let sources = imported.sources.iter().filter(|source| source.kind != "folder").count();
    let wrong = imported.remarks.iter().filter(|remark| remark.grade == Grade::Wrong).count();
    write!(
        out,
        "{}, {}, {}",
        count(sources, "source"),
        count(imported.artifacts.len(), "artifact"),
        count(imported.claims.len(), "claim")
    )?;
    write!(out, ", {}", count(imported.conflicts.len(), "conflict"))?;
    if wrong > 0 {
        write!(out, "; {} not what it should be", count(wrong, "thing"))?;
    }
    writeln!(out)
}
