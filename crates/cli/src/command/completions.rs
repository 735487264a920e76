use std::process::ExitCode;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::terminal::Terminal;

const EXAMPLES: &str = "\
Examples:
  waag completions bash > ~/.local/share/bash-completion/completions/waag
  waag completions zsh > ~/.zfunc/_waag
  waag completions fish > ~/.config/fish/completions/waag.fish";

/// Write completions for a shell
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "waag", &mut script);
        terminal.answer(None, |out| out.write_all(&script))?;
        Ok(ExitCode::SUCCESS)
    }
}
