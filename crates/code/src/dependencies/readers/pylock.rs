//! `pylock.toml`: the lock file that every tool may write (PEP 751).
//! <https://packaging.python.org/en/latest/specifications/pylock-toml/>

use waag_evidence::{Dependency, DependencySource};

use super::Page;
use crate::dependencies::source;
use crate::dependencies::tree::Node;

/// The usual index, which is not worth telling.
const USUAL: &str = "https://pypi.org/simple";

pub(super) fn read(page: &mut Page<'_>, root: &Node) {
    let version = root.text_of("lock-version").unwrap_or_default();
    if !version.starts_with("1.") {
        page.incomplete(1, "its lock-version is not 1.x, which is what is understood");
    }
    if let Some(python) = root.get("requires-python") {
        page.python(python.text().unwrap_or_default(), python.line);
    }
    for key in ["dependency-groups", "default-groups", "extras"] {
        page.file.groups.extend(root.list(key).iter().filter_map(Node::text).map(str::to_owned));
    }
    for package in root.list("packages") {
        let Some(name) = package.text_of("name") else { continue };
        let line = package.get("name").map_or(package.line, |node| node.line);
        let dependency = Dependency {
            version: package.text_of("version").map(str::to_owned),
            source: locked_source(package),
            digests: digests(package),
            marker: package.text_of("marker").map(str::to_owned),
            requires: package
                .list("dependencies")
                .iter()
                .filter_map(|it| it.text_of("name"))
                .map(str::to_owned)
                .collect(),
            ..page.named(name, line)
        };
        page.add(dependency);
    }
}

fn locked_source(package: &Node) -> DependencySource {
    if let Some(vcs) = package.get("vcs") {
        let told = vcs.text_of("commit-id").or_else(|| vcs.text_of("requested-revision"));
        return source::repository(vcs.text_of("url").or_else(|| vcs.text_of("path")).unwrap_or_default(), told);
    }
    if let Some(directory) = package.get("directory") {
        let path = directory.text_of("path").unwrap_or_default().to_owned();
        return DependencySource::Path { path, editable: directory.flag_of("editable").unwrap_or(false) };
    }
    if let Some(archive) = package.get("archive") {
        return match (archive.text_of("url"), archive.text_of("path")) {
            (Some(url), _) => DependencySource::Archive { url: source::without_login(url).0 },
            (None, path) => DependencySource::Path { path: path.unwrap_or_default().to_owned(), editable: false },
        };
    }
    let index = package.text_of("index").map(|url| source::without_login(url).0);
    DependencySource::Index { url: index.filter(|url| url.trim_end_matches('/') != USUAL) }
}

/// Digests of each archive, as `sha256 = "…"` in its `hashes`.
fn digests(package: &Node) -> Vec<String> {
    let archives = package.get("sdist").into_iter().chain(package.get("archive")).chain(package.list("wheels"));
    let tables = archives.filter_map(|archive| archive.get("hashes")).flat_map(Node::members);
    let mut digests: Vec<String> =
        tables.filter_map(|(algorithm, hex)| Some(format!("{algorithm}:{}", hex.text()?))).collect();
    digests.sort_unstable();
    digests.dedup();
    digests
}
