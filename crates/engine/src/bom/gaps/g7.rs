//! The fifty minimum elements of the G7 for a bill of materials of an AI system, by cluster.

use super::Wanted;
use super::elements::Element as E;
use super::regimes::wanted;
use super::whole::Whole as W;

const METADATA: &str = "metadata";
const SYSTEM: &str = "system level properties";
const MODELS: &str = "models";
const DATA: &str = "dataset properties";
const INFRASTRUCTURE: &str = "infrastructure";
const SECURITY: &str = "security properties";
const INDICATORS: &str = "key performance indicators";

pub(super) const G7: &[Wanted] = &[
    wanted("SBOM author", METADATA, E::Whole(W::DocumentAuthor)),
    wanted("SBOM version", METADATA, E::Whole(W::DocumentVersion)),
    wanted("data format name", METADATA, E::Whole(W::FormatName)),
    wanted("data format version", METADATA, E::Whole(W::FormatVersion)),
    wanted("author signature", METADATA, E::Whole(W::Signature)),
    wanted("tool name", METADATA, E::Whole(W::ToolName)),
    wanted("tool version", METADATA, E::Whole(W::ToolVersion)),
    wanted("generation context", METADATA, E::Whole(W::GenerationContext)),
    wanted("timestamp", METADATA, E::Whole(W::DocumentTime)),
    wanted("dependency relationships", METADATA, E::Whole(W::Relationships)),
    wanted("name", SYSTEM, E::Whole(W::SystemName)),
    wanted("components", SYSTEM, E::Whole(W::Components)),
    wanted("producer", SYSTEM, E::Whole(W::ByHand)),
    wanted("version", SYSTEM, E::Whole(W::ByHand)),
    wanted("timestamp", SYSTEM, E::Whole(W::ByHand)),
    wanted("data flow", SYSTEM, E::Whole(W::ByHand)),
    wanted("data usage", SYSTEM, E::Whole(W::ByHand)),
    wanted("input and output properties", SYSTEM, E::Whole(W::ByHand)),
    wanted("intended application area", SYSTEM, E::Uses),
    wanted("name", MODELS, E::Name),
    wanted("identifier", MODELS, E::PackageUrl),
    wanted("version", MODELS, E::Version),
    wanted("timestamp", MODELS, E::ReleaseTime),
    wanted("producer", MODELS, E::Supplier),
    wanted("description", MODELS, E::Description),
    wanted("hash value", MODELS, E::Whole(W::ModelDigests)),
    wanted("hash algorithm", MODELS, E::Whole(W::ModelDigests)),
    wanted("properties", MODELS, E::Architecture),
    wanted("input and output properties", MODELS, E::InputsAndOutputs),
    wanted("training properties", MODELS, E::TrainingInformation),
    wanted("licence", MODELS, E::DeclaredLicence),
    wanted("external references", MODELS, E::AnyLink),
    wanted("name", DATA, E::Whole(W::DatasetName)),
    wanted("description", DATA, E::Whole(W::DatasetDescription)),
    wanted("content", DATA, E::Whole(W::DatasetContent)),
    wanted("identifier", DATA, E::Whole(W::DatasetIdentifier)),
    wanted("hash", DATA, E::Whole(W::DatasetDigest)),
    wanted("provenance", DATA, E::Whole(W::DatasetOrigin)),
    wanted("statistical properties", DATA, E::DatasetSize),
    wanted("sensitivity", DATA, E::PersonalData),
    wanted("dependency relationships", DATA, E::Whole(W::DatasetUse)),
    wanted("licence", DATA, E::DatasetLicence),
    wanted("software", INFRASTRUCTURE, E::Software),
    wanted("hardware", INFRASTRUCTURE, E::Compute),
    wanted("security controls", SECURITY, E::Whole(W::ByHand)),
    wanted("security compliance", SECURITY, E::Standards),
    wanted("cybersecurity policy information", SECURITY, E::Whole(W::SecurityPolicy)),
    wanted("vulnerability referencing", SECURITY, E::Whole(W::Vulnerabilities)),
    wanted("security metrics", INDICATORS, E::Whole(W::ByHand)),
    wanted("operational performance", INDICATORS, E::Metrics),
];
