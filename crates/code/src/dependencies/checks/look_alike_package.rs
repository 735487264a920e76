//! Names of packages that are one letter off well-known ones.

use waag_engine::rules::Meta;
use waag_evidence::finding::{Confidence, Finding, Persona, Severity};
use waag_formats::requirements::mistaken_for;

use super::{Check, Scope};
use crate::dependencies::finding::risk;

/// The check.
#[derive(Debug)]
pub(super) struct LookAlikePackage;

static META: Meta = Meta {
    id: "look-alike-package",
    title: "names of packages that are taken for others",
    page: include_str!("look_alike_package.md"),
};

impl Check for LookAlikePackage {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, scope: &Scope<'_>, findings: &mut Vec<Finding>) {
        for dependency in &scope.reading.dependencies {
            let Some(meant) = mistaken_for(&dependency.name) else { continue };
            let message = format!("the package '{}' is one letter off '{meant}'", dependency.written);
            let next = "compare the name letter by letter with the one you meant: installing a package runs its code";
            let draft = risk(&META, Severity::Medium, &dependency.location, &message, next).subject(&dependency.name);
            let draft = draft.confidence(Confidence::Medium).persona(Persona::Everyone);
            findings.push(draft.line_of(scope.reading).done());
        }
    }
}
