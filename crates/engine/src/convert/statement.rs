//! Where a converted file came from: an in-toto Statement with SLSA's provenance, of the build type that
//! `docs/convert.md` defines.
//!
//! Specifications: <https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md> and
//! <https://slsa.dev/spec/v1.0/provenance>. It names no time unless `SOURCE_DATE_EPOCH` does, and no folder, so that the
//! same conversion gives the same statement anywhere.

use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Converted, Digested, Plan};

/// The type of statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// The type of predicate.
pub const PREDICATE_TYPE: &str = "https://slsa.dev/provenance/v1";
/// The type of build.
pub const BUILD_TYPE: &str = "https://waag.dev/build-types/convert/v1";
/// Who builds.
const BUILDER: &str = "https://waag.dev/waag";
/// The name of the digest of all tensors.
pub const TENSOR_ROOT: &str = "waag-tensor-root-v1";
/// Values that were left out that are listed.
const MAX_LISTED: usize = 1000;

/// The statement, as it is written; `finished` is when it was done, if that is to be said.
#[must_use]
pub fn statement(plan: &Plan, converted: &Converted, finished: Option<Timestamp>) -> String {
    let mut subjects: Vec<Value> = converted.outputs.iter().map(resource).collect();
    subjects.push(json!({ "name": "tensors", "digest": { TENSOR_ROOT: converted.root.to_string() } }));
    let statement = json!({
        "_type": STATEMENT_TYPE,
        "subject": subjects,
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": external(plan),
                "resolvedDependencies": converted.inputs.iter().map(dependency).collect::<Vec<_>>(),
            },
            "runDetails": {
                "builder": { "id": BUILDER, "version": { "waag": env!("CARGO_PKG_VERSION") } },
                "metadata": finished.map_or_else(|| json!({}), |time| json!({ "finishedOn": time.to_string() })),
                "byproducts": byproducts(converted),
            },
        },
    });
    let mut text = serde_json::to_string_pretty(&statement).unwrap_or_default();
    text.push('\n');
    text
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

fn resource(file: &Digested) -> Value {
    json!({ "name": name(&file.path), "digest": { "sha256": file.sha256.to_string() } })
}

fn dependency(file: &Digested) -> Value {
    let mut resource = resource(file);
    resource["annotations"] = json!({ "role": "converted-from" });
    resource
}

/// The time that a conversion may name: none but what `SOURCE_DATE_EPOCH` says.
pub(super) fn time() -> Option<Timestamp> {
    let epoch = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|text| text.parse().ok());
    epoch.and_then(|seconds| Timestamp::from_second(seconds).ok())
}

/// What was in the input and is not in the output.
fn byproducts(converted: &Converted) -> Value {
    let mut list = Vec::new();
    if !converted.left_out.is_empty() {
        let values = converted.left_out.iter().take(MAX_LISTED);
        let values: Vec<Value> = values.map(|left| json!({ "name": left.name, "what": left.what })).collect();
        let annotations = json!({ "count": converted.left_out.len(), "values": values });
        list.push(json!({ "name": "left-out", "annotations": annotations }));
    }
    if !converted.tied.is_empty() {
        let names: serde_json::Map<String, Value> =
            converted.tied.iter().map(|(name, kept)| (name.clone(), kept.clone().into())).collect();
        list.push(json!({ "name": "tied", "annotations": names }));
    }
    Value::Array(list)
}
