//! From the root through every group to every object, each once.

use std::collections::{BTreeMap, BTreeSet};

use super::attribute::{self, Attribute};
use super::dataset::{Dataset, Declared};
use super::dialect::Dialect;
use super::file::File;
use super::header::{self, kind};
use super::heap::GlobalHeaps;
use super::links::{self, Link, Target};
use crate::fact::{Anomaly, Gap};
use crate::facts::{Facts, shorten};

/// Objects that are visited.
const MAX_OBJECTS: usize = 500_000;
/// Groups within groups.
const MAX_DEPTH: usize = 200;
/// Characters of all paths that wait to be followed.
const MAX_HELD: usize = 32 << 20;
/// Characters of a path.
const MAX_PATH: usize = 2000;
/// Links by path that are followed, and how far: the library gives up after as many.
const MAX_LINKS: usize = 5_000;
const MAX_STEPS: usize = 16;

/// An object still to be read.
struct Pending {
    address: u64,
    path: String,
    depth: usize,
    parent: Option<u64>,
}

/// The walk over one file.
pub(super) struct Walk<'w, 'a> {
    file: &'w File<'a>,
    facts: &'w mut Facts,
    heaps: GlobalHeaps,
    dialect: Dialect,
    pending: Vec<Pending>,
    /// Characters of the paths in it.
    held: usize,
    seen: BTreeSet<u64>,
    /// The group that each group was first found in.
    parents: BTreeMap<u64, u64>,
    places: Vec<(u64, u64)>,
    declared: Declared,
    /// Links by path: from where, to where, and where they were read.
    paths: BTreeMap<String, (String, u64)>,
}

impl<'w, 'a> Walk<'w, 'a> {
    pub(super) fn new(file: &'w File<'a>, facts: &'w mut Facts) -> Self {
        Self {
            file,
            facts,
            heaps: GlobalHeaps::default(),
            dialect: Dialect::default(),
            pending: Vec::new(),
            held: 0,
            seen: BTreeSet::new(),
            parents: BTreeMap::new(),
            places: Vec::new(),
            declared: Declared::default(),
            paths: BTreeMap::new(),
        }
    }

    /// Visits everything below the root.
    pub(super) fn run(mut self, root: u64) {
        self.seen.insert(root);
        self.pending.push(Pending { address: root, path: String::new(), depth: 0, parent: None });
        while let Some(next) = self.pending.pop() {
            let offset = self.file.offset(next.address);
            self.held = self.held.saturating_sub(next.path.len());
            if self.file.budget.operate(10).is_err() || self.seen.len() > MAX_OBJECTS || self.held > MAX_HELD {
                self.facts.incomplete(offset, Gap::Limit, "the file has more objects than are read");
                break;
            }
            self.object(&next);
        }
        self.overlaps();
        self.circles();
        self.declared.conclude(self.file.source.len(), self.facts);
        self.dialect.finish(self.facts);
    }

    fn object(&mut self, object: &Pending) {
        if let Some(parent) = object.parent {
            self.parents.insert(object.address, parent);
        }
        let messages = header::read(self.file, object.address, self.facts);
        let offset = self.file.offset(object.address);
        let attributes = attribute::read(self.file, &messages, self.facts);
        let pickled = self.attributes(object, &attributes);
        if messages.iter().any(|message| message.kind == kind::SHARED_TABLE) {
            self.facts.incomplete(offset, Gap::Unsupported, "messages are shared in a table that is not read here");
        }
        for message in messages.iter().filter(|message| message.kind > kind::LAST) {
            let detail = format!("a message of the unknown kind {:#x}", message.kind);
            self.facts.incomplete(message.offset, Gap::Unsupported, detail);
        }
        if messages.iter().any(|message| matches!(message.kind, kind::LAYOUT | kind::EXTERNAL_FILES)) {
            let Self { file, heaps, facts, places, declared, .. } = self;
            let dataset = Dataset { file, path: &object.path, offset, heaps, facts, places, declared, pickled };
            return dataset.read(&messages);
        }
        let links = links::read(self.file, &messages, self.facts);
        self.duplicates(object, &links);
        for link in links.into_iter().rev() {
            self.link(object, link);
        }
    }

    /// Whether the attributes say that rows are pickled.
    fn attributes(&mut self, object: &Pending, attributes: &[Attribute]) -> bool {
        let mut pickled = false;
        for attribute in attributes {
            if self.file.budget.operate(4).is_err() {
                break;
            }
            pickled |= self.dialect.attribute(self.file, &object.path, attribute, &mut self.heaps, self.facts);
        }
        pickled
    }

    fn duplicates(&mut self, object: &Pending, links: &[Link]) {
        let mut names = BTreeSet::new();
        for link in links {
            if !names.insert(link.name.as_str()) {
                let detail = format!("'{}/{}' is there twice", object.path, shorten(link.name.clone(), 300));
                self.facts.anomaly(link.offset, Anomaly::DuplicateName, detail);
            }
        }
    }

    fn link(&mut self, parent: &Pending, link: Link) {
        let mut path = parent.path.clone();
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(&link.name);
        let path = shorten(path, MAX_PATH);
        match link.target {
            Target::Object(address) => self.enqueue(parent, address, path, link.offset),
            Target::Path(target) => {
                let target = absolute(&parent.path, &target);
                if self.paths.len() < MAX_LINKS && path.len() < MAX_PATH && target.len() < MAX_PATH {
                    self.paths.insert(path, (target, link.offset));
                }
            }
            Target::External { file, path: inner } => {
                let detail = format!("'{path}' is '{inner}' of the file '{file}'");
                self.facts.anomaly(link.offset, Anomaly::ExternalData, detail);
            }
            Target::Custom(kind) => {
                let detail = format!("'{path}' is a link of the kind {kind}, which a program defines");
                self.facts.incomplete(link.offset, Gap::Unsupported, detail);
            }
        }
    }

    fn enqueue(&mut self, parent: &Pending, address: u64, path: String, offset: u64) {
        if self.is_ancestor(address, parent.address) {
            let detail = format!("the group '{path}' contains itself");
            return self.facts.anomaly(offset, Anomaly::Malformed, detail);
        }
        if self.held > MAX_HELD || !self.seen.insert(address) {
            return;
        }
        let depth = parent.depth.saturating_add(1);
        if depth > MAX_DEPTH {
            return self.facts.incomplete(offset, Gap::Depth, format!("groups lie deeper than {MAX_DEPTH}"));
        }
        self.held = self.held.saturating_add(path.len());
        self.pending.push(Pending { address, path, depth, parent: Some(parent.address) });
    }

    fn is_ancestor(&self, address: u64, mut of: u64) -> bool {
        for _ in 0..=MAX_DEPTH {
            if of == address {
                return true;
            }
            match self.parents.get(&of) {
                Some(parent) => of = *parent,
                None => return false,
            }
        }
        false
    }

    /// Links by path that lead to themselves: nothing is there, and what follows them does not end.
    fn circles(&mut self) {
        for (path, (target, offset)) in &self.paths {
            let mut at = target;
            for _ in 0..MAX_STEPS {
                if at == path {
                    let detail = format!("the link '{path}' leads to itself");
                    return self.facts.anomaly(*offset, Anomaly::Malformed, detail);
                }
                let Some((next, _)) = self.paths.get(at) else { break };
                at = next;
            }
        }
    }

    /// Two datasets that share bytes: each would change with the other.
    fn overlaps(&mut self) {
        self.places.sort_unstable();
        let mut end = 0;
        for &(start, stop) in &self.places {
            if start < end {
                self.facts.anomaly(start, Anomaly::Overlap, "two datasets are stored in the same bytes");
            }
            end = end.max(stop);
        }
    }
}

/// A path from the root, without the slash in front, as paths are kept here.
fn absolute(folder: &str, path: &str) -> String {
    let path = path.trim_end_matches('\0');
    let parts = path.split('/').filter(|part| !part.is_empty() && *part != ".");
    let from = if path.starts_with('/') { "" } else { folder };
    from.split('/').filter(|part| !part.is_empty()).chain(parts).collect::<Vec<_>>().join("/")
}
