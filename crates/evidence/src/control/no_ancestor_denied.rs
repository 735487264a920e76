//! Nothing it was made from is refused.

use super::ancestors_signed::{gaps, unsearched};
use super::{Control, Group, Level, Observation, Outcome};
use crate::gathered::{Ancestor, Evidence, Subject};
use crate::policy::Policy;
use crate::verdict::Decision;

pub(super) static CONTROL: Control = Control {
    id: "no-ancestor-denied",
    group: Group::Training,
    title: "nothing it descends from is denied",
    why: "What is wrong with a base model or a dataset is wrong with all that was made from it.",
    needs: "the ledger, the digests of [[trust.denied]], and verdicts about ancestors by those who are trusted",
    pass: "Make it again without the ancestor that is named.",
    default: Level::DenyKnown,
    least: Level::DenyKnown,
    judge,
};

const NEXT: &str =
    "do not use it; make it again without this ancestor. `waag lineage --affected-by` tells what else is concerned";

fn judge(_: &Subject, evidence: &Evidence, _: &Policy) -> Vec<Observation> {
    let ancestry = &evidence.ancestry;
    if ancestry.searched.is_empty() {
        return vec![unsearched()];
    }
    let mut observations: Vec<_> = ancestry.nodes.iter().filter_map(observation).collect();
    // That statements contradict each other is no denial.
    observations.extend(gaps(ancestry).into_iter().map(|gap| Observation { outcome: Outcome::Unknown, ..gap }));
    if observations.is_empty() {
        observations.push(match ancestry.nodes.len() {
            0 => Observation::unknown("", "nothing says what it was made from", super::recorded::NEXT),
            count => Observation::pass("", format!("none of its ancestors is denied ({count} known)")),
        });
    }
    observations
}

fn observation(node: &Ancestor) -> Option<Observation> {
    let role = node.role;
    if let Some(reason) = &node.denied {
        return Some(Observation::fail(&node.name, format!("{role}, which is denied: {reason}"), NEXT));
    }
    if node.verdict == Some(Decision::Deny) {
        return Some(Observation::fail(&node.name, format!("{role}, of which a trusted verdict says deny"), NEXT));
    }
    if node.digest.is_none() && role.is_ancestry() {
        let seen = format!("{role}, known by name only: there is no digest to compare");
        return Some(Observation::unknown(&node.name, seen, "add a statement with its digest to the ledger"));
    }
    None
}
