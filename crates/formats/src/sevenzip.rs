//! 7z archives. The listing and the decoding are sevenz-rust2's; what it may allocate is decided here first.
//!
//! That library bounds every count by the size of the header it read, but neither the size a compressed header expands to
//! nor a dictionary. So [`header`] reads those two numbers from the raw header beforehand.

mod header;

use std::io::{self, Read, Seek, SeekFrom};

use sevenz_rust2::{Archive, ArchiveEntry, BlockDecoder, Password};

use crate::child::{Child, Encoding, Role};
use crate::decode::{DecodeError, feed::Drain, guarded};
use crate::fact::{Anomaly, FactKind, Gap, Position};
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::source::Source;
use crate::zip::names::{self, Seen};

const MAGIC: &[u8] = b"7z\xbc\xaf\x27\x1c";
/// The flag that says: the upper half of the attributes is a Unix mode.
const UNIX_MODE: u32 = 0x8000;
/// Bytes of a solid block passed over for one step of the budget.
const BYTES_PER_STEP: u64 = 256;

/// The format.
#[derive(Debug)]
pub struct SevenZip;

static META: Meta = Meta {
    id: "7z",
    title: "7z archive",
    extensions: &["7z"],
    depth: Depth::Container,
    reads: "The list of entries, and bytes behind the archive's end; entries are decoded when they are copied, LZMA, LZMA2 or bzip2.",
    specification: "https://www.7-zip.org/sdk.html",
};

impl Format for SevenZip {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        probe.starts_with(MAGIC).then_some(Certainty::Certain)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        trailing(source, facts);
        match open(source) {
            Ok(archive) => list(source, &archive, context, facts),
            Err(header::Refusal::Encrypted) => {
                facts.anomaly(0, Anomaly::Encrypted, "the list of entries is encrypted");
                facts.incomplete(0, Gap::Unsupported, "the list of entries cannot be read without a password");
            }
            Err(header::Refusal::Unsupported(detail)) => facts.incomplete(0, Gap::Unsupported, detail),
            Err(header::Refusal::Broken(detail)) => {
                facts.anomaly(0, Anomaly::Malformed, detail.clone());
                facts.incomplete(0, Gap::Unreadable, detail);
            }
        }
    }
}

fn trailing(source: &dyn Source, facts: &mut Facts) {
    let Some(end) = header::end(source).filter(|&end| end < source.len()) else { return };
    let length = source.len().saturating_sub(end);
    facts.anomaly(end, Anomaly::TrailingBytes, format!("{length} bytes after the end of the archive"));
    facts
        .push(Position::Offset(end), FactKind::Child(Child::stored("bytes after the end of the archive", end, length)));
}

fn open(source: &dyn Source) -> Result<Archive, header::Refusal> {
    header::check(source)?;
    let mut reader = Reader { source, position: 0 };
    let read =
        || Archive::read(&mut reader, &Password::empty()).map_err(|error| DecodeError::Damaged(error.to_string()));
    guarded(read).map_err(|error| header::Refusal::Broken(error.to_string()))
}

fn list(source: &dyn Source, archive: &Archive, context: &Context<'_>, facts: &mut Facts) {
    facts.property("members", archive.files.len().to_string());
    let mut seen = Seen::default();
    for (index, entry) in archive.files.iter().enumerate() {
        if let Err(limit) = context.budget.admit(1) {
            return facts.incomplete(0, Gap::Limit, limit.to_string());
        }
        names::check(entry.name(), 0, facts);
        seen.add(entry.name().as_bytes(), 0, facts);
        if let Some(kind) = special(entry) {
            facts.anomaly(0, Anomaly::Link, format!("{} is {kind}", entry.name()));
        }
        if entry.is_directory || !entry.has_stream {
            continue;
        }
        readable(archive, index, entry, facts);
        let encoding = Encoding::SevenZip { index: u32::try_from(index).unwrap_or(u32::MAX) };
        let (name, declared) = (entry.name.clone(), Some(entry.size));
        let child = Child { name, offset: 0, length: source.len(), encoding, declared, role: Role::Unknown };
        facts.push(Position::Whole, FactKind::Child(child));
    }
}

fn special(entry: &ArchiveEntry) -> Option<&'static str> {
    let unix = entry.has_windows_attributes && entry.windows_attributes & UNIX_MODE != 0;
    unix.then(|| names::special(entry.windows_attributes >> 16)).flatten()
}

fn readable(archive: &Archive, index: usize, entry: &ArchiveEntry, facts: &mut Facts) {
    let block = archive.stream_map.file_block_index.get(index).copied().flatten();
    let Some(block) = block.and_then(|block| archive.blocks.get(block)) else { return };
    if block.coders.iter().any(|coder| header::is_encryption(coder.encoder_method_id())) {
        facts.anomaly(0, Anomaly::Encrypted, format!("{} is encrypted", entry.name()));
        facts.incomplete(0, Gap::Unsupported, format!("{} cannot be read without a password", entry.name()));
    }
}

/// Decodes one entry. In a solid block everything before it is decoded too, and paid for as work.
pub(crate) fn decode(source: &dyn Source, index: u32, drain: &mut Drain<'_>) -> Result<(), DecodeError> {
    let archive = open(source).map_err(|refusal| DecodeError::Damaged(refusal.to_string()))?;
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    let block = archive.stream_map.file_block_index.get(index).copied().flatten();
    let Some(block) = block else { return Ok(()) };
    for coder in archive.blocks.get(block).map(|block| block.coders.as_slice()).unwrap_or_default() {
        header::check_coder(coder.encoder_method_id(), coder.properties())
            .map_err(|refusal| DecodeError::Unsupported(refusal.to_string()))?;
    }
    let first = archive.stream_map.block_first_file_index.get(block).copied().unwrap_or(0);
    let (mut reader, password) = (Reader { source, position: 0 }, Password::empty());
    let decoder = BlockDecoder::new(1, block, &archive, &password, &mut reader);
    let (mut at, mut result) = (first, Ok(()));
    let outcome = decoder.for_each_entries(&mut |_, stream| {
        result = if at == index { drain.pull(stream) } else { pass_over(stream, drain) };
        at = at.saturating_add(1);
        Ok(result.is_ok() && at <= index)
    });
    result.and(outcome.map(|_| ()).map_err(|error| DecodeError::Damaged(error.to_string())))
}

fn pass_over(stream: &mut dyn Read, drain: &Drain<'_>) -> Result<(), DecodeError> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => drain.operate((count as u64 / BYTES_PER_STEP).max(1))?,
            Err(error) => return Err(DecodeError::Damaged(error.to_string())),
        }
    }
}

/// A source as the standard library reads files.
struct Reader<'a> {
    source: &'a dyn Source,
    position: u64,
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read_at(self.position, buffer).map_err(io::Error::other)?;
        self.position = self.position.saturating_add(count as u64);
        Ok(count)
    }
}

impl Seek for Reader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => self.source.len().checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests;
