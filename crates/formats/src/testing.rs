//! Helpers of the tests: short views of facts.

pub(crate) use waag_testkit::mutate;

use crate::budget::Budget;
use crate::child::Role;
use crate::fact::FactKind;
use crate::facts::Facts;
use crate::format::{Context, Format};

/// The facts of `bytes`, read as `format` with an ordinary budget.
pub(crate) fn inspect(format: &dyn Format, name: &str, bytes: &[u8]) -> Facts {
    let mut facts = Facts::new();
    let budget = Budget::default();
    let context = Context { name, role: Role::Unknown, budget: &budget };
    format.inspect(&bytes, &context, &mut facts);
    facts
}

/// Anomalies and gaps as `Kind@offset`, for comparison.
pub(crate) fn oddities(facts: &Facts) -> Vec<String> {
    let mut list = Vec::new();
    for fact in facts.list() {
        let offset = match fact.position {
            crate::fact::Position::Offset(offset) => offset.to_string(),
            other => format!("{other:?}"),
        };
        match &fact.kind {
            FactKind::Anomaly { anomaly, .. } => list.push(format!("{anomaly:?}@{offset}")),
            FactKind::Incomplete { reason, .. } => list.push(format!("{reason:?}@{offset}")),
            _ => {}
        }
    }
    list
}
