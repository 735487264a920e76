//! Where answers and talk go: answers to stdout or a file, talk to stderr.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::Path;

use anstream::{AutoStream, ColorChoice as Choice};
use clap::ColorChoice;
use waag_engine::output::text::{BAD, GOOD, Painted};
use waag_engine::output::{DEFAULT_WIDTH, Style, View};

use crate::failure::Failure;

/// Wider lines are hard to read, and narrower ones leave no room for a path.
const WIDTHS: std::ops::RangeInclusive<usize> = 40..=DEFAULT_WIDTH;

/// How the user wants to be talked to.
#[derive(Debug)]
pub(crate) struct Terminal {
    color: ColorChoice,
    quiet: bool,
}

impl Terminal {
    pub(crate) fn new(color: ColorChoice, quiet: bool) -> Self {
        // clap tells its own errors through the same choice.
        match color {
            ColorChoice::Always => Choice::AlwaysAnsi.write_global(),
            ColorChoice::Never => Choice::Never.write_global(),
            ColorChoice::Auto => {}
        }
        Self { color, quiet }
    }

    /// How to write to stdout, or to a file: files get colours only when they are demanded.
    pub(crate) fn style(&self, view: View, to_file: bool) -> Style {
        let color = match self.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => !to_file && AutoStream::choice(&io::stdout()) != Choice::Never,
        };
        let width = if to_file { DEFAULT_WIDTH } else { columns() };
        Style { view: if self.quiet { View::Verdict } else { view }, color, width }
    }

    /// Writes an answer to a file, or to stdout.
    pub(crate) fn answer<T>(
        &self,
        file: Option<&Path>,
        write: impl FnOnce(&mut dyn Write) -> io::Result<T>,
    ) -> Result<T, Failure> {
        let mut out: Box<dyn Write> = match file {
            Some(path) => Box::new(BufWriter::new(File::create(path).map_err(|error| refused(path, &error))?)),
            None => Box::new(BufWriter::with_capacity(1 << 16, io::stdout().lock())),
        };
        let answer = write(&mut out)?;
        out.flush()?;
        Ok(answer)
    }

    /// Says something beside the answer.
    pub(crate) fn note(&self, text: impl Display) {
        if !self.quiet {
            let _ = writeln!(anstream::stderr(), "{}: {text}", Painted(true, GOOD, "note"));
        }
    }

    /// Says what is wrong, where there is an answer all the same.
    pub(crate) fn complain(&self, text: impl Display) {
        let _ = writeln!(anstream::stderr(), "{}: {text}", Painted(true, BAD, "error"));
    }

    /// Says why there is no answer.
    pub(crate) fn tell_failure(&self, failure: &Failure) {
        let Failure::Told { message, hint } = failure else { return };
        // Nobody can be told when stderr is closed.
        let mut talk = anstream::stderr();
        let _ = writeln!(talk, "{}: {message}", Painted(true, BAD, "error"));
        if let Some(hint) = hint {
            let _ = writeln!(talk, "\n{}: {hint}", Painted(true, GOOD, "hint"));
        }
    }

    /// Whether somebody watches stderr and wants to hear of progress.
    pub(crate) fn is_watched(&self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }
}

fn refused(path: &Path, error: &io::Error) -> Failure {
    let path = waag_engine::sanitize::sanitize(&path.display().to_string());
    Failure::with_hint(
        format!("cannot write to '{path}': {error}"),
        "name a file in a folder that exists with --output",
    )
}

fn columns() -> usize {
    let wide = console_width().unwrap_or(DEFAULT_WIDTH);
    wide.clamp(*WIDTHS.start(), *WIDTHS.end())
}

/// The width of the reader's screen; asked only of a terminal.
fn console_width() -> Option<usize> {
    if !io::stdout().is_terminal() {
        return None;
    }
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    columns.or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)))
}
