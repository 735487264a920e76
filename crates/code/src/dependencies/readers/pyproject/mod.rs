//! `pyproject.toml`: what the project needs by PEP 621, groups by PEP 735, what building needs, and the tables of tools.
//! <https://packaging.python.org/en/latest/specifications/pyproject-toml/>

mod groups;
mod poetry;
mod tools;
mod uv;
mod uv_sources;

use super::{Include, Page};
use crate::dependencies::tree::Node;
use waag_evidence::dependency::normalised;

/// What is said of what nobody wrote down.
pub(in crate::dependencies) const COMPUTED: &str =
    "what the project needs is computed when it is built, which was not done";

pub(super) fn read(page: &mut Page<'_>, root: &Node) {
    if let Some(project) = root.get("project") {
        standard(page, project, root);
    }
    groups::read(page, root);
    requirements(page, root.at(&["build-system", "requires"]), Some("build-system"));
    if let Some(poetry) = root.at(&["tool", "poetry"]) {
        poetry::read(page, poetry);
    }
    if let Some(pdm) = root.at(&["tool", "pdm"]) {
        tools::pdm(page, pdm);
    }
    if let Some(hatch) = root.at(&["tool", "hatch"]) {
        tools::hatch(page, hatch);
    }
    if let Some(uv) = root.at(&["tool", "uv"]) {
        uv::read(page, uv);
    }
}

fn standard(page: &mut Page<'_>, project: &Node, root: &Node) {
    page.file.own_names.extend(project.text_of("name").map(normalised));
    if let Some(python) = project.get("requires-python") {
        page.python(python.text().unwrap_or_default(), python.line);
    }
    requirements(page, project.get("dependencies"), None);
    for (extra, list) in project.get("optional-dependencies").map(Node::members).unwrap_or_default() {
        requirements(page, Some(list), Some(extra));
    }
    for item in project.list("dynamic") {
        if let Some(key @ ("dependencies" | "optional-dependencies")) = item.text() {
            dynamic(page, root, key, item.line);
        }
    }
}

/// A list of requirements.
fn requirements(page: &mut Page<'_>, list: Option<&Node>, group: Option<&str>) {
    for item in list.map(Node::items).unwrap_or_default() {
        match item.text() {
            Some(written) => page.requirement(written, item.line, group),
            None => page.incomplete(item.line, "an entry that is no text"),
        }
    }
}

/// What is filled in when the project is built: from Poetry's tables, from files that setuptools names, or from elsewhere.
fn dynamic(page: &mut Page<'_>, root: &Node, key: &str, line: u64) {
    let builder = root.at(&["build-system", "build-backend"]).and_then(Node::text).unwrap_or("setuptools");
    if builder.starts_with("poetry") && root.at(&["tool", "poetry", "dependencies"]).is_some() {
        return;
    }
    if !builder.starts_with("setuptools") {
        return page.incomplete(line, COMPUTED);
    }
    let Some(told) = root.at(&["tool", "setuptools", "dynamic", key]) else {
        page.filled_elsewhere = page.filled_elsewhere.or(Some(line));
        return;
    };
    if key == "dependencies" {
        return files(page, told, None);
    }
    for (extra, told) in told.members() {
        files(page, told, Some(extra));
    }
}

/// `{file = "requirements.txt"}`, `{file = ["a.txt", "b.txt"]}`.
fn files(page: &mut Page<'_>, told: &Node, group: Option<&str>) {
    let Some(file) = told.get("file") else { return page.incomplete(told.line, COMPUTED) };
    for node in std::iter::once(file).chain(file.items()) {
        if let Some(path) = node.text() {
            let (path, group) = (path.to_owned(), group.map(str::to_owned));
            page.includes.push(Include { path, is_constraint: false, group, line: node.line });
        }
    }
}
