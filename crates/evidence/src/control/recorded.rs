//! What a trusted provenance has to say, one thing for each control.

use super::Observation;
use crate::gathered::{Evidence, ProvenanceFacts};

/// What to do where nothing trusted says how it was made.
pub(super) const NEXT: &str = "record the run with `waag run --key FILE`, and name the signer in [trust]";

/// The answer of a control that asks one thing of every trusted provenance: what it says, or none where it says nothing.
pub(super) fn asked(
    evidence: &Evidence,
    what: &str,
    next: &str,
    says: impl Fn(&ProvenanceFacts) -> Option<String>,
) -> Vec<Observation> {
    let observations: Vec<_> = evidence
        .statements
        .trusted_provenance()
        .map(|(statement, facts)| match says(facts) {
            Some(seen) => Observation::pass(&statement.place, seen),
            None => Observation::fail(&statement.place, format!("the provenance names no {what}"), next),
        })
        .collect();
    if observations.is_empty() { vec![unknown()] } else { observations }
}

/// That nothing trusted says how it was made.
pub(super) fn unknown() -> Observation {
    Observation::unknown("", "no trusted provenance says how it was made", NEXT)
}

/// The first few of a list.
pub(super) fn few(list: &[String]) -> String {
    const MOST: usize = 3;
    let shown = list.iter().take(MOST).cloned().collect::<Vec<_>>().join(", ");
    match list.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
