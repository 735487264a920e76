//! What a statement says, as nodes and edges. Nothing is believed here: each edge knows which statement it is from, and
//! who made that is told beside it.

mod bill;
mod claims;
mod model_signature;
mod provenance;
mod vulnerabilities;

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use waag_evidence::statement::claims::{ClaimSource, Voice};
use waag_evidence::statement::role::Role;
use waag_evidence::{Sha256Digest, strict};

use super::identifier::{Identifier, Naming};
use super::relation::Relation;
use super::shape::{Bounded, Descriptor, MAX_ITEMS};
use crate::output::text::excerpt;

/// Edges of one statement that are taken up. The rest is counted.
const MAX_EDGES: usize = 2 * MAX_ITEMS;
/// Bytes of the type of a predicate.
const MAX_TYPE: usize = 4096;
/// Letters of a type that is none.
const MAX_SHOWN: usize = 120;
/// Versions of the statement that are read; their parts that count here are the same.
const STATEMENT_TYPES: [&str; 2] = ["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"];

/// What a statement says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extracted {
    /// What kind of statement it is: a URI.
    pub predicate_type: String,
    /// What it names, each once, and what people call it.
    pub nodes: Vec<(Identifier, Option<String>)>,
    /// What it is about: places in `nodes`.
    pub subjects: Vec<usize>,
    /// What it says of them.
    pub edges: Vec<ExtractedEdge>,
    /// When it says that it happened.
    pub said_at: Option<Timestamp>,
    /// Who ran the build, in its own words.
    pub builder: Option<String>,
    /// The kind of build, or what was reported.
    pub step: Option<String>,
    /// Artifacts and edges beyond what is taken up.
    pub left_out: u64,
}

/// One edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtractedEdge {
    /// A place in the nodes.
    pub subject: usize,
    /// Another one, or the same: a statement can say anything.
    pub object: usize,
    /// What the object is to the subject.
    pub relation: Relation,
    /// Who says so, where it is not whoever made the statement.
    pub claim: Option<Box<ClaimedBy>>,
}

/// Who says so, and where it was read.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, Deserialize)]
pub struct ClaimedBy {
    /// Who.
    pub voice: Voice,
    /// Where.
    pub source: ClaimSource,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said_at: Option<Timestamp>,
}

/// Why nothing could be read from a statement: in words, after "it".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotRead(pub String);

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "_type")]
    statement_type: String,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    #[serde(default)]
    subject: Bounded<Descriptor>,
    #[serde(default, rename = "predicate")]
    _predicate: IgnoredAny,
}

/// A statement whose predicate has a form that is known.
#[derive(Deserialize)]
struct Whole<P> {
    predicate: P,
}

/// Reads what a statement says; `digest` is that of the envelope it came in.
///
/// # Errors
/// When it is no statement, or its predicate is not what its type promises.
pub fn extract(payload: &[u8], digest: &Sha256Digest) -> Result<Extracted, NotRead> {
    let head: Head =
        strict::from_slice(payload).map_err(|error| NotRead(format!("is no in-toto statement: {error}")))?;
    if !STATEMENT_TYPES.contains(&head.statement_type.as_str()) {
        let shown = excerpt(&head.statement_type, MAX_SHOWN);
        return Err(NotRead(format!("has the type '{shown}', which is no statement of in-toto")));
    }
    if head.predicate_type.len() > MAX_TYPE {
        return Err(NotRead(format!("has a type of predicate that is longer than {MAX_TYPE} bytes")));
    }
    let mut collector = Collector::new(head.predicate_type, *digest);
    collector.extracted.left_out = head.subject.more;
    match collector.extracted.predicate_type.as_str() {
        waag_evidence::statement::claims::PREDICATE_TYPE => claims::read(payload, &mut collector)?,
        waag_signing::model_statement::PREDICATE_TYPE | waag_signing::model_statement::EARLY_PREDICATE_TYPE => {
            model_signature::read(payload, &head.subject.items, &mut collector)?;
        }
        waag_evidence::statement::provenance::PREDICATE_TYPE => {
            provenance::read(payload, &head.subject.items, &mut collector)?;
        }
        provenance::EARLIER_PREDICATE_TYPE => provenance::read_earlier(payload, &head.subject.items, &mut collector)?,
        other if vulnerabilities::is_one(other) => vulnerabilities::read(payload, &head.subject.items, &mut collector)?,
        other if bill::is_one(other) => bill::read(payload, &head.subject.items, &mut collector)?,
        _ => collector.describe(&head.subject.items),
    }
    Ok(collector.extracted)
}

fn whole<'a, P: Deserialize<'a>>(payload: &'a [u8]) -> Result<P, NotRead> {
    let whole: Whole<P> =
        strict::from_slice(payload).map_err(|error| NotRead(format!("is not what its type promises: {error}")))?;
    Ok(whole.predicate)
}

/// Collects nodes and edges, and keeps them within bounds.
struct Collector {
    extracted: Extracted,
    statement: Sha256Digest,
    places: HashMap<Identifier, usize>,
}

impl Collector {
    fn new(predicate_type: String, statement: Sha256Digest) -> Self {
        let extracted = Extracted { predicate_type, ..Extracted::default() };
        Self { extracted, statement, places: HashMap::new() }
    }

    /// The node of an identifier.
    fn node(&mut self, identifier: Identifier, label: Option<&str>) -> usize {
        let nodes = &mut self.extracted.nodes;
        let place = *self.places.entry(identifier).or_insert_with_key(|identifier| {
            nodes.push((identifier.clone(), None));
            nodes.len() - 1
        });
        if let (Some((_, known @ None)), Some(label)) = (nodes.get_mut(place), label) {
            *known = Some(Identifier::new(Naming::Name, label).text);
        }
        place
    }

    /// The node of an artifact, with its other names beside it. None for one that nobody named.
    fn artifact(&mut self, descriptor: &Descriptor, claim: Option<&ClaimedBy>) -> Option<usize> {
        let mut identifiers = descriptor.identifiers().into_iter();
        let best = self.node(identifiers.next()?, descriptor.label());
        for other in identifiers {
            let other = self.node(other, None);
            self.edge(best, other, Relation::SameAs, claim);
        }
        Some(best)
    }

    /// The node of the statement itself.
    fn own(&mut self, label: &str) -> usize {
        self.node(Identifier::new(Naming::Statement, &self.statement.to_string()), Some(label))
    }

    fn edge(&mut self, subject: usize, object: usize, relation: Relation, claim: Option<&ClaimedBy>) {
        if self.extracted.edges.len() >= MAX_EDGES {
            self.extracted.left_out += 1;
            return;
        }
        let claim = claim.cloned().map(Box::new);
        self.extracted.edges.push(ExtractedEdge { subject, object, relation, claim });
    }

    /// What the statement is about.
    fn subjects(&mut self, descriptors: &[Descriptor]) -> Vec<usize> {
        let nodes: Vec<_> = descriptors.iter().filter_map(|descriptor| self.artifact(descriptor, None)).collect();
        self.extracted.subjects.clone_from(&nodes);
        nodes
    }

    /// The node that edges of a statement about all its subjects start from: the only one, the whole that the others are
    /// files of, or the step that made them.
    fn made(&mut self, descriptors: &[Descriptor], step: &str) -> Option<usize> {
        let subjects = self.subjects(descriptors);
        let mut wholes = descriptors.iter().filter(|descriptor| descriptor.is_whole());
        match (subjects.as_slice(), wholes.next(), wholes.next()) {
            ([], ..) => None,
            ([only], ..) => Some(*only),
            (files, Some(whole), None) => {
                let whole = self.artifact_again(whole)?;
                let files: Vec<_> = files.iter().copied().filter(|file| *file != whole).collect();
                files.into_iter().for_each(|file| self.edge(file, whole, Relation::Role(Role::PartOf), None));
                Some(whole)
            }
            (several, ..) => {
                let several = several.to_vec();
                let own = self.own(step);
                several.into_iter().for_each(|subject| self.edge(subject, own, Relation::MadeIn, None));
                Some(own)
            }
        }
    }

    fn artifact_again(&self, descriptor: &Descriptor) -> Option<usize> {
        self.places.get(descriptor.identifiers().first()?).copied()
    }

    /// A statement that only describes its subjects.
    fn describe(&mut self, subjects: &[Descriptor]) {
        let label = short_name(&self.extracted.predicate_type).to_owned();
        let subjects = self.subjects(subjects);
        let own = self.own(&label);
        subjects.into_iter().for_each(|subject| self.edge(subject, own, Relation::Role(Role::Description), None));
    }
}

/// The telling part of a type's URI: `test-result` of `https://in-toto.io/attestation/test-result/v0.1`.
#[must_use]
pub fn short_name(uri: &str) -> &str {
    let is_version =
        |part: &str| part.strip_prefix('v').is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()));
    uri.rsplit(['/', '#']).find(|part| !part.is_empty() && !is_version(part)).unwrap_or(uri)
}

fn timestamp(text: Option<&str>) -> Option<Timestamp> {
    text?.parse().ok()
}

#[cfg(test)]
#[path = "extract_tests.rs"]
mod tests;
