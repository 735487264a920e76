//! `Pipfile.lock`. <https://pipenv.pypa.io/en/latest/pipfile.html>

use waag_evidence::{Dependency, DependencySource};

use super::{Page, digests_of, python_version, source_of};
use crate::dependencies::reading::IndexRole;
use crate::dependencies::requirement::set_constraint;
use crate::dependencies::tree::Node;

pub(super) fn read(page: &mut Page<'_>, root: &Node) {
    let meta = root.get("_meta");
    for (number, index) in meta.map(|meta| meta.list("sources")).unwrap_or_default().iter().enumerate() {
        let role = if number == 0 { IndexRole::Main } else { IndexRole::Explicit };
        page.index(index.text_of("url").unwrap_or_default(), role, index.text_of("name"), index.line);
    }
    if let Some(python) = meta.and_then(|meta| meta.at(&["requires", "python_version"])) {
        page.python(&python_version::exactly(python.text().unwrap_or_default()), python.line);
    }
    for (section, content) in root.members().iter().filter(|(section, _)| section != "_meta") {
        let group = Some(section.as_str()).filter(|section| *section != "default");
        let group = group.map(|group| if group == "develop" { "dev" } else { group }.to_owned());
        for (name, node) in content.members() {
            let mut dependency = Dependency { group: group.clone(), ..page.named(name, node.line) };
            let constraint = node.text_of("version").unwrap_or_default();
            if set_constraint(constraint, &mut dependency).is_err() {
                page.incomplete(node.line, &format!("'{name}' has a version that is not understood: '{constraint}'"));
            }
            dependency.digests = digests_of(node.list("hashes"));
            dependency.extras = node.list("extras").iter().filter_map(Node::text).map(str::to_owned).collect();
            dependency.marker = node.text_of("markers").map(str::to_owned);
            dependency.source = locked_source(page, node);
            page.add(dependency);
        }
    }
}

fn locked_source(page: &Page<'_>, node: &Node) -> DependencySource {
    if let Some((source, _)) = source_of(node) {
        return source;
    }
    // Pipenv names the index even where it is the only one.
    let asked = node.text_of("index").and_then(|name| page.address_of(name));
    let url = asked.filter(|url| url.trim_end_matches('/') != "https://pypi.org/simple");
    DependencySource::Index { url }
}
