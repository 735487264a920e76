//! `untested-stack`.

use waag_engine::rules::Meta;
use waag_evidence::{Finding, Persona, Severity};

use super::judge::Conflict;
use crate::telling::{Told, told};

pub(super) static META: Meta = Meta {
    id: "untested-stack",
    title: "parts of a stack that nobody says were tried together",
    page: include_str!("untested_stack.md"),
};

pub(super) fn finding(conflict: &Conflict) -> Finding {
    let mut finding = told(Told {
        rule: &META,
        severity: Severity::Low,
        confidence: conflict.confidence,
        location: &conflict.location,
        message: &conflict.message,
        subject: Some(&conflict.subject),
        evidence: None,
        next_step: format!("Try it, and pin what worked; the other place is {}.", super::place(&conflict.other)),
    });
    finding.persona = Persona::Reviewer;
    finding
}
