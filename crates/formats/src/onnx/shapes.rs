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

#[cfg(test)]
mod tests {
    use crate::onnx::Onnx;
    use crate::testing::{inspect, oddities};

    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, u8::try_from(content.len()).unwrap()], content].concat()
    }

    /// A graph that fills a shape, which is an initial value or a constant.
    fn model(operator: &str, elements: i64, is_constant: bool) -> Vec<u8> {
        let shape = [&[8, 1, 16, 7][..], &field(8, b"s"), &field(9, &elements.to_le_bytes())].concat();
        let input = if operator == "Expand" { [field(1, b"x"), field(1, b"s")].concat() } else { field(1, b"s") };
        let fills = field(1, &[input, field(2, b"y"), field(4, operator.as_bytes())].concat());
        let value = if is_constant {
            let attribute = [&field(1, b"value")[..], &field(5, &shape), &[0xA0, 1, 4]].concat();
            field(1, &[field(2, b"s"), field(4, b"Constant"), field(5, &attribute)].concat())
        } else {
            field(5, &shape)
        };
        let graph = [value, fills, field(2, b"g")].concat();
        let set = [&field(1, b"")[..], &[16, 17]].concat();
        [&[8, 8][..], &field(7, &graph), &field(8, &set)].concat()
    }

    #[test]
    fn shapes_that_fill_all_memory_are_told() {
        for (operator, is_constant) in [("ConstantOfShape", false), ("ConstantOfShape", true), ("Expand", false)] {
            let odd = |elements| oddities(&inspect(&Onnx, "a.onnx", &model(operator, elements, is_constant)));
            assert!(odd(1 << 45).iter().any(|odd| odd.starts_with("AllocationBomb")), "{operator}: {:?}", odd(1 << 45));
            assert!(odd(1000).is_empty() && odd(-1).is_empty(), "{operator}: {:?}", odd(1000));
        }
        assert!(oddities(&inspect(&Onnx, "a.onnx", &model("Neg", 1 << 45, false))).is_empty());
    }
}
