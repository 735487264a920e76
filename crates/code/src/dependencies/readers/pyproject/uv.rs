//! The table of uv: indexes, sources that stand in for the index, constraints and overrides.
//! <https://docs.astral.sh/uv/reference/settings/>

use waag_evidence::{Dependency, Standing};

use super::super::Page;
use super::uv_sources::standing_in;
use crate::dependencies::reading::IndexRole;
use crate::dependencies::tree::Node;

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

/// What counts only where something else asks for the package.
fn bound(page: &mut Page<'_>, list: Option<&Node>, group: &str) {
    let before = page.dependencies.len();
    super::requirements(page, list, Some(group));
    for dependency in page.dependencies.iter_mut().skip(before) {
        *dependency = Dependency { standing: Standing::Constrained, ..dependency.clone() };
    }
}
