//! A model folder as a whole: what its files say of each other.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};

use waag_evidence::finding::{Finding, Location};
use waag_formats::fact::{Anomaly, FactKind, Gap};

use crate::scan::findings;
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

fn judge(present: &HashSet<PathBuf>, location: &Location, target: &str) -> Option<FactKind> {
    let path = Path::new(target);
    let leaves = path.components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir));
    if leaves || target.contains('\\') {
        let detail = format!("names '{target}', which is outside the model's folder");
        return Some(FactKind::Anomaly { anomaly: Anomaly::PathTraversal, detail });
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
