//! Where the name of a file comes from: back from an operator's input to constants, assets, arguments and placeholders.
//!
//! Only graphs with operators that take file names are followed, so that the names of nodes are kept for few graphs.

use std::collections::{BTreeMap, BTreeSet};

use super::dtype::{Constant, STRING};
use super::graph::{Graph, Scope};
use super::node::{MAX_NAME, Node, bytes_fields, inputs};
use crate::protobuf::{Message, Span, Wire};

/// Nodes visited for one name.
const MAX_VISITS: usize = 512;
/// Bytes of the names of nodes that are kept at once.
const MAX_NAMES: usize = 24 << 20;
/// Calls of one function that are followed.
const MAX_CALLERS: usize = 16;
/// Constants kept of one name.
const MAX_CONSTANTS: usize = 32;

/// Operators through which a name passes as it is, or joined with others: what savers and assets need.
const PLAIN: &[&str] = &[
    "Cast",
    "Concat",
    "ConcatV2",
    "Enter",
    "ExpandDims",
    "Fill",
    "Gather",
    "GatherV2",
    "Identity",
    "IdentityN",
    "Merge",
    "Pack",
    "PlaceholderWithDefault",
    "RegexFullMatch",
    "ReadVariableOp",
    "Reshape",
    "Select",
    "SelectV2",
    "ShardedFilename",
    "ShardedFilespec",
    "Split",
    "Squeeze",
    "StaticRegexFullMatch",
    "StaticRegexReplace",
    "StridedSlice",
    "StringJoin",
    "Switch",
    "TensorDataset",
    "TensorSliceDataset",
    "Unpack",
];
/// Operators that call a function with their inputs as its arguments.
const CALLS: &[&str] = &["PartitionedCall", "StatefulPartitionedCall", "While", "StatelessWhile", "TPUPartitionedCall"];
/// Those that choose between functions by their first input.
const CHOICES: &[&str] = &["If", "StatelessIf", "Case", "StatelessCase"];

/// What a name is made of.
#[derive(Debug, Default)]
pub(super) struct Origins {
    /// Texts in the graph.
    pub(super) constants: BTreeSet<String>,
    /// The path of a file that the model brings with it.
    pub(super) is_asset: bool,
    /// What whoever runs the model gives it.
    pub(super) is_given: bool,
    /// Something else that only running it would tell.
    pub(super) is_computed: bool,
}

/// Nodes by name, for the scopes that were looked into.
pub(super) struct Tracer<'g, 'a> {
    graph: &'g Graph<'a>,
    scopes: BTreeMap<Scope, BTreeMap<String, Span>>,
    assignments: BTreeMap<Scope, BTreeMap<String, Vec<String>>>,
    arguments: BTreeMap<usize, BTreeMap<String, usize>>,
    callers: Option<BTreeMap<usize, Vec<(Scope, Span)>>>,
    names: usize,
    /// Whether there were more names than are kept, so that not all could be followed.
    pub(super) is_exhausted: bool,
}

impl<'g, 'a> Tracer<'g, 'a> {
    /// Nothing looked into yet.
    pub(super) fn new(graph: &'g Graph<'a>) -> Self {
        Self {
            graph,
            scopes: BTreeMap::new(),
            assignments: BTreeMap::new(),
            arguments: BTreeMap::new(),
            callers: None,
            names: 0,
            is_exhausted: false,
        }
    }

    /// What an input of a node is made of.
    pub(super) fn input(&mut self, scope: Scope, node: Span, input: usize) -> Origins {
        let mut origins = Origins::default();
        if self.graph.budget.operate(node.length / 8).is_err() {
            origins.is_computed = true;
            return origins;
        }
        let names = inputs(self.graph.source, node).unwrap_or_default();
        let Some(name) = names.into_iter().nth(input) else {
            origins.is_computed = true;
            return origins;
        };
        self.follow(scope, name, &mut origins);
        origins
    }

    fn follow(&mut self, scope: Scope, name: String, origins: &mut Origins) {
        let mut seen = BTreeSet::new();
        let mut open = vec![(scope, name)];
        while let Some((scope, name)) = open.pop() {
            let name = name.split(':').next().unwrap_or_default().to_owned();
            if !seen.insert((scope, name.clone())) {
                continue;
            }
            if seen.len() > MAX_VISITS || self.graph.budget.operate(8).is_err() {
                origins.is_computed = true;
                return;
            }
            match self.node(scope, &name) {
                Some(span) if self.graph.budget.operate(span.length / 8).is_err() => return origins.is_computed = true,
                Some(span) => self.visit(scope, span, origins, &mut open),
                None => self.argument(scope, &name, origins, &mut open),
            }
        }
    }

    fn visit(&mut self, scope: Scope, span: Span, origins: &mut Origins, open: &mut Vec<(Scope, String)>) {
        let source = self.graph.source;
        let Ok(node) = Node::read(source, span) else {
            origins.is_computed = true;
            return;
        };
        match node.operator.as_str() {
            "Const" | "HostConst" => {
                // What the constant says itself is what is read when the loader does not replace it.
                origins.is_asset |= self.is_asset(scope, &node.name);
                self.constant(&node, origins);
            }
            "Placeholder" if self.is_asset(scope, &node.name) => origins.is_asset = true,
            "VarHandleOp" => self.variable(scope, &node.name, origins, open),
            "Placeholder" | "PlaceholderV2" | "_Arg" | "Arg" => origins.is_given = true,
            operator => {
                let inputs = inputs(source, span).unwrap_or_default();
                let is_plain = PLAIN.contains(&operator) && !inputs.is_empty();
                origins.is_given |= operator == "PlaceholderWithDefault";
                origins.is_computed |= !is_plain;
                open.extend(inputs.into_iter().map(|input| (scope, input)));
            }
        }
    }

    fn is_asset(&self, scope: Scope, name: &str) -> bool {
        scope == Scope::Main && self.graph.assets.contains(name)
    }

    /// A variable holds what is assigned to it: the paths of assets are kept so.
    fn variable(&mut self, scope: Scope, name: &str, origins: &mut Origins, open: &mut Vec<(Scope, String)>) {
        if !self.assignments.contains_key(&scope) {
            let assignments = self.assigned(scope);
            self.assignments.insert(scope, assignments);
        }
        let assigned = self.assignments.get(&scope).and_then(|assignments| assignments.get(name));
        origins.is_computed |= assigned.is_none();
        open.extend(assigned.into_iter().flatten().map(|input| (scope, input.clone())));
    }

    /// What is assigned to each variable of a scope, the first few of each.
    fn assigned(&mut self, scope: Scope) -> BTreeMap<String, Vec<String>> {
        let source = self.graph.source;
        let mut assignments: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for span in self.nodes(scope) {
            let is_assignment = Node::read(source, span).is_ok_and(|node| node.operator == "AssignVariableOp");
            let mut inputs = inputs(source, span).ok().filter(|_| is_assignment).unwrap_or_default().into_iter();
            let (Some(variable), Some(value)) = (inputs.next(), inputs.next()) else { continue };
            if !self.keeps(variable.len().saturating_add(value.len())) {
                break;
            }
            let name = variable.split(':').next().unwrap_or_default().to_owned();
            let list = assignments.entry(name).or_default();
            if list.len() < MAX_CALLERS {
                list.push(value);
            }
        }
        assignments
    }

    /// Whether there is room for a name of this length.
    fn keeps(&mut self, length: usize) -> bool {
        self.names = self.names.saturating_add(length).saturating_add(64);
        self.is_exhausted |= self.names > MAX_NAMES;
        self.names <= MAX_NAMES
    }

    /// The texts of a constant; numbers only choose among them.
    fn constant(&self, node: &Node, origins: &mut Origins) {
        let source = self.graph.source;
        let constant = node.constant(source).and_then(|tensor| Constant::read(source, tensor).ok());
        let Some(constant) = constant else {
            origins.is_computed = true;
            return;
        };
        if constant.dtype != STRING && constant.texts.is_empty() {
            return;
        }
        if constant.texts.is_empty() {
            origins.constants.insert(String::new());
        }
        for text in &constant.texts {
            if origins.constants.len() < MAX_CONSTANTS {
                origins.constants.insert(text.text(source, MAX_NAME));
            }
        }
    }

    /// A name that no node has is an argument of the function: its callers tell.
    fn argument(&mut self, scope: Scope, name: &str, origins: &mut Origins, open: &mut Vec<(Scope, String)>) {
        let Scope::Function(index) = scope else {
            origins.is_computed = true;
            return;
        };
        let Some(position) = self.position(index, name) else {
            origins.is_computed = true;
            return;
        };
        let callers = self.callers_of(index);
        if callers.is_empty() || callers.len() > MAX_CALLERS {
            origins.is_given = true;
        }
        for (scope, span) in callers.into_iter().take(MAX_CALLERS) {
            if self.graph.budget.operate(span.length / 8).is_err() {
                origins.is_computed = true;
                return;
            }
            match self.passed(span, position) {
                Some(input) => open.push((scope, input)),
                None => origins.is_given = true,
            }
        }
    }

    /// What a caller passes as an argument.
    fn passed(&self, span: Span, position: usize) -> Option<String> {
        let source = self.graph.source;
        let operator = Node::read(source, span).ok()?.operator;
        let skipped = match operator.as_str() {
            name if CALLS.contains(&name) || self.graph.by_name.contains_key(name) => 0,
            name if CHOICES.contains(&name) => 1,
            _ => return None,
        };
        inputs(source, span).ok()?.into_iter().nth(position.saturating_add(skipped))
    }

    /// Which argument of a function a name is.
    fn position(&mut self, index: usize, name: &str) -> Option<usize> {
        if !self.arguments.contains_key(&index) {
            let arguments = self.arguments_of(index).unwrap_or_default();
            self.arguments.insert(index, arguments);
        }
        self.arguments.get(&index)?.get(name).copied()
    }

    /// The arguments of a function, by name.
    fn arguments_of(&mut self, index: usize) -> Option<BTreeMap<String, usize>> {
        let source = self.graph.source;
        let function = self.graph.functions.get(index)?;
        let signature = bytes_fields(source, function.span, 1).ok()?.pop()?;
        let mut message = Message::new(source, signature);
        let mut arguments = BTreeMap::new();
        while let Ok(Some(field)) = message.next() {
            let (2, Wire::Bytes(argument)) = (field.number, field.wire) else { continue };
            let name = bytes_fields(source, argument, 1).ok()?.pop()?.text(source, MAX_NAME);
            if !self.keeps(name.len()) {
                break;
            }
            let position = arguments.len();
            arguments.insert(name, position);
        }
        Some(arguments)
    }

    fn node(&mut self, scope: Scope, name: &str) -> Option<Span> {
        if !self.scopes.contains_key(&scope) {
            let nodes = self.index(scope);
            self.scopes.insert(scope, nodes);
        }
        self.scopes.get(&scope)?.get(name).copied()
    }

    fn index(&mut self, scope: Scope) -> BTreeMap<String, Span> {
        let mut nodes = BTreeMap::new();
        for span in self.nodes(scope) {
            let name = bytes_fields(self.graph.source, span, 1).ok().and_then(|mut names| names.pop());
            let name = name.map(|name| name.text(self.graph.source, MAX_NAME)).unwrap_or_default();
            if !self.keeps(name.len()) {
                break;
            }
            nodes.insert(name, span);
        }
        nodes
    }

    /// The nodes of a scope.
    fn nodes(&self, scope: Scope) -> Vec<Span> {
        let (spans, number) = match scope {
            Scope::Main => (self.graph.main.clone(), 1),
            Scope::Function(index) => {
                (self.graph.functions.get(index).map(|function| function.span).into_iter().collect(), 3)
            }
        };
        let mut nodes = Vec::new();
        for span in spans {
            let mut message = Message::new(self.graph.source, span);
            while let Ok(Some(field)) = message.next() {
                if nodes.len() >= MAX_NAMES / 64 || self.graph.budget.operate(1).is_err() {
                    break;
                }
                if let (true, Some(node)) = (field.number == number, field.span()) {
                    nodes.push(node);
                }
            }
        }
        nodes
    }

    fn callers_of(&mut self, index: usize) -> Vec<(Scope, Span)> {
        if self.callers.is_none() {
            self.callers = Some(self.all_callers());
        }
        self.callers.as_ref().and_then(|callers| callers.get(&index)).cloned().unwrap_or_default()
    }

    fn all_callers(&self) -> BTreeMap<usize, Vec<(Scope, Span)>> {
        let mut callers: BTreeMap<usize, Vec<(Scope, Span)>> = BTreeMap::new();
        let functions = (0..self.graph.functions.len()).map(Scope::Function);
        for scope in std::iter::once(Scope::Main).chain(functions) {
            for span in self.nodes(scope) {
                for callee in self.callees(span) {
                    let list = callers.entry(callee).or_default();
                    if list.len() <= MAX_CALLERS {
                        list.push((scope, span));
                    }
                }
            }
        }
        callers
    }

    fn callees(&self, span: Span) -> Vec<usize> {
        let Ok(node) = Node::read(self.graph.source, span) else { return Vec::new() };
        let named = node.functions(self.graph.source);
        let names = named.iter().chain(std::iter::once(&node.operator));
        names.filter_map(|name| self.graph.by_name.get(name).copied()).collect()
    }
}
