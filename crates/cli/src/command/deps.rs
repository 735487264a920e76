//! `waag deps`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueHint};
use waag_code::dependencies::output::{Told, json, plain};
use waag_code::dependencies::{Reading, examine};
use waag_code::stack::driver::{AskedError, asked};
use waag_engine::clock;
use waag_engine::output::View;
use waag_engine::sanitize::sanitize;
use waag_engine::settings::Driver;
use waag_evidence::project::Topic;
use waag_evidence::{Evidence, Finding, Subject, evaluate};

use super::arguments::file_or_stdout;
use super::exit_code;
use super::formats::Telling;
use super::project::{examiner, in_force};
use crate::failure::Failure;
use crate::terminal::Terminal;

const EXAMPLES: &str = "\
Examples:
  waag deps                              the project here: every file that names packages
  waag deps requirements.txt             one file, and what it takes in with -r and -c
  waag deps docker/Dockerfile            what an image is built from and what is installed in it
  waag deps .venv                        what is installed, each file compared with its record
  waag deps --all                        every package, with its version, source and place
  waag deps --driver 535.104.05          whether it starts on machines with this NVIDIA driver
  waag deps --driver here                ... on this machine
  waag deps --format json | jq -r '.dependencies[] | select(.version) | \"\\(.name) \\(.version)\"'

Exit codes:
  0  nothing at or above 'medium' was found
  1  a finding at or above 'high'
  2  usage or environment: the path cannot be read
  3  a finding at or above 'medium', something that could not be understood, or no file that names packages";

/// Judge what a project needs, or what is installed
///
/// Reads requirements.txt, pyproject.toml, setup.py and setup.cfg, Pipfile, environment.yml, and the locks of uv, Poetry,
/// PDM, Pipenv, conda-lock and PEP 751, Dockerfiles and compose files. Nothing is resolved, fetched or run. Tells packages
/// without one version or a digest, sources that can change, indexes that let others replace a package, and locks that are
/// not of the declaration beside them.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Deps {
    /// A project's folder, one of its files, or an environment
    #[arg(value_name = "PATH", default_value = ".", value_hint = ValueHint::AnyPath, help_heading = "Input")]
    path: PathBuf,

    /// Settings file, instead of the nearest waag.toml up to the repository's root
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Input")]
    config: Option<PathBuf>,

    /// NVIDIA driver that it is to run on: a version, or 'here' for this machine's; over [compute] of waag.toml
    #[arg(long, value_name = "VERSION", help_heading = "Input")]
    driver: Option<String>,

    /// List every package, file and place
    #[arg(long, help_heading = "Output")]
    all: bool,

    /// How to tell it
    #[arg(long, short, value_name = "FORMAT", default_value = "plain", help_heading = "Output")]
    format: Telling,

    /// Write to a file instead of stdout
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    output: Option<PathBuf>,

    /// Exit with 0 whatever was found, for jobs that only report
    #[arg(long, help_heading = "Output")]
    exit_zero: bool,
}

impl Deps {
    pub(crate) fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let (options, _) = in_force(self.config.as_deref())?;
        let driver = self.driver.as_deref().map(asked).transpose()?.or_else(|| options.settings.driver.clone());
        let reading = examine(&self.path).map_err(|error| unreadable(&self.path, &error))?;
        let rooms = Rooms::of(&reading, &self.path, driver.clone());
        rooms.unknown.iter().for_each(|unknown| terminal.note(sanitize(unknown)));
        let policy = options.settings.policy.for_findings();
        let path = self.path.display().to_string();
        let subject = Subject { name: path.clone(), files: reading.files.len() as u64, ..Subject::default() };
        let evidence = Evidence { findings: rooms.all(), ..Evidence::default() };
        let verdict = evaluate(&subject, &evidence, &policy, clock::today());
        let (findings, driver) = (&evidence.findings[..], driver.as_ref());
        let told = Told { path: &path, reading: &reading, driver, findings, verdict: &verdict };
        match self.tell(&told, terminal) {
            // Whoever read the answer has seen enough; what was found stands.
            Ok(()) | Err(Failure::BrokenPipe) => {}
            Err(failure) => return Err(failure),
        }
        Ok(if self.exit_zero { ExitCode::SUCCESS } else { exit_code(verdict.decision) })
    }

    fn tell(&self, told: &Told<'_>, terminal: &Terminal) -> Result<(), Failure> {
        let file = file_or_stdout(self.output.as_deref());
        let style = terminal.style(View::Check, file.is_some());
        terminal.answer(file, |out| match self.format {
            Telling::Plain => plain(told, self.all, out, style),
            Telling::Json => json(told, out),
        })
    }
}

/// Findings by who found them: each room looks at the same reading.
struct Rooms {
    /// Pins, digests, sources, indexes, locks, installed files.
    dependencies: Vec<Finding>,
    /// What goes together, what is known to be wrong with it, and how images are built.
    packages: Vec<Finding>,
    /// What could not be told.
    unknown: Vec<String>,
}

impl Rooms {
    fn of(reading: &Reading, path: &Path, driver: Option<Driver>) -> Self {
        let examined = examiner(driver).packages(path, reading);
        let mut dependencies = reading.findings.clone();
        let has_images = [Topic::Images, Topic::Builds].iter().any(|topic| examined.evidence.look(*topic).is_some());
        if reading.files.is_empty() && dependencies.is_empty() && !has_images {
            dependencies.push(waag_code::dependencies::nothing_read(path));
        }
        let unknown = examined.evidence.looks.into_iter().flat_map(|look| look.unknown);
        let unknown = unknown.map(|unknown| format!("{}; next: {}", unknown.reason, unknown.next)).collect();
        let mut packages = examined.findings;
        for finding in &mut packages {
            // As dependency files are told: without a leading `./`.
            if let Some(plain) = finding.location.file.strip_prefix("./") {
                finding.location.file = plain.to_owned();
            }
        }
        Self { dependencies, packages, unknown }
    }

    /// All of them, gravest first.
    fn all(self) -> Vec<Finding> {
        let mut all = [self.dependencies, self.packages].concat();
        all.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        all
    }
}

impl From<AskedError> for Failure {
    fn from(error: AskedError) -> Self {
        Self::with_hint(&error, error.hint())
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    let shown = sanitize(&path.display().to_string());
    Failure::with_hint(
        format!("cannot read the dependencies of '{shown}': {error}"),
        "name a project's folder, a file such as requirements.txt, uv.lock or Dockerfile, or an environment such as .venv",
    )
}
