//! HDF5: superblock, object headers, groups, attributes and datasets, in all forms that its libraries write.
//! Specification: HDF5 File Format Specification, version 3.0.

mod arrays;
mod attribute;
mod btree;
mod checksum;
mod chunk_arrays;
mod chunked;
mod dataset;
mod datatype;
mod dialect;
mod fields;
mod file;
mod fractal;
mod header;
mod heap;
mod layout;
mod links;
mod superblock;
mod walk;

pub use arrays::read_plain;
pub use chunked::{Chunked, Run};

use crate::child::{Child, Role};
use crate::fact::{Anomaly, FactKind, Gap, Position};
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::source::{Source, read_up_to};
use file::File;
use header::kind;
use superblock::Superblock;

/// Bytes of a block in front of the content that are looked at together.
const CHUNK: usize = 4096;
/// The start of the block that MATLAB writes in front of the content.
const MATLAB: &[&[u8]] = &[b"MATLAB 7.3 MAT-file", b"MATLAB 7.0 MAT-file"];
/// How long that block is.
const MATLAB_BLOCK: u64 = 512;

static META: Meta = Meta {
    id: "hdf5",
    title: "HDF5",
    extensions: &["h5", "hdf5", "hdf", "he5", "h5ad"],
    depth: Depth::Full,
    reads: "every object header, group, attribute, type, shape and place of storage; other files named; \
            configurations and pickles in attributes",
    specification: "HDF5 File Format Specification, version 3.0",
};

/// The format.
#[derive(Debug)]
pub struct Hdf5;

impl Format for Hdf5 {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        if probe.starts_with(superblock::SIGNATURE) {
            return Some(Certainty::Certain);
        }
        if probe.role == Role::Numbers {
            return None;
        }
        superblock::find(probe.source).map(|_| Certainty::Certain)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let Some(start) = superblock::find(source) else {
            return facts.anomaly(0, Anomaly::Malformed, "there is no superblock");
        };
        user_block(source, start, facts);
        let superblock = match superblock::read(source, start) {
            Ok(superblock) => superblock,
            Err(detail) => return facts.incomplete(start, Gap::Unsupported, detail),
        };
        facts.property("version", format!("superblock {}", superblock.version));
        if !superblock.checksum_ok {
            facts.anomaly(start, Anomaly::ChecksumMismatch, "the checksum of the superblock is wrong");
        }
        let file = File { source, base: start, sizes: superblock.sizes, budget: context.budget };
        end(source, &superblock, facts);
        driver(&file, &superblock, facts);
        match superblock.root {
            Some(root) => walk::Walk::new(&file, facts).run(root),
            None => facts.anomaly(start, Anomaly::Malformed, "there is no root group"),
        }
    }
}

/// What stands in front of the superblock, which readers skip: MATLAB's own header, zeros, or something to look at.
fn user_block(source: &dyn Source, start: u64, facts: &mut Facts) {
    if start == 0 {
        return;
    }
    let head = read_up_to(source, 0, 64);
    if start == MATLAB_BLOCK && MATLAB.iter().any(|known| head.starts_with(known)) {
        return facts.property("user_block", "MATLAB 7");
    }
    if is_zero(source, start) {
        return;
    }
    facts.anomaly(0, Anomaly::HiddenContent, format!("{start} bytes in front of the superblock, which readers skip"));
    facts.push(Position::Offset(0), FactKind::Child(Child::stored("user block", 0, start)));
}

fn is_zero(source: &dyn Source, length: u64) -> bool {
    let mut at = 0u64;
    while at < length {
        let chunk = read_up_to(source, at, CHUNK.min(usize::try_from(length.saturating_sub(at)).unwrap_or(CHUNK)));
        if chunk.is_empty() || chunk.iter().any(|byte| *byte != 0) {
            return false;
        }
        at = at.saturating_add(chunk.len() as u64);
    }
    true
}

/// The superblock says where the file ends.
fn end(source: &dyn Source, superblock: &Superblock, facts: &mut Facts) {
    let (end, length) = (superblock.end, source.len());
    if end > length {
        let detail = format!("the superblock says the file ends at {end}, and it has {length} bytes");
        return facts.anomaly(superblock.start, Anomaly::OutOfBounds, detail);
    }
    let rest = length.saturating_sub(end);
    if rest > 0 {
        facts.anomaly(end, Anomaly::TrailingBytes, format!("{rest} bytes follow the end that the superblock names"));
        let child = Child::stored(format!("bytes at {end:#x}"), end, rest);
        facts.push(Position::Offset(end), FactKind::Child(child));
    }
}

/// Drivers that spread one file over several.
fn driver(file: &File<'_>, superblock: &Superblock, facts: &mut Facts) {
    let block = superblock.driver.map(|address| file.start(address, 16));
    let old = block.is_some_and(|block| block.get(8..12).is_some_and(is_spread));
    let messages = superblock.extension.map(|address| header::read(file, address, facts)).unwrap_or_default();
    let new =
        messages.iter().any(|message| message.kind == kind::DRIVER && message.body.get(1..5).is_some_and(is_spread));
    if old || new {
        facts.anomaly(superblock.start, Anomaly::ExternalData, "the file is one of several that are read together");
    }
    if messages.iter().any(|message| message.kind == kind::SHARED_TABLE) {
        let detail = "messages are shared in a table that is not read here";
        facts.incomplete(superblock.start, Gap::Unsupported, detail);
    }
}

fn is_spread(driver: &[u8]) -> bool {
    matches!(driver, b"NCSA")
}

#[cfg(test)]
mod tests;
