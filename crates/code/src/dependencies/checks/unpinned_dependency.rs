//! Packages of which another version may be installed tomorrow.

use waag_engine::rules::Meta;
use waag_evidence::Dependency;
use waag_evidence::finding::{Finding, Location, Persona, Severity};

use super::scope::{is_declared, is_fixed, is_for_developers};
use super::{Check, Scope};
use crate::dependencies::finding::{few, risk};
use crate::dependencies::reading::{FileKind, FileRead};

/// The check.
#[derive(Debug)]
pub(super) struct UnpinnedDependency;

static META: Meta = Meta {
    id: "unpinned-dependency",
    title: "packages without one version",
    page: include_str!("unpinned_dependency.md"),
};

impl Check for UnpinnedDependency {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, scope: &Scope<'_>, findings: &mut Vec<Finding>) {
        for file in scope.files(|kind| !kind.is_lock() && kind != FileKind::Installed && kind != FileKind::Constraints)
        {
            let open = || scope.of(&file.path).iter().copied().filter(|it| is_declared(it) && !is_fixed(it));
            if open().next().is_none() {
                continue;
            }
            let pinned = scope.pinned_for(file);
            let open = open().filter(|it| !pinned.contains(&(it.ecosystem, it.name.as_str())));
            // What is asked for in some environments only is left out of a list that was resolved for another one.
            let open = open.filter(|it| it.marker.is_none() || pinned.is_empty());
            // What building needs is the build tool's to pin.
            let mut open: Vec<&Dependency> = open.filter(|it| it.group.as_deref() != Some("build-system")).collect();
            // One line that has several sources is one line.
            open.dedup_by(|one, other| one.name == other.name && one.location == other.location);
            match file.kind {
                _ if open.is_empty() => {}
                FileKind::Requirements | FileKind::CondaEnvironment | FileKind::MlflowEnvironment
                    if !is_input(file) =>
                {
                    findings.extend(open.iter().map(|dependency| one(scope, dependency)));
                }
                _ => findings.push(whole(scope, file, &open)),
            }
        }
    }
}

/// Whether a file is made for a tool that resolves it into another.
fn is_input(file: &FileRead) -> bool {
    file.path.ends_with(".in")
}

fn one(scope: &Scope<'_>, dependency: &Dependency) -> Finding {
    let severity = if dependency.constraint.is_some() { Severity::Low } else { Severity::Medium };
    let message = match &dependency.constraint {
        Some(constraint) => format!("'{}' is any version that is {constraint}", dependency.written),
        None => format!("'{}' is any version", dependency.written),
    };
    let next = "write the version that you tested with, as in `name==1.2.3`, or keep a lock file beside it: \
                `uv pip compile --generate-hashes requirements.in -o requirements.txt`";
    let persona = persona(scope.reading.below(&dependency.location.file), dependency.group.as_deref());
    let severity = if persona == Persona::Auditor { Severity::Low } else { severity };
    risk(&META, severity, &dependency.location, &message, next)
        .subject(&dependency.name)
        .line_of(scope.reading)
        .persona(persona)
        .done()
}

/// Ranges are right in what is published; what is run needs a lock beside it.
fn whole(scope: &Scope<'_>, file: &FileRead, open: &[&Dependency]) -> Finding {
    let names = few(open.iter().map(|dependency| dependency.name.as_str()));
    let packages = waag_engine::output::text::counted(open.len() as u64, "package");
    let message = format!("no lock file says which versions of {packages} are meant: {names}");
    let next = match file.kind {
        FileKind::Pipfile => "run `pipenv lock`, and keep Pipfile.lock with the code",
        FileKind::Requirements => {
            "resolve it with `uv pip compile --generate-hashes`, and keep the result with the code"
        }
        _ => "run `uv lock` (or `poetry lock`, `pdm lock`), and keep the lock file with the code",
    };
    let location = Location { line: open.first().and_then(|it| it.location.line), ..Location::file(&file.path) };
    risk(&META, Severity::Low, &location, &message, next)
        .subject(&file.path)
        .persona(persona(scope.reading.below(&file.path), None))
        .count(open.len())
        .done()
}

fn persona(path: &str, group: Option<&str>) -> Persona {
    if is_for_developers(path, group) { Persona::Auditor } else { Persona::Reviewer }
}
