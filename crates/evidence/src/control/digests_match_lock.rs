//! Files are those that were locked.

use super::findings::{LOCK, observations};
use super::{Control, Group, Level, Observation};
use crate::gathered::{Evidence, Subject};
use crate::policy::Policy;

pub(super) static CONTROL: Control = Control {
    id: LOCK,
    group: Group::Models,
    title: "every file is as it was locked",
    why: "A file that changed since somebody looked at it is another file.",
    needs: "waag.lock, and the digests of the files",
    pass: "`waag fetch --from FOLDER` brings back what was locked; `waag lock` accepts what is there.",
    default: Level::Deny,
    least: Level::Deny,
    judge,
};

fn judge(_: &Subject, evidence: &Evidence, policy: &Policy) -> Vec<Observation> {
    let observations = observations(LOCK, evidence, policy);
    let locked = evidence.parts.iter().filter(|part| part.locked).count();
    match (observations.is_empty(), locked) {
        (false, _) => observations,
        (true, 0) => vec![Observation::not_applicable("no lock names what is here")],
        (true, locked) => vec![Observation::pass("", format!("{locked} locked, and not a byte differs"))],
    }
}
