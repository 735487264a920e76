//! The tensors of a GGUF file whose elements are plain numbers.

use super::metadata;
use super::reader::Reader;
use super::types;
use super::{MAGIC, header};
use crate::budget::Budget;
use crate::facts::Facts;
use crate::protobuf::Span;
use crate::source::{Source, read_up_to};
use crate::weights::{Catalogue, Dtype, Entry, LeftOut, MAX_TENSORS, Problem, Storage, View, row_major, shown};

/// The loader's limits.
const MAX_DIMENSIONS: u32 = 4;
const MAX_NAME: usize = 4096;

/// Reads the descriptions of all tensors. Extents are given outermost first, as everywhere but in GGUF.
///
/// # Errors
/// When the file breaks the format, or a tensor is quantised.
pub fn read_plain(source: &dyn Source, budget: &Budget) -> Result<Catalogue, Problem> {
    if read_up_to(source, 0, MAGIC.len()) != MAGIC {
        return Err(Problem::broken("the file does not begin with GGUF"));
    }
    let (mut reader, mut facts) = (Reader::new(source, MAGIC.len() as u64), Facts::new());
    let Some(counts) = header(&mut reader, &mut facts)? else {
        return Err(Problem::unsupported("this version of GGUF is not read here"));
    };
    if counts.tensors > MAX_TENSORS as u64 {
        return Err(Problem::unsupported(format!("more than {MAX_TENSORS} tensors")));
    }
    let metadata = metadata::read(&mut reader, counts.pairs, budget, &mut facts)?;
    if metadata.is_broken || metadata.alignment == 0 {
        return Err(Problem::broken("the metadata cannot be read to their end"));
    }
    let mut catalogue = Catalogue::default();
    for _ in 0..counts.tensors {
        budget.operate(1)?;
        let entry = tensor(&mut reader)?;
        catalogue.tensors.push(entry);
    }
    let start = reader.position().checked_next_multiple_of(metadata.alignment).unwrap_or(u64::MAX);
    let data = Span { offset: start.min(source.len()), length: source.len().saturating_sub(start) };
    catalogue.storages.push(Storage::Range(data));
    if counts.pairs > 0 {
        catalogue.left_out.push(LeftOut { name: "metadata".into(), what: format!("{} entries", counts.pairs) });
    }
    Ok(catalogue)
}

/// One description.
fn tensor(reader: &mut Reader<'_>) -> Result<Entry, Problem> {
    let text = reader.text(MAX_NAME)?;
    if text.is_cut() || !text.is_utf8() {
        return Err(Problem::broken("a tensor's name is too long, or not UTF-8"));
    }
    let name = text.to_text();
    let dimensions = reader.u32()?;
    if dimensions > MAX_DIMENSIONS {
        return Err(Problem::broken(format!("tensor '{}' has {dimensions} dimensions", shown(&name))));
    }
    let mut shape = (0..dimensions).map(|_| reader.count()).collect::<Result<Vec<u64>, _>>()?;
    shape.reverse();
    let (kind, offset) = (reader.u32()?, reader.u64()?);
    let dtype = dtype(kind).map_err(|why| Problem::unsupported(format!("tensor '{}' is of {why}", shown(&name))))?;
    let view = View { storage: 0, offset, strides: row_major(&shape), is_swapped: reader.is_big };
    Ok(Entry { name, dtype, shape, view })
}

fn dtype(kind: u32) -> Result<Dtype, String> {
    match types::element(kind).map(|element| element.0) {
        Some("F32") => Ok(Dtype::F32),
        Some("F16") => Ok(Dtype::F16),
        Some("BF16") => Ok(Dtype::Bf16),
        Some("F64") => Ok(Dtype::F64),
        Some("I8") => Ok(Dtype::I8),
        Some("I16") => Ok(Dtype::I16),
        Some("I32") => Ok(Dtype::I32),
        Some("I64") => Ok(Dtype::I64),
        Some(name) => {
            Err(format!("{name}: blocks of quantised numbers, which are no plain tensor without being changed"))
        }
        None => Err(format!("type {kind}, which is not known here")),
    }
}
