use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueHint};
use waag_engine::io::write_atomically;
use waag_engine::output::text::counted;
use waag_engine::sanitize::sanitize;
use waag_engine::scan::{Options, scan_paths};
use waag_engine::settings::draft::{draft, found};
use waag_engine::settings::{FILE_NAME, Settings};
use waag_evidence::ingredient::IngredientKind;

use super::project::sources;
use crate::failure::Failure;
use crate::progress::Bar;
use crate::terminal::Terminal;

const EXAMPLES: &str = "\
Examples:
  waag init                write waag.toml here
  waag init project --print
  waag init && waag lock && waag check";

/// Write a first waag.toml from what lies in a folder
///
/// Names the models and datasets that it finds, with the signatures and lists of checksums beside them, and lists the controls
/// that could be asked for, each with its answer of today. Nothing is guessed, nothing is run, and no waag.toml is
/// overwritten.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Init {
    /// The project's folder
    #[arg(value_name = "FOLDER", default_value = ".", value_hint = ValueHint::DirPath, help_heading = "Input")]
    folder: PathBuf,

    /// Write to stdout, and no file
    #[arg(long, help_heading = "Output")]
    print: bool,

    /// Write over a waag.toml that is there
    #[arg(long, conflicts_with = "print", help_heading = "Output")]
    force: bool,
}

impl Init {
    pub(crate) fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let path = self.folder.join(FILE_NAME);
        if !self.print && !self.force && path.exists() {
            let shown = sanitize(&path.display().to_string());
            return Err(Failure::with_hint(
                format!("'{shown}' is there already"),
                "edit it, print what would be written with --print, or write over it with --force",
            ));
        }
        let trust_store = crate::keyless::store();
        let options = Options { controls: Some(sources(&Settings::default())), trust_store, ..Options::default() };
        let bar = Bar::new(terminal.is_watched());
        let report = scan_paths(std::slice::from_ref(&self.folder), &options, &bar)?;
        bar.finish();
        let (ingredients, more) = found(&report, &self.folder);
        let text = draft(&report, &ingredients, more);
        if self.print {
            terminal.answer(None, |out| out.write_all(text.as_bytes()))?;
            return Ok(ExitCode::SUCCESS);
        }
        let shown = sanitize(&path.display().to_string());
        let written = write_atomically(&path, |file| file.write_all(text.as_bytes()).map(|()| None::<()>));
        written.map_err(|error| {
            Failure::with_hint(format!("cannot write '{shown}': {error}"), "check the permissions of the folder")
        })?;
        let of = |kind| ingredients.iter().filter(|one| one.kind == kind).count() as u64;
        let models = counted(of(IngredientKind::Model), "model");
        let datasets = counted(of(IngredientKind::Dataset), "dataset");
        if more > 0 {
            terminal.note(format_args!("{more} more models and datasets were found and are not written: each collection has a project of its own"));
        }
        terminal.note(format_args!("'{shown}' names {models} and {datasets}; next: `waag lock`, then `waag check`"));
        Ok(ExitCode::SUCCESS)
    }
}
