//! Links, judged together once every name is known: what a link does depends on what else the archive unpacks.

use std::collections::{BTreeMap, BTreeSet};

use crate::fact::Anomaly;
use crate::facts::Facts;
use crate::zip::names;

/// A link that is a member.
#[derive(Debug)]
struct Link {
    name: String,
    target: String,
    is_hard: bool,
    at: u64,
}

/// Every link and every name of an archive.
#[derive(Debug, Default)]
pub(super) struct Links {
    links: Vec<Link>,
    /// Names of all members, links too, with a place each.
    names: BTreeMap<String, u64>,
}

impl Links {
    /// Takes a member's name down.
    pub(super) fn member(&mut self, name: &str, at: u64) {
        self.names.entry(plain(name)).or_insert(at);
    }

    /// Takes a link down.
    pub(super) fn link(&mut self, name: &str, target: &str, is_hard: bool, at: u64) {
        self.links.push(Link { name: plain(name), target: target.to_owned(), is_hard, at });
    }

    /// Reports the links that lead out of the archive, to nothing in it, or somewhere else for what is unpacked later.
    pub(super) fn report(&self, facts: &mut Facts) {
        let linked: BTreeSet<&str> = self.links.iter().map(|link| link.name.as_str()).collect();
        for link in &self.links {
            link.report(&linked, &self.names, facts);
        }
        if linked.is_empty() {
            return;
        }
        for (name, at) in &self.names {
            if let Some(folder) = folders(name).find(|folder| linked.contains(folder)) {
                facts.anomaly(*at, Anomaly::Link, format!("{name} is written through {folder}, which is a link"));
            }
        }
    }
}

impl Link {
    fn report(&self, linked: &BTreeSet<&str>, names: &BTreeMap<String, u64>, facts: &mut Facts) {
        let Self { name, target, is_hard, at } = self;
        // A hard link's target is named from the archive's own folder, a symbolic link's from where the link is.
        let leaves = if *is_hard { names::leaves(target) } else { names::link_leaves(name, target) };
        if leaves {
            facts.anomaly(*at, Anomaly::PathTraversal, format!("{name} links to {target}, outside the archive"));
        } else if *is_hard && !names.contains_key(&plain(target)) {
            let detail = format!("{name} is a hard link to {target}, which is not in the archive");
            facts.anomaly(*at, Anomaly::Link, detail);
        } else if !is_hard && self.turns_back(linked) {
            let detail = format!("{name} links to {target}, which goes through another link and back");
            facts.anomaly(*at, Anomaly::Link, detail);
        }
    }

    /// Whether `..` in the target comes behind another link, where it is not the folder that the path shows.
    fn turns_back(&self, linked: &BTreeSet<&str>) -> bool {
        let mut path: Vec<&str> = self.name.split('/').collect();
        path.pop();
        let mut through_link = false;
        for part in self.target.split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".") {
            if part == ".." {
                if through_link {
                    return true;
                }
                path.pop();
            } else {
                path.push(part);
                through_link |= linked.contains(path.join("/").as_str());
            }
        }
        false
    }
}

/// A name with one kind of slash and nothing that means nothing.
fn plain(name: &str) -> String {
    let parts: Vec<&str> = name.split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".").collect();
    parts.join("/")
}

/// The folders above a name, outermost first.
fn folders(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('/').filter_map(|(at, _)| name.get(..at))
}
