//! The same package, asked for in versions that cannot hold together.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use pep508_rs::MarkerTree;
use waag_engine::rules::Meta;
use waag_evidence::finding::{Confidence, Finding, Severity};
use waag_evidence::{Dependency, DependencySource, Ecosystem};

use super::{Check, Scope};
use crate::dependencies::finding::{incomplete, risk};
use crate::dependencies::project::folder_of;
use crate::dependencies::reading::FileKind;
use crate::dependencies::version::contradict;

/// The check.
#[derive(Debug)]
pub(super) struct ContradictingRanges;

static META: Meta = Meta {
    id: "contradicting-ranges",
    title: "versions that cannot hold together",
    page: include_str!("contradicting_ranges.md"),
};
/// Bytes of a marker that is compared: what it means is reckoned out, and can cost much.
const MAX_MARKER: usize = 200;
/// Entries of one package that are compared with each other.
const MAX_COMPARED: usize = 50;

impl Check for ContradictingRanges {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, scope: &Scope<'_>, findings: &mut Vec<Finding>) {
        let mut groups: BTreeMap<(Ecosystem, &str), Vec<&Dependency>> = BTreeMap::new();
        for dependency in &scope.reading.dependencies {
            let kind = scope.file(&dependency.location.file).map(|file| file.kind);
            let is_asked = kind.is_some_and(|kind| !kind.is_lock() && kind != FileKind::Installed);
            let is_index = matches!(dependency.source, DependencySource::Index { .. });
            // An override is there to contradict.
            let is_override = dependency.group.as_deref() == Some("override");
            if is_asked && is_index && !is_override && !dependency.name.is_empty() && dependency.constraint.is_some() {
                groups.entry((dependency.ecosystem, &dependency.name)).or_default().push(dependency);
            }
        }
        for same in groups.values() {
            compare(scope, same, findings);
        }
    }
}

/// Compares the entries of a package: only those of one set, and the main lists of one folder, can belong together.
fn compare<'r>(scope: &Scope<'r>, same: &[&'r Dependency], findings: &mut Vec<Finding>) {
    let mut is_cut = false;
    let mut earlier_in: BTreeMap<(bool, &str), Vec<&Dependency>> = BTreeMap::new();
    for later in same {
        let path = later.location.file.as_str();
        let folder = is_main(scope, path).then(|| (false, folder_of(path)));
        let places = scope.set_name(path).map(|set| (true, set)).into_iter().chain(folder);
        for place in places {
            let entries = earlier_in.entry(place).or_default();
            if entries.len() >= MAX_COMPARED {
                is_cut = true;
                continue;
            }
            let other = entries.iter().find_map(|earlier| Some((earlier, together(scope, earlier, later)?)));
            if let Some((earlier, confidence)) = other {
                findings.push(contradiction(scope, earlier, later, confidence));
            }
            entries.push(later);
        }
    }
    if let Some(last) = same.last().filter(|_| is_cut) {
        findings.push(not_compared(last));
    }
}

fn not_compared(dependency: &Dependency) -> Finding {
    let message = format!("'{}' is named more often than is compared for contradictions", dependency.name);
    incomplete(dependency.location.clone(), &message, "name it once, in one place")
}

/// Whether two entries are installed together and cannot be, and how sure that is.
fn together(scope: &Scope<'_>, one: &Dependency, other: &Dependency) -> Option<Confidence> {
    let (first, second) = (one.constraint.as_deref()?, other.constraint.as_deref()?);
    let confidence = belong(scope, one, other)?;
    if first == second {
        return None;
    }
    (contradict(first, second)? && may_both_hold(one.marker.as_deref(), other.marker.as_deref())).then_some(confidence)
}

/// Files that take in each other are installed together. So are, most likely, the main lists of one folder.
fn belong(scope: &Scope<'_>, one: &Dependency, other: &Dependency) -> Option<Confidence> {
    let (first, second) = (&one.location.file, &other.location.file);
    let is_same_set = scope.set_name(first) == scope.set_name(second);
    // Extras and groups need not be installed together; what belongs to none is in every one.
    let are_joined = one.group == other.group || one.group.is_none() || other.group.is_none();
    let is_build = |it: &Dependency| it.group.as_deref() == Some("build-system");
    match (is_same_set, are_joined) {
        _ if is_build(one) != is_build(other) => None,
        (true, true) => Some(Confidence::High),
        (false, true) if is_main(scope, first) && is_main(scope, second) && folder_of(first) == folder_of(second) => {
            Some(Confidence::Medium)
        }
        _ => None,
    }
}

/// Whether a file is what its folder as a whole needs.
fn is_main(scope: &Scope<'_>, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let kind = scope.file(path).map(|file| file.kind);
    name == "requirements.txt"
        || matches!(kind, Some(FileKind::Pyproject | FileKind::SetupCfg | FileKind::SetupPy))
        || matches!(name, "environment.yml" | "environment.yaml" | "Pipfile")
}

/// Whether there is an environment in which both are asked for. What cannot be told is taken for no contradiction.
fn may_both_hold(one: Option<&str>, other: Option<&str>) -> bool {
    let (Some(one), Some(other)) = (one, other) else { return true };
    if one == other {
        return true;
    }
    if one.len().max(other.len()) > MAX_MARKER {
        return false;
    }
    match (MarkerTree::from_str(one), MarkerTree::from_str(other)) {
        (Ok(one), Ok(other)) => !one.is_disjoint(&other),
        _ => false,
    }
}

fn contradiction(scope: &Scope<'_>, earlier: &Dependency, later: &Dependency, confidence: Confidence) -> Finding {
    let constraint = |it: &Dependency| it.constraint.clone().unwrap_or_default();
    let line = earlier.location.line.map(|line| format!(", line {line}")).unwrap_or_default();
    let message = format!(
        "'{}' has to be {} here and {} in {}{line}: nothing is both",
        later.name,
        constraint(later),
        constraint(earlier),
        earlier.location.file
    );
    let next = "ask for one range in one place";
    let draft = risk(&META, Severity::Medium, &later.location, &message, next).subject(&later.name);
    draft.confidence(confidence).line_of(scope.reading).done()
}
