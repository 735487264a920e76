//! Core ML: a model of one of many kinds, pipelines of models, neural networks, and programs.

mod manifest;
mod names;
mod network;
mod numbers;
mod program;
mod weights;

pub use manifest::CoreMlManifest;
pub use weights::CoreMlWeights;

use std::collections::BTreeMap;

use crate::budget::Budget;
use crate::child::Role;
use crate::fact::{Anomaly, Effect, FactKind, Gap, Operator, Position, ReferenceKind};
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::location;
use crate::protobuf::schema::Reader;
use crate::protobuf::{Field, Message, Span, Wire};
use crate::source::Source;

use names::{KINDS, name};

/// Models, networks and blocks within each other.
const MAX_DEPTH: u32 = 32;
/// Different operators.
const MAX_OPERATORS: usize = 4096;
/// Fields looked at to tell a model.
const MAX_PROBED: u32 = 256;
/// The newest version whose messages are known here.
const NEWEST: u64 = 10;

static META: Meta = Meta {
    id: "coreml",
    title: "Core ML model",
    extensions: &["mlmodel"],
    depth: Depth::Full,
    reads: "the kind, pipelines, layers and operators, classes of custom code, linked models and files of weights; \
            the numbers within the model are not looked at",
    specification: "https://apple.github.io/coremltools/mlmodel/index.html",
};

/// A model.
#[derive(Debug)]
pub struct CoreMl;

impl Format for CoreMl {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        let first = probe.head.first().filter(|_| probe.role == Role::Unknown)?;
        (matches!(first, 0x08 | 0x12) && is_model(probe.source)).then_some(Certainty::Likely)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let mut model = Model::new(source, context.budget, facts);
        model.read(Span::whole(source), MAX_DEPTH);
        model.report();
    }
}

/// A version, and one of the kinds of models, whose numbers begin at 200.
fn is_model(source: &dyn Source) -> bool {
    let mut message = Message::new(source, Span::whole(source));
    let (mut has_version, mut has_kind) = (false, false);
    for _ in 0..MAX_PROBED {
        let Ok(Some(field)) = message.next() else { break };
        match (field.number, field.wire) {
            (1, Wire::Varint(1..=100)) => has_version = true,
            (2, Wire::Bytes(_)) | (10, Wire::Varint(_)) => {}
            (number, Wire::Bytes(_)) if name(KINDS, number).is_some() => has_kind = true,
            (1..=199, _) => return false,
            _ => {}
        }
    }
    has_version && has_kind
}

/// A model as far as it was read.
#[derive(Debug)]
struct Model<'a, 'f> {
    reader: Reader<'a, 'f>,
    operators: BTreeMap<(String, String), (u64, u64, bool)>,
    files: Vec<String>,
}

impl<'a, 'f> Model<'a, 'f> {
    fn new(source: &'a dyn Source, budget: &'a Budget, facts: &'f mut Facts) -> Self {
        Self { reader: Reader::new(source, budget, facts), operators: BTreeMap::new(), files: Vec::new() }
    }

    /// The next field of a message whose other fields are nobody's business here.
    fn next(&mut self, message: &mut Message<'a>) -> Option<Field> {
        let at = message.position();
        if !self.reader.pay(at) {
            return None;
        }
        match message.next() {
            Ok(field) => field,
            Err(error) => {
                let detail = format!("a message cannot be read on: {error}");
                self.reader.facts.anomaly(at, Anomaly::Malformed, detail);
                None
            }
        }
    }

    fn open(&self, span: Span) -> Message<'a> {
        Message::new(self.reader.source, span)
    }

    /// Calls back for every field with a length, until the message ends.
    fn each(&mut self, span: Span, mut visit: impl FnMut(&mut Self, u32, Span)) {
        let mut message = self.open(span);
        while let Some(field) = self.next(&mut message) {
            if let Some(inner) = field.span() {
                visit(self, field.number, inner);
            }
        }
    }

    /// The first text of that number.
    fn text(&mut self, span: Span, number: u32) -> Option<String> {
        let mut found = None;
        self.each(span, |model, at, inner| {
            if at == number && found.is_none() {
                found = Some(model.reader.name(inner));
            }
        });
        found
    }

    /// Whether there is room to go deeper; says so where there is none.
    fn deeper(&mut self, depth: u32, at: u64) -> Option<u32> {
        if depth == 0 {
            let detail = format!("models lie more than {MAX_DEPTH} deep in each other");
            self.reader.facts.incomplete(at, Gap::Depth, detail);
        }
        depth.checked_sub(1)
    }

    fn read(&mut self, span: Span, depth: u32) {
        let Some(depth) = self.deeper(depth, span.offset) else { return };
        let mut kinds = 0u32;
        let mut message = self.open(span);
        while let Some(field) = self.next(&mut message) {
            match (field.number, field.span()) {
                (1, None) => self.version(&field),
                (2, Some(description)) => self.description(description),
                (10, None) => {}
                (number, Some(inner)) if name(KINDS, number).is_some() => {
                    kinds = kinds.saturating_add(1);
                    self.kind(number, inner, depth);
                }
                (number, _) => self.stray(number, &field),
            }
        }
        if kinds > 1 {
            let detail = format!("one model is of {kinds} kinds at once, and readers differ in which they take");
            self.reader.facts.anomaly(span.offset, Anomaly::ReaderDisagreement, detail);
        }
    }

    fn version(&mut self, field: &Field) {
        let version = field.integer().unwrap_or(0);
        self.reader.facts.property("version", version.to_string());
        if version > NEWEST {
            let detail = format!("version {version} is newer than {NEWEST}, which is read here");
            self.reader.facts.incomplete(field.offset, Gap::Unsupported, detail);
        }
    }

    fn stray(&mut self, number: u32, field: &Field) {
        let detail = format!("field {number} of a model is of no kind that is known here");
        self.reader.facts.incomplete(field.offset, Gap::Unsupported, detail);
        if let Some(span) = field.span().filter(|span| span.length >= 16) {
            self.reader.child(format!("field {number}@{}", span.offset), span);
        }
    }

    fn kind(&mut self, number: u32, span: Span, depth: u32) {
        self.reader.facts.property("kind", name(KINDS, number).unwrap_or_default());
        match number {
            200 | 201 => self.each(span, |model, at, inner| {
                if at == 1 {
                    model.pipeline(inner, depth);
                }
            }),
            202 => self.pipeline(span, depth),
            303 | 403 | 500 => network::read(self, span, depth),
            502 => program::read(self, span, depth),
            555 => {
                let class = self.text(span, 10).unwrap_or_default();
                self.operator(class, "customModel", true, span.offset);
            }
            556 => self.linked(span),
            3000 => {
                let detail = "a model in another format's bytes is not read";
                self.reader.facts.incomplete(span.offset, Gap::Unsupported, detail);
                self.each(span, |model, at, inner| {
                    if at == 2 {
                        model.reader.child(format!("model@{}", inner.offset), inner);
                    }
                });
            }
            _ => {}
        }
    }

    fn pipeline(&mut self, span: Span, depth: u32) {
        self.each(span, |model, number, inner| {
            if number == 1 {
                model.read(inner, depth);
            }
        });
    }

    /// A model in another file, by its name and the folders it is looked for in.
    fn linked(&mut self, span: Span) {
        self.each(span, |model, number, file| {
            if number == 1 {
                model.each(file, |model, number, parameter| {
                    let Some(text) = model.text(parameter, 1) else { return };
                    let facts = &mut *model.reader.facts;
                    match location::objection(&text) {
                        Some(objection) if !text.is_empty() => {
                            let what = if number == 1 { "a linked model" } else { "the folder of a linked model" };
                            let detail = format!("{what} is '{text}', which {objection}");
                            facts.anomaly(parameter.offset, Anomaly::ExternalData, detail);
                        }
                        _ if number == 1 => {
                            let reference = FactKind::Reference { kind: ReferenceKind::Model, target: text };
                            facts.push(Position::Offset(parameter.offset), reference);
                            facts.incomplete(parameter.offset, Gap::Missing, "a model that this links to is not read");
                        }
                        _ => {}
                    }
                });
            }
        });
    }

    fn description(&mut self, span: Span) {
        const KEYS: &[&str] = &["description", "version", "author", "license"];
        self.each(span, |model, number, metadata| {
            if number != 100 {
                return;
            }
            model.each(metadata, |model, number, inner| {
                let index = usize::try_from(number).unwrap_or(0).wrapping_sub(1);
                let (key, value) = match KEYS.get(index) {
                    Some(key) => ((*key).to_owned(), model.reader.text(inner)),
                    None => (model.text(inner, 1).unwrap_or_default(), model.text(inner, 2).unwrap_or_default()),
                };
                if !value.is_empty() {
                    model.reader.facts.push(Position::Offset(inner.offset), FactKind::Metadata { key, value });
                }
            });
        });
    }

    fn operator(&mut self, operator: String, domain: &str, is_custom: bool, at: u64) {
        let key = (domain.to_owned(), operator);
        if self.operators.len() >= MAX_OPERATORS && !self.operators.contains_key(&key) {
            let detail = format!("more than {MAX_OPERATORS} different operators");
            return self.reader.facts.incomplete(at, Gap::Limit, detail);
        }
        let (_, count, _) = self.operators.entry(key).or_insert((at, 0, is_custom));
        *count = count.saturating_add(1);
    }

    fn report(self) {
        for ((domain, name), (at, count, is_custom)) in self.operators {
            let effect = if is_custom { Effect::Custom } else { Effect::Computes };
            let operator = Operator { name, domain, effect, count };
            self.reader.facts.push(Position::Offset(at), FactKind::Operator(operator));
        }
    }
}

#[cfg(test)]
mod tests;
