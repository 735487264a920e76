//! Checkpoints: the index of the second version, which says where in the data files each tensor is, and the tables of the
//! first, which hold the tensors themselves.

use std::collections::BTreeSet;

use super::dtype::{self, STRING, Shape};
use super::node::{MAX_NAME, bytes_fields};
use super::table::{self, Entry, FOOTER, MAGIC};
use crate::fact::{Anomaly, FactKind, Gap, Position, ReferenceKind, Tensor};
use crate::facts::{Facts, shorten};
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::protobuf::{Broken, Message, Span, Wire};
use crate::source::Source;

/// Data files that are named.
const MAX_SHARDS: u64 = 10_000;
/// Places of tensors that are compared with each other.
const MAX_PLACES: usize = 1 << 20;
/// Tensors of one checkpoint of the first version.
const MAX_TENSORS: usize = 1 << 18;
/// Gaps between tensors up to this length are alignment.
const MAX_GAP: u64 = 4096;

static META: Meta = Meta {
    id: "tensorflow-checkpoint",
    title: "TensorFlow checkpoint",
    extensions: &["ckpt"],
    depth: Depth::Full,
    reads: "every entry of the table, its checksums; type, shape, place and size of every tensor, which neither overlap nor \
            leave holes",
    specification: "https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/protobuf/tensor_bundle.proto",
};

/// The format.
#[derive(Debug)]
pub struct TensorflowCheckpoint;

impl Format for TensorflowCheckpoint {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        let is_table = probe.source.len() >= FOOTER && probe.tail.ends_with(&MAGIC.to_le_bytes());
        is_table.then_some(Certainty::Certain)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let mut checkpoint = Checkpoint::default();
        table::read(source, context.budget, facts, &mut |entry, facts| checkpoint.entry(entry, facts));
        checkpoint.conclude(context.name, facts);
    }
}

/// Which table this is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Version {
    /// No entry has been read.
    #[default]
    Unknown,
    /// The tensors are in the table.
    First,
    /// The tensors are in data files.
    Second,
    /// A table of something else.
    Other,
}

#[derive(Debug, Default)]
struct Checkpoint {
    version: Version,
    shards: u64,
    last: Option<Vec<u8>>,
    /// Data file, first byte and end of each tensor.
    places: Vec<(u64, u64, u64)>,
    names: BTreeSet<String>,
}

impl Checkpoint {
    fn entry(&mut self, entry: &Entry<'_>, facts: &mut Facts) {
        self.order(entry, facts);
        let outcome = match self.version {
            Version::Unknown => self.header(entry, facts),
            Version::First => self.slice(entry, facts),
            Version::Second => self.tensor(entry, facts),
            Version::Other => Ok(()),
        };
        if let Err(error) = outcome {
            facts.anomaly(entry.offset, Anomaly::Malformed, error.to_string());
        }
    }

    /// Keys are sorted, so that readers can search: one that is not is seen by some and not by others.
    fn order(&mut self, entry: &Entry<'_>, facts: &mut Facts) {
        match self.last.as_deref().map(|last| last.cmp(entry.key)) {
            Some(std::cmp::Ordering::Equal) => {
                let detail = format!("two entries '{}'", readable(entry.key));
                facts.anomaly(entry.offset, Anomaly::DuplicateName, detail);
            }
            Some(std::cmp::Ordering::Greater) => {
                let detail = format!("the entry '{}' is not in order", readable(entry.key));
                facts.anomaly(entry.offset, Anomaly::Malformed, detail);
            }
            _ => {}
        }
        self.last = Some(entry.key.to_vec());
    }

    fn header(&mut self, entry: &Entry<'_>, facts: &mut Facts) -> Result<(), Broken> {
        if !entry.key.is_empty() {
            self.version = Version::Other;
            facts.incomplete(entry.offset, Gap::Unsupported, "a table of LevelDB that is no checkpoint of TensorFlow");
            return Ok(());
        }
        let mut message = Message::new(entry.source, entry.value);
        self.version = Version::Second;
        while let Some(field) = message.next()? {
            match (field.number, field.wire) {
                (1, Wire::Varint(shards)) => self.shards = shards,
                (1, Wire::Bytes(meta)) => {
                    self.version = Version::First;
                    self.first(entry, meta, facts)?;
                }
                (2, Wire::Varint(1)) => facts.property("byte_order", "big"),
                _ => {}
            }
        }
        let version = if self.version == Version::First { "1" } else { "2" };
        facts.property("version", version);
        Ok(())
    }

    /// `SavedTensorSliceMeta`: name, shape and type of every tensor.
    fn first(&mut self, entry: &Entry<'_>, meta: Span, facts: &mut Facts) -> Result<(), Broken> {
        let mut message = Message::new(entry.source, meta);
        while let Some(field) = message.next()? {
            let (1, Some(span)) = (field.number, field.span()) else { continue };
            let (mut name, mut shape, mut dtype) = (String::new(), Shape::default(), 0);
            let mut tensor = Message::new(entry.source, span);
            while let Some(field) = tensor.next()? {
                match (field.number, field.wire) {
                    (1, Wire::Bytes(text)) => name = text.text(entry.source, MAX_NAME),
                    (2, Wire::Bytes(span)) => shape = Shape::read(entry.source, span)?,
                    (3, Wire::Varint(value)) => dtype = value,
                    _ => {}
                }
            }
            if self.names.len() < MAX_TENSORS && !self.names.insert(name.clone()) {
                facts.anomaly(entry.offset, Anomaly::DuplicateName, format!("two tensors '{name}'"));
            }
            describe(&name, dtype, &shape, None, entry.offset, facts);
        }
        Ok(())
    }

    /// `SavedTensorSlices` with data: a part of a tensor that was described before.
    fn slice(&mut self, entry: &Entry<'_>, facts: &mut Facts) -> Result<(), Broken> {
        let Some(data) = bytes_fields(entry.source, entry.value, 2)?.pop() else { return Ok(()) };
        let name = bytes_fields(entry.source, data, 1)?.pop().map(|name| name.text(entry.source, MAX_NAME));
        if let Some(name) = name.filter(|name| self.names.len() < MAX_TENSORS && !self.names.contains(name)) {
            let detail = format!("numbers of a tensor '{name}' that the checkpoint does not list");
            facts.anomaly(entry.offset, Anomaly::HiddenContent, detail);
        }
        Ok(())
    }

    /// `BundleEntryProto`: where a tensor, or a slice of one, is.
    fn tensor(&mut self, entry: &Entry<'_>, facts: &mut Facts) -> Result<(), Broken> {
        let (mut dtype, mut shape, mut is_sliced) = (0, Shape::default(), false);
        let (mut shard, mut offset, mut size) = (0, 0, 0);
        let mut message = Message::new(entry.source, entry.value);
        while let Some(field) = message.next()? {
            match (field.number, field.wire) {
                (1, Wire::Varint(value)) => dtype = value,
                (2, Wire::Bytes(span)) => shape = Shape::read(entry.source, span)?,
                (3, Wire::Varint(value)) => shard = value,
                (4, Wire::Varint(value)) => offset = value,
                (5, Wire::Varint(value)) => size = value,
                (7, Wire::Bytes(_)) => is_sliced = true,
                _ => {}
            }
        }
        let name = readable(entry.key);
        let is_slice = entry.key.first() == Some(&0);
        let whole = shape.elements().zip(dtype::bytes(dtype)).and_then(|(elements, bytes)| elements.checked_mul(bytes));
        if !is_slice {
            let bytes = if is_sliced { whole } else { Some(size) };
            describe(&name, dtype, &shape, bytes, entry.offset, facts);
        }
        if is_sliced {
            return Ok(());
        }
        self.place(&name, (shard, offset, size), entry.offset, facts);
        verify(&name, dtype, &shape, size, entry.offset, facts);
        Ok(())
    }

    fn place(&mut self, name: &str, (shard, offset, size): (u64, u64, u64), at: u64, facts: &mut Facts) {
        let end = offset.checked_add(size).filter(|end| i64::try_from(*end).is_ok());
        let Some(end) = end.filter(|_| shard < self.shards) else {
            let detail = format!("'{name}' is at {offset} of data file {shard}, of {}", self.shards);
            return facts.anomaly(at, Anomaly::OutOfBounds, detail);
        };
        if self.places.len() < MAX_PLACES {
            self.places.push((shard, offset, end));
        } else if self.places.len() == MAX_PLACES {
            self.places.push((shard, offset, end));
            facts.incomplete(at, Gap::Limit, format!("more than {MAX_PLACES} tensors"));
        }
    }

    fn conclude(mut self, name: &str, facts: &mut Facts) {
        match self.version {
            Version::Unknown => facts.anomaly(0, Anomaly::Malformed, "the checkpoint has no header"),
            Version::Second => {
                self.layout(facts);
                self.references(name, facts);
            }
            _ => {}
        }
    }

    /// Tensors follow each other in the data files.
    fn layout(&mut self, facts: &mut Facts) {
        self.places.sort_unstable();
        let mut at = (0, 0);
        for (shard, offset, end) in &self.places {
            let before = if at.0 == *shard { at.1 } else { 0 };
            if *offset < before && offset < end {
                facts.anomaly(0, Anomaly::Overlap, format!("two tensors share bytes at {offset} of data file {shard}"));
            } else if offset.saturating_sub(before) > MAX_GAP {
                let detail = format!("no tensor accounts for the bytes {before} to {offset} of data file {shard}");
                facts.anomaly(0, Anomaly::Hole, detail);
            }
            at = (*shard, before.max(*end));
        }
    }

    fn references(&self, name: &str, facts: &mut Facts) {
        facts.property("data_files", self.shards.to_string());
        if self.shards > MAX_SHARDS {
            let detail = format!("the header claims {} data files", self.shards);
            return facts.anomaly(0, Anomaly::Malformed, detail);
        }
        let file = name.rsplit(['/', '\\']).next().unwrap_or_default();
        let Some(prefix) = file.strip_suffix(".index") else { return };
        for shard in 0..self.shards {
            let target = format!("{prefix}.data-{shard:05}-of-{:05}", self.shards);
            facts.push(Position::Whole, FactKind::Reference { kind: ReferenceKind::File, target });
        }
    }
}

fn describe(name: &str, dtype: u64, shape: &Shape, bytes: Option<u64>, offset: u64, facts: &mut Facts) {
    let (Some(dtype), Some(extents), Some(_)) = (dtype::name(dtype), shape.known(), shape.elements()) else {
        let detail =
            format!("'{name}' has the element type {dtype} and the shape {}, which no tensor has", shape.text());
        return facts.anomaly(offset, Anomaly::Malformed, detail);
    };
    let tensor = Tensor { name: name.to_owned(), dtype: dtype.to_owned(), shape: extents, bytes };
    facts.push(Position::Offset(offset), FactKind::Tensor(tensor));
}

fn verify(name: &str, dtype: u64, shape: &Shape, size: u64, offset: u64, facts: &mut Facts) {
    let Some(elements) = shape.elements() else { return };
    let shown = shape.text();
    match dtype::bytes(dtype).map(|bytes| elements.checked_mul(bytes)) {
        Some(whole) if whole != Some(size) => {
            let detail = format!("'{name}' has {size} bytes for the shape {shown}");
            facts.anomaly(offset, Anomaly::SizeMismatch, detail);
        }
        // Each text takes at least the byte that says how long it is; room for all is made first.
        None if dtype == STRING && elements > size => {
            let detail = format!("'{name}' claims {elements} texts in {size} bytes");
            facts.anomaly(offset, Anomaly::AllocationBomb, detail);
        }
        _ => {}
    }
}

/// A key as people know it: keys of slices begin with a zero and end with numbers.
fn readable(key: &[u8]) -> String {
    let name = key.strip_prefix(&[0]).unwrap_or(key);
    let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
    shorten(String::from_utf8_lossy(name).into_owned(), MAX_NAME)
}
