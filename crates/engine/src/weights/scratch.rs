//! Bytes that had to be decoded before they can be read at any place: one temporary file for all of a model's.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt as _;

use waag_formats::source::{ReadError, Source};

/// A temporary file without a name, made when the first byte is written.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    file: Option<File>,
    length: u64,
}

impl Scratch {
    fn file(&mut self) -> io::Result<&File> {
        match &mut self.file {
            Some(file) => Ok(file),
            empty => Ok(empty.insert(tempfile::tempfile()?)),
        }
    }

    /// Takes so many bytes at the end, zeros so far; gives where they start.
    pub(super) fn reserve(&mut self, length: u64) -> io::Result<u64> {
        let start = self.length;
        let end = start.checked_add(length).ok_or_else(|| io::Error::other("too many bytes"))?;
        self.file()?.set_len(end)?;
        self.length = end;
        Ok(start)
    }

    /// Writes into bytes that were reserved.
    pub(super) fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.file.as_ref().map_or(Ok(()), |file| file.write_all_at(bytes, at))
    }
}

impl Write for Scratch {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let end = self.length;
        let count = self.file()?.write_at(bytes, end)?;
        self.length += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Source for Scratch {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let Some(file) = &self.file else { return Ok(0) };
        loop {
            match file.read_at(buffer, offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read.map_err(|error| ReadError::Refused(error.to_string())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use waag_formats::source::read_up_to;

    #[test]
    fn what_is_written_and_what_is_reserved_stand_beside_each_other() {
        let mut scratch = Scratch::default();
        assert_eq!((scratch.len(), read_up_to(&scratch, 0, 4)), (0, Vec::new()));
        scratch.write_all(b"abc").unwrap();
        assert_eq!(scratch.reserve(4).unwrap(), 3);
        scratch.write_at(b"xy", 4).unwrap();
        scratch.write_all(b"de").unwrap();
        assert_eq!(read_up_to(&scratch, 0, 100), b"abc\0xy\0de");
    }
}
