//! The tables of PDM and Hatch. <https://pdm-project.org/latest/reference/configuration/>,
//! <https://hatch.pypa.io/latest/config/environment/overview/>

use waag_evidence::Standing;

use super::Page;
use crate::dependencies::reading::IndexRole;
use crate::dependencies::requirement::set_constraint;
use crate::dependencies::tree::Node;

pub(super) fn pdm(page: &mut Page<'_>, pdm: &Node) {
    for index in pdm.list("source") {
        let Some(url) = index.text_of("url") else { continue };
        let line = index.get("url").map_or(index.line, |node| node.line);
        let role = match index.text_of("type") {
            Some("find_links") => IndexRole::Links,
            _ if index.text_of("name") == Some("pypi") => IndexRole::Main,
            _ if !index.list("include_packages").is_empty() => IndexRole::Explicit,
            _ => IndexRole::Extra,
        };
        page.index(url, role, index.text_of("name"), line);
        if index.flag_of("verify_ssl") == Some(false) {
            page.index(url, IndexRole::Unverified, None, line);
        }
    }
    for (group, list) in pdm.get("dev-dependencies").map(Node::members).unwrap_or_default() {
        for item in list.items() {
            let written = item.text().unwrap_or_default();
            // PDM takes lines as pip does: `-e file:///${PROJECT_ROOT}/sub#egg=sub` is a part of the project.
            match written.strip_prefix("-e").map(str::trim_start) {
                Some(target) if target.starts_with("file:///${PROJECT_ROOT}") => {}
                Some(_) => page.pip_line(written, item.line, Some(group)),
                None => page.requirement(written, item.line, Some(group)),
            }
        }
    }
    for (name, node) in pdm.at(&["resolution", "overrides"]).map(Node::members).unwrap_or_default() {
        let mut dependency = page.named(name, node.line);
        let written = node.text().unwrap_or_default();
        let constraint = match written.starts_with(|first: char| first.is_ascii_digit()) {
            true => format!("=={written}"),
            false => written.to_owned(),
        };
        if set_constraint(&constraint, &mut dependency).is_ok() {
            (dependency.standing, dependency.group) = (Standing::Constrained, Some("override".to_owned()));
            page.add(dependency);
        }
    }
}

pub(super) fn hatch(page: &mut Page<'_>, hatch: &Node) {
    for (name, environment) in hatch.get("envs").map(Node::members).unwrap_or_default() {
        for key in ["dependencies", "extra-dependencies"] {
            super::requirements(page, environment.get(key), Some(&format!("env {name}")));
        }
    }
}
