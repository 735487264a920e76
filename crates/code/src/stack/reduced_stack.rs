//! `reduced-stack`.

use waag_engine::rules::Meta;
use waag_evidence::{Finding, Severity};

use super::fix::Change;
use super::judge::Conflict;
use crate::telling::{Told, told};

pub(super) static META: Meta = Meta {
    id: "reduced-stack",
    title: "parts of a stack that start and may lack features",
    page: include_str!("reduced_stack.md"),
};

const OTHERWISE: &str = "Choose versions that go together, or leave a note that what is missing is not needed.";

pub(super) fn finding(conflict: &Conflict, fix: &[Change]) -> Finding {
    told(Told {
        rule: &META,
        severity: Severity::Medium,
        confidence: conflict.confidence,
        location: &conflict.location,
        message: &conflict.message,
        subject: Some(&conflict.subject),
        evidence: None,
        next_step: super::next_step(conflict, fix, OTHERWISE),
    })
}
