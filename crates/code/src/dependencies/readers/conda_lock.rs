//! `conda-lock.yml` of conda-lock, version 1. <https://conda.github.io/conda-lock/output/>

use waag_evidence::{Dependency, DependencySource, Ecosystem};

use super::Page;
use crate::dependencies::reading::IndexRole;
use crate::dependencies::tree::Node;
use crate::dependencies::{requirement, source};

pub(super) fn read(page: &mut Page<'_>, root: &Node) {
    for channel in root.at(&["metadata", "channels"]).map(Node::items).unwrap_or_default() {
        if let Some(url) = channel.text_of("url").or_else(|| channel.text()) {
            page.index(url, IndexRole::Channel, None, channel.line);
        }
    }
    for package in root.list("package") {
        let Some(name) = package.text_of("name") else { continue };
        let is_pip = package.text_of("manager") == Some("pip");
        let ecosystem = if is_pip { Ecosystem::Pypi } else { Ecosystem::Conda };
        let hashes = package.get("hash").map(Node::members).unwrap_or_default();
        let needs = package.get("dependencies").map(Node::members).unwrap_or_default();
        let group = package.text_of("category").filter(|category| *category != "main");
        let line = package.get("name").map_or(package.line, |node| node.line);
        let dependency = Dependency {
            version: package.text_of("version").map(str::to_owned),
            // Each entry is for one platform: `sys_platform` has no words for all of them.
            source: locked_source(package, is_pip),
            digests: hashes.iter().filter_map(|(kind, hex)| Some(format!("{kind}:{}", hex.text()?))).collect(),
            group: group.map(str::to_owned),
            requires: needs.iter().map(|(name, _)| waag_evidence::dependency::normalised(name)).collect(),
            ..requirement::named(ecosystem, name, page.at(line))
        };
        page.add(dependency);
    }
}

/// The channel that the archive's address is of; pip's packages come from their index.
fn locked_source(package: &Node, is_pip: bool) -> DependencySource {
    let url = package.text_of("url").unwrap_or_default();
    if is_pip && url.starts_with("git+") {
        return source::address(url).source;
    }
    let channel = url.rsplitn(3, '/').nth(2).map(|channel| source::without_login(channel).0);
    DependencySource::Index { url: channel.filter(|_| !is_pip) }
}
