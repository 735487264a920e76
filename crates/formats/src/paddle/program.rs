//! `ProgramDesc`: blocks of variables and operators.

use crate::child::Role;
use crate::fact::{FactKind, Position, Tensor};
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::protobuf::schema::{Reader, Schema, Shape, Unknown, many, once};
use crate::protobuf::{Message, Span, Wire};
use crate::source::Source;

use super::operators::{Operators, is_registered};

use Shape::{Double, Doubles, Float, Floats, Message as Inner, Number, Numbers, Opaque, Text};

/// Types within types.
const MAX_DEPTH: u32 = 16;
/// Extents of a variable that are read.
const MAX_DIMENSIONS: usize = 64;

static META: Meta = Meta {
    id: "paddle",
    title: "PaddlePaddle program",
    extensions: &["pdmodel"],
    depth: Depth::Full,
    reads: "every message and field of all blocks: variables, operators and their attributes",
    specification: "https://github.com/PaddlePaddle/Paddle/blob/develop/paddle/fluid/framework/framework.proto",
};

static PROGRAM: Schema = Schema {
    name: "ProgramDesc",
    fields: &[
        many(1, "blocks", Inner(&BLOCK)),
        once(3, "op_compatible_map", Opaque),
        once(4, "version", Inner(&VERSION)),
        once(5, "op_version_map", Opaque),
    ],
};
static VERSION: Schema = Schema { name: "Version", fields: &[once(1, "version", Number)] };
static BLOCK: Schema = Schema {
    name: "BlockDesc",
    fields: &[
        once(1, "idx", Number),
        once(2, "parent_idx", Number),
        many(3, "vars", Inner(&VARIABLE)),
        many(4, "ops", Inner(&OPERATOR)),
        once(5, "forward_block_idx", Number),
    ],
};
static OPERATOR: Schema = Schema {
    name: "OpDesc",
    fields: &[
        many(1, "inputs", Inner(&ARGUMENTS)),
        many(2, "outputs", Inner(&ARGUMENTS)),
        once(3, "type", Text),
        many(4, "attrs", Inner(&ATTRIBUTE)),
        once(5, "is_target", Number),
    ],
};
static ARGUMENTS: Schema =
    Schema { name: "OpDesc.Var", fields: &[once(1, "parameter", Text), many(2, "arguments", Text)] };
static ATTRIBUTE: Schema = Schema {
    name: "OpDesc.Attr",
    fields: &[
        once(1, "name", Text),
        once(2, "type", Number),
        once(3, "i", Number),
        once(4, "f", Float),
        once(5, "s", Text),
        many(6, "ints", Numbers),
        many(7, "floats", Floats),
        many(8, "strings", Text),
        once(10, "b", Number),
        many(11, "bools", Numbers),
        once(12, "block_idx", Number),
        once(13, "l", Number),
        many(14, "blocks_idx", Numbers),
        many(15, "longs", Numbers),
        many(16, "float64s", Doubles),
        once(17, "var_name", Text),
        many(18, "vars_name", Text),
        once(19, "float64", Double),
        once(20, "scalar", Opaque),
        many(21, "scalars", Opaque),
    ],
};
static VARIABLE: Schema = Schema {
    name: "VarDesc",
    fields: &[
        once(1, "name", Text),
        once(2, "type", Inner(&TYPE)),
        once(3, "persistable", Number),
        once(4, "need_check_feed", Number),
        once(5, "is_parameter", Number),
        once(6, "stop_gradient", Number),
        many(7, "attrs", Inner(&ATTRIBUTE)),
    ],
};
static TYPE: Schema = Schema {
    name: "VarType",
    fields: &[
        once(1, "type", Number),
        once(2, "selected_rows", Inner(&TENSOR)),
        once(3, "dense_tensor", Inner(&DENSE)),
        once(4, "tensor_array", Inner(&DENSE)),
        once(5, "reader", Opaque),
        once(7, "tuple", Opaque),
        once(8, "string", Opaque),
        once(9, "strings", Opaque),
        once(10, "vocab", Opaque),
        once(11, "sparse_coo", Inner(&TENSOR)),
        once(12, "sparse_csr", Inner(&TENSOR)),
    ],
};
static DENSE: Schema =
    Schema { name: "DenseTensorDesc", fields: &[once(1, "tensor", Inner(&TENSOR)), once(2, "lod_level", Number)] };
pub(super) static TENSOR: Schema =
    Schema { name: "TensorDesc", fields: &[once(1, "data_type", Number), many(2, "dims", Numbers)] };

/// Element types: number, name, bytes.
pub(super) const TYPES: &[(u64, &str, u64)] = &[
    (0, "bool", 1),
    (1, "int16", 2),
    (2, "int32", 4),
    (3, "int64", 8),
    (4, "float16", 2),
    (5, "float32", 4),
    (6, "float64", 8),
    (19, "size_t", 8),
    (20, "uint8", 1),
    (21, "int8", 1),
    (22, "bfloat16", 2),
    (23, "complex64", 8),
    (24, "complex128", 16),
    (32, "float8_e4m3fn", 1),
    (33, "float8_e5m2", 1),
    (36, "uint16", 2),
    (37, "uint32", 4),
    (38, "uint64", 8),
];

/// A program.
#[derive(Debug)]
pub struct PaddleProgram;

impl Format for PaddleProgram {
    fn meta(&self) -> &'static Meta {
        &META
    }

    /// A block begins with its number and its parent's. What begins with a message here in TensorFlow, a node, begins
    /// with a name.
    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        let first = probe.head.first().filter(|_| probe.role == Role::Unknown)?;
        if *first != 0x0A {
            return None;
        }
        let mut message = Message::new(probe.source, Span::whole(probe.source));
        let block = message.next().ok().flatten()?.span()?;
        let mut fields = Message::new(probe.source, block);
        let idx = fields.next().ok().flatten()?;
        let parent = fields.next().ok().flatten()?;
        let fits = idx.number == 1 && idx.integer() == Some(0) && parent.number == 2;
        (fits && matches!(parent.wire, Wire::Varint(_))).then_some(Certainty::Likely)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let mut reader = Reader::new(source, context.budget, facts);
        // The messages here are those of version 3.3; what is added later is told, and is no attack.
        reader.unknown = Unknown::Newer;
        let mut operators = Operators::default();
        let mut fields = reader.open(Span::whole(source), &PROGRAM);
        let mut blocks = 0u64;
        while let Some(field) = reader.next(&mut fields) {
            match (field.number, field.span()) {
                (1, Some(span)) => {
                    blocks = blocks.saturating_add(1);
                    block(&mut reader, span, &mut operators);
                }
                (4, Some(span)) => version(&mut reader, span),
                _ => {}
            }
        }
        reader.facts.property("blocks", blocks.to_string());
        operators.report(reader.facts);
    }
}

fn version(reader: &mut Reader<'_, '_>, span: Span) {
    let mut fields = reader.open(span, &VERSION);
    while let Some(field) = reader.next(&mut fields) {
        if let Some(version) = field.integer() {
            reader.facts.property("version", version.to_string());
        }
    }
}

fn block(reader: &mut Reader<'_, '_>, span: Span, operators: &mut Operators) {
    let mut fields = reader.open(span, &BLOCK);
    while let Some(field) = reader.next(&mut fields) {
        match (field.number, field.span()) {
            (3, Some(span)) => variable(reader, span),
            (4, Some(span)) => operator(reader, span, operators),
            _ => {}
        }
    }
}

fn operator(reader: &mut Reader<'_, '_>, span: Span, operators: &mut Operators) {
    let mut name = String::new();
    let mut fields = reader.open(span, &OPERATOR);
    while let Some(field) = reader.next(&mut fields) {
        match (field.number, field.span()) {
            (3, Some(span)) => name = reader.name(span),
            (4, Some(span)) => reader.verify(span, &ATTRIBUTE, MAX_DEPTH),
            (1 | 2, Some(span)) => reader.verify(span, &ARGUMENTS, MAX_DEPTH),
            _ => {}
        }
    }
    let is_custom = !is_registered(&name);
    operators.add(name, is_custom, span.offset, reader.facts);
}

fn variable(reader: &mut Reader<'_, '_>, span: Span) {
    let (mut name, mut kind, mut is_kept) = (String::new(), None, false);
    let mut fields = reader.open(span, &VARIABLE);
    while let Some(field) = reader.next(&mut fields) {
        match (field.number, field.span()) {
            (1, Some(span)) => name = reader.name(span),
            (2, Some(span)) => {
                reader.verify(span, &TYPE, MAX_DEPTH);
                kind = find(reader.source, span, 3).and_then(|dense| find(reader.source, dense, 1));
            }
            (3, None) => is_kept = field.integer() == Some(1),
            _ => {}
        }
    }
    if let (true, Some(span)) = (is_kept, kind) {
        let (dtype, shape) = describe(reader.source, span);
        let dtype = TYPES.iter().find(|(number, ..)| *number == dtype).map_or("unknown", |(_, name, _)| name);
        let shape = shape.into_iter().map(|extent| u64::try_from(extent).unwrap_or(0)).collect();
        let tensor = Tensor { name, dtype: dtype.to_owned(), shape, bytes: None };
        reader.facts.push(Position::Offset(span.offset), FactKind::Tensor(tensor));
    }
}

/// The first field of that number which has a length.
fn find(source: &dyn Source, span: Span, number: u32) -> Option<Span> {
    let mut message = Message::new(source, span);
    while let Ok(Some(field)) = message.next() {
        if field.number == number {
            return field.span();
        }
    }
    None
}

/// Element type and extents; those that are open are negative.
pub(super) fn describe(source: &dyn Source, span: Span) -> (u64, Vec<i64>) {
    let (mut dtype, mut shape) = (u64::MAX, Vec::new());
    let mut message = Message::new(source, span);
    while let Ok(Some(field)) = message.next() {
        match (field.number, field.wire) {
            (1, Wire::Varint(number)) => dtype = number,
            (2, Wire::Varint(extent)) if shape.len() < MAX_DIMENSIONS => shape.push(extent.cast_signed()),
            (2, Wire::Bytes(span)) => {
                let extents = crate::protobuf::packed(source, span, MAX_DIMENSIONS).unwrap_or_default();
                shape.extend(extents.into_iter().map(u64::cast_signed));
            }
            _ => {}
        }
    }
    (dtype, shape)
}
