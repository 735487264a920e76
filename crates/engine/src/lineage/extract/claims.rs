//! What unsigned sources say, each with its place.

use serde::Deserialize;
use waag_evidence::statement::claims::{ClaimSource, Voice};
use waag_evidence::statement::role::Role;

use super::{ClaimedBy, Collector, NotRead, timestamp, whole};
use crate::lineage::identifier::{Identifier, Naming};
use crate::lineage::relation::Relation;
use crate::lineage::shape::{Bounded, Descriptor, Text};

#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    claims: Bounded<Claim>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Claim {
    subject: Descriptor,
    role: Role,
    object: Descriptor,
    voice: Voice,
    source: ClaimSource,
    #[serde(default)]
    said_at: Text,
}

pub(super) fn read(payload: &[u8], collector: &mut Collector) -> Result<(), NotRead> {
    let Claims { claims } = whole(payload)?;
    collector.extracted.left_out += claims.more;
    for claim in &claims.items {
        let source = ClaimSource {
            kind: bounded(&claim.source.kind),
            location: bounded(&claim.source.location),
            place: claim.source.place.as_deref().map(bounded),
            sha256: claim.source.sha256,
        };
        let by = ClaimedBy { voice: claim.voice, source, said_at: timestamp(claim.said_at.as_str()) };
        let subject = collector.artifact(&claim.subject, Some(&by));
        let object = collector.artifact(&claim.object, Some(&by));
        if let (Some(subject), Some(object)) = (subject, object) {
            collector.edge(subject, object, Relation::Role(claim.role), Some(&by));
            collector.extracted.subjects.push(subject);
        } else {
            collector.extracted.left_out += 1;
        }
    }
    let subjects = &mut collector.extracted.subjects;
    subjects.sort_unstable();
    subjects.dedup();
    Ok(())
}

fn bounded(text: &str) -> String {
    Identifier::new(Naming::Name, text).text
}
