//! Groups of dependencies that are no part of what is published (PEP 735).
//! <https://packaging.python.org/en/latest/specifications/dependency-groups/>

use std::collections::BTreeMap;

use super::Page;
use crate::dependencies::tree::Node;
use waag_evidence::dependency::normalised;

pub(super) fn read(page: &mut Page<'_>, root: &Node) {
    let Some(groups) = root.get("dependency-groups") else { return };
    let mut included = Included::new();
    for (name, list) in groups.members() {
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

/// Groups that each group takes in, and the line that says so.
type Included = BTreeMap<String, Vec<(String, u64)>>;

/// What a group takes in has its own entries; here it only has to be there, and not to take in itself.
fn check_includes(page: &mut Page<'_>, included: &Included) {
    for (name, takes) in included {
        for (other, line) in takes.iter().filter(|(other, _)| !included.contains_key(other)) {
            page.incomplete(*line, &format!("the group '{name}' takes in '{other}', which is not there"));
        }
    }
    for (name, line) in circles(included) {
        page.incomplete(line, &format!("the group '{name}' takes in itself"));
    }
}

/// The groups that are met again while what they take in is followed, and where: each is followed once.
fn circles(included: &Included) -> Vec<(&str, u64)> {
    let mut is_open: BTreeMap<&str, bool> = BTreeMap::new();
    let mut found = Vec::new();
    for start in included.keys() {
        let mut path: Vec<(&str, usize)> = Vec::new();
        if !is_open.contains_key(start.as_str()) {
            path.push((start, 0));
        }
        while let Some((name, next)) = path.last_mut() {
            is_open.insert(name, true);
            let Some((other, line)) = included.get(*name).and_then(|takes| takes.get(*next)) else {
                is_open.insert(name, false);
                path.pop();
                continue;
            };
            *next += 1;
            match is_open.get(other.as_str()) {
                Some(true) => found.push((other.as_str(), *line)),
                None if included.contains_key(other) => path.push((other, 0)),
                _ => {}
            }
        }
    }
    found
}
