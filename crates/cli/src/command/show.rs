mod plain;
mod sections;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueHint};
use serde::Serialize;
use waag_engine::output::{View, write_json};
use waag_engine::report::ArtifactReport;
use waag_engine::scan::{Xray, xray};
use waag_formats::fact::Fact;

use super::formats::Telling;
use crate::failure::Failure;
use crate::terminal::Terminal;

const EXAMPLES: &str = "\
Examples:
  waag show model.gguf
  waag show model.safetensors --all
  waag show model.pt --format json | jq '.. | objects | select(.fact == \"callable\")'";

/// Look through one file: tensors, metadata, callables, what a pickle would do, templates
///
/// Tells what was read and judges nothing; the exit code only says whether the file could be opened.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Show {
    /// The file
    #[arg(value_name = "PATH", value_hint = ValueHint::FilePath, help_heading = "Input")]
    path: PathBuf,

    /// Show all of every list, not only its start
    #[arg(long, short, help_heading = "Output")]
    all: bool,

    /// How to tell it
    #[arg(long, short, value_name = "FORMAT", default_value = "plain", help_heading = "Output")]
    format: Telling,

    /// Write to a file instead of stdout
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    output: Option<PathBuf>,
}

impl Show {
    pub(crate) fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let seen = xray(&self.path)?;
        let style = terminal.style(View::Check, self.output.is_some());
        terminal.answer(self.output.as_deref(), |out| match self.format {
            Telling::Plain => plain::render(&seen, self.all, out, style),
            Telling::Json => write_json(&Seen::from(&seen), out),
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// An x-ray as it is written.
#[derive(Serialize)]
struct Seen<'a> {
    artifact: &'a ArtifactReport,
    facts: &'a [Fact],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    members: Vec<Seen<'a>>,
}

impl<'a> From<&'a Xray> for Seen<'a> {
    fn from(xray: &'a Xray) -> Self {
        Self { artifact: &xray.artifact, facts: &xray.facts, members: xray.members.iter().map(Self::from).collect() }
    }
}
