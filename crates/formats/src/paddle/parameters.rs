//! The stream of tensors beside a program: for each a version, its levels of detail, a description, and numbers.

use crate::child::{Child, Role};
use crate::cursor::Cursor;
use crate::fact::{Anomaly, FactKind, Gap, Position, Tensor};
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::protobuf::Span;
use crate::source::{ReadError, Source};

use super::program::{TENSOR, TYPES, describe};

/// Levels of detail of one tensor.
const MAX_LEVELS: u64 = 64;
/// Bytes of a description.
const MAX_DESCRIPTION: u32 = 4096;
/// Tensors of one file.
const MAX_TENSORS: u64 = 1 << 20;
/// Bytes in front of a description where there are no levels: three numbers and its length.
const PREFIX: usize = 20;

static META: Meta = Meta {
    id: "paddle-parameters",
    title: "PaddlePaddle parameters",
    extensions: &["pdiparams"],
    depth: Depth::Full,
    reads: "every tensor's type, shape and place; no byte of the file is unaccounted for",
    specification: "https://github.com/PaddlePaddle/Paddle/blob/develop/paddle/fluid/framework/lod_tensor.cc",
};

/// The format.
#[derive(Debug)]
pub struct PaddleParameters;

impl Format for PaddleParameters {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        let head = probe.head.get(..PREFIX).filter(|_| probe.role == Role::Unknown)?;
        // No levels, versions that are zero, a short description that begins with an element type.
        let (zeros, length) = head.split_at_checked(16)?;
        let length = u32::from_le_bytes(length.try_into().ok()?);
        let is_description = probe.head.get(PREFIX) == Some(&0x08);
        let fits = zeros.iter().all(|byte| *byte == 0) && (2..=MAX_DESCRIPTION).contains(&length) && is_description;
        let span = Span { offset: PREFIX as u64, length: length.into() };
        (fits && TENSOR.fits(probe.source, span, 64)).then_some(Certainty::Likely)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let mut cursor = Cursor::new(source, 0);
        for index in 0..MAX_TENSORS {
            let at = cursor.position();
            if at >= source.len() {
                return;
            }
            if let Err(limit) = context.budget.operate(1) {
                return facts.incomplete(at, Gap::Limit, limit.to_string());
            }
            match tensor(&mut cursor, source, index, facts) {
                Ok(true) => {}
                Ok(false) => return rest(at, source, facts),
                Err(ReadError::Refused(reason)) => return facts.incomplete(at, Gap::Unreadable, reason),
                Err(ReadError::End) => {
                    facts.anomaly(at, Anomaly::OutOfBounds, "a tensor goes on after the file's end");
                    return rest(at, source, facts);
                }
            }
        }
        facts.incomplete(cursor.position(), Gap::Limit, format!("more than {MAX_TENSORS} tensors"));
    }
}

/// What is no tensor is an artifact of its own.
fn rest(at: u64, source: &dyn Source, facts: &mut Facts) {
    let length = source.len().saturating_sub(at);
    if at > 0 && length > 0 {
        facts.push(Position::Offset(at), FactKind::Child(Child::stored(format!("rest@{at}"), at, length)));
    }
}

/// Reads one tensor; false when these bytes are none.
fn tensor(cursor: &mut Cursor<'_>, source: &dyn Source, index: u64, facts: &mut Facts) -> Result<bool, ReadError> {
    let at = cursor.position();
    let (version, levels) = (cursor.u32()?, cursor.u64()?);
    if version != 0 || levels > MAX_LEVELS {
        facts.anomaly(at, Anomaly::TrailingBytes, "what stands where a tensor should is none");
        return Ok(false);
    }
    for _ in 0..levels {
        let bytes = cursor.u64()?;
        cursor.skip(bytes)?;
    }
    let (version, length) = (cursor.u32()?, cursor.u32()?);
    if version != 0 || length > MAX_DESCRIPTION {
        facts.anomaly(at, Anomaly::Malformed, "a tensor's description has no version that exists, or is too long");
        return Ok(false);
    }
    let span = Span { offset: cursor.position(), length: length.into() };
    cursor.skip(length.into())?;
    let (dtype, shape) = describe(source, span);
    let Some((_, dtype, size)) = TYPES.iter().find(|(number, ..)| *number == dtype) else {
        facts.anomaly(span.offset, Anomaly::Malformed, "a tensor has no element type that exists");
        return Ok(false);
    };
    let extents: Option<Vec<u64>> = shape.into_iter().map(|extent| u64::try_from(extent).ok()).collect();
    let bytes =
        extents.as_ref().and_then(|shape| shape.iter().try_fold(*size, |size, &extent| size.checked_mul(extent)));
    let (Some(shape), Some(bytes)) = (extents, bytes) else {
        facts.anomaly(span.offset, Anomaly::AllocationBomb, "a tensor has an extent that is negative or overflows");
        return Ok(false);
    };
    cursor.skip(bytes)?;
    let tensor = Tensor { name: index.to_string(), dtype: (*dtype).to_owned(), shape, bytes: Some(bytes) };
    facts.push(Position::Offset(at), FactKind::Tensor(tensor));
    Ok(true)
}
