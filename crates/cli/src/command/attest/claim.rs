//! What is said: read from a file, told by options, or made now.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueHint};
use serde_json::{Map, Value};
use waag_engine::attest::dependency::Dependency;
use waag_engine::attest::policy::PolicySource;
use waag_engine::attest::provenance::Declared;
use waag_engine::attest::{Claim, Judged};
use waag_engine::lock::ProjectLock;
use waag_engine::sanitize::sanitize;
use waag_engine::scan::Options;
use waag_engine::settings::{self, Settings};
use waag_evidence::statement::evidence::EvidenceType;
use waag_evidence::statement::provenance::BuildType;
use waag_evidence::unique;

use super::super::project::{root_of, sources};
use super::super::verify::came_with;
use crate::failure::Failure;
use crate::keyless::read;
use crate::terminal::Terminal;

/// Bytes of a predicate that are read: a bill of materials may be long.
const MAX_BYTES: u64 = 128 << 20;

/// What is said.
#[derive(Debug, Args)]
pub(super) struct ClaimOptions {
    /// File with the predicate, in JSON; - for stdin. Not needed for scan, verdict, and provenance with --build-type
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "What is said")]
    predicate: Option<PathBuf>,

    /// The step that made it, for provenance
    #[arg(long, value_name = "STEP", value_parser = steps(), conflicts_with = "predicate", help_heading = "What is said")]
    build_type: Option<BuildType>,

    /// Something that was read in that step: ROLE=PATH or ROLE=URI, with @sha256:DIGEST where it is known
    #[arg(long, value_name = "ROLE=PLACE", requires = "build_type", help_heading = "What is said")]
    dependency: Vec<String>,

    /// Something that was chosen in that step: NAME=VALUE, in JSON or as text
    #[arg(long, value_name = "NAME=VALUE", requires = "build_type", help_heading = "What is said")]
    parameter: Vec<String>,

    /// Who ran that step, by URI [default: nobody watched, and whoever signs says so]
    #[arg(long, value_name = "URI", requires = "build_type", help_heading = "What is said")]
    builder: Option<String>,

    /// Settings file with the policy, instead of the nearest waag.toml up to the repository's root
    #[arg(long, value_name = "FILE", conflicts_with_all = ["predicate", "build_type"], value_hint = ValueHint::FilePath, help_heading = "What is said")]
    config: Option<PathBuf>,

    /// What the policy is called globally [default: file:waag.toml]
    #[arg(long, value_name = "URI", conflicts_with_all = ["predicate", "build_type"], help_heading = "What is said")]
    policy_uri: Option<String>,

    /// Where those who rely on a verdict get the subject from [default: file: and its name]
    #[arg(long, value_name = "URI", conflicts_with_all = ["predicate", "build_type"], help_heading = "What is said")]
    resource_uri: Option<String>,
}

fn steps() -> impl TypedValueParser<Value = BuildType> {
    let values = BuildType::ALL.map(|step| PossibleValue::new(step.name()).help(step.about()));
    let find = |name: String| BuildType::ALL.into_iter().find(|step| step.name() == name);
    PossibleValuesParser::new(values).try_map(move |name| find(name).ok_or("no such step"))
}

impl ClaimOptions {
    /// The claim of this type about a subject.
    pub(super) fn claim(
        &self,
        subject: &Path,
        evidence: &EvidenceType,
        terminal: &Terminal,
    ) -> Result<Claim<'_>, Failure> {
        if let Some(path) = &self.predicate {
            return Ok(Claim::Given(predicate(path)?));
        }
        if self.resource_uri.is_some() && evidence.id != "verdict" {
            return Err(not_for("--resource-uri", "verdict"));
        }
        match (evidence.id, self.build_type) {
            ("provenance", Some(build_type)) => self.declared(build_type).map(Claim::Provenance),
            (_, Some(_)) => Err(not_for("--build-type", "provenance")),
            ("scan", None) => self.judged(subject, terminal).map(Claim::Scan),
            ("verdict", None) => {
                let Judged { options, policy } = self.judged(subject, terminal)?;
                // A verdict is `check`'s, by every control.
                let options = Options { controls: Some(sources(&options.settings)), ..options };
                Ok(Claim::Verdict(Judged { options, policy }, self.resource_uri.clone()))
            }
            ("provenance", None) => Err(Failure::with_hint(
                "it is not said how the subject was made",
                "name the step with --build-type and what it read with --dependency, or a file with --predicate",
            )),
            (id, None) => Err(Failure::with_hint(
                format!("waag makes no predicate of the type '{id}'"),
                format!("name a file with --predicate; {} says what has to be in it", evidence.specification),
            )),
        }
    }

    fn declared(&self, build_type: BuildType) -> Result<Declared, Failure> {
        let dependencies = self.dependency.iter().map(|text| text.parse::<Dependency>());
        let dependencies = dependencies.collect::<Result<_, _>>().map_err(waag_engine::attest::AttestError::from)?;
        let parameters = parameters(&self.parameter)?;
        Ok(Declared { build_type, builder: self.builder.clone(), parameters, dependencies })
    }

    /// How to judge: as `check` does here.
    fn judged(&self, subject: &Path, terminal: &Terminal) -> Result<Judged<'_>, Failure> {
        let found = match &self.config {
            Some(path) => Some(path.clone()),
            None => std::env::current_dir().ok().and_then(|directory| settings::find(&directory)),
        };
        let uri = self.policy_uri.as_deref();
        let Some(path) = found else {
            return Ok(Judged { options: Options::default(), policy: PolicySource { file: None, uri } });
        };
        let shown = sanitize(&path.display().to_string());
        if self.config.is_none() && came_with(subject, &path) {
            return Err(Failure::with_hint(
                format!("'{shown}' lies inside the subject, and would judge what it came with"),
                "name your own settings with --config; if these are your own, name them",
            ));
        }
        terminal.note(format_args!("judged by {shown}"));
        let settings = Settings::load(&path)?;
        let root = root_of(&path);
        let lock = ProjectLock::load(&root)?;
        let options = Options { settings, lock, root: Some(root), ..Options::default() };
        Ok(Judged { options, policy: PolicySource { file: Some(path), uri } })
    }
}

fn not_for(option: &str, kind: &str) -> Failure {
    Failure::with_hint(format!("{option} is for --type {kind} alone"), "leave it out, or name that type")
}

/// The predicate in a file. A name twice in one object is refused: readers would disagree.
fn predicate(path: &Path) -> Result<Value, Failure> {
    let bytes = if path == Path::new("-") { stdin()? } else { read(path, MAX_BYTES, "--predicate")? };
    unique::parse(&bytes).map_err(|error| {
        let path = sanitize(&path.display().to_string());
        Failure::with_hint(
            format!("cannot read the predicate in '{path}': {}", sanitize(&error.to_string())),
            "a predicate is one JSON object: what stands under \"predicate\" in a statement",
        )
    })
}

fn stdin() -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    match std::io::copy(&mut std::io::stdin().lock().take(MAX_BYTES + 1), &mut bytes) {
        Ok(count) if count <= MAX_BYTES => Ok(bytes),
        Ok(_) => Err(Failure::with_hint(format!("stdin is longer than {MAX_BYTES} bytes"), "give one predicate")),
        Err(error) => Err(Failure::with_hint(format!("cannot read stdin: {error}"), "name a file with --predicate")),
    }
}

/// Parameters by name. What is JSON is taken as such; other words are texts.
fn parameters(given: &[String]) -> Result<Map<String, Value>, Failure> {
    let mut parameters = Map::new();
    for text in given {
        let wrong = || {
            Failure::with_hint(
                format!("'{}' is no parameter", sanitize(text)),
                "write each name once, as in --parameter seed=42",
            )
        };
        let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(wrong)?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
        if parameters.insert(name.to_owned(), value).is_some() {
            return Err(wrong());
        }
    }
    Ok(parameters)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parameters_are_json_or_text() {
        let given = ["seed=42", "method=lora", "rate=1e-4", "command=[\"python\"]", "empty="].map(str::to_owned);
        let expected = json!({"seed": 42, "method": "lora", "rate": 1e-4, "command": ["python"], "empty": ""});
        assert_eq!(Value::Object(parameters(&given).unwrap()), expected);
        for wrong in [&["seed"][..], &["=1"], &["a=1", "a=2"]] {
            let wrong: Vec<String> = wrong.iter().map(|text| (*text).to_owned()).collect();
            assert!(parameters(&wrong).is_err(), "{wrong:?}");
        }
    }
}
