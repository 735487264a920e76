//! Elements that regimes ask for: how each is looked for, and where it can be written.

use super::whole::Whole;
use crate::bom::model::{Bom, Dataset, Evidence, Method, Model, Owner, Purpose, Role, Text};

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) value: String,
    pub(super) place: Option<String>,
}

/// An element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    Name,
    Version,
    Supplier,
    PackageUrl,
    ReleaseTime,
    DownloadLocation,
    Description,
    Task,
    DeclaredLicence,
    ConcludedLicence,
    Architecture,
    Parameters,
    Hyperparameters,
    BaseModel,
    TrainingData,
    DatasetLicence,
    DatasetSize,
    DatasetBuiltTime,
    EvaluationData,
    Metrics,
    DecisionThreshold,
    Uses,
    Limitations,
    Ethics,
    TrainingInformation,
    TrainingProcess,
    Preprocessing,
    Energy,
    Compute,
    MaximumInput,
    InputsAndOutputs,
    Software,
    FileDigests,
    Paper,
    Home,
    Repository,
    Explainability,
    SafetyRisk,
    Autonomy,
    PersonalData,
    Standards,
    AcceptableUse,
    AnyLink,
    Whole(Whole),
}

pub(super) fn text(text: &Text) -> Found {
    found(text.value.clone(), &text.evidence)
}

fn found(value: String, evidence: &Evidence) -> Found {
    let place = if evidence.method == Method::Given { evidence.file.clone() } else { evidence.place() };
    Found { value, place: Some(place) }
}

pub(super) fn counted(value: String) -> Found {
    Found { value, place: None }
}

fn joined(texts: &[Text]) -> Option<Found> {
    texts.first().map(text)
}

fn link(model: &Model, kind: &str) -> Option<Found> {
    model.links.iter().find(|link| link.kind == kind).map(|link| text(&link.address))
}

fn setting(model: &Model, keys: &[&str]) -> Option<Found> {
    model.settings.iter().find(|(key, _)| keys.contains(&key.as_str())).map(|(_, value)| text(value))
}

fn data(bom: &Bom, model: &Model, purpose: Purpose) -> Option<Found> {
    let used = model.data.iter().find(|used| used.purpose == purpose)?;
    Some(found(bom.datasets.get(used.dataset)?.name.clone(), used.evidence.first()?))
}

/// What is there only when each dataset has it: that of the first.
fn of_all(bom: &Bom, look: impl Fn(&Dataset) -> Option<Found>) -> Option<Found> {
    let all: Option<Vec<Found>> = bom.datasets.iter().map(look).collect();
    all?.into_iter().next()
}

/// A policy of use that lies beside the model.
fn policy(bom: &Bom, model: &Model) -> Option<Found> {
    let number = bom.models.iter().position(|one| one.folder == model.folder)?;
    let file = bom.files_of(Owner::Model(number)).find(|file| {
        let name = file.path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        file.role == Role::Licence && name.starts_with("use_policy")
    })?;
    Some(Found { value: "a policy of its own".to_owned(), place: Some(file.path.clone()) })
}

impl Element {
    /// Looks for it, in the first model; what is about the whole, in the whole.
    pub(super) fn find(self, bom: &Bom) -> Option<Found> {
        match self {
            Self::Whole(whole) => whole.find(bom),
            Self::Software => {
                (!bom.dependencies.is_empty()).then(|| counted(format!("{} dependencies", bom.dependencies.len())))
            }
            Self::FileDigests => {
                let whole = !bom.files.is_empty() && bom.files.iter().all(|file| file.sha256.is_some());
                whole.then(|| counted(format!("SHA-256 of {} files", bom.files.len())))
            }
            Self::DatasetLicence => of_all(bom, |dataset| {
                let said = dataset.licences.declared.as_ref()?;
                Some(found(said.value.said.clone(), &said.evidence))
            }),
            Self::DatasetSize => of_all(bom, |dataset| dataset.size.first().map(|(_, size)| text(size))),
            Self::TrainingProcess => {
                bom.training.first().map(|training| found(training.kind.clone(), &training.evidence))
            }
            _ => self.find_in(bom, bom.models.first()?),
        }
    }

    fn find_in(self, bom: &Bom, model: &Model) -> Option<Found> {
        let said = &model.considerations;
        match self {
            Self::Name => Some(text(&model.name)),
            Self::Version => model.version.as_ref().map(text),
            Self::Supplier => model.supplier.as_ref().map(text),
            Self::PackageUrl => model.package_url.clone().map(counted),
            Self::ReleaseTime => model.release.as_ref().map(|said| found(said.value.to_string(), &said.evidence)),
            Self::DownloadLocation => model.download.as_ref().map(text),
            Self::Description => model.description.as_ref().map(text),
            Self::Task => model.task.as_ref().map(text),
            Self::DeclaredLicence => {
                model.licences.declared.as_ref().map(|said| found(said.value.said.clone(), &said.evidence))
            }
            Self::ConcludedLicence => {
                model.licences.concluded.as_ref().map(|said| found(said.value.said.clone(), &said.evidence))
            }
            Self::Architecture => model.architecture.as_ref().or(model.family.as_ref()).map(text),
            Self::Parameters => model
                .main_weights()
                .filter(|weights| weights.incomplete.is_none() && weights.tensors > 0)
                .map(|weights| counted(weights.parameters.to_string())),
            Self::Hyperparameters => model.settings.first().map(|(key, value)| Found {
                value: format!("{key} and {} more", model.settings.len() - 1),
                ..text(value)
            }),
            Self::BaseModel => {
                model.lineage.first().and_then(|one| Some(found(one.name.clone(), one.evidence.first()?)))
            }
            Self::TrainingData => data(bom, model, Purpose::Training),
            Self::EvaluationData => data(bom, model, Purpose::Evaluation),
            Self::Metrics => {
                model.metrics.first().map(|metric| found(format!("{} {}", metric.kind, metric.value), &metric.evidence))
            }
            Self::Uses => joined(&said.uses),
            Self::Limitations => joined(&said.limitations),
            Self::Ethics => joined(&said.ethics),
            Self::TrainingInformation => joined(&said.training),
            Self::Preprocessing => joined(&said.preprocessing),
            Self::Energy => model
                .energy
                .as_ref()?
                .kilowatt_hours
                .as_ref()
                .map(|said| found(format!("{} kWh", said.value), &said.evidence)),
            Self::Compute => {
                model.energy.as_ref()?.notes.iter().find(|(key, _)| key == "hardware_used").map(|(_, said)| text(said))
            }
            Self::MaximumInput => {
                setting(model, &["max_position_embeddings", "context_length", "n_positions", "max_seq_length"])
            }
            Self::InputsAndOutputs => model.task.as_ref().map(text),
            Self::AnyLink => model.links.first().map(|link| text(&link.address)),
            Self::Paper => link(model, "paper"),
            Self::Home => link(model, "home"),
            Self::Repository => link(model, "repository"),
            Self::AcceptableUse => joined(&said.uses).or_else(|| policy(bom, model)),
            // Nothing that is read here says these.
            _ => None,
        }
    }

    /// Where it can be written so that it is found.
    pub(super) const fn write(self) -> &'static str {
        match self {
            Self::Name => "README.md, front matter: model-index with a name; or the name of the folder",
            Self::Version => "--model-version; a snapshot in a cache of the hub has its commit",
            Self::Supplier => "--supplier; a snapshot in a cache of the hub has its owner",
            Self::PackageUrl => {
                "make the BOM of a snapshot in a cache of the hub, whose path has owner, name and commit"
            }
            Self::ReleaseTime => "--release-time",
            Self::DownloadLocation => "--download-location",
            Self::Description => "README.md: a paragraph under the title",
            Self::Task => "README.md, front matter: pipeline_tag",
            Self::DeclaredLicence => "README.md, front matter: license",
            Self::ConcludedLicence => "LICENSE: the full text of the licence",
            Self::Architecture => "config.json: architectures, model_type",
            Self::Parameters => "weights in a format whose header lists tensors, and every file that the index names",
            Self::Hyperparameters => "config.json",
            Self::BaseModel => "README.md, front matter: base_model",
            Self::TrainingData => "README.md, front matter: datasets",
            Self::DatasetLicence => "the dataset's README.md, front matter: license",
            Self::DatasetSize => "the dataset's README.md, front matter: dataset_info with splits",
            Self::EvaluationData => "README.md, front matter: model-index, results, dataset",
            Self::Metrics => "README.md, front matter: model-index, results, metrics; or .eval_results/",
            Self::Uses => "README.md: a section 'Uses' or 'Intended use'",
            Self::AcceptableUse => "README.md: a section 'Uses'; or USE_POLICY.md beside it",
            Self::Limitations => "README.md: a section 'Limitations' or 'Bias, Risks, and Limitations'",
            Self::Ethics => "README.md: a section 'Ethical Considerations'",
            Self::TrainingInformation => "README.md: a section 'Training Data' or 'Training Procedure'",
            Self::TrainingProcess => "provenance.yaml beside the model; or `waag run` and a ledger",
            Self::Preprocessing => "README.md: a section 'Preprocessing'",
            Self::Energy => "README.md, front matter: co2_eq_emissions with energy_consumed in kWh",
            Self::Compute => "README.md, front matter: co2_eq_emissions with hardware_used",
            Self::MaximumInput => "config.json: max_position_embeddings",
            Self::InputsAndOutputs => "README.md, front matter: pipeline_tag",
            Self::Software => "requirements.txt, pyproject.toml or a lock file in the project",
            Self::FileDigests => "files that can be read",
            Self::Whole(whole) => whole.write(),
            Self::AnyLink => "README.md, front matter: a tag arxiv:NUMBER, homepage, repo or demo",
            Self::Paper => "README.md, front matter: a tag arxiv:NUMBER, or paper",
            Self::Home => "README.md, front matter: homepage",
            Self::Repository => "README.md, front matter: repo",
            Self::DatasetBuiltTime => "no file that is read here has it: add it to the document by hand",
            Self::DecisionThreshold
            | Self::Explainability
            | Self::SafetyRisk
            | Self::Autonomy
            | Self::PersonalData
            | Self::Standards => {
                "no file that is read here has it: a person has to judge it, and adds it to the document by hand"
            }
        }
    }
}
