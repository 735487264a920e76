//! One subgraph: its tensors against their buffers, its operators against its tensors, and which others it runs.

use std::collections::BTreeMap;

use super::operators::{CALL, CALL_ONCE, IF, WHILE};
use super::{MAX_NAME, Model};
use crate::fact::{Anomaly, FactKind, Gap, Position, Tensor};
use crate::flatbuffers::{Broken, Table, Vector};
use crate::foreign;
use crate::protobuf::Span;

/// Extents of one tensor that are read.
const MAX_DIMENSIONS: u64 = 64;

/// Operators that run subgraphs.
const MAX_CALLS: usize = 1 << 20;

/// Element types by their number, with their size in bits; 0 where elements have none.
const TYPES: &[(&str, u64)] = &[
    ("FLOAT32", 32),
    ("FLOAT16", 16),
    ("INT32", 32),
    ("UINT8", 8),
    ("INT64", 64),
    ("STRING", 0),
    ("BOOL", 8),
    ("INT16", 16),
    ("COMPLEX64", 64),
    ("INT8", 8),
    ("FLOAT64", 64),
    ("COMPLEX128", 128),
    ("UINT64", 64),
    ("RESOURCE", 0),
    ("VARIANT", 0),
    ("UINT32", 32),
    ("UINT16", 16),
    ("INT4", 4),
    ("BFLOAT16", 16),
    ("INT2", 2),
    ("UINT4", 4),
    ("FLOAT8_E4M3FN", 8),
    ("FLOAT8_E5M2", 8),
];

/// What the subgraphs have said of each other.
pub(super) struct Graphs {
    /// How many there are.
    pub(super) count: u64,
    /// Tensors of each that has been read.
    tensors: Vec<u64>,
    /// Which runs which.
    calls: Vec<(u64, u64)>,
}

impl Graphs {
    pub(super) fn new(count: u64) -> Self {
        Self { count, tensors: Vec::new(), calls: Vec::new() }
    }

    pub(super) fn read(&mut self, model: &mut Model<'_, '_>, table: &Table<'_>) -> Result<(), Broken> {
        let tensors = table.vector(0, 4)?;
        let count = tensors.map_or(0, |tensors| tensors.count);
        table.text(4, MAX_NAME)?;
        model.each(tensors, |model, tensor| read_tensor(model, &tensor))?;
        for (field, what) in [(1, "input"), (2, "output")] {
            indices(model, table.vector(field, 4)?, count, false, what)?;
        }
        let this = self.tensors.len() as u64;
        self.tensors.push(count);
        model.each(table.vector(3, 4)?, |model, operator| self.operator(model, &operator, this, count))
    }

    fn operator(
        &mut self,
        model: &mut Model<'_, '_>,
        table: &Table<'_>,
        this: u64,
        tensors: u64,
    ) -> Result<(), Broken> {
        let index = table.u32(0)?.unwrap_or(0);
        // An input that is left out is -1; an output cannot be.
        indices(model, table.vector(1, 4)?, tensors, true, "an operator's input")?;
        indices(model, table.vector(2, 4)?, tensors, false, "an operator's output")?;
        indices(model, table.vector(8, 4)?, tensors, true, "an operator's intermediate")?;
        if let Some(custom) = table.vector(5, 1)? {
            let span = Span { offset: custom.start, length: custom.count };
            foreign::open(model.source, "options", span, true, model.context.budget, model.facts);
        }
        table.vector(7, 1)?;
        model.has_unread_options |= touch_options(table)?;
        let (offset, size) = (table.u64(9)?.unwrap_or(0), table.u64(10)?.unwrap_or(0));
        if offset > 1 {
            let place = model.outside(table, offset, size);
            let span = Span { offset: place.offset, length: place.length };
            foreign::open(model.source, "options", span, true, model.context.budget, model.facts);
        }
        let Some(code) = usize::try_from(index).ok().and_then(|index| model.codes.get_mut(index)) else {
            let detail = format!("an operator is of kind {index}, of which there are {}", model.codes.len());
            model.facts.anomaly(table.offset, Anomaly::OutOfBounds, detail);
            return Ok(());
        };
        code.count = code.count.saturating_add(1);
        let number = code.number;
        self.called(model, table, number, this)
    }

    /// The subgraphs that an operator runs.
    fn called(&mut self, model: &mut Model<'_, '_>, table: &Table<'_>, number: i32, this: u64) -> Result<(), Broken> {
        let fields: &[u16] = match number {
            IF | WHILE => &[0, 1],
            CALL | CALL_ONCE => &[0],
            _ => return Ok(()),
        };
        let Some(options) = table.table(4)? else { return Ok(()) };
        for &field in fields {
            let wanted = options.i32(field)?.unwrap_or(0);
            match u64::try_from(wanted) {
                Ok(wanted) if wanted < self.count && self.calls.len() < MAX_CALLS => self.calls.push((this, wanted)),
                Ok(wanted) if wanted < self.count => {
                    let detail = format!("more than {MAX_CALLS} operators run subgraphs");
                    model.facts.incomplete(table.offset, Gap::Limit, detail);
                }
                _ => {
                    let detail = format!("an operator runs subgraph {wanted} of {}", self.count);
                    model.facts.anomaly(table.offset, Anomaly::OutOfBounds, detail);
                }
            }
        }
        Ok(())
    }

    pub(super) fn signature(&self, model: &mut Model<'_, '_>, table: &Table<'_>) -> Result<(), Broken> {
        let (name, graph) = (table.text(2, MAX_NAME)?, table.u32(4)?.unwrap_or(0));
        let Some(&tensors) = usize::try_from(graph).ok().and_then(|graph| self.tensors.get(graph)) else {
            let detail = format!("signature '{name}' is of subgraph {graph}, which does not exist");
            model.facts.anomaly(table.offset, Anomaly::OutOfBounds, detail);
            return Ok(());
        };
        table.text(3, MAX_NAME)?;
        model.facts.property("signature", name);
        for field in [0, 1] {
            model.each(table.vector(field, 4)?, |model, map| {
                let (name, index) = (map.text(0, MAX_NAME)?, map.u32(1)?.unwrap_or(0));
                if u64::from(index) >= tensors {
                    let detail = format!("'{name}' of a signature is tensor {index} of {tensors}");
                    model.facts.anomaly(map.offset, Anomaly::OutOfBounds, detail);
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Whether a subgraph runs itself, through others or not: those that run no other are taken away until none is left.
    pub(super) fn have_cycle(&mut self) -> bool {
        self.calls.sort_unstable();
        self.calls.dedup();
        let (mut left, mut callers) = (BTreeMap::<u64, u64>::new(), BTreeMap::<u64, Vec<u64>>::new());
        for &(caller, called) in &self.calls {
            let count = left.entry(caller).or_default();
            *count = count.saturating_add(1);
            callers.entry(called).or_default().push(caller);
        }
        let mut done: Vec<u64> = callers.keys().copied().filter(|called| !left.contains_key(called)).collect();
        while let Some(called) = done.pop() {
            for caller in callers.remove(&called).unwrap_or_default() {
                let Some(count) = left.get_mut(&caller) else { continue };
                *count = count.saturating_sub(1);
                if *count == 0 {
                    left.remove(&caller);
                    done.push(caller);
                }
            }
        }
        !left.is_empty()
    }
}

/// Options are read for their place only; those with lists of their own claim these too. Says whether there may be lists
/// that were not followed.
fn touch_options(table: &Table<'_>) -> Result<bool, Broken> {
    const CONCATENATED_EMBEDDINGS: u8 = 3;
    const RESHAPE: u8 = 17;
    const SQUEEZE: u8 = 30;
    /// From here on there are options with names and lists.
    const LATER: u8 = 100;
    if let Some(options) = table.table(4)?
        && matches!(table.u8(3)?, Some(RESHAPE | SQUEEZE))
    {
        options.vector(0, 4)?;
    }
    let kind = table.u8(3)?.unwrap_or(0);
    let has_more = table.table(12)?.is_some();
    Ok(has_more || kind == CONCATENATED_EMBEDDINGS || kind >= LATER)
}

fn indices(
    model: &mut Model<'_, '_>,
    list: Option<Vector<'_>>,
    tensors: u64,
    optional: bool,
    what: &str,
) -> Result<(), Broken> {
    let Some(list) = list else { return Ok(()) };
    if let Err(error) = model.context.budget.operate(list.count.saturating_mul(4)) {
        model.facts.incomplete(list.start, Gap::Limit, error.to_string());
        return Ok(());
    }
    for at in 0..list.count {
        let index = list.i32(at)?;
        let known = u64::try_from(index).is_ok_and(|index| index < tensors);
        if !(known || (optional && index == -1)) {
            let detail = format!("{what} is tensor {index} of {tensors}");
            model.facts.anomaly(list.start, Anomaly::OutOfBounds, detail);
            return Ok(());
        }
    }
    Ok(())
}

fn read_tensor(model: &mut Model<'_, '_>, table: &Table<'_>) -> Result<(), Broken> {
    let name = table.text(3, MAX_NAME)?;
    let (shape, signature) = (table.vector(0, 4)?, table.vector(7, 4)?);
    let Some(shape) = extents(model, table, &name, shape, signature)? else { return Ok(()) };
    let number = table.i8(1)?.unwrap_or(0);
    let kind = usize::try_from(number).ok().and_then(|number| TYPES.get(number)).copied();
    let index = table.u32(2)?.unwrap_or(0);
    touch_quantization(table)?;
    touch_sparsity(model, table)?;
    model.each(table.vector(9, 4)?, |_, variant| variant.vector(0, 4).map(|_| ()))?;
    let Some(place) = usize::try_from(index).ok().and_then(|index| model.buffers.get_mut(index)) else {
        let detail = format!("tensor '{name}' is in buffer {index} of {}", model.buffers.len());
        model.facts.anomaly(table.offset, Anomaly::OutOfBounds, detail);
        return Ok(());
    };
    place.is_used = true;
    let place = *place;
    let Some((dtype, bits)) = kind else {
        let detail = format!("tensor '{name}' is of the unknown type {number}");
        model.facts.anomaly(table.offset, Anomaly::Malformed, detail);
        return Ok(());
    };
    if place.length == 0 {
        return Ok(());
    }
    let bytes = Some(place.length);
    let tensor = Tensor { name, dtype: dtype.to_owned(), shape, bytes };
    if bits > 0 && !table.has(6)? {
        size(model, table, &tensor, bits, place.length);
    }
    model.facts.push(Position::Offset(place.offset), FactKind::Tensor(tensor));
    Ok(())
}

/// The shape; an extent that is not known until the model runs is -1 in the signature, and seldom in the shape too.
fn extents(
    model: &mut Model<'_, '_>,
    table: &Table<'_>,
    name: &str,
    shape: Option<Vector<'_>>,
    signature: Option<Vector<'_>>,
) -> Result<Option<Vec<u64>>, Broken> {
    let rank = shape.map_or(0, |shape| shape.count);
    if rank > MAX_DIMENSIONS || signature.is_some_and(|signature| signature.count > MAX_DIMENSIONS) {
        let detail = format!("tensor '{name}' has {rank} dimensions");
        model.facts.anomaly(table.offset, Anomaly::Malformed, detail);
        return Ok(None);
    }
    let Some(shape) = shape else { return Ok(Some(Vec::new())) };
    let mut extents = Vec::new();
    for index in 0..rank {
        let extent = shape.i32(index)?;
        if extent < -1 {
            let detail = format!("tensor '{name}' has the extent {extent}");
            model.facts.anomaly(table.offset, Anomaly::Malformed, detail);
        }
        extents.push(u64::try_from(extent).unwrap_or(0));
    }
    Ok(Some(extents))
}

fn size(model: &mut Model<'_, '_>, table: &Table<'_>, tensor: &Tensor, bits: u64, stored: u64) {
    let total = tensor.shape.iter().try_fold(bits, |product, &extent| product.checked_mul(extent));
    let Some(needed) = total.map(|bits| bits.div_ceil(8)) else {
        let detail = format!("the size of tensor '{}' overflows 64 bits", tensor.name);
        return model.facts.anomaly(table.offset, Anomaly::AllocationBomb, detail);
    };
    if needed != stored {
        let detail =
            format!("tensor '{}' needs {needed} bytes by type and shape but its buffer has {stored}", tensor.name);
        model.facts.anomaly(table.offset, Anomaly::SizeMismatch, detail);
    }
}

fn touch_quantization(table: &Table<'_>) -> Result<(), Broken> {
    let Some(quantization) = table.table(4)? else { return Ok(()) };
    for (field, width) in [(0, 4), (1, 4), (2, 4), (3, 8)] {
        quantization.vector(field, width)?;
    }
    if let Some(details) = quantization.table(5)?
        && quantization.u8(4)? == Some(1)
    {
        details.vector(0, 1)?;
    }
    Ok(())
}

fn touch_sparsity(model: &mut Model<'_, '_>, table: &Table<'_>) -> Result<(), Broken> {
    let Some(sparsity) = table.table(6)? else { return Ok(()) };
    sparsity.vector(0, 4)?;
    sparsity.vector(1, 4)?;
    model.each(sparsity.vector(2, 4)?, |_, dimension| {
        for (kind, value) in [(2, 3), (4, 5)] {
            let width = match dimension.u8(kind)? {
                Some(1) => 4,
                Some(2) => 2,
                Some(3) => 1,
                _ => continue,
            };
            if let Some(indices) = dimension.table(value)? {
                indices.vector(0, width)?;
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cycles_of_subgraphs_are_found() {
        let cyclic =
            |calls: &[(u64, u64)]| Graphs { count: 9, tensors: Vec::new(), calls: calls.to_vec() }.have_cycle();
        assert!(!cyclic(&[]));
        assert!(!cyclic(&[(0, 1), (0, 2), (1, 2)]));
        assert!(cyclic(&[(0, 0)]));
        assert!(cyclic(&[(0, 1), (1, 2), (2, 1)]));
    }
}
