//! `incompatible-stack`.

use waag_engine::rules::Meta;
use waag_evidence::{Finding, Severity};

use super::fix::Change;
use super::judge::Conflict;
use crate::telling::{Told, told};

pub(super) static META: Meta = Meta {
    id: "incompatible-stack",
    title: "parts of a stack that cannot be installed or started together",
    page: include_str!("incompatible_stack.md"),
};

const OTHERWISE: &str = "Choose versions that go together, and pin all of them.";

pub(super) fn finding(conflict: &Conflict, fix: &[Change]) -> Finding {
    told(Told {
        rule: &META,
        severity: Severity::High,
        confidence: conflict.confidence,
        location: &conflict.location,
        message: &conflict.message,
        subject: Some(&conflict.subject),
        evidence: None,
        next_step: super::next_step(conflict, fix, OTHERWISE),
    })
}
