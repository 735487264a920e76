//! A model folder as a whole: what its files say of each other.

use std::collections::{HashMap, HashSet};
use std::path::{Component, Path, PathBuf};

use waag_evidence::finding::{Finding, Location, Nature, Severity};
use waag_formats::fact::{Anomaly, FactKind, Gap};

use crate::examine::Examined;
use crate::expectation;
use crate::scan::findings;
use crate::summary;
use crate::walk::Entry;

/// Checks that files named by other files are there, and inside.
#[must_use]
pub(crate) fn check(entries: &[Entry], references: &[(Location, String)]) -> Vec<Finding> {
    let present: HashSet<PathBuf> = entries.iter().map(|entry| plain(&entry.path)).collect();
    let mut reported = HashSet::new();
    let mut list = Vec::new();
    for (location, target) in references {
        if !reported.insert((location.file.clone(), target.clone())) {
            continue;
        }
        let fact = judge(&present, location, target);
        list.extend(fact.into_iter().flat_map(|kind| findings(location, kind)));
    }
    list
}

/// Checks that files are as long as other files say.
#[must_use]
pub(crate) fn check_sizes(entries: &[Entry], examined: &[Examined]) -> Vec<Finding> {
    if examined.iter().all(|file| file.sizes.is_empty()) {
        return Vec::new();
    }
    let sized = entries.iter().zip(examined);
    let present: HashMap<PathBuf, u64> =
        sized.filter_map(|(entry, file)| Some((plain(&entry.path), file.artifacts.first()?.size))).collect();
    let mut list = Vec::new();
    for said in examined.iter().flat_map(|file| &file.sizes).filter(|said| said.location.members.is_empty()) {
        let folder = Path::new(&said.location.file).parent().unwrap_or(Path::new(""));
        let Some(size) = present.get(&plain(&folder.join(&said.target))) else { continue };
        let kind = size_problem(*size, &said.target, said.least, said.most);
        list.extend(kind.into_iter().flat_map(|kind| findings(&said.location, kind)));
    }
    list
}

fn size_problem(size: u64, target: &str, least: u64, most: Option<u64>) -> Option<FactKind> {
    if size < least {
        let detail = format!("takes {least} bytes of '{target}', which has {size}");
        return Some(FactKind::Anomaly { anomaly: Anomaly::OutOfBounds, detail });
    }
    let rest = size.saturating_sub(most?);
    let detail = format!("{rest} bytes at the end of '{target}' belong to nothing in this");
    (rest > 0).then_some(FactKind::Anomaly { anomaly: Anomaly::TrailingBytes, detail })
}

/// Files that a model names as its raw numbers, and whose bytes are of no known format, are what it says they are. What
/// is of a known format, or bears its name, stays that: a model cannot call a pickle numbers. `.bin` is the name of
/// pickles too, and of such files; there the bytes decide.
pub(crate) fn settle_numbers(entries: &[Entry], examined: &mut [Examined]) {
    let mut named = HashSet::new();
    for (location, target) in examined.iter().flat_map(|file| &file.numbers) {
        let folder = Path::new(&location.file).parent().unwrap_or(Path::new(""));
        if location.members.is_empty() {
            named.insert(plain(&folder.join(target)));
        }
    }
    for (entry, file) in entries.iter().zip(examined) {
        // What was found in the bytes stays found; that they are no whole pickle, say, is no find.
        let is_gap = |finding: &Finding| finding.nature == Nature::Incomplete || finding.severity <= Severity::Medium;
        let nothing_found = file.findings.iter().all(is_gap);
        let is_plain = file.is_unknown && !file.artifacts.is_empty() && named.contains(&plain(&entry.path));
        if is_plain && nothing_found && expectation::promises_nothing(&entry.path.to_string_lossy()) {
            let location = Location::file(entry.path.to_string_lossy());
            let size = file.artifacts.first().map_or(0, |artifact| artifact.size);
            *file = Examined { artifacts: vec![summary::numbers(location, size)], ..Examined::default() };
        }
    }
}

fn judge(present: &HashSet<PathBuf>, location: &Location, target: &str) -> Option<FactKind> {
    let path = Path::new(target);
    let leaves = path.components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir));
    if leaves || target.contains('\\') {
        let detail = format!("names '{target}', which is outside the model's folder");
        return Some(FactKind::Anomaly { anomaly: Anomaly::PathTraversal, detail });
    }
    if target.contains("://") {
        let detail = format!("names '{target}', which its reader has to fetch");
        return Some(FactKind::Anomaly { anomaly: Anomaly::ExternalData, detail });
    }
    let folder = Path::new(&location.file).parent().unwrap_or(Path::new(""));
    let is_alone = present.len() <= 1;
    if !location.members.is_empty() || is_alone || present.contains(&plain(&folder.join(path))) {
        return None;
    }
    let detail = format!("names '{target}', which is not there");
    Some(FactKind::Incomplete { reason: Gap::Missing, detail })
}

/// A path without `.` components, for comparing.
fn plain(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != Component::CurDir).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::walk::EntryKind;

    fn examined(name: &str, is_unknown: bool) -> (Entry, Examined) {
        let path = PathBuf::from(name);
        let gap = FactKind::Incomplete { reason: Gap::UnknownFormat, detail: String::new() };
        let findings = findings(&Location::file(name), gap);
        let artifacts = vec![summary::numbers(Location::file(name), 8)];
        let entry = Entry { kind: EntryKind::File(path.clone()), path, size: 8 };
        (entry, Examined { artifacts, findings, is_unknown, ..Examined::default() })
    }

    #[test]
    fn numbers_of_a_model_are_numbers_only_when_they_are_nothing_else() {
        let names = [("m/weights.bin", true), ("m/w.pkl", true), ("m/known.bin", false), ("m/other.bin", true)];
        let (entries, mut files): (Vec<_>, Vec<_>) =
            names.map(|(name, unknown)| examined(name, unknown)).into_iter().unzip();
        let target = |name: &str| (Location::file("m/model.onnx"), name.to_owned());
        files.push(Examined {
            numbers: ["weights.bin", "w.pkl", "./known.bin"].map(target).into(),
            ..Examined::default()
        });
        settle_numbers(&entries, &mut files);
        let left: Vec<usize> = files.iter().map(|file| file.findings.len()).collect();
        assert_eq!(left, [0, 1, 1, 1, 0]);
    }
    #[test]
    fn files_are_as_long_as_others_say() {
        assert_eq!(size_problem(24, "a.bin", 24, Some(24)), None);
        assert_eq!(size_problem(24, "a.bin", 8, None), None);
        let said = |kind: Option<FactKind>| match kind {
            Some(FactKind::Anomaly { anomaly, .. }) => Some(anomaly),
            _ => None,
        };
        assert_eq!(said(size_problem(24, "a.bin", 25, None)), Some(Anomaly::OutOfBounds));
        assert_eq!(said(size_problem(90, "a.bin", 24, Some(24))), Some(Anomaly::TrailingBytes));
    }

    #[test]
    fn a_doubt_about_numbers_is_settled_and_a_danger_is_not() {
        let (entry, mut file) = examined("m/w.bin", true);
        let broken = FactKind::Anomaly { anomaly: Anomaly::Broken, detail: String::new() };
        file.findings = findings(&Location::file("m/w.bin"), broken);
        let mut files = [file, Examined::default()];
        files[1].numbers.push((Location::file("m/a.xml"), "w.bin".to_owned()));
        settle_numbers(std::slice::from_ref(&entry), &mut files);
        assert!(files[0].findings.is_empty());
        let program = FactKind::Anomaly { anomaly: Anomaly::Executable, detail: "an ELF program".into() };
        files[0].findings = findings(&Location::file("m/w.bin"), program);
        files[0].is_unknown = true;
        settle_numbers(std::slice::from_ref(&entry), &mut files);
        assert_eq!(files[0].findings.len(), 1);
    }
}
