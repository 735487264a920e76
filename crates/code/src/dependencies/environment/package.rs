//! One installed package: its name, version, what it needs, and where it came from.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use waag_evidence::{Dependency, DependencySource, Ecosystem, Location, Standing};

use super::Place;
use crate::dependencies::finding::incomplete;
use crate::dependencies::reading::{FileKind, FileRead, INACTIVE, Notice, Reading, Says};
use crate::dependencies::text::{Text, read_file};
use crate::dependencies::{direct_url, requirement, tree};

/// Bytes of a package's description: some carry a whole README.
const MAX_METADATA: u64 = 4 << 20;
/// Bytes of the note on where it came from.
const MAX_ORIGIN: u64 = 64 << 10;

/// Reads the description of a package. What lies in its folder of lists counts as known.
pub(super) fn read(place: &Place<'_>, list: &Path, reading: &mut Reading, listed: &mut BTreeSet<PathBuf>) {
    listed.insert(list.to_owned());
    let is_old = list.extension().is_some_and(|ending| ending == "egg-info");
    let path = match (is_old, list.is_file()) {
        (false, _) => list.join("METADATA"),
        (true, true) => list.to_owned(),
        (true, false) => list.join("PKG-INFO"),
    };
    let shown = place.shown(&path);
    let Ok(bytes) = read_file(&path, MAX_METADATA) else {
        let next = "install the package again";
        let message = "this package has no description that can be read";
        return reading.findings.push(incomplete(Location::file(shown), message, next));
    };
    let text = String::from_utf8_lossy(&bytes);
    let mut dependency = described(&text, list, Location::file(shown.clone()));
    if let Some((source, digests)) = origin(&list.join("direct_url.json")) {
        (dependency.source, dependency.digests) = (source, digests);
    }
    let mut file = FileRead { path: shown, ..empty() };
    file.packages = 1;
    reading.files.push(file);
    reading.notices.extend(notice(&text, &dependency));
    reading.dependencies.push(dependency);
}

fn empty() -> FileRead {
    FileRead {
        path: String::new(),
        kind: FileKind::Installed,
        packages: 0,
        complete: true,
        includes: Vec::new(),
        requires_hashes: false,
        groups: Vec::new(),
        own_names: Vec::new(),
    }
}

/// The fields before the first empty line.
fn described(text: &str, list: &Path, location: Location) -> Dependency {
    let header = || text.lines().take_while(|line| !line.is_empty());
    let field = |name: &str| header().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let stem = list.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let (file_name, file_version) = stem.split_once('-').unwrap_or((&stem, ""));
    let needs = header().filter_map(|line| line.strip_prefix("Requires-Dist:"));
    Dependency {
        version: field("Version:").or(Some(file_version)).filter(|version| !version.is_empty()).map(str::to_owned),
        standing: Standing::Installed,
        requires: requirement::needs(needs),
        ..requirement::named(Ecosystem::Pypi, field("Name:").unwrap_or(file_name), location)
    }
}

/// Where it was installed from, where that was no index.
fn origin(path: &Path) -> Option<(DependencySource, Vec<String>)> {
    let bytes = read_file(path, MAX_ORIGIN).ok()?;
    direct_url::read(&tree::json(&Text::new(String::new(), &bytes)).ok()?)
}

/// What the package says of itself, at the line that says it.
fn notice(text: &str, dependency: &Dependency) -> Option<Notice> {
    let header = (1u64..).zip(text.lines()).take_while(|(_, line)| !line.is_empty());
    let mut classifiers = header.filter_map(|(line, text)| Some((line, text.strip_prefix("Classifier:")?.trim())));
    let (line, _) = classifiers.find(|(_, classifier)| *classifier == INACTIVE)?;
    let location = Location { line: Some(line), ..dependency.location.clone() };
    let (package, version) = (dependency.name.clone(), dependency.version.clone());
    Some(Notice { package, version, says: Says::Inactive, location })
}
