//! The smallest change that makes claims go together: one part to the nearest version that agrees with all others; then two.

use std::collections::BTreeSet;

use pep440_rs::Version;
use serde::Serialize;
use waag_evidence::Location;

use super::builds::WHEELS;
use super::claim::{Admitted, Claim, Part, Voice};
use super::judge::{Conflict, Grade, judge};
use super::tables::{minor_of, tables};
use super::version::build_of;

/// Parts that are changed one after another before giving up.
const MAX_ROUNDS: usize = 4;
/// Claims among which a change is looked for: with more, it is for a person to say which environment is meant.
const MAX_CLAIMS: usize = 64;
/// Versions nearest to the one that is there, which are tried in pairs.
const NEAR: usize = 8;
/// Pairs that are tried for one conflict.
const MAX_PAIRS: usize = 6_000;

/// A change of one part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What to change.
    pub part: Part,
    /// The package's name, or what stands for it.
    pub name: String,
    /// What is there.
    pub from: String,
    /// What to have instead.
    pub to: String,
    /// Where it is.
    pub location: Location,
}

impl Change {
    /// What to do, for people.
    #[must_use]
    pub fn told(&self) -> String {
        match self.part {
            Part::WheelIndex => format!("add `--extra-index-url {}`", self.to),
            Part::Driver => format!("use an NVIDIA driver of {} or newer", self.to),
            Part::BaseImage => format!("use a base image with CUDA {} instead of {}", self.to, self.from),
            Part::Cuda => format!("use builds for {} instead of {}", self.to, self.from),
            Part::Python => format!("use Python {} instead of {}", self.to, self.from),
            _ => format!("change {} from {} to {}", self.name, self.from, self.to),
        }
    }
}

/// The best so far: what is left and what it costs, the changes, and the claims after them.
type Best = ((Rest, usize), Vec<Candidate>, Vec<Claim>);
/// What is left to disagree: by grade, worst first.
type Rest = (usize, usize, usize);

/// The changes after which nothing that cannot start is left, as far as they are found.
pub(super) fn plan(claims: &[Claim]) -> Vec<Change> {
    let mut claims = concerned(claims);
    let mut changes: Vec<Change> = Vec::new();
    if claims.len() > MAX_CLAIMS {
        return changes;
    }
    for _ in 0..MAX_ROUNDS {
        let conflicts = judge(&claims).conflicts;
        let Some(worst) =
            conflicts.iter().filter(|one| one.grade >= Grade::MayLackFeatures).max_by_key(|one| one.grade)
        else {
            break;
        };
        let Some((found, changed)) = resolve(&claims, worst, &conflicts) else { break };
        claims = changed;
        for change in found {
            changes.retain(|earlier| (earlier.part, &earlier.name) != (change.part, &change.name));
            changes.push(change);
        }
    }
    changes
}

/// Claims of files that clash, and those that hold everywhere.
fn concerned(claims: &[Claim]) -> Vec<Claim> {
    if claims.len() <= MAX_CLAIMS {
        return claims.to_vec();
    }
    let conflicts = judge(claims).conflicts;
    let files: BTreeSet<&str> =
        conflicts.iter().flat_map(|one| [&one.location.file, &one.other.file]).map(String::as_str).collect();
    claims.iter().filter(|claim| files.contains(claim.location.file.as_str())).cloned().collect()
}

/// The smallest change after which `target` is gone and nothing new has come.
fn resolve(claims: &[Claim], target: &Conflict, conflicts: &[Conflict]) -> Option<(Vec<Change>, Vec<Claim>)> {
    let before = rest(conflicts);
    let single = candidates(claims, target);
    let ones = single.iter().map(|one| vec![one.clone()]);
    if let Some(best) = best(claims, target, before, ones) {
        return Some(best);
    }
    // Two that have to meet half-way are looked for among all versions, where no near ones do.
    [NEAR, usize::MAX].into_iter().find_map(|most| {
        let near = nearest(&single, most);
        let pairs = near.iter().enumerate().flat_map(|(index, one)| {
            let others = near.iter().skip(index + 1);
            let others = others.filter(|other| (other.part, &other.name) != (one.part, &one.name));
            others.map(|other| vec![(*one).clone(), (*other).clone()]).collect::<Vec<_>>()
        });
        best(claims, target, before, pairs.take(MAX_PAIRS))
    })
}

fn rest(conflicts: &[Conflict]) -> Rest {
    let of = |grade| conflicts.iter().filter(|one| one.grade == grade).count();
    (of(Grade::WillNotStart), of(Grade::MayLackFeatures), of(Grade::Untested))
}

fn best(
    claims: &[Claim],
    target: &Conflict,
    before: Rest,
    tries: impl Iterator<Item = Vec<Candidate>>,
) -> Option<(Vec<Change>, Vec<Claim>)> {
    let unknown = judge(claims).unknown.len();
    let mut best: Option<Best> = None;
    for candidates in tries {
        let changed = candidates.iter().fold(claims.to_vec(), |claims, one| one.apply(claims));
        let judgement = judge(&changed);
        let after = rest(&judgement.conflicts);
        // What nothing is known of resolves nothing.
        let is_known = judgement.unknown.len() <= unknown;
        let is_gone = !judgement.conflicts.iter().any(|one| is_same(one, target));
        let cost: usize = candidates.iter().map(|one| one.cost).sum();
        if is_gone && is_known && after < before && best.as_ref().is_none_or(|(least, ..)| (after, cost) < *least) {
            best = Some(((after, cost), candidates, changed));
        }
    }
    best.map(|(_, candidates, changed)| {
        (candidates.into_iter().filter_map(|one| one.change(claims)).collect(), changed)
    })
}

fn is_same(one: &Conflict, other: &Conflict) -> bool {
    one.parts == other.parts && one.location == other.location && one.grade >= other.grade
}

/// A change that could be made.
#[derive(Debug, Clone)]
struct Candidate {
    part: Part,
    name: String,
    to: Version,
    /// How many versions lie between, and how much more trouble changing this part is than another.
    cost: usize,
}

impl Candidate {
    /// Whether a claim is changed by it.
    fn is_about(&self, claim: &Claim) -> bool {
        let is_image = matches!(claim.voice, Voice::Image | Voice::DevelImage);
        match self.part {
            Part::Cuda => claim.part == Part::Cuda && matches!(claim.voice, Voice::LocalTag | Voice::Index),
            Part::BaseImage => claim.part == Part::Cuda && is_image,
            Part::Nvidia => claim.part == Part::Nvidia && claim.name == self.name,
            Part::Python => claim.part == Part::Python,
            part => claim.part == part && !is_image,
        }
    }

    fn apply(&self, mut claims: Vec<Claim>) -> Vec<Claim> {
        if self.part == Part::WheelIndex {
            return self.with_index(claims);
        }
        if self.part == Part::BaseImage {
            // Another image has the cuDNN that goes with its CUDA.
            claims.retain(|claim| {
                !(claim.part == Part::Cudnn && matches!(claim.voice, Voice::Image | Voice::DevelImage))
            });
        }
        for claim in claims.iter_mut().filter(|claim| self.is_about(claim)) {
            claim.said = self.shown();
            claim.admitted = Admitted::One(self.to.clone());
        }
        claims
    }

    fn with_index(&self, mut claims: Vec<Claim>) -> Vec<Claim> {
        let Some(tag) = claims.iter().find(|claim| claim.voice == Voice::LocalTag).cloned() else { return claims };
        let name = self.shown();
        let index = Claim { name: name.clone(), said: name, voice: Voice::Index, ..tag };
        claims.push(Claim { said: build_of(&self.to), admitted: Admitted::One(self.to.clone()), ..index.clone() });
        claims.push(Claim { part: Part::WheelIndex, admitted: Admitted::Any, ..index });
        claims
    }

    fn shown(&self) -> String {
        match self.part {
            Part::Cuda => build_of(&self.to),
            Part::WheelIndex => format!("{WHEELS}{}", build_of(&self.to)),
            _ => self.to.to_string(),
        }
    }

    fn change(&self, claims: &[Claim]) -> Option<Change> {
        let claim = match self.part {
            Part::WheelIndex => claims.iter().find(|claim| claim.voice == Voice::LocalTag),
            _ => {
                let mut about = claims.iter().filter(|claim| self.is_about(claim));
                let first = about.clone().next();
                about.find(|claim| claim.said != self.shown()).or(first)
            }
        }?;
        let from = if claim.said.is_empty() { "any version".to_owned() } else { claim.said.clone() };
        let name = if self.part == Part::Cuda { "CUDA".to_owned() } else { claim.name.clone() };
        Some(Change { part: self.part, name, from, to: self.shown(), location: claim.location.clone() })
    }
}

/// Parts that belong together: a change of any can resolve what two of them clash about.
fn family(part: Part) -> &'static [Part] {
    use Part::{
        BaseImage, Cuda, Driver, Jax, Jaxlib, Keras, Nvidia, Python, Tensorflow, Torch, Torchaudio, Torchvision,
        WheelIndex,
    };
    match part {
        Part::Torch | Part::Torchvision | Part::Torchaudio | Part::Nvidia | Part::Cuda | Part::WheelIndex => {
            &[Torch, Torchvision, Torchaudio, Nvidia, Cuda, WheelIndex, Python, BaseImage, Driver]
        }
        Part::Tensorflow | Part::Keras => &[Tensorflow, Keras, Python, BaseImage, Driver],
        Part::Jax | Part::Jaxlib => &[Jax, Jaxlib, Python, Driver],
        Part::Python => &[Python],
        Part::Cudnn | Part::BaseImage => &[BaseImage, Tensorflow],
        Part::Driver => &[Driver],
    }
}

/// What could be changed to resolve a conflict, cheapest first.
fn candidates(claims: &[Claim], target: &Conflict) -> Vec<Candidate> {
    let parts: BTreeSet<Part> = target.parts.iter().flat_map(|part| family(*part)).copied().collect();
    let mut all: Vec<Candidate> = parts.into_iter().flat_map(|part| of_part(claims, part)).collect();
    all.sort_by_key(|one| one.cost);
    all
}

fn of_part(claims: &[Claim], part: Part) -> Vec<Candidate> {
    let mut names: BTreeSet<String> = BTreeSet::new();
    let probe = |name: &str| Candidate { part, name: name.to_owned(), to: Version::new([0]), cost: 0 };
    for claim in claims {
        let is_about = match part {
            Part::WheelIndex => claim.voice == Voice::LocalTag,
            _ => probe(&claim.name).is_about(claim),
        };
        if is_about {
            names.insert(if part == Part::Nvidia { claim.name.clone() } else { part.name().to_owned() });
        }
    }
    names.into_iter().flat_map(|name| of_name(claims, part, &name)).collect()
}

fn of_name(claims: &[Claim], part: Part, name: &str) -> Vec<Candidate> {
    let versions: Vec<Version> = match part {
        // Where a build is to be found is told by its tag.
        Part::WheelIndex => claims
            .iter()
            .filter(|claim| claim.voice == Voice::LocalTag)
            .filter_map(|claim| claim.admitted.one())
            .collect(),
        _ => versions(part, name).into_iter().collect(),
    };
    let candidate = |to: &Version| Candidate { part, name: name.to_owned(), to: to.clone(), cost: 0 };
    let Some(first) = versions.first() else { return Vec::new() };
    let probe = candidate(first);
    let there =
        claims.iter().find(|claim| probe.is_about(claim)).and_then(|claim| claim.admitted.named().into_iter().max());
    let current = if part == Part::BaseImage { cuda_of_packages(claims).or(there) } else { there };
    let place = current.map_or(versions.len(), |current| versions.partition_point(|one| *one < current));
    let with_cost =
        |(index, to): (usize, &Version)| Candidate { cost: index.abs_diff(place) + trouble(part), ..candidate(to) };
    versions.iter().enumerate().map(with_cost).collect()
}

/// The CUDA that packages were built for: the one that a base image is best near to.
fn cuda_of_packages(claims: &[Claim]) -> Option<Version> {
    let of = |claim: &Claim| match claim.part {
        Part::Cuda if claim.voice == Voice::LocalTag => claim.admitted.one(),
        Part::Torch => tables().torch(&claim.admitted.one()?)?.cuda.clone(),
        Part::Tensorflow => super::families::tensorflow_rows(claim).last().map(|row| row.cuda.clone()),
        _ => None,
    };
    let cuda = claims.iter().find_map(of)?;
    let (major, minor) = minor_of(&cuda);
    Some(Version::new([major, minor]))
}

/// How much more trouble it is to change this part than a companion of a package.
const fn trouble(part: Part) -> usize {
    match part {
        Part::Torchvision | Part::Torchaudio | Part::Keras | Part::Jaxlib | Part::Nvidia | Part::WheelIndex => 0,
        Part::Cuda => 1,
        Part::Torch | Part::Tensorflow | Part::Jax => 2,
        Part::BaseImage | Part::Cudnn => 4,
        Part::Python => 6,
        Part::Driver => 4,
    }
}

fn versions(part: Part, name: &str) -> BTreeSet<Version> {
    let tables = tables();
    match part {
        Part::Torch => tables.torch.iter().map(|row| row.release.version.clone()).collect(),
        Part::Torchvision => tables.torchvision.iter().map(|row| row.release.version.clone()).collect(),
        Part::Torchaudio => tables.torchaudio.iter().map(|row| row.release.version.clone()).collect(),
        Part::Tensorflow => {
            tables.tensorflow.iter().map(|row| row.checked.as_ref().unwrap_or(&row.version).clone()).collect()
        }
        Part::Keras => tables.tensorflow.iter().flat_map(|row| row.keras.clone()).collect(),
        Part::Jax => tables.jax.iter().map(|row| row.version.clone()).collect(),
        Part::Jaxlib => tables.jax.iter().map(|row| row.jaxlib.clone()).collect(),
        Part::Python => (7..=15).map(|minor| Version::new([3, minor])).collect(),
        Part::Cuda | Part::WheelIndex => tables.matrix.iter().flat_map(|row| row.cuda.clone()).collect(),
        Part::BaseImage => {
            tables.toolkits.iter().map(|row| row.cuda.clone()).filter(|cuda| minor_of(cuda).0 >= 10).collect()
        }
        Part::Nvidia => {
            let pins = tables.torch.iter().flat_map(|row| &row.nvidia).filter(|(one, _)| one == name);
            pins.map(|(_, version)| version.clone()).collect()
        }
        Part::Driver => {
            let rows = tables.toolkits.iter();
            rows.flat_map(|row| row.least.iter().chain([&row.driver])).cloned().collect()
        }
        Part::Cudnn => BTreeSet::new(),
    }
}

/// The cheapest candidates of each part, at most so many, for trying two at once.
fn nearest(candidates: &[Candidate], most: usize) -> Vec<&Candidate> {
    let mut near: Vec<&Candidate> = Vec::new();
    for candidate in candidates {
        let same = near.iter().filter(|one| (one.part, &one.name) == (candidate.part, &candidate.name)).count();
        if same < most {
            near.push(candidate);
        }
    }
    near
}
