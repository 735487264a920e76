//! Software that is needed: a version only where exactly one is meant, a range as a range.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use pep440_rs::Version as PythonVersion;
use waag_evidence::{Dependency, DependencySource, Ecosystem, Standing};

use super::document::{Component, Edge, Evidence, ExternalReference, Hash, Occurrence};
use super::{References, Version, edge, named, property};
use crate::bom::model::Bom;
use crate::bom::writing::{address, encoded, name_of, plain};

/// Algorithms of digests by the names that CycloneDX gives them, with the digits that they have.
const ALGORITHMS: &[(&str, &str, usize)] = &[
    ("md5", "MD5", 32),
    ("sha1", "SHA-1", 40),
    ("sha256", "SHA-256", 64),
    ("sha384", "SHA-384", 96),
    ("sha512", "SHA-512", 128),
];

/// The reference of a dependency: its package URL, or where it comes from.
pub(super) fn reference(dependency: &Dependency) -> String {
    let name = format!("{}/{}", ecosystem(dependency.ecosystem), encoded(&dependency.name));
    dependency.package_url().unwrap_or_else(|| format!("dependency:{name}"))
}

const fn ecosystem(ecosystem: Ecosystem) -> &'static str {
    match ecosystem {
        Ecosystem::Pypi => "pypi",
        Ecosystem::Conda => "conda",
    }
}

/// One component for each place that names a dependency.
pub(super) fn components(bom: &Bom, version: Version, names: &References) -> Vec<Component> {
    bom.dependencies
        .iter()
        .zip(&names.dependencies)
        .map(|(one, reference)| component(one, reference, version))
        .collect()
}

fn component(dependency: &Dependency, reference: &str, version: Version) -> Component {
    let range = dependency.constraint.as_deref().filter(|_| dependency.version.is_none());
    let vers = range.filter(|_| version == Version::V1_7).and_then(|range| vers(dependency.ecosystem, range));
    let line = dependency.location.line;
    let occurrence = Occurrence {
        location: named(&dependency.location.file),
        line,
        symbol: plain(&dependency.written),
        context: standing(dependency.standing).to_owned(),
    };
    Component {
        kind: "library",
        reference: reference.to_owned(),
        name: named(name_of(dependency)),
        version: dependency.version.as_deref().map(plain),
        // A range is only of something that is not itself part of what the document describes.
        is_external: vers.as_ref().map(|_| true),
        version_range: vers,
        scope: dependency.group.as_ref().map(|_| "optional"),
        hashes: hashes(dependency),
        purl: dependency.package_url().or_else(|| unversioned(dependency)),
        references: source(dependency),
        evidence: Some(Evidence { occurrences: vec![occurrence], ..Evidence::default() }),
        properties: properties(dependency),
        ..Component::default()
    }
}

/// A package URL without a version, of an index: it names the package and claims nothing more.
fn unversioned(dependency: &Dependency) -> Option<String> {
    let is_index = matches!(dependency.source, DependencySource::Index { .. });
    let name = encoded(&dependency.name);
    (is_index && dependency.version.is_none()).then(|| format!("pkg:{}/{name}", ecosystem(dependency.ecosystem)))
}

/// A range in the form of VERS: <https://github.com/package-url/vers-spec>. Its parts stand in order of version, each version
/// once. None where it has parts that have no form there.
fn vers(ecosystem_of: Ecosystem, range: &str) -> Option<String> {
    if ecosystem_of != Ecosystem::Pypi || range.trim().is_empty() {
        return None;
    }
    let mut parts: BTreeMap<PythonVersion, String> = BTreeMap::new();
    for part in range.split(',') {
        let (version, part) = part_of(part.trim())?;
        if parts.insert(version, part).is_some() {
            return None;
        }
    }
    Some(format!("vers:pypi/{}", parts.into_values().collect::<Vec<_>>().join("|")))
}

fn part_of(part: &str) -> Option<(PythonVersion, String)> {
    let operator = [">=", "<=", "!=", ">", "<"].into_iter().find(|operator| part.starts_with(operator))?;
    let version = part.get(operator.len()..)?.trim();
    let is_plain = version.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    let parsed = PythonVersion::from_str(version).ok().filter(|_| is_plain)?;
    Some((parsed, format!("{operator}{version}")))
}

const fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Declared => "declared",
        Standing::Constrained => "constrained",
        Standing::Locked => "locked",
        Standing::Installed => "installed",
    }
}

fn hashes(dependency: &Dependency) -> Vec<Hash> {
    // Several digests of one algorithm are of several archives; a component has one of each.
    let mut by_algorithm: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (algorithm, digits) in dependency.digests.iter().filter_map(|digest| digest.split_once(':')) {
        by_algorithm.entry(algorithm).or_default().push(digits);
    }
    let one = |(algorithm, digits): (&str, Vec<&str>)| {
        let (_, alg, length) = ALGORITHMS.iter().find(|(name, ..)| *name == algorithm)?;
        let [only] = digits.as_slice() else { return None };
        let is_digest = only.len() == *length && only.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_digest.then(|| Hash { alg, content: only.to_ascii_lowercase() })
    };
    by_algorithm.into_iter().filter_map(one).collect()
}

fn source(dependency: &Dependency) -> Vec<ExternalReference> {
    let (kind, url) = match &dependency.source {
        DependencySource::Index { url } => ("distribution-intake", url.as_deref()),
        DependencySource::Archive { url } => ("distribution", Some(url.as_str())),
        DependencySource::Repository { url, .. } => ("vcs", Some(url.as_str())),
        DependencySource::Path { .. } => return Vec::new(),
    };
    let url = url.and_then(|url| address(url.strip_prefix("git+").unwrap_or(url)));
    url.map(|url| ExternalReference { kind, url, comment: None }).into_iter().collect()
}

fn properties(dependency: &Dependency) -> Vec<super::document::Property> {
    let mut list = vec![property("waag:dependency:standing", standing(dependency.standing))];
    let mut add = |name: &str, value: Option<&String>| {
        list.extend(value.map(|value| property(&format!("waag:dependency:{name}"), value)));
    };
    add("constraint", dependency.constraint.as_ref());
    add("marker", dependency.marker.as_ref());
    add("group", dependency.group.as_ref());
    match &dependency.source {
        DependencySource::Repository { url, revision, commit } => {
            add("repository", Some(url));
            add("revision", revision.as_ref());
            add("commit", commit.as_ref());
        }
        DependencySource::Path { path, .. } => add("path", Some(path)),
        DependencySource::Archive { url } => add("archive", Some(url)),
        DependencySource::Index { url } => add("index", url.as_ref()),
    }
    for extra in &dependency.extras {
        add("extra", Some(extra));
    }
    if dependency.digests.len() > 1 {
        for digest in &dependency.digests {
            add("accepted-digest", Some(digest));
        }
    }
    list
}

/// What the project needs itself: everything that nothing else needs.
pub(super) fn direct(bom: &Bom, names: &References) -> Vec<String> {
    let needed: BTreeSet<&str> = bom.dependencies.iter().flat_map(|one| &one.requires).map(String::as_str).collect();
    let pairs = bom.dependencies.iter().zip(&names.dependencies);
    let is_direct = |one: &Dependency| one.standing == Standing::Declared || !needed.contains(one.name.as_str());
    pairs.filter(|(one, _)| is_direct(one)).map(|(_, reference)| reference.clone()).collect()
}

/// What each dependency needs, where its place says so: of those that the same file names, or else of any.
pub(super) fn edges(bom: &Bom, names: &References) -> Vec<Edge> {
    let mut by_name: BTreeMap<&str, Vec<(&Dependency, &String)>> = BTreeMap::new();
    for (one, reference) in bom.dependencies.iter().zip(&names.dependencies) {
        by_name.entry(&one.name).or_default().push((one, reference));
    }
    let pairs = bom.dependencies.iter().zip(&names.dependencies);
    pairs
        .map(|(one, reference)| {
            let needs = one.requires.iter().filter_map(|name| by_name.get(name.as_str())).flat_map(|named| {
                let beside: Vec<_> =
                    named.iter().filter(|(other, _)| other.location.file == one.location.file).collect();
                let chosen = if beside.is_empty() { named.iter().collect() } else { beside };
                chosen.into_iter().map(|(_, reference)| (*reference).clone()).collect::<Vec<_>>()
            });
            let needs = needs.filter(|other| other != reference).collect();
            edge(reference, needs)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_stay_ranges() {
        let told = |range| vers(Ecosystem::Pypi, range);
        assert_eq!(told(">=1.20").as_deref(), Some("vers:pypi/>=1.20"));
        assert_eq!(told("<3,>=1.20,!=2.1").as_deref(), Some("vers:pypi/>=1.20|!=2.1|<3"));
        assert_eq!(told(">=1.9,<1.10").as_deref(), Some("vers:pypi/>=1.9|<1.10"));
        assert_eq!(told(">2.10rc1,<2.10").as_deref(), Some("vers:pypi/>2.10rc1|<2.10"));
        assert_eq!(told(">=1.0,!=1"), None);
        assert_eq!(told("~=1.4"), None);
        assert_eq!(told("==1.*"), None);
        assert_eq!(vers(Ecosystem::Conda, ">=1"), None);
    }
}
