//! Digests beside the run: files are hashed when they are first opened, on threads of their own that give way to the
//! program.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use sha2::{Digest as _, Sha256};
use waag_evidence::Sha256Digest;

use super::stamp::Stamp;

/// Bytes that are read at once.
const BLOCK: usize = 1 << 20;
/// Open files that wait; more are opened again by their names.
const MAX_HELD: usize = 128;
/// Files of packages and of the system that are longer are not hashed: they are named by their packages.
pub(super) const LARGE: u64 = 256 << 20;

/// What is known of a file.
#[derive(Debug, Clone, Default)]
pub(super) struct Hashed {
    /// Its digest, when it could be read.
    pub(super) digest: Option<Sha256Digest>,
    /// What it was when it was read.
    pub(super) stamp: Stamp,
    /// Whether it changed while it was read.
    pub(super) unsteady: bool,
    /// What it is called without links.
    pub(super) real: Option<PathBuf>,
}

/// How urgent a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Urgency {
    /// The program may change it: as soon as can be.
    Now,
    /// It is part of what the program runs on: when there is time. Long ones are left out.
    Later,
}

#[derive(Debug, Default)]
struct Queue {
    now: VecDeque<(PathBuf, Option<File>)>,
    later: VecDeque<PathBuf>,
    known: HashSet<PathBuf>,
    done: BTreeMap<PathBuf, Hashed>,
    closed: bool,
}

impl Queue {
    /// Lets a file that waits be the next.
    fn prefer(&mut self, path: &Path) {
        let waiting = self.now.iter().position(|(waiting, _)| waiting == path);
        let later = self.later.iter().position(|waiting| waiting == path);
        let job = match (waiting, later) {
            (Some(index), _) => self.now.remove(index),
            (None, Some(index)) => self.later.remove(index).map(|path| (path, None)),
            (None, None) => None,
        };
        job.into_iter().for_each(|job| self.now.push_front(job));
    }
}

/// Threads that hash.
#[derive(Debug)]
pub(super) struct Hashing {
    queue: Arc<(Mutex<Queue>, Condvar)>,
    threads: Vec<JoinHandle<()>>,
}

impl Hashing {
    /// Beside a program that runs, whose threads go first.
    pub(super) fn beside() -> Self {
        let mut hashing = Self { queue: Arc::default(), threads: Vec::new() };
        hashing.add_threads(true);
        hashing
    }

    /// While nothing else is done.
    pub(super) fn alone() -> Self {
        // `finish` adds the threads.
        Self { queue: Arc::default(), threads: Vec::new() }
    }

    fn add_threads(&mut self, gives_way: bool) {
        let count = std::thread::available_parallelism().map_or(1, usize::from).min(4);
        let thread = |_| {
            let queue = Arc::clone(&self.queue);
            std::thread::spawn(move || {
                if gives_way {
                    super::capture::give_way();
                }
                work(&queue);
            })
        };
        self.threads.extend((0..count).map(thread));
    }

    /// Wants the digest of a file, once. An open file is the one that is hashed, whatever has its name by then.
    pub(super) fn want(&self, path: &Path, file: Option<File>, urgency: Urgency) {
        let mut queue = lock(&self.queue.0);
        if !queue.known.insert(path.to_owned()) {
            return;
        }
        match urgency {
            Urgency::Now => {
                let file = file.filter(|_| queue.now.len() < MAX_HELD);
                queue.now.push_back((path.to_owned(), file));
            }
            Urgency::Later => queue.later.push_back(path.to_owned()),
        }
        drop(queue);
        self.queue.1.notify_all();
    }

    /// Waits until a file that was wanted is hashed: it is about to change.
    pub(super) fn settle(&self, path: &Path) {
        let mut queue = lock(&self.queue.0);
        if !queue.known.contains(path) {
            return;
        }
        queue.prefer(path);
        while !queue.done.contains_key(path) {
            queue = self.queue.1.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits for all digests. Nobody has to go first any more, and whoever gave way cannot take it back: others join in.
    pub(super) fn finish(mut self) -> BTreeMap<PathBuf, Hashed> {
        let waiting = {
            let mut queue = lock(&self.queue.0);
            queue.closed = true;
            !queue.now.is_empty() || !queue.later.is_empty()
        };
        if waiting {
            self.add_threads(false);
        }
        self.queue.1.notify_all();
        for thread in self.threads {
            let _ = thread.join();
        }
        std::mem::take(&mut lock(&self.queue.0).done)
    }
}

fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

fn work((queue, changed): &(Mutex<Queue>, Condvar)) {
    let mut buffer = vec![0; BLOCK];
    while let Some((path, file, urgency)) = next(queue, changed) {
        let hashed = hash_opened(&path, file, urgency, &mut buffer).unwrap_or_default();
        lock(queue).done.insert(path, hashed);
        changed.notify_all();
    }
}

fn next(queue: &Mutex<Queue>, changed: &Condvar) -> Option<(PathBuf, Option<File>, Urgency)> {
    let mut queue = lock(queue);
    loop {
        if let Some((path, file)) = queue.now.pop_front() {
            return Some((path, file, Urgency::Now));
        }
        if let Some(path) = queue.later.pop_front() {
            return Some((path, None, Urgency::Later));
        }
        if queue.closed {
            return None;
        }
        queue = changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
    }
}

fn hash_opened(path: &Path, file: Option<File>, urgency: Urgency, buffer: &mut [u8]) -> io::Result<Hashed> {
    let real = std::fs::canonicalize(path).ok();
    let mut file = match file {
        Some(file) => file,
        // A pipe would never end.
        None if !std::fs::metadata(path)?.is_file() => return Ok(Hashed::default()),
        None => File::open(path)?,
    };
    let stamp = Stamp::of(&file.metadata()?);
    if urgency == Urgency::Later && stamp.size > LARGE {
        return Ok(Hashed { stamp, real, ..Hashed::default() });
    }
    let digest = digest_of(&mut file, buffer)?;
    let unsteady = !stamp.has_bytes_of(&Stamp::of(&file.metadata()?));
    Ok(Hashed { digest: Some(digest), stamp, unsteady, real })
}

fn digest_of(file: &mut File, buffer: &mut [u8]) -> io::Result<Sha256Digest> {
    let mut hasher = Sha256::new();
    loop {
        match file.read(buffer) {
            Ok(0) => return Ok(Sha256Digest::new(hasher.finalize().into())),
            Ok(length) => hasher.update(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The digest of a file, now.
pub(super) fn hash_file(path: &Path) -> io::Result<Hashed> {
    hash_opened(path, None, Urgency::Now, &mut vec![0; BLOCK])
}

/// One digest over many files: `dirHash` of in-toto's digest sets, which is Go's `dirhash.Hash1`.
///
/// <https://pkg.go.dev/golang.org/x/mod/sumdb/dirhash#Hash1>
pub(super) fn folder_digest<'a>(files: impl IntoIterator<Item = (&'a str, &'a Sha256Digest)>) -> Sha256Digest {
    let mut files: Vec<_> = files.into_iter().collect();
    files.sort_unstable();
    let mut hasher = Sha256::new();
    for (name, digest) in files {
        hasher.update(format!("{digest}  {name}\n"));
    }
    Sha256Digest::new(hasher.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_hashed_once_and_can_be_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "abc").unwrap();
        let hashing = Hashing::beside();
        hashing.want(&path, None, Urgency::Now);
        hashing.settle(&path);
        std::fs::write(&path, "other").unwrap();
        hashing.want(&path, None, Urgency::Now);
        hashing.want(&folder.path().join("none"), None, Urgency::Later);
        hashing.settle(&folder.path().join("never wanted"));
        let done = hashing.finish();
        assert_eq!(
            done[&path].digest.unwrap().to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(done[&folder.path().join("none")].digest, None);
    }

    /// By `printf 'abc' > a; sha256sum a b | sha256sum`, as the definition says.
    #[test]
    fn a_folder_has_the_digest_of_its_list() {
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".parse().unwrap();
        let list = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a\n\
                    ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  b\n";
        let expected = Sha256Digest::new(Sha256::digest(list).into());
        assert_eq!(folder_digest([("b", &digest), ("a", &digest)]), expected);
    }
}
