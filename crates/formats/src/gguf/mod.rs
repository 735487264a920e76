//! GGUF: metadata, tensor descriptions, numbers. The loaders are C++, so every count and offset is verified.

mod legacy;
mod metadata;
mod reader;
mod tensors;
mod types;
mod vocabulary;
mod weights;

pub use legacy::GgmlLegacy;
pub use weights::read_plain;

use crate::fact::{Anomaly, Gap};
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::source::{ReadError, Source, read_up_to};
use reader::Reader;

/// The signature.
/// Versions that there may be one day; there are three, and a number far beyond is none.
const MAX_VERSION: u32 = 16;
const MAGIC: &[u8; 4] = b"GGUF";
/// What tensors are aligned to when the file does not say.
const DEFAULT_ALIGNMENT: u64 = 32;

static META: Meta = Meta {
    id: "gguf",
    title: "GGUF",
    extensions: &["gguf"],
    depth: Depth::Full,
    reads: "metadata, chat templates, every tensor's type, shape and place; padding is zero and no byte is unaccounted for",
    specification: "https://github.com/ggml-org/ggml/blob/master/docs/gguf.md",
};

/// The format.
#[derive(Debug)]
pub struct Gguf;

impl Format for Gguf {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        probe.starts_with(MAGIC).then_some(Certainty::Certain)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        // Named so, but not recognised: some loaders go on.
        if read_up_to(source, 0, MAGIC.len()) != MAGIC {
            facts.anomaly(0, Anomaly::Malformed, "the file does not begin with GGUF");
        }
        let mut reader = Reader::new(source, MAGIC.len() as u64);
        if let Err(error) = read(&mut reader, source, context, facts) {
            failed(&error, reader.position(), facts);
        }
    }
}

/// The file ends, or refuses to be read, in the middle of something.
fn failed(error: &ReadError, offset: u64, facts: &mut Facts) {
    match error {
        ReadError::End => facts.anomaly(offset, Anomaly::OutOfBounds, "the structure goes on after the file's end"),
        ReadError::Refused(reason) => facts.incomplete(offset, Gap::Unreadable, reason.as_str()),
    }
}

/// The counts at the start.
#[derive(Debug, Clone, Copy)]
struct Counts {
    tensors: u64,
    pairs: u64,
}

fn read(
    reader: &mut Reader<'_>,
    source: &dyn Source,
    context: &Context<'_>,
    facts: &mut Facts,
) -> Result<(), ReadError> {
    let Some(counts) = header(reader, facts)? else { return Ok(()) };
    let metadata = metadata::read(reader, counts.pairs, context.budget, facts)?;
    metadata.report(context.budget, facts);
    if metadata.is_broken {
        return Ok(());
    }
    tensors::read(reader, source, counts.tensors, metadata.alignment, context.budget, facts)
}

fn header(reader: &mut Reader<'_>, facts: &mut Facts) -> Result<Option<Counts>, ReadError> {
    let mut version = reader.u32()?;
    if version.trailing_zeros() >= 16 && version != 0 {
        version = version.swap_bytes();
        reader.is_big = true;
        facts.property("byte_order", "big");
    }
    facts.property("version", version.to_string());
    if !(1..=3).contains(&version) {
        if !(1..=MAX_VERSION).contains(&version) {
            facts.anomaly(4, Anomaly::Malformed, format!("there is no version {version} of GGUF"));
        }
        facts.incomplete(4, Gap::Unsupported, format!("version {version} of GGUF is not read here"));
        return Ok(None);
    }
    if reader.is_big && version < 3 {
        facts.anomaly(4, Anomaly::Malformed, format!("version {version} has no big-endian form"));
    }
    reader.is_narrow = version == 1;
    let counts = Counts { tensors: reader.count()?, pairs: reader.count()? };
    // A pair takes at least a key's length, a type and a byte; a tensor its name's length, three numbers and an offset.
    verify(counts.pairs, 9, "metadata pairs", reader, facts);
    verify(counts.tensors, 20, "tensors", reader, facts);
    Ok(Some(counts))
}

/// A count of things that the rest of the file has no room for.
fn verify(count: u64, least: u64, what: &str, reader: &Reader<'_>, facts: &mut Facts) {
    let left = reader.remaining();
    if count.checked_mul(least).is_none_or(|bytes| bytes > left) {
        let detail = format!("the header claims {count} {what}, for which the {left} bytes left have no room");
        facts.anomaly(8, Anomaly::AllocationBomb, detail);
    }
}

#[cfg(test)]
mod tests;
