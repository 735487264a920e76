//! Bytes that are read a page at a time, each checked against its digest when it is first looked at. A walk that touches
//! little of a large graph reads and digests little.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

/// Bytes of a page.
pub const PAGE: usize = 1 << 14;
/// Bytes of a digest.
const DIGEST: usize = blake3::OUT_LEN;

/// Bytes in memory, or in a file.
#[derive(Debug)]
pub enum Pages {
    /// All of them.
    Memory(Vec<u8>),
    /// A file, whose pages come when they are asked for.
    File(FilePages),
}

/// The pages of a file.
#[derive(Debug)]
pub struct FilePages {
    file: File,
    length: u64,
    digests: Vec<u8>,
    pages: Vec<OnceLock<Box<[u8]>>>,
    is_broken: AtomicBool,
}

/// The digests of all pages, one after the other.
#[must_use]
pub fn digests(bytes: &[u8]) -> Vec<u8> {
    let digests: Vec<[u8; DIGEST]> = bytes.par_chunks(PAGE).map(|page| blake3::hash(page).into()).collect();
    digests.concat()
}

impl FilePages {
    /// A file of `length` bytes, after which the digests of its pages stand; `digest` is that of these digests. None for a
    /// file that is another.
    #[must_use]
    pub fn open(file: File, length: u64, digest: &str) -> Option<Self> {
        let count = usize::try_from(length.div_ceil(PAGE as u64)).ok()?;
        let beside = count.checked_mul(DIGEST)?;
        if file.metadata().ok()?.len() != length.checked_add(beside as u64)? {
            return None;
        }
        let mut digests = vec![0; beside];
        file.read_exact_at(&mut digests, length).ok()?;
        let pages = (0..count).map(|_| OnceLock::new()).collect();
        let is_it = blake3::hash(&digests).to_hex().as_str() == digest;
        is_it.then_some(Self { file, length, digests, pages, is_broken: AtomicBool::new(false) })
    }

    fn page(&self, number: usize) -> &[u8] {
        self.pages.get(number).map(|page| page.get_or_init(|| self.load(number))).map_or(&[], |page| page)
    }

    /// A page that is not what its digest says is empty, and what is made of it is not to be used.
    fn load(&self, number: usize) -> Box<[u8]> {
        let start = (number as u64).saturating_mul(PAGE as u64);
        let length = self.length.saturating_sub(start).min(PAGE as u64);
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        let is_read = self.file.read_exact_at(&mut bytes, start).is_ok();
        let digest = self.digests.as_chunks::<DIGEST>().0.get(number);
        if is_read && digest.is_some_and(|digest| blake3::hash(&bytes) == *digest) {
            return bytes.into_boxed_slice();
        }
        self.is_broken.store(true, Ordering::Relaxed);
        Box::default()
    }
}

impl Pages {
    /// Whether a page was asked for that is not what its digest says, so that nothing that was read can be relied on.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        matches!(self, Self::File(file) if file.is_broken.load(Ordering::Relaxed))
    }

    /// So many bytes at a place; zeros beyond the end.
    #[must_use]
    pub fn array<const N: usize>(&self, at: u64) -> [u8; N] {
        let place = usize::try_from(at).unwrap_or(usize::MAX);
        let (bytes, start) = match self {
            Self::Memory(bytes) => (bytes.as_slice(), place),
            Self::File(file) => (file.page(place / PAGE), place % PAGE),
        };
        if let Some(found) = bytes.get(start..).and_then(|rest| rest.first_chunk::<N>()) {
            return *found;
        }
        let mut across = [0; N];
        across.iter_mut().zip(0..).for_each(|(byte, after)| *byte = self.byte(at.saturating_add(after)));
        across
    }

    /// The bytes of a range, as far as there are any.
    #[must_use]
    pub fn range(&self, start: u64, end: u64) -> Vec<u8> {
        (start..end.min(self.len())).map(|at| self.byte(at)).collect()
    }

    /// The byte at a place; 0 beyond the end.
    #[must_use]
    pub fn byte(&self, at: u64) -> u8 {
        let place = usize::try_from(at).unwrap_or(usize::MAX);
        let byte = match self {
            Self::Memory(bytes) => bytes.get(place),
            Self::File(file) => file.page(place / PAGE).get(place % PAGE),
        };
        byte.copied().unwrap_or_default()
    }

    fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File(file) => file.length,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn kept(bytes: &[u8]) -> (tempfile::NamedTempFile, String) {
        let digests = digests(bytes);
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), [bytes, digests.as_slice()].concat()).unwrap();
        (file, blake3::hash(&digests).to_hex().to_string())
    }

    fn open(file: &tempfile::NamedTempFile, length: usize, digest: &str) -> Option<Pages> {
        FilePages::open(File::open(file.path()).unwrap(), length as u64, digest).map(Pages::File)
    }

    #[test]
    fn a_file_is_read_as_memory_is() {
        let bytes: Vec<u8> = (0..PAGE * 2 + 77).map(|place| (place % 251) as u8).collect();
        let (file, digest) = kept(&bytes);
        let (file, memory) = (open(&file, bytes.len(), &digest).unwrap(), Pages::Memory(bytes.clone()));
        for at in [0, 5, PAGE - 3, PAGE, PAGE * 2 - 1, bytes.len() - 4, bytes.len(), usize::MAX] {
            let at = at as u64;
            assert_eq!(file.array::<8>(at), memory.array::<8>(at));
            assert_eq!(file.range(at, at.saturating_add(9)), memory.range(at, at.saturating_add(9)));
        }
        assert!(!file.is_broken());
    }

    #[test]
    fn a_page_that_was_changed_is_noticed_when_it_is_read() {
        let bytes = vec![7; PAGE * 2];
        let (file, digest) = kept(&bytes);
        assert!(open(&file, bytes.len() - 1, &digest).is_none());
        let mut changed = fs::read(file.path()).unwrap();
        changed[PAGE + 1] = 8;
        fs::write(file.path(), &changed).unwrap();
        let pages = open(&file, bytes.len(), &digest).unwrap();
        assert_eq!((pages.byte(1), pages.is_broken()), (7, false));
        assert_eq!((pages.byte(PAGE as u64 + 1), pages.is_broken()), (0, true));
        *changed.last_mut().unwrap() ^= 1;
        fs::write(file.path(), &changed).unwrap();
        assert!(open(&file, bytes.len(), &digest).is_none(), "the digests are digested too");
    }
}
