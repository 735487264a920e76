//! `waag bom`.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum, ValueHint};
use jiff::Timestamp;
use waag_engine::bom::cyclonedx::Version;
use waag_engine::bom::gaps::{self, REGIMES, Regime};
use waag_engine::bom::{self, Bom as Gathered, Given, Options, Recorded, Remark};
use waag_engine::ledger::{Ledger, entry};
use waag_engine::output::View;
use waag_engine::output::text::place;
use waag_engine::sanitize::sanitize;
use waag_evidence::finding::{Location, Nature};
use waag_evidence::statement::provenance::PREDICATE_TYPE;
use waag_evidence::{Decision, Sha256Digest};

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
  waag bom models/tuned --gaps annex-xi                     what is missing, and where to write it
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

    /// Where the model can be had: an address of the web
    #[arg(long, value_name = "ADDRESS", value_parser = address, help_heading = "What only you can say")]
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

    /// Write to a file instead of stdout; it does not list itself
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

/// An address that every format has a field for.
fn address(text: &str) -> Result<String, String> {
    let is_address = bom::is_address(text);
    is_address.then(|| text.to_owned()).ok_or_else(|| "name an address that begins with https:// or http://".to_owned())
}

impl Bom {
    pub(crate) fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let regime = self.gaps.and_then(gaps::regime);
        let written = self.written(regime)?;
        let mut options = Options {
            output: self.output.as_deref().and_then(|output| std::fs::canonicalize(output).ok()),
            time: self.timestamp.or_else(source_date),
            given: self.given(),
            ..Options::default()
        };
        dependencies(&self.path, &mut options);
        recorded(&self.path, &mut options);
        let bar = Bar::new(terminal.is_watched());
        let gathered = bom::gather(&self.path, &options, &bar);
        bar.finish();
        let gathered = gathered.map_err(|error| {
            Failure::with_hint(
                format!("cannot read '{}': {error}", sanitize(&self.path.display().to_string())),
                "check the spelling and the permissions; waag reads local paths only",
            )
        })?;
        self.about_one(&gathered)?;
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

    /// Refuses what can only be said of one model where there are others.
    fn about_one(&self, gathered: &Gathered) -> Result<(), Failure> {
        let count = gathered.models.len();
        let is_judged = self.gaps.is_some() && count > 1;
        let is_given = self.given() != Given::default() && count != 1;
        if !is_judged && !is_given {
            return Ok(());
        }
        let flags = "--supplier, --model-version, --release-time and --download-location";
        let what = if is_judged { "--gaps is" } else { &format!("{flags} are") };
        let shown = sanitize(&self.path.display().to_string());
        let first = gathered.models.first().map(|model| sanitize(&self.path.join(&model.folder).display().to_string()));
        Err(Failure::with_hint(
            format!("{what} about one model, and '{shown}' holds {count}"),
            first.map_or("name the folder of a model".to_owned(), |first| {
                format!("name the model's own folder: {first}")
            }),
        ))
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
        let is_missing = |regime| gaps::gaps(gathered, regime).iter().any(|gap| gap.found.is_none());
        if self.format == Format::Spdx && is_timeless {
            terminal.note("the document bears the start of 1970: SPDX wants a time; give one with --timestamp or SOURCE_DATE_EPOCH");
        }
        if gathered.has_gaps() {
            terminal
                .note("something could not be read and is not in it: the remarks of the bill of materials say what");
        }
        let is_whole = !gathered.has_gaps() && !regime.is_some_and(is_missing);
        exit_code(if is_whole { Decision::Allow } else { Decision::Inconclusive })
    }
}

/// The time that `SOURCE_DATE_EPOCH` sets; a clock is never asked.
fn source_date() -> Option<Timestamp> {
    let seconds = std::env::var("SOURCE_DATE_EPOCH").ok()?.parse().ok()?;
    Timestamp::from_second(seconds).ok()
}

/// Adds provenance in the ledger that is in force for a path; none where there is no ledger.
fn recorded(path: &Path, options: &mut Options) {
    let whole = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let Some(folder) = Ledger::find(&whole) else { return };
    let read = Ledger::open(&folder, crate::folders::cache().as_deref()).and_then(|ledger| {
        let listed = ledger.list()?;
        let provenance = listed.iter().filter(|listed| listed.row.predicate_type.as_deref() == Some(PREDICATE_TYPE));
        for (number, listed) in provenance.enumerate() {
            if number == MAX_RECORDS {
                let text = format!("only the first {MAX_RECORDS} records of how models were made are told");
                options.remarks.push(Remark::gap("ledger", text));
                break;
            }
            match kept(&ledger, &listed.row.digest) {
                Ok(recorded) => options.recorded.push(recorded),
                Err(why) => options.remarks.push(Remark::gap(format!("ledger sha256:{}", listed.row.digest), why)),
            }
        }
        Ok(())
    });
    if let Err(error) = read {
        let text = format!("it cannot be read, so that how models were made is not told: {error}");
        options.remarks.push(Remark::gap("ledger", text));
    }
}

fn kept(ledger: &Ledger, digest: &Sha256Digest) -> Result<Recorded, String> {
    let bytes = ledger.read(digest).map_err(|error| error.to_string())?;
    let opened = entry::open(&bytes).map_err(|error| error.to_string())?;
    let statement = serde_json::from_slice(&opened.payload).map_err(|error| error.to_string())?;
    Ok(Recorded { statement, location: format!("ledger sha256:{digest}"), signed: opened.signatures > 0 })
}

/// Adds the software that a project, or one file of it, needs; what of it could not be read is a gap.
fn dependencies(path: &Path, options: &mut Options) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if !path.is_dir() && !bom::names_packages(&name) {
        return;
    }
    match waag_code::dependencies::read_project(path) {
        Ok(reading) => {
            options.dependencies = reading.dependencies;
            options.dependencies.iter_mut().for_each(|one| below(path, &mut one.location));
            for mut finding in reading.findings.into_iter().filter(|finding| finding.nature == Nature::Incomplete) {
                below(path, &mut finding.location);
                options.remarks.push(Remark::gap(place(&finding.location), finding.message));
            }
        }
        // One that is named like those that name packages, and is of no kind that is read.
        Err(error) if error.kind() == ErrorKind::InvalidInput => {}
        Err(error) => options.remarks.push(Remark::gap(".", format!("what it needs cannot be read: {error}"))),
    }
}

/// Tells a place below what is looked at, as every other place is told: not by how whoever asks reached it.
fn below(path: &Path, location: &mut Location) {
    let folder = if path.is_dir() { Some(path) } else { path.parent() };
    let file = folder.and_then(|folder| Path::new(&location.file).strip_prefix(folder).ok());
    if let Some(file) = file.map(|file| file.to_string_lossy().into_owned()) {
        location.file = file;
    }
}
