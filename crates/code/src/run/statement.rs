//! What is known of a run, as SLSA provenance. `docs/run.md` says what each part means.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use waag_evidence::Sha256Digest;
use waag_evidence::dependency::normalised;
use waag_evidence::statement::provenance::{
    BuildDefinition, BuildMetadata, Builder, PREDICATE_TYPE, Provenance, RunDetails, with_role,
};
use waag_evidence::statement::role::Role;
use waag_evidence::statement::{DigestSet, ResourceDescriptor, Statement};

use super::facts::{Facts, Input, Output};
use super::git::Commit;
use super::packages::Package;

/// Who runs.
const BUILDER: &str = "https://waag.dev/waag";

/// The statement. The same facts give the same bytes.
pub(super) fn statement(facts: &Facts) -> Statement<Provenance> {
    let mut byproducts: Vec<ResourceDescriptor> = facts.byproducts.iter().map(byproduct).collect();
    byproducts.sort_by(|a, b| a.name.cmp(&b.name));
    let provenance = Provenance {
        build_definition: BuildDefinition {
            build_type: facts.build_type.uri().to_owned(),
            external_parameters: external(facts),
            internal_parameters: Some(internal(facts)),
            resolved_dependencies: dependencies(facts),
        },
        run_details: RunDetails {
            builder: Builder {
                id: BUILDER.to_owned(),
                version: BTreeMap::from([("waag".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]),
                builder_dependencies: Vec::new(),
            },
            metadata: Some(BuildMetadata {
                invocation_id: None,
                started_on: Some(facts.started),
                finished_on: Some(facts.finished),
            }),
            byproducts,
        },
    };
    Statement::new(facts.outputs.iter().map(output).collect(), PREDICATE_TYPE, provenance)
}

fn external(facts: &Facts) -> Value {
    let inputs = facts.declared_inputs.iter().map(|(role, path)| json!({ "role": role.name(), "path": path }));
    let mut parameters = json!({
        "command": facts.command,
        "parameters": facts.parameters,
        "inputs": inputs.collect::<Vec<_>>(),
        "outputs": facts.declared_outputs,
        "network": if facts.no_network { "denied" } else { "allowed" },
        "sandbox": facts.sandbox.is_some(),
    });
    if let Some(commit) = &facts.commit {
        parameters["workingDirectory"] = if commit.folder.is_empty() { "." } else { &commit.folder }.into();
    }
    parameters
}

fn internal(facts: &Facts) -> Value {
    let programs = facts.executed.iter().map(|(name, digest)| match digest {
        Some(digest) => json!({ "name": name, "digest": { "sha256": digest.to_string() } }),
        None => json!({ "name": name }),
    });
    let mut parameters = json!({
        "capture": if facts.observed { "observed" } else { "declared, not observed" },
        "reproducibility": facts.level.name(),
        "exitCode": facts.exit_code,
        "environment": facts.variables,
        "machine": facts.machine,
    });
    let mut add = |name: &str, value: Value, there: bool| {
        if there {
            parameters[name] = value;
        }
    };
    add("executed", programs.collect(), !facts.executed.is_empty());
    add("connectedTo", json!(facts.connected), !facts.connected.is_empty());
    add("listenedAt", json!(facts.bound), !facts.bound.is_empty());
    add("notSeen", json!(facts.gaps), !facts.gaps.is_empty());
    add("python", json!(facts.python), !facts.python.is_empty());
    add("seed", json!(facts.seed), facts.seed.is_some());
    add("sandboxedBy", json!(facts.sandbox), facts.sandbox.is_some());
    add("dirty", json!(facts.commit.as_ref().and_then(|commit| commit.dirty)), facts.commit.is_some());
    add("comparison", json!(facts.comparison), facts.comparison.is_some());
    parameters
}

fn dependencies(facts: &Facts) -> Vec<ResourceDescriptor> {
    let files = facts.inputs.iter().map(input);
    let commit = facts.commit.iter().map(commit);
    let packages = facts.packages.iter().map(package);
    let surroundings = facts.surroundings.iter().map(|part| {
        let descriptor = ResourceDescriptor {
            name: Some(part.name.clone()),
            digest: DigestSet::from_iter([("dirHash", part.digest)]),
            annotations: annotations(&[("files", part.files.into()), ("notHashed", part.not_hashed.into())]),
            ..ResourceDescriptor::default()
        };
        with_role(descriptor, Role::Environment)
    });
    commit.chain(files).chain(packages).chain(surroundings).collect()
}

fn annotations(pairs: &[(&str, Value)]) -> BTreeMap<String, Value> {
    let told = |value: &Value| !matches!(value, Value::Bool(false) | Value::Null) && value.as_u64() != Some(0);
    pairs.iter().filter(|(_, value)| told(value)).map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn sha256(digest: Option<&Sha256Digest>) -> DigestSet {
    digest.map(|digest| ("sha256", digest)).into_iter().collect()
}

fn input(input: &Input) -> ResourceDescriptor {
    let algorithm = if input.files.is_some() { "dirHash" } else { "sha256" };
    let descriptor = ResourceDescriptor {
        name: Some(input.name.clone()),
        digest: input.digest.iter().map(|digest| (algorithm, digest)).collect(),
        annotations: annotations(&[
            ("changedDuringRun", input.changed.into()),
            ("writtenByRun", input.written.into()),
            ("declared", input.declared.into()),
            ("notSeenRead", (!input.observed).into()),
            ("readCompiled", input.compiled.into()),
            ("compiledSha256", input.compiled_digest.map(|digest| digest.to_string()).into()),
            ("files", input.files.into()),
        ]),
        ..ResourceDescriptor::default()
    };
    with_role(descriptor, input.role.unwrap_or(Role::Input))
}

fn commit(commit: &Commit) -> ResourceDescriptor {
    let remote =
        commit.remote.as_ref().map(|remote| format!("git+{}@{}", remote.trim_start_matches("git+"), commit.commit));
    let descriptor = ResourceDescriptor {
        name: Some("commit".to_owned()),
        uri: remote,
        digest: DigestSet::from_iter([("gitCommit", &commit.commit)]),
        annotations: commit.dirty.map(|dirty| ("dirty".to_owned(), dirty.into())).into_iter().collect(),
        ..ResourceDescriptor::default()
    };
    with_role(descriptor, Role::Code)
}

fn package(package: &Package) -> ResourceDescriptor {
    let version = package.version.as_ref();
    let digest = match (&package.record, package.files) {
        (Some((_, digest)), _) => DigestSet::from_iter([("sha256", digest)]),
        (None, Some(files)) => DigestSet::from_iter([("dirHash", files)]),
        (None, None) => DigestSet::default(),
    };
    let digest_of = if package.record.is_some() { "RECORD" } else { "files that were read" };
    let descriptor = ResourceDescriptor {
        name: Some(package.name.clone()),
        uri: version.map(|version| format!("pkg:pypi/{}@{version}", normalised(&package.name))),
        digest,
        annotations: annotations(&[
            ("digestOf", digest_of.into()),
            ("filesRead", package.read.into()),
            ("filesAsRecorded", package.matching.into()),
            ("filesThatDiffer", if package.differing.is_empty() { Value::Null } else { json!(package.differing) }),
        ]),
        ..ResourceDescriptor::default()
    };
    with_role(descriptor, Role::Dependency)
}

fn output(output: &Output) -> ResourceDescriptor {
    ResourceDescriptor {
        name: Some(output.name.clone()),
        digest: sha256(output.digest.as_ref()),
        annotations: annotations(&[("sameAsBefore", output.unchanged.into()), ("replaced", output.replaced.into())]),
        ..ResourceDescriptor::default()
    }
}

fn byproduct(file: &Output) -> ResourceDescriptor {
    let mut descriptor = output(file);
    descriptor.annotations.insert("kind".to_owned(), file.kind.into());
    descriptor
}

/// The parameters of a statement, by name; an empty object where there are none.
pub(super) fn object(value: Option<&Value>) -> Map<String, Value> {
    value.and_then(Value::as_object).cloned().unwrap_or_default()
}
