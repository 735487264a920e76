//! The `waag` binary: reads the command line, runs one command, tells how it went.

mod arguments;
mod command;
mod failure;
mod folders;
mod keyless;
mod markdown;
mod progress;
mod suggest;
mod terminal;

use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::terminal::Terminal;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let terminal = Terminal::new(arguments.color, arguments.quiet);
    match command::run(arguments.command, &terminal) {
        Ok(code) => code,
        // Whoever read our output has seen enough; that is no failure.
        Err(Failure::BrokenPipe) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal.tell_failure(&failure);
            ExitCode::from(command::USAGE)
        }
    }
}
