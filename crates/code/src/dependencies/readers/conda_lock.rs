//! `conda-lock.yml` of conda-lock, version 1. <https://conda.github.io/conda-lock/output/>

use waag_evidence::{Dependency, DependencySource, Ecosystem};

use super::Page;
use crate::dependencies::reading::IndexRole;
use crate::dependencies::tree::Node;
use crate::dependencies::{requirement, source};

/// Where the Python Package Index keeps its archives.
const INDEX: [&str; 2] = ["files.pythonhosted.org", "pypi.org"];

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
            digests: hashes.iter().filter_map(|(kind, hex)| digest(kind, hex.text()?)).collect(),
            group: group.map(str::to_owned),
            requires: needs.iter().map(|(name, _)| waag_evidence::dependency::normalised(name)).collect(),
            ..requirement::named(ecosystem, name, page.at(line))
        };
        page.add(dependency);
    }
}

/// Of a repository conda-lock writes the commit where the digest of an archive stands.
fn digest(kind: &str, hex: &str) -> Option<String> {
    source::is_digest(kind, hex).then(|| format!("{kind}:{}", hex.to_ascii_lowercase()))
}

/// The channel that the archive's address is of; what pip fetches from elsewhere than its index comes from there.
fn locked_source(package: &Node, is_pip: bool) -> DependencySource {
    let url = package.text_of("url").unwrap_or_default();
    if is_pip { of_pip(url) } else { DependencySource::Index { url: source::channel_of(url) } }
}

/// Where an archive or a repository of Python's comes from: of its index, the address says nothing more.
pub(super) fn of_pip(url: &str) -> DependencySource {
    match url.is_empty() || url.starts_with("https://") && INDEX.contains(&source::host(url).as_str()) {
        true => DependencySource::Index { url: None },
        false => source::address(url).source,
    }
}
