//! Caffe: a network with its layers and their numbers.

use std::collections::BTreeMap;

use crate::child::Role;
use crate::fact::{Anomaly, Effect, FactKind, Gap, Operator, Position, Tensor};
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::protobuf::schema::{Reader, Schema, Shape, Unknown, many, once};
use crate::protobuf::{Message, Span, Wire, packed};
use crate::source::Source;

use Shape::{Doubles, Floats, Message as Inner, Number, Numbers, Opaque, Text};

/// Different kinds of layers.
const MAX_KINDS: usize = 4096;
/// Extents of one array.
const MAX_DIMENSIONS: usize = 32;

static META: Meta = Meta {
    id: "caffe",
    title: "Caffe model",
    extensions: &["caffemodel"],
    depth: Depth::Full,
    reads: "layers, what they reach, and the sizes of their arrays; parameters of layers are not looked at",
    specification: "https://github.com/BVLC/caffe/blob/master/src/caffe/proto/caffe.proto",
};

static NETWORK: Schema = Schema {
    name: "NetParameter",
    fields: &[
        once(1, "name", Text),
        many(2, "layers", Inner(&OLD_LAYER)),
        many(3, "input", Text),
        many(4, "input_dim", Numbers),
        once(5, "force_backward", Number),
        once(6, "state", Opaque),
        once(7, "debug_info", Number),
        many(8, "input_shape", Opaque),
        many(100, "layer", Inner(&LAYER)),
    ],
};

/// Builds of Caffe have layers of their own with parameters of their own.
static LAYER: Schema = Schema {
    name: "LayerParameter",
    fields: &[
        once(1, "name", Text),
        once(2, "type", Text),
        many(7, "blobs", Inner(&BLOB)),
        once(130, "python_param", Inner(&PYTHON)),
    ],
};

static OLD_LAYER: Schema = Schema {
    name: "V1LayerParameter",
    fields: &[once(4, "name", Text), once(5, "type", Number), many(6, "blobs", Inner(&BLOB))],
};

static PYTHON: Schema = Schema {
    name: "PythonParameter",
    fields: &[once(1, "module", Text), once(2, "layer", Text), once(3, "param_str", Text)],
};

static BLOB: Schema = Schema {
    name: "BlobProto",
    fields: &[
        once(1, "num", Number),
        once(2, "channels", Number),
        once(3, "height", Number),
        once(4, "width", Number),
        many(5, "data", Floats),
        many(6, "diff", Floats),
        once(7, "shape", Opaque),
        many(8, "double_data", Doubles),
        many(9, "double_diff", Doubles),
    ],
};

/// The format.
#[derive(Debug)]
pub struct Caffe;

impl Format for Caffe {
    fn meta(&self) -> &'static Meta {
        &META
    }

    /// Layers in field 100, which nothing else has; or the older ones in field 2, with a name and a number for a type.
    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        let first = probe.head.first().filter(|_| probe.role == Role::Unknown)?;
        let plausible = matches!(first, 0x0A | 0x12 | 0x1A | 0xA2);
        let mut message = Message::new(probe.source, Span::whole(probe.source));
        for _ in 0..if plausible { 64 } else { 0 } {
            let field = message.next().ok().flatten()?;
            let (_, entry) = NETWORK.find(field.number)?;
            if !entry.shape.fits(field.wire) {
                return None;
            }
            match (field.number, field.span()) {
                (100, Some(span)) => return is_layer(probe.source, span, 2).then_some(Certainty::Likely),
                (2, Some(span)) => return is_layer(probe.source, span, 4).then_some(Certainty::Likely),
                _ => {}
            }
        }
        None
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let mut reader = Reader::new(source, context.budget, facts);
        let mut kinds = BTreeMap::new();
        let mut fields = reader.open(Span::whole(source), &NETWORK);
        while let Some(field) = reader.next(&mut fields) {
            match (field.number, field.span()) {
                (1, Some(span)) => {
                    let name = reader.name(span);
                    reader.facts.property("name", name);
                }
                (2, Some(span)) => layer(&mut reader, span, &OLD_LAYER, &mut kinds),
                (100, Some(span)) => layer(&mut reader, span, &LAYER, &mut kinds),
                _ => {}
            }
        }
        report(kinds, reader.facts);
    }
}

/// Whether a message has a text where its layer has its type, or its name.
fn is_layer(source: &dyn Source, span: Span, wanted: u32) -> bool {
    let mut message = Message::new(source, span);
    let (mut has_text, mut has_type) = (false, wanted == 2);
    while let Ok(Some(field)) = message.next() {
        has_text |= field.number == wanted && field.span().is_some_and(|span| span.length < 256);
        has_type |= field.number == 5 && matches!(field.wire, Wire::Varint(..=100));
    }
    has_text && has_type && message.position() == span.end()
}

type Kinds = BTreeMap<(String, Option<String>), (u64, u64)>;

fn layer(reader: &mut Reader<'_, '_>, span: Span, schema: &'static Schema, kinds: &mut Kinds) {
    let (mut name, mut kind, mut python) = (String::new(), String::new(), None);
    let is_old = schema.find(4).is_some();
    reader.unknown = Unknown::Passed;
    let mut fields = reader.open(span, schema);
    while let Some(field) = reader.next(&mut fields) {
        match (field.number, field.span()) {
            (1 | 4, Some(span)) => name = reader.name(span),
            (2, Some(span)) => kind = reader.name(span),
            (5, None) => kind = format!("layer {}", field.integer().unwrap_or(0)),
            (6 | 7, Some(span)) => blob(reader, span, &name),
            (130, Some(span)) if !is_old => python = Some(called(reader, span)),
            _ => {}
        }
    }
    reader.unknown = Unknown::Hidden;
    if kind == "Python" && python.is_none() {
        python = Some("runs a layer written in Python".to_owned());
    }
    let key = (kind, python);
    if kinds.len() < MAX_KINDS || kinds.contains_key(&key) {
        let (_, count) = kinds.entry(key).or_insert((span.offset, 0));
        *count = count.saturating_add(1);
    } else {
        let detail = format!("more than {MAX_KINDS} different layers");
        reader.facts.incomplete(span.offset, Gap::Limit, detail);
    }
}

/// The module that a layer imports, and the class it takes from it.
fn called(reader: &mut Reader<'_, '_>, span: Span) -> String {
    let (mut module, mut class) = (String::new(), String::new());
    let mut fields = reader.open(span, &PYTHON);
    while let Some(field) = reader.next(&mut fields) {
        match (field.number, field.span()) {
            (1, Some(span)) => module = reader.name(span),
            (2, Some(span)) => class = reader.name(span),
            _ => {}
        }
    }
    format!("imports the Python module '{module}' and calls '{class}' in it")
}

/// An array: there must be as many numbers as its shape says.
fn blob(reader: &mut Reader<'_, '_>, span: Span, layer: &str) {
    let mut shape = Vec::new();
    let (mut numbers, mut size) = (0u64, 4u64);
    let mut fields = reader.open(span, &BLOB);
    while let Some(field) = reader.next(&mut fields) {
        match (field.number, field.span()) {
            (1..=4, None) => shape.push(field.integer().unwrap_or(0)),
            (5, data) => numbers = numbers.saturating_add(data.map_or(1, |data| data.length / 4)),
            (8, data) => (numbers, size) = (numbers.saturating_add(data.map_or(1, |data| data.length / 8)), 8),
            (7, Some(inner)) => shape = extents(reader.source, inner),
            _ => {}
        }
    }
    let wanted = shape.iter().try_fold(1u64, |product, &extent| product.checked_mul(extent));
    if numbers > 0 && wanted != Some(numbers) {
        let detail = format!("an array of layer `{layer}` has {numbers} numbers, and its shape says otherwise");
        reader.facts.anomaly(span.offset, Anomaly::SizeMismatch, detail);
    }
    let dtype = if size == 8 { "float64" } else { "float32" };
    let bytes = numbers.checked_mul(size);
    let tensor = Tensor { name: layer.to_owned(), dtype: dtype.to_owned(), shape, bytes };
    reader.facts.push(Position::Offset(span.offset), FactKind::Tensor(tensor));
}

fn extents(source: &dyn Source, span: Span) -> Vec<u64> {
    let mut message = Message::new(source, span);
    let mut shape = Vec::new();
    while let Ok(Some(field)) = message.next() {
        match (field.number, field.wire) {
            (1, Wire::Varint(extent)) if shape.len() < MAX_DIMENSIONS => shape.push(extent),
            (1, Wire::Bytes(span)) => shape.extend(packed(source, span, MAX_DIMENSIONS).unwrap_or_default()),
            _ => {}
        }
    }
    shape
}

fn report(kinds: Kinds, facts: &mut Facts) {
    for ((name, python), (at, count)) in kinds {
        let effect = match (python, name.as_str()) {
            (Some(what), _) => Effect::Reaches { what: what.into(), critical: true },
            (None, "HDF5Output") => Effect::Reaches { what: "writes files".into(), critical: true },
            (None, _) => Effect::Computes,
        };
        let operator = Operator { name, domain: String::new(), effect, count };
        facts.push(Position::Offset(at), FactKind::Operator(operator));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{inspect, mutate, oddities};
    use waag_testkit::assemble::bytes;

    const GOOD: &str =
        "1 = \"net\"\n100 {\n1 = \"ip\"\n2 = \"InnerProduct\"\n7 {\n5 = hex 0000000000000000\n7 {\n1 = hex 02\n}\n}\n}";

    fn read(text: &str) -> Facts {
        let (_, bytes) = bytes("protobuf", text).unwrap();
        assert!(Caffe.recognise(&Probe::new(&bytes, "x", Role::Unknown)).is_some());
        inspect(&Caffe, "x.caffemodel", &bytes)
    }

    #[test]
    fn layers_and_arrays_are_read() {
        let facts = read(GOOD);
        assert!(oddities(&facts).is_empty(), "{:?}", oddities(&facts));
        assert_eq!(facts.totals().parameters, 2);
    }

    #[test]
    fn layers_in_python_are_told() {
        let facts = read("100 {\n1 = \"p\"\n2 = \"Python\"\n130 {\n1 = \"os\"\n2 = \"system\"\n}\n}");
        let reaches = |kind: &FactKind| {
            matches!(kind, FactKind::Operator(operator)
                if matches!(operator.effect, Effect::Reaches { critical: true, .. }))
        };
        assert!(facts.list().iter().any(|fact| reaches(&fact.kind)));
    }

    #[test]
    fn arrays_that_contradict_their_shape_are_told() {
        assert_eq!(oddities(&read(&GOOD.replace("hex 02", "hex 03"))).len(), 1);
    }

    #[test]
    fn no_mutation_panics() {
        let (_, seed) = bytes("protobuf", GOOD).unwrap();
        mutate(&seed, 1000, |bytes| drop(inspect(&Caffe, "", &bytes)));
    }
}
