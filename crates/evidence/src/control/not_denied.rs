//! Nothing here is on the list of what is refused, and nobody who is trusted refuses it.

use super::{Control, Group, Level, Observation};
use crate::gathered::{Evidence, StatementEvidence, Subject};
use crate::policy::Policy;

pub(super) static CONTROL: Control = Control {
    id: "not-denied",
    group: Group::Models,
    title: "no file and no model is on a deny list, and nobody who is trusted says no",
    why: "Weights that leaked or were poisoned stay what they are under any name, whoever signed them.",
    needs: "the digests of [[trust.denied]] in waag.toml, those of the files, and signed verdicts and scans about them",
    pass: "Take away what is named; there is no exception but to take the digest off the list, or the statement back.",
    default: Level::Deny,
    least: Level::Deny,
    judge,
};

fn judge(_: &Subject, evidence: &Evidence, _: &Policy) -> Vec<Observation> {
    let denials = &evidence.denials;
    let mut observations: Vec<_> = denials
        .found
        .iter()
        .map(|denial| {
            let seen = format!("sha256:{} is denied: {}", denial.digest, denial.reason);
            Observation::fail(&denial.place, seen, "take it away, and find out how it came here")
        })
        .collect();
    observations.extend(evidence.statements.found.iter().filter_map(refused));
    if denials.undigested > 0 {
        let seen = format!("{} files have no digest to compare", denials.undigested);
        observations.push(Observation::unknown("", seen, "make them readable"));
    }
    if observations.is_empty() {
        observations.push(match denials.listed {
            0 => Observation::not_applicable("waag.toml denies no digest"),
            listed => Observation::pass("", format!("compared with {listed} denied digests")),
        });
    }
    observations
}

/// What a statement of somebody who is trusted says against it.
fn refused(statement: &StatementEvidence) -> Option<Observation> {
    let objection = statement.objection.as_ref()?;
    let signer = statement.signer.as_deref().unwrap_or("somebody who is trusted");
    let next = format!("do not use it; ask '{signer}' why, and take the statement away only when it was taken back");
    Some(Observation::fail(&statement.place, format!("signed by '{signer}': {objection}"), next))
}
