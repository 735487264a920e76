//! Allowances without a reason or a finding; applying them tells, in `suppression.rs`.

use waag_engine::rules::Meta;

use super::super::rule::Rule;

/// Who it is.
pub static META: Meta =
    Meta { id: "unused-suppression", title: "a comment allows nothing", page: include_str!("unused_suppression.md") };

/// The rule.
pub(crate) struct UnusedSuppression;

impl Rule for UnusedSuppression {
    fn meta(&self) -> &'static Meta {
        &META
    }
}
