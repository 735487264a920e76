use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, CommandFactory as _, ValueHint};
use clap_mangen::Man as Page;

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::terminal::Terminal;

const EXAMPLES: &str = "\
Examples:
  waag man | man -l -
  waag man --out ~/.local/share/man/man1";

/// Write the manual pages
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Man {
    /// Write a page for waag and one for every command into this folder, instead of the first to stdout
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    out: Option<PathBuf>,
}

impl Man {
    pub(crate) fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        match &self.out {
            Some(folder) => write_all(folder)?,
            None => terminal.answer(None, |mut out| Page::new(Arguments::command()).render(&mut out))?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn write_all(folder: &Path) -> Result<(), Failure> {
    let written = std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Arguments::command(), folder));
    written.map_err(|error| {
        Failure::with_hint(
            format!("cannot write manual pages to '{}': {error}", folder.display()),
            "name a folder that can be written to with --out",
        )
    })
}
