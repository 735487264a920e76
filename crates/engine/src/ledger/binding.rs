//! Whose index it is. A ledger can come from anywhere, and so can a file that is called like its index: a clone, an archive
//! or a pull brings what its author likes. So the index is opened only when this user's waag is known to have written it,
//! byte for byte: a record in the user's cache folder says how the file stood when it was last closed. Any other file is
//! removed unread, and made again from the statements.
//!
//! While some process has the index open, others join it; the lock that tells lies beside the record.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use waag_signing::encoding::to_hex;

use super::store::nanoseconds;
use crate::bounded;

/// Name of the index in the ledger.
const INDEX: &str = "index.sqlite";
/// Name of the graph's picture beside it.
const GRAPH: &str = "graph";
/// What SQLite writes beside a database. It would be read with it, whoever wrote it.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];
/// Bytes of a record that are read.
const MAX_RECORD: u64 = 4096;
/// The form of the index. Another one is made again.
const FORM: u32 = 2;

/// The place and the lock of an index.
#[derive(Debug)]
pub(super) struct Binding {
    ledger: PathBuf,
    record: PathBuf,
    lock: File,
}

/// How the file of the index stood when it was closed.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    form: u32,
    version: String,
    device: u64,
    inode: u64,
    size: u64,
    modified: i64,
    changed: i64,
    born: u64,
}

/// Whether an index that was there is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// It is this user's.
    Own,
    /// There was none.
    Nothing,
    /// It was another's, or was left by a process that ended before its time: it was removed.
    Foreign,
}

impl Binding {
    /// Waits until the index can be used, and takes away one that cannot be believed. None where there is no place of the
    /// user's own to keep the record.
    pub(super) fn take(ledger: &Path, cache: &Path) -> io::Result<(Self, Found)> {
        let folder = cache.join("ledgers");
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        if fs::metadata(&folder)?.permissions().mode() & 0o022 != 0 {
            return Err(io::Error::other("others may write to it"));
        }
        let ledger = ledger.canonicalize()?;
        let name = to_hex(&Sha256::digest(ledger.as_os_str().as_encoded_bytes()));
        let lock = folder.join(format!("{name}.lock"));
        let lock = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(lock)?;
        let binding = Self { ledger, record: folder.join(format!("{name}.json")), lock };
        let found = binding.join()?;
        Ok((binding, found))
    }

    /// Takes the shared lock, once what is there was looked at: here, or by whoever has it open. A process that has the lock for
    /// itself may be about to end, and what is there then was looked at by nobody.
    fn join(&self) -> io::Result<Found> {
        loop {
            if flock(&self.lock, FlockOperation::NonBlockingLockExclusive).is_ok() {
                self.mark(false)?;
                let found = self.check()?;
                self.mark(true)?;
                flock(&self.lock, FlockOperation::LockShared)?;
                return Ok(found);
            }
            flock(&self.lock, FlockOperation::LockShared)?;
            if self.lock.metadata()?.len() > 0 {
                return Ok(Found::Own);
            }
            flock(&self.lock, FlockOperation::Unlock)?;
        }
    }

    /// Whether the index is open and was looked at: the file of the lock has a byte then.
    fn mark(&self, is_open: bool) -> io::Result<()> {
        self.lock.set_len(u64::from(is_open))
    }

    /// Nobody else has it open: what is there has to be what was closed last.
    fn check(&self) -> io::Result<Found> {
        let there = fs::symlink_metadata(self.index()).is_ok();
        let beside = BESIDE.iter().any(|ending| fs::symlink_metadata(self.beside(ending)).is_ok());
        if there && !beside && self.recorded().is_some_and(|record| Some(record) == self.now()) {
            return Ok(Found::Own);
        }
        self.remove()?;
        Ok(if there || beside { Found::Foreign } else { Found::Nothing })
    }

    pub(super) fn remove(&self) -> io::Result<()> {
        let files = BESIDE.iter().map(|ending| self.beside(ending)).chain([self.index(), self.graph()]);
        for file in files.chain([self.record.clone()]) {
            match fs::remove_file(&file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn index(&self) -> PathBuf {
        self.ledger.join(INDEX)
    }

    pub(super) fn graph(&self) -> PathBuf {
        self.ledger.join(GRAPH)
    }

    fn beside(&self, ending: &str) -> PathBuf {
        self.ledger.join(format!("{INDEX}{ending}"))
    }

    fn recorded(&self) -> Option<Record> {
        serde_json::from_slice(&bounded::read(&self.record, MAX_RECORD).ok()?).ok()
    }

    fn now(&self) -> Option<Record> {
        let found = fs::symlink_metadata(self.index()).ok().filter(fs::Metadata::is_file)?;
        let born = found.created().ok().and_then(|born| born.duration_since(UNIX_EPOCH).ok());
        Some(Record {
            form: FORM,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            device: found.dev(),
            inode: found.ino(),
            size: found.size(),
            modified: nanoseconds(found.mtime(), found.mtime_nsec()),
            changed: nanoseconds(found.ctime(), found.ctime_nsec()),
            born: born.and_then(|born| u64::try_from(born.as_nanos()).ok()).unwrap_or_default(),
        })
    }

    /// Records how the index stands, once it is closed and when nobody else has it open.
    pub(super) fn close(&self) {
        if flock(&self.lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            return;
        }
        // Without the mark, whoever waits looks at it again.
        let _ = self.mark(false);
        let beside = BESIDE.iter().any(|ending| fs::symlink_metadata(self.beside(ending)).is_ok());
        let now = self.now();
        if beside || now.is_none() || self.recorded() == now {
            return;
        }
        let written = serde_json::to_vec(&now).map_err(io::Error::other).and_then(|json| {
            let folder = self.record.parent().unwrap_or(Path::new("."));
            let mut file = tempfile::Builder::new().tempfile_in(folder)?;
            io::Write::write_all(&mut file, &json)?;
            file.persist(&self.record).map_err(|error| error.error)
        });
        // Without a record, the index is made again next time.
        let _ = written;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_closed_here_is_used() {
        let (ledger, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let index = ledger.path().join(INDEX);
        let take = || {
            let (binding, found) = Binding::take(ledger.path(), cache.path()).unwrap();
            (binding, found)
        };
        fs::write(&index, "from a clone").unwrap();
        let (binding, found) = take();
        assert_eq!((found, index.exists()), (Found::Foreign, false));
        fs::write(&index, "own").unwrap();
        binding.close();
        drop(binding);
        assert_eq!(take().1, Found::Own);
        let wal = ledger.path().join("index.sqlite-wal");
        fs::write(&wal, "from a pull").unwrap();
        assert_eq!((take().1, wal.exists()), (Found::Foreign, false));
        assert_eq!(take().1, Found::Nothing);
    }

    #[test]
    fn bytes_that_were_put_in_its_place_are_not_used() {
        let (ledger, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let index = ledger.path().join(INDEX);
        let (binding, _) = Binding::take(ledger.path(), cache.path()).unwrap();
        fs::write(&index, "own").unwrap();
        binding.close();
        drop(binding);
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::write(&index, "0wn").unwrap();
        assert_eq!(Binding::take(ledger.path(), cache.path()).unwrap().1, Found::Foreign);
    }

    #[test]
    fn what_comes_while_another_ends_is_looked_at() {
        let (ledger, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (ending, _) = Binding::take(ledger.path(), cache.path()).unwrap();
        flock(&ending.lock, FlockOperation::LockExclusive).unwrap();
        ending.mark(false).unwrap();
        let (found, index) = (std::sync::mpsc::channel(), ledger.path().join(INDEX));
        std::thread::scope(|scope| {
            scope.spawn(|| found.0.send(Binding::take(ledger.path(), cache.path()).unwrap().1).unwrap());
            // It waits for the lock now, or finds it free: either way it has to look.
            let waiting = std::time::Duration::from_millis(100);
            assert!(found.1.recv_timeout(waiting).is_err());
            fs::write(&index, "from a clone").unwrap();
            drop(ending);
            assert_eq!((found.1.recv().unwrap(), index.exists()), (Found::Foreign, false));
        });
    }

    #[test]
    fn one_that_is_open_is_joined() {
        let (ledger, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (_first, _) = Binding::take(ledger.path(), cache.path()).unwrap();
        fs::write(ledger.path().join(INDEX), "open").unwrap();
        let (_second, found) = Binding::take(ledger.path(), cache.path()).unwrap();
        assert_eq!((found, ledger.path().join(INDEX).exists()), (Found::Own, true));
    }
}
