//! The files of a ledger: `statements/ab/abcd….json`, each named by the SHA-256 of its bytes. A file has its name once all
//! of it is on the disk, so that what is there is whole, whoever was killed.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::OFlags;
use waag_evidence::Sha256Digest;
use waag_signing::bundle::MAX_BYTES;

use super::entry::{Entry, digest_of};

/// Where statements are, below the ledger.
const STATEMENTS: &str = "statements";
/// Where files are while they are written.
const TEMPORARY: &str = "temporary";
/// What keeps the parts that are this machine's own out of version control.
const IGNORED: &str = "# What waag makes of the statements on this machine; everything else belongs into version control.\n/index.sqlite*\n/graph\n/.graph-*\n/temporary/\n";
/// After this long, what somebody was writing is left over.
const LEFT_OVER: Duration = Duration::from_secs(24 * 60 * 60);
/// From so many files on, the file system is asked once for all of them to be on the disk.
const MANY: usize = 16;

/// The files of one ledger.
#[derive(Debug, Clone)]
pub(super) struct Store {
    folder: PathBuf,
}

/// How a file stands in the file system; when it differs, the bytes may too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Stamp {
    pub(super) size: i64,
    pub(super) modified: i64,
    pub(super) changed: i64,
    pub(super) inode: i64,
}

/// What became of an entry that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is new.
    New,
    /// It was there.
    Known,
    /// It was there with other bytes, which are replaced.
    Repaired,
}

/// Why an entry is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Its bytes are others than its name says.
    Corrupt,
    /// It is not there any more.
    Missing,
    /// It is a link, a folder, or cannot be read.
    Unreadable,
    /// It is called what no entry is called.
    Stray,
}

impl Fault {
    /// In words, after "it".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Corrupt => "has other bytes than its name says",
            Self::Missing => "is missing",
            Self::Unreadable => "cannot be read",
            Self::Stray => "is not called as an entry is",
        }
    }
}

impl Store {
    /// Opens the files below a folder. Links in place of folders are refused: they would lead elsewhere.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let store = Self { folder: folder.to_owned() };
        for part in [folder.to_owned(), store.statements()] {
            match fs::symlink_metadata(&part) {
                Ok(found) if !found.is_dir() => return Err(io::Error::other("it is no folder")),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound && part != *folder => {}
                Err(error) => return Err(error),
            }
        }
        Ok(store)
    }

    /// Makes the folders that are not there.
    pub(super) fn create(folder: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).create(folder)?;
        let store = Self::open(folder)?;
        for part in [STATEMENTS, TEMPORARY] {
            make_folder(&folder.join(part))?;
        }
        let ignored = folder.join(".gitignore");
        if fs::symlink_metadata(&ignored).is_err() {
            fs::write(ignored, IGNORED)?;
        }
        Ok(store)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    fn statements(&self) -> PathBuf {
        self.folder.join(STATEMENTS)
    }

    fn shard(&self, name: &str) -> PathBuf {
        self.statements().join(name)
    }

    /// Where an entry is.
    pub(super) fn path(&self, digest: &Sha256Digest) -> PathBuf {
        let name = digest.to_string();
        self.shard(&name[..2]).join(format!("{name}.json"))
    }

    /// The 256 folders that there can be, and when their lists of names last changed, in nanoseconds; 0 for one that is not
    /// there.
    pub(super) fn shards(&self) -> Vec<(String, i64)> {
        let names = (0..=u8::MAX).map(|first| format!("{first:02x}"));
        names
            .map(|name| {
                let found = fs::symlink_metadata(self.shard(&name)).ok();
                let changed = found.map_or(0, |found| nanoseconds(found.mtime(), found.mtime_nsec()));
                (name, changed)
            })
            .collect()
    }

    /// The entries of one folder, and what is there beside them.
    pub(super) fn list(&self, shard: &str) -> io::Result<(BTreeSet<Sha256Digest>, Vec<String>)> {
        let (mut digests, mut strays) = (BTreeSet::new(), Vec::new());
        // A link would lead elsewhere.
        match fs::symlink_metadata(self.shard(shard)) {
            Ok(found) if !found.is_dir() => return Err(io::Error::other("it is no folder")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((digests, strays)),
            Err(error) => return Err(error),
            Ok(_) => {}
        }
        let entries = fs::read_dir(self.shard(shard))?;
        for entry in entries {
            let name = entry?.file_name();
            let digest =
                name.to_str().and_then(|name| name.strip_suffix(".json")).filter(|name| name.starts_with(shard));
            match digest
                .and_then(|digest| digest.parse::<Sha256Digest>().ok().filter(|read| read.to_string() == digest))
            {
                Some(digest) => _ = digests.insert(digest),
                None => strays.push(format!("{STATEMENTS}/{shard}/{}", name.to_string_lossy())),
            }
        }
        strays.sort();
        Ok((digests, strays))
    }

    /// The bytes of an entry, which are those that its name says.
    pub(super) fn read(&self, digest: &Sha256Digest) -> Result<(Vec<u8>, Stamp), Fault> {
        let fault = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => Fault::Missing,
            _ => Fault::Unreadable,
        };
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let flags = i32::try_from(flags.bits()).unwrap_or_default();
        let file = OpenOptions::new().read(true).custom_flags(flags).open(self.path(digest)).map_err(fault)?;
        let metadata = file.metadata().map_err(fault)?;
        if !metadata.is_file() {
            return Err(Fault::Unreadable);
        }
        if metadata.len() > MAX_BYTES {
            return Err(Fault::Corrupt);
        }
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
        io::copy(&mut file.take(MAX_BYTES + 1), &mut bytes).map_err(fault)?;
        if digest_of(&bytes) == *digest { Ok((bytes, stamp(&metadata))) } else { Err(Fault::Corrupt) }
    }

    /// How an entry stands in the file system.
    pub(super) fn stamp(&self, digest: &Sha256Digest) -> Option<Stamp> {
        fs::symlink_metadata(self.path(digest)).ok().filter(fs::Metadata::is_file).map(|found| stamp(&found))
    }

    /// Keeps entries: all are on the disk, under their names, when this returns.
    pub(super) fn keep(&self, entries: &[Entry]) -> io::Result<Vec<Kept>> {
        let mut seen = BTreeSet::new();
        // One that is given twice is there the second time.
        let found: Vec<Kept> = entries
            .iter()
            .map(|entry| if seen.insert(entry.digest) { self.find(entry) } else { Kept::Known })
            .collect();
        let new: Vec<&Entry> =
            entries.iter().zip(&found).filter_map(|(entry, kept)| (*kept != Kept::Known).then_some(entry)).collect();
        let is_many = new.len() > MANY;
        // None stays open: there may be more of them than a process may have open.
        let written = new.iter().map(|entry| self.write(entry, !is_many)).collect::<io::Result<Vec<_>>>()?;
        if is_many {
            rustix::fs::syncfs(&File::open(self.folder.join(TEMPORARY))?)?;
        }
        let mut shards = BTreeSet::new();
        for (entry, file) in new.into_iter().zip(written) {
            let path = self.path(&entry.digest);
            if let Some(shard) = path.parent()
                && shards.insert(shard.to_owned())
            {
                make_folder(shard)?;
            }
            file.persist(&path).map_err(|error| error.error)?;
        }
        // A name is on the disk once its folder is.
        shards.iter().try_for_each(|shard| File::open(shard)?.sync_all())?;
        File::open(self.statements())?.sync_all()?;
        Ok(found)
    }

    fn find(&self, entry: &Entry) -> Kept {
        match self.read(&entry.digest) {
            Ok(_) => Kept::Known,
            Err(Fault::Missing) => Kept::New,
            Err(_) => Kept::Repaired,
        }
    }

    fn write(&self, entry: &Entry, is_synced: bool) -> io::Result<tempfile::TempPath> {
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        let mut file = tempfile::Builder::new().permissions(open).tempfile_in(self.folder.join(TEMPORARY))?;
        file.write_all(&entry.bytes)?;
        if is_synced {
            file.as_file().sync_all()?;
        }
        Ok(file.into_temp_path())
    }

    /// Takes away what writers that were killed left, once it is old.
    pub(super) fn tidy(&self) {
        let Ok(entries) = fs::read_dir(self.folder.join(TEMPORARY)) else { return };
        for entry in entries.flatten() {
            let modified = entry.metadata().and_then(|found| found.modified()).ok();
            let age = modified.and_then(|modified| SystemTime::now().duration_since(modified).ok());
            if age.is_some_and(|age| age > LEFT_OVER) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// The folder of entries whose digests begin so, below the ledger.
pub(super) fn shard_name(shard: &str) -> String {
    format!("{STATEMENTS}/{shard}")
}

fn make_folder(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o755).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let found = fs::symlink_metadata(path)?;
            if found.is_dir() {
                Ok(())
            } else {
                Err(io::Error::other("a link or a file stands where a folder has to be"))
            }
        }
        other => other,
    }
}

fn stamp(metadata: &fs::Metadata) -> Stamp {
    Stamp {
        size: i64::try_from(metadata.size()).unwrap_or(i64::MAX),
        modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
        changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        inode: metadata.ino().cast_signed(),
    }
}

pub(super) const fn nanoseconds(seconds: i64, rest: i64) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u32) -> Entry {
        let bytes = format!("{{\"n\":{number}}}").into_bytes();
        Entry { digest: digest_of(&bytes), bytes }
    }

    #[test]
    fn what_is_kept_is_read_and_what_is_changed_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(&folder.path().join(".waag")).unwrap();
        let entries: Vec<_> = (0..40).map(entry).collect();
        assert_eq!(store.keep(&entries).unwrap(), vec![Kept::New; 40]);
        assert_eq!(store.read(&entries[3].digest).unwrap().0, entries[3].bytes);
        assert_eq!(store.keep(&entries[..1]).unwrap(), [Kept::Known]);
        assert_eq!(store.keep(&[entry(50), entry(50)]).unwrap(), [Kept::New, Kept::Known]);
        fs::write(store.path(&entries[0].digest), "{}").unwrap();
        assert_eq!(store.read(&entries[0].digest), Err(Fault::Corrupt));
        assert_eq!(store.keep(&entries[..1]).unwrap(), [Kept::Repaired]);
        assert!(store.read(&entries[0].digest).is_ok());
        assert_eq!(store.read(&entry(99).digest), Err(Fault::Missing));
    }

    #[test]
    fn links_lead_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let ledger = folder.path().join(".waag");
        std::os::unix::fs::symlink(elsewhere.path(), &ledger).unwrap();
        assert!(Store::create(&ledger).is_err());
        fs::remove_file(&ledger).unwrap();
        let store = Store::create(&ledger).unwrap();
        let one = entry(1);
        let shard = store.path(&one.digest).parent().unwrap().to_owned();
        std::os::unix::fs::symlink(elsewhere.path(), &shard).unwrap();
        assert!(store.keep(std::slice::from_ref(&one)).is_err());
        fs::remove_file(&shard).unwrap();
        store.keep(std::slice::from_ref(&one)).unwrap();
        let secret = elsewhere.path().join("secret");
        fs::write(&secret, &one.bytes).unwrap();
        fs::remove_file(store.path(&one.digest)).unwrap();
        std::os::unix::fs::symlink(&secret, store.path(&one.digest)).unwrap();
        assert_eq!(store.read(&one.digest), Err(Fault::Unreadable));
    }

    #[test]
    fn what_is_no_entry_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path()).unwrap();
        let one = entry(1);
        store.keep(std::slice::from_ref(&one)).unwrap();
        let shard = one.digest.to_string()[..2].to_owned();
        fs::write(store.shard(&shard).join("x.json"), "").unwrap();
        let (digests, strays) = store.list(&shard).unwrap();
        assert_eq!((digests.len(), strays), (1, vec![format!("statements/{shard}/x.json")]));
    }
}
