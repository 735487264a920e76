//! Packages that are given up, and versions that were withdrawn: their publishers say so.

use waag_engine::rules::Meta;
use waag_evidence::finding::{Finding, Severity};

use super::{Check, Scope};
use crate::dependencies::finding::risk;
use crate::dependencies::reading::{Notice, Says};

/// The check.
#[derive(Debug)]
pub(super) struct AbandonedPackage;

static META: Meta = Meta {
    id: "abandoned-package",
    title: "packages that are given up, and versions that were withdrawn",
    page: include_str!("abandoned_package.md"),
};

impl Check for AbandonedPackage {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, scope: &Scope<'_>, findings: &mut Vec<Finding>) {
        for notice in &scope.reading.notices {
            let (severity, what, next) = said(notice.says);
            let message = format!("{} {what}", shown(notice));
            let draft = risk(&META, severity, &notice.location, &message, next);
            findings.push(draft.subject(&notice.package).done());
        }
    }
}

fn shown(notice: &Notice) -> String {
    match &notice.version {
        Some(version) => format!("'{}' {version}", notice.package),
        None => format!("'{}'", notice.package),
    }
}

const fn said(says: Says) -> (Severity, &'static str, &'static str) {
    match says {
        Says::Yanked => (
            Severity::Medium,
            "was withdrawn by whoever published it (yanked): only who names this version exactly still gets it",
            "take another version: the index says why this one was withdrawn, and pip prints it",
        ),
        Says::Inactive => (
            Severity::Low,
            "says of itself that it is given up (inactive)",
            "take what its page names in its place: nobody will mend what is found in it",
        ),
    }
}
