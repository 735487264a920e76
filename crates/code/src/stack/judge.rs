//! Whether claims go together. Each check compares one claim with those that it can be installed with; it clashes only
//! where it agrees with none of them, since a project may describe several environments.

use std::collections::BTreeSet;
use std::path::Path;

use pep440_rs::Version;
use serde::Serialize;
use waag_evidence::{Confidence, Location};

use super::claim::{Admitted, Claim, Part, Voice};
use super::tables::{Tables, tables};
use super::version::{LAST_MINOR, python_minors};

/// Folders within each other: more than any path has.
const MAX_STEPS: usize = 10_000;

/// How badly two claims go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// Nobody says that it was tried.
    Untested,
    /// It starts, and may lack features.
    MayLackFeatures,
    /// It cannot be installed, or does not start.
    WillNotStart,
}

/// Two claims that do not go together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Conflict {
    /// How badly.
    pub grade: Grade,
    /// How sure that is.
    pub confidence: Confidence,
    /// What the two are about.
    pub parts: [Part; 2],
    /// Both claims, for people, and why they clash.
    pub message: String,
    /// Where the first is.
    pub location: Location,
    /// Where the second is.
    pub other: Location,
    /// The first claim's words, by which an exception can name it.
    pub subject: String,
}

/// What could not be judged, because the tables do not have it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct NotKnown {
    /// What it is about.
    pub part: Part,
    /// What is not known, and where the tables end.
    pub message: String,
    /// Where it is said.
    pub location: Location,
}

/// What was found out about claims.
#[derive(Debug, Default)]
pub(super) struct Judgement {
    pub(super) conflicts: Vec<Conflict>,
    pub(super) unknown: BTreeSet<NotKnown>,
    /// Pairs of claims that were compared.
    pub(super) compared: usize,
    /// Those of them of which one is the driver.
    pub(super) compared_with_driver: usize,
}

/// What a comparison of two claims gives.
pub(super) enum Agreement {
    Agrees,
    Clashes(Grade, Confidence, String),
    NotKnown(String),
}

/// Claims while they are judged.
pub(super) struct Judge<'a> {
    pub(super) claims: &'a [Claim],
    pub(super) tables: &'static Tables,
    pub(super) judgement: Judgement,
}

/// Judges claims.
pub(super) fn judge(claims: &[Claim]) -> Judgement {
    let mut judge = Judge { claims, tables: tables(), judgement: Judgement::default() };
    judge.same_package();
    judge.torch_family();
    judge.tensorflow_family();
    judge.jax_family();
    judge.builds();
    judge.drivers();
    judge.images();
    judge.judgement
}

impl<'a> Judge<'a> {
    /// Claims about a part.
    pub(super) fn about(&self, part: Part) -> Vec<&'a Claim> {
        self.claims.iter().filter(|claim| claim.part == part).collect()
    }

    /// The claims about `part` that `claim` can be installed with: those of its own file, where there are any, of its folder,
    /// or of the nearest folder above or below. What lies in other folders is of other projects, but for a recipe that has none
    /// of its own: that is of all of them.
    pub(super) fn beside(&self, claim: &Claim, part: Part) -> Vec<&'a Claim> {
        let all = self.claims.iter().filter(|other| other.part == part && claim.goes_with(other));
        let ranked: Vec<(usize, &Claim)> =
            all.filter_map(|other| Some((self.distance(claim, other)?, other))).collect();
        let Some(nearest) = ranked.iter().map(|(distance, _)| *distance).min() else { return Vec::new() };
        ranked.into_iter().filter(|(distance, _)| *distance == nearest).map(|(_, other)| other).collect()
    }

    /// How far two claims are from each other; none where they are of different projects.
    fn distance(&self, one: &Claim, other: &Claim) -> Option<usize> {
        let (first, second) = (folder_of(one), folder_of(other));
        let steps = first.components().count().abs_diff(second.components().count());
        match () {
            () if file_of(one) == file_of(other) => Some(0),
            // Each recipe is of an image of its own.
            () if one.is_of_recipe() && other.is_of_recipe() => None,
            () if self.is_of_all(one) || self.is_of_all(other) => Some(1),
            () if first.starts_with(second) => Some(1 + steps),
            () if second.starts_with(first) => Some(1 + MAX_STEPS + steps),
            () => None,
        }
    }

    /// Whether a claim is of a recipe in a folder that names no packages of its own.
    fn is_of_all(&self, claim: &Claim) -> bool {
        let is_own = |other: &Claim| !other.is_of_recipe() && folder_of(other).starts_with(folder_of(claim));
        claim.is_of_recipe() && !self.claims.iter().any(is_own)
    }

    /// Compares a claim with those beside it.
    pub(super) fn compare(&mut self, claim: &Claim, others: &[&Claim], test: impl Fn(&Claim, &Claim) -> Agreement) {
        let mut clashes: Vec<(Grade, Confidence, String, &Claim)> = Vec::new();
        let mut unknown = Vec::new();
        let mut agrees = false;
        for other in others {
            self.judgement.compared += 1;
            match test(claim, other) {
                Agreement::Agrees => agrees = true,
                Agreement::Clashes(grade, confidence, why) => clashes.push((grade, confidence, why, other)),
                Agreement::NotKnown(why) => unknown.push(why),
            }
        }
        for message in unknown.iter().cloned() {
            self.not_known(claim, message);
        }
        if agrees || !unknown.is_empty() {
            return;
        }
        // The mildest: the environment that comes nearest to working is the one that may be meant.
        let Some((grade, confidence, why, other)) = clashes.into_iter().min_by_key(|(grade, ..)| *grade) else {
            return;
        };
        let both = if claim == other { claim.told() } else { format!("{} and {}", claim.told(), other.told()) };
        let message = format!("{both}: {why}");
        self.judgement.conflicts.push(Conflict {
            grade,
            confidence,
            parts: [claim.part, other.part],
            message,
            location: claim.location.clone(),
            other: other.location.clone(),
            subject: claim.told(),
        });
    }

    pub(super) fn not_known(&mut self, claim: &Claim, message: String) {
        let location = claim.location.clone();
        self.judgement.unknown.insert(NotKnown { part: claim.part, message, location });
    }

    /// One package, pinned twice in one place.
    fn same_package(&mut self) {
        for (index, claim) in self.claims.iter().enumerate() {
            let is_pin =
                |claim: &Claim| claim.voice == Voice::Package && !claim.conditional && claim.admitted.one().is_some();
            if !is_pin(claim) || claim.part == Part::Cuda {
                continue;
            }
            let earlier = self.claims.iter().take(index).find(|other| {
                other.part == claim.part
                    && other.name == claim.name
                    && other.location.file == claim.location.file
                    && other.group == claim.group
                    && is_pin(other)
                    && other.admitted != claim.admitted
            });
            let Some(earlier) = earlier else { continue };
            if !claim.location.file.ends_with(".lock") && !claim.is_of_recipe() {
                let why = "the same package is pinned to two versions".to_owned();
                self.compare(claim, &[earlier], |_, _| {
                    Agreement::Clashes(Grade::WillNotStart, Confidence::High, why.clone())
                });
            }
        }
    }
}

/// The file of a claim: some are told as they are reached, with a `./` in front.
fn file_of(claim: &Claim) -> &str {
    claim.location.file.trim_start_matches("./")
}

fn folder_of(claim: &Claim) -> &Path {
    Path::new(file_of(claim)).parent().unwrap_or(Path::new(""))
}

/// What is said of a version that the tables do not have.
pub(super) fn beyond(name: &str, admitted: &Admitted, versions: &[(&Version, &str)]) -> String {
    let (Some((first, _)), Some((last, day))) = (versions.first(), versions.last()) else {
        return format!("not known: the tables have no {name}");
    };
    let said = admitted.named();
    if said.iter().any(|version| version > last) {
        let day = if day.is_empty() { super::tables::MADE } else { day };
        return format!("not known: the tables end at {name} {last}, of {day}");
    }
    if said.iter().any(|version| version < first) {
        return format!("not known: the tables begin with {name} {first}");
    }
    format!("not known: the tables of {} have no such version of {name}", super::tables::MADE)
}

/// Minor versions of Python that a claim admits, for people.
pub(super) fn told_minors(minors: &[u64]) -> String {
    match minors {
        [] => "no version".to_owned(),
        [only] => format!("3.{only}"),
        [first, .., LAST_MINOR] => format!("3.{first} and newer"),
        [first, .., last] => format!("3.{first} to 3.{last}"),
    }
}

/// The minor versions of a claim about Python, or that they cannot be told.
pub(super) fn minors_of(python: &Claim) -> Result<Vec<u64>, Agreement> {
    let minors = python_minors(&python.admitted);
    if minors.is_empty() {
        return Err(Agreement::NotKnown(format!("not known: {} is no version of Python 3", python.told())));
    }
    Ok(minors)
}
