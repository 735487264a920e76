use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueHint};
use waag_code::run::again::{Again, Compared, Recorded, Sameness, again};
use waag_code::run::{Finished, Level, Options, run, whole};
use waag_engine::attest::seal::{With, seal};
use waag_engine::sanitize::sanitize;
use waag_engine::sign::SignError;
use waag_evidence::statement::provenance::BuildType;
use waag_evidence::statement::role::Role;
use waag_signing::SigningError;

use super::keeping::Keeping;
use super::signer::SignerOptions;
use crate::failure::Failure;
use crate::progress::Bar;
use crate::terminal::Terminal;

/// What every `provenance.yaml` of ours begins with; another one is somebody's own.
const YAML_BEGINS: &str = "# Where this model comes from, as a run was captured.";

const EXAMPLES: &str = "\
Examples:
  waag run -- python train.py --epochs 3
  waag run --type fine-tune --input base-model=models/base --output out/ -- python tune.py
  waag run --parameter seed=7 --log train.log -- ./train.sh
  waag run --key trainer.pem --keep -- python train.py     signed, and kept for 'waag lineage'
  waag run --no-network --sandbox -- python train.py       it can download nothing, and write here and in /tmp only
  waag run --again provenance.intoto.json --tolerance 1e-6

Exit codes:
  the command's own; 128 and the signal's number when a signal ended it
  2  usage or environment: it was not run, or its provenance could not be written
With --again:
  0  the same outputs (or, with --tolerance, near enough)
  1  other outputs
  2  usage or environment
  3  inconclusive: what goes in is not what went in, so it was not run";

/// Run a command and record what it read, wrote, started and connected to, as provenance
///
/// The command runs as it would without waag: same folder, same terminal, same exit code. What it and everything it
/// starts really opens is seen, whatever language it is written in. Inputs are hashed beside the run, Python packages are
/// folded into name, version and the digest of what they list, and seeds and flags for determinism are noted at the end.
/// Two files come out: SLSA provenance (in-toto; signed where a signer is named) and a plain provenance.yaml. Watching needs Linux and no
/// privileges; where it is not allowed, what is declared is hashed, and the provenance says so.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Run {
    /// The command, after `--`
    #[arg(value_name = "COMMAND", last = true, required_unless_present = "again", value_hint = ValueHint::CommandWithArguments)]
    command: Vec<OsString>,

    /// What the run does: train, fine-tune, merge, quantize, convert or prepare-dataset
    #[arg(long = "type", value_name = "TYPE", default_value = "train", value_parser = build_type, help_heading = "Declare")]
    build_type: BuildType,

    /// A file or folder that goes in, and its part, such as dataset, base-model or configuration
    #[arg(long, value_name = "ROLE=PATH", value_parser = input, help_heading = "Declare")]
    input: Vec<(Role, PathBuf)>,

    /// A file or folder that is its output [default: what it writes and leaves]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath, help_heading = "Declare")]
    output: Vec<PathBuf>,

    /// A parameter to record
    #[arg(long, value_name = "NAME=VALUE", value_parser = parameter, help_heading = "Declare")]
    parameter: Vec<(String, String)>,

    /// Where to write the provenance [default: provenance.intoto.json; provenance.again.intoto.json with --again]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    provenance: Option<PathBuf>,

    /// Where to write the plain form [default: provenance.yaml, unless somebody wrote one; none with --again]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    yaml: Option<PathBuf>,

    /// Write what the command prints to a file as well; the command then sees no terminal
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    log: Option<PathBuf>,

    #[command(flatten)]
    keeping: Keeping,

    #[command(flatten)]
    signer: SignerOptions,

    /// Deny the command the network
    #[arg(long, help_heading = "Confine")]
    no_network: bool,

    /// Let the command write only here, where outputs go, and to temporary folders
    #[arg(long, help_heading = "Confine")]
    sandbox: bool,

    /// Another place that the command may write to
    #[arg(long, value_name = "PATH", requires = "sandbox", value_hint = ValueHint::AnyPath, help_heading = "Confine")]
    writable: Vec<PathBuf>,

    /// Do not watch: hash what is declared, before and after
    #[arg(long, help_heading = "Confine")]
    no_capture: bool,

    /// Run again what this provenance tells of, and compare what comes out
    #[arg(long, value_name = "PROVENANCE", conflicts_with_all = ["command", "input", "output", "parameter", "build_type"],
          value_hint = ValueHint::FilePath, help_heading = "Again")]
    again: Option<PathBuf>,

    /// Exit with 0 when the relative change (L2) of no tensor is larger
    #[arg(long, value_name = "X", requires = "again", value_parser = tolerance, help_heading = "Again")]
    tolerance: Option<f64>,

    /// Copy what comes out to a folder; the first outputs stay where they are
    #[arg(long, value_name = "FOLDER", requires = "again", value_hint = ValueHint::DirPath, help_heading = "Again")]
    copy_to: Option<PathBuf>,
}

fn build_type(text: &str) -> Result<BuildType, String> {
    let found = BuildType::ALL.into_iter().find(|build_type| build_type.name() == text);
    found.ok_or_else(|| format!("one of {} is expected", BuildType::ALL.map(BuildType::name).join(", ")))
}

fn input(text: &str) -> Result<(Role, PathBuf), String> {
    let (role, path) =
        text.split_once('=').ok_or_else(|| "ROLE=PATH is expected, as in dataset=train.csv".to_owned())?;
    let roles = || format!("'{role}' is no part that an input has: {}", Role::ALL.map(Role::name).join(", "));
    Ok((role.parse().map_err(|_| roles())?, path.into()))
}

fn parameter(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
    pair.map(|(name, value)| (name.into(), value.into()))
        .ok_or_else(|| "NAME=VALUE is expected, as in lr=0.01".to_owned())
}

fn tolerance(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "a number is expected, such as 0.01".to_owned())?;
    if number >= 0.0 { Ok(number) } else { Err("a tolerance is 0 or more".to_owned()) }
}

impl Run {
    pub(crate) fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        match &self.again {
            Some(provenance) => self.again(provenance, terminal),
            None => self.once(terminal),
        }
    }

    fn once(&self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let options = self.options()?;
        let file = self.provenance.as_deref().unwrap_or(Path::new("provenance.intoto.json"));
        let finished = self.signed(|with| {
            let finished = run(&options, &|text| terminal.note(text))?;
            self.tell(&finished, file, with, terminal)?;
            Ok(finished)
        })?;
        let yaml = self.yaml.as_deref().or_else(|| default_yaml(terminal));
        if let Some(yaml) = yaml.filter(|_| finished.statement().is_some()) {
            whole(yaml, finished.yaml().as_bytes()).map_err(|error| refused(yaml, &error))?;
        }
        Ok(ExitCode::from(finished.exit_code()))
    }

    fn again(&self, provenance: &Path, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let recorded = Recorded::read(provenance)?;
        terminal.note(format!(
            "runs again, as '{}' tells: {}",
            sanitize(&provenance.display().to_string()),
            recorded.shown_command()
        ));
        let talk = |text: &str| terminal.note(text);
        let options = self.options()?;
        self.signed(|with| match again(&recorded, options, self.tolerance, self.copy_to.as_deref(), &talk)? {
            Again::OtherInputs(differing) => {
                differing.iter().for_each(|line| terminal.complain(line));
                terminal.note("it was not run: with other inputs it would be another run");
                Ok(ExitCode::from(3))
            }
            Again::Ran { finished, outputs, level } => {
                let file = self.provenance.as_deref().unwrap_or(Path::new("provenance.again.intoto.json"));
                self.tell(&finished, file, with, terminal)?;
                if let Some(yaml) = self.yaml.as_deref() {
                    whole(yaml, finished.yaml().as_bytes()).map_err(|error| refused(yaml, &error))?;
                }
                Ok(compared(&outputs, level, finished.exit_code(), terminal))
            }
        })
    }

    /// Gives whoever signs to `work`; a key is read before the command runs, so that a mistake is met at once.
    fn signed<T>(&self, work: impl FnOnce(With<'_, Failure>) -> Result<T, Failure>) -> Result<T, Failure> {
        match self.signer.is_asked() {
            true => self.signer.sign(None, &Bar::new(false), |with| {
                check_certificate(&with)?;
                work(with)
            }),
            false => work(With::Nobody),
        }
    }

    fn tell(
        &self,
        finished: &Finished,
        file: &Path,
        with: With<'_, Failure>,
        terminal: &Terminal,
    ) -> Result<(), Failure> {
        finished.notes.iter().for_each(|note| terminal.note(note));
        let Some(statement) = finished.statement() else { return Ok(()) };
        let statement = serde_json::to_vec(&statement).map_err(|error| refused(file, &error.into()))?;
        let sealed = match seal::<Failure>(&statement, with, waag_engine::clock::now()) {
            Ok(sealed) => sealed,
            // What was seen of a long run is not lost with its signature.
            Err(error) => {
                let unsigned = seal::<Failure>(&statement, With::Nobody, waag_engine::clock::now())?;
                whole(file, &unsigned.bytes).map_err(|error| refused(file, &error))?;
                let shown = sanitize(&file.display().to_string());
                terminal
                    .complain(format!("nobody signed the provenance: it is written to '{shown}' without a signature"));
                return Err(error);
            }
        };
        whole(file, &sealed.bytes).map_err(|error| refused(file, &error))?;
        let signer = sealed.signer.map_or("not signed".to_owned(), |signer| format!("signed by {}", sanitize(&signer)));
        let shown = sanitize(&file.display().to_string());
        terminal.note(format!("{}; see {shown}, {signer}", finished.summary()));
        self.keeping.keep(&sealed.bytes, terminal)
    }

    fn options(&self) -> Result<Options, Failure> {
        let here = std::env::current_dir().and_then(|folder| folder.canonicalize());
        let folder = here.map_err(|error| {
            Failure::with_hint(format!("cannot find the working directory: {error}"), "run it in a folder that exists")
        })?;
        let absolute = |path: &PathBuf| normal(&folder.join(path));
        Ok(Options {
            command: self.command.clone(),
            build_type: self.build_type,
            inputs: self.input.iter().map(|(role, path)| (*role, absolute(path))).collect(),
            outputs: self.output.iter().map(absolute).collect(),
            parameters: self.parameter.iter().cloned().collect::<BTreeMap<_, _>>(),
            capture: !self.no_capture,
            no_network: self.no_network,
            sandbox: self.sandbox.then(|| self.writable.iter().map(absolute).collect()),
            log: self.log.as_ref().map(absolute),
            folder,
        })
    }
}

/// A certificate of another key would be met when the run is over.
fn check_certificate(with: &With<'_, Failure>) -> Result<(), Failure> {
    let With::Key { key, chain } = with else { return Ok(()) };
    let Some(certificate) = chain.first() else { return Ok(()) };
    match certificate.public_key() {
        Ok(certified) if certified == *key.public_key() => Ok(()),
        Ok(_) => Err(SignError::from(SigningError::CertificateForAnotherKey).into()),
        Err(error) => Err(SignError::from(error).into()),
    }
}

/// A path without `.` and, where it exists, without `..` and links of folders.
fn normal(path: &Path) -> PathBuf {
    let canonical =
        path.parent().zip(path.file_name()).and_then(|(parent, name)| Some(parent.canonicalize().ok()?.join(name)));
    canonical.or_else(|| path.canonicalize().ok()).unwrap_or_else(|| path.to_owned())
}

/// The plain form is written by default, but never over one that a person wrote.
fn default_yaml(terminal: &Terminal) -> Option<&'static Path> {
    let path = Path::new("provenance.yaml");
    let begins = waag_engine::bounded::read(path, 64 << 20).ok();
    let ours = begins.is_none_or(|text| text.starts_with(YAML_BEGINS.as_bytes()));
    if !ours {
        terminal.note("'provenance.yaml' is left as it is, since waag did not write it; --yaml FILE names another");
    }
    ours.then_some(path)
}

fn refused(path: &Path, error: &std::io::Error) -> Failure {
    let path = sanitize(&path.display().to_string());
    Failure::with_hint(
        format!("cannot write the provenance to '{path}': {error}"),
        "the command has run; name a file in a folder that exists with --provenance and --yaml",
    )
}

fn compared(outputs: &[Compared], level: Option<Level>, command: u8, terminal: &Terminal) -> ExitCode {
    for output in outputs {
        let measured = match (output.relative, output.largest) {
            (Some(relative), Some(largest)) => {
                format!("; largest relative change {relative:e}, largest difference {largest:e}")
            }
            _ => String::new(),
        };
        let result = match output.result {
            Sameness::BitIdentical => "bit-identical",
            Sameness::WithinTolerance => "within tolerance",
            Sameness::Different => "different",
            Sameness::Missing => "not written",
        };
        terminal.note(format!("'{}': {result}{measured}", sanitize(&output.name)));
    }
    match level {
        Some(level) => {
            terminal.note(format!("reproducibility: {level}"));
            ExitCode::SUCCESS
        }
        None => {
            terminal.complain(format!("it did not come out the same (the command ended with {command})"));
            ExitCode::from(1)
        }
    }
}
