//! Taking over advisories from a zip archive, a folder or a file: OSV as JSON, or the YAML of PyPA.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use waag_engine::io::{FileSource, Spool};
use waag_engine::sanitize::sanitize;
use waag_engine::walk::{EntryKind, walk};
use waag_formats::budget::Budget;
use waag_formats::child::{Child, Encoding};
use waag_formats::decode::decode;
use waag_formats::source::{Source, read_up_to};
use waag_formats::zip;

use super::advisory::Advisory;
use super::database::{Header, Scope};
use super::osv::{self, Entry};

/// Bytes of one advisory.
const MAX_ENTRY: u64 = 8 << 20;
/// Advisories that are kept.
const MAX_ADVISORIES: usize = 1_000_000;
/// Bytes that come out of one archive.
const MAX_DECODED: u64 = 8 << 30;
/// Members of one archive.
const MAX_MEMBERS: u64 = 1_000_000;
/// Invalid entries that are named; the rest is counted.
const MAX_NAMED: usize = 20;
/// Packages that are remembered because an entry about them could not be read; honest data has a handful.
const MAX_DOUBTFUL: usize = 10_000;
/// Advisories of one source from which on it is taken for the whole of an index: the Python Package Index has many thousands.
const WHOLE: usize = 1_000;

/// What an import found.
#[derive(Debug, Default)]
pub struct Import {
    advisories: BTreeMap<String, Advisory>,
    /// Entries that are about other packages than Python's only.
    pub other: usize,
    /// Files that are no entries: `README.md`, `modified_id.csv`.
    pub skipped: usize,
    /// Entries that could not be read.
    pub invalid: usize,
    /// Some of them, with the reason.
    pub named: Vec<String>,
    /// The packages that they are about.
    doubtful: BTreeSet<String>,
    /// Those of them of which not even that is known: they may be about any package.
    unplaced: usize,
    sources: Vec<String>,
    /// Advisories in the source that is being read.
    of_source: usize,
    /// Whether one of the sources has so many that it is the whole of an index.
    is_whole: bool,
}

impl Import {
    /// Reads a source, and adds what it has. Of two entries with one id the newer stays.
    ///
    /// # Errors
    /// Why the source as a whole could not be read.
    pub fn add(&mut self, path: &Path) -> Result<(), String> {
        self.sources.push(sanitize(&path.file_name().unwrap_or(path.as_os_str()).to_string_lossy()));
        self.of_source = 0;
        self.source(path)?;
        self.is_whole |= self.of_source >= WHOLE;
        Ok(())
    }

    /// Reads one entry that is in memory, by the ending of its name.
    pub fn add_entry(&mut self, name: &str, bytes: &[u8]) {
        self.entry(name, bytes);
    }

    fn source(&mut self, path: &Path) -> Result<(), String> {
        if path.is_dir() {
            return self.folder(path);
        }
        let source = FileSource::open(path).map_err(|error| error.to_string())?;
        if read_up_to(&source, 0, 2) == b"PK" {
            return self.archive(&source);
        }
        let name = path.to_string_lossy();
        if !is_entry(&name) {
            return Err("it is neither a zip archive nor a folder nor an entry in JSON or YAML".to_owned());
        }
        self.file(&name, &source);
        Ok(())
    }

    fn folder(&mut self, path: &Path) -> Result<(), String> {
        for entry in walk(&[path.to_owned()], false).map_err(|error| error.to_string())? {
            let name = entry.path.strip_prefix(path).unwrap_or(&entry.path).to_string_lossy().into_owned();
            match &entry.kind {
                EntryKind::File(opened) if is_entry(&name) => match FileSource::open(opened) {
                    Ok(source) => self.file(&name, &source),
                    Err(error) => self.refuse(&name, &error.to_string()),
                },
                EntryKind::Unreadable(why) => self.refuse(&name, why),
                _ => self.skipped += 1,
            }
        }
        Ok(())
    }

    fn archive(&mut self, source: &FileSource) -> Result<(), String> {
        let budget = Budget::new(MAX_DECODED, u64::MAX, MAX_MEMBERS);
        let (members, _) = zip::members(source, &budget).map_err(|problem| problem.to_string())?;
        for member in &members {
            if !is_entry(&member.name) {
                self.skipped += 1;
            } else if let Some(why) = too_large(member) {
                self.refuse(&member.name, why);
            } else {
                self.member(source, member, &budget)?;
            }
        }
        Ok(())
    }

    fn member(&mut self, source: &FileSource, member: &Child, budget: &Budget) -> Result<(), String> {
        if member.encoding == Encoding::Stored {
            let length = usize::try_from(member.length).unwrap_or(usize::MAX);
            let bytes = read_up_to(source, member.offset, length);
            self.entry(&member.name, &bytes);
            return Ok(());
        }
        let mut decoded = Spool::default();
        // One member pays at most for what one entry may have; all of them pay together as well.
        let own = Budget::new(MAX_ENTRY, u64::MAX, MAX_MEMBERS);
        match decode(source, member, &own, &mut decoded) {
            Ok(_) => {
                budget.expand(decoded.len()).map_err(|error| error.to_string())?;
                let bytes = read_up_to(&decoded, 0, usize::try_from(decoded.len()).unwrap_or(usize::MAX));
                self.entry(&member.name, &bytes);
            }
            Err(error) => self.refuse(&member.name, &error.to_string()),
        }
        Ok(())
    }

    fn file(&mut self, name: &str, source: &FileSource) {
        if source.len() > MAX_ENTRY {
            return self.refuse(name, "it is longer than an advisory may be");
        }
        let bytes = read_up_to(source, 0, usize::try_from(MAX_ENTRY).unwrap_or(usize::MAX));
        self.entry(name, &bytes);
    }

    fn entry(&mut self, name: &str, bytes: &[u8]) {
        match osv::read(name, bytes) {
            Ok(Entry::Python(_)) if self.advisories.len() >= MAX_ADVISORIES => {
                self.refuse_about(name, "there are more advisories than are kept", bytes);
            }
            Ok(Entry::Python(advisory)) => self.keep(advisory),
            Ok(Entry::Other) => self.other += 1,
            Err(why) => self.refuse_about(name, &why, bytes),
        }
    }

    fn keep(&mut self, advisory: Advisory) {
        self.of_source += 1;
        let newer = |old: &Advisory| old.modified.parse::<jiff::Timestamp>().ok() >= advisory.modified.parse().ok();
        if !self.advisories.get(&advisory.id).is_some_and(newer) {
            self.advisories.insert(advisory.id.clone(), advisory);
        }
    }

    /// An entry of which nothing is known.
    fn refuse(&mut self, name: &str, why: &str) {
        self.unplaced += 1;
        self.refused(name, why);
    }

    /// An entry of which it may still be known which packages it is about.
    fn refuse_about(&mut self, name: &str, why: &str, bytes: &[u8]) {
        match osv::packages_of(name, bytes) {
            Some(packages) if self.doubtful.len() + packages.len() <= MAX_DOUBTFUL => {
                self.doubtful.extend(packages);
                self.refused(name, why);
            }
            _ => self.refuse(name, why),
        }
    }

    fn refused(&mut self, name: &str, why: &str) {
        self.invalid += 1;
        if self.named.len() < MAX_NAMED {
            self.named.push(sanitize(&format!("{name}: {why}")));
        }
    }

    /// How many advisories there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.advisories.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.advisories.is_empty()
    }

    /// What is kept: in order of id. Where it is not said what they cover, the number of a source tells.
    #[must_use]
    pub fn finish(self, scope: Option<Scope>) -> (Header, Vec<Advisory>) {
        let advisories: Vec<Advisory> = self.advisories.into_values().collect();
        let likely = if self.is_whole { Scope::Whole } else { Scope::Named };
        let header = Header::new(self.sources, scope.unwrap_or(likely), &advisories, self.invalid);
        let unplaced = (self.invalid > 0).then_some(self.unplaced);
        (Header { doubtful: self.doubtful, unplaced, ..header }, advisories)
    }
}

fn too_large(member: &Child) -> Option<&'static str> {
    let length = member.declared.unwrap_or(0).max(member.length);
    (length > MAX_ENTRY).then_some("it is longer than an advisory may be")
}

fn is_entry(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_hidden = name.rsplit('/').next().is_some_and(|name| name.starts_with('.'));
    !is_hidden && [".json", ".yaml", ".yml"].iter().any(|ending| name.ends_with(ending))
}

/// Reads several sources.
///
/// # Errors
/// The source, and why it could not be read.
pub fn import(paths: &[PathBuf]) -> Result<Import, (PathBuf, String)> {
    let mut import = Import::default();
    for path in paths {
        import.add(path).map_err(|why| (path.clone(), why))?;
    }
    Ok(import)
}
