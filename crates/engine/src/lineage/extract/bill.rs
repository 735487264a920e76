//! CycloneDX bills of materials: the components of what they are about. A bill in another format is a description only.

use serde::Deserialize;
use waag_evidence::statement::role::Role;

use super::{ClaimedBy, Collector, NotRead, timestamp, whole};
use crate::lineage::identifier::{Identifier, Naming};
use crate::lineage::relation::Relation;
use crate::lineage::shape::{Bounded, Descriptor, Text};

pub(super) fn is_one(predicate_type: &str) -> bool {
    predicate_type.trim_end_matches('/').starts_with("https://cyclonedx.org/bom")
}

#[derive(Deserialize)]
struct Bill {
    #[serde(default)]
    metadata: Option<Metadata>,
    #[serde(default)]
    components: Bounded<Component>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    timestamp: Text,
}

#[derive(Deserialize)]
struct Component {
    #[serde(default, rename = "type")]
    kind: Text,
    #[serde(default)]
    name: Text,
    #[serde(default)]
    purl: Text,
    #[serde(default)]
    hashes: Bounded<Hash>,
    /// What it is assembled of.
    #[serde(default)]
    components: Bounded<Component>,
}

#[derive(Deserialize)]
struct Hash {
    #[serde(default)]
    alg: Text,
    #[serde(default)]
    content: Text,
}

impl Component {
    /// SHA-256 first, then the package, then the name.
    fn identifiers(&self) -> Vec<Identifier> {
        let sha256 = self.hashes.items.iter().filter(|hash| hash.alg.as_str() == Some("SHA-256"));
        let digits = sha256.filter_map(|hash| hash.content.as_str()).filter(|digits| is_sha256(digits));
        let mut identifiers: Vec<_> =
            digits.take(1).map(|digits| Identifier::digest("sha256", &digits.to_ascii_lowercase())).collect();
        identifiers.extend(self.purl.as_str().map(Identifier::uri));
        if identifiers.is_empty() {
            identifiers.extend(self.name.as_str().map(|name| Identifier::new(Naming::Name, name)));
        }
        identifiers
    }

    fn role(&self) -> Role {
        match self.kind.as_str() {
            Some("data") => Role::Dataset,
            Some("machine-learning-model") => Role::BaseModel,
            Some("container" | "operating-system" | "platform") => Role::Environment,
            Some("file") => Role::Input,
            _ => Role::Dependency,
        }
    }
}

fn is_sha256(digits: &str) -> bool {
    digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Components, and those that they are assembled of: each is in what the bill is about.
fn flat<'b>(components: &'b Bounded<Component>, left_out: &mut u64) -> Vec<&'b Component> {
    let mut all = Vec::new();
    let mut open: Vec<&Component> = components.items.iter().rev().collect();
    while let Some(component) = open.pop() {
        all.push(component);
        *left_out += component.components.more;
        open.extend(component.components.items.iter().rev());
    }
    all
}

pub(super) fn read(payload: &[u8], subjects: &[Descriptor], collector: &mut Collector) -> Result<(), NotRead> {
    let bill: Bill = whole(payload)?;
    collector.extracted.said_at = timestamp(bill.metadata.unwrap_or_default().timestamp.as_str());
    collector.extracted.left_out += bill.components.more;
    let components = flat(&bill.components, &mut collector.extracted.left_out);
    let Some(about) = collector.made(subjects, "bill of materials") else { return Ok(()) };
    for component in components {
        let mut identifiers = component.identifiers().into_iter();
        let Some(best) = identifiers.next() else { continue };
        let object = collector.node(best, component.name.as_str());
        for other in identifiers {
            let other = collector.node(other, None);
            collector.edge(object, other, Relation::SameAs, None::<&ClaimedBy>);
        }
        collector.edge(about, object, Relation::Role(component.role()), None);
    }
    Ok(())
}
