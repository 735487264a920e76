//! The provenance names everything that it was made from, by digest.

use super::recorded::{NEXT, unknown};
use super::{Control, Group, Level, Observation};
use crate::gathered::{Evidence, ProvenanceFacts, StatementEvidence, Subject};
use crate::policy::Policy;
use crate::statement::role::Role;

pub(super) static CONTROL: Control = Control {
    id: "provenance-links",
    group: Group::Training,
    title: "its provenance names base model, data, code and environment by digest",
    why: "A link that is missing is where a poisoned dataset or another script goes unseen.",
    needs: "a trusted provenance, with a role and a digest for each dependency; which roles it needs follows from its build type",
    pass: "Record the run with `waag run`, which takes digests of all that the command reads.",
    default: Level::Advise,
    least: Level::Off,
    judge,
};

fn judge(_: &Subject, evidence: &Evidence, _: &Policy) -> Vec<Observation> {
    let trusted = evidence.statements.trusted_provenance();
    let observations: Vec<_> = trusted
        .flat_map(|(statement, facts)| facts.expected_roles().iter().map(|role| link(statement, facts, *role)))
        .collect();
    if observations.is_empty() { vec![unknown()] } else { observations }
}

fn link(statement: &StatementEvidence, facts: &ProvenanceFacts, role: Role) -> Observation {
    let place = statement.place.as_str();
    let all = facts.in_role(role).count();
    let undigested = facts.in_role(role).find(|dependency| !dependency.digested);
    match (all, undigested) {
        (0, _) => Observation::fail(place, format!("the provenance names nothing as {role}"), NEXT),
        (_, Some(dependency)) => {
            Observation::fail(place, format!("the {role} '{}' has no digest", dependency.name), NEXT)
        }
        (all, None) => Observation::pass(place, format!("{role}: {all} by digest")),
    }
}
