//! Advisories as they are kept: a file of lines, compressed, whose first line says where they come from and how old they are.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::advisory::Advisory;

/// The name of the kept file.
const NAME: &str = "advisories.jsonl.gz";
/// The layout of the file.
const LAYOUT: u32 = 1;
/// Bytes of the kept file that are decompressed: many times what is known of the whole index.
const MAX_BYTES: u64 = 1 << 30;
/// Bytes of one line.
const MAX_LINE: u64 = 16 << 20;
/// Built in: what was known of some packages of the field when this was made. See `data/advisories/README.md`.
static SNAPSHOT: &[u8] = include_bytes!("../../data/advisories/snapshot.jsonl.gz");

/// What the first line says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The layout of what follows.
    pub layout: u32,
    /// Where the advisories were read, for people.
    pub sources: Vec<String>,
    /// When they were imported; none for those that are built in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<Timestamp>,
    /// When the newest of them was changed.
    pub newest: Timestamp,
    /// The day of the database that they are a copy of, where that is known better than by the newest entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Date>,
    /// What of the index they cover.
    pub scope: Scope,
    /// How many there are.
    pub advisories: usize,
    /// Entries that could not be read when they were imported: what they say is not known here.
    #[serde(default)]
    pub invalid: usize,
    /// The packages that entries which could not be read are about, as far as that is known.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub doubtful: BTreeSet<String>,
    /// Entries of which not even that is known; none where nobody looked, which earlier versions did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unplaced: Option<usize>,
    /// Who made them and under which terms, for those that are built in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
}

/// What a set of advisories covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Every package of the index.
    Whole,
    /// Packages that some advisory names; nothing is known of others.
    Named,
}

/// Where a database is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Built into waag.
    Within,
    /// Imported by the user.
    Kept(PathBuf),
}

/// Why a database could not be read or kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// The file cannot be read or written.
    #[error("cannot {doing} '{}': {source}", waag_engine::sanitize::sanitize(&path.display().to_string()))]
    File {
        /// What was done with it.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not what was kept.
    #[error("'{}' is no database of advisories: {why}", waag_engine::sanitize::sanitize(&path.display().to_string()))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// There is no folder to keep it in.
    #[error("there is no folder to keep advisories in: neither XDG_DATA_HOME nor HOME is set")]
    NoFolder,
}

impl DatabaseError {
    /// What to do next.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::File { .. } => "let XDG_DATA_HOME name a folder that can be written to, and import again",
            Self::Damaged { .. } => "remove the file, and import the advisories again",
            Self::NoFolder => "let XDG_DATA_HOME name a folder",
        }
    }
}

/// Advisories: those that count for a question.
#[derive(Debug, Clone)]
pub struct Database {
    /// Where they come from and how old they are.
    pub header: Header,
    /// Where they are kept.
    pub origin: Origin,
    /// Those about packages that were asked for, by package.
    advisories: BTreeMap<String, Vec<Advisory>>,
}

impl Database {
    /// The advisories about `packages` (all, where none are given): of the database that the user has imported into
    /// `folder`, or else of the one that is built in.
    ///
    /// # Errors
    /// When what was imported cannot be read; what is built in is not taken for it.
    pub fn open(folder: Option<&Path>, packages: Option<&BTreeSet<String>>) -> Result<Self, DatabaseError> {
        let path = folder.map(|folder| folder.join(NAME)).filter(|path| path.exists());
        let Some(path) = path else {
            let lines = read(SNAPSHOT, packages);
            let damaged = |why| DatabaseError::Damaged { path: PathBuf::from("built in"), why };
            let (header, advisories) = lines.map_err(damaged)?;
            return Ok(Self { header, origin: Origin::Within, advisories });
        };
        let refused = |source| DatabaseError::File { doing: "read", path: path.clone(), source };
        // A file of the user's own folder, read as a stream and bounded in `read`.
        let file = std::fs::File::open(&path).map_err(refused)?;
        let read = read(file, packages).map_err(|why| DatabaseError::Damaged { path: path.clone(), why })?;
        let (header, advisories) = read;
        Ok(Self { header, origin: Origin::Kept(path), advisories })
    }

    /// All advisories of a database that is in memory, as [`write`] wrote it.
    ///
    /// # Errors
    /// Why it is none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let (header, advisories) = read(bytes, None)?;
        Ok(Self { header, origin: Origin::Kept(PathBuf::from("memory")), advisories })
    }

    /// The advisories about a package.
    #[must_use]
    pub fn about(&self, package: &str) -> &[Advisory] {
        self.advisories.get(package).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether it would know if there were an advisory about this package.
    #[must_use]
    pub fn covers(&self, package: &str) -> bool {
        self.header.scope == Scope::Whole || self.advisories.contains_key(package)
    }

    /// Entries that may be about any package: they could not be read, and not even what they are about is known.
    #[must_use]
    pub fn unplaced(&self) -> usize {
        self.header.unplaced.unwrap_or(self.header.invalid)
    }

    /// Packages that have advisories, of those that were asked for.
    pub fn packages(&self) -> impl Iterator<Item = (&str, &[Advisory])> {
        self.advisories.iter().map(|(name, list)| (name.as_str(), list.as_slice()))
    }

    /// The day on which the data was as it is: of the newest advisory, or of the database it was copied from.
    #[must_use]
    pub fn day(&self) -> Date {
        let newest = self.header.newest.to_zoned(jiff::tz::TimeZone::UTC).date();
        self.header.as_of.map_or(newest, |day| day.max(newest))
    }

    /// How many days old the data is.
    #[must_use]
    pub fn age(&self, today: Date) -> i64 {
        i64::from(today.since(self.day()).map(|span| span.get_days()).unwrap_or(0)).max(0)
    }
}

type Lines = (Header, BTreeMap<String, Vec<Advisory>>);

fn read(bytes: impl Read, packages: Option<&BTreeSet<String>>) -> Result<Lines, String> {
    let mut lines = BufReader::new(GzDecoder::new(bytes).take(MAX_BYTES));
    let mut line = String::new();
    let header = next(&mut lines, &mut line)?.ok_or("it is empty")?;
    let header: Header = serde_json::from_str(header).map_err(|error| error.to_string())?;
    if header.layout != LAYOUT {
        return Err(format!("its layout is {}, and {LAYOUT} is read", header.layout));
    }
    let mut advisories: BTreeMap<String, Vec<Advisory>> = BTreeMap::new();
    let mut count = 0_usize;
    while let Some(text) = next(&mut lines, &mut line)? {
        count += 1;
        let (names, json) = text.split_once('\t').ok_or("a line has no names")?;
        let is_wanted = |name: &&str| packages.is_none_or(|packages| packages.contains(*name));
        let wanted: Vec<&str> = names.split(' ').filter(is_wanted).collect();
        if wanted.is_empty() {
            continue;
        }
        let advisory: Advisory = serde_json::from_str(json).map_err(|error| error.to_string())?;
        for name in wanted {
            advisories.entry(name.to_owned()).or_default().push(advisory.clone());
        }
    }
    // A file that was cut off would otherwise be a database in which less is known.
    if count != header.advisories {
        return Err(format!("it has {count} advisories, and should have {}", header.advisories));
    }
    Ok((header, advisories))
}

fn next<'a>(lines: &mut impl BufRead, line: &'a mut String) -> Result<Option<&'a str>, String> {
    line.clear();
    let count = lines.by_ref().take(MAX_LINE).read_line(line).map_err(|error| error.to_string())?;
    if count == 0 {
        return Ok(None);
    }
    line.strip_suffix('\n').map(Some).ok_or_else(|| "a line has no end".to_owned())
}

/// Keeps advisories in a folder of the user's, as a whole or not at all. Gives the file.
///
/// # Errors
/// When it cannot be written.
pub fn keep(folder: Option<&Path>, header: &Header, advisories: &[Advisory]) -> Result<PathBuf, DatabaseError> {
    let folder = folder.ok_or(DatabaseError::NoFolder)?;
    let path = folder.join(NAME);
    let refused = |source| DatabaseError::File { doing: "write", path: path.clone(), source };
    std::fs::create_dir_all(folder).map_err(refused)?;
    let written = waag_engine::io::write_atomically(&path, |file| {
        write(io::BufWriter::new(file), header, advisories).map(|()| None::<()>)
    });
    written.map_err(refused)?;
    Ok(path)
}

/// Writes advisories: the same bytes for the same advisories.
///
/// # Errors
/// When they cannot be written.
pub fn write(out: impl Write, header: &Header, advisories: &[Advisory]) -> io::Result<()> {
    let mut out = GzEncoder::new(out, Compression::best());
    serde_json::to_writer(&mut out, header)?;
    for advisory in advisories {
        let names: BTreeSet<&str> = advisory.affected.iter().map(|one| one.package.as_str()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        write!(out, "\n{}\t", names.join(" "))?;
        serde_json::to_writer(&mut out, advisory)?;
    }
    out.write_all(b"\n")?;
    out.finish()?.flush()
}

impl Header {
    /// The header of advisories that were read just now.
    #[must_use]
    pub fn new(sources: Vec<String>, scope: Scope, advisories: &[Advisory], invalid: usize) -> Self {
        // One entry that claims to be of next year would make all of them look new for as long.
        let times = advisories.iter().filter_map(|one| one.modified.parse().ok());
        let past = times.filter(|time: &Timestamp| *time <= waag_engine::clock::now());
        let newest = past.max().unwrap_or(Timestamp::UNIX_EPOCH);
        Self {
            layout: LAYOUT,
            sources,
            imported: None,
            newest,
            as_of: None,
            scope,
            advisories: advisories.len(),
            invalid,
            doubtful: BTreeSet::new(),
            unplaced: None,
            licence: None,
        }
    }
}
