use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use waag_engine::output::text::{HEADING, NAME, Painted, wrap};
use waag_engine::output::{Style, View, write_json};
use waag_formats::FORMATS;
use waag_formats::format::{Depth, Meta};

use crate::failure::Failure;
use crate::terminal::Terminal;

const EXAMPLES: &str = "\
Examples:
  waag formats
  waag formats --format json | jq -r '.[] | select(.depth == \"full\") | .id'";

/// List the formats that are parsed, and how deeply
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Formats {
    /// How to tell it
    #[arg(long, short, value_name = "FORMAT", default_value = "plain", help_heading = "Output")]
    format: Telling,
}

/// How a list or an x-ray is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Telling {
    /// For people at a terminal
    Plain,
    /// For programs
    Json,
}

impl Formats {
    pub(crate) fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let metas: Vec<&Meta> = FORMATS.iter().map(|format| format.meta()).collect();
        let style = terminal.style(View::Check, false);
        terminal.answer(None, |out| match self.format {
            Telling::Plain => table(&metas, out, style),
            Telling::Json => write_json(&metas, out),
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// One block per depth, deepest first: how far a format is read matters more than its name.
fn table(metas: &[&Meta], out: &mut dyn Write, style: Style) -> io::Result<()> {
    let mut first = true;
    for depth in [Depth::Full, Depth::Container, Depth::Surface] {
        let formats: Vec<&&Meta> = metas.iter().filter(|meta| meta.depth == depth).collect();
        if formats.is_empty() {
            continue;
        }
        if !std::mem::take(&mut first) {
            writeln!(out)?;
        }
        writeln!(out, "{}", Painted(style.color, HEADING, heading(depth)))?;
        formats.iter().try_for_each(|meta| entry(meta, out, style))?;
    }
    Ok(())
}

fn heading(depth: Depth) -> &'static str {
    match depth {
        Depth::Full => "Read in full: every part that decides what loading does is read and verified",
        Depth::Container => "Opened: what is inside is analysed as what it is",
        Depth::Surface => "Told apart and searched, not verified",
    }
}

fn entry(meta: &Meta, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let id = Painted(style.color, NAME, meta.id);
    let endings: Vec<String> = meta.extensions.iter().map(|ending| format!(".{ending}")).collect();
    writeln!(out, "  {id}  {}  {}", meta.title, endings.join(" "))?;
    wrap(meta.reads, style.width.saturating_sub(4)).iter().try_for_each(|line| writeln!(out, "    {line}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_listed_by_depth() {
        let meta = |id, depth| Meta {
            id,
            title: "A format",
            extensions: &["a", "b"],
            depth,
            reads: "Everything that can be read, and then some more that is only there to make this line too long for one.",
            specification: "",
        };
        let (zip, pickle) = (meta("zip", Depth::Container), meta("pickle", Depth::Full));
        let mut bytes = Vec::new();
        table(&[&zip, &pickle], &mut bytes, Style::default()).unwrap();
        insta::assert_snapshot!(String::from_utf8(bytes).unwrap());
    }
}
