//! Packages that travel without encryption, or from a host whose certificate nobody checks.

use std::collections::BTreeMap;

use waag_engine::rules::Meta;
use waag_evidence::finding::{Finding, Location, Severity};
use waag_evidence::{Dependency, DependencySource, Standing};

use super::scope::is_digested;
use super::{Check, Scope};
use crate::dependencies::finding::risk;
use crate::dependencies::reading::{Index, IndexRole};
use crate::dependencies::source::{host, is_loopback, is_unencrypted};

/// The check.
#[derive(Debug)]
pub(super) struct UnencryptedIndex;

static META: Meta = Meta {
    id: "unencrypted-index",
    title: "packages over connections that nobody checks",
    page: include_str!("unencrypted_index.md"),
};
const NEXT: &str = "use https with a certificate that is checked, and add digests (`--require-hashes`)";

impl Check for UnencryptedIndex {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, scope: &Scope<'_>, findings: &mut Vec<Finding>) {
        let mut severities = BTreeMap::new();
        for index in &scope.reading.indexes {
            let host = host(&index.url);
            let message = match index.role {
                IndexRole::Unverified if is_loopback(&host) => continue,
                IndexRole::Unverified => {
                    format!("the certificate of '{host}' is not checked: anybody between can replace packages")
                }
                _ if is_unencrypted(&index.url) => {
                    format!("'{host}' is asked without encryption: anybody between can replace packages")
                }
                _ => continue,
            };
            let set = scope.set_name(&index.location.file);
            let severity = *severities.entry(set).or_insert_with(|| severity(scope, index));
            let draft = risk(&META, severity, &index.location, &message, NEXT).subject(&index.url);
            findings.push(draft.line_of(scope.reading).done());
        }
        for dependency in scope.reading.dependencies.iter().filter(|it| it.standing != Standing::Installed) {
            findings.extend(fetched(scope, dependency));
        }
    }
}

/// With a digest for everything, what was replaced is refused.
fn severity(scope: &Scope<'_>, index: &Index) -> Severity {
    let mut all = scope.of_set(&index.location.file).peekable();
    if all.peek().is_some() && all.all(is_digested) { Severity::Low } else { Severity::High }
}

fn fetched(scope: &Scope<'_>, dependency: &Dependency) -> Option<Finding> {
    let (url, is_safe) = match &dependency.source {
        DependencySource::Archive { url } => (url, is_digested(dependency)),
        DependencySource::Repository { url, commit, .. } => (url, commit.is_some()),
        _ => return None,
    };
    if !is_unencrypted(url) {
        return None;
    }
    let message = format!(
        "'{}' is fetched without encryption from '{}': anybody between can replace it",
        dependency.name,
        host(url)
    );
    let severity = if is_safe { Severity::Low } else { Severity::High };
    let location: &Location = &dependency.location;
    Some(risk(&META, severity, location, &message, NEXT).subject(url).line_of(scope.reading).done())
}
