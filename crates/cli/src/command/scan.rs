use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueHint};
use waag_engine::cache::CachePlan;
use waag_engine::output::text::counted;
use waag_engine::output::{OUTPUTS, Output, View, find};
use waag_engine::report::Report;
use waag_engine::scan::{Options, scan_paths};

use super::arguments::file_or_stdout;
use super::exit_code;
use super::project::{from_here, in_force, sources, tell_own_word};
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
    /// Files, folders and archives; when none is given, the project of the nearest waag.toml: the models and datasets that
    /// it names, and with `check` its packages, code and papers
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath, help_heading = "Input")]
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

    /// Read everything, and keep no results, whatever WAAG_CACHE_DIR says
    #[arg(long, help_heading = "Input")]
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
        // `check` asks every control, `scan` lists findings alone.
        let options = self.options(terminal)?;
        let controls = (view == View::Check).then(|| sources(&options.settings));
        let options = Options { controls, ..options };
        let paths = self.paths(&options)?;
        let options = Options { project: self.project(&options), ..options };
        let bar = Bar::new(terminal.is_watched());
        let report = scan_paths(&paths, &options, &bar)?;
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

    fn options(&self, terminal: &Terminal) -> Result<Options, Failure> {
        let (options, found) = in_force(self.config.as_deref())?;
        // Settings that were found rather than named are said: they decide, and might have come with the model.
        if let (None, Some(path)) = (&self.config, &found) {
            terminal.note(format_args!("judged by {}", waag_engine::sanitize::sanitize(&path.display().to_string())));
        }
        if let Some(path) = found {
            tell_own_word(&path, &self.paths, terminal);
        }
        Ok(Options { digests: self.digests, cache: self.cache(), ..options })
    }

    /// The project that was found, where nothing was named: it is judged as a whole.
    fn project(&self, options: &Options) -> Option<PathBuf> {
        options.root.as_ref().filter(|_| self.paths.is_empty()).map(|root| from_here(root))
    }

    /// What was named, or else what the project is made of; of one that names nothing, the whole folder.
    fn paths(&self, options: &Options) -> Result<Vec<PathBuf>, Failure> {
        if !self.paths.is_empty() {
            return Ok(self.paths.clone());
        }
        let root = options.root.clone().unwrap_or_default();
        let declared = options.settings.ingredients.iter().map(|(_, ingredient)| ingredient.path.as_str());
        let locked =
            options.lock.iter().flat_map(|project| &project.lock.ingredients).map(|locked| locked.path.as_str());
        let paths: BTreeSet<PathBuf> = declared.chain(locked).map(|path| from_here(&root.join(path))).collect();
        match (paths.is_empty(), self.project(options)) {
            (false, _) => Ok(paths.into_iter().collect()),
            (true, Some(folder)) => Ok(vec![folder]),
            (true, None) => Err(Failure::with_hint(
                "no PATH was given, and there is no waag.toml here or above, up to the repository's root",
                "name a file or folder, as in `waag check model.safetensors`",
            )),
        }
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
        let file = file_or_stdout(self.output.as_deref());
        let style = terminal.style(view, file.is_some());
        terminal.answer(file, |out| self.format.render(report, out, style))
    }
}
