//! Nothing here is on the list of what is refused.

use super::{Control, Group, Level, Observation};
use crate::gathered::{Evidence, Subject};
use crate::policy::Policy;

pub(super) static CONTROL: Control = Control {
    id: "not-denied",
    group: Group::Models,
    title: "no file and no model is on a deny list",
    why: "Weights that leaked or were poisoned stay what they are under any name, whoever signed them.",
    needs: "the digests of [[trust.denied]] in waag.toml, and those of the files",
    pass: "Take away what is named; there is no exception but to take the digest off the list.",
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
