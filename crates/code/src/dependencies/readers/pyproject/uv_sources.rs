//! `[tool.uv.sources]`: where packages that a project names come from in place of the index. Several sources of one package hold
//! each under a marker, or for one extra or group; where none of them holds, the index is asked.
//! <https://docs.astral.sh/uv/concepts/projects/dependencies/#dependency-sources>

use std::collections::BTreeMap;
use std::str::FromStr as _;

use pep508_rs::MarkerTree;
use waag_evidence::dependency::normalised;
use waag_evidence::{Dependency, DependencySource};

use super::super::{Page, source_of};
use crate::dependencies::tree::Node;

/// Sources of one package that are read; who has more than this many platforms?
const MAX_SOURCES: usize = 16;
/// Bytes of a marker that is reckoned with: what it means can cost much.
const MAX_MARKER: usize = 200;

/// One source of a package, and when it holds.
struct Source {
    source: DependencySource,
    digests: Vec<String>,
    /// The marker as it is written, and what it means; none where it cannot be told.
    marker: Option<(String, Option<MarkerTree>)>,
    /// The extra or group that it is for.
    group: Option<String>,
}

/// For packages that the project names, the sources are these.
pub(super) fn standing_in(page: &mut Page<'_>, sources: Option<&Node>) {
    let mut sources_of: BTreeMap<String, Vec<Source>> = BTreeMap::new();
    for (name, node) in sources.map(Node::members).unwrap_or_default() {
        let found = all_of(page, name, node);
        if !found.is_empty() {
            sources_of.insert(normalised(name), found);
        }
    }
    for dependency in std::mem::take(&mut page.dependencies) {
        let is_built = dependency.group.as_deref() == Some("build-system");
        match sources_of.get(&dependency.name).filter(|_| !is_built) {
            Some(sources) => parted(dependency, sources).into_iter().for_each(|one| page.add(one)),
            None => page.dependencies.push(dependency),
        }
    }
}

/// The sources of one package: a table, or a list of tables.
fn all_of(page: &mut Page<'_>, name: &str, node: &Node) -> Vec<Source> {
    let tables: Vec<&Node> = std::iter::once(node).chain(node.items()).filter(|it| it.is_table()).collect();
    if tables.len() > MAX_SOURCES {
        page.incomplete(node.line, &format!("'{name}' has more sources than are read of one package"));
    }
    tables.into_iter().take(MAX_SOURCES).filter_map(|table| one_of(page, name, table)).collect()
}

fn one_of(page: &mut Page<'_>, name: &str, table: &Node) -> Option<Source> {
    let Some((source, digests)) = source_in(page, table) else {
        page.incomplete(table.line, &format!("a source of '{name}' is of no kind that is known"));
        return None;
    };
    let group = table.text_of("extra").or_else(|| table.text_of("group")).map(normalised);
    let marker = table.text_of("marker").map(|text| (text.to_owned(), meaning(text)));
    if marker.as_ref().is_some_and(|(_, meaning)| meaning.is_none()) {
        page.incomplete(table.line, &format!("the marker of a source of '{name}' is not understood"));
    }
    Some(Source { source, digests, marker, group })
}

fn source_in(page: &Page<'_>, table: &Node) -> Option<(DependencySource, Vec<String>)> {
    if let Some(found) = source_of(table) {
        return Some(found);
    }
    if table.flag_of("workspace") == Some(true) {
        return Some((DependencySource::Path { path: ".".to_owned(), editable: true }, Vec::new()));
    }
    table.text_of("index").map(|index| (DependencySource::Index { url: page.address_of(index) }, Vec::new()))
}

fn meaning(marker: &str) -> Option<MarkerTree> {
    (marker.len() <= MAX_MARKER).then(|| MarkerTree::from_str(marker).ok()).flatten()
}

/// A dependency from each of its sources that can hold for it, and from the index for what they leave.
fn parted(dependency: Dependency, sources: &[Source]) -> Vec<Dependency> {
    let is_its = |one: &&Source| one.group.is_none() || one.group == dependency.group.as_deref().map(normalised);
    // Without a marker, or with one that nobody understands, it is in question everywhere.
    let mut left = dependency.marker.as_deref().map_or(Some(MarkerTree::TRUE), meaning);
    let mut all = Vec::new();
    for one in sources.iter().filter(is_its) {
        let meant = one.marker.as_ref().map_or(Some(MarkerTree::TRUE), |(_, meaning)| meaning.clone());
        if let (Some(left), Some(meant)) = (&left, &meant)
            && left.is_disjoint(meant)
        {
            continue;
        }
        let source = one.source.clone();
        let digests = [dependency.digests.clone(), one.digests.clone()].concat();
        let marker = both(dependency.marker.as_deref(), one.marker.as_ref().map(|(text, _)| text.as_str()));
        all.push(Dependency { source, digests, marker, ..dependency.clone() });
        left = meant.and_then(|meant| {
            let mut rest = left.clone()?;
            rest.and(meant.negate());
            Some(rest)
        });
    }
    let covered = left.as_ref().is_some_and(MarkerTree::is_false);
    if all.is_empty() || !covered {
        let marker = match all.is_empty() {
            true => dependency.marker.clone(),
            false => left.and_then(|left| left.try_to_string()).or_else(|| dependency.marker.clone()),
        };
        all.push(Dependency { marker, ..dependency });
    }
    all
}

/// Both conditions in one.
fn both(one: Option<&str>, other: Option<&str>) -> Option<String> {
    match (one, other) {
        (Some(one), Some(other)) if one != other => Some(format!("({one}) and ({other})")),
        (one, other) => one.or(other).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use crate::dependencies::Reading;
    use crate::dependencies::tests::read;
    use waag_evidence::DependencySource;

    fn reading(needs: &str, sources: &str) -> Reading {
        let text = format!(
            "[project]\nname='x'\n{needs}\n[[tool.uv.index]]\nname='cpu'\nurl='https://h.example/cpu'\nexplicit=true\n\
             [[tool.uv.index]]\nname='cu121'\nurl='https://h.example/cu121'\nexplicit=true\n[tool.uv.sources]\n{sources}\n"
        );
        read(&[("pyproject.toml", &text)])
    }

    /// Where each entry of torch comes from, and when.
    fn told(needs: &str, sources: &str) -> Vec<String> {
        let reading = reading(needs, sources);
        let torch = reading.dependencies.iter().filter(|it| it.name == "torch");
        let told = torch.map(|it| {
            let source = match &it.source {
                DependencySource::Index { url } => {
                    url.as_deref().unwrap_or("index").rsplit('/').next().unwrap().to_owned()
                }
                DependencySource::Repository { revision, .. } => format!("git {}", revision.as_deref().unwrap_or("")),
                DependencySource::Archive { .. } => format!("archive {}", it.digests.len()),
                other => format!("{other:?}"),
            };
            let group = it.group.as_deref().map(|group| format!("[{group}] ")).unwrap_or_default();
            format!("{group}{source} {}", it.marker.as_deref().unwrap_or("always"))
        });
        told.collect()
    }

    const NEEDS: &str = "dependencies=['torch>=2']";

    #[test]
    fn each_source_is_told_with_its_marker() {
        let sources =
            "torch=[{index='cpu',marker=\"sys_platform=='darwin'\"},{index='cu121',marker=\"sys_platform!='darwin'\"}]";
        assert_eq!(told(NEEDS, sources), ["cpu sys_platform=='darwin'", "cu121 sys_platform!='darwin'"]);
        assert_eq!(told(NEEDS, "torch={index='cpu'}"), ["cpu always"]);
        assert_eq!(
            told(
                NEEDS,
                "torch={url='https://h.example/torch-2.4.0-py3-none-any.whl#sha256=0000000000000000000000000000000000000000000000000000000000000000'}"
            ),
            ["archive 1 always"]
        );
    }

    /// What no source covers comes from the index, which is not to be passed over.
    #[test]
    fn what_the_sources_leave_comes_from_the_index() {
        let one = "torch={index='cpu',marker=\"sys_platform=='darwin'\"}";
        assert_eq!(told(NEEDS, one), ["cpu sys_platform=='darwin'", "index sys_platform != 'darwin'"]);
        let mac = "dependencies=[\"torch>=2; sys_platform=='darwin'\"]";
        assert_eq!(told(mac, one), ["cpu sys_platform=='darwin'"]);
        let linux = "dependencies=[\"torch>=2; sys_platform=='linux'\"]";
        assert_eq!(told(linux, one), ["index sys_platform=='linux'"]);
        let git = "torch=[{git='https://h.example/t',rev='v1',marker=\"python_version<'3.11'\"},{index='cpu'}]";
        assert_eq!(told(NEEDS, git), ["git v1 python_version<'3.11'", "cpu always"]);
    }

    #[test]
    fn a_source_for_an_extra_is_for_that_extra() {
        let needs =
            "dependencies=['torch']\n[project.optional-dependencies]\nCPU=['torch==2.4.0']\ncu121=['torch==2.4.0']";
        let sources = "torch=[{index='cpu',extra='cpu'},{index='cu121',extra='cu121'}]";
        assert_eq!(told(needs, sources), ["index always", "[CPU] cpu always", "[cu121] cu121 always"]);
    }

    #[test]
    fn what_is_not_understood_is_said_and_bounded() {
        for (sources, expected) in [
            ("torch={index='cpu',marker='what?'}", "the marker of a source of 'torch' is not understood"),
            ("torch={place='there'}", "a source of 'torch' is of no kind that is known"),
            (&*format!("torch=[{}]", "{index='cpu'},".repeat(1000)), "'torch' has more sources than are read"),
        ] {
            let reading = reading(NEEDS, sources);
            let found = reading.findings.iter().find(|finding| finding.message.starts_with(expected));
            assert!(found.is_some() && !reading.files[0].complete, "{sources}: {:?}", reading.findings);
        }
        // An unknown marker may hold nowhere: the index is told too.
        assert_eq!(told(NEEDS, "torch={index='cpu',marker='what?'}"), ["cpu what?", "index always"]);
        let markers: String =
            (0..16).map(|number| format!("{{index='cpu',marker=\"python_full_version=='3.9.{number}'\"}},")).collect();
        let many = format!("dependencies=[{}]", "'torch>=2',".repeat(6_500));
        let reading = reading(&many, &format!("torch=[{markers}]"));
        assert!(reading.dependencies.len() <= 100_000 && !reading.files[0].complete, "{}", reading.dependencies.len());
    }
}
