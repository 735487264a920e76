//! The tests of a policy: what it has to decide of some subjects.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueHint};
use serde::Serialize;
use waag_engine::clock;
use waag_engine::output::text::{BAD, GOOD, Painted, counted};
use waag_engine::output::{Style, View, write_json};
use waag_engine::sanitize::sanitize;
use waag_engine::scan::{Options, Silent, scan_paths};
use waag_engine::settings::policy_test::{EvidenceError, PolicyTest, TestSubject, load, read_evidence};
use waag_evidence::{Decision, Outcome, Verdict, evaluate};

use crate::command::formats::Telling;
use crate::command::project::{in_force, root_of, sources};
use crate::failure::Failure;
use crate::terminal::Terminal;

const EXAMPLES: &str = "\
Examples:
  waag policy test
  waag policy test tests/policy.toml

A test in waag.toml, or [[test]] in a file of its own; paths start at the file that has it:
  [[policy.test]]
  name = \"a stranger's pickle is denied\"
  evidence = \"tests/stranger.json\"          written by: waag policy explain PATH --evidence FILE
  expect = \"deny\"
  controls = { no-untrusted-pickle = \"fail\" }";

/// Run the tests of the policy; exit with 1 when one fails
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct Test {
    /// Files with tests, instead of those in waag.toml
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    files: Vec<PathBuf>,

    /// Settings file, instead of the nearest waag.toml up to the repository's root
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    config: Option<PathBuf>,

    /// How to tell it
    #[arg(long, short, value_name = "FORMAT", default_value = "plain")]
    format: Telling,
}

/// What became of a test.
#[derive(Serialize)]
struct Tested {
    name: String,
    passed: bool,
    expected: Decision,
    found: Decision,
    /// Controls that answered otherwise: id, what was expected, and what was found.
    controls: Vec<(String, Outcome, Option<Outcome>)>,
}

impl From<EvidenceError> for Failure {
    fn from(error: EvidenceError) -> Self {
        Self::with_hint(&error, "`waag policy explain PATH --evidence FILE` writes such a file")
    }
}

impl Test {
    pub(super) fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let (options, file) = in_force(self.config.as_deref())?;
        let options = Options { controls: Some(sources(&options.settings)), ..options };
        let tests = self.tests(&options, file.as_deref())?;
        if tests.is_empty() {
            return Err(Failure::with_hint(
                "there is no test of the policy",
                "write one into waag.toml:\n  [[policy.test]]\n  name = \"our model is allowed\"\n  subject = \"models/ours\"\n  \
                 expect = \"allow\"",
            ));
        }
        let tested = tests.iter().map(|(test, folder)| run(test, folder, &options)).collect::<Result<Vec<_>, _>>()?;
        let style = terminal.style(View::Check, false);
        terminal.answer(None, |out| match self.format {
            Telling::Plain => plain(&tested, out, style),
            Telling::Json => write_json(&tested, out),
        })?;
        Ok(if tested.iter().all(|test| test.passed) { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }

    /// The tests, each with the folder that its paths start at.
    fn tests(&self, options: &Options, file: Option<&Path>) -> Result<Vec<(PolicyTest, PathBuf)>, Failure> {
        if self.files.is_empty() {
            let folder = file.map(root_of).unwrap_or_default();
            return Ok(options.settings.tests.iter().map(|test| (test.clone(), folder.clone())).collect());
        }
        let mut tests = Vec::new();
        for file in &self.files {
            tests.extend(load(file)?.into_iter().map(|test| (test, root_of(file))));
        }
        Ok(tests)
    }
}

fn run(test: &PolicyTest, folder: &Path, options: &Options) -> Result<Tested, Failure> {
    let verdict = match &test.of {
        TestSubject::Path(path) => scan_paths(&[folder.join(path)], options, &Silent)?.verdict,
        TestSubject::Evidence(file) => {
            let file = read_evidence(&folder.join(file))?;
            evaluate(&file.subject, &file.evidence, &options.settings.policy, clock::today())
        }
    };
    Ok(tested(test, &verdict))
}

fn tested(test: &PolicyTest, verdict: &Verdict) -> Tested {
    let answer = |id: &str| verdict.controls.iter().find(|judged| judged.id == id).map(|judged| judged.outcome);
    let wrong = test.controls.iter().filter(|(id, expected)| answer(id) != Some(**expected));
    let controls: Vec<_> = wrong.map(|(id, expected)| (id.clone(), *expected, answer(id))).collect();
    let passed = verdict.decision == test.expect && controls.is_empty();
    Tested { name: test.name.clone(), passed, expected: test.expect, found: verdict.decision, controls }
}

fn plain(tested: &[Tested], out: &mut dyn Write, style: Style) -> io::Result<()> {
    for test in tested {
        let (word, paint) = if test.passed { ("pass", GOOD) } else { ("FAIL", BAD) };
        writeln!(out, "{}  {}", Painted(style.color, paint, word), sanitize(&test.name))?;
        if test.expected != test.found {
            writeln!(out, "        the policy says {}, and {} was expected", test.found, test.expected)?;
        }
        for (id, expected, found) in &test.controls {
            let found = found.map_or("is not asked", Outcome::name);
            writeln!(out, "        {}: {found}, and {expected} was expected", sanitize(id))?;
        }
    }
    let passed = tested.iter().filter(|test| test.passed).count();
    writeln!(out, "{passed} of {} as expected", counted(tested.len() as u64, "test"))
}
