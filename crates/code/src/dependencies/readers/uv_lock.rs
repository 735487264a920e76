//! `uv.lock`. <https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile>

use waag_evidence::{Dependency, DependencySource};

use super::{Page, source_of};
use crate::dependencies::source;
use crate::dependencies::tree::Node;

/// The usual index, which is not worth telling.
const USUAL: &str = "https://pypi.org/simple";

pub(super) fn read(page: &mut Page<'_>, root: &Node) {
    if let Some(python) = root.get("requires-python") {
        page.python(python.text().unwrap_or_default(), python.line);
    }
    for package in root.list("package") {
        let Some(name) = package.text_of("name") else { continue };
        let source = package.get("source");
        let is_own =
            source.is_some_and(|source| ["virtual", "editable"].iter().any(|kind| source.text_of(kind) == Some(".")));
        let line = package.get("name").map_or(package.line, |node| node.line);
        let dependency = Dependency {
            version: package.text_of("version").map(str::to_owned),
            source: source.map_or(DependencySource::Index { url: None }, locked_source),
            digests: digests(package),
            requires: package
                .list("dependencies")
                .iter()
                .filter_map(|it| it.text_of("name"))
                .map(str::to_owned)
                .collect(),
            ..page.named(name, line)
        };
        match is_own {
            // The project itself is locked beside what it needs; it is no dependency.
            true => page.file.own_names.push(dependency.name),
            false => page.add(dependency),
        }
    }
}

fn locked_source(table: &Node) -> DependencySource {
    if let Some(index) = table.text_of("registry") {
        let url = Some(source::without_login(index).0).filter(|url| url.trim_end_matches('/') != USUAL);
        return DependencySource::Index { url };
    }
    // `https://host/a?rev=main#commit`: what was asked for, and what it was.
    if let Some(git) = table.text_of("git") {
        let (address, commit) = git.split_once('#').unwrap_or((git, ""));
        let address = address.split('?').next().unwrap_or(address);
        return source::repository(address, Some(commit));
    }
    for kind in ["editable", "virtual", "directory"] {
        if let Some(path) = table.text_of(kind) {
            return DependencySource::Path { path: path.to_owned(), editable: kind == "editable" };
        }
    }
    source_of(table).map_or(DependencySource::Index { url: None }, |(source, _)| source)
}

fn digests(package: &Node) -> Vec<String> {
    let archives = package.get("sdist").into_iter().chain(package.list("wheels"));
    let mut digests: Vec<String> = archives.filter_map(|archive| archive.text_of("hash")).map(str::to_owned).collect();
    digests.extend(package.at(&["source", "hash"]).and_then(Node::text).map(str::to_owned));
    digests.sort_unstable();
    digests.dedup();
    digests
}
