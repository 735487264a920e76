//! Several indexes that are asked as one: whoever publishes a higher version on any of them has the package.

use std::collections::{BTreeMap, BTreeSet};

use waag_engine::rules::Meta;
use waag_evidence::finding::{Confidence, Finding, Severity};
use waag_evidence::{Dependency, DependencySource, Ecosystem};
use waag_formats::requirements::{is_usual_host, is_well_known};

use super::scope::is_digested;
use super::{Check, Scope};
use crate::dependencies::finding::{few, risk};
use crate::dependencies::reading::{Index, IndexRole};
use crate::dependencies::source::host;

/// The check.
#[derive(Debug)]
pub(super) struct IndexConfusion;

static META: Meta =
    Meta { id: "index-confusion", title: "indexes that are asked as one", page: include_str!("index_confusion.md") };

impl Check for IndexConfusion {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, scope: &Scope<'_>, findings: &mut Vec<Finding>) {
        let mut sets: BTreeMap<Option<&str>, Open> = BTreeMap::new();
        for index in scope.reading.indexes.iter().filter(|index| index.role == IndexRole::Extra) {
            let set = scope.set_name(&index.location.file);
            let open = sets.entry(set).or_insert_with(|| Open::of(scope, &index.location.file));
            findings.extend(beside(scope, index, open));
        }
        findings.extend(overridden(scope));
    }
}

/// What files that are installed together take from indexes as it comes: reckoned out once, and told of each of their indexes.
struct Open {
    is_any: bool,
    /// The first names of it that nobody is known to own, for people; empty where there are none.
    own: String,
}

impl Open {
    fn of(scope: &Scope<'_>, path: &str) -> Self {
        let open = || scope.of_set(path).filter(|it| is_open(it)).map(|it| it.name.as_str());
        let own: BTreeSet<&str> = open().filter(|name| !is_well_known(name)).collect();
        Self { is_any: open().next().is_some(), own: few(own.into_iter()) }
    }
}

/// An index beside another one. Packages with a digest cannot be replaced; those that everybody knows are published on the
/// usual index by those who own the name; all others may be the project's own, and anybody may publish their names there.
fn beside(scope: &Scope<'_>, index: &Index, open: &Open) -> Option<Finding> {
    let own = &open.own;
    if !open.is_any {
        return None;
    }
    let host = host(&index.url);
    let next = "ask one index for each package: `[[tool.uv.index]]` with `explicit = true`, or `--index-url` for an index \
                that passes on the others; and add digests (`--require-hashes`)";
    let (severity, confidence, message) = if is_usual_host(&host) {
        let message = format!("'{host}' is asked together with the usual index, and the higher version wins");
        (Severity::Low, Confidence::High, message)
    } else if own.is_empty() {
        let message = format!("the index '{host}' is asked together with the usual one, and the higher version wins");
        (Severity::Medium, Confidence::High, message)
    } else {
        let message = format!(
            "the index '{host}' is asked together with the usual one, where anybody may publish a higher version of a name \
             that is yours: {own}"
        );
        (Severity::High, Confidence::Medium, message)
    };
    let draft = risk(&META, severity, &index.location, &message, next).subject(&index.url);
    Some(draft.confidence(confidence).line_of(scope.reading).done())
}

/// Whether what an index gives is taken as it comes.
fn is_open(dependency: &Dependency) -> bool {
    dependency.ecosystem == Ecosystem::Pypi
        && matches!(dependency.source, DependencySource::Index { url: None })
        && !is_digested(dependency)
        && !dependency.name.is_empty()
}

/// Of several main indexes in files that are read together pip asks the last alone.
fn overridden(scope: &Scope<'_>) -> Vec<Finding> {
    let mut firsts: BTreeMap<&str, &Index> = BTreeMap::new();
    let mut found = Vec::new();
    for index in scope.reading.indexes.iter().filter(|index| index.role == IndexRole::Main) {
        let Some(set) = scope.set_name(&index.location.file) else { continue };
        let other = *firsts.entry(set).or_insert(index);
        if other.url.trim_end_matches('/') != index.url.trim_end_matches('/') {
            let message = format!(
                "two main indexes are named, '{}' and '{}', and only the last one is asked",
                host(&other.url),
                host(&index.url)
            );
            let next = "name one main index; for packages of another one, ask that one explicitly";
            let draft = risk(&META, Severity::Medium, &index.location, &message, next).subject(&index.url);
            found.push(draft.line_of(scope.reading).done());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dependencies::reading::Reading;
    use crate::dependencies::requirement::named;
    use waag_evidence::Location;

    /// Each of thousands of indexes tells of it: it has to be short, and made once.
    #[test]
    fn what_each_index_tells_of_is_short_however_many_packages_there_are() {
        let place = || Location::file("requirements.txt");
        let all = (0..50_000).map(|number| named(Ecosystem::Pypi, &format!("a{number}"), place())).collect();
        let mut reading = Reading { dependencies: all, ..Reading::default() };
        let page = crate::dependencies::tests::read(&[("requirements.txt", "")]);
        reading.files.extend(
            page.files
                .into_iter()
                .map(|file| crate::dependencies::FileRead { path: "requirements.txt".to_owned(), ..file }),
        );
        let open = Open::of(&Scope::new(&reading), "requirements.txt");
        assert!(open.is_any);
        assert_eq!(open.own, "a0, a1, a10, a100, a1000, a10000 and 49994 more");
    }
}
