//! Graphs: nodes with their attributes, in which there are tensors and graphs again, and initial values.

use std::collections::BTreeSet;

use crate::carried;
use crate::fact::{Anomaly, FactKind, Gap, Position, ReferenceKind};
use crate::location;
use crate::protobuf::Span;
use crate::protobuf::schema::Shape;

use super::model::{MAX_DEPTH, Model};
use super::operators::{domain, runs_python};
use super::schema::{ATTRIBUTE, GRAPH, NODE};
use super::shapes::Shapes;
use super::tensor;

/// Bytes of the names of initial values, over all open graphs, that are compared.
const MAX_NAMES: usize = 24 << 20;
/// What a name costs besides its own bytes.
const NAME: usize = 64;
/// Bytes of a text in an attribute that is looked at for what it says.
const MAX_SUSPECT: u64 = 64 << 10;

/// Attributes whose text says what an operator reaches.
const TELLING: &[&str] = &["module", "class_name", "func_name", "func", "ep_cache_context", "model_uri"];

/// Reads a graph.
pub(super) fn read(model: &mut Model<'_, '_>, span: Span, depth: u32) {
    let Some(depth) = depth.checked_sub(1) else {
        let detail = format!("graphs lie more than {MAX_DEPTH} deep in each other");
        return model.reader.facts.incomplete(span.offset, Gap::Depth, detail);
    };
    let mut names = BTreeSet::new();
    let mut shapes = Shapes::default();
    let mut fields = model.reader.open(span, &GRAPH);
    while let Some(field) = model.reader.next(&mut fields) {
        let Some(inner) = field.span() else { continue };
        match field.number {
            1 => {
                shapes.node(model.reader.source, inner);
                node(model, inner, depth);
            }
            5 => {
                let name = tensor::read(model, inner);
                shapes.value(model.reader.source, inner, &name);
                unique(&mut names, name, inner.offset, model);
            }
            15 => {
                let name = tensor::read_sparse(model, inner);
                unique(&mut names, name, inner.offset, model);
            }
            10 => model.describe("doc_string", inner),
            16 => model.metadata(inner),
            number => verify(model, number, inner, depth),
        }
    }
    shapes.check(model);
    let held = names.iter().map(|name| name.len().saturating_add(NAME)).sum();
    model.held_names = model.held_names.saturating_sub(held);
}

fn verify(model: &mut Model<'_, '_>, number: u32, span: Span, depth: u32) {
    if let Some((_, entry)) = GRAPH.find(number)
        && let Shape::Message(schema) = entry.shape
    {
        model.reader.verify(span, schema, depth);
    }
}

/// Two initial values of one name: readers differ in which they take.
fn unique(names: &mut BTreeSet<String>, name: String, at: u64, model: &mut Model<'_, '_>) {
    if name.is_empty() {
        return;
    }
    if names.contains(&name) {
        let detail = format!("the graph has two initial values for `{name}`");
        model.reader.facts.anomaly(at, Anomaly::DuplicateName, detail);
    } else if model.held_names < MAX_NAMES {
        model.held_names = model.held_names.saturating_add(name.len()).saturating_add(NAME);
        names.insert(name);
    } else if !model.is_cut {
        model.is_cut = true;
        model.reader.facts.incomplete(at, Gap::Limit, "there are more names of initial values than are compared");
    }
}

/// What a node says of itself.
#[derive(Debug, Default)]
struct Node {
    operator: String,
    set: String,
    /// Texts of attributes that are in [`TELLING`].
    told: Vec<(&'static str, String)>,
    is_embedded: bool,
}

impl Node {
    fn told(&self, wanted: &str) -> Option<&str> {
        self.told.iter().find(|(name, _)| *name == wanted).map(|(_, text)| text.as_str())
    }

    /// The Python that it calls, as the end of "running this model …".
    fn python(&self) -> Option<String> {
        let named = self.told("module").zip(self.told("class_name"));
        if let Some((module, class)) = named {
            return Some(format!("imports the Python module '{module}' and calls '{class}' in it"));
        }
        let function = self.told("func_name").or_else(|| self.told("func"));
        runs_python(&self.operator).then(|| match function {
            Some(function) => format!("calls the Python function '{function}'"),
            None => "calls Python".to_owned(),
        })
    }
}

/// Reads a node.
pub(super) fn node(model: &mut Model<'_, '_>, span: Span, depth: u32) {
    let mut node = Node { is_embedded: true, ..Node::default() };
    let mut fields = model.reader.open(span, &NODE);
    while let Some(field) = model.reader.next(&mut fields) {
        let Some(inner) = field.span() else { continue };
        match field.number {
            4 => node.operator = model.reader.name(inner),
            7 => node.set = domain(&model.reader.name(inner)).to_owned(),
            5 => attribute(model, inner, &mut node, depth),
            6 => model.describe("doc_string", inner),
            9 => drop(super::external::pair(&mut model.reader, inner)),
            10 => verify_placement(model, inner, depth),
            _ => {}
        }
    }
    context(model, &node, span.offset);
    let python = node.python();
    model.functions.calls(&node.set, &node.operator);
    model.operators.add((node.set, node.operator, python), span.offset, model.reader.facts);
}

fn verify_placement(model: &mut Model<'_, '_>, span: Span, depth: u32) {
    if let Some((_, entry)) = NODE.find(10)
        && let Shape::Message(schema) = entry.shape
    {
        model.reader.verify(span, schema, depth);
    }
}

/// A program for an accelerator, in the model or in a file beside it.
fn context(model: &mut Model<'_, '_>, node: &Node, at: u64) {
    if node.operator != "EPContext" {
        return;
    }
    let facts = &mut *model.reader.facts;
    match node.told("ep_cache_context").filter(|_| !node.is_embedded) {
        Some(file) => drop(location::note(file, "a program for an accelerator", at, facts)),
        None => facts.incomplete(at, Gap::Unsupported, "a program for an accelerator is in the model, and is not read"),
    }
}

/// What an attribute is by its type, and what it holds.
#[derive(Debug, Default)]
struct Attribute {
    name: String,
    kind: Option<u64>,
    text: Option<Span>,
    number: Option<u64>,
    held: Vec<(u64, &'static str)>,
}

/// Reads an attribute. Everything in it is followed, whatever its type says.
pub(super) fn attribute_alone(model: &mut Model<'_, '_>, span: Span, depth: u32) {
    attribute(model, span, &mut Node::default(), depth);
}

fn attribute(model: &mut Model<'_, '_>, span: Span, node: &mut Node, depth: u32) {
    let mut read = Attribute::default();
    let mut fields = model.reader.open(span, &ATTRIBUTE);
    while let Some(field) = model.reader.next(&mut fields) {
        match (field.number, field.span()) {
            (3, _) => read.number = field.integer(),
            (20, _) => read.kind = field.integer(),
            (1, Some(inner)) => read.name = model.reader.name(inner),
            (number, Some(inner)) => held(model, number, inner, &mut read, depth),
            _ => {}
        }
    }
    told(model, &read, node);
    suspect(model, &read);
    let kind = read.kind.unwrap_or(0);
    if let Some((_, what)) = read.held.iter().find(|(of, _)| kind != 0 && *of != kind) {
        let detail = format!("attribute `{}` holds {what}, which is not what its type says", read.name);
        model.reader.facts.anomaly(span.offset, Anomaly::HiddenContent, detail);
    }
}

/// A part of an attribute, and the type of an attribute that has such.
fn held(model: &mut Model<'_, '_>, number: u32, span: Span, read: &mut Attribute, depth: u32) {
    let kind = match number {
        4 if span.length > 0 => (3, "a text"),
        5 => (4, "a tensor"),
        6 => (5, "a graph"),
        9 => (8, "texts"),
        10 => (9, "tensors"),
        11 => (10, "graphs"),
        22 => (11, "a sparse tensor"),
        23 => (12, "sparse tensors"),
        _ => (0, ""),
    };
    if kind.0 != 0 && !read.held.contains(&kind) {
        read.held.push(kind);
    }
    match number {
        4 => read.text = Some(span),
        5 | 10 => drop(tensor::read(model, span)),
        6 | 11 => super::graph::read(model, span, depth),
        22 | 23 => drop(tensor::read_sparse(model, span)),
        14 | 15 => {
            if let Some((_, entry)) = ATTRIBUTE.find(number)
                && let Shape::Message(schema) = entry.shape
            {
                model.reader.verify(span, schema, depth);
            }
        }
        _ => {}
    }
}

/// A text of an attribute that is a library to open, or a program.
fn suspect(model: &mut Model<'_, '_>, read: &Attribute) {
    let Some(span) = read.text.filter(|span| (5..MAX_SUSPECT).contains(&span.length)) else { return };
    let text = model.reader.text(span);
    let at = Position::Offset(span.offset);
    let is_path = text.len() < 300 && !text.contains(['\n', ' ']);
    if is_path && [".so", ".dll", ".dylib"].iter().any(|ending| text.ends_with(ending)) {
        let (kind, target) = (ReferenceKind::Library, text);
        return model.reader.facts.push(at, FactKind::Reference { kind, target });
    }
    if let Some(program) = carried::judge(&text, model.reader.budget) {
        let detail = format!("the attribute `{}` holds {program}", read.name);
        model.reader.facts.push(at, FactKind::Anomaly { anomaly: Anomaly::HiddenContent, detail });
    }
}

fn told(model: &Model<'_, '_>, read: &Attribute, node: &mut Node) {
    if read.name == "embed_mode" {
        node.is_embedded = read.number != Some(0);
    }
    let telling = TELLING.iter().find(|name| **name == read.name);
    if let (Some(name), Some(text)) = (telling, read.text)
        && node.told.len() < TELLING.len()
    {
        node.told.push((name, model.reader.name(text)));
    }
}

impl Model<'_, '_> {
    /// A text that describes a part of the model.
    pub(super) fn describe(&mut self, key: &str, span: Span) {
        let value = self.reader.text(span);
        if !value.is_empty() {
            let metadata = FactKind::Metadata { key: key.to_owned(), value };
            self.reader.facts.push(Position::Offset(span.offset), metadata);
        }
    }
}
