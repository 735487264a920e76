//! Licences along a chain: what a model was made from, and what its own licence gives to others.
//!
//! A licence that gives more than one that it depends on promises what nobody could give. Where an expression leaves a
//! choice, the maker may choose among those of a part, and the receiver among those of the result: so a part is kept
//! when, for each choice of the result, one choice of the part allows it.

use std::fmt;

use serde::Serialize;
use waag_evidence::finding::{Confidence, Finding, Location, Nature, Persona, Severity};
use waag_formats::facts::shorten;

use super::conflict::{self, Conflict};
use super::rules::{CONFLICT, MISSING, UNKNOWN};
use super::{Licence, NO_ADVICE};
use crate::rules::Meta;
use crate::sanitize::sanitize;

/// Parts of one chain that are judged.
const MAX_PARTS: usize = 1000;
/// Characters of the chain as evidence.
const MAX_SHOWN: usize = 600;

/// What a part is to the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The model or dataset itself.
    Result,
    /// A model whose weights it was made from.
    BaseModel,
    /// An adapter that is part of it.
    Adapter,
    /// Data that it was trained on, or made from.
    Dataset,
    /// Code that goes with it.
    Code,
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Result => "this",
            Self::BaseModel => "base model",
            Self::Adapter => "adapter",
            Self::Dataset => "dataset",
            Self::Code => "code",
        })
    }
}

/// How it is known that a part has a licence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// It was read in a file.
    Read,
    /// The part's name is that of a well-known model, which its publisher gives under it.
    KnownName,
    /// It is not known.
    None,
}

/// One part, and the licence that it has.
#[derive(Debug, Clone)]
pub struct Link {
    /// What it is to the result.
    pub role: Role,
    /// Its name.
    pub name: String,
    /// How it was made into the result, where that is said: `finetune`, `quantized`, `merge`, `adapter`.
    pub relation: Option<String>,
    /// Its licence; none where nothing is said of it.
    pub licence: Option<Licence>,
    /// How that is known.
    pub basis: Basis,
    /// Where it was read; for a part that is only named, where it is named.
    pub place: Location,
}

impl Link {
    /// A part that is known by its name only: its licence is what its publisher says of it, where it is well known.
    #[must_use]
    pub fn named(role: Role, name: &str, place: Location) -> Self {
        let known = Some(name).filter(|_| role == Role::BaseModel).and_then(super::terms::of_base_model);
        let licence = known.map(|id| super::read(id, None, None));
        let basis = if licence.is_some() { Basis::KnownName } else { Basis::None };
        Self { role, name: name.to_owned(), relation: None, licence, basis, place }
    }

    fn told(&self) -> String {
        let licence = match (&self.licence, self.basis) {
            (None, _) => "no licence known".to_owned(),
            (Some(licence), Basis::KnownName) => format!("{} (known of its name)", licence.shown()),
            (Some(licence), _) => licence.shown().to_owned(),
        };
        format!("{} {}: {licence}", self.role, self.name)
    }
}

/// How far licences along a chain agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Agreement {
    /// All are known, and the result gives no more than its parts.
    Agrees,
    /// Something in the chain is not known, or not said.
    Unknown,
    /// The result gives what a part does not.
    Conflicts,
}

/// What was found along a chain.
#[derive(Debug, Clone)]
pub struct Judged {
    /// How far it agrees.
    pub agreement: Agreement,
    /// What is wrong or unknown, each with the chain as evidence.
    pub findings: Vec<Finding>,
    /// The chain, one line for each part, the result last.
    pub shown: Vec<String>,
    /// What goes with it.
    pub note: &'static str,
}

/// Judges a result by its parts.
#[must_use]
pub fn judge(result: &Link, parts: &[Link]) -> Judged {
    let mut findings = Vec::new();
    let told: Vec<String> = parts.iter().take(MAX_PARTS).chain([result]).map(Link::told).collect();
    let evidence = told.join(" → ");
    if let Some(finding) = state_of(result, &evidence) {
        findings.push(finding);
    }
    for part in parts.iter().take(MAX_PARTS) {
        if let Some(finding) = state_of(part, &evidence) {
            findings.push(finding);
        } else if let Some(licence) = result.licence.as_ref().filter(|licence| licence.is_known()) {
            findings.extend(
                conflict::between(part, result, licence)
                    .iter()
                    .map(|conflict| told_conflict(part, result, conflict, &evidence)),
            );
        }
    }
    findings.extend((parts.len() > MAX_PARTS).then(|| cut(result, parts.len())));
    let agreement = match findings.iter().map(|finding| finding.rule == CONFLICT.id).max() {
        None => Agreement::Agrees,
        Some(true) => Agreement::Conflicts,
        Some(false) => Agreement::Unknown,
    };
    Judged { agreement, findings, shown: told, note: NO_ADVICE }
}

/// That a licence is not there, or is not known.
fn state_of(link: &Link, evidence: &str) -> Option<Finding> {
    let (meta, message, next): (&Meta, String, &str) = match &link.licence {
        Some(licence) if licence.is_known() => return None,
        Some(licence) => {
            let why = licence.notes.first().map(|note| format!(": {note}")).unwrap_or_default();
            let message = format!("the licence '{}' of {} is not known{why}", licence.said, subject(link));
            (
                &UNKNOWN,
                message,
                "read its text, and write down what it allows; give its name and address as license_name and license_link",
            )
        }
        None if link.role == Role::Result => {
            let message = format!("no licence is stated for {}", link.name);
            (
                &MISSING,
                message,
                "state one as `license:` in the card (an id of the Hub or an SPDX id), and put its text beside it: without one, nobody may use it",
            )
        }
        None => {
            let message = format!("the licence of {} is not known here", subject(link));
            (
                &UNKNOWN,
                message,
                "look it up where it is published, and compare what it allows with the licence of the result",
            )
        }
    };
    let found = finding(meta, (Severity::Low, Confidence::High), &link.place, &message, evidence, next);
    Some(Finding { subject: Some(link.name.clone()), ..found })
}

fn subject(link: &Link) -> String {
    match link.role {
        Role::Result => link.name.clone(),
        role => format!("the {role} {}", link.name),
    }
}

fn told_conflict(part: &Link, result: &Link, conflict: &Conflict, evidence: &str) -> Finding {
    let given = result.licence.as_ref().map(Licence::shown).unwrap_or_default();
    let own = part.licence.as_ref().map(Licence::shown).unwrap_or_default();
    let message = format!("{} is under {own}, and this under {given}: {}", subject(part), conflict.why);
    let confidence =
        if part.basis == Basis::KnownName { conflict.confidence.min(Confidence::Medium) } else { conflict.confidence };
    let found = finding(&CONFLICT, (conflict.severity, confidence), &result.place, &message, evidence, &conflict.next);
    Finding { subject: Some(part.name.clone()), ..found }
}

fn cut(result: &Link, parts: usize) -> Finding {
    let message = format!("only the first {MAX_PARTS} of {parts} parts were judged");
    let (dials, next) = ((Severity::Medium, Confidence::High), "judge the parts one by one");
    let mut cut = finding(&UNKNOWN, dials, &result.place, &message, "", next);
    cut.nature = Nature::Incomplete;
    "incomplete-analysis".clone_into(&mut cut.rule);
    cut
}

fn finding(
    meta: &Meta,
    (severity, confidence): (Severity, Confidence),
    place: &Location,
    message: &str,
    evidence: &str,
    next: &str,
) -> Finding {
    Finding {
        rule: meta.id.to_owned(),
        nature: Nature::Risk,
        severity,
        confidence,
        persona: Persona::Reviewer,
        location: place.clone(),
        message: shorten(sanitize(message), MAX_SHOWN),
        subject: None,
        evidence: (!evidence.is_empty()).then(|| shorten(sanitize(evidence), MAX_SHOWN)),
        next_step: next.to_owned(),
        count: 1,
    }
}
