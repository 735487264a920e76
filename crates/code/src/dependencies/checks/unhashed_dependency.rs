//! Exact versions whose archives nobody compares with a digest.

use std::collections::BTreeSet;

use waag_engine::rules::Meta;
use waag_evidence::finding::{Finding, Location, Persona, Severity};
use waag_evidence::{Dependency, DependencySource};

use super::scope::{is_digested, is_for_developers};
use super::{Check, Scope};
use crate::dependencies::finding::{few, risk};
use crate::dependencies::project::folder_of;
use crate::dependencies::reading::{FileKind, FileRead};

/// The check.
#[derive(Debug)]
pub(super) struct UnhashedDependency;

static META: Meta = Meta {
    id: "unhashed-dependency",
    title: "packages without a digest",
    page: include_str!("unhashed_dependency.md"),
};

impl Check for UnhashedDependency {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, scope: &Scope<'_>, findings: &mut Vec<Finding>) {
        for file in scope.files(|kind| kind.is_lock() || kind == FileKind::Requirements) {
            let pinned: Vec<&Dependency> = scope.of(&file.path).iter().copied().filter(|it| is_archive(it)).collect();
            let bare: Vec<&Dependency> = pinned.iter().copied().filter(|it| it.digests.is_empty()).collect();
            let weak = pinned.iter().copied().filter(|it| is_weak(it));
            findings.extend(weak.map(|dependency| forgeable(scope, dependency)));
            if !bare.is_empty() && !is_locked(scope, file, &bare) {
                findings.push(missing(scope, file, pinned.len(), &bare));
            }
        }
    }
}

/// Whether it is one archive of an index, which can have a digest.
fn is_archive(dependency: &Dependency) -> bool {
    dependency.version.is_some() && matches!(dependency.source, DependencySource::Index { .. })
}

/// Where a lock beside it has all of them with digests, that is what is installed.
fn is_locked(scope: &Scope<'_>, file: &FileRead, bare: &[&Dependency]) -> bool {
    let locks = scope.locks_in(folder_of(&file.path)).iter().filter(|lock| lock.complete && !file.kind.is_lock());
    let digested = locks.flat_map(|lock| scope.of(&lock.path)).filter(|it| is_digested(it));
    let digested: BTreeSet<&str> = digested.map(|it| it.name.as_str()).collect();
    bare.iter().all(|it| digested.contains(it.name.as_str()))
}

/// MD5 beside a stronger one is no weakness.
fn is_weak(dependency: &Dependency) -> bool {
    !dependency.digests.is_empty() && !is_digested(dependency)
}

fn missing(scope: &Scope<'_>, file: &FileRead, pinned: usize, bare: &[&Dependency]) -> Finding {
    let names = few(bare.iter().map(|dependency| dependency.name.as_str()));
    let is_mixed = bare.len() < pinned && !file.kind.is_lock();
    let message = match is_mixed {
        true => {
            format!("{} of {pinned} packages have no digest, and pip then refuses all of them: {names}", bare.len())
        }
        false => format!("{} of {pinned} packages have no digest: {names}", bare.len()),
    };
    let next = match file.kind {
        FileKind::Requirements => "make it with `uv pip compile --generate-hashes` or `pip-compile --generate-hashes`",
        _ => "lock again with a current version of the tool, from an index that gives digests",
    };
    let severity = if is_mixed { Severity::Medium } else { Severity::Low };
    let location = Location { line: bare.first().and_then(|it| it.location.line), ..Location::file(&file.path) };
    let persona =
        if is_for_developers(scope.reading.below(&file.path), None) { Persona::Auditor } else { Persona::Reviewer };
    risk(&META, severity, &location, &message, next).subject(&file.path).persona(persona).count(bare.len()).done()
}

fn forgeable(scope: &Scope<'_>, dependency: &Dependency) -> Finding {
    let message = format!("'{}' has no digest but one that can be forged", dependency.written);
    let next = "lock it with SHA-256";
    risk(&META, Severity::Low, &dependency.location, &message, next)
        .subject(&dependency.name)
        .line_of(scope.reading)
        .done()
}
