//! The elements of a document, and how they are named.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::bom::writing::{Unique, encoded};

/// The name of the one creation that all elements share.
pub(super) const CREATION: &str = "_:creation";

/// Elements in the making.
#[derive(Debug)]
pub(super) struct Graph {
    base: String,
    elements: Vec<Value>,
    taken: Unique,
    relations: usize,
    known: BTreeMap<String, String>,
}

/// A time to the second, as the specification has it.
pub(super) fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl Graph {
    pub(super) fn new(base: &str) -> Self {
        let base = if base.is_empty() { "urn:uuid:00000000-0000-0000-0000-000000000000" } else { base };
        Self {
            base: base.to_owned(),
            elements: Vec::new(),
            taken: Unique::default(),
            relations: 0,
            known: BTreeMap::new(),
        }
    }

    /// An identifier of a document's own, the same for the same name.
    pub(super) fn id(&self, name: &str) -> String {
        format!("{}#{}", self.base, encoded(name).replace('%', "_"))
    }

    /// An identifier that nothing else has.
    pub(super) fn unique(&mut self, name: &str) -> String {
        let id = self.id(name);
        self.taken.take(id, '-')
    }

    pub(super) fn add(&mut self, element: Value) {
        self.elements.push(element);
    }

    /// An element that is written once, however often it is asked for.
    pub(super) fn once(&mut self, key: &str, make: impl FnOnce(&str) -> Value) -> String {
        if let Some(known) = self.known.get(key) {
            return known.clone();
        }
        let id = self.unique(key);
        self.known.insert(key.to_owned(), id.clone());
        let element = make(&id);
        self.add(element);
        id
    }

    /// A relationship; none to nothing.
    pub(super) fn relate(&mut self, from: &str, kind: &str, to: &[String]) {
        self.relate_with(from, kind, to, None);
    }

    /// A relationship with a comment.
    pub(super) fn relate_with(&mut self, from: &str, kind: &str, to: &[String], comment: Option<String>) {
        if to.is_empty() {
            return;
        }
        self.relations += 1;
        let mut relation = json!({
            "type": "Relationship",
            "spdxId": self.id(&format!("relation-{}", self.relations)),
            "creationInfo": CREATION,
            "from": from,
            "relationshipType": kind,
            "to": to,
        });
        if let Some(comment) = comment {
            relation["comment"] = comment.into();
        }
        self.add(relation);
    }

    /// The identifiers of all elements.
    pub(super) fn ids(&self) -> Vec<String> {
        self.elements.iter().filter_map(|element| element["spdxId"].as_str()).map(str::to_owned).collect()
    }

    pub(super) fn into_elements(self) -> Vec<Value> {
        self.elements
    }
}
