//! `waag policy`.

mod explain;
mod show;
mod test;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::failure::Failure;
use crate::terminal::Terminal;

const EXAMPLES: &str = "\
Examples:
  waag policy show                       what holds here, and where each value comes from
  waag policy explain                    list the controls
  waag policy explain signature          what a control asks, why, and how to pass it
  waag policy explain models/base        why a model is allowed or denied, control by control
  waag policy test                       run the [[policy.test]] of waag.toml

A waag.toml that asks for a signature, and for safetensors only:
  [policy.controls]
  signature = \"deny\"
  [[policy.rule]]
  name = \"safetensors-only\"
  when = \"files.all(f, f.tensors == 0 || f.format == 'safetensors')\"
  then = \"require\"
  reason = \"our servers load nothing else\"";

/// Show, test and explain what has to be true of a model
///
/// A policy says how much each control counts, and has conditions of its own. Everything has a default: nothing has to be
/// set. `waag check` judges by it.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct PolicyCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Show(show::Show),
    Test(test::Test),
    Explain(explain::Explain),
}

impl PolicyCommand {
    pub(crate) fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        match self.action {
            Action::Show(show) => show.run(terminal),
            Action::Test(test) => test.run(terminal),
            Action::Explain(explain) => explain.run(terminal),
        }
    }
}
