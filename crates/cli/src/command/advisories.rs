//! `waag advisories`.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueHint};
use serde::Serialize;
use waag_code::advisories::{
    Advisory, Data, Database, DatabaseError, Header, Import as Taken, Rated, Scope, import, keep, rate,
};
use waag_engine::clock;
use waag_engine::output::text::{HEADING, NAME, Painted, listing};
use waag_engine::output::{Style, View, write_json};
use waag_engine::sanitize::sanitize;
use waag_evidence::dependency::normalised;

use super::formats::Telling;
use crate::failure::Failure;
use crate::folders;
use crate::terminal::Terminal;

/// Packages that are named because entries about them could not be read.
const MAX_DOUBTFUL: usize = 12;

const EXAMPLES: &str = "\
Examples:
  waag advisories import all.zip                    everything that OSV has of PyPI, fetched by another way
  waag advisories import advisory-database/vulns    a copy of PyPA's database
  waag advisories status                            what there is, and how old it is
  waag advisories status --max-age 30               fail when it is older than that
  waag advisories show pillow                       what is known of a package
  waag advisories show CVE-2023-50447               ... or of a weakness

Exit codes:
  0  done
  1  show: nothing is known of it, in data that would know
  2  usage or environment
  3  status: the data is older than --max-age, or built in; import: some entries could not be read;
     show: the data there is does not cover it";

/// Import what is known of weaknesses of packages, and show it
///
/// Nothing is fetched: advisories come as a zip archive, a folder or a file, in OSV's JSON or PyPA's YAML, and replace those
/// imported before. Without any, the few that are built in count, which are old and about a handful of packages.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Advisories {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Import(Import),
    Status(Status),
    Show(Show),
}

/// Take over advisories, in place of those imported before
#[derive(Debug, Args)]
struct Import {
    /// Zip archives, folders or single entries
    #[arg(value_name = "SOURCE", required = true, value_hint = ValueHint::AnyPath)]
    sources: Vec<PathBuf>,

    /// These are all that is known of the index: a package without one has none
    #[arg(long, conflicts_with = "partial")]
    whole: bool,

    /// These are about some packages only: nothing is known of others. Taken for granted below 1000 advisories
    #[arg(long)]
    partial: bool,
}

/// Show what advisories there are, and how old they are
#[derive(Debug, Args)]
struct Status {
    /// Days after which the data is too old
    #[arg(long, value_name = "DAYS")]
    max_age: Option<u32>,

    /// How to tell it
    #[arg(long, short, value_name = "FORMAT", default_value = "plain")]
    format: Telling,
}

/// Show what is known of a package or a weakness
#[derive(Debug, Args)]
struct Show {
    /// A package's name, or an id of CVE, GitHub or PyPA
    #[arg(value_name = "WHAT")]
    about: String,

    /// How to tell it
    #[arg(long, short, value_name = "FORMAT", default_value = "plain")]
    format: Telling,
}

impl Advisories {
    pub(crate) fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        match self.action {
            Action::Import(import) => import.run(terminal),
            Action::Status(status) => status.run(terminal),
            Action::Show(show) => show.run(terminal),
        }
    }
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        Self::with_hint(&error, error.hint())
    }
}

/// Where imported advisories are kept.
fn folder() -> Option<PathBuf> {
    folders::data().map(|data| data.join("advisories"))
}

impl Import {
    fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let taken = import(&self.sources).map_err(|(path, why)| {
            let message = format!("cannot import '{}': {}", sanitize(&path.display().to_string()), sanitize(&why));
            Failure::with_hint(
                message,
                "name a zip archive, a folder or a file of advisories, in OSV's JSON or PyPA's YAML",
            )
        })?;
        if taken.is_empty() {
            let message = format!(
                "there is no advisory about packages of Python in what was named ({} entries are invalid, {} are about others)",
                taken.invalid, taken.other
            );
            return Err(Failure::with_hint(
                message,
                "nothing was changed; name a database such as PyPI's all.zip of OSV",
            ));
        }
        tell_invalid(&taken, terminal);
        let invalid = taken.invalid;
        let scope = if self.whole { Some(Scope::Whole) } else { self.partial.then_some(Scope::Named) };
        let (mut header, advisories) = taken.finish(scope);
        header.imported = Some(clock::now());
        let path = keep(folder().as_deref(), &header, &advisories)?;
        terminal.answer(None, |out| {
            writeln!(
                out,
                "{} advisories kept in {}, {}",
                header.advisories,
                sanitize(&path.display().to_string()),
                scope_told(&header.scope)
            )
        })?;
        Ok(if invalid > 0 { ExitCode::from(3) } else { ExitCode::SUCCESS })
    }
}

fn tell_invalid(taken: &Taken, terminal: &Terminal) {
    for one in &taken.named {
        terminal.complain(format_args!("not read: {one}"));
    }
    if taken.invalid > taken.named.len() {
        terminal.complain(format_args!("{} more entries were not read", taken.invalid - taken.named.len()));
    }
    if taken.other > 0 {
        terminal.note(format_args!("{} entries are about packages of others than Python's", taken.other));
    }
}

const fn scope_told(scope: &Scope) -> &'static str {
    match scope {
        Scope::Whole => "about the whole index",
        Scope::Named => "about the packages that they name; nothing is known of others",
    }
}

/// What there is, for programs.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    data: &'a Data,
    scope: &'a Scope,
    sources: &'a [String],
    packages: Vec<&'a str>,
    path: Option<String>,
}

impl Status {
    fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let database = Database::open(folder().as_deref(), None)?;
        let data = Data::of(&database, clock::today());
        let style = terminal.style(View::Check, false);
        terminal.answer(None, |out| match self.format {
            Telling::Plain => status(&database.header, &data, database.packages().count(), out, style),
            Telling::Json => write_json(&told(&database, &data), out),
        })?;
        let is_too_old = self.max_age.is_some_and(|most| data.age > i64::from(most));
        if is_too_old || data.built_in {
            terminal.complain(
                "packages that these do not cover, or no longer do, are not checked: import newer advisories",
            );
            return Ok(ExitCode::from(3));
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn told<'a>(database: &'a Database, data: &'a Data) -> Told<'a> {
    let path = match &database.origin {
        waag_code::advisories::Origin::Kept(path) => Some(sanitize(&path.display().to_string())),
        waag_code::advisories::Origin::Within => None,
    };
    let packages = database.packages().map(|(name, _)| name).collect();
    Told { data, scope: &database.header.scope, sources: &database.header.sources, packages, path }
}

fn status(header: &Header, data: &Data, packages: usize, out: &mut dyn Write, style: Style) -> io::Result<()> {
    writeln!(out, "{}  {}", Painted(style.color, HEADING, "advisories"), data.told())?;
    writeln!(out, "  {} advisories about {packages} packages, {}", header.advisories, scope_told(&header.scope))?;
    let sources: Vec<String> = header.sources.iter().map(|source| sanitize(source)).collect();
    writeln!(out, "  read from {}", sources.join(", "))?;
    if let Some(imported) = header.imported {
        writeln!(out, "  imported {imported}")?;
    }
    if let Some(licence) = &header.licence {
        writeln!(out, "  {licence}")?;
    }
    if header.invalid > 0 {
        writeln!(out, "  {} entries could not be read, and what they say is not known", header.invalid)?;
        let doubtful = header.doubtful.iter().map(|name| sanitize(name)).collect::<Vec<_>>();
        let places = match (doubtful.is_empty(), data.unplaced) {
            (true, _) => "  they may be about any package".to_owned(),
            (false, 0) => format!("  they are about {}", listing(doubtful.into_iter(), MAX_DOUBTFUL)),
            (false, more) => {
                format!(
                    "  they are about {}; {more} may be about any package",
                    listing(doubtful.into_iter(), MAX_DOUBTFUL)
                )
            }
        };
        writeln!(out, "{places}")?;
    }
    Ok(())
}

/// An advisory that is shown.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    advisory: &'a Advisory,
    rated: Rated,
}

impl Show {
    fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let database = Database::open(folder().as_deref(), None)?;
        let data = Data::of(&database, clock::today());
        let name = normalised(&self.about);
        let mut seen = BTreeSet::new();
        let all = database.packages().flat_map(|(package, list)| list.iter().map(move |one| (package, one)));
        let is_asked = |(package, one): &(&str, &Advisory)| {
            *package == name || one.ids().any(|id| id.eq_ignore_ascii_case(&self.about))
        };
        let found: Vec<&Advisory> =
            all.filter(is_asked).map(|(_, one)| one).filter(|one| seen.insert(one.id.clone())).collect();
        let shown: Vec<Shown<'_>> = found.iter().map(|one| Shown { advisory: one, rated: rate(&[one]) }).collect();
        let style = terminal.style(View::Check, false);
        terminal.answer(None, |out| match self.format {
            Telling::Plain => shown.iter().try_for_each(|one| entry(one, out, style)),
            Telling::Json => write_json(&shown, out),
        })?;
        terminal.note(format_args!("by {}", data.told()));
        if !shown.is_empty() {
            return Ok(ExitCode::SUCCESS);
        }
        let about = sanitize(&self.about);
        if database.covers(&name) {
            terminal.complain(format_args!("no advisory is about '{about}'"));
            return Ok(ExitCode::from(1));
        }
        terminal.complain(format_args!("nothing is known of '{about}': the advisories there are do not cover it"));
        Ok(ExitCode::from(3))
    }
}

fn entry(shown: &Shown<'_>, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let advisory = shown.advisory;
    let score = shown.rated.score.map(|score| format!("  CVSS {score:.1}")).unwrap_or_default();
    let withdrawn = if advisory.withdrawn.is_some() { "  withdrawn" } else { "" };
    let aliases: Vec<String> = advisory.aliases.iter().map(|one| sanitize(one)).collect();
    writeln!(out, "{}  {}{score}{withdrawn}", Painted(style.color, NAME, sanitize(&advisory.id)), aliases.join(" "))?;
    writeln!(out, "  {}", sanitize(&advisory.summary))?;
    for affected in &advisory.affected {
        let ranges: Vec<String> = affected.ranges.iter().map(|events| range(events)).collect();
        let listed = affected.versions.len();
        let ranges = if ranges.is_empty() { format!("{listed} listed versions") } else { ranges.join("; ") };
        writeln!(out, "  {}: {}", sanitize(&affected.package), sanitize(&ranges))?;
    }
    Ok(())
}

fn range(events: &[waag_code::advisories::Event]) -> String {
    use waag_code::advisories::Event;
    let told = events.iter().map(|event| match event {
        Event::Introduced(version) if version == "0" => "from the first".to_owned(),
        Event::Introduced(version) => format!("from {version}"),
        Event::Fixed(version) => format!("fixed in {version}"),
        Event::LastAffected(version) => format!("up to {version}"),
        Event::Limit(version) => format!("before {version}"),
    });
    told.collect::<Vec<_>>().join(", ")
}
