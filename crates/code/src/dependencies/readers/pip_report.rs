//! What pip writes with `pip install --report FILE`, with `--dry-run` too: what it chose, from where, and which of it was
//! withdrawn. <https://pip.pypa.io/en/stable/reference/installation-report/>

use waag_evidence::{Dependency, DependencySource, Standing};

use super::{Page, python_version};
use crate::dependencies::reading::{INACTIVE, Notice, Says};
use crate::dependencies::tree::Node;
use crate::dependencies::{direct_url, requirement};

pub(super) fn read(page: &mut Page<'_>, root: &Node) {
    if root.get("pip_version").is_none() || root.get("install").is_none() {
        return page.incomplete(1, "it is no report of pip: 'pip_version' or 'install' is not there");
    }
    if root.text_of("version").is_some_and(|version| version != "1") {
        page.incomplete(1, "it is a report in a version that is not known");
    }
    if let Some(python) = root.at(&["environment", "python_full_version"]) {
        page.python(&python_version::exactly(python.text().unwrap_or_default()), python.line);
    }
    for installed in root.list("install") {
        package(page, installed);
    }
}

fn package(page: &mut Page<'_>, installed: &Node) {
    let metadata = installed.get("metadata");
    let Some(name) = metadata.and_then(|metadata| metadata.get("name")) else {
        return page.incomplete(installed.line, "a package of this report has no name");
    };
    let (source, digests) = origin(installed);
    let needs = metadata.map(|metadata| metadata.list("requires_dist")).unwrap_or_default();
    let needs = needs.iter().filter_map(Node::text);
    let dependency = Dependency {
        version: metadata.and_then(|metadata| metadata.text_of("version")).map(str::to_owned),
        standing: Standing::Installed,
        extras: installed.list("requested_extras").iter().filter_map(Node::text).map(str::to_owned).collect(),
        requires: requirement::needs(needs),
        source,
        digests,
        ..page.named(name.text().unwrap_or_default(), name.line)
    };
    if installed.flag_of("is_yanked") == Some(true) {
        notice(page, &dependency, Says::Yanked);
    }
    let mut classifiers = metadata.map(|metadata| metadata.list("classifier")).unwrap_or_default().iter();
    if classifiers.any(|classifier| classifier.text() == Some(INACTIVE)) {
        notice(page, &dependency, Says::Inactive);
    }
    page.add(dependency);
}

/// What came from an index has an address there, which says no more than its digest.
fn origin(installed: &Node) -> (DependencySource, Vec<String>) {
    let index = DependencySource::Index { url: None };
    let Some(info) = installed.get("download_info") else { return (index, Vec::new()) };
    match installed.flag_of("is_direct") {
        Some(true) => direct_url::read(info).unwrap_or((index, Vec::new())),
        _ => (index, direct_url::archive_digests(info)),
    }
}

fn notice(page: &mut Page<'_>, dependency: &Dependency, says: Says) {
    let Dependency { name, version, location, .. } = dependency;
    let (package, version, location) = (name.clone(), version.clone(), location.clone());
    page.notices.push(Notice { package, version, says, location });
}
