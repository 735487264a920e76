//! The tables of Poetry. <https://python-poetry.org/docs/dependency-specification/>

use waag_evidence::{Dependency, DependencySource};

use super::super::{Page, source_of};
use crate::dependencies::reading::IndexRole;
use crate::dependencies::requirement::set_constraint;
use crate::dependencies::tree::{Node, Value};
use crate::dependencies::version;
use waag_evidence::dependency::normalised;

pub(super) fn read(page: &mut Page<'_>, poetry: &Node) {
    page.file.own_names.extend(poetry.text_of("name").map(normalised));
    sources(page, poetry.list("source"));
    table(page, poetry.get("dependencies"), None);
    table(page, poetry.get("dev-dependencies"), Some("dev"));
    for (group, content) in poetry.get("group").map(Node::members).unwrap_or_default() {
        table(page, content.get("dependencies"), Some(group));
    }
}

/// Without a priority, and as `supplemental`, an index is asked together with others, or gives way to them: whoever puts a
/// name there first has it.
fn sources(page: &mut Page<'_>, list: &[Node]) {
    let mut primaries = 0;
    for index in list {
        let name = index.text_of("name");
        // The usual index may be named, and then has no address.
        let Some(url) = index.text_of("url") else { continue };
        let priority = index.text_of("priority").unwrap_or("primary").to_ascii_lowercase();
        let role = match priority.as_str() {
            "explicit" => IndexRole::Explicit,
            "default" => IndexRole::Main,
            "primary" if primaries == 0 && list.len() == 1 => IndexRole::Main,
            _ => IndexRole::Extra,
        };
        primaries += usize::from(priority == "primary");
        page.index(url, role, name, index.get("url").map_or(index.line, |node| node.line));
    }
}

fn table(page: &mut Page<'_>, table: Option<&Node>, group: Option<&str>) {
    for (name, node) in table.map(Node::members).unwrap_or_default() {
        // One entry, or a list of entries with a marker each.
        match node.items() {
            [] => package(page, name, node, group),
            items => items.iter().for_each(|item| package(page, name, item, group)),
        }
    }
}

fn package(page: &mut Page<'_>, name: &str, node: &Node, group: Option<&str>) {
    let written = match &node.value {
        Value::Table(_) => node.text_of("version").unwrap_or("*"),
        _ => node.text().unwrap_or("*"),
    };
    let told = version::of_poetry(written);
    if name == "python" {
        return page.python(told.as_deref().unwrap_or(written), node.line);
    }
    let mut dependency = Dependency { group: group.map(str::to_owned), ..page.named(name, node.line) };
    match told {
        Some(told) => {
            // It was read as a list of specifiers before.
            let _ = set_constraint(&told, &mut dependency);
        }
        // Alternatives have no words in PEP 440: they stay as they are written.
        None => dependency.constraint = Some(written.to_owned()),
    }
    if node.is_table() {
        details(page, node, &mut dependency);
    }
    page.add(dependency);
}

fn details(page: &Page<'_>, node: &Node, dependency: &mut Dependency) {
    if let Some((source, digests)) = source_of(node) {
        (dependency.source, dependency.digests) = (source, digests);
    } else if let Some(name) = node.text_of("source") {
        dependency.source = DependencySource::Index { url: page.address_of(name) };
    }
    dependency.extras = node.list("extras").iter().filter_map(Node::text).map(normalised).collect();
    let python = node.text_of("python").and_then(version::of_poetry).and_then(|told| python_marker(&told));
    dependency.marker = node.text_of("markers").map(str::to_owned).or(python);
}

/// `>=3.8,<3.11` as a marker.
fn python_marker(constraint: &str) -> Option<String> {
    let specifiers = version::specifiers(constraint)?;
    let parts = specifiers.iter().map(|it| {
        let operator = it.operator().to_string();
        let star = if operator.ends_with('*') || it.to_string().ends_with(".*") { ".*" } else { "" };
        format!("python_version {} '{}{star}'", operator.trim_end_matches('*'), it.version())
    });
    Some(parts.collect::<Vec<_>>().join(" and ")).filter(|marker| !marker.is_empty())
}
