//! The command line as a whole; what a command takes is in the command's file.

use clap::{ColorChoice, Parser};

use crate::command::Command;

const ABOUT: &str = "Says what is in a machine-learning model, and whether it is safe to load.";

const EXAMPLES: &str = "\
Examples:
  waag check model.pt                 what it is, whether loading it is safe, and what to do
  waag check ~/models --format sarif  the same for a folder, for code scanning
  waag show model.gguf                look through one file
  waag explain code-execution         what a finding means";

const EXIT_CODES: &str = "\
Exit codes:
  0  allow: nothing speaks against loading it
  1  deny: do not load it
  2  usage or environment: nothing was judged
  3  inconclusive: not everything could be judged

Nothing that is read is ever executed. waag needs no network, no account and no settings.";

/// What was typed.
#[derive(Debug, Parser)]
#[command(name = "waag", version, about = ABOUT, after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
#[command(disable_help_subcommand = true, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Arguments {
    /// When to use colours; NO_COLOR is respected
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", help_heading = "Global options")]
    pub(crate) color: ColorChoice,

    /// Say only what was asked for: the verdict, no progress, no notes
    #[arg(long, short, global = true, help_heading = "Global options")]
    pub(crate) quiet: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}
