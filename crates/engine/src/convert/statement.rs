//! Where a converted file came from: an in-toto Statement with SLSA's provenance, of the build type that
//! `docs/convert.md` defines.
//!
//! Specifications: <https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md> and
//! <https://slsa.dev/spec/v1.0/provenance>. It names no time unless `SOURCE_DATE_EPOCH` does, and no folder, so that the
//! same conversion gives the same statement anywhere.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};
use waag_evidence::statement::provenance::{
    BuildDefinition, BuildMetadata, BuildType, Builder, PREDICATE_TYPE, Provenance, RunDetails, with_role,
};
use waag_evidence::statement::role::Role;
use waag_evidence::statement::{ResourceDescriptor, Statement};

use super::{Converted, Digested, Plan};
use crate::attest::TOOL;

/// The name of the digest of all tensors.
pub const TENSOR_ROOT: &str = "waag-tensor-root-v1";
/// Values that were left out that are listed.
const MAX_LISTED: usize = 1000;

/// The statement, as it is written; `finished` is when it was done, if that is to be said.
#[must_use]
pub fn statement(plan: &Plan, converted: &Converted, finished: Option<Timestamp>) -> String {
    let tensors = ResourceDescriptor {
        name: Some("tensors".to_owned()),
        digest: [(TENSOR_ROOT, converted.root.to_string())].into_iter().collect(),
        ..ResourceDescriptor::default()
    };
    let subjects = converted.outputs.iter().map(resource).chain([tensors]).collect();
    let statement = Statement::new(subjects, PREDICATE_TYPE, provenance(plan, converted, finished));
    let mut value = serde_json::to_value(&statement).unwrap_or_default();
    // That nothing was left out is said, too.
    if statement.predicate.run_details.byproducts.is_empty() {
        value["predicate"]["runDetails"]["byproducts"] = json!([]);
    }
    let mut text = serde_json::to_string_pretty(&value).unwrap_or_default();
    text.push('\n');
    text
}

fn provenance(plan: &Plan, converted: &Converted, finished: Option<Timestamp>) -> Provenance {
    let version = [("waag".to_owned(), env!("CARGO_PKG_VERSION").to_owned())];
    let dependency = |file: &Digested| with_role(resource(file), Role::ConvertedFrom);
    Provenance {
        build_definition: BuildDefinition {
            build_type: BuildType::Convert.uri().to_owned(),
            external_parameters: external(plan),
            internal_parameters: None,
            resolved_dependencies: converted.inputs.iter().map(dependency).collect(),
        },
        run_details: RunDetails {
            builder: Builder { id: TOOL.to_owned(), version: version.into_iter().collect(), ..Builder::default() },
            metadata: Some(BuildMetadata { finished_on: finished, ..BuildMetadata::default() }),
            byproducts: byproducts(converted),
        },
    }
}

fn external(plan: &Plan) -> Value {
    let mut parameters = json!({ "tied": plan.tied.name() });
    if let Some(size) = plan.shard_size {
        parameters["shardSize"] = size.into();
    }
    parameters
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn resource(file: &Digested) -> ResourceDescriptor {
    ResourceDescriptor {
        name: Some(name(&file.path)),
        digest: [("sha256", file.sha256.to_string())].into_iter().collect(),
        ..ResourceDescriptor::default()
    }
}

/// The time that a conversion may name: none but what `SOURCE_DATE_EPOCH` says.
pub(super) fn time() -> Option<Timestamp> {
    let epoch = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|text| text.parse().ok());
    epoch.and_then(|seconds| Timestamp::from_second(seconds).ok())
}

/// What was in the input and is not in the output.
fn byproducts(converted: &Converted) -> Vec<ResourceDescriptor> {
    let mut list = Vec::new();
    if !converted.left_out.is_empty() {
        let values = converted.left_out.iter().take(MAX_LISTED);
        let values: Vec<Value> = values.map(|left| json!({ "name": left.name, "what": left.what })).collect();
        let annotations = [("count", json!(converted.left_out.len())), ("values", json!(values))];
        list.push(byproduct("left-out", annotations.map(|(name, value)| (name.to_owned(), value)).into()));
    }
    if !converted.tied.is_empty() {
        let names = converted.tied.iter().map(|(name, kept)| (name.clone(), kept.clone().into()));
        list.push(byproduct("tied", names.collect()));
    }
    list
}

fn byproduct(name: &str, annotations: BTreeMap<String, Value>) -> ResourceDescriptor {
    ResourceDescriptor { name: Some(name.to_owned()), annotations, ..ResourceDescriptor::default() }
}
