//! SLSA's provenance: what was made from what, whoever built it and how.

use serde::Deserialize;
use waag_evidence::statement::provenance::BuildType;

use super::{Collector, NotRead, short_name, timestamp, whole};
use crate::lineage::relation::Relation;
use crate::lineage::shape::{Bounded, Descriptor, Text};

/// The version before 1, which many builders still write.
pub(super) const EARLIER_PREDICATE_TYPE: &str = "https://slsa.dev/provenance/v0.2";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Provenance {
    build_definition: Definition,
    #[serde(default)]
    run_details: Option<Run>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Definition {
    #[serde(default)]
    build_type: Text,
    #[serde(default)]
    resolved_dependencies: Bounded<Descriptor>,
}

#[derive(Default, Deserialize)]
struct Run {
    #[serde(default)]
    builder: Option<Builder>,
    #[serde(default)]
    metadata: Option<Metadata>,
}

#[derive(Default, Deserialize)]
struct Builder {
    #[serde(default)]
    id: Text,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    #[serde(default, alias = "buildStartedOn")]
    started_on: Text,
    #[serde(default, alias = "buildFinishedOn")]
    finished_on: Text,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Earlier {
    #[serde(default)]
    build_type: Text,
    #[serde(default)]
    builder: Option<Builder>,
    #[serde(default)]
    metadata: Option<Metadata>,
    #[serde(default)]
    materials: Bounded<Descriptor>,
}

pub(super) fn read(payload: &[u8], subjects: &[Descriptor], collector: &mut Collector) -> Result<(), NotRead> {
    let Provenance { build_definition, run_details } = whole(payload)?;
    let run = run_details.unwrap_or_default();
    let Definition { build_type, resolved_dependencies } = build_definition;
    take(subjects, &build_type, run.builder, run.metadata, &resolved_dependencies, collector);
    Ok(())
}

pub(super) fn read_earlier(payload: &[u8], subjects: &[Descriptor], collector: &mut Collector) -> Result<(), NotRead> {
    let Earlier { build_type, builder, metadata, materials } = whole(payload)?;
    take(subjects, &build_type, builder, metadata, &materials, collector);
    Ok(())
}

fn take(
    subjects: &[Descriptor],
    build_type: &Text,
    builder: Option<Builder>,
    metadata: Option<Metadata>,
    dependencies: &Bounded<Descriptor>,
    collector: &mut Collector,
) {
    let uri = build_type.as_str().unwrap_or("build");
    let step = BuildType::of_uri(uri).map_or_else(|| short_name(uri).to_owned(), |known| known.name().to_owned());
    let metadata = metadata.unwrap_or_default();
    let finished = timestamp(metadata.finished_on.as_str()).or_else(|| timestamp(metadata.started_on.as_str()));
    collector.extracted.said_at = finished;
    collector.extracted.builder = builder.and_then(|builder| builder.id.0);
    collector.extracted.left_out += dependencies.more;
    if let Some(made) = collector.made(subjects, &step) {
        for dependency in &dependencies.items {
            if let Some(object) = collector.artifact(dependency, None) {
                collector.edge(made, object, Relation::Role(dependency.role()), None);
            }
        }
    }
    collector.extracted.step = Some(step);
}
