//! Packages from places where something else may lie tomorrow.

use std::collections::BTreeMap;

use waag_engine::rules::Meta;
use waag_evidence::finding::{Finding, Severity};
use waag_evidence::{Dependency, DependencySource, Standing};

use super::scope::is_digested;
use super::{Check, Scope};
use crate::dependencies::finding::risk;
use crate::dependencies::reading::FileKind;
use crate::dependencies::source::masked;

/// The check.
#[derive(Debug)]
pub(super) struct MutableSource;

static META: Meta = Meta {
    id: "mutable-source",
    title: "packages from places that can change",
    page: include_str!("mutable_source.md"),
};

impl Check for MutableSource {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, scope: &Scope<'_>, findings: &mut Vec<Finding>) {
        let fixed = fixed_by_locks(scope);
        for dependency in scope.reading.dependencies.iter().filter(|it| it.standing != Standing::Installed) {
            if let Some((severity, what, next)) = changeable(dependency)
                && !is_locked(scope, dependency, &fixed)
            {
                let message = format!("'{}' {what}", shown_name(dependency));
                let draft = risk(&META, severity, &dependency.location, &message, next);
                findings.push(draft.subject(&shown_name(dependency)).line_of(scope.reading).done());
            }
        }
    }
}

/// Packages by lock file and name, and whether it says which commit or archive of each is meant.
fn fixed_by_locks<'r>(scope: &Scope<'r>) -> BTreeMap<(&'r str, &'r str), bool> {
    let mut fixed = BTreeMap::new();
    for lock in scope.files(FileKind::is_lock) {
        for dependency in scope.of(&lock.path) {
            let is_fixed = fixed.entry((lock.path.as_str(), dependency.name.as_str())).or_insert(true);
            *is_fixed &= changeable(dependency).is_none();
        }
    }
    fixed
}

fn is_locked(scope: &Scope<'_>, dependency: &Dependency, fixed: &BTreeMap<(&str, &str), bool>) -> bool {
    if dependency.standing == Standing::Locked {
        return false;
    }
    let locks = scope.locks_for(&dependency.location.file).iter();
    let told = locks.filter_map(|lock| fixed.get(&(lock.path.as_str(), dependency.name.as_str())));
    let mut told = told.peekable();
    told.peek().is_some() && told.all(|is_fixed| *is_fixed)
}

fn shown_name(dependency: &Dependency) -> String {
    match (&dependency.source, dependency.name.is_empty()) {
        (_, false) => dependency.name.clone(),
        (DependencySource::Repository { url, .. } | DependencySource::Archive { url }, true) => masked(url),
        (DependencySource::Path { path, .. }, true) => path.clone(),
        (DependencySource::Index { .. }, true) => String::new(),
    }
}

/// How grave, what of it can change, and what to do.
fn changeable(dependency: &Dependency) -> Option<(Severity, String, &'static str)> {
    let pin = "name the commit in full: `name @ git+https://host/owner/name@<40 digits>`";
    match &dependency.source {
        DependencySource::Repository { commit: Some(_), .. } => None,
        DependencySource::Repository { revision: Some(revision), .. } => {
            let is_short = revision.len() >= 7 && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
            let kind = if is_short { "the short commit" } else { "the branch or tag" };
            Some((Severity::Medium, format!("comes from {kind} '{revision}' of a repository, which can move"), pin))
        }
        DependencySource::Repository { revision: None, .. } => Some((
            Severity::Medium,
            "is whatever a repository's main branch holds when it is installed".to_owned(),
            pin,
        )),
        DependencySource::Archive { .. } if !is_digested(dependency) => Some((
            Severity::Medium,
            match dependency.digests.is_empty() {
                true => {
                    "is whatever lies at an address when it is installed: no digest says what it has to be".to_owned()
                }
                false => "comes from an address, and its only digest can be forged".to_owned(),
            },
            "add the digest: `--hash=sha256:…` after it, or `#sha256=…` at the end of the address",
        )),
        DependencySource::Path { path, .. } if is_outside(path) => Some((
            Severity::Low,
            format!("is taken from '{}', which lies outside of the project", path),
            "take it into the project, or name a version that an index has",
        )),
        _ => None,
    }
}

/// Whether a path leads out of where it is written. Below a workspace `../sibling` may still be part of the repository.
fn is_outside(path: &str) -> bool {
    let is_drive = path.as_bytes().get(1) == Some(&b':');
    path.starts_with(['/', '~']) && !path.contains("${") || is_drive
}
