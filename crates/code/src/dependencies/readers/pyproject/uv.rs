//! The table of uv: indexes, sources that stand in for the index, constraints and overrides.
//! <https://docs.astral.sh/uv/reference/settings/>

use std::collections::BTreeMap;

use waag_evidence::{Dependency, DependencySource, Standing};

use super::super::{Page, source_of};
use crate::dependencies::reading::IndexRole;
use crate::dependencies::tree::Node;
use waag_evidence::dependency::normalised;

pub(super) fn read(page: &mut Page<'_>, uv: &Node) {
    indexes(page, uv);
    super::requirements(page, uv.get("dev-dependencies"), Some("dev"));
    standing_in(page, uv.get("sources"));
    bound(page, uv.get("constraint-dependencies"), "constraint");
    bound(page, uv.get("override-dependencies"), "override");
}

/// uv takes the first index that has a name, unless it is told to compare all of them.
fn indexes(page: &mut Page<'_>, uv: &Node) {
    let is_unsafe = uv.text_of("index-strategy").is_some_and(|strategy| strategy.starts_with("unsafe"));
    let beside = if is_unsafe { IndexRole::Extra } else { IndexRole::First };
    for index in uv.list("index") {
        let Some(url) = index.text_of("url") else { continue };
        let role = match (index.flag_of("explicit"), index.flag_of("default")) {
            (Some(true), _) => IndexRole::Explicit,
            (_, Some(true)) => IndexRole::Main,
            _ => beside,
        };
        page.index(url, role, index.text_of("name"), index.get("url").map_or(index.line, |node| node.line));
    }
    if let Some(url) = uv.get("index-url") {
        page.index(url.text().unwrap_or_default(), IndexRole::Main, None, url.line);
    }
    let lists =
        [("extra-index-url", beside), ("find-links", IndexRole::Links), ("allow-insecure-host", IndexRole::Unverified)];
    for (key, role) in lists {
        for url in uv.list(key) {
            page.index(url.text().unwrap_or_default(), role, None, url.line);
        }
    }
}

/// `torch = { index = "pytorch-cu121" }`: for packages that the project names, the source is this.
fn standing_in(page: &mut Page<'_>, sources: Option<&Node>) {
    let mut sources_of: BTreeMap<String, DependencySource> = BTreeMap::new();
    for (name, node) in sources.map(Node::members).unwrap_or_default() {
        // Of several, each for its marker, the first is told.
        let table = std::iter::once(node).chain(node.items()).find(|it| it.is_table());
        if let Some(source) = table.and_then(|table| source_in(page, table)) {
            sources_of.insert(normalised(name), source);
        }
    }
    let is_built = |it: &&mut Dependency| it.group.as_deref() == Some("build-system");
    for dependency in page.dependencies.iter_mut().filter(|it| !is_built(it)) {
        if let Some(source) = sources_of.get(&dependency.name) {
            dependency.source = source.clone();
        }
    }
}

fn source_in(page: &Page<'_>, table: &Node) -> Option<DependencySource> {
    if let Some((source, _)) = source_of(table) {
        return Some(source);
    }
    if table.flag_of("workspace") == Some(true) {
        return Some(DependencySource::Path { path: ".".to_owned(), editable: true });
    }
    table.text_of("index").map(|index| DependencySource::Index { url: page.address_of(index) })
}

/// What counts only where something else asks for the package.
fn bound(page: &mut Page<'_>, list: Option<&Node>, group: &str) {
    let before = page.dependencies.len();
    super::requirements(page, list, Some(group));
    for dependency in page.dependencies.iter_mut().skip(before) {
        *dependency = Dependency { standing: Standing::Constrained, ..dependency.clone() };
    }
}
