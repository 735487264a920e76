//! It comes from where things may come from.

use super::{Control, Group, Level, Observation};
use crate::exception::matches_path;
use crate::gathered::{Evidence, Part, SignatureState, Subject};
use crate::policy::Policy;

pub(super) static CONTROL: Control = Control {
    id: "source-trusted",
    group: Group::Models,
    title: "from a publisher or place that is trusted",
    why: "Most poisoned models are other people's names with one letter changed.",
    needs: "a trusted signature; or `source` of a [[model]] or [[dataset]] that is locked, and `sources` in [policy]",
    pass: "Have it signed by its publisher, or say in waag.toml where it comes from, allow that place, and lock it.",
    default: Level::Advise,
    least: Level::Off,
    judge,
};

const NEXT: &str = "say where it comes from with `source` in waag.toml, allow that place with `sources` in [policy], and \
                    lock it; or have it signed";

fn judge(_: &Subject, evidence: &Evidence, policy: &Policy) -> Vec<Observation> {
    let good = evidence.signatures.iter().filter_map(|signature| match &signature.state {
        SignatureState::Good { signers, .. } => Some((signature.place.as_str(), signers)),
        _ => None,
    });
    let mut observations: Vec<_> = good
        .clone()
        .map(|(place, signers)| Observation::pass(place, format!("its publisher signed it: {}", signers.join(", "))))
        .collect();
    let unsigned = evidence.parts.iter().filter(|part| good.clone().all(|(place, _)| place != part.path));
    observations.extend(unsigned.map(|part| declared(part, policy)));
    if observations.is_empty() {
        observations.push(Observation::unknown("", "nothing says where it comes from", NEXT));
    }
    observations
}

/// What the settings say of a source is not proven; the lock keeps it from becoming another one.
fn declared(part: &Part, policy: &Policy) -> Observation {
    let Some(source) = &part.source else {
        return Observation::unknown(&part.path, "nothing says where it comes from", NEXT);
    };
    let allowed = policy.sources.iter().any(|pattern| matches_whole(pattern, source));
    match (allowed, part.locked) {
        (true, true) => {
            Observation::pass(&part.path, format!("waag.toml says it comes from {source}, and it is locked"))
        }
        (true, false) => Observation::unknown(
            &part.path,
            format!("waag.toml says it comes from {source}, and it is not locked"),
            "lock it with `waag lock`",
        ),
        (false, _) => {
            Observation::fail(&part.path, format!("{source} is none of the sources that [policy] allows"), NEXT)
        }
    }
}

/// A place has to match from its beginning: patterns of paths may begin at any part of one.
fn matches_whole(pattern: &str, source: &str) -> bool {
    matches_path(&format!("^/{pattern}"), &format!("^/{source}"))
}
