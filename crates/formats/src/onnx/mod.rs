//! ONNX: graphs, tensors and functions in Protocol Buffers, read whole.
//!
//! There is no signature. A model is told by its version and its graph, which no other format in Protocol Buffers has
//! under these numbers: TensorFlow's begin with messages, Core ML has no field 7.

mod external;
mod function;
mod graph;
mod model;
mod operators;
mod schema;
mod shapes;
mod tensor;
mod text;
mod types;

pub use text::OnnxText;

use crate::child::Role;
use crate::fact::Gap;
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::protobuf::schema::Schema;
use crate::protobuf::{Message, Span, Wire};
use crate::source::Source;

/// Fields looked at to tell a model.
const MAX_PROBED: u32 = 4096;
/// Versions that a model may say it has, for it to be told as one.
const MAX_VERSION: u64 = 10_000;

static META: Meta = Meta {
    id: "onnx",
    title: "ONNX model",
    extensions: &["onnx"],
    depth: Depth::Full,
    reads: "every message and field, graphs within graphs, functions, operators, tensors against their sizes, and the \
            files that hold the numbers",
    specification: "https://github.com/onnx/onnx/blob/main/docs/IR.md",
};

/// A model.
#[derive(Debug)]
pub struct Onnx;

impl Format for Onnx {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        let first = probe.head.first().filter(|_| probe.role == Role::Unknown)?;
        // A tag of a field that a model has.
        let plausible = MODEL_TAGS.contains(first);
        (plausible && is_model(probe.source)).then_some(Certainty::Likely)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        model::read(source, context.budget, facts);
    }
}

/// First bytes of the fields 1 to 8 and 14, with their types.
const MODEL_TAGS: &[u8] = &[0x08, 0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42, 0x72];

/// A version and a graph, or a graph and its sets of operators. What follows them may be anything: that is for the
/// parser to tell.
fn is_model(source: &dyn Source) -> bool {
    let mut message = Message::new(source, Span::whole(source));
    let (mut has_version, mut has_graph, mut has_sets) = (false, false, false);
    for _ in 0..MAX_PROBED {
        let Ok(Some(field)) = message.next() else { break };
        match (field.number, field.wire) {
            (1, Wire::Varint(1..=MAX_VERSION)) => has_version = true,
            (7, Wire::Bytes(span)) => has_graph |= starts_as(source, span, &schema::GRAPH),
            (8, Wire::Bytes(span)) => has_sets |= starts_as(source, span, &schema::OPSET),
            (5, Wire::Varint(_)) => {}
            (1 | 5 | 7 | 8, _) => return false,
            (2..=4 | 6, wire) if !matches!(wire, Wire::Bytes(_)) => return false,
            _ => {}
        }
    }
    has_graph && (has_version || has_sets) || has_version && has_sets
}

/// Whether the first field of a message is one of the schema's; whatever follows may be an attack on parsers.
fn starts_as(source: &dyn Source, span: Span, schema: &Schema) -> bool {
    schema.fits(source, span, 1)
}

static TENSOR_META: Meta = Meta {
    id: "onnx-tensor",
    title: "ONNX tensor",
    extensions: &[],
    depth: Depth::Full,
    reads: "type and shape against the numbers, and the file that holds them",
    specification: "https://github.com/onnx/onnx/blob/main/docs/IR.md",
};

/// A single tensor, or a sequence of them, as test data come.
#[derive(Debug)]
pub struct OnnxTensor;

impl Format for OnnxTensor {
    fn meta(&self) -> &'static Meta {
        &TENSOR_META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        let first = probe.head.first().filter(|_| probe.role == Role::Unknown)?;
        let plausible = matches!(first, 0x08 | 0x0A | 0x10 | 0x42);
        (plausible && tensor::is_alone(probe.source, Span::whole(probe.source))).then_some(Certainty::Likely)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let mut model = model::Model::new(source, context.budget, facts);
        tensor::read(&mut model, Span::whole(source));
        model.finish();
    }
}

/// What a file that only bears the name is.
fn unread(what: &str, facts: &mut Facts) {
    facts.incomplete(0, Gap::Unsupported, format!("{what} is not read"));
}

#[cfg(test)]
mod tests;
