//! Packages that a program installs itself.

use waag_engine::rules::Meta;
use waag_evidence::Severity;

use super::super::problem::Problem;
use super::super::rule::{Rule, View};
use super::super::shell::{Taken, lines, taken};

/// Who it is.
pub static META: Meta = Meta {
    id: "unpinned-install",
    title: "a program installs packages at whatever is newest",
    page: include_str!("unpinned_install.md"),
};

/// The rule.
pub(crate) struct UnpinnedInstall;

impl Rule for UnpinnedInstall {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn script(&self, view: &View<'_>, problems: &mut Vec<Problem>) {
        for line in lines(view.script) {
            for packages in taken(&line) {
                if let Taken::Packages(names) = packages {
                    let message = format!("installs {} at whatever is newest", names.join(", "));
                    let next =
                        "Pin each (name==version), or better: list them with their hashes in a requirements file.";
                    problems.push(
                        Problem::new(&META, line.span, message, next).severity(Severity::Low).about(names.join(" ")),
                    );
                }
            }
        }
    }
}
