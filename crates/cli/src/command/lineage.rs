//! `waag lineage`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum, ValueHint};
use waag_engine::ledger::Ledger;
use waag_engine::lineage::answer::{Answer, Options};
use waag_engine::lineage::output::{Asked, Format, Told};
use waag_engine::lineage::question::{Starts, digests_of};
use waag_engine::lineage::walk::Direction;
use waag_engine::lineage::{answer, unsigned_path};
use waag_engine::output::View;
use waag_engine::sanitize::sanitize;

use super::arguments::file_or_stdout;
use super::ledger::{Place, judge};
use crate::failure::Failure;
use crate::progress::Bar;
use crate::terminal::Terminal;

const EXAMPLES: &str = "\
Examples:
  waag lineage models/tuned                            what it was made from, and who says so
  waag lineage models/base --descendants               what was made from it
  waag lineage --affected-by pkg:pypi/torch@2.5.1      the blast radius of a package ...
  waag lineage --affected-by CVE-2026-0001             ... of an advisory that a scan in the ledger names
  waag lineage --affected-by data/poisoned.parquet     ... of a dataset; a path is digested
  waag lineage models/tuned --unsigned-path            the shortest way to what nobody has signed
  waag lineage models/tuned --format svg -o tuned.svg  a picture

Exit codes:
  0  answered; with --affected-by: nothing is affected; with --unsigned-path: everything is signed
  1  with --affected-by: something is; with --unsigned-path: something is not signed
  2  usage or environment: nothing was answered
  3  nothing in the ledger is about it, entries of the ledger could not be believed and were left out, or there may be more
     than was looked at (incomplete); that --limit tells less is no reason";

/// Ask where a model comes from, and where it went
///
/// The answer is what the statements of the ledger say. Each edge is told with who says it: a signer whom waag.toml trusts,
/// a signature that proves nothing, or nobody but the file or person that was read. Sources that disagree, circles, and
/// what is missing are named.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Lineage {
    /// A file or folder, which is digested; or a digest, package URL, address or name, which is looked up
    #[arg(value_name = "SUBJECT", required_unless_present = "affected_by", value_hint = ValueHint::AnyPath, help_heading = "Input")]
    subject: Option<String>,

    #[command(flatten)]
    place: Place,

    /// What was made from it, instead of what it was made from
    #[arg(long, conflicts_with = "unsigned_path", help_heading = "Question")]
    descendants: bool,

    /// Everything that descends from this: a path, digest, package URL, advisory, dataset or name
    #[arg(long, value_name = "WHAT", conflicts_with_all = ["subject", "descendants", "unsigned_path"], help_heading = "Question")]
    affected_by: Option<String>,

    /// The shortest path to an ancestor that crosses an edge nobody trusted has signed
    #[arg(long, help_heading = "Question")]
    unsigned_path: bool,

    /// Edges from where the walk begins
    #[arg(long, value_name = "N", default_value_t = 256, help_heading = "Question")]
    depth: u32,

    /// Artifacts that are told, the nearest first; all are counted
    #[arg(long, value_name = "N", default_value_t = 2000, help_heading = "Output")]
    limit: usize,

    /// How to tell it
    #[arg(long, short, value_name = "FORMAT", default_value = "plain", help_heading = "Output")]
    format: Shape,

    /// Write to a file instead of stdout
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shape {
    /// A tree, for people at a terminal
    Plain,
    /// For programs; has a published schema
    Json,
    /// For Graphviz
    Dot,
    /// For Markdown that draws
    Mermaid,
    /// A picture
    Svg,
}

impl From<Shape> for Format {
    fn from(shape: Shape) -> Self {
        match shape {
            Shape::Plain => Self::Plain,
            Shape::Json => Self::Json,
            Shape::Dot => Self::Dot,
            Shape::Mermaid => Self::Mermaid,
            Shape::Svg => Self::Svg,
        }
    }
}

impl Lineage {
    pub(crate) fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let about = self.affected_by.as_deref().or(self.subject.as_deref()).unwrap_or_default();
        let settings = self.place.settings()?;
        let mut ledger = self.place.open(terminal)?;
        let judge = judge(&settings)?;
        let starts = starts(&ledger, about, terminal)?;
        if starts.nodes.is_empty() {
            return self.unknown(about, &starts, terminal);
        }
        if starts.by_files {
            terminal.note("no statement is about the whole folder, so its files were looked up");
        }
        let asked = self.asked();
        let (is_bad, mut answer) = match asked {
            Asked::UnsignedPath => unsigned_path(&mut ledger, &starts.nodes, self.depth, &judge)?,
            _ => {
                let answer = answer(&mut ledger, &starts.nodes, self.options(asked), &judge)?;
                (asked == Asked::Affected && answer.reached > 0, answer)
            }
        };
        answer.incomplete.extend(starts.gaps());
        self.tell(&Told { asked, about, answer: &answer }, terminal)?;
        Ok(match (is_bad, answer.is_inconclusive()) {
            (true, _) => ExitCode::from(1),
            (false, true) => ExitCode::from(3),
            (false, false) => ExitCode::SUCCESS,
        })
    }

    const fn asked(&self) -> Asked {
        match (self.affected_by.is_some(), self.unsigned_path, self.descendants) {
            (true, ..) => Asked::Affected,
            (_, true, _) => Asked::UnsignedPath,
            (.., true) => Asked::Descendants,
            _ => Asked::Ancestors,
        }
    }

    fn options(&self, asked: Asked) -> Options {
        let direction = match asked {
            Asked::Ancestors | Asked::UnsignedPath => Direction::Ancestors,
            Asked::Descendants | Asked::Affected => Direction::Descendants,
        };
        Options { direction, most_depth: self.depth, most_nodes: self.limit.max(1) }
    }

    fn tell(&self, told: &Told<'_>, terminal: &Terminal) -> Result<(), Failure> {
        let file = file_or_stdout(self.output.as_deref());
        let style = terminal.style(View::Check, file.is_some());
        match terminal.answer(file, |out| told.render(self.format.into(), out, style)) {
            Ok(()) | Err(Failure::BrokenPipe) => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    /// Nothing in the ledger is about it: an answer, and not a good one.
    fn unknown(&self, about: &str, starts: &Starts, terminal: &Terminal) -> Result<ExitCode, Failure> {
        if self.format == Shape::Json {
            self.tell(&Told { asked: self.asked(), about, answer: &Answer::default() }, terminal)?;
        }
        let looked: Vec<_> = starts.asked.iter().map(|identifier| sanitize(&identifier.to_string())).collect();
        terminal.complain(format_args!(
            "nothing in the ledger is about '{}' (looked for {})",
            sanitize(about),
            looked.join(", ")
        ));
        Ok(ExitCode::from(3))
    }
}

/// Where the walk begins. A path that is there is digested, anything else is looked up.
fn starts(ledger: &Ledger, about: &str, terminal: &Terminal) -> Result<Starts, Failure> {
    let path = Path::new(about);
    if !path.exists() {
        return Ok(Starts::of_text(ledger, about)?);
    }
    let bar = Bar::new(terminal.is_watched());
    let digests = digests_of(path, &bar)?;
    bar.finish();
    Ok(Starts::of_model(ledger, digests)?)
}
