use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueHint};
use waag_engine::cache::CachePlan;
use waag_engine::output::text::counted;
use waag_engine::output::{OUTPUTS, Output, View, find};
use waag_engine::report::Report;
use waag_engine::scan::{Options, scan_paths};
use waag_engine::settings::{self, Settings};

use super::exit_code;
use crate::failure::Failure;
use crate::progress::Bar;
use crate::terminal::Terminal;

/// Files from which on results are kept without being asked to.
const WORTH_KEEPING: usize = 256;

const EXAMPLES: &str = "\
Examples:
  waag scan model.pt
  waag scan models/ --format sarif --output waag.sarif
  waag scan models/ --format json | jq '.findings[].rule'";

/// List the findings alone
///
/// Like `check`, without the description of what was read; the exit codes are the same.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Scan {
    #[command(flatten)]
    job: Job,
}

impl Scan {
    pub(crate) fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        self.job.run(View::Findings, terminal)
    }
}

/// What to read, how to judge it, and how to tell: shared by `check` and `scan`.
#[derive(Debug, Args)]
pub(super) struct Job {
    /// Files, folders and archives
    #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath, help_heading = "Input")]
    paths: Vec<PathBuf>,

    /// Settings file, instead of the nearest waag.toml up to the repository's root
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Input")]
    config: Option<PathBuf>,

    /// Write the SHA-256 of every file, also of those that need not be read whole
    #[arg(long, help_heading = "Input")]
    digests: bool,

    /// Folder for the results of earlier scans, which spare reading unchanged files again [default: waag in the user's
    /// cache folder, for 256 files or more]
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath, env = "WAAG_CACHE_DIR", help_heading = "Input")]
    cache_dir: Option<PathBuf>,

    /// Read everything, and keep no results
    #[arg(long, conflicts_with = "cache_dir", help_heading = "Input")]
    no_cache: bool,

    /// How to tell it
    #[arg(long, short, value_name = "FORMAT", default_value = "plain", value_parser = formats(), help_heading = "Output")]
    format: &'static dyn Output,

    /// Write to a file instead of stdout
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    output: Option<PathBuf>,

    /// Exit with 0 whatever the verdict, for jobs that only report
    #[arg(long, help_heading = "Output")]
    exit_zero: bool,
}

fn formats() -> impl TypedValueParser<Value = &'static dyn Output> {
    let values = OUTPUTS.iter().map(|output| PossibleValue::new(output.id()).help(output.about()));
    PossibleValuesParser::new(values).try_map(|id| find(&id).ok_or("no such format"))
}

impl Job {
    pub(super) fn run(self, view: View, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let options = Options { settings: self.settings(terminal)?, digests: self.digests, cache: self.cache() };
        let bar = Bar::new(terminal.is_watched());
        let report = scan_paths(&self.paths, &options, &bar)?;
        bar.finish();
        if report.reused > 0 {
            let files = counted(report.reused, "file");
            terminal.note(format_args!("{files} unchanged since an earlier scan (--no-cache reads all of them again)"));
        }
        match self.tell(&report, view, terminal) {
            // Whoever read the report has seen enough; the verdict stands.
            Ok(()) | Err(Failure::BrokenPipe) => {}
            Err(failure) => return Err(failure),
        }
        Ok(if self.exit_zero { ExitCode::SUCCESS } else { exit_code(report.verdict.decision) })
    }

    /// Settings that were found rather than named are said: they decide, and might have come with the model.
    fn settings(&self, terminal: &Terminal) -> Result<Settings, Failure> {
        if let Some(path) = &self.config {
            return Ok(Settings::load(path)?);
        }
        let found = std::env::current_dir().ok().and_then(|directory| settings::find(&directory));
        let Some(path) = found else { return Ok(Settings::default()) };
        let settings = Settings::load(&path)?;
        terminal.note(format_args!("judged by {}", waag_engine::sanitize::sanitize(&path.display().to_string())));
        Ok(settings)
    }

    /// Where results are kept: where the user says, or for large collections where programs keep such things.
    fn cache(&self) -> Option<CachePlan> {
        if self.no_cache {
            return None;
        }
        if let Some(folder) = &self.cache_dir {
            return Some(CachePlan { folder: folder.clone(), at_least: 0 });
        }
        let set = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let caches = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")))?;
        Some(CachePlan { folder: caches.join("waag"), at_least: WORTH_KEEPING })
    }

    fn tell(&self, report: &Report, view: View, terminal: &Terminal) -> Result<(), Failure> {
        let file = self.output.as_deref().filter(|path| *path != Path::new("-"));
        let style = terminal.style(view, file.is_some());
        terminal.answer(file, |out| self.format.render(report, out, style))
    }
}
