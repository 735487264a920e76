//! Known weaknesses of what a project needs, by advisories that the user has imported, or else by the few that are built in.
//!
//! Nothing is fetched. How old the data is is part of every answer, and what was not looked up is not checked: it is never
//! called clean.

mod advisory;
mod database;
mod import;
mod known_vulnerability;
mod matching;
mod osv;
mod possible_vulnerability;
mod severity;
#[cfg(test)]
mod tests;
mod used;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::str::FromStr as _;

use jiff::civil::Date;
use pep440_rs::{Version, VersionSpecifiers};
use serde::Serialize;
use waag_engine::rules::Meta;
use waag_evidence::dependency::normalised;
use waag_evidence::{Dependency, DependencySource, Ecosystem, Finding, Location};

use self::used::Used;
use crate::telling::bounded_to;

pub use advisory::{Advisory, Affected, Event};
pub use database::{Database, DatabaseError, Header, Origin, Scope, keep, write};
pub use import::{Import, import};
pub use jiff::civil::Date as Day;
pub use severity::{Rated, rate};

/// Versions and ranges of one package that are looked up, and findings that are listed: nobody reads more.
const MAX_ASKED: usize = 100;
const MAX_LISTED: usize = 500;

/// The checks of this room.
pub static RULES: &[&Meta] = &[&known_vulnerability::META, &possible_vulnerability::META];

/// What is known of the question as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Outcome {
    /// At least one package was looked up.
    Checked {
        /// Packages that were looked up.
        packages: usize,
        /// Packages that were not: see `not_checked`.
        not_checked: usize,
        /// The data that they were looked up in.
        data: Data,
    },
    /// Nothing was: this is no word on whether anything is wrong.
    NotChecked {
        /// Why.
        why: String,
        /// The data there is, where there is some.
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<Data>,
    },
}

/// The data that was looked into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Data {
    /// The day on which it was as it is.
    pub day: String,
    /// How many days ago that was.
    pub age: i64,
    /// When it was imported; none where it is built in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imported: Option<String>,
    /// Whether it is built into waag, and covers few packages.
    pub built_in: bool,
    /// Advisories in it.
    pub advisories: usize,
    /// Entries that could not be read when it was imported.
    pub invalid: usize,
    /// Those of them of which not even the package is known, so that they may be about any.
    pub unplaced: usize,
    /// Who made it, where it is built in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
}

impl Data {
    /// What a database is, on a day.
    #[must_use]
    pub fn of(database: &Database, today: Date) -> Self {
        Self {
            day: database.day().to_string(),
            age: database.age(today),
            imported: database.header.imported.map(|time| time.to_string()),
            built_in: database.origin == Origin::Within,
            advisories: database.header.advisories,
            invalid: database.header.invalid,
            unplaced: database.unplaced(),
            licence: database.header.licence.clone(),
        }
    }

    /// How old it is, for people.
    #[must_use]
    pub fn told(&self) -> String {
        let origin = if self.built_in { "built-in advisories" } else { "advisories" };
        format!("{origin} of {}, {} days old", self.day, self.age)
    }
}

/// A weakness of a version that is used, told once whatever it is called.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Match {
    /// The package.
    pub package: String,
    /// The version that is used; none where a declaration admits affected ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The id that is told: of CVE where there is one.
    pub id: String,
    /// All other ids.
    pub aliases: Vec<String>,
    /// What it is.
    pub summary: String,
    /// How bad.
    pub rated: Rated,
    /// Whether the package itself is an attack, and not one that has a mistake.
    pub malicious: bool,
    /// The smallest version above the one that is used in which it is fixed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixed: Option<String>,
    /// Where the package is named.
    pub location: Location,
}

/// A package that was not looked up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct NotChecked {
    /// The package.
    pub package: String,
    /// Why.
    pub why: String,
    /// Where it is named.
    pub location: Location,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Answer {
    /// Whether anything was looked up, and in what.
    pub outcome: Outcome,
    /// Weaknesses of versions that are used.
    pub known: Vec<Match>,
    /// Weaknesses of versions that declarations admit, where nothing says which version is used.
    pub possible: Vec<Match>,
    /// What was not looked up.
    pub not_checked: Vec<NotChecked>,
    /// Advisories that match and were taken back.
    pub withdrawn: usize,
}

/// Looks up what a project needs, in the database that the user has imported into `folder`, or else in the one that is built
/// in. `max_age` is the number of days beyond which data does not count as having been looked into.
#[must_use]
pub fn examine(
    dependencies: &[Dependency],
    folder: Option<&Path>,
    today: Date,
    max_age: Option<i64>,
) -> (Answer, Vec<Finding>) {
    let names: BTreeSet<String> = dependencies.iter().map(|one| normalised(&one.name)).collect();
    match Database::open(folder, Some(&names)) {
        Ok(database) => look_up(dependencies, &database, today, max_age),
        Err(error) => {
            let why = error.to_string();
            let not_checked = dependencies.iter().map(|one| not_checked(one, "there is no data")).collect();
            let outcome = Outcome::NotChecked { why, data: None };
            (Answer { outcome, known: Vec::new(), possible: Vec::new(), not_checked, withdrawn: 0 }, Vec::new())
        }
    }
}

/// Looks up what a project needs in a database.
#[must_use]
pub fn look_up(
    dependencies: &[Dependency],
    database: &Database,
    today: Date,
    max_age: Option<i64>,
) -> (Answer, Vec<Finding>) {
    let mut lookup = Lookup {
        database,
        known: Vec::new(),
        possible: Vec::new(),
        not_checked: Vec::new(),
        checked: BTreeSet::new(),
        withdrawn: BTreeSet::new(),
        asked: BTreeMap::new(),
        told: BTreeSet::new(),
    };
    let used = Used::of(dependencies);
    dependencies.iter().filter(|one| used.counts(one)).for_each(|one| lookup.dependency(one, &used));
    let data = Data::of(database, today);
    let outcome = outcome(&lookup, data, max_age, dependencies.is_empty());
    let findings = lookup.findings();
    let Lookup { known, possible, not_checked, withdrawn, .. } = lookup;
    let possible = possible.into_iter().flat_map(|one| one.matches).collect();
    (Answer { outcome, known, possible, not_checked, withdrawn: withdrawn.len() }, findings)
}

fn outcome(lookup: &Lookup<'_>, data: Data, max_age: Option<i64>, is_empty: bool) -> Outcome {
    if let Some(most) = max_age.filter(|most| data.age > *most) {
        let why = format!("the data is {} days old, and {most} are allowed: import newer advisories", data.age);
        return Outcome::NotChecked { why, data: Some(data) };
    }
    if lookup.checked.is_empty() {
        let why = if is_empty { "there is no package to look up" } else { "no package could be looked up" };
        return Outcome::NotChecked { why: why.to_owned(), data: Some(data) };
    }
    let not_checked: BTreeSet<&str> = lookup.not_checked.iter().map(|one| one.package.as_str()).collect();
    Outcome::Checked { packages: lookup.checked.len(), not_checked: not_checked.len(), data }
}

fn not_checked(dependency: &Dependency, why: &str) -> NotChecked {
    NotChecked { package: dependency.name.clone(), why: why.to_owned(), location: dependency.location.clone() }
}

/// A declaration, and what versions that it admits have.
struct Possible<'a> {
    dependency: &'a Dependency,
    example: Version,
    matches: Vec<Match>,
    /// Whether every version of it is an attack.
    is_lost: bool,
}

struct Lookup<'a> {
    database: &'a Database,
    known: Vec<Match>,
    possible: Vec<Possible<'a>>,
    not_checked: Vec<NotChecked>,
    checked: BTreeSet<String>,
    withdrawn: BTreeSet<String>,
    /// The versions and ranges of each package that were looked up.
    asked: BTreeMap<String, BTreeSet<String>>,
    /// Name, version or range, and file: a file that names a package twice tells nothing new the second time.
    told: BTreeSet<(String, String, String)>,
}

impl<'a> Lookup<'a> {
    fn dependency(&mut self, dependency: &'a Dependency, used: &Used) {
        let name = normalised(&dependency.name);
        if let Err(why) = self.can_look_up(dependency, &name).and_then(|()| self.is_asked(dependency, &name)) {
            self.not_checked.push(not_checked(dependency, &why));
            return;
        }
        if !self.is_new(dependency, &name) {
            return;
        }
        if self.database.header.doubtful.contains(&name) {
            self.not_checked.push(not_checked(dependency, "an advisory about it could not be read on import"));
        }
        if let Some(id) = self.without_versions(&name) {
            let why = format!("{id} is about it, and names no versions that can be compared");
            self.not_checked.push(not_checked(dependency, &why));
        }
        if let Some(version) = &dependency.version {
            match Version::from_str(version) {
                Ok(version) => self.version(dependency, &name, &version),
                Err(_) => return self.not_checked.push(not_checked(dependency, "its version cannot be compared")),
            }
        } else if !used.says_version(&name) {
            let text = dependency.constraint.as_deref().unwrap_or_default();
            let text = if text.trim() == "*" { "" } else { text };
            match VersionSpecifiers::from_str(text) {
                Ok(specifiers) => self.range(dependency, &name, &specifiers),
                Err(_) => return self.not_checked.push(not_checked(dependency, "its range cannot be compared")),
            }
        }
        self.checked.insert(name);
    }

    /// Looking up takes time: a list of all versions that a package could have is not gone through.
    fn is_asked(&mut self, dependency: &Dependency, name: &str) -> Result<(), String> {
        let asked = self.asked.entry(name.to_owned()).or_default();
        let text = meant(dependency);
        if asked.len() >= MAX_ASKED && !asked.contains(text) {
            return Err(format!("more than {MAX_ASKED} versions of it are named"));
        }
        asked.insert(text.to_owned());
        Ok(())
    }

    fn is_new(&mut self, dependency: &Dependency, name: &str) -> bool {
        self.told.insert((name.to_owned(), meant(dependency).to_owned(), dependency.location.file.clone()))
    }

    /// An advisory about a package that does not say which versions, so that it can match none.
    fn without_versions(&self, name: &str) -> Option<&'a str> {
        let is_mute = |part: &Affected| part.package == name && part.ranges.is_empty() && part.versions.is_empty();
        let standing = self.database.about(name).iter().filter(|one| one.withdrawn.is_none());
        standing.filter(|one| one.affected.iter().any(is_mute)).map(|one| one.id.as_str()).next()
    }

    fn can_look_up(&self, dependency: &Dependency, name: &str) -> Result<(), String> {
        if dependency.ecosystem != Ecosystem::Pypi {
            return Err("advisories are about packages of the Python Package Index".to_owned());
        }
        if !matches!(dependency.source, DependencySource::Index { .. }) && dependency.version.is_none() {
            return Err("it comes from no index, and its version is not known".to_owned());
        }
        if !self.database.covers(name) {
            let origin = if self.database.origin == Origin::Within { "built-in" } else { "imported" };
            return Err(format!("the {origin} advisories are not about all packages, and name no {name}"));
        }
        Ok(())
    }

    fn version(&mut self, dependency: &Dependency, name: &str, version: &Version) {
        let affecting = self.affecting(name, |affected| matching::affects(affected, version));
        for group in matching::joined(&affecting) {
            let fixes = group.iter().flat_map(|one| &one.affected).filter(|one| one.package == name);
            let fixed = fixes.filter_map(|one| matching::fixed_after(one, version)).min();
            self.known.push(told(dependency, &group, fixed.as_ref()));
        }
    }

    fn range(&mut self, dependency: &'a Dependency, name: &str, specifiers: &VersionSpecifiers) {
        let affecting = self.affecting(name, |affected| matching::admitted(affected, specifiers).is_some());
        let affected = affecting.iter().flat_map(|one| &one.affected).filter(|one| one.package == name);
        let Some(example) = affected.filter_map(|one| matching::admitted(one, specifiers)).max() else { return };
        let matches = matching::joined(&affecting).into_iter().map(|group| {
            let fixes = group.iter().flat_map(|one| &one.affected).filter(|one| one.package == name);
            let fixed = fixes.filter_map(|one| matching::fixed_after(one, &matching::admitted(one, specifiers)?)).max();
            told(dependency, &group, fixed.as_ref())
        });
        let matches = matches.collect();
        let is_lost = affecting.iter().any(|one| one.is_malicious() && one.is_about_all_of(name));
        self.possible.push(Possible { dependency, example, matches, is_lost });
    }

    /// Advisories about a package of which some part holds; those that were taken back are counted.
    fn affecting(&mut self, name: &str, holds: impl Fn(&Affected) -> bool) -> Vec<&'a Advisory> {
        let all = self.database.about(name).iter();
        let all: Vec<&Advisory> =
            all.filter(|one| one.affected.iter().any(|part| part.package == name && holds(part))).collect();
        let (withdrawn, rest): (Vec<&Advisory>, Vec<&Advisory>) =
            all.into_iter().partition(|one| one.withdrawn.is_some());
        self.withdrawn.extend(withdrawn.into_iter().map(|one| one.id.clone()));
        rest
    }

    fn findings(&self) -> Vec<Finding> {
        let known = self.known.iter().map(known_vulnerability::finding);
        let possible = self.possible.iter().map(possible_vulnerability::finding);
        let mut all: Vec<Finding> = known.chain(possible).collect();
        all.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        bounded_to(all, MAX_LISTED)
    }
}

/// The version or the range that is meant.
fn meant(dependency: &Dependency) -> &str {
    dependency.version.as_deref().or(dependency.constraint.as_deref()).unwrap_or_default()
}

fn told(dependency: &Dependency, group: &[&Advisory], fixed: Option<&Version>) -> Match {
    let mut ids: Vec<&str> = group.iter().flat_map(|one| one.ids()).collect();
    ids.sort_unstable_by_key(|id| (rank(id), *id));
    ids.dedup();
    let id = ids.first().copied().unwrap_or_default().to_owned();
    let summary = group.iter().map(|one| one.summary.as_str()).find(|one| !one.is_empty()).unwrap_or_default();
    Match {
        package: dependency.name.clone(),
        version: dependency.version.clone(),
        aliases: ids.into_iter().skip(1).map(str::to_owned).collect(),
        id,
        summary: waag_engine::sanitize::sanitize(summary),
        rated: rate(group),
        malicious: group.iter().any(|one| one.is_malicious()),
        fixed: fixed.map(ToString::to_string),
        location: dependency.location.clone(),
    }
}

/// Ids that most people know come first.
fn rank(id: &str) -> u8 {
    match id.split('-').next() {
        Some("CVE") => 0,
        Some("GHSA") => 1,
        Some("PYSEC") => 2,
        _ => 3,
    }
}
