use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum, ValueHint};
use waag_engine::bom::diff as bom;
use waag_engine::diff::output::{Telling, render};
use waag_engine::diff::{Model, Options, diff};
use waag_engine::output::View;
use waag_engine::weights;

use crate::failure::Failure;
use crate::progress::Bar;
use crate::terminal::Terminal;

const EXAMPLES: &str = "\
Examples:
  waag diff base.safetensors tuned.safetensors
  waag diff base/ tuned/ --format html --output diff.html   folders of shards, as a page
  waag diff base/ tuned/ --only '*.mlp.*' --top 50
  waag diff base/ quantised/ --tolerance 0.01 && echo near enough
  waag diff a.safetensors b.safetensors --format json | jq -r '.summary.class'
  waag diff old.cdx.json new.cdx.json                       two bills of materials, component by component

Exit codes:
  0  the same weights (or, with --tolerance, near enough)
  1  different weights
  2  usage or environment: nothing was compared";

/// Compare two models tensor by tensor, and say what kind of change it is
///
/// Containers and shards play no part: the same tensors in another file are the same weights. Each tensor that changed
/// is told by its kind, such as re-cast, scaled, a few rows, few directions (as a merged LoRA gives) or all over, with
/// figures. What a change looks like proves nothing about where a model comes from.
///
/// Two bills of materials in CycloneDX are compared by component instead: what came, what went, and which versions, digests,
/// licences, ancestors and dependencies changed.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Diff {
    /// The first model: a file, an index of shards, or a folder
    #[arg(value_name = "A", value_hint = ValueHint::AnyPath, help_heading = "Input")]
    first: PathBuf,

    /// The second model
    #[arg(value_name = "B", value_hint = ValueHint::AnyPath, help_heading = "Input")]
    second: PathBuf,

    /// Compare only tensors whose name matches: * stands for any characters, ? for one
    #[arg(long, value_name = "GLOB", help_heading = "Input")]
    only: Option<String>,

    /// Exit with 0 when every tensor is on both sides and its relative change (L2) at most this
    #[arg(long, value_name = "X", value_parser = tolerance, help_heading = "Output")]
    tolerance: Option<f64>,

    /// Lines of each kind that people are shown; JSON has all
    #[arg(long, value_name = "N", default_value_t = 10, help_heading = "Output")]
    top: usize,

    /// How to tell it
    #[arg(long, short, value_name = "FORMAT", default_value = "plain", help_heading = "Output")]
    format: Format,

    /// Write to a file instead of stdout
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    output: Option<PathBuf>,

    /// Exit with 0 whatever differs, for jobs that only report
    #[arg(long, help_heading = "Output")]
    exit_zero: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people at a terminal
    Plain,
    /// For programs; has a published schema
    Json,
    /// One self-contained page
    Html,
}

impl From<Format> for Telling {
    fn from(format: Format) -> Self {
        match format {
            Format::Plain => Self::Plain,
            Format::Json => Self::Json,
            Format::Html => Self::Html,
        }
    }
}

fn tolerance(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "a number is expected, such as 0.01".to_owned())?;
    if number >= 0.0 { Ok(number) } else { Err("a tolerance is 0 or more".to_owned()) }
}

impl Diff {
    pub(crate) fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        if bom::is_bom(&self.first) && bom::is_bom(&self.second) {
            return self.bills(terminal);
        }
        let (old, new) = (weights::open(&self.first)?, weights::open(&self.second)?);
        let names = (self.first.display().to_string(), self.second.display().to_string());
        let (old, new) = (Model { path: &names.0, store: &*old }, Model { path: &names.1, store: &*new });
        let bar = Bar::of("tensors", terminal.is_watched());
        let found = diff(old, new, &Options { only: self.only.clone() }, &bar);
        bar.finish();
        let found = found?;
        let file = self.output.as_deref().filter(|path| *path != Path::new("-"));
        let style = terminal.style(View::Check, file.is_some());
        match terminal.answer(file, |out| render(&found, self.format.into(), self.top, out, style)) {
            // Whoever read the answer has seen enough; what was found stands.
            Ok(()) | Err(Failure::BrokenPipe) => {}
            Err(failure) => return Err(failure),
        }
        let same = found.is_identical() || self.tolerance.is_some_and(|tolerance| found.is_within(tolerance));
        Ok(if same || self.exit_zero { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }

    /// Two bills of materials: their components, not tensors.
    fn bills(&self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        if self.format == Format::Html || self.only.is_some() || self.tolerance.is_some() {
            return Err(Failure::with_hint(
                "bills of materials are compared by component, not by tensor",
                "leave out --only and --tolerance, and take --format plain or json",
            ));
        }
        let found = bom::diff(&self.first, &self.second).map_err(|error| Failure::with_hint(&error, error.hint()))?;
        let file = self.output.as_deref().filter(|path| *path != Path::new("-"));
        let style = terminal.style(View::Check, file.is_some());
        let answered = terminal.answer(file, |out| match self.format {
            Format::Json => bom::json(&found, out),
            Format::Plain | Format::Html => bom::plain(&found, out, style),
        });
        match answered {
            Ok(()) | Err(Failure::BrokenPipe) => {}
            Err(failure) => return Err(failure),
        }
        Ok(if found.is_same() || self.exit_zero { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}
