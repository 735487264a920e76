//! What was seen of a run: files by what was done with them, programs, addresses, and what could not be seen.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::path::{Path, PathBuf};

use waag_evidence::Sha256Digest;

use super::stamp::Stamp;

/// Files of a kind that are remembered; more are counted.
const MAX_FILES: usize = 200_000;
/// Addresses and programs that are remembered.
const MAX_NAMES: usize = 10_000;

/// A file that was read, and not made by the run itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Read {
    /// What the program called it: not always what it is called without links.
    pub(super) asked: PathBuf,
    /// What it was when it was first opened.
    pub(super) stamp: Option<Stamp>,
    /// Its digest, where it had to be taken at once.
    pub(super) digest: Option<Sha256Digest>,
    /// Whether it ran.
    pub(super) program: bool,
    /// Whether the run gave it another name afterwards.
    pub(super) moved: bool,
}

/// A file that was written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Write {
    /// Whether it was there before.
    pub(super) existed: bool,
}

/// Everything that was seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Record {
    /// Files that were read, by their names without links.
    pub(super) reads: BTreeMap<PathBuf, Read>,
    /// Files of packages and of the system that were opened for reading, whether or not they are there.
    pub(super) folded: BTreeSet<PathBuf>,
    /// Files that were written, by the names that they have in the end.
    pub(super) writes: BTreeMap<PathBuf, Write>,
    /// Programs that ran.
    pub(super) executed: BTreeSet<PathBuf>,
    /// Where it connected or sent to.
    pub(super) connected: BTreeSet<String>,
    /// Where it listened.
    pub(super) bound: BTreeSet<String>,
    /// What was not seen, or refused, and how often.
    pub(super) gaps: BTreeMap<&'static str, u64>,
}

impl Record {
    /// Something was not seen.
    pub(super) fn gap(&mut self, what: &'static str) {
        *self.gaps.entry(what).or_default() += 1;
    }

    /// A file was read for the first time. Whether it is to be hashed: the run's own files are not.
    pub(super) fn read(&mut self, real: &Path, read: Read) -> bool {
        if self.writes.contains_key(real) || self.reads.contains_key(real) {
            return false;
        }
        if self.reads.len() >= MAX_FILES {
            self.gap("files that were read beyond 200,000: not listed");
            return false;
        }
        self.reads.insert(real.to_owned(), read);
        true
    }

    /// A file of a package or of the system was opened. Whether that is new.
    pub(super) fn fold(&mut self, path: &Path) -> bool {
        if self.folded.contains(path) {
            return false;
        }
        if self.folded.len() >= MAX_FILES {
            self.gap("files of packages and the system beyond 200,000: not listed");
            return false;
        }
        self.folded.insert(path.to_owned())
    }

    /// A file was opened for writing, or made.
    pub(super) fn wrote(&mut self, real: &Path, write: Write) {
        if self.writes.len() >= MAX_FILES && !self.writes.contains_key(real) {
            self.gap("files that were written beyond 200,000: not listed");
            return;
        }
        self.writes.entry(real.to_owned()).or_insert(write);
    }

    /// A file or folder has another name now.
    pub(super) fn renamed(&mut self, old: &Path, new: &Path) {
        if let Some(read) = self.reads.get_mut(old) {
            read.moved = true;
        }
        if let Some(write) = self.writes.remove(old) {
            self.writes.insert(new.to_owned(), write);
            return;
        }
        let range = (Bound::Excluded(old.to_owned()), Bound::Unbounded);
        let below: Vec<PathBuf> =
            self.writes.range(range).map(|(path, _)| path).take_while(|path| path.starts_with(old)).cloned().collect();
        if below.is_empty() {
            // It was there before the run, and is now something that the run made.
            self.wrote(new, Write { existed: true });
        }
        for path in below {
            let moved = path.strip_prefix(old).map(|rest| new.join(rest));
            if let (Ok(moved), Some(write)) = (moved, self.writes.remove(&path)) {
                self.writes.insert(moved, write);
            }
        }
    }

    /// A file has a second name now. One that had none is given one.
    pub(super) fn linked(&mut self, old: &Path, new: &Path) {
        if self.writes.contains_key(old) || old.starts_with("/proc") {
            self.wrote(new, Write::default());
        }
    }

    /// A program ran.
    pub(super) fn ran(&mut self, program: PathBuf) {
        if !bounded(&mut self.executed, program) {
            self.gap("programs beyond 10,000: not listed");
        }
    }

    /// It connected or sent to an address.
    pub(super) fn connects(&mut self, address: String) {
        if !bounded(&mut self.connected, address) {
            self.gap("addresses beyond 10,000 that were connected to: not listed");
        }
    }

    /// It listens at an address, or sends from it.
    pub(super) fn binds(&mut self, address: String) {
        if !bounded(&mut self.bound, address) {
            self.gap("addresses beyond 10,000 that were listened at: not listed");
        }
    }
}

/// Whether a name is listed.
fn bounded<T: Ord>(names: &mut BTreeSet<T>, name: T) -> bool {
    let fits = names.len() < MAX_NAMES || names.contains(&name);
    if fits {
        names.insert(name);
    }
    fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_has_its_last_name() {
        let mut record = Record::default();
        for name in ["/w/part", "/w/tmp/a", "/w/tmp/b/c", "/w/tmpfile"] {
            record.wrote(Path::new(name), Write::default());
        }
        record.renamed(Path::new("/w/part"), Path::new("/w/model"));
        record.renamed(Path::new("/w/tmp"), Path::new("/w/out"));
        record.linked(Path::new("/w/model"), Path::new("/w/latest"));
        record.linked(Path::new("/w/unknown"), Path::new("/w/other"));
        let names: Vec<&Path> = record.writes.keys().map(PathBuf::as_path).collect();
        let expected = ["/w/latest", "/w/model", "/w/out/a", "/w/out/b/c", "/w/tmpfile"].map(Path::new);
        assert_eq!(names, expected);
    }

    #[test]
    fn what_is_not_listed_is_said() {
        let mut record = Record::default();
        (0..MAX_NAMES).for_each(|number| record.connects(number.to_string()));
        record.connects("0".to_owned());
        assert!(record.gaps.is_empty());
        record.connects("more".to_owned());
        record.binds("one".to_owned());
        assert_eq!((record.connected.len(), record.gaps.values().sum::<u64>()), (MAX_NAMES, 1));
    }

    #[test]
    fn an_input_that_is_renamed_stays_one() {
        let mut record = Record::default();
        assert!(record.read(Path::new("/w/a"), Read::default()));
        record.renamed(Path::new("/w/a"), Path::new("/w/b"));
        assert!(record.reads[Path::new("/w/a")].moved && record.writes[Path::new("/w/b")].existed);
    }

    #[test]
    fn what_the_run_made_is_no_input() {
        let mut record = Record::default();
        record.wrote(Path::new("/w/a"), Write::default());
        assert!(!record.read(Path::new("/w/a"), Read::default()));
        assert!(record.read(Path::new("/w/b"), Read::default()));
        assert!(!record.read(Path::new("/w/b"), Read::default()), "once");
    }
}
