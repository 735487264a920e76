//! The two ends of a decoder: stored bytes in, with a position; decoded bytes out, paid for.

use std::io::{self, BufRead, Read, Write};

use super::{BOMB_BYTES, BOMB_RATIO, CHUNK, DecodeError};
use crate::budget::Budget;
use crate::source::{ReadError, Source, Window};

/// Stored bytes, buffered, with an exact position.
#[derive(Debug)]
pub(crate) struct Feed<'a> {
    window: Window<'a>,
    buffer: Vec<u8>,
    next: usize,
    /// Offset of the first byte behind the buffer.
    end: u64,
    /// Bytes that a decoder took but did not use.
    unused: u64,
    failure: Option<ReadError>,
}

impl<'a> Feed<'a> {
    pub(crate) fn new(window: Window<'a>) -> Self {
        Self { window, buffer: Vec::new(), next: 0, end: 0, unused: 0, failure: None }
    }

    /// Offset of the next byte.
    pub(crate) fn position(&self) -> u64 {
        self.end.saturating_sub(self.buffer.len().saturating_sub(self.next) as u64)
    }

    /// Stored bytes that belong to the stream.
    pub(crate) fn consumed(&self) -> u64 {
        self.position().saturating_sub(self.unused)
    }

    /// Says that the last `count` bytes that were read do not belong to the stream.
    pub(crate) fn give_back(&mut self, count: u64) {
        self.unused = count;
    }

    /// Stored bytes that do not belong to the stream.
    pub(crate) fn rest(&self) -> u64 {
        self.window.len().saturating_sub(self.consumed())
    }

    /// Says that all bytes belong to the stream.
    pub(crate) fn consume_all(&mut self) {
        self.unused = 0;
        self.seek(self.window.len());
    }

    /// Why the source stopped reading, if it did.
    pub(crate) fn failure(&self) -> Option<ReadError> {
        self.failure.clone()
    }

    /// Continues at `offset`.
    pub(crate) fn seek(&mut self, offset: u64) {
        self.buffer.clear();
        self.next = 0;
        self.end = offset;
    }

    /// The next bytes without taking them: fewer than asked for only at the end.
    pub(crate) fn peek(&self, count: usize) -> Vec<u8> {
        crate::source::read_up_to(&self.window, self.position(), count)
    }

    /// Whether all bytes were taken.
    pub(crate) fn is_done(&self) -> bool {
        self.position() >= self.window.len()
    }

    /// The next unread bytes, read from the source when there are none.
    pub(crate) fn chunk(&mut self) -> &[u8] {
        self.refill();
        self.buffer.get(self.next..).unwrap_or_default()
    }

    fn refill(&mut self) {
        if self.next < self.buffer.len() {
            return;
        }
        self.buffer.resize(CHUNK, 0);
        let read = self.window.read_at(self.end, &mut self.buffer).unwrap_or_else(|error| {
            self.failure = Some(error);
            0
        });
        self.buffer.truncate(read);
        self.next = 0;
        self.end = self.end.saturating_add(read as u64);
    }

    /// Takes exactly `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let mut bytes = [0; N];
        self.read_exact(&mut bytes).map_err(|_| ended())?;
        Ok(bytes)
    }

    /// Copies everything as it is.
    pub(crate) fn copy(&mut self, drain: &mut Drain<'_>) -> Result<(), DecodeError> {
        loop {
            let chunk = self.chunk();
            let length = chunk.len();
            if length == 0 {
                return Ok(());
            }
            drain.unpaid(chunk)?;
            self.consume(length);
        }
    }
}

impl Read for Feed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let chunk = self.chunk();
        let count = chunk.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), chunk.get(..count)) {
            to.copy_from_slice(from);
        }
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Feed<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Ok(self.chunk())
    }

    fn consume(&mut self, count: usize) {
        self.next = self.next.saturating_add(count).min(self.buffer.len());
    }
}

/// The stream ends before its end.
pub(crate) fn ended() -> DecodeError {
    DecodeError::Damaged("the stream ends too early".into())
}

/// A checksum that is computed along the way.
#[derive(Debug, Default)]
pub(crate) enum Check {
    /// None.
    #[default]
    None,
    /// As in gzip.
    Crc32(flate2::Crc),
    /// As in zlib.
    Adler32(u32, u32),
}

/// The largest prime below 2^16.
const ADLER_MODULUS: u32 = 65_521;
/// As many bytes as can be summed before the sums leave 32 bits.
const ADLER_RUN: usize = 5552;

impl Check {
    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::None => {}
            Self::Crc32(crc) => crc.update(bytes),
            Self::Adler32(low, high) => {
                for run in bytes.chunks(ADLER_RUN) {
                    for &byte in run {
                        *low = low.wrapping_add(byte.into());
                        *high = high.wrapping_add(*low);
                    }
                    *low %= ADLER_MODULUS;
                    *high %= ADLER_MODULUS;
                }
            }
        }
    }

    /// The sum so far.
    pub(crate) fn sum(&self) -> u32 {
        match self {
            Self::None => 0,
            Self::Crc32(crc) => crc.sum(),
            Self::Adler32(low, high) => high << 16 | low,
        }
    }
}

/// Where decoded bytes go.
pub(crate) struct Drain<'a> {
    out: &'a mut dyn Write,
    budget: &'a Budget,
    stored: u64,
    written: u64,
    check: Check,
    checksum_ok: bool,
}

impl<'a> Drain<'a> {
    pub(crate) fn new(out: &'a mut dyn Write, budget: &'a Budget, stored: u64) -> Self {
        Self { out, budget, stored, written: 0, check: Check::None, checksum_ok: true }
    }

    /// Takes decoded bytes.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        for chunk in bytes.chunks(CHUNK) {
            self.budget.expand(chunk.len() as u64)?;
            self.unpaid(chunk)?;
            if self.written > BOMB_BYTES && self.written > self.stored.saturating_mul(BOMB_RATIO) {
                return Err(DecodeError::Bomb);
            }
        }
        Ok(())
    }

    /// Takes bytes that were not compressed, so that there can be no more of them than are stored.
    pub(crate) fn unpaid(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        self.check.update(bytes);
        self.written = self.written.saturating_add(bytes.len() as u64);
        self.out.write_all(bytes).map_err(|error| DecodeError::Write(error.to_string()))
    }

    /// Everything a reader has. An error of the reader is damage, unless it is out of memory that it was not allowed.
    pub(crate) fn pull(&mut self, reader: &mut dyn Read) -> Result<(), DecodeError> {
        let mut buffer = vec![0; CHUNK];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => self.push(buffer.get(..count).unwrap_or_default())?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(damaged(&error)),
            }
        }
    }

    /// Pays for work that gives no bytes.
    pub(crate) fn operate(&self, steps: u64) -> Result<(), DecodeError> {
        Ok(self.budget.operate(steps)?)
    }

    /// Starts a checksum.
    pub(crate) fn start(&mut self, check: Check) {
        self.check = check;
    }

    /// Compares the checksum since the last start with the stored one.
    pub(crate) fn compare(&mut self, stored: u32) {
        self.checksum_ok &= self.check.sum() == stored;
    }

    /// Notes a checksum that somebody else found to be right or wrong.
    pub(crate) fn note(&mut self, right: bool) {
        self.checksum_ok &= right;
    }

    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    pub(crate) fn checksum_ok(&self) -> bool {
        self.checksum_ok
    }

    pub(crate) fn flush(&mut self) -> Result<(), DecodeError> {
        self.out.flush().map_err(|error| DecodeError::Write(error.to_string()))
    }
}

/// What a reader's error means.
pub(crate) fn damaged(error: &io::Error) -> DecodeError {
    match error.kind() {
        io::ErrorKind::OutOfMemory => DecodeError::Unsupported(format!("the stream wants too much memory: {error}")),
        io::ErrorKind::UnexpectedEof => ended(),
        _ => DecodeError::Damaged(error.to_string()),
    }
}
