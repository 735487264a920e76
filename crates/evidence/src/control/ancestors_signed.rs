//! Everything it was made from is signed.

use super::{Control, Group, Level, Observation};
use crate::gathered::{Ancestor, Ancestry, Assurance, Evidence, Subject};
use crate::policy::Policy;
use crate::statement::role::Role;

pub(super) static CONTROL: Control = Control {
    id: "ancestors-signed",
    group: Group::Training,
    title: "each step back to a model or dataset it descends from is signed by somebody who is trusted",
    why: "A chain of trust ends at the first ancestor that anybody could have exchanged.",
    needs: "the ledger: statements about the model, its ancestors, and who signed them",
    pass: "Have the statement that names the ancestor signed by whoever made that step, and add it to the ledger.",
    default: Level::Advise,
    least: Level::Off,
    judge,
};

/// Roles of models and data. Programs are signed by those who distribute them, and in other ways.
const ROLES: [Role; 5] = [Role::BaseModel, Role::Adapter, Role::ConvertedFrom, Role::Teacher, Role::Dataset];
const NEXT: &str =
    "have the statement that names it, by digest, signed by whoever made that step, and add it to the ledger";

fn judge(_: &Subject, evidence: &Evidence, _: &Policy) -> Vec<Observation> {
    let ancestry = &evidence.ancestry;
    if ancestry.searched.is_empty() {
        return vec![unsearched()];
    }
    let asked = ancestry.nodes.iter().filter(|node| ROLES.contains(&node.role));
    let mut observations: Vec<_> = asked.map(observation).collect();
    observations.extend(gaps(ancestry));
    if observations.is_empty() {
        let seen = format!("nothing in {} says what it was made from", ancestry.searched.join(", "));
        observations.push(Observation::unknown("", seen, super::recorded::NEXT));
    }
    observations
}

fn observation(node: &Ancestor) -> Observation {
    let role = node.role;
    match &node.assurance {
        Assurance::Signed { by, trusted: true } if node.digest.is_none() => {
            Observation::unknown(&node.name, format!("{role}, signed by {by}, by name and not by digest"), NEXT)
        }
        Assurance::Signed { by, trusted: true } => Observation::pass(&node.name, format!("{role}, signed by {by}")),
        Assurance::Signed { by, trusted: false } => {
            Observation::fail(&node.name, format!("{role}, signed by '{by}', who is not trusted for it"), NEXT)
        }
        Assurance::DerivedFromFile => Observation::fail(&node.name, format!("{role}, only a file says so"), NEXT),
        Assurance::SelfDeclared => Observation::fail(&node.name, format!("{role}, only declared"), NEXT),
        Assurance::Unsigned => Observation::fail(&node.name, format!("{role}, unsigned"), NEXT),
    }
}

/// That nobody looked.
pub(super) fn unsearched() -> Observation {
    let next = "keep statements in a ledger: `waag ledger add`";
    Observation::unknown("", "its ancestors were not looked for: there is no ledger", next)
}

/// What keeps the ancestors from being all of them.
pub(super) fn gaps(ancestry: &Ancestry) -> Vec<Observation> {
    let missing = ancestry.missing.iter().map(|name| {
        Observation::unknown(
            name,
            "an ancestor that is named, and of which nothing is known",
            "add what is known of it to the ledger",
        )
    });
    let cycles = ancestry.cycles.iter().map(|cycle| {
        let seen = format!("it descends from itself: {}", cycle.join(" from "));
        let next = "find out which of these statements is wrong, and take it out of the ledger";
        Observation::fail(cycle.first().map_or("", String::as_str), seen, next)
    });
    let more = ancestry.incomplete.iter().map(|why| {
        Observation::unknown(
            "",
            format!("not all ancestors are known: {why}"),
            "`waag lineage` and `waag ledger check` tell more",
        )
    });
    missing.chain(cycles).chain(more).collect()
}
