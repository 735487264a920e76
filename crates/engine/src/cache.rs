//! Results of earlier scans, by what a file system says of a file: a folder that has not changed is not read again, and
//! a scan that was interrupted goes on where it was.
//!
//! A result is reused when device, inode, size, and the times of the last change of content (`mtime`) and of the inode
//! (`ctime`) are what they were, under the same path and by the same build of waag. That is as good as the file system's
//! word, and no better: whoever can set the clock or write to the disk below the file system can deceive it. So this is
//! used to list and to judge, never to verify a digest or a signature.

use std::collections::HashMap;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

use crate::examine::Examined;
use crate::stored::Stored;

/// Name of the file within the folder that is given.
const FILE_NAME: &str = "scan-results";
/// Bytes after which everything is forgotten and remembered anew.
const MAX_BYTES: u64 = 512 << 20;
/// Bytes of one result; those of archives with very many members are not kept.
const MAX_RESULT: usize = 1 << 20;
/// Seconds for which a file has to have been left alone: what changes within a tick of the clock changes unseen.
const SETTLED: u64 = 2;
/// Bytes before each result: its key and its length.
const HEADER: usize = 20;

/// Where results are kept, and from how many files on that is worth a file in the user's home.
#[derive(Debug, Clone)]
pub struct CachePlan {
    /// The folder.
    pub folder: PathBuf,
    /// Fewer files than this are always read.
    pub at_least: usize,
}

/// What names a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key([u8; 16]);

/// An open store of results. One process at a time writes to it; others go without.
#[derive(Debug)]
pub(crate) struct Cache {
    file: File,
    places: HashMap<Key, (u64, usize)>,
    end: Mutex<u64>,
    reused: AtomicU64,
}

impl Cache {
    /// Opens the store below a folder, making both when they are not there.
    ///
    /// # Errors
    /// When it cannot be opened, is in use, or could have been written by others.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let path = folder.join(FILE_NAME);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        if file.metadata()?.permissions().mode() & 0o022 != 0 {
            return Err(io::Error::other("others may write to it"));
        }
        file.try_lock().map_err(|_| io::Error::other("another waag is using it"))?;
        let mut cache = Self { file, places: HashMap::new(), end: Mutex::new(0), reused: AtomicU64::new(0) };
        cache.load()?;
        Ok(cache)
    }

    /// Reads which results there are. What another build wrote, or is too much, is forgotten.
    fn load(&mut self) -> io::Result<()> {
        let title = title();
        let mut reader = BufReader::new(&self.file);
        let mut line = Vec::new();
        (&mut reader).take(256).read_until(b'\n', &mut line)?;
        let mut end = line.len() as u64;
        if line != title.as_bytes() || self.file.metadata()?.len() > MAX_BYTES {
            self.file.set_len(0)?;
            self.file.write_all_at(title.as_bytes(), 0)?;
            end = title.len() as u64;
        } else {
            end = places(&mut reader, end, &mut self.places);
            // The last result may have been cut off with the process that wrote it.
            self.file.set_len(end)?;
        }
        self.end = Mutex::new(end);
        Ok(())
    }

    /// How many results were given.
    pub(crate) fn reused(&self) -> u64 {
        self.reused.load(Relaxed)
    }

    /// The result of an earlier scan.
    pub(crate) fn get(&self, key: Key) -> Option<Examined> {
        let (offset, length) = *self.places.get(&key)?;
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, offset).ok()?;
        let stored: Stored = serde_json::from_slice(&bytes).ok()?;
        let examined = stored.examined()?;
        self.reused.fetch_add(1, Relaxed);
        Some(examined)
    }

    /// Keeps a result, if it is of a size worth keeping. A disk that is full is no reason to stop.
    pub(crate) fn put(&self, key: Key, examined: &Examined) {
        let mut bytes = vec![0; HEADER];
        let written = serde_json::to_writer(&mut bytes, &Stored::of(examined)).is_ok();
        let length = bytes.len().saturating_sub(HEADER);
        if !written || length > MAX_RESULT {
            return;
        }
        bytes[..16].copy_from_slice(&key.0);
        bytes[16..HEADER].copy_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        if *end < MAX_BYTES && self.file.write_all_at(&bytes, *end).is_ok() {
            *end += bytes.len() as u64;
        }
    }
}

/// The results of a store, from `end` on; returns where the last whole one ends.
fn places(reader: &mut impl Read, mut end: u64, places: &mut HashMap<Key, (u64, usize)>) -> u64 {
    let mut header = [0; HEADER];
    while reader.read_exact(&mut header).is_ok() {
        let (key, length) = header.split_at(16);
        let (Ok(key), Ok(length)) = (<[u8; 16]>::try_from(key), <[u8; 4]>::try_from(length)) else { break };
        let length = u32::from_le_bytes(length) as usize;
        let skipped = io::copy(&mut reader.take(length as u64), &mut io::sink());
        if length > MAX_RESULT || skipped.ok() != Some(length as u64) {
            break;
        }
        places.insert(Key(key), (end + HEADER as u64, length));
        end += (HEADER + length) as u64;
    }
    end
}

/// The first line of the store: which build of waag wrote it, since another one may think otherwise.
fn title() -> String {
    let build = std::env::current_exe().and_then(fs::metadata);
    let build =
        build.map(|metadata| format!("{} {}", metadata.size(), nanoseconds(metadata.mtime(), metadata.mtime_nsec())));
    format!("waag {} scan results 1, build {}\n", env!("CARGO_PKG_VERSION"), build.unwrap_or_default())
}

/// What names the result of a file at a path; none when it was changed a moment ago.
pub(crate) fn key_of(path: &Path, shown: &str, digests: bool) -> Option<Key> {
    let metadata = fs::metadata(path).ok().filter(|metadata| metadata.is_file() && is_settled(metadata))?;
    let mut hasher = Sha256::new();
    for number in [metadata.dev(), metadata.ino(), metadata.size(), u64::from(digests)] {
        hasher.update(number.to_le_bytes());
    }
    for time in
        [nanoseconds(metadata.mtime(), metadata.mtime_nsec()), nanoseconds(metadata.ctime(), metadata.ctime_nsec())]
    {
        hasher.update(time.to_le_bytes());
    }
    hasher.update(shown.as_bytes());
    let digest: [u8; 32] = hasher.finalize().into();
    digest.first_chunk::<16>().map(|start| Key(*start))
}

fn nanoseconds(seconds: i64, rest: i64) -> i128 {
    i128::from(seconds) * 1_000_000_000 + i128::from(rest)
}

fn is_settled(metadata: &Metadata) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let changed = metadata.mtime().max(metadata.ctime());
    u64::try_from(changed).is_ok_and(|changed| changed.saturating_add(SETTLED) < now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Examined {
        let bytes = b"cos\nsystem\n(S'echo waag-inert'\ntR.".to_vec();
        let report = crate::scan::scan_bytes("model.pkl", bytes);
        Examined { artifacts: report.artifacts, findings: report.findings, ..Examined::default() }
    }

    #[test]
    fn what_is_kept_comes_back_whole() {
        let folder = tempfile::tempdir().unwrap();
        let (key, other) = (Key([7; 16]), Key([8; 16]));
        let cache = Cache::open(folder.path()).unwrap();
        cache.put(key, &example());
        drop(cache);
        let cache = Cache::open(folder.path()).unwrap();
        let back = cache.get(key).unwrap();
        let json = |examined: &Examined| serde_json::to_value(Stored::of(examined)).unwrap();
        assert_eq!(json(&back), json(&example()));
        assert_eq!(back.artifacts[0].format, Some("pickle"));
        assert!(cache.get(other).is_none());
        assert_eq!(cache.reused(), 1);
    }

    #[test]
    fn a_result_that_was_cut_off_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        cache.put(Key([1; 16]), &example());
        cache.put(Key([2; 16]), &example());
        let length = cache.file.metadata().unwrap().len();
        cache.file.set_len(length - 1).unwrap();
        drop(cache);
        let cache = Cache::open(folder.path()).unwrap();
        assert!(cache.get(Key([1; 16])).is_some() && cache.get(Key([2; 16])).is_none());
        cache.put(Key([3; 16]), &example());
        drop(cache);
        assert!(Cache::open(folder.path()).unwrap().get(Key([3; 16])).is_some());
    }

    #[test]
    fn what_another_build_or_another_hand_wrote_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        fs::write(&path, "waag 0.0.1 scan results 1, build 0\nrest").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        assert!(Cache::open(folder.path()).is_err());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        assert!(cache.places.is_empty());
        assert!(Cache::open(folder.path()).is_err(), "one at a time");
    }

    #[test]
    fn a_file_that_has_just_been_written_has_no_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pkl");
        fs::write(&path, "x").unwrap();
        assert_eq!(key_of(&path, "a.pkl", false), None);
        assert_eq!(key_of(&folder.path().join("none"), "none", false), None);
        let old = key_of(Path::new("/proc/self/exe"), "waag", false);
        assert!(old.is_none_or(|key| Some(key) != key_of(Path::new("/proc/self/exe"), "other", false)));
    }
}
