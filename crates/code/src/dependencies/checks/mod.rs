//! What is asked of a project's dependencies. Each check is one file with its page beside it, and one line in [`CHECKS`].

mod abandoned_package;
mod contradicting_ranges;
mod index_confusion;
mod index_credentials;
mod lock_disagreement;
mod look_alike_package;
mod mutable_source;
mod scope;
mod tampered_installation;
mod unencrypted_index;
mod unhashed_dependency;
mod unpinned_dependency;

use waag_engine::rules::Meta;
use waag_evidence::Finding;

use super::finding::settle;
use super::reading::Reading;
use scope::Scope;

pub(super) use tampered_installation::META as TAMPERED;

/// A check.
pub trait Check: Sync {
    /// Who it is.
    fn meta(&self) -> &'static Meta;

    /// Its opinion about what was read.
    fn judge(&self, scope: &Scope<'_>, findings: &mut Vec<Finding>);
}

impl std::fmt::Debug for dyn Check + '_ {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Check({})", self.meta().id)
    }
}

/// Every check, in the order in which they are listed to people.
pub static CHECKS: &[&dyn Check] = &[
    &tampered_installation::TamperedInstallation,
    &index_confusion::IndexConfusion,
    &unencrypted_index::UnencryptedIndex,
    &index_credentials::IndexCredentials,
    &look_alike_package::LookAlikePackage,
    &contradicting_ranges::ContradictingRanges,
    &lock_disagreement::LockDisagreement,
    &abandoned_package::AbandonedPackage,
    &mutable_source::MutableSource,
    &unpinned_dependency::UnpinnedDependency,
    &unhashed_dependency::UnhashedDependency,
];

/// Asks every check.
pub(super) fn judge(reading: &Reading) -> Vec<Finding> {
    let scope = Scope::new(reading);
    let mut findings = Vec::new();
    for check in CHECKS {
        let mut found = Vec::new();
        check.judge(&scope, &mut found);
        settle(&mut found);
        findings.extend(found);
    }
    findings
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    const HEADINGS: &[&str] =
        &["## What it reports", "## Why it matters", "## What to do", "## When it is acceptable", "## Case"];
    /// Files beside the checks that are none.
    const NO_CHECKS: &[&str] = &["mod", "scope"];

    #[test]
    fn every_file_beside_the_checks_is_registered() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/dependencies/checks");
        let mut files = BTreeSet::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
            if !NO_CHECKS.contains(&stem.as_str()) {
                files.insert((stem, path.extension().unwrap().to_str().unwrap().to_owned()));
            }
        }
        let stems = CHECKS.iter().map(|check| check.meta().id.replace('-', "_"));
        let expected: BTreeSet<_> =
            stems.flat_map(|stem| [(stem.clone(), "rs".to_owned()), (stem, "md".to_owned())]).collect();
        assert_eq!(files, expected, "each check needs <check>.rs, <check>.md and a line in CHECKS");
    }

    #[test]
    fn every_page_has_a_summary_and_the_headings_in_order() {
        for check in CHECKS {
            let Meta { id, page, .. } = check.meta();
            let mut lines = page.lines();
            assert_eq!(lines.next(), Some(format!("# {id}").as_str()));
            let summary = lines.find(|line| !line.is_empty()).unwrap_or_default();
            assert!(summary.ends_with('.') && !summary.starts_with('#'), "{id}: one sentence below the title");
            let headings: Vec<&str> = page.lines().filter(|line| line.starts_with("## ")).collect();
            assert_eq!(headings, HEADINGS, "{id}");
            let (_, snippet) = page.split_once("```toml\n").unwrap();
            let (snippet, _) = snippet.split_once("```").unwrap();
            let policy: waag_evidence::Policy = toml::from_str(snippet).unwrap();
            assert_eq!(policy.exceptions.iter().map(|it| it.about()).collect::<Vec<_>>(), [*id]);
        }
    }

    #[test]
    fn ids_are_those_of_no_other_rule() {
        for check in CHECKS {
            assert!(waag_engine::rules::find(check.meta().id).is_none());
        }
    }
}
