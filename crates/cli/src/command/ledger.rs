//! `waag ledger`.

mod told;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueHint};
use waag_engine::ledger::judge::PolicyJudge;
use waag_engine::ledger::{Added, FOLDER_NAME, Ledger, LedgerError, Origin};
use waag_engine::output::View;
use waag_engine::output::text::counted;
use waag_engine::sanitize::sanitize;
use waag_engine::settings::{self, Settings};

use super::arguments::file_or_stdout;
use super::formats::Telling;
use crate::failure::Failure;
use crate::folders;
use crate::terminal::Terminal;

/// Documents that were refused and are listed; beyond that they are counted.
const MAX_LISTED: usize = 20;

const EXAMPLES: &str = "\
Examples:
  waag ledger add model.sig provenance.sigstore.json   keep statements in .waag
  waag ledger list                                     what there is, and who signed it
  waag ledger show 3f2a                                one statement, by the first digits of its name
  waag ledger check                                    read and digest every entry; name those that are not what they were
  waag ledger export all.jsonl                         for another ledger, or another program
  waag ledger import ../published-attestations/        from a folder or a file of lines

A ledger is a folder, .waag, beside waag.toml. Its statements belong into version control; its index does not.";

/// Keep evidence: add statements, list them, look at one, check them all, and exchange them
///
/// A statement is kept as it was signed, in a file that is named by the digest of its bytes. What the statements say of
/// models, data and code is a graph, which `waag lineage` answers questions about.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct LedgerCommand {
    #[command(flatten)]
    place: Place,

    #[command(subcommand)]
    action: Action,
}

/// Which ledger, and whom to trust.
#[derive(Debug, Default, Args)]
pub(super) struct Place {
    /// The ledger, instead of the nearest .waag up to the repository's root
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Input")]
    ledger: Option<PathBuf>,

    /// Settings file that says who is trusted, instead of the nearest waag.toml up to the repository's root
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Input")]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Action {
    Add(Add),
    List(List),
    Show(Show),
    Check(Check),
    Import(Add),
    Export(Export),
}

/// Add statements: Sigstore bundles, DSSE envelopes, model signatures, bare in-toto statements, lines of these
///
/// A bare statement is kept in an envelope that nobody signed. Space between the tokens of JSON is dropped; a statement that
/// is there already is not kept twice.
#[derive(Debug, Args)]
struct Add {
    /// Files, or folders of files
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::AnyPath)]
    files: Vec<PathBuf>,
}

/// List every statement: what it is about, and who signed it
#[derive(Debug, Args)]
struct List {
    /// How to tell it
    #[arg(long, short, value_name = "FORMAT", default_value = "plain")]
    format: Telling,
}

/// Show one statement, as it was signed
#[derive(Debug, Args)]
struct Show {
    /// Its digest, or the first digits of it
    #[arg(value_name = "DIGEST")]
    digest: String,

    /// How to tell it: plain adds who signed it, json is the entry as it is kept
    #[arg(long, short, value_name = "FORMAT", default_value = "plain")]
    format: Telling,
}

/// Read and digest every entry, and name each that is not what its name says
#[derive(Debug, Args)]
struct Check {
    /// How to tell it
    #[arg(long, short, value_name = "FORMAT", default_value = "plain")]
    format: Telling,
}

/// Write every statement, in order of digests: a folder of files, or a line each
#[derive(Debug, Args)]
struct Export {
    /// A file of lines; a folder, where the name ends with a slash or a folder is there; - for lines on stdout
    #[arg(value_name = "TO", value_hint = ValueHint::AnyPath)]
    to: PathBuf,
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        let hint = error.hint();
        Self::with_hint(error, hint)
    }
}

impl Place {
    fn settings_file(&self) -> Option<PathBuf> {
        let here = || std::env::current_dir().ok().and_then(|directory| settings::find(&directory));
        self.config.clone().or_else(here)
    }

    /// What the settings say; nothing where there are none.
    pub(super) fn settings(&self) -> Result<Settings, Failure> {
        match self.settings_file() {
            Some(path) => Ok(Settings::load(&path)?),
            None => Ok(Settings::default()),
        }
    }

    /// The ledger that is named, or the nearest.
    fn folder(&self) -> Option<PathBuf> {
        let here = || std::env::current_dir().ok().and_then(|directory| Ledger::find(&directory));
        self.ledger.clone().or_else(here)
    }

    /// Where a new ledger is made: beside the settings, or here.
    fn new_folder(&self) -> PathBuf {
        let beside = self.settings_file().map(|path| super::project::root_of(&path).join(FOLDER_NAME));
        self.folder().or(beside).unwrap_or_else(|| PathBuf::from(FOLDER_NAME))
    }

    /// Opens the ledger.
    pub(super) fn open(&self, terminal: &Terminal) -> Result<Ledger, Failure> {
        let folder = self.folder().ok_or_else(|| {
            Failure::with_hint(
                format!("there is no {FOLDER_NAME} here or above, up to the repository's root"),
                "make one by adding a statement: waag ledger add FILE",
            )
        })?;
        let ledger = Ledger::open(&folder, folders::cache().as_deref())?;
        tell_origin(&ledger, terminal);
        Ok(ledger)
    }

    /// Opens the ledger, or makes one.
    pub(super) fn create(&self, terminal: &Terminal) -> Result<(Ledger, PathBuf), Failure> {
        let folder = self.new_folder();
        let ledger = Ledger::create(&folder, folders::cache().as_deref())?;
        tell_origin(&ledger, terminal);
        Ok((ledger, folder))
    }
}

fn tell_origin(ledger: &Ledger, terminal: &Terminal) {
    match ledger.origin() {
        Origin::Replaced => terminal.note(
            "the index of the ledger was not closed by this user's waag, so it was made again from the statements",
        ),
        Origin::Memory => terminal.note("there is no place for the ledger's index, so it is made anew each time"),
        Origin::Kept | Origin::Made => {}
    }
}

/// Who is trusted, by the settings.
pub(super) fn judge(settings: &Settings) -> Result<PolicyJudge<'_>, Failure> {
    let store = crate::keyless::store();
    Ok(PolicyJudge::new(&settings.trust, &settings.folder, &store, waag_engine::clock::now())?)
}

impl LedgerCommand {
    pub(crate) fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        match &self.action {
            Action::Add(add) | Action::Import(add) => self.add(add, terminal),
            Action::List(list) => self.list(list, terminal),
            Action::Show(show) => self.show(show, terminal),
            Action::Check(check) => self.check(check, terminal),
            Action::Export(export) => self.export(export, terminal),
        }
    }

    fn add(&self, add: &Add, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let (mut ledger, folder) = self.place.create(terminal)?;
        let added = ledger.add(&add.files)?;
        tell_refused(&added, terminal);
        terminal.answer(None, |out| {
            added
                .digests
                .iter()
                .take(if added.digests.len() > MAX_LISTED { 0 } else { MAX_LISTED })
                .try_for_each(|digest| writeln!(out, "{digest}"))?;
            writeln!(out, "{}", told::added(&added, &folder))
        })?;
        Ok(if added.refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }

    fn list(&self, list: &List, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let settings = self.place.settings()?;
        let (mut ledger, judge) = (self.place.open(terminal)?, judge(&settings)?);
        let rows = told::rows(&mut ledger, &judge)?;
        let style = terminal.style(View::Check, false);
        terminal.answer(None, |out| match list.format {
            Telling::Json => told::list_json(&rows, out),
            Telling::Plain => told::list(&rows, out, style),
        })?;
        Ok(ExitCode::SUCCESS)
    }

    fn show(&self, show: &Show, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let settings = self.place.settings()?;
        let (ledger, judge) = (self.place.open(terminal)?, judge(&settings)?);
        let listed = ledger.show(&show.digest)?;
        let bytes = ledger.read(&listed.row.digest)?;
        let style = terminal.style(View::Check, false);
        match show.format {
            Telling::Json => terminal.answer(None, |out| {
                out.write_all(&bytes)?;
                writeln!(out)
            })?,
            Telling::Plain => {
                let assurance = ledger.assurance(&listed.row, &judge)?;
                terminal.answer(None, |out| told::show(&listed, &assurance, &bytes, out, style))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn check(&self, check: &Check, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let checked = self.place.open(terminal)?.check()?;
        let style = terminal.style(View::Check, false);
        terminal.answer(None, |out| match check.format {
            Telling::Json => told::check_json(&checked, out),
            Telling::Plain => told::check(&checked, out, style),
        })?;
        Ok(match (checked.faults.is_empty(), checked.unread.is_empty() && checked.cut.is_empty()) {
            (false, _) => ExitCode::from(1),
            (true, false) => ExitCode::from(3),
            (true, true) => ExitCode::SUCCESS,
        })
    }

    fn export(&self, export: &Export, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let ledger = self.place.open(terminal)?;
        let is_folder = export.to.is_dir() || export.to.as_os_str().as_encoded_bytes().ends_with(b"/");
        let exported = if is_folder {
            ledger.export_folder(&export.to)?
        } else {
            let file = file_or_stdout(Some(&export.to));
            let mut failed = None;
            let exported = terminal.answer(file, |out| {
                ledger.export_lines(out).map_err(|error| {
                    let words = error.to_string();
                    failed = Some(error);
                    std::io::Error::other(words)
                })
            });
            match (exported, failed) {
                (_, Some(error)) => return Err(error.into()),
                (exported, None) => exported?,
            }
        };
        terminal.note(format_args!("{} written", counted(exported.written, "statement")));
        if exported.left_out > 0 {
            let words = counted(exported.left_out, "entry").replace("entrys", "entries");
            terminal.complain(format_args!(
                "{words} left out, since they are not what their names say (waag ledger check)"
            ));
            return Ok(ExitCode::from(1));
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn tell_refused(added: &Added, terminal: &Terminal) {
    for refused in added.refused.iter().take(MAX_LISTED) {
        let line = refused.line.map(|line| format!(", line {line}")).unwrap_or_default();
        let path = sanitize(&shown(&refused.path));
        terminal.complain(format_args!("'{path}'{line} was not added: it {}", sanitize(&refused.reason)));
    }
    if let Some(more @ 1..) = added.refused.len().checked_sub(MAX_LISTED) {
        terminal.complain(format_args!("and {more} more were not added"));
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
