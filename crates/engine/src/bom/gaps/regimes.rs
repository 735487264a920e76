//! The lists, each with what it rests on.

use super::elements::Element as E;
use super::g7::G7;
use super::{Regime, Wanted};

pub(super) const fn wanted(what: &'static str, clause: &'static str, element: E) -> Wanted {
    Wanted { what, clause, element }
}

/// Every regime, in the order in which they are listed.
pub static REGIMES: &[Regime] = &[
    Regime {
        id: "owasp",
        title: "fields of the completeness score of the OWASP AI SBOM generator",
        rests_on: "the fields that its scorer looks for; the score itself is not computed. It also wants a property that is \
                   literally called external_references, which says nothing and is not written.",
        wants: OWASP,
    },
    Regime {
        id: "g7",
        title: "G7, Software Bill of Materials for AI, minimum elements",
        rests_on: "the fifty elements of the paper of the G7 Cybersecurity Working Group of 12 May 2026, by the names that the vocabulary \
                   https://w3id.org/bom/req/g7ai/ (CC0) gives them; the paper itself was not at hand. What it asks of a system is looked \
                   for in the folder as a whole. None of it is mandatory.",
        wants: G7,
    },
    Regime {
        id: "annex-xi",
        title: "EU AI Act, Annex XI, section 1",
        rests_on: "Regulation (EU) 2024/1689, Annex XI, section 1, shortened and in waag's own words; section 2, for models \
                   with systemic risk, asks for what no file holds. Read the regulation itself: this is a list of places to \
                   look, and no legal advice.",
        wants: ANNEX_XI,
    },
    Regime {
        id: "annex-xii",
        title: "EU AI Act, Annex XII",
        rests_on: "Regulation (EU) 2024/1689, Annex XII, shortened and in waag's own words. Read the regulation itself: \
                   this is a list of places to look, and no legal advice.",
        wants: ANNEX_XII,
    },
    Regime {
        id: "spdx-ai",
        title: "SPDX 3.0.1, profiles AI and Dataset",
        rests_on: "the SPDX specification 3.0.1: what its profiles AI and Dataset make mandatory, then what the AI profile has fields for.",
        wants: SPDX,
    },
];

const OWASP: &[Wanted] = &[
    wanted("primary purpose", "required", E::Task),
    wanted("supplied by", "required", E::Supplier),
    wanted("package URL", "required", E::PackageUrl),
    wanted("component version", "required", E::Version),
    wanted("licence", "required", E::DeclaredLicence),
    wanted("download location", "basic", E::DownloadLocation),
    wanted("description", "basic", E::Description),
    wanted("type of model", "model card", E::Architecture),
    wanted("hyperparameters", "model card", E::Hyperparameters),
    wanted("datasets", "model card", E::TrainingData),
    wanted("limitations", "model card", E::Limitations),
    wanted("ethical considerations", "model card", E::Ethics),
    wanted("intended use", "model card", E::Uses),
    wanted("metrics", "model card", E::Metrics),
    wanted("decision threshold of a metric", "model card", E::DecisionThreshold),
    wanted("preprocessing of data", "model card", E::Preprocessing),
    wanted("explainability", "model card", E::Explainability),
    wanted("energy consumption", "metadata", E::Energy),
    wanted("information about training", "metadata", E::TrainingInformation),
    wanted("safety risk assessment", "metadata", E::SafetyRisk),
    wanted("autonomy", "metadata", E::Autonomy),
    wanted("standards", "metadata", E::Standards),
    wanted("sensitive personal information", "metadata", E::PersonalData),
    wanted("website", "external references", E::Home),
    wanted("version control", "external references", E::Repository),
    wanted("documentation or paper", "external references", E::Paper),
];

const ANNEX_XI: &[Wanted] = &[
    wanted("tasks that it is intended to perform", "1(a)", E::Task),
    wanted("acceptable use policies", "1(b)", E::AcceptableUse),
    wanted("date of release", "1(c)", E::ReleaseTime),
    wanted("methods of distribution", "1(c)", E::DownloadLocation),
    wanted("architecture", "1(d)", E::Architecture),
    wanted("number of parameters", "1(d)", E::Parameters),
    wanted("modality and format of inputs and outputs", "1(e)", E::InputsAndOutputs),
    wanted("licence", "1(f)", E::DeclaredLicence),
    wanted("software and instructions to integrate it", "2(a)", E::Software),
    wanted("design and training process", "2(b)", E::TrainingProcess),
    wanted("description of training", "2(b)", E::TrainingInformation),
    wanted("base model", "2(b)", E::BaseModel),
    wanted("data for training: type and provenance", "2(c)", E::TrainingData),
    wanted("data for testing and validation", "2(c)", E::EvaluationData),
    wanted("curation of data", "2(c)", E::Preprocessing),
    wanted("number of data points", "2(c)", E::DatasetSize),
    wanted("measures against bias", "2(c)", E::Ethics),
    wanted("computational resources of training", "2(d)", E::Compute),
    wanted("energy consumption, known or estimated", "2(e)", E::Energy),
];

const ANNEX_XII: &[Wanted] = &[
    wanted("tasks that it is intended to perform", "1(a)", E::Task),
    wanted("acceptable use policies", "1(b)", E::AcceptableUse),
    wanted("date of release", "1(c)", E::ReleaseTime),
    wanted("methods of distribution", "1(c)", E::DownloadLocation),
    wanted("versions of relevant software", "1(e)", E::Software),
    wanted("architecture", "1(f)", E::Architecture),
    wanted("number of parameters", "1(f)", E::Parameters),
    wanted("modality and format of inputs and outputs", "1(g)", E::InputsAndOutputs),
    wanted("licence", "1(h)", E::DeclaredLicence),
    wanted("maximum size of inputs", "2(b)", E::MaximumInput),
    wanted("data for training: type and provenance", "2(c)", E::TrainingData),
    wanted("curation of data", "2(c)", E::Preprocessing),
];

const SPDX: &[Wanted] = &[
    wanted("name", "AIPackage, mandatory", E::Name),
    wanted("software_packageVersion", "AIPackage, mandatory", E::Version),
    wanted("suppliedBy", "AIPackage, mandatory", E::Supplier),
    wanted("releaseTime", "AIPackage, mandatory", E::ReleaseTime),
    wanted("software_downloadLocation", "AIPackage, mandatory", E::DownloadLocation),
    wanted("hasDeclaredLicense", "mandatory", E::DeclaredLicence),
    wanted("hasConcludedLicense", "mandatory", E::ConcludedLicence),
    wanted("hasDeclaredLicense of a dataset", "DatasetPackage, mandatory", E::DatasetLicence),
    wanted("builtTime", "DatasetPackage, mandatory", E::DatasetBuiltTime),
    wanted("verifiedUsing", "", E::FileDigests),
    wanted("ai_typeOfModel", "", E::Architecture),
    wanted("ai_domain", "", E::Task),
    wanted("ai_hyperparameter", "", E::Hyperparameters),
    wanted("ai_metric", "", E::Metrics),
    wanted("ai_metricDecisionThreshold", "", E::DecisionThreshold),
    wanted("ai_limitation", "", E::Limitations),
    wanted("ai_informationAboutTraining", "", E::TrainingInformation),
    wanted("ai_informationAboutApplication", "", E::Uses),
    wanted("ai_modelDataPreprocessing", "", E::Preprocessing),
    wanted("ai_modelExplainability", "", E::Explainability),
    wanted("ai_energyConsumption", "", E::Energy),
    wanted("ai_safetyRiskAssessment", "", E::SafetyRisk),
    wanted("ai_autonomyType", "", E::Autonomy),
    wanted("ai_useSensitivePersonalInformation", "", E::PersonalData),
    wanted("ai_standardCompliance", "", E::Standards),
    wanted("trainedOn", "", E::TrainingData),
    wanted("testedOn", "", E::EvaluationData),
    wanted("descendantOf", "", E::BaseModel),
];
