//! `waag bom`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum, ValueHint};
use jiff::Timestamp;
use waag_engine::bom::cyclonedx::Version;
use waag_engine::bom::gaps::{self, REGIMES, Regime};
use waag_engine::bom::{self, Bom as Gathered, Given, Options, Recorded};
use waag_engine::ledger::{Ledger, entry};
use waag_engine::output::View;
use waag_engine::sanitize::sanitize;
use waag_evidence::statement::provenance::PREDICATE_TYPE;
use waag_evidence::{Decision, Dependency, Sha256Digest};

use super::arguments::file_or_stdout;
use super::exit_code;
use crate::failure::Failure;
use crate::progress::Bar;
use crate::terminal::Terminal;

/// Records of a ledger that are read.
const MAX_RECORDS: usize = 10_000;

const EXAMPLES: &str = "\
Examples:
  waag bom models/tuned                                     one screen
  waag bom . --format cyclonedx-1.7 --output bom.cdx.json
  waag bom . --format spdx --timestamp 2026-11-28T00:00:00Z > bom.spdx.json
  waag bom ~/.cache/huggingface/hub/models--org--name/snapshots/COMMIT --format cyclonedx-1.6
  waag bom . --format html --output bom.html                to send to people
  waag bom . --gaps annex-xi                                what is missing, and where to write it
  waag diff old.cdx.json new.cdx.json                       what changed since

Exit codes:
  0  written
  2  usage or environment: nothing was written
  3  written, but something could not be read and is not in it; with --gaps: something is missing";

/// Write a bill of materials: every file, model, dataset and dependency, each value with where it was read
///
/// Shards, index, tokenizer, adapter and variants are joined to one model; parameters and element types are counted over the
/// tensors in headers; every file is digested. Nothing is executed, looked up or filled in: what nobody wrote down is left
/// out, and --gaps says what that is. Where sources disagree about a base model or a licence, the document says so.
///
/// The same files give the same bytes. A time stands in it only when --timestamp or SOURCE_DATE_EPOCH gives one.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Bom {
    /// A model's folder, a project, a snapshot in a cache of the hub, or one file
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath, help_heading = "Input")]
    path: PathBuf,

    /// Who supplies the model, where its path does not say so
    #[arg(long, value_name = "NAME", help_heading = "What only you can say")]
    supplier: Option<String>,

    /// The model's version, where its path does not say so
    #[arg(long, value_name = "VERSION", help_heading = "What only you can say")]
    model_version: Option<String>,

    /// When the model was released, as 2026-11-28T12:00:00Z
    #[arg(long, value_name = "TIME", help_heading = "What only you can say")]
    release_time: Option<Timestamp>,

    /// Where the model can be had
    #[arg(long, value_name = "ADDRESS", help_heading = "What only you can say")]
    download_location: Option<String>,

    /// What to write
    #[arg(long, short, value_name = "FORMAT", default_value = "plain", help_heading = "Output")]
    format: Format,

    /// Say what a regime asks for and is missing, and where to write it; with --format plain or json
    #[arg(long, value_name = "REGIME", value_parser = regime, help_heading = "Output")]
    gaps: Option<&'static str>,

    /// The time that the document bears
    #[arg(long, value_name = "TIME", help_heading = "Output")]
    timestamp: Option<Timestamp>,

    /// Write to a file instead of stdout
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One screen, for people
    Plain,
    /// CycloneDX 1.6, JSON
    #[value(name = "cyclonedx-1.6")]
    CycloneDx16,
    /// CycloneDX 1.7, JSON: ranges of versions have fields of their own
    #[value(name = "cyclonedx-1.7")]
    CycloneDx17,
    /// SPDX 3.0.1, JSON-LD
    Spdx,
    /// One self-contained page, for people
    Html,
    /// Gaps for programs; has a published schema
    Json,
}

/// The id of a regime, or what there is.
fn regime(text: &str) -> Result<&'static str, String> {
    gaps::regime(text).map(|regime| regime.id).ok_or_else(|| {
        let names: Vec<&str> = REGIMES.iter().map(|regime| regime.id).collect();
        format!("there are {}", names.join(", "))
    })
}

impl Bom {
    pub(crate) fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let regime = self.gaps.and_then(gaps::regime);
        let written = self.written(regime)?;
        let options = Options {
            dependencies: dependencies(&self.path),
            recorded: recorded(&self.path, terminal),
            time: self.timestamp.or_else(source_date),
            given: self.given(),
        };
        let bar = Bar::new(terminal.is_watched());
        let gathered = bom::gather(&self.path, &options, &bar);
        bar.finish();
        let gathered = gathered.map_err(|error| {
            Failure::with_hint(
                format!("cannot read '{}': {error}", sanitize(&self.path.display().to_string())),
                "check the spelling and the permissions; waag reads local paths only",
            )
        })?;
        let file = file_or_stdout(self.output.as_deref());
        let style = terminal.style(View::Check, file.is_some());
        let answered = terminal.answer(file, |out| match (regime, written) {
            (Some(regime), None) => gaps::json(&gathered, regime, out),
            (Some(regime), Some(_)) => gaps::plain(&gathered, regime, out, style),
            (None, Some(format)) => bom::write(&gathered, format, out, style),
            (None, None) => Ok(()),
        });
        match answered {
            Ok(()) | Err(Failure::BrokenPipe) => {}
            Err(failure) => return Err(failure),
        }
        Ok(self.told(&gathered, regime, options.time.is_none(), terminal))
    }

    /// What is written; none for gaps in JSON.
    fn written(&self, regime: Option<&Regime>) -> Result<Option<bom::Format>, Failure> {
        let format = match self.format {
            Format::Plain => Some(bom::Format::Plain),
            Format::CycloneDx16 => Some(bom::Format::CycloneDx(Version::V1_6)),
            Format::CycloneDx17 => Some(bom::Format::CycloneDx(Version::V1_7)),
            Format::Spdx => Some(bom::Format::Spdx),
            Format::Html => Some(bom::Format::Html),
            Format::Json => None,
        };
        let holds = match regime {
            Some(_) => matches!(self.format, Format::Plain | Format::Json),
            None => format.is_some(),
        };
        if holds {
            return Ok(format);
        }
        Err(Failure::with_hint(
            "this format does not go with what is asked for",
            "--gaps is told with --format plain or json; a bill of materials in JSON is cyclonedx-1.6, cyclonedx-1.7 or spdx",
        ))
    }

    fn given(&self) -> Given {
        Given {
            supplier: self.supplier.clone(),
            version: self.model_version.clone(),
            release: self.release_time,
            download: self.download_location.clone(),
        }
    }

    /// What is said beside the answer, and the answer in short.
    fn told(&self, gathered: &Gathered, regime: Option<&Regime>, is_timeless: bool, terminal: &Terminal) -> ExitCode {
        if let Some(regime) = regime {
            let missing = gaps::gaps(gathered, regime).iter().any(|gap| gap.found.is_none());
            return exit_code(if missing { Decision::Inconclusive } else { Decision::Allow });
        }
        if self.format == Format::Spdx && is_timeless {
            terminal.note("the document bears the start of 1970: SPDX wants a time; give one with --timestamp or SOURCE_DATE_EPOCH");
        }
        if gathered.has_gaps() {
            terminal.note("something could not be read and is not in it: the remarks say what");
            return exit_code(Decision::Inconclusive);
        }
        ExitCode::SUCCESS
    }
}

/// The time that `SOURCE_DATE_EPOCH` sets; a clock is never asked.
fn source_date() -> Option<Timestamp> {
    let seconds = std::env::var("SOURCE_DATE_EPOCH").ok()?.parse().ok()?;
    Timestamp::from_second(seconds).ok()
}

/// Provenance in the ledger that is in force for a path; none where there is no ledger.
fn recorded(path: &Path, terminal: &Terminal) -> Vec<Recorded> {
    let whole = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let Some(folder) = Ledger::find(&whole) else { return Vec::new() };
    let read = Ledger::open(&folder, crate::folders::cache().as_deref()).and_then(|ledger| {
        let listed = ledger.list()?;
        let provenance = listed.iter().filter(|listed| listed.row.predicate_type.as_deref() == Some(PREDICATE_TYPE));
        Ok(provenance.take(MAX_RECORDS).filter_map(|listed| kept(&ledger, &listed.row.digest)).collect())
    });
    read.unwrap_or_else(|error| {
        terminal.note(format!("the ledger is not read, so how models were made is not told: {error}"));
        Vec::new()
    })
}

fn kept(ledger: &Ledger, digest: &Sha256Digest) -> Option<Recorded> {
    let opened = entry::open(&ledger.read(digest).ok()?).ok()?;
    let statement = serde_json::from_slice(&opened.payload).ok()?;
    Some(Recorded { statement, location: format!("ledger sha256:{digest}"), signed: opened.signatures > 0 })
}

/// Software that the project needs; what cannot be read of it is `waag deps`' to say.
fn dependencies(path: &Path) -> Vec<Dependency> {
    match path.is_dir() {
        true => waag_code::dependencies::read_project(path).map(|reading| reading.dependencies).unwrap_or_default(),
        false => Vec::new(),
    }
}
