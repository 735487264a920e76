//! What a bill of materials is made from: one value, gathered once, from which every format is written.
//!
//! Nothing in it is a guess. A value that was read stands with where it was read; what nobody wrote down is not there.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use waag_evidence::{Dependency, Sha256Digest};

use crate::import::Conflict;

/// How something came to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Somebody wrote it into a card, for people.
    Card,
    /// It stands in a configuration that programs read.
    Configuration,
    /// It stands in the header of a file of weights.
    Header,
    /// It was counted over the tensors that a header lists.
    Tensors,
    /// The text of a licence was recognised.
    LicenceText,
    /// The path says so: a folder's name, or a snapshot in a cache of the hub.
    Path,
    /// Whoever asked for the bill of materials said so.
    Given,
}

impl Method {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Configuration => "configuration",
            Self::Header => "header",
            Self::Tensors => "tensors",
            Self::LicenceText => "licence-text",
            Self::Path => "path",
            Self::Given => "given",
        }
    }
}

/// Where something stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// The file, below what was looked at.
    pub file: String,
    /// The line of a text, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The place in a document: a JSON pointer, or the key of a header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// How it was read.
    pub method: Method,
}

impl Evidence {
    /// A file as a whole.
    #[must_use]
    pub fn of(file: impl Into<String>, method: Method) -> Self {
        Self { file: file.into(), line: None, place: None, method }
    }

    /// Where it stands, in words: `README.md:12`, `config.json#/model_type`.
    #[must_use]
    pub fn place(&self) -> String {
        match (self.line, &self.place) {
            (Some(line), _) => format!("{}:{line}", self.file),
            (None, Some(place)) if place.starts_with('/') => format!("{}#{place}", self.file),
            (None, Some(place)) => format!("{} {place}", self.file),
            (None, None) => self.file.clone(),
        }
    }
}

/// A value, and where it was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Said<T> {
    /// What.
    pub value: T,
    /// Where.
    pub evidence: Evidence,
}

/// A text that was read.
pub type Text = Said<String>;

/// Everything that was gathered below a path.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bom {
    /// The name of the folder or file.
    pub name: String,
    /// Models, in order of folder.
    pub models: Vec<Model>,
    /// Datasets, in order of name.
    pub datasets: Vec<Dataset>,
    /// Software that the project needs.
    pub dependencies: Vec<Dependency>,
    /// Every file, once, in order of path.
    pub files: Vec<File>,
    /// How models were made, where somebody recorded it.
    pub training: Vec<Training>,
    /// What was not looked at or is odd, in order of place.
    pub remarks: Vec<Remark>,
    /// The time that the documents bear; none where none was given.
    pub time: Option<Timestamp>,
    /// The places in `files` of each owner's.
    #[serde(skip)]
    pub(super) by_owner: BTreeMap<Owner, Vec<usize>>,
}

/// Something to say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Remark {
    /// What it is about.
    pub location: String,
    /// What there is to say.
    pub text: String,
    /// Whether something could not be read, so that the bill of materials lacks it.
    pub is_gap: bool,
}

impl Remark {
    /// Something that could not be read.
    #[must_use]
    pub fn gap(location: impl Into<String>, text: impl Into<String>) -> Self {
        Self { location: location.into(), text: text.into(), is_gap: true }
    }

    /// Something that is odd.
    #[must_use]
    pub fn note(location: impl Into<String>, text: impl Into<String>) -> Self {
        Self { location: location.into(), text: text.into(), is_gap: false }
    }
}

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Tensors of a model.
    Weights,
    /// Tensors of an adapter, and what says what it is laid over.
    Adapter,
    /// Which tensor is in which file.
    Index,
    /// Settings of a model.
    Configuration,
    /// Vocabulary and rules of a tokenizer or of another preprocessor.
    Tokenizer,
    /// A chat template.
    Template,
    /// What describes a model or dataset for people.
    Card,
    /// A licence or a notice.
    Licence,
    /// Code that a loader imports when it is allowed to.
    RemoteCode,
    /// Rows of data.
    Data,
    /// Results of evaluations.
    Results,
    /// What records how something was made.
    Provenance,
    /// What says which software is needed.
    Dependencies,
    /// Code of the project.
    Code,
    /// Anything else.
    Other,
}

impl Role {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Weights => "weights",
            Self::Adapter => "adapter",
            Self::Index => "index",
            Self::Configuration => "configuration",
            Self::Tokenizer => "tokenizer",
            Self::Template => "template",
            Self::Card => "card",
            Self::Licence => "licence",
            Self::RemoteCode => "remote-code",
            Self::Data => "data",
            Self::Results => "results",
            Self::Provenance => "provenance",
            Self::Dependencies => "dependencies",
            Self::Code => "code",
            Self::Other => "other",
        }
    }
}

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Owner {
    /// The model of this number.
    Model(usize),
    /// The variant of this number of the model of that number.
    Variant(usize, usize),
    /// The dataset of this number.
    Dataset(usize),
    /// Nobody's in particular.
    Project,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct File {
    /// Its path below what was looked at, with `/` between its parts.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Of its bytes; none when they could not be read.
    pub sha256: Option<Sha256Digest>,
    /// What it is for.
    pub role: Role,
    /// The format that its bytes have, where it is known.
    pub format: Option<&'static str>,
    /// Whose it is.
    pub owner: Owner,
    /// What loading it would look up or call, beside what only builds data.
    pub imports: Vec<Import>,
}

/// A callable that a pickle names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Import {
    /// `module.name`.
    pub name: String,
    /// What is known of it: `inert`, `unlisted` or `dangerous`.
    pub standing: &'static str,
}

/// A model: weights, and everything that belongs to them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Model {
    /// The folder, below what was looked at; empty for the whole.
    pub folder: String,
    /// What it is called, without the owner.
    pub name: Text,
    /// Who published it under that name.
    pub supplier: Option<Text>,
    /// Its version: a commit on the hub, or what was given.
    pub version: Option<Text>,
    /// When it was released.
    pub release: Option<Said<Timestamp>>,
    /// Where it can be had.
    pub download: Option<Text>,
    /// Its package URL, where owner, name and revision are known.
    pub package_url: Option<String>,
    /// What its card says first.
    pub description: Option<Text>,
    /// What its licence is.
    pub licences: super::licence::Licences,
    /// The class of its architecture: `LlamaForCausalLM`.
    pub architecture: Option<Text>,
    /// The family: `llama`.
    pub family: Option<Text>,
    /// What it is for: `text-generation`.
    pub task: Option<Text>,
    /// The library that loads it.
    pub library: Option<Text>,
    /// Languages.
    pub languages: Vec<Text>,
    /// Tags of the card.
    pub tags: Vec<Text>,
    /// Settings, by key.
    pub settings: Vec<(String, Text)>,
    /// Its weights; none where there are only variants or an adapter.
    pub weights: Option<Weights>,
    /// The same model in other containers or with other numbers, checkpoints of it, and what lies beside it.
    pub variants: Vec<Variant>,
    /// What is laid over another model.
    pub adapter: Option<Adapter>,
    /// The tokenizer.
    pub tokenizer: Option<Tokenizer>,
    /// What it was made from, as files say.
    pub lineage: Vec<Ancestor>,
    /// Where they disagree.
    pub conflicts: Vec<Conflict>,
    /// Data that it was trained or measured with.
    pub data: Vec<DataUse>,
    /// Results of evaluations.
    pub metrics: Vec<Metric>,
    /// What making it cost.
    pub energy: Option<Energy>,
    /// Parts of its card for people.
    pub considerations: Considerations,
    /// Code that a loader imports when it is allowed to.
    pub remote_code: Vec<RemoteCode>,
    /// Papers, home pages and repositories that the card names.
    pub links: Vec<Link>,
}

/// Tensors, in as many files as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Weights {
    /// The container: `safetensors`, `gguf`, `pickle`.
    pub container: &'static str,
    /// The files, in order of path.
    pub files: Vec<String>,
    /// The index that joins them.
    pub index: Option<String>,
    /// Files that the index or the numbers of the others name and that are not there.
    pub missing: Vec<String>,
    /// How many tensors.
    pub tensors: u64,
    /// Elements of all of them.
    pub parameters: u64,
    /// Bytes of all of them.
    pub bytes: u64,
    /// Elements by type, most first.
    pub dtypes: Vec<(String, u64)>,
    /// Why the numbers are not those of all tensors.
    pub incomplete: Option<String>,
    /// How the numbers were made smaller.
    pub quantisation: Option<Text>,
}

impl Weights {
    /// Whether there is something to count: nothing that could not be read has 0 parameters.
    #[must_use]
    pub const fn is_counted(&self) -> bool {
        self.tensors > 0 || self.incomplete.is_none()
    }
}

/// How other weights are related to those of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kin {
    /// Another container, or smaller numbers.
    Form,
    /// Weights that training kept on its way.
    Checkpoint,
    /// Nothing says how.
    Beside,
}

impl Kin {
    /// The same in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Form => "the same model in another form",
            Self::Checkpoint => "a checkpoint of its training",
            Self::Beside => "other weights in its folder",
        }
    }

    /// The same in one word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Form => "variant",
            Self::Checkpoint => "checkpoint",
            Self::Beside => "beside it",
        }
    }
}

/// Other weights in a model's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Variant {
    /// What it is called: the model's name and what is different.
    pub name: String,
    /// How it is related to the model.
    pub kin: Kin,
    /// Its tensors.
    pub weights: Weights,
    /// What its header says.
    pub header: Vec<(String, Text)>,
}

/// Weights that are laid over those of another model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Adapter {
    /// The kind: `LORA`.
    pub kind: Option<Text>,
    /// Settings: rank, alpha, target modules.
    pub settings: Vec<(String, Text)>,
    /// Its tensors.
    pub weights: Weights,
    /// Its files, with the configuration.
    pub files: Vec<String>,
}

/// A tokenizer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tokenizer {
    /// Its class.
    pub class: Option<Text>,
    /// Entries of the vocabulary.
    pub vocabulary: Option<Said<u64>>,
    /// SHA-256 of each chat template, as text, and where it stands.
    pub templates: Vec<Text>,
    /// Its files.
    pub files: Vec<String>,
}

/// What a model was made from, as files say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ancestor {
    /// `owner/name`, or what stands there.
    pub name: String,
    /// A package URL or an address, where it is one.
    pub uri: Option<String>,
    /// A revision that is no part of the address.
    pub revision: Option<String>,
    /// `finetune`, `adapter`, `quantized`, `merge`, where a source says so.
    pub relation: Option<String>,
    /// Where it is said.
    pub evidence: Vec<Evidence>,
}

/// What data was used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// To train with.
    Training,
    /// To measure with.
    Evaluation,
}

/// Data that a model was made or measured with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct DataUse {
    /// The dataset of this number.
    pub dataset: usize,
    /// What for.
    pub purpose: Purpose,
    /// Where it is said.
    pub evidence: Vec<Evidence>,
}

/// A dataset: named, or there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Dataset {
    /// What it is called.
    pub name: String,
    /// Its address, where it is known.
    pub address: Option<String>,
    /// Its revision.
    pub revision: Option<String>,
    /// Files of it that are here.
    pub files: Vec<String>,
    /// Its licence.
    pub licences: super::licence::Licences,
    /// Bytes or rows, as its card says.
    pub size: Vec<(String, Text)>,
    /// What it is for.
    pub tasks: Vec<Text>,
    /// Languages.
    pub languages: Vec<Text>,
    /// Parts of its card, for people.
    pub description: Option<Text>,
    /// Where it is named.
    pub evidence: Vec<Evidence>,
}

/// One result.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Metric {
    /// `accuracy`.
    pub kind: String,
    /// As it is written.
    pub value: String,
    /// The task it was measured on.
    pub task: Option<String>,
    /// The dataset, its configuration and split.
    pub data: Option<String>,
    /// Whether the hub's signature of it stands there; it is not checked.
    pub verified: bool,
    /// Where it stands.
    pub evidence: Evidence,
}

/// What making a model cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Energy {
    /// Grams of CO2 equivalent.
    pub grams: Option<Said<f64>>,
    /// Kilowatt-hours.
    pub kilowatt_hours: Option<Said<f64>>,
    /// `training`, `fine-tuning`, as the card says.
    pub activity: Option<Text>,
    /// Hardware, place and source, as the card says.
    pub notes: Vec<(String, Text)>,
}

/// Parts of a card for people, word for word.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Considerations {
    /// What it is meant for.
    pub uses: Vec<Text>,
    /// What it cannot do.
    pub limitations: Vec<Text>,
    /// What may do harm.
    pub ethics: Vec<Text>,
    /// What it was trained with and how.
    pub training: Vec<Text>,
    /// How its data was prepared.
    pub preprocessing: Vec<Text>,
}

/// Code that comes with a model.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct RemoteCode {
    /// What it is loaded as: `AutoModelForCausalLM`.
    pub class: String,
    /// `modeling_tiny.TinyForCausalLM`, perhaps of another repository.
    pub target: String,
    /// The file, where it is here.
    pub file: Option<String>,
    /// Where it is named.
    pub evidence: Evidence,
}

/// An address that a card names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Link {
    /// `paper`, `home`, `repository`, `demo`.
    pub kind: &'static str,
    /// The address.
    pub address: Text,
}

/// How a model was made, as somebody recorded it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Training {
    /// `train`, `fine-tune` and so on; else the URI of the build type.
    pub kind: String,
    /// The identifier of the run.
    pub run: Option<String>,
    /// Who ran it.
    pub builder: Option<String>,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub finished: Option<Timestamp>,
    /// What the user chose.
    pub parameters: Vec<(String, String)>,
    /// What went in: role, name, and digest where there is one.
    pub inputs: Vec<(String, String, Option<String>)>,
    /// Files of the model that came out, by digest.
    pub outputs: Vec<String>,
    /// Where it is recorded.
    pub evidence: Evidence,
    /// Whether a signature covers the record; whose is not judged here.
    pub signed: bool,
}

impl Model {
    /// `owner/name`, or the name alone.
    #[must_use]
    pub fn full_name(&self) -> String {
        match &self.supplier {
            Some(owner) if owner.evidence.method == Method::Path => format!("{}/{}", owner.value, self.name.value),
            _ => self.name.value.clone(),
        }
    }

    /// Parameters: of its weights, of its adapter, or of the only variant.
    #[must_use]
    pub fn main_weights(&self) -> Option<&Weights> {
        let adapter = || self.adapter.as_ref().map(|adapter| &adapter.weights).filter(|weights| weights.tensors > 0);
        self.weights.as_ref().or_else(adapter)
    }
}

impl Bom {
    /// Files of an owner.
    pub fn files_of(&self, owner: Owner) -> impl Iterator<Item = &File> {
        self.by_owner.get(&owner).into_iter().flatten().filter_map(|at| self.files.get(*at))
    }

    /// Whether something could not be read.
    #[must_use]
    pub fn has_gaps(&self) -> bool {
        self.remarks.iter().any(|remark| remark.is_gap) || self.files.iter().any(|file| file.sha256.is_none())
    }
}
