use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueHint};
use jiff::Timestamp;
use serde::Serialize;
use waag_engine::output::text::{HEADING, Painted};
use waag_engine::output::{Style, View, write_json};
use waag_engine::sanitize::sanitize;
use waag_engine::trust_store::Origin;
use waag_signing::keyless::{Authority, Repository, Services, TrustedRoot, fetch_material};

use super::formats::Telling;
use crate::failure::Failure;
use crate::keyless::{read, store};
use crate::terminal::Terminal;

/// Bytes of a repository's first metadata that are read.
const MAX_BYTES: u64 = 1 << 20;
/// The name of waag's own root, where others have a path.
const WITHIN: &str = concat!("waag ", env!("CARGO_PKG_VERSION"));

const EXAMPLES: &str = "\
Examples:
  waag trust show                        whose word counts, and how new the root is
  waag trust show trusted_root.json      look through a root before importing it
  waag trust update                      fetch the newest root from the network
  waag trust import trusted_root.json    take over a root that came another way";

/// Show, renew or replace the trusted root that keyless signatures are verified with
///
/// A root is within waag, so that nothing has to be done first and no network is needed. A root that is imported or
/// fetched is kept in the user's data folder and counts from then on.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Trust {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Show(Show),
    Update(Update),
    Import(Import),
}

/// Show who is believed, since when, and where the root comes from
#[derive(Debug, Args)]
struct Show {
    /// A root to look through instead of the one that counts
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: Option<PathBuf>,

    /// How to tell it
    #[arg(long, short, value_name = "FORMAT", default_value = "plain")]
    format: Telling,
}

/// Fetch the newest root and signing configuration by TUF
#[derive(Debug, Args)]
struct Update {
    /// The address of another repository than the public one
    #[arg(long, value_name = "URL", requires = "repository_root")]
    repository: Option<String>,

    /// That repository's root.json, got by another way
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "repository")]
    repository_root: Option<PathBuf>,
}

/// Take over a root from a file: a trusted root, or a client's trust configuration
#[derive(Debug, Args)]
struct Import {
    /// The file
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,
}

impl Trust {
    pub(crate) fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        match self.action {
            Action::Show(show) => show.run(terminal)?,
            Action::Update(update) => update.run(terminal)?,
            Action::Import(import) => import.run(terminal)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Show {
    fn run(self, terminal: &Terminal) -> Result<(), Failure> {
        let (root, origin) = store().trusted_root(self.file.as_deref())?;
        let newer = newer_within(&root)?;
        let style = terminal.style(View::Check, false);
        terminal.answer(None, |out| match self.format {
            Telling::Plain => plain(&root, &origin, out, style),
            Telling::Json => write_json(&Shown::new(&root, &origin, newer), out),
        })?;
        if newer {
            terminal.note("the root within waag has newer keys: 'waag trust update', or remove the stored file");
        }
        Ok(())
    }
}

impl Update {
    fn run(self, terminal: &Terminal) -> Result<(), Failure> {
        let store = store();
        let material = fetch_material(&self.repository()?, &store.memory()?)?;
        let root = TrustedRoot::from_json(material.trusted_root.as_bytes())?;
        let path = store.keep_root(&root)?;
        store.keep_signing_config(&material.signing_config)?;
        kept(&root, &path, terminal)
    }

    fn repository(&self) -> Result<Repository, Failure> {
        let (Some(address), Some(root)) = (&self.repository, &self.repository_root) else {
            return Ok(Repository::Production);
        };
        Ok(Repository::Other { address: address.clone(), root: read(root, MAX_BYTES, "--repository-root")? })
    }
}

impl Import {
    fn run(self, terminal: &Terminal) -> Result<(), Failure> {
        let store = store();
        let (root, _) = store.trusted_root(Some(&self.file))?;
        if newer_within(&root)? {
            terminal.note("the root within waag has newer keys than this file");
        }
        let path = store.keep_root(&root)?;
        // A client's trust configuration says where to sign, too.
        let configuration = store.signing_config(Some(&self.file))?;
        if let Some(json) = configuration.filter(|json| Services::from_json(json).is_ok()) {
            store.keep_signing_config(&String::from_utf8_lossy(&json))?;
        }
        kept(&root, &path, terminal)
    }
}

fn kept(root: &TrustedRoot, path: &Path, terminal: &Terminal) -> Result<(), Failure> {
    let path = sanitize(&path.display().to_string());
    terminal.answer(None, |out| writeln!(out, "trusted root kept in {path}, {}", age(root)))
}

/// Whether waag's own root has keys that are newer than any of this one.
fn newer_within(root: &TrustedRoot) -> Result<bool, Failure> {
    Ok(root.newest() < TrustedRoot::production()?.newest())
}

fn age(root: &TrustedRoot) -> String {
    root.newest().map_or_else(|| "without dates".to_owned(), |date| format!("newest key of {}", day(date)))
}

fn day(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

fn plain(root: &TrustedRoot, origin: &Origin, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let place = match origin {
        Origin::Within => format!("within {WITHIN}"),
        Origin::Named(path) | Origin::Stored(path) => sanitize(&path.display().to_string()),
    };
    writeln!(out, "{}  {place}, {}", Painted(style.color, HEADING, "trusted root"), age(root))?;
    root.authorities().iter().try_for_each(|authority| line(authority, out))
}

fn line(authority: &Authority, out: &mut dyn Write) -> io::Result<()> {
    let start = authority.start.map_or_else(|| "?".to_owned(), day);
    let end = authority.end.map_or_else(|| "today".to_owned(), day);
    writeln!(out, "  {:<21}  {start} to {end:<10}  {}", authority.role, sanitize(&authority.name))
}

/// A trusted root as programs see it.
#[derive(Serialize)]
struct Shown {
    origin: &'static str,
    path: Option<String>,
    newest: Option<String>,
    newer_within: bool,
    authorities: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    role: &'static str,
    name: String,
    start: Option<String>,
    end: Option<String>,
}

impl Shown {
    fn new(root: &TrustedRoot, origin: &Origin, newer_within: bool) -> Self {
        let (origin, path) = match origin {
            Origin::Within => ("within", None),
            Origin::Stored(path) => ("stored", Some(path)),
            Origin::Named(path) => ("named", Some(path)),
        };
        Self {
            origin,
            path: path.map(|path| sanitize(&path.display().to_string())),
            newest: root.newest().map(|time| time.to_string()),
            newer_within,
            authorities: root.authorities().iter().map(Entry::new).collect(),
        }
    }
}

impl Entry {
    fn new(authority: &Authority) -> Self {
        let text = |time: Timestamp| time.to_string();
        let (start, end) = (authority.start.map(text), authority.end.map(text));
        Self { role: authority.role.name(), name: sanitize(&authority.name), start, end }
    }
}
