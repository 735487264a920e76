//! `Pipfile`. <https://pipenv.pypa.io/en/latest/pipfile.html>

use waag_evidence::{Dependency, DependencySource};

use super::{Page, python_version, source_of};
use crate::dependencies::reading::IndexRole;
use crate::dependencies::requirement::set_constraint;
use crate::dependencies::tree::{Node, Value};

pub(super) fn read(page: &mut Page<'_>, root: &Node) {
    for (number, index) in root.list("source").iter().enumerate() {
        let Some(url) = index.text_of("url") else { continue };
        let line = index.get("url").map_or(index.line, |node| node.line);
        // Packages that name no index are taken from the first alone.
        let role = if number == 0 { IndexRole::Main } else { IndexRole::Explicit };
        page.index(url, role, index.text_of("name"), line);
        if index.flag_of("verify_ssl") == Some(false) {
            page.index(url, IndexRole::Unverified, None, index.get("verify_ssl").map_or(line, |node| node.line));
        }
    }
    if let Some(requires) = root.get("requires") {
        let asked = requires.get("python_full_version").or_else(|| requires.get("python_version"));
        if let Some(asked) = asked {
            page.python(&python_version::exactly(asked.text().unwrap_or_default()), asked.line);
        }
    }
    for (section, content) in root.members() {
        let group = match section.as_str() {
            "packages" => None,
            "source" | "requires" | "scripts" | "pipenv" => continue,
            "dev-packages" => Some("dev"),
            other => Some(other),
        };
        for (name, node) in content.members() {
            package(page, name, node, group);
        }
    }
}

/// `name = "*"`, `name = ">=1"`, `name = {version = "==1", index = "private"}`.
fn package(page: &mut Page<'_>, name: &str, node: &Node, group: Option<&str>) {
    let mut dependency = Dependency { group: group.map(str::to_owned), ..page.named(name, node.line) };
    let constraint = match &node.value {
        Value::Table(_) => node.text_of("version").unwrap_or("*"),
        _ => node.text().unwrap_or("*"),
    };
    if constraint != "*" && set_constraint(constraint, &mut dependency).is_err() {
        page.incomplete(node.line, &format!("'{name}' has versions that are not understood: '{constraint}'"));
    }
    if node.is_table() {
        if let Some((source, digests)) = source_of(node) {
            (dependency.source, dependency.digests) = (source, digests);
        } else if let Some(index) = node.text_of("index") {
            dependency.source = DependencySource::Index { url: page.address_of(index) };
        }
        dependency.extras = node.list("extras").iter().filter_map(Node::text).map(str::to_owned).collect();
        dependency.marker = node.text_of("markers").map(str::to_owned);
    }
    page.add(dependency);
}
