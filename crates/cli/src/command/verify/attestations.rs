//! `waag verify --attestation`: what others say of these bytes, and who they are.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, ValueHint};
use waag_engine::attest::verify::Expected;
use waag_engine::attest::verify::report::{AttestationReport, AttestationsReport, Whole};
use waag_engine::output::text::{BAD, DOUBT, GOOD, Painted, counted, wrap};
use waag_engine::output::{Style, View};
use waag_engine::sanitize::sanitize;
use waag_engine::verify::report::Problem;
use waag_evidence::statement::evidence::EvidenceType;
use waag_signing::Signer;

use super::super::attest::{plain::entry, plain::summary, types};
use super::{MAX_TOLD, more, uncovered_lines};

/// Which attestations, and what they have to say.
#[derive(Debug, Args)]
pub(super) struct AttestationOptions {
    /// Attestations instead of a signature: files with a Sigstore bundle or a DSSE envelope, or with one a line
    #[arg(long, value_name = "FILE", conflicts_with_all = ["signature", "pins", "allow_unsigned_unsafe"], value_hint = ValueHint::FilePath, help_heading = "Input")]
    pub(super) attestation: Vec<PathBuf>,

    /// Only attestations of this type count, and there has to be one
    #[arg(long = "type", value_name = "TYPE", requires = "attestation", value_parser = types(), help_heading = "What has to be said")]
    pub(super) evidence: Option<&'static EvidenceType>,

    /// Who has to have made it, in provenance
    #[arg(long, value_name = "URI", requires = "attestation", help_heading = "What has to be said")]
    builder_id: Option<String>,

    /// What has to have been run, in provenance: a URI, or the name of a step ('waag attest --help')
    #[arg(long, value_name = "TYPE", requires = "attestation", help_heading = "What has to be said")]
    build_type: Option<String>,

    /// What it has to have been made from, in provenance: a URI, a name or a digest
    #[arg(long, value_name = "SOURCE", requires = "attestation", help_heading = "What has to be said")]
    source: Vec<String>,

    /// Who has to have judged it, in a verdict
    #[arg(long, value_name = "URI", requires = "attestation", help_heading = "What has to be said")]
    verifier_id: Option<String>,

    /// What a verdict has to be on: where the subject was got from
    #[arg(long, value_name = "URI", requires = "attestation", help_heading = "What has to be said")]
    resource_uri: Option<String>,
}

impl AttestationOptions {
    pub(super) fn expected(&self) -> Expected {
        Expected {
            builder: self.builder_id.clone(),
            build_type: self.build_type.clone(),
            sources: self.source.clone(),
            verifier: self.verifier_id.clone(),
            resource: self.resource_uri.clone(),
        }
    }
}

/// Tells what attestations say, and what became of them.
pub(super) fn plain(report: &AttestationsReport, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let (word, colour) = if report.verified { ("verified", GOOD) } else { ("not verified", BAD) };
    let subject = sanitize(&report.subject);
    if style.view == View::Verdict {
        return writeln!(out, "{}: {subject}", Painted(style.color, colour, word));
    }
    for attestation in &report.attestations {
        one(attestation, out, style)?;
        writeln!(out)?;
    }
    problems(&report.problems, out, style)?;
    for reason in &report.policy {
        writeln!(out, "{}: {}", Painted(style.color, DOUBT, "policy"), sanitize(&reason.to_string()))?;
    }
    write!(out, "{}: {subject}", Painted(style.color, colour, word))?;
    match report.attestations.len() as u64 {
        count if report.verified => writeln!(out, ", by {}", counted(count, "attestation")),
        _ => writeln!(out),
    }
}

fn one(report: &AttestationReport, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let line = report.line.map_or_else(String::new, |line| format!(", line {line}"));
    writeln!(out, "{}{line}", sanitize(&report.file))?;
    if let Some(who) = &report.signer {
        signer(who, report.signer_name.as_deref(), out)?;
    }
    if let Some(uri) = &report.predicate_type {
        let kind = report.kind.map_or_else(|| "not known here".to_owned(), str::to_owned);
        entry("type", &format!("{kind}, {uri}"), out)?;
    }
    summary(&report.summary, out)?;
    if report.signer.is_some() {
        covered(report, out, style)?;
    }
    report.unchecked.iter().try_for_each(|what| entry("unchecked", what, out))?;
    for difference in report.differences.iter().take(MAX_TOLD) {
        let words = format!("bad[{}]", difference.code.name());
        writeln!(out, "{}: {}", Painted(style.color, BAD, words), sanitize(&difference.name))?;
    }
    more(report.differences.len(), out)?;
    problems(&report.problems, out, style)
}

fn signer(signer: &Signer, name: Option<&str>, out: &mut dyn Write) -> io::Result<()> {
    entry("signer", &signer.name, out)?;
    if let Some(name) = name {
        entry("", &format!("'{name}' in the settings"), out)?;
    }
    if let Some(issuer) = &signer.issuer {
        entry("issuer", issuer, out)?;
    }
    match &signer.time {
        Some(time) => entry("time", &format!("{}, by {}", time.at, time.source.words()), out),
        None => entry("time", "nobody but the signer knows when it was signed", out),
    }
}

/// Which files it is about, and which not.
fn covered(report: &AttestationReport, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let whole = match report.whole {
        Whole::Same => ", and the whole is as it was",
        Whole::Different => ", and the whole is another one",
        Whole::NotSaid => "",
    };
    entry("about", &format!("{}{whole}", counted(report.covered.len() as u64, "file")), out)?;
    for covered in report.covered.iter().filter(|covered| covered.named.is_some()).take(MAX_TOLD) {
        let named = covered.named.as_deref().unwrap_or_default();
        entry("", &format!("{}, called '{named}'", covered.path), out)?;
    }
    if report.elsewhere > 0 {
        entry("", &format!("and {} with other bytes than any here", counted(report.elsewhere, "subject")), out)?;
    }
    for path in report.not_covered.iter().take(MAX_TOLD) {
        writeln!(out, "{}: {}", Painted(style.color, DOUBT, "not covered"), sanitize(path))?;
    }
    more(report.not_covered.len(), out)?;
    uncovered_lines(&report.left_out, out, style)
}

fn problems(problems: &[Problem], out: &mut dyn Write, style: Style) -> io::Result<()> {
    for problem in problems.iter().take(MAX_TOLD) {
        let words = format!("bad[{}]", problem.code);
        writeln!(out, "{}: {}", Painted(style.color, BAD, words), sanitize(&problem.message))?;
        for (index, line) in wrap(&problem.hint, style.width.saturating_sub(8)).iter().enumerate() {
            writeln!(out, "  {} {line}", if index == 0 { "next:" } else { "     " })?;
        }
    }
    more(problems.len(), out)
}
