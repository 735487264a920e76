//! TensorFlow.js: `model.json` with a graph or the configuration of a Keras model, and the weights' files beside it.

use std::collections::{BTreeMap, BTreeSet};

use super::operators;
use crate::configuration::Observer;
use crate::fact::{FactKind, Operator, Position, ReferenceKind, Tensor};
use crate::facts::{Facts, MAX_TEXT, shorten};
use crate::json::{Event, Segment, Value};

/// Files that are named.
const MAX_FILES: usize = 20_000;
/// Distinct operators, and functions.
const MAX_NAMES: usize = 20_000;
/// The most dimensions of a tensor.
const MAX_RANK: usize = 64;

/// Looks for the weights' files and the operators of a model for TensorFlow.js.
pub(crate) fn observer(_name: &str) -> Box<dyn Observer> {
    Box::<Javascript>::default()
}

#[derive(Default)]
struct Javascript {
    files: usize,
    operators: BTreeMap<String, (u64, u64)>,
    functions: BTreeSet<String>,
    tensor: Option<(u64, Tensor)>,
}

impl Observer for Javascript {
    fn event(&mut self, event: &Event<'_>, facts: &mut Facts) {
        match event.key_at(0) {
            Some("weightsManifest") => self.manifest(event, facts),
            Some("modelTopology") => self.topology(event),
            Some(key @ ("format" | "generatedBy" | "convertedBy")) if self.is_model() => {
                if let (Value::Text(text), 1) = (event.value, event.path.len()) {
                    let value = shorten(text.to_owned(), MAX_TEXT);
                    facts.push(Position::Offset(event.offset), FactKind::Metadata { key: key.to_owned(), value });
                }
            }
            _ => {}
        }
    }

    fn finish(&mut self, facts: &mut Facts) {
        for (name, (count, offset)) in std::mem::take(&mut self.operators) {
            if self.functions.contains(&name) && !operators::is_registered(&name) {
                continue;
            }
            let effect = operators::effect(&name);
            let operator = Operator { name, domain: String::new(), effect, count };
            facts.push(Position::Offset(offset), FactKind::Operator(operator));
        }
    }
}

impl Javascript {
    fn is_model(&self) -> bool {
        self.files > 0 || !self.operators.is_empty()
    }

    /// `modelTopology.node[3].op`, and the same in the functions of a library.
    fn topology(&mut self, event: &Event<'_>) {
        let Value::Text(text) = event.value else { return };
        let text = shorten(text.to_owned(), 200);
        let keys: Vec<&str> = event.path.iter().filter_map(Segment::key).collect();
        match keys.as_slice() {
            ["modelTopology", "node", "op"]
            | ["modelTopology", "library", "function", "nodeDef" | "node_def", "op"] => self.count(text, event.offset),
            ["modelTopology", "library", "function", "signature", "name"] if self.functions.len() < MAX_NAMES => {
                self.functions.insert(text);
            }
            _ => {}
        }
    }

    fn count(&mut self, operator: String, offset: u64) {
        if self.operators.len() < MAX_NAMES || self.operators.contains_key(&operator) {
            let (count, _) = self.operators.entry(operator).or_insert((0, offset));
            *count = count.saturating_add(1);
        }
    }

    /// `weightsManifest[0].paths[0]`, and `weightsManifest[0].weights[0]` with name, shape and type.
    fn manifest(&mut self, event: &Event<'_>, facts: &mut Facts) {
        match (event.path, event.key_at(2), event.value) {
            ([_, _, _, _], Some("paths"), Value::Text(path)) => self.file(event.offset, path, facts),
            ([_, _, _, _], Some("weights"), Value::Object) => {
                let tensor = Tensor { name: String::new(), dtype: String::new(), shape: Vec::new(), bytes: None };
                self.tensor = Some((event.offset, tensor));
            }
            ([_, _, _, _], Some("weights"), Value::ObjectEnd(_)) => {
                if let Some((offset, tensor)) = self.tensor.take() {
                    facts.push(Position::Offset(offset), FactKind::Tensor(tensor));
                }
            }
            (_, Some("weights"), _) => self.weight(event),
            _ => {}
        }
    }

    fn weight(&mut self, event: &Event<'_>) {
        let Some((_, tensor)) = &mut self.tensor else { return };
        match (event.path.len(), event.key_at(4), event.value) {
            (5, Some("name"), Value::Text(text)) => tensor.name = shorten(text.to_owned(), MAX_TEXT),
            (5, Some("dtype"), Value::Text(text)) => tensor.dtype = shorten(text.to_owned(), 80),
            (6, Some("shape"), Value::Number(number)) if tensor.shape.len() < MAX_RANK => {
                tensor.shape.push(number.parse().unwrap_or(u64::MAX));
            }
            _ => {}
        }
    }

    /// Files beside the model. Addresses are fetched from somebody else's machine.
    fn file(&mut self, offset: u64, path: &str, facts: &mut Facts) {
        self.files = self.files.saturating_add(1);
        if self.files > MAX_FILES {
            return;
        }
        let kind = if path.contains("://") { ReferenceKind::Address } else { ReferenceKind::File };
        let target = shorten(path.to_owned(), MAX_TEXT);
        facts.push(Position::Offset(offset), FactKind::Reference { kind, target });
    }
}
