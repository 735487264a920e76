//! A model: its versions, what it says of itself, its graphs, and the functions it defines.

use std::collections::BTreeMap;

use crate::budget::Budget;
use crate::fact::{Anomaly, FactKind, Gap, Position};
use crate::facts::Facts;
use crate::protobuf::schema::{Reader, Shape, Unknown};
use crate::protobuf::{Message, Span};
use crate::source::Source;

use super::external::{Files, pair};
use super::function::{self, Functions};
use super::graph;
use super::operators::{Operators, domain};
use super::schema::{MODEL, NEWEST, OPSET, TRAINING};

/// Graphs within graphs. Readers stop at messages a hundred deep, which is a third of that in graphs.
pub(super) const MAX_DEPTH: u32 = 40;
/// Pairs of metadata whose keys are compared.
const MAX_KEYS: usize = 10_000;

/// A model as far as it was read.
#[derive(Debug)]
pub(super) struct Model<'a, 'f> {
    pub(super) reader: Reader<'a, 'f>,
    pub(super) operators: Operators,
    pub(super) files: Files,
    pub(super) functions: Functions,
    /// What the names of the initial values of open graphs take.
    pub(super) held_names: usize,
    /// Whether it was said that not all names are compared.
    pub(super) is_cut: bool,
    keys: BTreeMap<String, String>,
}

impl<'a, 'f> Model<'a, 'f> {
    pub(super) fn new(source: &'a dyn Source, budget: &'a Budget, facts: &'f mut Facts) -> Self {
        Self {
            reader: Reader::new(source, budget, facts),
            operators: Operators::default(),
            files: Files::default(),
            functions: Functions::default(),
            held_names: 0,
            is_cut: false,
            keys: BTreeMap::new(),
        }
    }

    /// A key and a value of metadata.
    pub(super) fn metadata(&mut self, span: Span) {
        let (key, value) = pair(&mut self.reader, span);
        self.reader.facts.push(Position::Offset(span.offset), FactKind::Metadata { key, value });
    }

    /// What was gathered over the whole model.
    pub(super) fn finish(self) {
        let facts = self.reader.facts;
        self.functions.check(facts);
        self.operators.report(&self.functions.names(), facts);
        self.files.compare(facts);
    }

    /// Metadata of the model itself: one key with two values is two models.
    fn unique_metadata(&mut self, span: Span) {
        let (key, value) = pair(&mut self.reader, span);
        let before = self.keys.get(&key).is_some_and(|before| *before != value);
        if before {
            let detail = format!("the metadata have `{key}` twice, with different values");
            self.reader.facts.anomaly(span.offset, Anomaly::DuplicateName, detail);
        } else if self.keys.len() < MAX_KEYS {
            self.keys.insert(key.clone(), value.clone());
        }
        self.reader.facts.push(Position::Offset(span.offset), FactKind::Metadata { key, value });
    }
}

/// Reads a model.
pub(super) fn read(source: &dyn Source, budget: &Budget, facts: &mut Facts) {
    let whole = Span::whole(source);
    let mut model = Model::new(source, budget, facts);
    version(&mut model.reader, whole);
    let (mut sets, mut has_graph) = (BTreeMap::new(), false);
    let mut fields = model.reader.open(whole, &MODEL);
    while let Some(field) = model.reader.next(&mut fields) {
        let Some(span) = field.span() else { continue };
        match field.number {
            2 => property(&mut model.reader, "producer", span),
            3 => property(&mut model.reader, "producer_version", span),
            4 => property(&mut model.reader, "domain", span),
            6 => description(&mut model.reader, span),
            7 => {
                has_graph = true;
                graph::read(&mut model, span, MAX_DEPTH);
            }
            8 => opset(&mut model.reader, span, &mut sets),
            14 => model.unique_metadata(span),
            20 => training(&mut model, span),
            25 => function::read(&mut model, span),
            _ => nested(&mut model.reader, &field, span),
        }
    }
    if !has_graph {
        model.reader.facts.anomaly(0, Anomaly::Malformed, "the model has no graph");
    }
    report_sets(&sets, model.reader.facts);
    model.finish();
}

/// A message that is only verified.
fn nested(reader: &mut Reader<'_, '_>, field: &crate::protobuf::Field, span: Span) {
    if let Some((_, entry)) = MODEL.find(field.number)
        && let Shape::Message(schema) = entry.shape
    {
        reader.verify(span, schema, MAX_DEPTH);
    }
}

/// The version stands anywhere, and decides what an unknown field is.
fn version(reader: &mut Reader<'_, '_>, whole: Span) {
    let mut message = Message::new(reader.source, whole);
    let mut version = None;
    while let Ok(Some(field)) = message.next() {
        if !reader.pay(field.offset) {
            return;
        }
        if field.number == 1 {
            version = field.integer();
        }
    }
    match version {
        Some(version @ 1..=NEWEST) => reader.facts.property("version", version.to_string()),
        Some(version) if i32::try_from(version).is_ok() && version > 0 => {
            reader.unknown = Unknown::Newer;
            let detail = format!("version {version} of the format is newer than {NEWEST}, which is read here");
            reader.facts.incomplete(0, Gap::Unsupported, detail);
        }
        Some(version) => reader.facts.anomaly(0, Anomaly::Malformed, format!("there is no version {version}")),
        None => reader.facts.anomaly(0, Anomaly::Malformed, "the model does not say its version"),
    }
}

fn property(reader: &mut Reader<'_, '_>, name: &'static str, span: Span) {
    let text = reader.text(span);
    if !text.is_empty() {
        reader.facts.property(name, text);
    }
}

fn description(reader: &mut Reader<'_, '_>, span: Span) {
    let value = reader.text(span);
    if !value.is_empty() {
        let key = "doc_string".to_owned();
        reader.facts.push(Position::Offset(span.offset), FactKind::Metadata { key, value });
    }
}

/// A set of operators: which version of it the model is written for.
pub(super) fn opset(reader: &mut Reader<'_, '_>, span: Span, sets: &mut BTreeMap<String, u64>) {
    let (mut name, mut version) = (String::new(), 0);
    let mut fields = reader.open(span, &OPSET);
    while let Some(field) = reader.next(&mut fields) {
        match field.number {
            1 => name = field.span().map(|span| reader.name(span)).unwrap_or_default(),
            _ => version = field.integer().unwrap_or(0),
        }
    }
    let name = domain(&name).to_owned();
    match sets.get(&name) {
        Some(before) if *before != version => {
            let detail = format!("operators of `{name}` are to be those of version {before} and of {version}");
            reader.facts.anomaly(span.offset, Anomaly::ReaderDisagreement, detail);
        }
        _ if sets.len() < MAX_KEYS => drop(sets.insert(name, version)),
        _ => {}
    }
}

fn report_sets(sets: &BTreeMap<String, u64>, facts: &mut Facts) {
    let named = |(name, version): (&String, &u64)| {
        if name.is_empty() { format!("ai.onnx {version}") } else { format!("{name} {version}") }
    };
    let list: Vec<String> = sets.iter().take(50).map(named).collect();
    if !list.is_empty() {
        facts.property("operator_sets", list.join(", "));
    }
}

fn training(model: &mut Model<'_, '_>, span: Span) {
    let mut fields = model.reader.open(span, &TRAINING);
    while let Some(field) = model.reader.next(&mut fields) {
        match (field.number, field.span()) {
            (1 | 2, Some(graph)) => graph::read(model, graph, MAX_DEPTH),
            (_, Some(binding)) => model.metadata(binding),
            _ => {}
        }
    }
}
