//! `poetry.lock`, of every version. <https://python-poetry.org/docs/basic-usage/#installing-with-poetrylock>

use std::collections::BTreeMap;

use waag_evidence::{Dependency, DependencySource};

use super::{Page, digests_of};
use crate::dependencies::tree::Node;
use crate::dependencies::{source, version};

pub(super) fn read(page: &mut Page<'_>, root: &Node) {
    if let Some(python) = root.at(&["metadata", "python-versions"]) {
        let written = python.text().unwrap_or_default();
        page.python(&version::of_poetry(written).unwrap_or_else(|| written.to_owned()), python.line);
    }
    let older: Vec<BTreeMap<&str, &Node>> =
        ["files", "hashes"].iter().filter_map(|key| Some(by_name(root.at(&["metadata", *key])?))).collect();
    for package in root.list("package") {
        let Some(name) = package.text_of("name") else { continue };
        let line = package.get("name").map_or(package.line, |node| node.line);
        let needs = package.get("dependencies").map(Node::members).unwrap_or_default();
        let digests = match package.list("files") {
            // Until version 1 digests stood at the end of the file, by name.
            [] => older.iter().find_map(|names| names.get(name)).map_or_else(Vec::new, |listed| older_digests(listed)),
            files => digests_of(files),
        };
        let dependency = Dependency {
            version: package.text_of("version").map(str::to_owned),
            source: package.get("source").map_or(DependencySource::Index { url: None }, locked_source),
            digests,
            marker: package.text_of("markers").map(str::to_owned),
            requires: needs.iter().map(|(name, _)| waag_evidence::dependency::normalised(name)).collect(),
            ..page.named(name, line)
        };
        page.add(dependency);
    }
}

fn by_name(table: &Node) -> BTreeMap<&str, &Node> {
    table.members().iter().map(|(name, node)| (name.as_str(), node)).collect()
}

fn older_digests(listed: &Node) -> Vec<String> {
    let digests = digests_of(listed.items());
    match digests.is_empty() {
        // The oldest give digests of SHA-256 without saying so.
        true => listed.items().iter().filter_map(Node::text).map(|hex| format!("sha256:{hex}")).collect(),
        false => digests,
    }
}

fn locked_source(table: &Node) -> DependencySource {
    let url = table.text_of("url").unwrap_or_default();
    match table.text_of("type") {
        Some("git") => {
            let told = table.text_of("resolved_reference").or_else(|| table.text_of("reference"));
            source::repository(url, told)
        }
        Some("url") => DependencySource::Archive { url: source::without_login(url).0 },
        Some("directory" | "file") => DependencySource::Path { path: url.to_owned(), editable: false },
        _ => DependencySource::Index { url: Some(source::without_login(url).0) },
    }
}
