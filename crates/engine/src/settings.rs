//! The settings file, `waag.toml`: where it is looked for and what it may say.

mod compute;
pub mod draft;
mod policy;
pub mod policy_test;

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use waag_evidence::exception::Exception;
use waag_evidence::ingredient::{Ingredient, IngredientKind};
use waag_evidence::{Location, Policy, TrustPolicy};

use compute::ComputeTable;
use policy::{Placer, PolicyTable};
use policy_test::PolicyTest;

pub use compute::{Driver, NoDriver};

/// Name of the file.
pub const FILE_NAME: &str = "waag.toml";
/// Bytes of it that are read. Settings are written by people.
const MAX_BYTES: u64 = 1 << 20;

/// What the user has settled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// What must be true of a subject.
    pub policy: Policy,
    /// The models and datasets that the project is made of, in the order in which they are named.
    pub ingredients: Vec<(IngredientKind, Ingredient)>,
    /// Who may sign what.
    pub trust: TrustPolicy,
    /// The driver of the machines that the project is to run on.
    pub driver: Option<Driver>,
    /// What the policy has to decide of some subjects.
    pub tests: Vec<PolicyTest>,
    /// The folder that the file lies in, where relative paths start.
    pub folder: PathBuf,
}

/// Why settings could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("cannot read the settings in '{}': {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is longer than anybody writes.
    #[error("the settings in '{}' are longer than {MAX_BYTES} bytes", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// The file says something that is not understood.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: usize,
        /// Character within the line, counted from 1.
        column: usize,
        /// What is wrong there.
        message: String,
    },
}

impl SettingsError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Read { .. } => "name a readable file with --config, or leave the option out".to_owned(),
            Self::TooLong { .. } => format!("is this really a {FILE_NAME}? Name the right file with --config"),
            Self::Invalid { message, .. } => hint_for(message).to_owned(),
        }
    }
}

/// The parts of the file that are most often written wrongly, each with a sample to copy.
fn hint_for(message: &str) -> &'static str {
    if message.contains("no control") || message.contains("the control '") {
        "`waag policy show` lists the controls and how much each counts: off, advise, inconclusive, deny-known or deny"
    } else if message.contains("condition")
        || message.contains("Syntax error")
        || message.contains("there is no variable")
    {
        "`waag policy explain conditions` lists what a condition may ask:\n  [[policy.rule]]\n  name = \"no-pickles\"\n  \
         when = \"'pickle' in subject.formats\"\n  then = \"deny\"\n  reason = \"we load safetensors only\""
    } else if message.contains("the driver '") {
        compute::HINT
    } else if message.contains("exception") || message.contains("`until`") || message.contains("`reason`") {
        "an exception looks like this:\n  [[exception]]\n  rule = \"unlisted-callable\"\n  path = \"models/*.pkl\"\n  \
         reason = \"reviewed: our own class\"\n  until = \"2027-01-31\""
    } else if message.contains("folder of waag.toml") || message.contains("missing field `path`") {
        "a model or dataset looks like this:\n  [[model]]\n  name = \"base\"\n  path = \"models/base\""
    } else if message.contains("signer") || message.contains("denied digest") {
        "who may sign what looks like this:\n  [[trust.signer]]\n  name = \"release\"\n  key = \"release.pub.pem\"\n  \
         [[trust.rule]]\n  subject = \"models/**\"\n  signers = [\"release\"]"
    } else if message.contains("unknown variant") {
        "grades are info, low, medium, high and critical"
    } else if !message.contains("field") {
        "settings are TOML: texts stand in quotes, and every line is a [table] or a key = value"
    } else {
        "the tables are [policy] (deny-at, inconclusive-at, allow-incomplete-unsafe, sources), [policy.controls], \
         [[policy.rule]] (name, when, then, reason, next), [[policy.test]] (name, subject, evidence, expect, controls), \
         [[exception]] (rule or control, path, subject, reason, until), [[model]] and [[dataset]] (name, path, pins, \
         signature, attestations, source), [[trust.signer]], [[trust.rule]], [[trust.denied]] and [compute] (driver)"
    }
}

/// The file as written. Exceptions stand beside the policy, not below it: they are what people add to most.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    policy: PolicyTable,
    /// Read one by one, so that a mistake is placed at its entry.
    #[serde(rename = "exception")]
    exceptions: Vec<Spanned<toml::Table>>,
    #[serde(rename = "model")]
    models: Vec<Spanned<toml::Table>>,
    #[serde(rename = "dataset")]
    datasets: Vec<Spanned<toml::Table>>,
    trust: Option<Spanned<toml::Table>>,
    compute: ComputeTable,
}

impl Settings {
    /// Reads a settings file.
    ///
    /// # Errors
    /// When it cannot be read or says something that is not understood.
    pub fn load(path: &Path) -> Result<Self, SettingsError> {
        let text = read(path)?;
        Self::parse(&text, path)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, SettingsError> {
        let file: File = toml::from_str(text).map_err(|error| invalid(text, path, &error, 0))?;
        let (policy, tests) =
            file.policy.resolve(&Placer { text, error: &|at, message| placed(text, path, at, message) })?;
        let exceptions = file.exceptions.into_iter().map(|found| exception(found, &policy, text, path));
        let exceptions = exceptions.collect::<Result<_, _>>()?;
        let models = file.models.into_iter().map(|model| (IngredientKind::Model, model));
        let datasets = file.datasets.into_iter().map(|dataset| (IngredientKind::Dataset, dataset));
        let ingredients = models.chain(datasets).map(|(kind, found)| Ok((kind, entry(found, text, path)?)));
        let ingredients = ingredients.collect::<Result<_, SettingsError>>()?;
        let trust = file.trust.map(|table| entry(table, text, path)).transpose()?.unwrap_or_default();
        let driver = file.compute.driver(|start| Location {
            line: Some(line_and_column(text, start).0 as u64),
            ..Location::file(path.display().to_string())
        });
        let driver = driver.map_err(|(start, error)| placed(text, path, start, error.to_string()))?;
        let policy = Policy { exceptions, ..policy };
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        Ok(Self { policy, ingredients, trust, driver, tests, folder })
    }

    /// The digest of everything in them that decides.
    #[must_use]
    pub fn policy_digest(&self) -> waag_evidence::Sha256Digest {
        self.policy.digest(&self.trust)
    }
}

/// The settings file in force for a directory: the nearest one upwards, no further than the repository it lies in.
///
/// Outside a repository only the directory itself counts: a shared parent such as a temporary folder is writable by
/// others, who could except their own findings there.
#[must_use]
pub fn find(directory: &Path) -> Option<PathBuf> {
    let root = directory.ancestors().find(|directory| directory.join(".git").exists()).unwrap_or(directory);
    let inside = directory.ancestors().take_while(|directory| directory.starts_with(root));
    inside.map(|directory| directory.join(FILE_NAME)).find(|path| path.is_file())
}

fn read(path: &Path) -> Result<String, SettingsError> {
    use io::Read as _;
    let failed = |source| SettingsError::Read { path: path.to_owned(), source };
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    io::copy(&mut file.take(MAX_BYTES + 1), &mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(SettingsError::TooLong { path: path.to_owned() });
    }
    String::from_utf8(bytes).map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidData, error)))
}

fn entry<T: DeserializeOwned>(found: Spanned<toml::Table>, text: &str, path: &Path) -> Result<T, SettingsError> {
    let start = found.span().start;
    found.into_inner().try_into().map_err(|error| invalid(text, path, &error, start))
}

/// An exception that is about something there is.
fn exception(
    found: Spanned<toml::Table>,
    policy: &Policy,
    text: &str,
    path: &Path,
) -> Result<Exception, SettingsError> {
    let start = found.span().start;
    let exception: Exception = entry(found, text, path)?;
    let known =
        |id: &str| waag_evidence::control::find(id).is_some() || policy.rules.iter().any(|rule| rule.name == id);
    match exception.control.as_deref().filter(|id| !known(id)) {
        Some(id) => {
            Err(placed(text, path, start, format!("there is no control and no rule of the policy called '{id}'")))
        }
        None => Ok(exception),
    }
}

/// A mistake at its place, or at `start` when the reader does not say where it is.
fn invalid(text: &str, path: &Path, error: &toml::de::Error, start: usize) -> SettingsError {
    let start = error.span().map_or(start, |span| span.start);
    placed(text, path, start, error.message().to_owned())
}

/// A mistake at a byte of the text.
fn placed(text: &str, path: &Path, start: usize, message: String) -> SettingsError {
    let (line, column) = line_and_column(text, start);
    SettingsError::Invalid { path: path.to_owned(), line, column, message }
}

/// Where a byte of the text stands, both counted from 1.
fn line_and_column(text: &str, start: usize) -> (usize, usize) {
    let before = text.get(..start).unwrap_or_default();
    (before.matches('\n').count() + 1, before.rsplit('\n').next().unwrap_or_default().chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Settings, String> {
        Settings::parse(text, Path::new(FILE_NAME)).map_err(|error| format!("{error}\nhint: {}", error.hint()))
    }

    #[test]
    fn an_empty_file_is_the_default() {
        assert_eq!(parse(""), Ok(Settings::default()));
    }

    #[test]
    fn policy_and_exceptions_are_read() {
        let settings = parse(
            "[policy]\ndeny-at = 'critical'\n\
             [[exception]]\nrule = 'x'\npath = '*.pt'\nreason = 'ours'\nuntil = '2027-01-31'",
        )
        .unwrap();
        assert_eq!(settings.policy.deny_at, waag_evidence::Severity::Critical);
        assert_eq!(settings.policy.inconclusive_at, Policy::default().inconclusive_at);
        assert_eq!(settings.policy.exceptions.len(), 1);
    }

    #[test]
    fn the_driver_says_where_it_is_said() {
        let driver = parse("[compute]\n# the cluster\ndriver = '535.104.05'").unwrap().driver.unwrap();
        assert_eq!((driver.version.as_str(), driver.location.line), ("535.104.05", Some(3)));
        assert_eq!(driver.location.file, FILE_NAME);
    }

    #[test]
    fn mistakes_are_placed_and_explained() {
        let errors = [
            "[policy]\ndeny-at = 'severe'",
            "[policy]\ndeny = 'high'",
            "[[exception]]\nrule = 'x'\npath = '*'\nuntil = '2027-01-31'",
            "[policy]\n[[exception]]\nrule = 'x'\npath = '*'\nreason = 'ours'\nuntil = '2027-01-31'\nfor = 'me'",
            "[[exception]]\nrule = 'x'\npath = '*'\nreason = 'ours'\nuntil = 'soon'",
            "[[trust.signer]]\nname = 'a'",
            "[trust]\n[[trust.rule]]\nsubject = '*'\nsigners = ['a']",
            "policy = ",
            "[policy.controls]\nsignatur = 'deny'",
            "[policy.controls]\nsignature = 'always'",
            "[policy.controls]\nnot-denied = 'off'",
            "[[exception]]\ncontrol = 'signatur'\npath = '*'\nreason = 'ours'\nuntil = '2027-01-31'",
            "[[policy.rule]]\nname = 'a'\nwhen = \"true && subject.nam == 'x'\"\nthen = 'deny'\nreason = 'so'",
            "[[policy.rule]]\nname = 'a'\nwhen = \"\"\"\n  true &&\n  subject.nam == 'x'\"\"\"\nthen = 'deny'\nreason = 'so'",
            "[[policy.rule]]\nname = 'signature'\nwhen = 'true'\nthen = 'deny'\nreason = 'so'",
            "[[policy.rule]]\nname = 'a'\nwhen = 'true'\nthen = 'allow'\nreason = 'so'",
            "[[policy.test]]\nname = 'a'\nexpect = 'deny'",
            "[compute]\ndriver = '12.4'",
            "[compute]\n\ndriver = 'here'",
            "[compute]\ndriver = '535'",
            "[compute]\ndriver = 535.104",
            "[compute]\ncuda = '12.4'",
        ]
        .map(|text| parse(text).expect_err(text));
        insta::assert_snapshot!(errors.join("\n\n"));
    }

    #[test]
    fn the_nearest_file_within_the_repository_counts() {
        let outside = tempfile::tempdir().unwrap();
        let root = outside.path().join("repository");
        let below = root.join("a/b");
        std::fs::create_dir_all(&below).unwrap();
        std::fs::write(outside.path().join(FILE_NAME), "").unwrap();
        assert_eq!(find(&below), None, "nothing above a directory outside a repository");
        std::fs::create_dir(root.join(".git")).unwrap();
        assert_eq!(find(&below), None, "nothing above the repository");
        std::fs::write(root.join(FILE_NAME), "").unwrap();
        assert_eq!(find(&below), Some(root.join(FILE_NAME)));
        std::fs::write(below.join(FILE_NAME), "").unwrap();
        assert_eq!(find(&below), Some(below.join(FILE_NAME)));
    }
}
