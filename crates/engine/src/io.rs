//! Opening files: the only place that does. Everything else reads through a `Source`.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError};

use sha2::{Digest, Sha256};
use waag_evidence::Sha256Digest;
use waag_formats::source::{ReadError, Source, read_up_to};

/// Decoded bytes that are kept in memory before they move to a temporary file.
const SPOOL_IN_MEMORY: usize = 4 << 20;
/// Bytes of a file that is read as a whole when it is opened.
const SMALL_FILE: u64 = 64 * 1024;
/// Bytes that are read through a block.
const FEW_BYTES: usize = 1024;
/// Bytes of a block: what the system reads at once in any case.
const BLOCK: usize = 8 * 1024;
/// Bytes hashed at once.
const HASH_BLOCK: usize = 256 * 1024;
/// Memory that all analyses together may plan for.
const PLANNED_MEMORY: u64 = 64 << 20;
/// Memory that one analysis takes at the most.
const MOST_FOR_ONE: u64 = 64 << 20;
/// Bytes from which an analysis has a thread of its own.
const LARGE: u64 = 1 << 20;

/// A file on disk. Its length is read once; a file that changes while it is read gives short reads, not crashes.
#[derive(Debug)]
pub struct FileSource {
    file: File,
    length: u64,
    /// All of a small file, read once: most files are small, and calls to the system cost more than bytes.
    whole: Option<Vec<u8>>,
    /// The block that was read last for a few bytes: names are looked up again and again, close to each other.
    block: Mutex<Block>,
}

/// Some bytes of a file.
#[derive(Debug, Default)]
struct Block {
    start: u64,
    bytes: Vec<u8>,
}

impl Block {
    /// Copies what it has from `offset` on; 0 when it has nothing there.
    fn read(&self, offset: u64, buffer: &mut [u8]) -> usize {
        let from = offset.checked_sub(self.start).and_then(|from| usize::try_from(from).ok());
        let bytes = from.and_then(|from| self.bytes.get(from..)).unwrap_or_default();
        let count = bytes.len().min(buffer.len());
        buffer[..count].copy_from_slice(&bytes[..count]);
        count
    }
}

impl FileSource {
    /// Opens a regular file.
    ///
    /// # Errors
    /// When it cannot be opened or is no regular file.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        let mut source = Self { file, length: metadata.len(), whole: None, block: Mutex::default() };
        if source.length <= SMALL_FILE {
            let bytes = read_up_to(&source, 0, usize::try_from(SMALL_FILE).unwrap_or(usize::MAX));
            source.whole = Some(bytes).filter(|bytes| bytes.len() as u64 == source.length);
        }
        Ok(source)
    }
}

impl Source for FileSource {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        match &self.whole {
            Some(bytes) => bytes.read_at(offset, buffer),
            None if buffer.len() <= FEW_BYTES => self.read_few(offset, buffer),
            None => read_file_at(&self.file, offset, buffer),
        }
    }
}

impl FileSource {
    fn read_few(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let mut block = self.block.lock().unwrap_or_else(PoisonError::into_inner);
        let count = block.read(offset, buffer);
        if count > 0 || buffer.is_empty() {
            return Ok(count);
        }
        block.bytes.resize(BLOCK, 0);
        block.start = offset - offset % BLOCK as u64;
        let filled = read_file_at(&self.file, block.start, &mut block.bytes);
        block.bytes.truncate(*filled.as_ref().unwrap_or(&0));
        filled?;
        Ok(block.read(offset, buffer))
    }
}

fn read_file_at(file: &File, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
    loop {
        match file.read_at(buffer, offset) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(ReadError::Refused(error.to_string())),
            Ok(count) => return Ok(count),
        }
    }
}

/// Decoded bytes: in memory while they are few, then in a temporary file that has no name.
#[derive(Debug)]
pub enum Spool {
    /// Few bytes.
    Memory(Vec<u8>),
    /// Many bytes.
    Disk(File, u64),
}

impl Default for Spool {
    fn default() -> Self {
        Self::Memory(Vec::new())
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Self::Memory(kept) = self {
            if kept.len() + bytes.len() <= SPOOL_IN_MEMORY {
                kept.extend_from_slice(bytes);
                return Ok(bytes.len());
            }
            let mut file = tempfile::tempfile()?;
            file.write_all(kept)?;
            let length = kept.len() as u64;
            *self = Self::Disk(file, length);
        }
        let Self::Disk(file, length) = self else { return Ok(0) };
        file.seek(SeekFrom::Start(*length))?;
        let count = file.write(bytes)?;
        *length += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Source for Spool {
    fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Disk(_, length) => *length,
        }
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        match self {
            Self::Memory(bytes) => bytes.read_at(offset, buffer),
            Self::Disk(file, _) => read_file_at(file, offset, buffer),
        }
    }
}

/// Writes a file so that it is there as a whole or not at all: under another name, to the disk, and then renamed. When
/// `write` gives something back, that is why the file is not wanted, and nothing is left of it.
///
/// # Errors
/// When it cannot be written.
pub fn write_atomically<T>(
    path: &Path,
    write: impl FnOnce(&mut File) -> io::Result<Option<T>>,
) -> io::Result<Option<T>> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    // Where there is no such folder, that is what is said, and not that a file of a name nobody knows is not there.
    std::fs::metadata(folder)?;
    // As open as the user makes other files: the system takes away what the user's mask says.
    let open = std::fs::Permissions::from_mode(0o666);
    let mut file = tempfile::Builder::new().prefix(".waag-").permissions(open).tempfile_in(folder)?;
    if let Some(refused) = write(file.as_file_mut())? {
        return Ok(Some(refused));
    }
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    // The name is on the disk once its folder is.
    File::open(folder)?.sync_all()?;
    Ok(None)
}

/// The SHA-256 of a source.
///
/// # Errors
/// When it cannot be read to its end.
pub fn sha256(source: &dyn Source) -> Result<Sha256Digest, ReadError> {
    let mut hasher = Sha256::new();
    let mut block = vec![0; HASH_BLOCK.min(usize::try_from(source.len()).unwrap_or(HASH_BLOCK)).max(1)];
    let mut offset = 0;
    while offset < source.len() {
        let count = source.read_at(offset, &mut block)?;
        if count == 0 {
            return Err(ReadError::End);
        }
        hasher.update(&block[..count]);
        offset += count as u64;
    }
    Ok(Sha256Digest::new(hasher.finalize().into()))
}

/// Memory that analyses on all threads share: a large artifact waits until there is room for it.
#[derive(Debug)]
pub struct MemoryPlan {
    free: Mutex<u64>,
    freed: Condvar,
}

impl Default for MemoryPlan {
    fn default() -> Self {
        Self { free: Mutex::new(PLANNED_MEMORY), freed: Condvar::new() }
    }
}

impl MemoryPlan {
    /// Runs an analysis of `size` bytes when there is room for it. Analyses do not nest within each other here:
    /// children are opened after their parent's analysis is done.
    ///
    /// A large one runs on a thread that ends with it: what an allocator keeps of freed memory it keeps for each
    /// thread, and would keep the most that any file took once for every core.
    pub fn with_room<T: Send>(&self, size: u64, analyse: impl FnOnce() -> T + Send) -> T {
        if size <= SMALL_FILE {
            return analyse();
        }
        let wanted = (size.saturating_mul(2)).min(MOST_FOR_ONE);
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        while *free < wanted {
            free = self.freed.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
        *free -= wanted;
        drop(free);
        let _returned = Room { plan: self, taken: wanted };
        if size < LARGE {
            return analyse();
        }
        let ended = std::thread::scope(|scope| scope.spawn(analyse).join());
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

/// Gives memory back, also when an analysis ends early.
struct Room<'a> {
    plan: &'a MemoryPlan,
    taken: u64,
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        *self.plan.free.lock().unwrap_or_else(PoisonError::into_inner) += self.taken;
        self.plan.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spool_reads_back_what_was_written_wherever_it_is_kept() {
        let mut spool = Spool::default();
        let block: Vec<u8> = (0..=255).cycle().take(SPOOL_IN_MEMORY / 2 + 10).collect();
        for _ in 0..3 {
            spool.write_all(&block).unwrap();
        }
        assert!(matches!(spool, Spool::Disk(..)));
        assert_eq!(spool.len(), 3 * block.len() as u64);
        assert_eq!(read_up_to(&spool, block.len() as u64, block.len()), block);
    }

    #[test]
    fn a_file_that_is_not_wanted_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        assert_eq!(write_atomically(&path, |file| file.write_all(b"1").map(|()| None::<()>)).unwrap(), None);
        assert_eq!(write_atomically(&path, |file| file.write_all(b"2").map(|()| Some("no"))).unwrap(), Some("no"));
        assert!(write_atomically(&path, |_| Err::<Option<()>, _>(io::Error::other("killed"))).is_err());
        assert_eq!(read_up_to(&FileSource::open(&path).unwrap(), 0, 9), b"1");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn few_bytes_are_the_same_through_a_block() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let bytes: Vec<u8> = (0..100_000u32).map(|index| (index % 251) as u8).collect();
        std::fs::write(file.path(), &bytes).unwrap();
        let source = FileSource::open(file.path()).unwrap();
        for offset in [0, 5, 8_190, 8_191, 8_192, 50_000, 99_999, 100_000, 7] {
            assert_eq!(
                read_up_to(&source, offset, 300),
                bytes[offset as usize..].iter().copied().take(300).collect::<Vec<_>>()
            );
        }
        assert_eq!(source.read_at(200_000, &mut [0; 4]), Ok(0));
    }

    #[test]
    fn digests_are_those_of_other_tools() {
        let digest = sha256(&b"abc".to_vec()).unwrap().to_string();
        assert_eq!(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
