//! Groups of dependencies that are no part of what is published (PEP 735).
//! <https://packaging.python.org/en/latest/specifications/dependency-groups/>

use std::collections::BTreeMap;

use super::Page;
use crate::dependencies::tree::Node;
use waag_evidence::dependency::normalised;

/// Groups that are followed.
const MAX_GROUPS: usize = 1000;

pub(super) fn read(page: &mut Page<'_>, root: &Node) {
    let Some(groups) = root.get("dependency-groups") else { return };
    let mut included: BTreeMap<String, Vec<(String, u64)>> = BTreeMap::new();
    for (name, list) in groups.members().iter().take(MAX_GROUPS) {
        let takes = included.entry(normalised(name)).or_default();
        for item in list.items() {
            match (item.text(), item.text_of("include-group")) {
                (Some(written), _) => page.requirement(written, item.line, Some(name)),
                (None, Some(other)) => takes.push((normalised(other), item.line)),
                (None, None) => {
                    page.incomplete(item.line, "an entry of a group that is neither text nor include-group")
                }
            }
        }
    }
    check_includes(page, &included);
}

/// What a group takes in has its own entries; here it only has to be there, and not to take in itself.
fn check_includes(page: &mut Page<'_>, included: &BTreeMap<String, Vec<(String, u64)>>) {
    for (name, takes) in included {
        for (other, line) in takes {
            if !included.contains_key(other) {
                page.incomplete(*line, &format!("the group '{name}' takes in '{other}', which is not there"));
            } else if reaches(included, other, name) {
                page.incomplete(*line, &format!("the group '{name}' takes in itself"));
            }
        }
    }
}

fn reaches(included: &BTreeMap<String, Vec<(String, u64)>>, from: &str, to: &str) -> bool {
    let mut seen = vec![from];
    let mut next = 0;
    while let Some(name) = seen.get(next).copied() {
        if name == to {
            return true;
        }
        next += 1;
        for (other, _) in included.get(name).into_iter().flatten() {
            if !seen.contains(&other.as_str()) {
                seen.push(other);
            }
        }
    }
    false
}
