//! MXNet's graphs: a list of nodes, each with an operator.

use std::collections::BTreeMap;

use super::Observer;
use crate::fact::{Anomaly, Effect, FactKind, Gap, Operator, Position};
use crate::facts::{Facts, shorten};
use crate::json::{Event, Segment, Value};

/// Different operators that are listed.
const MAX_OPERATORS: usize = 10_000;

/// Collects operators until the keys that only such a graph has have been seen.
#[derive(Debug, Default)]
struct MxNet {
    operators: BTreeMap<(String, String), (u64, u64)>,
    /// The nodes that are open: operator, the kind of a custom one, and where it is.
    nodes: Vec<(String, String, u64)>,
    /// Nodes of the outermost graph, and the largest number by which one is named, with its place.
    count: u64,
    largest: Option<(u64, u64)>,
    has_heads: bool,
    has_inputs: bool,
    is_cut: bool,
}

/// Makes the observer.
#[must_use]
pub(super) fn observer(_name: &str) -> Box<dyn Observer> {
    Box::new(MxNet::default())
}

impl Observer for MxNet {
    fn event(&mut self, event: &Event<'_>, _facts: &mut Facts) {
        if let [Segment::Key(key)] = event.path {
            self.has_heads |= key == "heads" && event.value == Value::Array;
            self.has_inputs |= key == "arg_nodes" && event.value == Value::Array;
            return;
        }
        self.number(event);
        match (event.path, event.value) {
            // Control flow keeps graphs within nodes, so that the list may lie deeper.
            ([.., Segment::Key(list), Segment::Index(_)], Value::Object) if list == "nodes" => {
                self.nodes.push((String::new(), String::new(), event.offset));
            }
            ([.., Segment::Key(list), Segment::Index(_)], Value::ObjectEnd(_)) if list == "nodes" => self.close(),
            _ => self.inner(event),
        }
    }

    fn finish(&mut self, facts: &mut Facts) {
        if !self.has_heads || !self.has_inputs {
            return;
        }
        facts.property("framework", "MXNet");
        if let Some((number, offset)) = self.largest.filter(|(number, _)| *number >= self.count) {
            let detail = format!("node {number} is named where there are {}", self.count);
            facts.anomaly(offset, Anomaly::OutOfBounds, detail);
        }
        for ((name, kind), (count, offset)) in &self.operators {
            let effect = effect(name);
            let operator = Operator { name: name.clone(), domain: kind.clone(), effect, count: *count };
            facts.push(Position::Offset(*offset), FactKind::Operator(operator));
        }
        if self.is_cut {
            facts.incomplete(0, Gap::Limit, format!("more than {MAX_OPERATORS} different operators"));
        }
    }
}

impl MxNet {
    /// Inputs, heads and variables name nodes of the outermost graph by their place in its list.
    fn number(&mut self, event: &Event<'_>) {
        match (event.path, event.value) {
            ([Segment::Key(list), Segment::Index(_)], Value::Object) if list == "nodes" => {
                self.count = self.count.saturating_add(1);
            }
            (
                [Segment::Key(list), Segment::Index(_), Segment::Key(key), Segment::Index(_), Segment::Index(0)],
                Value::Number(text),
            ) if list == "nodes" && key == "inputs" => self.name(text, event.offset),
            ([Segment::Key(list), Segment::Index(_), Segment::Index(0)], Value::Number(text)) if list == "heads" => {
                self.name(text, event.offset);
            }
            ([Segment::Key(list), Segment::Index(_)], Value::Number(text)) if list == "arg_nodes" => {
                self.name(text, event.offset);
            }
            _ => {}
        }
    }

    fn name(&mut self, text: &str, offset: u64) {
        let number = text.trim().parse().unwrap_or(u64::MAX);
        if self.largest.is_none_or(|(largest, _)| number > largest) {
            self.largest = Some((number, offset));
        }
    }

    /// A key of a node, or of its attributes.
    fn inner(&mut self, event: &Event<'_>) {
        let (Some((operator, kind, offset)), Value::Text(text)) = (self.nodes.last_mut(), event.value) else { return };
        match event.path {
            [.., Segment::Index(_), Segment::Key(key)] if key == "op" => {
                *operator = shorten(text.chars().take(201).collect(), 200);
                *offset = event.offset;
            }
            [.., Segment::Key(attributes), Segment::Key(key)]
                if key == "op_type" && matches!(attributes.as_str(), "attrs" | "attr" | "param") =>
            {
                *kind = shorten(text.chars().take(201).collect(), 200);
            }
            _ => {}
        }
    }

    fn close(&mut self) {
        let Some((operator, kind, offset)) = self.nodes.pop() else { return };
        // Inputs and weights are nodes without an operator.
        if operator.is_empty() || operator == "null" {
            return;
        }
        let known = self.operators.len();
        match self.operators.get_mut(&(operator.clone(), kind.clone())) {
            Some((count, _)) => *count = count.saturating_add(1),
            None if known < MAX_OPERATORS => {
                self.operators.insert((operator, kind), (1, offset));
            }
            None => self.is_cut = true,
        }
    }
}

fn effect(name: &str) -> Effect {
    match name {
        // Both take the address of a structure of functions from an attribute.
        "_Native" | "_NDArray" => {
            Effect::Reaches { what: "calls machine code at an address that the file gives".into(), critical: true }
        }
        // Written in Python, or loaded from a library of their own.
        "Custom"
        | "_CustomFunction"
        | "_custom_subgraph_op"
        | "CaffeOp"
        | "CaffeLoss"
        | "TorchModule"
        | "TorchCriterion" => Effect::Custom,
        _ => Effect::Computes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;
    use crate::testing::{inspect, mutate};

    const GRAPH: &str = r#"{"nodes":[{"op":"null","name":"data","inputs":[]},
        {"op":"Convolution","name":"c","attrs":{"kernel":"(3, 3)"},"inputs":[[0,0,0]]},
        {"op":"Custom","name":"x","attrs":{"op_type":"mine"},"inputs":[]},{"op":"_Native","name":"n","param":{"info":"0x7f00"}}],
        "arg_nodes":[0],"heads":[[1,0,0]],"attrs":{"mxnet_version":["int",10700]}}"#;

    fn operators(text: &str) -> Vec<(String, String, bool, bool)> {
        let facts = inspect(&Json, "model-symbol.json", text.as_bytes());
        let operator = |kind: &FactKind| match kind {
            FactKind::Operator(operator) => Some((
                operator.name.clone(),
                operator.domain.clone(),
                operator.effect == Effect::Custom,
                matches!(operator.effect, Effect::Reaches { .. }),
            )),
            _ => None,
        };
        facts.list().iter().filter_map(|fact| operator(&fact.kind)).collect()
    }

    #[test]
    fn operators_are_told_by_what_they_do() {
        let own = |name: &str, kind: &str, custom, reaches| (name.to_owned(), kind.to_owned(), custom, reaches);
        assert_eq!(
            operators(GRAPH),
            [own("Convolution", "", false, false), own("Custom", "mine", true, false), own("_Native", "", false, true)]
        );
    }

    #[test]
    fn nodes_that_are_not_there_are_told() {
        use crate::testing::oddities;
        assert!(oddities(&inspect(&Json, "a-symbol.json", GRAPH.as_bytes())).is_empty());
        for (from, to) in
            [("[[0,0,0]]", "[[999,0,0]]"), ("[[1,0,0]]", "[[4,0,0]]"), ("\"arg_nodes\":[0]", "\"arg_nodes\":[-1]")]
        {
            let facts = inspect(&Json, "a-symbol.json", GRAPH.replace(from, to).as_bytes());
            assert_eq!(oddities(&facts).len(), 1, "{to}: {:?}", oddities(&facts));
        }
    }

    #[test]
    fn other_graphs_are_left_alone() {
        assert!(operators(&GRAPH.replace("arg_nodes", "edges")).is_empty());
    }

    #[test]
    fn no_mutation_panics() {
        mutate(GRAPH.as_bytes(), 1500, |bytes| drop(inspect(&Json, "a.json", &bytes)));
    }
}
