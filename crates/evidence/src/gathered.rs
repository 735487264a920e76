//! What is known of a subject when it is judged: plain values, gathered elsewhere. An empty list of places that were
//! searched means that nobody looked, and what nobody looked for is unknown, not absent.

use serde::{Deserialize, Serialize};

use crate::digest::Sha256Digest;
use crate::finding::Finding;
use crate::ingredient::IngredientKind;
use crate::project::ProjectEvidence;
use crate::statement::ResourceDescriptor;
use crate::statement::provenance::{BuildType, Provenance, role_of};
use crate::statement::role::Role;
use crate::verdict::Decision;

/// What is judged, as far as conditions may ask.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Subject {
    /// Its path, as it was named; several paths, separated by commas.
    pub name: String,
    /// Ids of the formats that are in it, each once, in order.
    pub formats: Vec<String>,
    /// Bytes of its files.
    pub size: u64,
    /// How many files it has.
    pub files: u64,
    /// Whether it is one file, which nothing lies beside.
    pub is_file: bool,
}

/// Everything known of a subject.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Evidence {
    /// What rules found in it.
    pub findings: Vec<Finding>,
    /// Its files.
    pub files: Vec<FileEvidence>,
    /// The models and datasets of the project that are in it.
    pub parts: Vec<Part>,
    /// What signatures say of it and of its parts.
    pub signatures: Vec<SignatureEvidence>,
    /// What it was compared with that is refused whoever signed it.
    pub denials: Denials,
    /// Statements about it.
    pub statements: Statements,
    /// What it was made from.
    pub ancestry: Ancestry,
    /// What was looked at of its code, its packages and its papers.
    pub project: ProjectEvidence,
}

/// A file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct FileEvidence {
    /// Its path, as reports tell it.
    pub path: String,
    /// Id of its format; none where nobody knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Ids of the formats that are inside it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inside: Vec<String>,
    /// Bytes.
    pub size: u64,
    /// Tensors that it holds.
    pub tensors: u64,
}

impl FileEvidence {
    /// Its format and those inside it.
    pub fn formats(&self) -> impl Iterator<Item = &str> {
        self.format.iter().chain(&self.inside).map(String::as_str)
    }
}

/// A model or dataset that the project names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Part {
    /// What it is.
    pub kind: IngredientKind,
    /// What people call it.
    pub name: String,
    /// Its path, as reports tell it.
    pub path: String,
    /// Whether the lock names its files.
    pub locked: bool,
    /// Where the settings say that it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// What signatures say of a subject or a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SignatureEvidence {
    /// The path of what is or is not signed.
    pub place: String,
    /// Whether the settings say that it has to be signed, or name who may sign it and a signature is there.
    #[serde(default)]
    pub declared: bool,
    /// The digest of the file with the signature, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256Digest>,
    /// What was found.
    #[serde(flatten)]
    pub state: SignatureState,
}

/// What verifying found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum SignatureState {
    /// No signature was found.
    Absent {
        /// Files that were looked for.
        looked_for: Vec<String>,
    },
    /// It is what these trusted signers signed.
    Good {
        /// Their names in the settings.
        signers: Vec<String>,
        /// Paths below it that they did not sign.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        uncovered: Vec<String>,
    },
    /// It is not what trusted signers signed.
    Bad {
        /// Why not.
        reason: String,
    },
    /// A signature is there, and could not be judged.
    Unjudged {
        /// Why not.
        reason: String,
    },
}

/// A comparison with the digests that are refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Denials {
    /// How many digests are refused.
    pub listed: u64,
    /// Those that are here.
    pub found: Vec<Denial>,
    /// Files that have no digest to compare.
    pub undigested: u64,
}

/// Something here that is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Denial {
    /// Its path, as reports tell it.
    pub place: String,
    /// Its digest.
    pub digest: Sha256Digest,
    /// Why it is refused.
    pub reason: String,
}

/// Statements about the subject.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Statements {
    /// Where they were looked for. Nowhere: nothing is known.
    pub searched: Vec<String>,
    /// Those that were found.
    pub found: Vec<StatementEvidence>,
}

/// A statement, and who stands behind it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct StatementEvidence {
    /// What kind of claim it is.
    pub predicate_type: String,
    /// The file or entry that it was read from.
    pub place: String,
    /// The digest of its envelope or bundle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256Digest>,
    /// Who signed it, where that is proven.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// Whether the settings trust this signer for this subject.
    pub trusted: bool,
    /// That it refuses the subject, in its words, where a signer that the settings trust says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objection: Option<String>,
    /// How the subject was made, where it says that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provenance: Option<ProvenanceFacts>,
}

/// What a provenance says, as far as it is judged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ProvenanceFacts {
    /// The URI of its build type.
    pub build_type: String,
    /// Who ran it.
    pub builder: String,
    /// What was read.
    pub dependencies: Vec<DependencyFact>,
    /// Seeds that were set, as `name = value`.
    pub seeds: Vec<String>,
    /// Hardware that it ran on.
    pub hardware: Vec<String>,
    /// Names of logs that came out.
    pub logs: Vec<String>,
}

/// Something that a run read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DependencyFact {
    /// Its name or URI.
    pub name: String,
    /// Its part in the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Whether a digest says which it was.
    pub digested: bool,
}

/// What the subject was made from, to the end of what is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Ancestry {
    /// Where it was looked for. Nowhere: nothing is known.
    pub searched: Vec<String>,
    /// The ancestors, each once.
    pub nodes: Vec<Ancestor>,
    /// Ancestors that are named, and of which nothing is known.
    pub missing: Vec<String>,
    /// Ancestors that descend from themselves, by name.
    pub cycles: Vec<Vec<String>>,
    /// Why there may be more, in words.
    pub incomplete: Vec<String>,
}

/// Something that the subject was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Ancestor {
    /// What it is called.
    pub name: String,
    /// Its digest, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Sha256Digest>,
    /// Its part in what descends from it.
    pub role: Role,
    /// How many steps it is away; 1 for a parent.
    pub depth: u32,
    /// What stands behind what is said of it.
    pub assurance: Assurance,
    /// Why it is refused, where it is on a list of what is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied: Option<String>,
    /// What was decided of it before, by somebody who is trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Decision>,
}

/// What stands behind something that is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Assurance {
    /// A signature.
    Signed {
        /// Whose.
        by: String,
        /// Whether the settings trust them for it.
        trusted: bool,
    },
    /// A tool wrote it into a file.
    DerivedFromFile,
    /// Somebody wrote it down.
    SelfDeclared,
    /// Nothing.
    Unsigned,
}

impl Ancestor {
    /// Whether somebody who is trusted has signed it.
    #[must_use]
    pub const fn is_trusted(&self) -> bool {
        matches!(self.assurance, Assurance::Signed { trusted: true, .. })
    }
}

impl Evidence {
    /// The attestations that speak for the subject and are trusted: what they are, where they are kept, and their digests.
    pub fn attestations(&self) -> impl Iterator<Item = (&str, &str, Sha256Digest)> {
        let signatures = self.signatures.iter().filter_map(|signature| match &signature.state {
            SignatureState::Good { .. } => Some(("signature", signature.place.as_str(), signature.sha256?)),
            _ => None,
        });
        let trusted = self.statements.found.iter().filter(|statement| statement.trusted);
        let statements = trusted.filter_map(|it| Some((it.predicate_type.as_str(), it.place.as_str(), it.sha256?)));
        signatures.chain(statements)
    }
}

impl Statements {
    /// What trusted signers say of how the subject was made.
    pub fn trusted_provenance(&self) -> impl Iterator<Item = (&StatementEvidence, &ProvenanceFacts)> {
        let trusted = self.found.iter().filter(|statement| statement.trusted);
        trusted.filter_map(|statement| Some((statement, statement.provenance.as_ref()?)))
    }
}

impl ProvenanceFacts {
    /// The roles that a run of this kind has to name.
    #[must_use]
    pub fn expected_roles(&self) -> &'static [Role] {
        match BuildType::of_uri(&self.build_type) {
            Some(BuildType::Convert) => &[Role::ConvertedFrom],
            Some(BuildType::Merge | BuildType::Quantize) => &[Role::BaseModel],
            Some(BuildType::PrepareDataset) => &[Role::Dataset, Role::Code],
            Some(BuildType::Train) => &[Role::Dataset, Role::Code, Role::Environment],
            Some(BuildType::FineTune) | None => &[Role::BaseModel, Role::Dataset, Role::Code, Role::Environment],
        }
    }

    /// What was read in a role. Packages make up an environment as a list of them does.
    pub fn in_role(&self, role: Role) -> impl Iterator<Item = &DependencyFact> {
        let fits = move |found: Role| found == role || (role == Role::Environment && found == Role::Dependency);
        self.dependencies.iter().filter(move |dependency| dependency.role.is_some_and(fits))
    }
}

impl From<&Provenance> for ProvenanceFacts {
    fn from(provenance: &Provenance) -> Self {
        let Provenance { build_definition: build, run_details: run } = provenance;
        let dependencies = build.resolved_dependencies.iter().map(|dependency| DependencyFact {
            name: dependency.name.clone().or_else(|| dependency.uri.clone()).unwrap_or_default(),
            role: role_of(dependency),
            digested: !dependency.digest.is_empty(),
        });
        let mut facts = Self {
            build_type: build.build_type.clone(),
            builder: run.builder.id.clone(),
            dependencies: dependencies.collect(),
            ..Self::default()
        };
        facts.read_parameters("", &build.external_parameters, MAX_DEPTH);
        if let Some(internal) = &build.internal_parameters {
            facts.read_parameters("", internal, MAX_DEPTH);
        }
        facts.logs =
            run.byproducts.iter().filter(|byproduct| is_log(byproduct)).filter_map(|it| it.name.clone()).collect();
        facts
    }
}

/// Levels of parameters that are looked into.
const MAX_DEPTH: u32 = 6;
/// Words of which one is in the name of a parameter that tells of hardware.
const HARDWARE: [&str; 13] = [
    "hardware",
    "gpu",
    "gpus",
    "cpu",
    "cpus",
    "processor",
    "processors",
    "accelerator",
    "accelerators",
    "cuda",
    "device",
    "devices",
    "tpu",
];
/// Words of which one is in the name of a parameter that is a seed.
const SEEDS: [&str; 2] = ["seed", "seeds"];
/// What `waag run` calls what Python had in force when it ended. PyTorch has a seed also where nobody set one.
const IN_FORCE: &str = "python";
/// What `waag run` calls a byproduct that is the log, among its annotations as `kind`.
const LOG: &str = "log";

impl ProvenanceFacts {
    /// Build types differ in where seeds and hardware stand; their names do not.
    fn read_parameters(&mut self, name: &str, value: &serde_json::Value, depth: u32) {
        use serde_json::Value;
        let is_hardware = has_word(name.rsplit('.').next().unwrap_or(name), &HARDWARE) || has_word(name, &["hardware"]);
        match value {
            Value::Object(object) if depth > 0 => {
                for (key, value) in object {
                    let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                    self.read_parameters(&name, value, depth - 1);
                }
            }
            Value::Array(list) if depth > 0 => {
                list.iter().for_each(|value| self.read_parameters(name, value, depth - 1));
            }
            Value::Number(_) | Value::String(_) if is_seed(name) => {
                self.seeds.push(format!("{name} = {}", plain(value)));
            }
            Value::Number(_) | Value::String(_) if is_hardware => {
                self.hardware.push(format!("{name} = {}", plain(value)));
            }
            _ => {}
        }
    }
}

/// Whether a parameter is a seed that somebody chose: by a word of its own name, or of what it stands in.
fn is_seed(name: &str) -> bool {
    name.split('.').all(|part| part != IN_FORCE) && has_word(name, &SEEDS)
}

/// Whether one of these words stands in a name: `gpuCount`, `gpu_count` and `hardware.gpu` have the word `gpu`, and
/// `outputs` does not have `tpu`.
fn has_word(name: &str, words: &[&str]) -> bool {
    let mut word = String::new();
    let mut before = ' ';
    for letter in name.chars().chain([' ']) {
        if !letter.is_alphanumeric() || (letter.is_uppercase() && before.is_lowercase()) {
            if words.contains(&word.as_str()) {
                return true;
            }
            word.clear();
        }
        word.extend(letter.to_lowercase().filter(|letter| letter.is_alphabetic()));
        before = letter;
    }
    false
}

/// Whether a byproduct is a log: it says so itself, or, where it says nothing, its name ends so.
fn is_log(byproduct: &ResourceDescriptor) -> bool {
    match byproduct.annotations.get("kind") {
        Some(kind) => *kind == LOG,
        None => byproduct.name.as_ref().is_some_and(|name| name.to_ascii_lowercase().ends_with(".log")),
    }
}

fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statement::provenance::with_role;

    #[test]
    fn a_provenance_is_read_wherever_its_parameters_stand() {
        let text = r#"{"buildDefinition":{"buildType":"https://waag.dev/build-types/train/v1","externalParameters":{"seeds":{"torch":7}},
            "internalParameters":{"hardware":{"gpu":["H100"],"memory":80}}},
            "runDetails":{"builder":{"id":"b"},"byproducts":[{"name":"train.log"},{"name":"plot.png"}]}}"#;
        let mut provenance: Provenance = serde_json::from_str(text).unwrap();
        let data = ResourceDescriptor { uri: Some("data".into()), ..ResourceDescriptor::default() };
        provenance.build_definition.resolved_dependencies.push(with_role(data, Role::Dataset));
        let facts = ProvenanceFacts::from(&provenance);
        assert_eq!(facts.seeds, ["seeds.torch = 7"]);
        assert_eq!(facts.hardware, ["hardware.gpu = H100", "hardware.memory = 80"]);
        assert_eq!(facts.logs, ["train.log"]);
        assert_eq!(facts.in_role(Role::Dataset).count(), 1);
        assert_eq!(facts.expected_roles(), [Role::Dataset, Role::Code, Role::Environment]);
    }

    #[test]
    fn words_within_words_are_no_seeds_and_no_hardware() {
        let text = r#"{"buildDefinition":{"buildType":"b","externalParameters":{"outputs":["x"],"command":["a"],"linseed":"no",
            "data_seed":3,"evalSeed":5},
            "internalParameters":{"machine":{"processor":"EPYC 7763"},"python":{"torch.initialSeed":7,"torch":{"seed":9}}}},
            "runDetails":{"builder":{"id":"b"},"byproducts":[{"name":"catalog.json"},{"name":"blog","annotations":{"kind":"metrics"}},
            {"name":"out","annotations":{"kind":"log"}}]}}"#;
        let facts = ProvenanceFacts::from(&serde_json::from_str::<Provenance>(text).unwrap());
        assert_eq!(facts.seeds, ["data_seed = 3", "evalSeed = 5"]);
        assert_eq!(facts.hardware, ["machine.processor = EPYC 7763"]);
        assert_eq!(facts.logs, ["out"]);
    }

    #[test]
    fn evidence_is_read_as_it_is_written() {
        let signature = SignatureEvidence {
            place: "m".into(),
            declared: true,
            sha256: None,
            state: SignatureState::Good { signers: vec!["release".into()], uncovered: vec![".github".into()] },
        };
        let evidence = Evidence { signatures: vec![signature], ..Evidence::default() };
        let text = serde_json::to_string(&evidence).unwrap();
        assert_eq!(serde_json::from_str::<Evidence>(&text).unwrap(), evidence);
    }
}
