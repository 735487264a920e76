//! `waag card`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum, ValueHint};
use waag_engine::card::draft::draft;
use waag_engine::card::{CardReport, Kind, examine, output, show};
use waag_engine::clock;
use waag_engine::io::write_atomically;
use waag_engine::output::View;
use waag_engine::output::text::counted;
use waag_engine::sanitize::sanitize;
use waag_evidence::verdict::Verdict;
use waag_evidence::{Decision, evaluate, gathered};

use super::arguments::file_or_stdout;
use super::exit_code;
use super::project::in_force;
use crate::failure::Failure;
use crate::terminal::Terminal;

const EXAMPLES: &str = "\
Examples:
  waag card check                       every model and dataset below this folder
  waag card check models/tuned --strict   any finding fails
  waag card init models/tuned           drafts README.md from what the files prove
  waag card init models/tuned -o -      the same to stdout
  waag card show models/tuned           what the card says beside what the files say, and its text";

/// Draft, check and show the cards of models and datasets
///
/// A card is the README.md of Hugging Face, or modelcard.yaml. Nothing is looked up anywhere, and nothing is executed.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct CardCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Check(Check),
    Init(Init),
    Show(Show),
}

/// Check that cards are there, whole, and say what the files prove; and that licences agree
///
/// Compares a card with tensors, configurations, licence texts, results and links beside it, and its licence with those of
/// what it was made from. docs/card.md lists what is asked for.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Exit codes:
  0  nothing speaks against it
  1  a finding at or above deny-at; with --strict, any finding
  2  usage or environment: nothing was checked
  3  a finding at or above inconclusive-at, or something could not be read")]
struct Check {
    /// Folder with models and datasets, or a card
    #[arg(value_name = "PATH", default_value = ".", value_hint = ValueHint::AnyPath, help_heading = "Input")]
    path: PathBuf,

    /// Settings file, instead of the nearest waag.toml up to the repository's root
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Input")]
    config: Option<PathBuf>,

    /// Let any finding that no exception covers fail
    #[arg(long, help_heading = "Output")]
    strict: bool,

    /// How to tell it
    #[arg(long, short, value_name = "FORMAT", default_value = "plain", help_heading = "Output")]
    format: Telling,

    /// Write to a file instead of stdout
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Telling {
    /// For people at a terminal
    Plain,
    /// For programs; has a published schema
    Json,
}

/// Draft a card from what the files prove
///
/// What only a person can say is marked with TODO, which `waag card check` does not take for an answer. Nothing is invented.
#[derive(Debug, Args)]
struct Init {
    /// Folder of the model or dataset
    #[arg(value_name = "FOLDER", default_value = ".", value_hint = ValueHint::DirPath, help_heading = "Input")]
    folder: PathBuf,

    /// What it is, where its files do not tell
    #[arg(long, value_name = "KIND", help_heading = "Input")]
    kind: Option<Described>,

    /// Write to this file instead of README.md in the folder; - is stdout
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    output: Option<PathBuf>,

    /// Replace a card that is there
    #[arg(long, help_heading = "Output")]
    force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Described {
    /// A model
    Model,
    /// A dataset
    Dataset,
}

/// Show a card: what it says beside what the files say, and its text
#[derive(Debug, Args)]
struct Show {
    /// Folder with models and datasets, or a card
    #[arg(value_name = "PATH", default_value = ".", value_hint = ValueHint::AnyPath, help_heading = "Input")]
    path: PathBuf,
}

impl CardCommand {
    pub(crate) fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        match self.what {
            What::Check(check) => check.run(terminal),
            What::Init(init) => init.run(terminal),
            What::Show(show) => show.run(terminal),
        }
    }
}

/// What is below a path. That there is nothing to look at is no answer.
fn examined(path: &Path) -> Result<CardReport, Failure> {
    let report = examine(path).map_err(|error| {
        let message = format!("cannot read '{}': {error}", sanitize(&path.display().to_string()));
        Failure::with_hint(message, "check the spelling and the permissions; a path of this machine is expected")
    });
    let mut report = report?;
    if report.cards.is_empty() && report.findings.is_empty() {
        let folders = counted(report.folders as u64, "folder");
        return Err(Failure::with_hint(
            format!("'{}' has no card, model or dataset ({folders} looked at)", sanitize(&path.display().to_string())),
            "name a folder with weights, data or a README.md that begins with ---",
        ));
    }
    let is_file = path.is_file();
    report.told_below(if is_file { path.parent().unwrap_or(Path::new("")) } else { path });
    Ok(report)
}

impl Check {
    fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let (options, found) = in_force(self.config.as_deref())?;
        if let (None, Some(path)) = (&self.config, found) {
            terminal.note(format_args!("judged by {}", sanitize(&path.display().to_string())));
        }
        let report = examined(&self.path)?;
        let policy = options.settings.policy.for_findings();
        let evidence = gathered::Evidence { findings: report.findings.clone(), ..Default::default() };
        let subject = gathered::Subject { name: self.path.display().to_string(), ..Default::default() };
        let verdict = evaluate(&subject, &evidence, &policy, clock::today());
        match self.tell(&report, &verdict, terminal) {
            Ok(()) | Err(Failure::BrokenPipe) => {}
            Err(failure) => return Err(failure),
        }
        let is_open = report.findings.len() > verdict.excepted.len();
        Ok(exit_code(if self.strict && is_open { Decision::Deny } else { verdict.decision }))
    }

    fn tell(&self, report: &CardReport, verdict: &Verdict, terminal: &Terminal) -> Result<(), Failure> {
        let file = file_or_stdout(self.output.as_deref());
        let style = terminal.style(View::Findings, file.is_some());
        terminal.answer(file, |out| match self.format {
            Telling::Plain => output::plain(report, verdict, out, style),
            Telling::Json => output::json(report, verdict, out),
        })
    }
}

impl Init {
    fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let shown = sanitize(&self.folder.display().to_string());
        if !self.folder.is_dir() {
            let hint = "name the folder that holds the model or dataset";
            return Err(Failure::with_hint(format!("'{shown}' is no folder"), hint));
        }
        let target = self.output.clone().unwrap_or_else(|| self.folder.join("README.md"));
        let to_stdout = file_or_stdout(Some(&target)).is_none();
        if !to_stdout && !self.force && target.symlink_metadata().is_ok() {
            let message = format!("'{}' is there already", sanitize(&target.display().to_string()));
            return Err(Failure::with_hint(message, "compare with `--output -`, or replace it with --force"));
        }
        let kind = self.kind.map(|kind| match kind {
            Described::Model => Kind::Model,
            Described::Dataset => Kind::Dataset,
        });
        let draft = draft(&self.folder, kind);
        for (file, why) in &draft.unread {
            terminal.note(format_args!("'{}' could not be read: {}", sanitize(file), sanitize(why)));
        }
        if to_stdout {
            terminal.answer(None, |out| out.write_all(draft.text.as_bytes()))?;
        } else {
            let write = |out: &mut std::fs::File| out.write_all(draft.text.as_bytes()).map(|()| None::<()>);
            write_atomically(&target, write).map_err(|error| {
                let message = format!("cannot write '{}': {error}", sanitize(&target.display().to_string()));
                Failure::with_hint(message, "check that the folder is there and may be written to")
            })?;
        }
        let read = counted(draft.read.len() as u64, "file");
        let (kind, todos) = (draft.kind.name(), counted(draft.todos as u64, "place"));
        terminal.note(format_args!("the card of a {kind}, from {read}; {todos} marked TODO for a person to fill in"));
        Ok(ExitCode::SUCCESS)
    }
}

impl Show {
    fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let report = examined(&self.path)?;
        let style = terminal.style(View::Check, false);
        let shown = terminal.answer(None, |out| {
            for (at, examined) in report.cards.iter().enumerate() {
                if at > 0 {
                    writeln!(out)?;
                }
                show::write(examined, out, style)?;
            }
            Ok(())
        });
        match shown {
            Ok(()) | Err(Failure::BrokenPipe) => Ok(ExitCode::SUCCESS),
            Err(failure) => Err(failure),
        }
    }
}
