//! The statement that is signed over a model, and the manifest in it: OpenSSF Model Signing v1.0, and the predicate
//! `Digests/v0.1` that version 0.2 of the reference signer wrote.
//!
//! <https://github.com/ossf/model-signing-spec/blob/main/spec/v1.0.md>
//!
//! Beside the specification's root digest, which binds contents and their order, the subject carries in-toto's `dirHash`,
//! which binds names too: SHA-256 over the lines of `sha256sum`, sorted by name. Verifiers that do not know it pass it over.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use waag_evidence::Sha256Digest;
use waag_evidence::manifest::{
    DEFAULT_SHARD_SIZE, HashAlgorithm, Manifest, ManifestError, Method, Resource, Serialization, Shard, names_root,
};

use crate::error::SigningError;
use crate::order::{is_path_order, out_of_place};
use waag_evidence::statement::{DigestSet, ResourceDescriptor, STATEMENT_TYPE, Statement};
use waag_evidence::strict;

/// The predicate that is written.
pub const PREDICATE_TYPE: &str = "https://model_signing/signature/v1.0";
/// The predicate of version 0.2: every file is a subject. It is read, and never written.
pub const EARLY_PREDICATE_TYPE: &str = "https://model_signing/Digests/v0.1";
/// The subject's digest over contents and names, as in-toto calls it.
pub const NAMES_DIGEST: &str = "dirHash";

/// What is signed over a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelStatement {
    /// The files, in the order in which they are listed.
    pub manifest: Manifest,
    /// The version of the predicate.
    pub version: PredicateVersion,
    /// Algorithms of subject digests that say nothing to this reader, so that nothing was checked.
    pub unchecked_digests: Vec<String>,
}

/// The version of the predicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PredicateVersion {
    /// `signature/v1.0`.
    V1,
    /// `Digests/v0.1`.
    Early,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Predicate {
    #[serde(deserialize_with = "strict::object")]
    serialization: RawSerialization,
    #[serde(deserialize_with = "strict::objects")]
    resources: Vec<RawResource>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSerialization {
    method: RawMethod,
    hash_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shard_size: Option<ShardSize>,
    allow_symlinks: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ignore_paths: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawMethod {
    Files,
    Shards,
}

/// Bytes of a shard; the reference signer writes them with a decimal point.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(untagged)]
enum ShardSize {
    Whole(u64),
    Decimal(f64),
}

/// Fields that the specification does not name are passed over, as it demands.
#[derive(Serialize, Deserialize)]
struct RawResource {
    name: String,
    algorithm: String,
    digest: String,
}

/// What a statement says of itself.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "_type")]
    statement_type: String,
    #[serde(rename = "predicateType")]
    predicate_type: String,
}

/// The fields that a statement over a model may have.
const STATEMENT_FIELDS: [&str; 4] = ["_type", "subject", "predicateType", "predicate"];

impl ModelStatement {
    /// Reads the statement of an envelope. What it says of itself is checked; the model is not.
    ///
    /// # Errors
    /// When it is no such statement, contradicts itself, or names what is not inside the model.
    pub fn parse(payload: &[u8]) -> Result<Self, SigningError> {
        let head: Head = strict::from_slice(payload).map_err(SigningError::malformed_statement)?;
        if head.statement_type != STATEMENT_TYPE {
            return Err(SigningError::malformed_statement(format_args!("its type is '{}'", head.statement_type)));
        }
        match head.predicate_type.as_str() {
            PREDICATE_TYPE => Self::current(payload),
            EARLY_PREDICATE_TYPE => Self::early(payload),
            other => Err(SigningError::PredicateType(other.to_owned())),
        }
    }

    fn current(payload: &[u8]) -> Result<Self, SigningError> {
        check_fields(payload)?;
        let statement: Statement<Predicate> = strict::from_slice(payload).map_err(SigningError::malformed_statement)?;
        let [subject] = statement.subject.as_slice() else {
            return Err(SigningError::SubjectCount(statement.subject.len()));
        };
        let manifest = manifest(subject, statement.predicate)?;
        check_order(&manifest)?;
        check_ignored(&manifest)?;
        let unchecked_digests = check_subject(&manifest, &subject.digest)?;
        Ok(Self { manifest, version: PredicateVersion::V1, unchecked_digests })
    }

    fn early(payload: &[u8]) -> Result<Self, SigningError> {
        let statement: Statement = strict::from_slice(payload).map_err(SigningError::malformed_statement)?;
        let serialization = Serialization {
            method: Method::Files,
            algorithm: HashAlgorithm::Sha256,
            allow_symlinks: false,
            ignored: Vec::new(),
        };
        let resources = statement.subject.iter().map(early_resource).collect::<Result<_, _>>()?;
        let manifest = Manifest::new(String::new(), serialization, resources)?;
        Ok(Self { manifest, version: PredicateVersion::Early, unchecked_digests: Vec::new() })
    }

    /// The digest over names and contents; none where the manifest has no SHA-256 of whole files.
    #[must_use]
    pub fn names_root(&self) -> Option<Sha256Digest> {
        names_digest(&self.manifest)
    }
}

/// The statement to sign over a model: JSON, the same bytes for the same manifest. Entries are put into the order that the
/// specification asks for: by the code points of their names.
///
/// # Errors
/// When the manifest lists nothing, a name twice, or one outside the model.
pub fn write(manifest: &Manifest) -> Result<Vec<u8>, SigningError> {
    let manifest = sorted(manifest)?;
    let digests = [("sha256", manifest.root().to_string())].into_iter();
    let digests = digests.chain(names_digest(&manifest).map(|digest| (NAMES_DIGEST, digest.to_string())));
    let subject = ResourceDescriptor {
        name: Some(manifest.name.clone()),
        digest: digests.collect(),
        ..ResourceDescriptor::default()
    };
    let statement = Statement::new(vec![subject], PREDICATE_TYPE, predicate(&manifest));
    serde_json::to_vec(&statement).map_err(SigningError::malformed_statement)
}

fn sorted(manifest: &Manifest) -> Result<Manifest, SigningError> {
    let Manifest { name, serialization, mut resources } = manifest.clone();
    resources.sort_by_cached_key(Resource::name);
    let mut serialization = serialization;
    serialization.ignored.sort_unstable();
    serialization.ignored.dedup();
    Ok(Manifest::new(name, serialization, resources)?)
}

fn predicate(manifest: &Manifest) -> Predicate {
    let Serialization { method, algorithm, allow_symlinks, ignored } = &manifest.serialization;
    let resource = |resource: &Resource| RawResource {
        name: resource.name(),
        algorithm: resource.digest.algorithm().name().to_owned(),
        digest: resource.digest.to_string(),
    };
    Predicate {
        serialization: RawSerialization {
            method: if *method == Method::Files { RawMethod::Files } else { RawMethod::Shards },
            hash_type: algorithm.name().to_owned(),
            shard_size: match *method {
                Method::Files => None,
                Method::Shards(size) => Some(ShardSize::Whole(size)),
            },
            allow_symlinks: *allow_symlinks,
            ignore_paths: ignored.clone(),
        },
        resources: manifest.resources.iter().map(resource).collect(),
    }
}

/// The digest over names and contents. It says nothing where `dirHash` and `sha256sum` would write a name differently, or
/// where the model is one file, which has no names.
#[must_use]
pub fn names_digest(manifest: &Manifest) -> Option<Sha256Digest> {
    let Serialization { method: Method::Files, algorithm: HashAlgorithm::Sha256, .. } = manifest.serialization else {
        return None;
    };
    let mut files = Vec::with_capacity(manifest.resources.len());
    for resource in &manifest.resources {
        if resource.path == "." || resource.path.contains(['\n', '\r', '\\']) {
            return None;
        }
        let digest = resource.digest.bytes().try_into().ok()?;
        files.push((resource.path.as_str(), Sha256Digest::new(digest)));
    }
    Some(names_root(files.into_iter()))
}

fn check_fields(payload: &[u8]) -> Result<(), SigningError> {
    let fields: BTreeMap<String, serde::de::IgnoredAny> =
        serde_json::from_slice(payload).map_err(SigningError::malformed_statement)?;
    match fields.keys().find(|name| !STATEMENT_FIELDS.contains(&name.as_str())) {
        Some(name) => Err(SigningError::malformed_statement(format_args!("it has a field '{name}' too many"))),
        None => Ok(()),
    }
}

fn manifest(subject: &ResourceDescriptor, predicate: Predicate) -> Result<Manifest, SigningError> {
    let name = subject.name.clone().filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| SigningError::malformed_statement("its subject has no name"))?;
    let serialization = serialization(predicate.serialization)?;
    let resources = predicate.resources.into_iter().map(|raw| resource(raw, &serialization));
    let resources = resources.collect::<Result<_, _>>()?;
    Ok(Manifest::new(name, serialization, resources)?)
}

fn serialization(raw: RawSerialization) -> Result<Serialization, SigningError> {
    let algorithm = HashAlgorithm::of_name(&raw.hash_type).ok_or_else(|| {
        SigningError::malformed_statement(format_args!("nobody knows the digest '{}'", raw.hash_type))
    })?;
    let method = match (raw.method, raw.shard_size) {
        (RawMethod::Files, None) => Method::Files,
        (RawMethod::Files, Some(_)) => return Err(SigningError::malformed_statement("whole files have no shard_size")),
        (RawMethod::Shards, None) => Method::Shards(DEFAULT_SHARD_SIZE),
        (RawMethod::Shards, Some(size)) => Method::Shards(size.bytes()?),
    };
    Ok(Serialization { method, algorithm, allow_symlinks: raw.allow_symlinks, ignored: raw.ignore_paths })
}

impl ShardSize {
    fn bytes(self) -> Result<u64, SigningError> {
        /// Above, not every whole number has a decimal of its own.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        match self {
            Self::Whole(size) if size > 0 => Ok(size),
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked: whole and in range")]
            Self::Decimal(size) if (1.0..=EXACT).contains(&size) && size.fract() == 0.0 => Ok(size as u64),
            _ => Err(SigningError::malformed_statement("shard_size is no whole number of bytes above 0")),
        }
    }
}

fn resource(raw: RawResource, serialization: &Serialization) -> Result<Resource, SigningError> {
    let RawResource { name, algorithm, digest } = raw;
    if !is_algorithm(&algorithm, serialization) {
        let expected = serialization.algorithm.name().to_owned();
        return Err(SigningError::AlgorithmMismatch { name, found: algorithm, expected });
    }
    let digest = digest_of(serialization.algorithm, &digest, &name)?;
    match serialization.method {
        Method::Files => Ok(Resource { path: name, shard: None, digest }),
        Method::Shards(_) => {
            let (path, shard) = split_shard(&name)
                .ok_or_else(|| SigningError::malformed_statement(format_args!("'{name}' does not name a shard")))?;
            Ok(Resource { path, shard: Some(shard), digest })
        }
    }
}

/// The reference signer names shards' algorithm `sha256-sharded-1024`, the specification as it names whole files'.
fn is_algorithm(found: &str, serialization: &Serialization) -> bool {
    let base = match serialization.method {
        Method::Files => found,
        Method::Shards(size) => found.strip_suffix(&format!("-sharded-{size}")).unwrap_or(found),
    };
    HashAlgorithm::of_name(base) == Some(serialization.algorithm)
}

/// `path:start:end`; a path may have colons too.
fn split_shard(name: &str) -> Option<(String, Shard)> {
    let mut parts = name.rsplitn(3, ':');
    let (end, start, path) = (parts.next()?, parts.next()?, parts.next()?);
    let shard = Shard { start: number(start)?, end: number(end)? };
    (shard.start < shard.end).then(|| (path.to_owned(), shard))
}

/// A number in its only spelling.
fn number(digits: &str) -> Option<u64> {
    let number: u64 = digits.parse().ok()?;
    (number.to_string() == digits).then_some(number)
}

fn early_resource(subject: &ResourceDescriptor) -> Result<Resource, SigningError> {
    let name = subject.name.clone().ok_or_else(|| SigningError::malformed_statement("a subject has no name"))?;
    let digits = subject.digest.get("sha256").unwrap_or_default();
    let digest = digest_of(HashAlgorithm::Sha256, digits, &name)?;
    Ok(Resource { path: name, shard: None, digest })
}

fn digest_of(
    algorithm: HashAlgorithm,
    digits: &str,
    name: &str,
) -> Result<waag_evidence::manifest::Digest, SigningError> {
    waag_evidence::manifest::Digest::from_hex(algorithm, digits).ok_or_else(|| {
        let length = algorithm.digest_length() * 2;
        SigningError::malformed_statement(format_args!(
            "the digest of '{name}' is not in {length} lower-case hexadecimal digits"
        ))
    })
}

/// Both orders that signers write are accepted: the specification's, and the reference signer's, which sorts paths by
/// their components.
fn check_order(manifest: &Manifest) -> Result<(), SigningError> {
    if manifest.is_sorted() || is_path_order(&manifest.resources) {
        return Ok(());
    }
    Err(SigningError::UnsortedResources(out_of_place(&manifest.resources)))
}

/// A file cannot be both signed and left out.
fn check_ignored(manifest: &Manifest) -> Result<(), SigningError> {
    let ignored: BTreeSet<&str> =
        manifest.serialization.ignored.iter().map(|path| path.trim_end_matches('/')).collect();
    let covers = |path: &str| ignored.contains(path);
    let is_ignored = |path: &str| {
        covers(path) || covers(".") || covers("") || path.match_indices('/').any(|(end, _)| covers(&path[..end]))
    };
    match manifest.resources.iter().find(|resource| is_ignored(&resource.path)) {
        Some(resource) => Err(SigningError::IgnoredResource(resource.path.clone())),
        None => Ok(()),
    }
}

/// Compares the subject's digests with those that follow from the entries. Returns the algorithms that are not known.
fn check_subject(manifest: &Manifest, digests: &DigestSet) -> Result<Vec<String>, SigningError> {
    let root = manifest.root().to_string();
    let signed = digests.get("sha256").unwrap_or_default();
    if signed != root {
        return Err(SigningError::RootDigestMismatch { expected: root, found: signed.to_owned() });
    }
    let names = names_digest(manifest);
    let known = |algorithm: &str| algorithm == "sha256" || algorithm == NAMES_DIGEST && names.is_some();
    if let (Some(signed), Some(names)) = (digests.get(NAMES_DIGEST), names)
        && signed != names.to_string()
    {
        return Err(SigningError::NamesDigestMismatch { expected: names.to_string(), found: signed.to_owned() });
    }
    Ok(digests.iter().map(|(algorithm, _)| algorithm.to_owned()).filter(|algorithm| !known(algorithm)).collect())
}

impl From<ManifestError> for SigningError {
    fn from(error: ManifestError) -> Self {
        match error {
            ManifestError::Empty => Self::EmptyManifest,
            ManifestError::Duplicate(name) => Self::DuplicateResource(name),
            ManifestError::Outside(name) => Self::PathOutsideModel(name),
            other => Self::malformed_statement(other),
        }
    }
}

#[cfg(test)]
#[path = "model_statement_tests.rs"]
mod tests;
