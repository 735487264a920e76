//! `unpinned-image-package`.

use waag_engine::rules::Meta;
use waag_evidence::{Confidence, Dependency, DependencySource, Ecosystem, Finding, Persona, Severity};

use super::read::Scene;
use crate::telling::{Told, told};

pub(super) static META: Meta = Meta {
    id: "unpinned-image-package",
    title: "packages that are installed into an image without a version",
    page: include_str!("unpinned_image_package.md"),
};

/// Packages that are named in one finding.
const MAX_NAMED: usize = 8;
/// Installers themselves: what they install is pinned, or not, in what they read.
const INSTALLERS: &[&str] = &["pip", "setuptools", "wheel", "uv"];

/// What there is to say of a stage's packages: one finding for each line.
pub(super) fn of_stage(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    let loose: Vec<&Dependency> = scene.installs.packages.iter().filter(|one| is_loose(one)).collect();
    for same in loose.chunk_by(|one, other| one.location.line == other.location.line) {
        let Some(first) = same.first() else { continue };
        let mut names: Vec<&str> = same.iter().take(MAX_NAMED).map(|one| one.name.as_str()).collect();
        let more = format!("{} more", same.len().saturating_sub(MAX_NAMED));
        if same.len() > MAX_NAMED {
            names.push(&more);
        }
        let message =
            format!("{} installed in whatever version there is that day{}", told_names(&names), scene.aside());
        let mut finding = told(Told {
            rule: &META,
            severity: Severity::Low,
            confidence: Confidence::High,
            location: &first.location,
            message: &message,
            subject: Some(&first.name),
            evidence: None,
            next_step: "Pin them with ==, or install from a lock file with hashes.".to_owned(),
        });
        finding.persona = Persona::Reviewer;
        findings.push(finding);
    }
    findings
}

fn told_names(names: &[&str]) -> String {
    match names {
        [only] => format!("{only} is"),
        [all @ .., last] => format!("{} and {last} are", all.join(", ")),
        [] => String::new(),
    }
}

/// conda's `=3.11` leaves no more than the last number open.
fn is_near_enough(package: &Dependency) -> bool {
    package.ecosystem == Ecosystem::Conda && package.constraint.as_deref().is_some_and(|text| text.starts_with('='))
}

fn is_loose(package: &Dependency) -> bool {
    match &package.source {
        DependencySource::Index { .. } => {
            package.version.is_none() && !is_near_enough(package) && !INSTALLERS.contains(&package.name.as_str())
        }
        DependencySource::Repository { commit, .. } => commit.is_none(),
        _ => false,
    }
}
