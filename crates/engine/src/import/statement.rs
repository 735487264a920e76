//! What was read as in-toto statements, and those as envelopes that nobody has signed.

use std::collections::BTreeSet;

use serde_json::Value;
use waag_evidence::statement::claims::{self, Claim, ClaimSource, Claims};
use waag_evidence::statement::provenance::{self, BuildDefinition, BuildMetadata, Builder, Provenance, RunDetails};
use waag_evidence::statement::{PAYLOAD_TYPE, ResourceDescriptor, Statement};
use waag_signing::encoding::to_base64;
use waag_signing::envelope::Envelope;

use super::run::Run;

/// A statement over the claims of one source. Its subjects are those of the claims that have a digest; where none has, the
/// source itself, which is all that can be pointed at.
pub(super) fn of_claims(source: &ClaimSource, claims: &[Claim]) -> Option<Statement> {
    if claims.is_empty() {
        return None;
    }
    let mut seen = BTreeSet::new();
    let mut subjects: Vec<ResourceDescriptor> = Vec::new();
    for claim in claims.iter().filter(|claim| !claim.subject.digest.is_empty()) {
        let digests: Vec<(&str, &str)> = claim.subject.digest.iter().collect();
        if seen.insert((format!("{digests:?}"), claim.subject.name.clone())) {
            subjects.push(bare(&claim.subject));
        }
    }
    if subjects.is_empty() {
        let digest = [("sha256", source.sha256?)].into_iter().collect();
        subjects.push(ResourceDescriptor { name: Some(source.location.clone()), digest, ..Default::default() });
    }
    let predicate = serde_json::to_value(Claims { claims: claims.to_vec() }).ok()?;
    Some(Statement::new(subjects, claims::PREDICATE_TYPE, predicate))
}

/// A subject without what is said of it.
fn bare(subject: &ResourceDescriptor) -> ResourceDescriptor {
    ResourceDescriptor { annotations: Default::default(), ..subject.clone() }
}

/// Provenance as a tracker recorded it: none when nothing came out that has a digest.
pub(super) fn of_run(run: &Run) -> Option<Statement> {
    let subjects: Vec<ResourceDescriptor> =
        run.outputs.iter().filter(|output| !output.digest.is_empty()).cloned().collect();
    if subjects.is_empty() {
        return of_claims(&run.source, &run.claims());
    }
    let dependencies = run.inputs.iter().map(|input| {
        let mut dependency = provenance::with_role(input.what.clone(), input.role);
        dependency.annotations.insert("place".to_owned(), input.place.clone().into());
        dependency
    });
    let version = run.version.iter().map(|(part, version)| ((*part).to_owned(), version.clone())).collect();
    let definition = BuildDefinition {
        build_type: run.build_type().uri().to_owned(),
        external_parameters: run.external.clone(),
        internal_parameters: Some(internal(run)),
        resolved_dependencies: dependencies.collect(),
    };
    let metadata =
        BuildMetadata { invocation_id: Some(run.id.clone()), started_on: run.started, finished_on: run.finished };
    let details = RunDetails {
        builder: Builder { id: run.builder(), version, ..Builder::default() },
        metadata: Some(metadata),
        byproducts: run.byproducts.clone(),
    };
    let predicate = serde_json::to_value(Provenance { build_definition: definition, run_details: details }).ok()?;
    Some(Statement::new(subjects, provenance::PREDICATE_TYPE, predicate))
}

/// Where the record of the run was read.
fn internal(run: &Run) -> Value {
    let mut internal = run.internal.clone();
    if let (Some(members), Ok(source)) = (internal.as_object_mut(), serde_json::to_value(&run.source)) {
        members.insert("readFrom".to_owned(), source);
    }
    internal
}

/// A statement in an envelope without signatures, on one line.
#[must_use]
pub fn envelope(statement: &Statement) -> String {
    let payload = serde_json::to_vec(statement).unwrap_or_default();
    let envelope =
        Envelope { payload: to_base64(&payload), payload_type: PAYLOAD_TYPE.to_owned(), signatures: Vec::new() };
    serde_json::to_string(&envelope).unwrap_or_default()
}
