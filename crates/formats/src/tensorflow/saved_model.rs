//! SavedModel, MetaGraph and GraphDef: three messages, each within the one before.

use super::dtype::{Shape, name as dtype_name};
use super::graph::{Graph, is_elsewhere};
use super::node::{MAX_NAME, bytes_fields, pair};
use super::objects;
use crate::budget::Budget;
use crate::child::Child;
use crate::fact::{Anomaly, FactKind, Gap, Position, ReferenceKind};
use crate::facts::{Facts, MAX_TEXT, shorten};
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::payload::is_payload;
use crate::pickle;
use crate::protobuf::{Broken, Field, Message, Span, Wire};
use crate::source::Source;

/// Fields that are looked at to tell a message.
const MAX_LOOKED_AT: usize = 256;
/// The only version of SavedModel there is.
const SCHEMA_VERSION: u64 = 1;
/// Unknown fields of fewer bytes are a newer version's settings.
const LEAST_UNKNOWN: u64 = 64;
/// Tensors of one signature that are listed.
const MAX_SIGNATURE: usize = 64;

static META: Meta = Meta {
    id: "tensorflow-graph",
    title: "TensorFlow SavedModel, MetaGraph or GraphDef",
    extensions: &["pb"],
    depth: Depth::Full,
    reads: "every operator of the graph and of its functions, where the files they name come from, constants, signatures, \
            assets and the metadata of Keras layers",
    specification: "https://www.tensorflow.org/guide/saved_model",
};

/// The format.
#[derive(Debug)]
pub struct TensorflowGraph;

impl Format for TensorflowGraph {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        // A tag of one of the messages' own fields: almost everything else is told from this without a look around.
        let first = *probe.head.first()?;
        if !matches!(first, 0x08 | 0x0A | 0x12 | 0x1A | 0x22 | 0x2A | 0x32 | 0x3A)
            || probe.role != crate::child::Role::Unknown
        {
            return None;
        }
        root(probe.source, probe.name).map(|_| Certainty::Likely)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let Some(root) = root(source, context.name) else {
            pickle::search(source, 0, context.budget, facts);
            return facts.incomplete(0, Gap::Unsupported, "this is no graph of TensorFlow");
        };
        inspect_root(root, source, context.budget, &|offset| Position::Offset(offset), true, facts);
    }
}

/// Which message a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Root {
    /// `SavedModel`
    SavedModel,
    /// `MetaGraphDef`
    MetaGraph,
    /// `GraphDef`
    Graph,
}

/// Reads a message as what it is. `place` tells where bytes lie; `verifies` is false when constants were left out.
pub(super) fn inspect_root(
    root: Root,
    source: &dyn Source,
    budget: &Budget,
    place: super::graph::Place<'_>,
    verifies: bool,
    facts: &mut Facts,
) {
    let whole = Span::whole(source);
    let reader = Reader { source, budget, place, verifies };
    let outcome = match root {
        Root::SavedModel => reader.saved_model(whole, facts),
        Root::MetaGraph => {
            facts.property("kind", "MetaGraph");
            reader.meta_graph(whole, facts)
        }
        Root::Graph => reader.graph(whole, facts),
    };
    if let Err(error) = outcome {
        failed(&error, facts);
    }
}

/// The bytes are no message of this kind.
pub(super) fn failed(error: &Broken, facts: &mut Facts) {
    match error {
        Broken::Read(crate::source::ReadError::Refused(reason)) => {
            facts.incomplete(0, Gap::Unreadable, reason.as_str())
        }
        other => facts.anomaly(0, Anomaly::Malformed, other.to_string()),
    }
}

/// Tells the message. The name decides where a loader goes by it; else the structure does.
fn root(source: &dyn Source, name: &str) -> Option<Root> {
    let file = name.rsplit(['/', '\\']).next().unwrap_or_default();
    if file == "saved_model.pb" {
        return Some(Root::SavedModel);
    }
    let fields = fields(source, Span::whole(source));
    let all = |allowed: fn(&Field) -> bool| !fields.is_empty() && fields.iter().all(allowed);
    let messages = |number: u32| fields.iter().filter(move |field| field.number == number).filter_map(Field::span);
    if all(is_graph_field)
        && (messages(1).any(|node| is_node(source, node)) || messages(2).any(|library| is_library(source, library)))
    {
        return Some(Root::Graph);
    }
    if all(|field| (1..=7).contains(&field.number) && field.span().is_some())
        && messages(2).any(|graph| is_graph(source, graph))
    {
        return Some(Root::MetaGraph);
    }
    let is_model = all(|field| matches!((field.number, field.wire), (1, Wire::Varint(_)) | (2, Wire::Bytes(_))));
    let holds_graph =
        |meta: Span| bytes_fields(source, meta, 2).unwrap_or_default().iter().any(|graph| is_graph(source, *graph));
    (is_model && messages(2).any(holds_graph)).then_some(Root::SavedModel)
}

/// The first fields of a message; none when these are no fields.
fn fields(source: &dyn Source, span: Span) -> Vec<Field> {
    let mut message = Message::new(source, span);
    let mut fields = Vec::new();
    while fields.len() < MAX_LOOKED_AT {
        match message.next() {
            Ok(Some(field)) => fields.push(field),
            Ok(None) => break,
            // A file that was cut is still what it was.
            Err(_) => break,
        }
    }
    fields
}

fn is_graph_field(field: &Field) -> bool {
    matches!((field.number, field.wire), (1 | 2 | 4 | 5, Wire::Bytes(_)) | (3, Wire::Varint(_)))
}

/// Whether a range is a `GraphDef`.
pub(super) fn is_graph(source: &dyn Source, span: Span) -> bool {
    let fields = fields(source, span);
    let has = |number: u32, test: fn(&dyn Source, Span) -> bool| {
        fields.iter().any(|field| field.number == number && field.span().is_some_and(|span| test(source, span)))
    };
    fields.iter().all(is_graph_field) && (has(1, is_node) || has(2, is_library))
}

fn is_node(source: &dyn Source, span: Span) -> bool {
    let fields = fields(source, span);
    let operator = fields.iter().find(|field| field.number == 2).and_then(Field::span);
    let is_name = |text: &[u8]| text.first().is_some_and(u8::is_ascii_alphabetic) || text.first() == Some(&b'_');
    let is_operator = |span: Span| {
        let text = span.bytes(source, MAX_NAME);
        is_name(&text) && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_>.-/".contains(byte))
    };
    fields.iter().all(|field| (1..=7).contains(&field.number) && field.span().is_some())
        && operator.is_some_and(is_operator)
}

fn is_library(source: &dyn Source, span: Span) -> bool {
    let functions = bytes_fields(source, span, 1).unwrap_or_default();
    let nodes = |function: &Span| bytes_fields(source, *function, 3).unwrap_or_default();
    functions.iter().any(|function| nodes(function).iter().any(|node| is_node(source, *node)))
}

struct Reader<'a> {
    source: &'a dyn Source,
    budget: &'a Budget,
    place: super::graph::Place<'a>,
    verifies: bool,
}

impl Reader<'_> {
    fn saved_model(&self, span: Span, facts: &mut Facts) -> Result<(), Broken> {
        let (mut version, mut graphs) = (0, 0u64);
        let mut message = Message::new(self.source, span);
        facts.property("kind", "SavedModel");
        while let Some(field) = message.next()? {
            match (field.number, field.wire) {
                (1, Wire::Varint(value)) => version = value,
                (2, Wire::Bytes(meta_graph)) => {
                    graphs = graphs.saturating_add(1);
                    self.meta_graph(meta_graph, facts)?;
                }
                _ => unknown(&field, facts),
            }
            if !self.pay(&field, facts) {
                return Ok(());
            }
        }
        facts.property("version", version.to_string());
        facts.property("meta_graphs", graphs.to_string());
        if version != SCHEMA_VERSION && self.verifies {
            facts.incomplete(0, Gap::Unsupported, format!("version {version} of SavedModel is not read here"));
        }
        Ok(())
    }

    fn pay(&self, field: &Field, facts: &mut Facts) -> bool {
        let paid = self.budget.operate(1);
        if let Err(limit) = &paid {
            facts.incomplete(field.offset, Gap::Limit, limit.to_string());
        }
        paid.is_ok()
    }

    fn graph(&self, span: Span, facts: &mut Facts) -> Result<(), Broken> {
        facts.property("kind", "GraphDef");
        let mut graph = self.new_graph();
        let outcome = graph.read(span, facts);
        graph.conclude(self.place, facts);
        outcome
    }

    fn new_graph(&self) -> Graph<'_> {
        let mut graph = Graph::new(self.source, self.budget);
        graph.verifies = self.verifies;
        graph
    }

    fn meta_graph(&self, span: Span, facts: &mut Facts) -> Result<(), Broken> {
        let mut graph = self.new_graph();
        let outcome = self.meta_graph_fields(span, &mut graph, facts);
        // What was read until something broke counts too.
        graph.conclude(self.place, facts);
        outcome
    }

    fn meta_graph_fields(&self, span: Span, graph: &mut Graph<'_>, facts: &mut Facts) -> Result<(), Broken> {
        let mut message = Message::new(self.source, span);
        while let Some(field) = message.next()? {
            match (field.number, field.wire) {
                (1, Wire::Bytes(information)) => self.information(information, facts)?,
                (2, Wire::Bytes(part)) => graph.read(part, facts)?,
                (3, Wire::Bytes(_)) => {}
                (4, Wire::Bytes(collection)) => self.collection(collection, facts)?,
                (5, Wire::Bytes(signature)) => self.signature(signature, facts)?,
                (6, Wire::Bytes(asset)) => self.asset(asset, graph, facts)?,
                (7, Wire::Bytes(part)) => objects::read(self.source, part, self.budget, facts)?,
                _ => unknown(&field, facts),
            }
            if !self.pay(&field, facts) {
                break;
            }
        }
        Ok(())
    }

    fn information(&self, span: Span, facts: &mut Facts) -> Result<(), Broken> {
        let mut message = Message::new(self.source, span);
        while let Some(field) = message.next()? {
            let Some(text) = field.span() else { continue };
            match field.number {
                4 => facts.property("tags", text.text(self.source, MAX_NAME)),
                5 => facts.property("tensorflow_version", text.text(self.source, MAX_NAME)),
                _ => {}
            }
            if !self.pay(&field, facts) {
                break;
            }
        }
        Ok(())
    }

    /// Lists by name: of variables, mostly. Their contents are read by whoever knows the name.
    fn collection(&self, span: Span, facts: &mut Facts) -> Result<(), Broken> {
        let (key, value) = pair(self.source, span)?;
        let kinds = ["nodes", "bytes", "integers", "numbers", "messages"];
        let value_span = value;
        let mut message = value.map(|value| Message::new(self.source, value));
        let number = message.as_mut().map(|message| message.next()).transpose()?.flatten().map(|field| field.number);
        let index = number.and_then(|number| usize::try_from(number.saturating_sub(1)).ok());
        let value = index.and_then(|index| kinds.get(index)).copied().unwrap_or("nothing").to_owned();
        self.entries(&key, value_span, facts)?;
        let key = format!("collection {}", shorten(key, MAX_NAME));
        facts.push(Position::Offset(span.offset), FactKind::Metadata { key, value });
        Ok(())
    }

    /// What the entries of a collection hold: files of other kinds are opened.
    fn entries(&self, key: &str, value: Option<Span>, facts: &mut Facts) -> Result<(), Broken> {
        let Some(value) = value else { return Ok(()) };
        let mut lists = Message::new(self.source, value);
        while let Some(list) = lists.next()? {
            let Some(span) = list.span().filter(|_| matches!(list.number, 2 | 5)) else { continue };
            let mut entries = Message::new(self.source, span);
            while let Some(entry) = entries.next()? {
                if !self.pay(&entry, facts) {
                    return Ok(());
                }
                let Some(span) = entry.span() else { continue };
                // An entry of a list of messages says its type first.
                let inner = if list.number == 5 { bytes_fields(self.source, span, 2)? } else { vec![span] };
                for span in inner.iter().filter(|span| is_payload(self.source, span.offset, span.length, true)) {
                    let name = format!("collection {}", shorten(key.to_owned(), 200));
                    let child = Child::stored(name, span.offset, span.length);
                    facts.push(Position::Offset(span.offset), FactKind::Child(child));
                }
            }
        }
        Ok(())
    }

    /// Name, inputs and outputs of an entrance to the graph.
    fn signature(&self, span: Span, facts: &mut Facts) -> Result<(), Broken> {
        let (key, Some(definition)) = pair(self.source, span)? else { return Ok(()) };
        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        let mut message = Message::new(self.source, definition);
        while let Some(field) = message.next()? {
            let (Some(entry), false) = (field.span(), inputs.len().max(outputs.len()) >= MAX_SIGNATURE) else {
                continue;
            };
            match field.number {
                1 => inputs.push(self.tensor(entry)?),
                2 => outputs.push(self.tensor(entry)?),
                _ => {}
            }
        }
        inputs.sort();
        outputs.sort();
        let key = format!("signature {}", shorten(key, MAX_NAME));
        let value = shorten(format!("({}) → ({})", inputs.join(", "), outputs.join(", ")), MAX_TEXT);
        facts.push(Position::Offset(span.offset), FactKind::Metadata { key, value });
        Ok(())
    }

    fn tensor(&self, entry: Span) -> Result<String, Broken> {
        let (key, Some(information)) = pair(self.source, entry)? else { return Ok(String::new()) };
        let (mut dtype, mut shape) = (0, Shape::default());
        let mut message = Message::new(self.source, information);
        while let Some(field) = message.next()? {
            match (field.number, field.wire) {
                (2, Wire::Varint(value)) => dtype = value,
                (3, Wire::Bytes(span)) => shape = Shape::read(self.source, span)?,
                _ => {}
            }
        }
        Ok(format!("{}: {} {}", shorten(key, 200), dtype_name(dtype).unwrap_or("?"), shape.text()))
    }

    /// A file of the model, and the constant that its path is put into.
    fn asset(&self, span: Span, graph: &mut Graph<'_>, facts: &mut Facts) -> Result<(), Broken> {
        let file = bytes_fields(self.source, span, 2)?.pop().map(|name| name.text(self.source, MAX_NAME));
        let Some(file) = file.filter(|file| !file.is_empty()) else { return Ok(()) };
        for information in bytes_fields(self.source, span, 1)? {
            for name in bytes_fields(self.source, information, 1)? {
                let name = name.text(self.source, MAX_NAME);
                graph.assets.insert(name.split(':').next().unwrap_or_default().to_owned());
            }
        }
        if is_elsewhere(&file) {
            let detail = format!("the asset '{}' is outside the model's folder", shorten(file, MAX_NAME));
            facts.push((self.place)(span.offset), FactKind::Anomaly { anomaly: Anomaly::PathTraversal, detail });
        } else {
            let target = format!("assets/{file}");
            facts.push((self.place)(span.offset), FactKind::Reference { kind: ReferenceKind::File, target });
        }
        Ok(())
    }
}

/// A field that no version known here has: its bytes are opened for what they are.
fn unknown(field: &Field, facts: &mut Facts) {
    if let Some(span) = field.span().filter(|span| span.length >= LEAST_UNKNOWN) {
        let child = Child::stored(format!("unknown field {}", field.number), span.offset, span.length);
        facts.push(Position::Offset(span.offset), FactKind::Child(child));
    }
}
