//! `waag lint`.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueHint};
use waag_code::lint::fix::{FileFix, patch};
use waag_code::lint::report::report;
use waag_code::lint::{Examined, Kind, Options, examine};
use waag_engine::clock;
use waag_engine::output::text::counted;
use waag_engine::output::{OUTPUTS, Output, View, find};
use waag_engine::sanitize::sanitize;

use super::arguments::file_or_stdout;
use super::exit_code;
use super::project::in_force;
use crate::failure::Failure;
use crate::terminal::Terminal;

const EXAMPLES: &str = "\
Examples:
  waag lint .
  waag lint train.py notebooks/ --format github
  waag lint src --torch 2.5.1            what its PyTorch does by default counts
  waag lint . --fix --diff               what --fix would change
  waag lint . --fix

A finding that has been looked at is allowed where it is, with a reason:
  torch.load(path)  # waag: allow[unsafe-load] written by this program a moment ago

Exit codes:
  0  nothing grave was found; with --diff: nothing would change
  1  something grave was found; with --diff: something would change
  2  usage or environment: nothing was looked at
  3  something was found that should be looked at, or something could not be read";

/// Look for what is unsafe, unpinned or absent in the code of a project
///
/// Reads Python, notebooks and training configurations, and runs nothing. Tells loads that run code, models and packages
/// that are taken as they are at the time, and, of programs that train, what is absent that a run needs to be made again:
/// seeds, sorted listings, settings that come in time. What a name stands for is followed through imports and
/// assignments; where that cannot be said, nothing is claimed.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Lint {
    /// Files and folders
    #[arg(value_name = "PATH", default_value = ".", value_hint = ValueHint::AnyPath, help_heading = "Input")]
    paths: Vec<PathBuf>,

    /// Settings file, instead of the nearest waag.toml up to the repository's root
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Input")]
    config: Option<PathBuf>,

    /// The version of PyTorch that the project pins: from 2.6 on, torch.load is careful by itself
    #[arg(long, value_name = "VERSION", value_parser = version, help_heading = "Input")]
    torch: Option<Version>,

    /// Make the edits that settle findings, then look again
    #[arg(long, help_heading = "Fixes")]
    fix: bool,

    /// With --fix: write nothing, and show what would change as a patch
    #[arg(long, visible_alias = "dry-run", requires = "fix", help_heading = "Fixes")]
    diff: bool,

    /// How to tell it
    #[arg(long, short, value_name = "FORMAT", default_value = "plain", value_parser = formats(), help_heading = "Output")]
    format: &'static dyn Output,

    /// Write to a file instead of stdout
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    output: Option<PathBuf>,

    /// Exit with 0 whatever was found, for jobs that only report
    #[arg(long, help_heading = "Output")]
    exit_zero: bool,
}

/// A version of PyTorch.
type Version = waag_code::lint::Version;

fn version(text: &str) -> Result<Version, String> {
    text.parse().map_err(|_| "a version is expected, such as 2.5.1".to_owned())
}

fn formats() -> impl TypedValueParser<Value = &'static dyn Output> {
    let values = OUTPUTS.iter().map(|output| PossibleValue::new(output.id()).help(output.about()));
    PossibleValuesParser::new(values).try_map(|id| find(&id).ok_or("no such format"))
}

impl Lint {
    pub(crate) fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let (settings, found) = in_force(self.config.as_deref())?;
        if let (None, Some(path)) = (&self.config, found) {
            terminal.note(format_args!("judged by {}", sanitize(&path.display().to_string())));
        }
        let today = clock::today();
        let exceptions = settings.settings.policy.exceptions.iter().filter(|exception| !exception.has_ended(today));
        let options = Options { torch: self.torch.clone(), exceptions: exceptions.cloned().collect() };
        let mut examined = self.examine(&options)?;
        if self.diff {
            return self.show(&examined.fixes, terminal);
        }
        if self.fix && !examined.fixes.is_empty() {
            write(&examined.fixes, terminal)?;
            examined = self.examine(&options)?;
        }
        terminal.note(looked_at(&examined));
        let fixable: usize = examined.fixes.iter().map(|fix| fix.settled).sum();
        if fixable > 0 {
            terminal.note(format_args!("--fix settles {}", counted(fixable as u64, "finding")));
        }
        let report = report(&self.paths, examined, &settings.settings);
        let file = file_or_stdout(self.output.as_deref());
        let style = terminal.style(View::Findings, file.is_some());
        match terminal.answer(file, |out| self.format.render(&report, out, style)) {
            // Whoever read the report has seen enough; the verdict stands.
            Ok(()) | Err(Failure::BrokenPipe) => {}
            Err(failure) => return Err(failure),
        }
        Ok(if self.exit_zero { ExitCode::SUCCESS } else { exit_code(report.verdict.decision) })
    }

    fn examine(&self, options: &Options) -> Result<Examined, Failure> {
        examine(&self.paths, options).map_err(|error| {
            if error.kind() == ErrorKind::InvalidInput {
                let message = format!("cannot tell what to read: {}", sanitize(&error.to_string()));
                return Failure::with_hint(message, "give it the ending of what it is, or name its folder");
            }
            let paths: Vec<String> = self.paths.iter().map(|path| sanitize(&path.display().to_string())).collect();
            let message = format!("cannot read '{}': {error}", paths.join("', '"));
            Failure::with_hint(message, "check the spelling of the path, and that it can be read")
        })
    }

    /// The patch, and whether it is empty.
    fn show(&self, fixes: &[FileFix], terminal: &Terminal) -> Result<ExitCode, Failure> {
        let file = file_or_stdout(self.output.as_deref());
        let text: String = fixes.iter().map(patch).collect();
        match terminal.answer(file, |out| out.write_all(text.as_bytes())) {
            Ok(()) | Err(Failure::BrokenPipe) => {}
            Err(failure) => return Err(failure),
        }
        Ok(if fixes.is_empty() || self.exit_zero { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

fn write(fixes: &[FileFix], terminal: &Terminal) -> Result<(), Failure> {
    for fix in fixes {
        let path = sanitize(&Path::new(&fix.path).display().to_string());
        fix.write().map_err(|error| {
            Failure::with_hint(format!("cannot write to '{path}': {error}"), "make it writable, and run this again")
        })?;
        terminal.note(format_args!("settled {} in {path}", counted(fix.settled as u64, "finding")));
    }
    Ok(())
}

fn looked_at(examined: &Examined) -> String {
    let count = |kind: Kind| examined.looked_at.iter().filter(|file| file.kind == kind).count() as u64;
    format!(
        "looked at {}, {} and {}",
        counted(count(Kind::Python), "file") + " of Python",
        counted(count(Kind::Notebook), "notebook"),
        counted(count(Kind::Configuration), "training configuration"),
    )
}
