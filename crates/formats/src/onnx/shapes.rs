//! Shapes that a graph fills with one number: a few bytes that make a reader take any amount of memory.

use std::collections::BTreeMap;

use crate::fact::Anomaly;
use crate::protobuf::{Message, Span, Wire};
use crate::source::{Source, read_up_to};

use super::model::Model;
use super::tensor;

/// Elements that no model fills with one number: half a terabyte of floats.
const MAX_ELEMENTS: u64 = 1 << 37;
/// Shapes and uses of one graph that are compared.
const MAX_COMPARED: usize = 1 << 16;
/// Bytes of a name.
const MAX_NAME: usize = 300;
/// Fields of a node that are looked at.
const MAX_FIELDS: usize = 64;

/// Constants that would be large as shapes, and where shapes are filled.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    large: BTreeMap<String, u64>,
    used: Vec<(String, u64)>,
}

impl Shapes {
    /// An initial value, which may be a shape.
    pub(super) fn value(&mut self, source: &dyn Source, span: Span, name: &str) {
        let product = tensor::product(source, span).filter(|product| *product >= MAX_ELEMENTS);
        if let Some(product) = product.filter(|_| self.large.len() < MAX_COMPARED) {
            self.large.insert(name.to_owned(), product);
        }
    }

    /// A node, which may fill a shape or be one.
    pub(super) fn node(&mut self, source: &dyn Source, span: Span) {
        let mut message = Message::new(source, span);
        let (mut inputs, mut output, mut operator, mut constant) = (Vec::new(), String::new(), String::new(), None);
        for _ in 0..MAX_FIELDS {
            let Ok(Some(field)) = message.next() else { break };
            match (field.number, field.wire) {
                (1, Wire::Bytes(inner)) => inputs.push(text(source, inner)),
                (2, Wire::Bytes(inner)) => output = text(source, inner),
                (4, Wire::Bytes(inner)) => operator = text(source, inner),
                (5, Wire::Bytes(inner)) => constant = value(source, inner).or(constant),
                _ => {}
            }
        }
        let shape = match operator.as_str() {
            "ConstantOfShape" => inputs.first(),
            "Expand" => inputs.get(1),
            "Constant" => {
                if let Some(tensor) = constant {
                    self.value(source, tensor, &output);
                }
                None
            }
            _ => None,
        };
        if let Some(shape) = shape.filter(|_| self.used.len() < MAX_COMPARED) {
            self.used.push((shape.clone(), span.offset));
        }
    }

    /// Nodes come before the values that they take.
    pub(super) fn check(self, model: &mut Model<'_, '_>) {
        for (name, at) in &self.used {
            if let Some(elements) = self.large.get(name) {
                let detail = format!("a tensor of {elements} elements is filled, by the shape `{name}`");
                return model.reader.facts.anomaly(*at, Anomaly::AllocationBomb, detail);
            }
        }
    }
}

/// The tensor of an attribute.
fn value(source: &dyn Source, attribute: Span) -> Option<Span> {
    let mut message = Message::new(source, attribute);
    for _ in 0..MAX_FIELDS {
        let field = message.next().ok()??;
        if field.number == 5 {
            return field.span();
        }
    }
    None
}

fn text(source: &dyn Source, span: Span) -> String {
    let most = MAX_NAME.min(usize::try_from(span.length).unwrap_or(MAX_NAME));
    String::from_utf8_lossy(&read_up_to(source, span.offset, most)).into_owned()
}
