//! `pdm.lock`. <https://pdm-project.org/latest/usage/lockfile/>

use waag_evidence::{Dependency, DependencySource};

use super::{Page, digests_of, names_of, source_of};
use crate::dependencies::tree::Node;

pub(super) fn read(page: &mut Page<'_>, root: &Node) {
    let groups = root.get("metadata").map(|metadata| metadata.list("groups")).unwrap_or_default();
    page.file.groups = groups.iter().filter_map(Node::text).map(str::to_owned).collect();
    let requires = root.get("metadata").map(|metadata| metadata.list("targets")).unwrap_or_default();
    for target in requires {
        if let Some(python) = target.text_of("requires_python") {
            page.python(python, target.line);
        }
    }
    for package in root.list("package") {
        let Some(name) = package.text_of("name") else { continue };
        // One entry for each set of extras: that without is the package.
        let extras: Vec<String> = package.list("extras").iter().filter_map(Node::text).map(str::to_owned).collect();
        let line = package.get("name").map_or(package.line, |node| node.line);
        let (source, own) = source_of(package).unwrap_or((DependencySource::Index { url: None }, Vec::new()));
        let mut digests = digests_of(package.list("files"));
        digests.extend(own);
        let dependency = Dependency {
            version: package.text_of("version").map(str::to_owned),
            extras,
            source,
            digests,
            marker: package.text_of("marker").map(str::to_owned),
            requires: names_of(package.list("dependencies")),
            ..page.named(name, line)
        };
        page.add(dependency);
    }
}
