//! A lock file that is not of the declaration beside it.

use std::collections::BTreeMap;

use waag_engine::rules::Meta;
use waag_evidence::finding::{Finding, Severity};
use waag_evidence::{Dependency, DependencySource, Ecosystem};

use super::scope::is_declared;
use super::{Check, Scope};
use crate::dependencies::finding::{few, risk};
use crate::dependencies::project::folder_of;
use crate::dependencies::reading::{FileKind, FileRead};
use crate::dependencies::version::admits;

/// The check.
#[derive(Debug)]
pub(super) struct LockDisagreement;

static META: Meta = Meta {
    id: "lock-disagreement",
    title: "locks that are not of the declaration",
    page: include_str!("lock_disagreement.md"),
};

/// What pip-compile leaves out of a list unless it is told otherwise.
const INSTALLERS: [&str; 3] = ["setuptools", "pip", "distribute"];

impl Check for LockDisagreement {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, scope: &Scope<'_>, findings: &mut Vec<Finding>) {
        for file in scope.files(|kind| !kind.is_lock() && kind != FileKind::Installed) {
            for lock in locks_of(scope, file) {
                compare(scope, file, lock, findings);
            }
        }
    }
}

/// The locks that are made from a file: by the tool that reads it.
fn locks_of<'r>(scope: &Scope<'r>, file: &FileRead) -> Vec<&'r FileRead> {
    let is_made = |lock: FileKind| match file.kind {
        FileKind::Pyproject => {
            matches!(lock, FileKind::UvLock | FileKind::PoetryLock | FileKind::PdmLock | FileKind::Pylock)
        }
        FileKind::Pipfile => lock == FileKind::PipfileLock,
        FileKind::CondaEnvironment => lock == FileKind::CondaLock,
        _ => false,
    };
    // A lock above is of a workspace, which this need not be a part of.
    let beside = scope.locks_in(folder_of(&file.path)).iter().copied();
    let mut locks: Vec<&FileRead> = beside.filter(|lock| is_made(lock.kind) && lock.complete).collect();
    if let Some(stem) = file.path.strip_suffix(".in") {
        locks.extend(scope.file(&format!("{stem}.txt")).filter(|list| scope.is_resolved(&list.path)));
    }
    locks
}

fn compare(scope: &Scope<'_>, file: &FileRead, lock: &FileRead, findings: &mut Vec<Finding>) {
    let mut locked: BTreeMap<(Ecosystem, &str), Vec<&Dependency>> = BTreeMap::new();
    for dependency in scope.of(&lock.path) {
        locked.entry((dependency.ecosystem, &dependency.name)).or_default().push(dependency);
    }
    for dependency in scope.of(&file.path).iter().filter(|it| is_declared(it) && is_covered(it, lock)) {
        if dependency.name.is_empty() || file.own_names.contains(&dependency.name) {
            continue;
        }
        let found = locked.get(&(dependency.ecosystem, dependency.name.as_str())).map(Vec::as_slice);
        let message = match found {
            // What is asked for in some environments only may be left out of a lock for others.
            None if dependency.marker.is_some() || is_left_out(dependency, lock) => continue,
            None => format!("'{}' is declared, and '{}' does not have it", dependency.name, lock.path),
            Some(found) => match refused(dependency, found) {
                Some(message) => format!("{message} in '{}'", lock.path),
                None => continue,
            },
        };
        let next = "lock again (`uv lock`, `poetry lock`, `pdm lock`, `pipenv lock`), and keep both files together";
        let draft = risk(&META, Severity::Medium, &dependency.location, &message, next).subject(&dependency.name);
        findings.push(draft.line_of(scope.reading).done());
    }
}

/// Whether a lock need not have a package that is declared: one of PEP 751 for some groups alone, and pip-compile leaves out
/// what installs.
fn is_left_out(dependency: &Dependency, lock: &FileRead) -> bool {
    let is_named = !lock.path.ends_with("pylock.toml");
    let is_partial = is_named || !lock.groups.is_empty() && !lock.groups.iter().any(|it| it == "default");
    match lock.kind {
        FileKind::Pylock => dependency.group.is_none() && is_partial,
        FileKind::Requirements => INSTALLERS.contains(&dependency.name.as_str()),
        _ => false,
    }
}

/// Whether the lock was made for the group of a dependency.
fn is_covered(dependency: &Dependency, lock: &FileRead) -> bool {
    match (dependency.group.as_deref(), lock.kind) {
        (Some("build-system"), _) => false,
        (Some(group), _) if group.starts_with("env ") => false,
        (None, _) => {
            lock.groups.is_empty() || lock.kind != FileKind::PdmLock || lock.groups.iter().any(|it| it == "default")
        }
        (Some(group), FileKind::PdmLock | FileKind::Pylock) => lock.groups.iter().any(|it| it == group),
        // Lists that a tool resolved hold what it was asked for.
        (Some(_), FileKind::Requirements) => false,
        (Some(_), _) => true,
    }
}

/// Why no locked version is what was declared. Tools lock several where environments differ.
fn refused(dependency: &Dependency, locked: &[&Dependency]) -> Option<String> {
    let constraint = dependency.constraint.as_deref()?;
    let is_index = |it: &Dependency| matches!(it.source, DependencySource::Index { .. });
    if !is_index(dependency) || !locked.iter().all(|it| is_index(it)) {
        return None;
    }
    let versions: Vec<&str> = locked.iter().filter_map(|it| it.version.as_deref()).collect();
    let is_refused = |version: &&str| admits(constraint, version) == Some(false);
    (!versions.is_empty() && versions.iter().all(is_refused))
        .then(|| format!("'{}' has to be {constraint}, and is {}", dependency.name, few(versions.iter().copied())))
}
