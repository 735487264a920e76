//! The results of a search for known vulnerabilities: which advisories are about what.
//!
//! <https://github.com/in-toto/attestation/blob/main/spec/predicates/vulns.md>. A package that a result names among its
//! annotations is what the advisory is about, and part of the subject.

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use waag_evidence::statement::role::Role;

use super::{Collector, NotRead, short_name, timestamp, whole};
use crate::lineage::identifier::{Identifier, Naming};
use crate::lineage::relation::Relation;
use crate::lineage::shape::{Bounded, Descriptor, Text};

/// Packages of one result that are read.
const MAX_PACKAGES: usize = 1 << 16;

pub(super) fn is_one(predicate_type: &str) -> bool {
    predicate_type.starts_with("https://in-toto.io/attestation/vulns")
}

#[derive(Deserialize)]
struct Predicate {
    scanner: Scanner,
    #[serde(default)]
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Scanner {
    #[serde(default)]
    uri: Text,
    #[serde(default)]
    result: Bounded<Found>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    #[serde(default)]
    scan_finished_on: Text,
}

#[derive(Deserialize)]
struct Found {
    #[serde(default)]
    id: Text,
    #[serde(default)]
    annotations: Packages,
}

/// Every package URL among annotations, however deep.
#[derive(Default)]
struct Packages {
    urls: Vec<String>,
    /// How many more there were.
    more: u64,
}

impl<'de> Deserialize<'de> for Packages {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PackagesVisitor)
    }
}

struct PackagesVisitor;

impl<'de> Visitor<'de> for PackagesVisitor {
    type Value = Packages;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("anything")
    }

    fn visit_str<E>(self, text: &str) -> Result<Packages, E> {
        Ok(Packages { urls: Vec::from_iter(text.starts_with("pkg:").then(|| text.to_owned())), more: 0 })
    }

    fn visit_unit<E>(self) -> Result<Packages, E> {
        Ok(Packages::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Packages, E> {
        Ok(Packages::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Packages, E> {
        Ok(Packages::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Packages, E> {
        Ok(Packages::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Packages, E> {
        Ok(Packages::default())
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<Packages, S::Error> {
        let mut all = Packages::default();
        while let Some(more) = list.next_element::<Packages>()? {
            all.take(more);
        }
        Ok(all)
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Packages, M::Error> {
        let mut all = Packages::default();
        while let Some((_, more)) = map.next_entry::<IgnoredAny, Packages>()? {
            all.take(more);
        }
        Ok(all)
    }
}

impl Packages {
    fn take(&mut self, more: Self) {
        let room = MAX_PACKAGES.saturating_sub(self.urls.len());
        self.more += more.more + more.urls.len().saturating_sub(room) as u64;
        self.urls.extend(more.urls.into_iter().take(room));
    }
}

pub(super) fn read(payload: &[u8], subjects: &[Descriptor], collector: &mut Collector) -> Result<(), NotRead> {
    let Predicate { scanner, metadata } = whole(payload)?;
    collector.extracted.said_at = timestamp(metadata.unwrap_or_default().scan_finished_on.as_str());
    collector.extracted.builder = scanner.uri.0;
    collector.extracted.left_out += scanner.result.more;
    let label = short_name(&collector.extracted.predicate_type).to_owned();
    let Some(about) = collector.made(subjects, &label) else { return Ok(()) };
    for found in &scanner.result.items {
        let Some(id) = found.id.as_str() else { continue };
        let advisory = collector.node(Identifier::new(Naming::Advisory, id), None);
        collector.extracted.left_out += found.annotations.more;
        for package in &found.annotations.urls {
            let package = collector.node(Identifier::uri(package), None);
            collector.edge(package, advisory, Relation::HasAdvisory, None);
            collector.edge(about, package, Relation::Role(Role::Dependency), None);
        }
        if found.annotations.urls.is_empty() {
            collector.edge(about, advisory, Relation::HasAdvisory, None);
        }
    }
    Ok(())
}
