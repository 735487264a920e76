//! A graph and its library of functions: which operators it has, and which of them reach the machine.

use std::collections::{BTreeMap, BTreeSet};

use super::dtype::{self, Constant};
use super::node::{MAX_NAME, Node, bytes_fields, pair};
use super::operators::{self, Reach, Way};
use super::saved_model::is_graph;
use super::trace::{Origins, Tracer};
use crate::budget::Budget;
use crate::child::{Child, Role};
use crate::fact::{Anomaly, Effect, FactKind, Gap, Operator, Position, Tensor};
use crate::facts::{Facts, shorten};
use crate::payload::is_payload;
use crate::protobuf::{Broken, Message, Span, Wire};
use crate::source::Source;

/// Distinct operators that are counted.
const MAX_OPERATORS: usize = 20_000;
/// Functions of one library.
const MAX_FUNCTIONS: usize = 100_000;
/// Nodes whose files are looked for.
const MAX_SITES: usize = 2_000;
/// Calls of functions by name that are followed for recursion.
const MAX_CALLS: usize = 200_000;
/// Constants of fewer elements are arguments, not weights.
const LEAST_WEIGHTS: u64 = 16;
/// Constants that are looked at for other formats, and how long they are at least.
const MAX_OPENED: usize = 20_000;
const LEAST_OPENED: u64 = 64;
/// Paths named of one operator.
const MAX_PATHS: usize = 4;
/// Characters of a path that are shown.
const MAX_PATH: usize = 200;

/// Where a node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    /// In the graph itself.
    Main,
    /// In a function of the library, by its index.
    Function(usize),
}

/// A function of the library.
#[derive(Debug)]
pub(super) struct Function {
    /// Its name.
    pub(super) name: String,
    /// Its definition.
    pub(super) span: Span,
}

/// How a position in the bytes that are read is told to people.
pub(super) type Place<'a> = &'a dyn Fn(u64) -> Position;

/// A graph, as far as it has been read.
#[derive(Debug)]
pub(super) struct Graph<'a> {
    /// The bytes.
    pub(super) source: &'a dyn Source,
    /// What reading may cost.
    pub(super) budget: &'a Budget,
    /// The graphs themselves: a field that comes twice is merged.
    pub(super) main: Vec<Span>,
    /// The functions, in order.
    pub(super) functions: Vec<Function>,
    /// Their indexes by name.
    pub(super) by_name: BTreeMap<String, usize>,
    /// Constants that the loader replaces by the path of a file of the model.
    pub(super) assets: BTreeSet<String>,
    operators: BTreeMap<String, (u64, u64)>,
    sites: Vec<Site>,
    calls: Vec<(usize, String)>,
    nodes: u64,
    opened: usize,
    /// Whether constants are verified: a text leaves out what they hold.
    pub(super) verifies: bool,
}

/// A node whose operator may reach the machine.
#[derive(Debug, Clone, Copy)]
struct Site {
    reach: &'static Reach,
    scope: Scope,
    span: Span,
}

impl<'a> Graph<'a> {
    /// Nothing read yet.
    pub(super) fn new(source: &'a dyn Source, budget: &'a Budget) -> Self {
        Self {
            source,
            budget,
            main: Vec::new(),
            functions: Vec::new(),
            by_name: BTreeMap::new(),
            assets: BTreeSet::new(),
            operators: BTreeMap::new(),
            sites: Vec::new(),
            calls: Vec::new(),
            nodes: 0,
            opened: 0,
            verifies: true,
        }
    }

    /// Reads a `GraphDef`.
    pub(super) fn read(&mut self, span: Span, facts: &mut Facts) -> Result<(), Broken> {
        self.main.push(span);
        let mut message = Message::new(self.source, span);
        while let Some(field) = message.next()? {
            match (field.number, field.wire) {
                (1, Wire::Bytes(node)) => self.node(Scope::Main, node, facts)?,
                (2, Wire::Bytes(library)) => self.library(library, facts)?,
                (4, Wire::Bytes(versions)) => self.versions(versions, facts)?,
                _ => {}
            }
            if !self.pay(field.span(), facts) {
                break;
            }
        }
        Ok(())
    }

    /// Pays for reading a range; false when nothing is left.
    fn pay(&self, span: Option<Span>, facts: &mut Facts) -> bool {
        let steps = span.map_or(1, |span| (span.length / 32).saturating_add(1));
        let paid = self.budget.operate(steps);
        if let Err(limit) = &paid {
            facts.incomplete(span.map_or(0, |span| span.offset), Gap::Limit, limit.to_string());
        }
        paid.is_ok()
    }

    fn versions(&mut self, span: Span, facts: &mut Facts) -> Result<(), Broken> {
        let mut message = Message::new(self.source, span);
        while let Some(field) = message.next()? {
            if let (1, Wire::Varint(producer)) = (field.number, field.wire) {
                facts.property("graph_version", producer.to_string());
            }
        }
        Ok(())
    }

    fn library(&mut self, span: Span, facts: &mut Facts) -> Result<(), Broken> {
        let mut message = Message::new(self.source, span);
        while let Some(field) = message.next()? {
            if let (1, Wire::Bytes(function)) = (field.number, field.wire) {
                self.function(function, facts)?;
            }
            if !self.pay(None, facts) {
                break;
            }
        }
        Ok(())
    }

    fn function(&mut self, span: Span, facts: &mut Facts) -> Result<(), Broken> {
        let index = self.functions.len();
        if index >= MAX_FUNCTIONS {
            facts.incomplete(span.offset, Gap::Limit, format!("more than {MAX_FUNCTIONS} functions"));
            return Ok(());
        }
        let name = self.function_name(span)?;
        if self.by_name.insert(name.clone(), index).is_some() {
            let detail = format!("the library has two functions '{name}'");
            facts.anomaly(span.offset, Anomaly::DuplicateName, detail);
        }
        self.functions.push(Function { name, span });
        let mut message = Message::new(self.source, span);
        while let Some(field) = message.next()? {
            if let (3, Wire::Bytes(node)) = (field.number, field.wire) {
                self.node(Scope::Function(index), node, facts)?;
            }
            if !self.pay(field.span(), facts) {
                break;
            }
        }
        Ok(())
    }

    fn function_name(&self, span: Span) -> Result<String, Broken> {
        let signature = bytes_fields(self.source, span, 1)?.pop();
        let Some(signature) = signature else { return Ok(String::new()) };
        let name = bytes_fields(self.source, signature, 1)?.pop();
        Ok(name.map(|name| name.text(self.source, MAX_NAME)).unwrap_or_default())
    }

    fn node(&mut self, scope: Scope, span: Span, facts: &mut Facts) -> Result<(), Broken> {
        let node = Node::read(self.source, span)?;
        self.nodes = self.nodes.saturating_add(1);
        // `/job:worker/replica:0/task:0/device:GPU:*`
        let is_device = |byte: u8| byte.is_ascii_alphanumeric() || b"/:_*-. ,@".contains(&byte);
        if !node.device.bytes().all(is_device) || node.device.contains("..") {
            let detail = format!("a node wants to run on '{}', which is no device", shorten(node.device.clone(), 100));
            facts.anomaly(span.offset, Anomaly::Malformed, detail);
        }
        if !node.operator.is_empty() {
            self.count(&node.operator, span.offset, facts);
        }
        if let Some(reach) = operators::reach(&node.operator) {
            self.site(Site { reach, scope, span }, facts);
        }
        if let Scope::Function(index) = scope
            && !operators::is_registered(&node.operator)
            && self.calls.len() < MAX_CALLS
        {
            self.calls.push((index, node.operator.clone()));
        }
        self.constants(&node, span.offset, facts)
    }

    fn count(&mut self, operator: &str, offset: u64, facts: &mut Facts) {
        if let Some((count, _)) = self.operators.get_mut(operator) {
            *count = count.saturating_add(1);
        } else if self.operators.len() < MAX_OPERATORS {
            self.operators.insert(operator.to_owned(), (1, offset));
        } else if self.operators.len() == MAX_OPERATORS {
            self.operators.insert("\u{fffd}".to_owned(), (0, offset));
            facts.incomplete(offset, Gap::Limit, format!("more than {MAX_OPERATORS} distinct operators"));
        }
    }

    fn site(&mut self, site: Site, facts: &mut Facts) {
        if self.sites.len() < MAX_SITES {
            self.sites.push(site);
        } else if self.sites.len() == MAX_SITES {
            self.sites.push(site);
            let detail = format!("more than {MAX_SITES} operators that may reach the machine");
            facts.incomplete(site.span.offset, Gap::Limit, detail);
        }
    }

    /// Constants in the attributes of a node: verified, and listed when they are as large as weights are.
    fn constants(&mut self, node: &Node, offset: u64, facts: &mut Facts) -> Result<(), Broken> {
        if !self.verifies {
            return Ok(());
        }
        for entry in &node.attributes {
            let (_, Some(value)) = pair(self.source, *entry)? else { continue };
            for tensor in bytes_fields(self.source, value, 8)? {
                let constant = Constant::read(self.source, tensor)?;
                constant.verify(&node.name, offset, facts);
                list(&node.name, &constant, offset, facts);
                self.open(&node.name, &constant, facts);
            }
        }
        Ok(())
    }

    /// What a constant holds is looked at for other formats, and for graphs: some operators run those.
    fn open(&mut self, name: &str, constant: &Constant, facts: &mut Facts) {
        for span in constant.texts.iter().chain(constant.content.iter()) {
            let hidden = is_payload(self.source, span.offset, span.length, constant.content.is_none());
            if !hidden && span.length < LEAST_OPENED {
                continue;
            }
            if self.opened >= MAX_OPENED {
                return;
            }
            self.opened = self.opened.saturating_add(1);
            let name = shorten(name.to_owned(), MAX_NAME);
            let is_graph = constant.content.is_none() && is_graph(self.source, *span);
            let role = if is_graph || hidden { Role::Unknown } else { Role::Numbers };
            let child = Child { role, ..Child::stored(name, span.offset, span.length) };
            facts.push(Position::Offset(span.offset), FactKind::Child(child));
        }
    }

    /// Everything has been read: says which operators there are and what they do. `place` tells where bytes lie.
    pub(super) fn conclude(self, place: Place<'_>, facts: &mut Facts) {
        let mut reached: BTreeMap<&'static str, Reached> = BTreeMap::new();
        let mut tracer = Tracer::new(&self);
        for site in &self.sites {
            if let Some(evidence) = self.evidence(site, &mut tracer) {
                reached.entry(site.reach.name).or_insert_with(|| Reached::new(site)).add(evidence);
            }
        }
        if tracer.is_exhausted {
            let detail = "the graph is too large to follow where its file names come from";
            facts.push(Position::Whole, FactKind::Incomplete { reason: Gap::Limit, detail: detail.into() });
        }
        for (name, (count, offset)) in &self.operators {
            let is_call = self.by_name.contains_key(name) && !operators::is_registered(name);
            if *count == 0 || is_call {
                continue;
            }
            let mut rest = *count;
            if let Some(reached) = reached.get(name.as_str()) {
                rest = rest.saturating_sub(reached.count);
                operator(name, reached.effect(), reached.count, place(reached.offset), facts);
            }
            if rest > 0 {
                let effect = match operators::reach(name) {
                    Some(_) => Effect::Computes,
                    None => operators::effect_of_others(name),
                };
                operator(name, effect, rest, place(*offset), facts);
            }
        }
        self.recursion(place, facts);
        facts.property("nodes", self.nodes.to_string());
        if !self.functions.is_empty() {
            facts.property("functions", self.functions.len().to_string());
        }
    }

    /// What a node reaches, when it is not ordinary: nothing, or the files it names.
    fn evidence(&self, site: &Site, tracer: &mut Tracer<'_, '_>) -> Option<Vec<String>> {
        match site.reach.way {
            Way::Always => Some(Vec::new()),
            Way::Attribute(attribute) => {
                let texts = Node::read(self.source, site.span).ok()?.texts(self.source, attribute);
                let odd = |text: &String| !operators::is_ordinary_attribute(attribute, text);
                let odd: Vec<String> = texts.into_iter().filter(odd).collect();
                (!odd.is_empty()).then_some(odd)
            }
            Way::Path(input) | Way::Table(input) | Way::Saver(input) | Way::Cache(input) => {
                let origins = tracer.input(site.scope, site.span, input);
                judge(site.reach.way, &origins)
            }
        }
    }

    /// A function that calls itself: loaders overflow their stack on it (CVE-2022-23591).
    fn recursion(&self, place: Place<'_>, facts: &mut Facts) {
        let mut callees: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (caller, name) in &self.calls {
            if let Some(callee) = self.by_name.get(name) {
                callees.entry(*caller).or_default().push(*callee);
            }
        }
        let Some(function) = cycle(&callees).and_then(|index| self.functions.get(index)) else { return };
        let detail = format!("the function '{}' calls itself without end", shorten(function.name.clone(), MAX_PATH));
        facts.push(place(function.span.offset), FactKind::Anomaly { anomaly: Anomaly::Malformed, detail });
    }
}

/// A function from which calls lead back to it.
fn cycle(callees: &BTreeMap<usize, Vec<usize>>) -> Option<usize> {
    let mut done = BTreeSet::new();
    for start in callees.keys() {
        let mut path = vec![(*start, 0usize)];
        let mut open = BTreeSet::from([*start]);
        while let Some((at, next)) = path.last_mut() {
            let callee = callees.get(at).and_then(|list| list.get(*next)).copied();
            *next = next.saturating_add(1);
            match callee {
                Some(callee) if open.contains(&callee) => return Some(callee),
                Some(callee) if !done.contains(&callee) => {
                    open.insert(callee);
                    path.push((callee, 0));
                }
                Some(_) => {}
                None => {
                    let at = *at;
                    open.remove(&at);
                    done.insert(at);
                    path.pop();
                }
            }
        }
    }
    None
}

fn list(name: &str, constant: &Constant, offset: u64, facts: &mut Facts) {
    let (Some(shape), Some(elements)) = (constant.shape.known(), constant.shape.elements()) else { return };
    if elements < LEAST_WEIGHTS {
        return;
    }
    let dtype = dtype::name(constant.dtype).unwrap_or("unknown").to_owned();
    let bytes = Some(constant.content.map_or(constant.listed, |content| content.length));
    let name = shorten(name.to_owned(), MAX_NAME);
    facts.push(Position::Offset(offset), FactKind::Tensor(Tensor { name, dtype, shape, bytes }));
}

fn operator(name: &str, effect: Effect, count: u64, position: Position, facts: &mut Facts) {
    let operator = Operator { name: shorten(name.to_owned(), MAX_PATH), domain: String::new(), effect, count };
    facts.push(position, FactKind::Operator(operator));
}

/// Whether a file's name comes from where it may: nothing then; else what it is.
fn judge(way: Way, origins: &Origins) -> Option<Vec<String>> {
    let constants = || origins.constants.iter();
    let elsewhere: Vec<String> = constants().filter(|text| is_elsewhere(text)).cloned().collect();
    let is_known = elsewhere.is_empty() && !origins.is_computed;
    let is_ordinary = match way {
        Way::Saver(_) => is_known,
        // A table is filled once, from the asset; its constant still says where that was when the model was made.
        Way::Table(_) => is_known || origins.is_asset,
        Way::Cache(_) => is_known && !origins.is_given && constants().all(String::is_empty),
        _ => is_known && !origins.is_given && origins.is_asset,
    };
    if is_ordinary {
        return None;
    }
    let named =
        if elsewhere.is_empty() { constants().filter(|text| !text.is_empty()).cloned().collect() } else { elsewhere };
    Some(named)
}

/// Whether a file's name leads out of the folder it is used in.
pub(super) fn is_elsewhere(path: &str) -> bool {
    let drive = matches!(path.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    let climbs = path.split(['/', '\\']).any(|part| part == "..");
    // Savers compare their prefix with this pattern to know where they write.
    let is_pattern = path.starts_with("^s3://");
    !is_pattern && (drive || climbs || path.starts_with(['/', '\\', '~']) || path.contains("://"))
}

/// The nodes of one operator that reach the machine.
struct Reached {
    reach: &'static Reach,
    offset: u64,
    count: u64,
    paths: BTreeSet<String>,
    more: bool,
}

impl Reached {
    fn new(site: &Site) -> Self {
        Self { reach: site.reach, offset: site.span.offset, count: 0, paths: BTreeSet::new(), more: false }
    }

    fn add(&mut self, paths: Vec<String>) {
        self.count = self.count.saturating_add(1);
        for path in paths {
            if self.paths.len() < MAX_PATHS {
                self.paths.insert(shorten(path, MAX_PATH));
            } else {
                self.more |= !self.paths.contains(&path);
            }
        }
    }

    fn effect(&self) -> Effect {
        let Reach { what, critical, .. } = *self.reach;
        let paths = self.paths.iter().map(|path| format!("'{path}'")).collect::<Vec<_>>().join(", ");
        let more = if self.more { " and others" } else { "" };
        let what = if paths.is_empty() { what.into() } else { format!("{what} ({paths}{more})").into() };
        Effect::Reaches { what, critical }
    }
}
