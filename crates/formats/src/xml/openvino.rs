//! OpenVINO's intermediate representation: a graph in XML, and its constants in a file of numbers beside it.

use std::collections::{BTreeMap, HashSet};

use super::token::{Element, Run};
use super::{Visitor, inspect_xml, reader};
use crate::child::Role;
use crate::fact::{Anomaly, Effect, FactKind, Gap, Operator, Position, ReferenceKind, Tensor};
use crate::facts::{Facts, shorten};
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::source::Source;

/// The version of the representation that has sets of operators.
const FIRST_WITH_SETS: u64 = 10;
/// The newest version that is known.
const NEWEST: u64 = 11;
/// The newest set of operators that is known.
const NEWEST_SET: u32 = 16;
/// Different operators that are listed.
const MAX_OPERATORS: usize = 10_000;
/// Layers whose numbers are compared, over all graphs that are open.
const MAX_LAYERS: usize = 1 << 20;
/// Constants whose places are compared.
const MAX_CONSTANTS: usize = 1 << 20;
/// Facts of the runtime that are listed.
const MAX_INFORMATION: usize = 100;

/// Sets that the runtime brings with it beside the numbered ones.
const OWN_SETS: &[&str] = &["ie_internal_opset", "gpu_opset", "cpu_plugin_opset", "type_relaxed_opset", "util"];

static META: Meta = Meta {
    id: "openvino",
    title: "OpenVINO intermediate representation",
    extensions: &["xml"],
    depth: Depth::Full,
    reads: "every layer and its set of operators, the places of constants against their shapes, edges, information for the runtime",
    specification: "https://docs.openvino.ai/2025/documentation/openvino-ir-format/operation-sets.html",
};

/// The format.
#[derive(Debug)]
pub struct OpenVino;

pub(super) fn is_root(root: &str, tag: &str) -> bool {
    root == "net" && tag.contains("version=")
}

impl Format for OpenVino {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        if probe.role == Role::Numbers || !probe.head.contains(&b'<') {
            return None;
        }
        let root = reader::root_of(&probe.head);
        root.is_some_and(|(root, tag)| is_root(&root, &tag)).then_some(Certainty::Likely)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        inspect_xml(source, context, facts);
    }
}

/// One graph: the outermost, or the body of a loop or a condition.
#[derive(Debug, Default)]
struct Graph {
    /// How deep its list of layers lies.
    depth: usize,
    layers: HashSet<u64>,
    /// Whether more layers came than are compared.
    is_cut: bool,
}

/// What has been read so far.
#[derive(Debug, Default)]
pub(super) struct NetVisitor {
    weights: String,
    version: u64,
    graphs: Vec<Graph>,
    operators: BTreeMap<(String, String), (u64, u64)>,
    /// Name and kind of the layer that is open.
    layer: Option<(String, String)>,
    constants: Vec<(u64, u64)>,
    information: usize,
    is_cut: bool,
}

impl NetVisitor {
    pub(super) fn new(file: &str) -> Self {
        let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        Self { weights: format!("{stem}.bin"), ..Self::default() }
    }

    fn net(&mut self, element: &Element, facts: &mut Facts) {
        let version = element.attribute("version").unwrap_or_default();
        self.version = version.parse().unwrap_or(0);
        facts.property("version", version);
        if let Some(name) = element.attribute("name") {
            facts.property("name", shorten(name.to_owned(), 200));
        }
        if !(FIRST_WITH_SETS..=NEWEST).contains(&self.version) {
            let detail = format!("version '{}' of the representation", shorten(version.to_owned(), 50));
            facts.incomplete(element.offset, Gap::Unsupported, detail);
        }
    }

    fn layer(&mut self, element: &Element, facts: &mut Facts) {
        let text = |name: &str| shorten(element.attribute(name).unwrap_or_default().to_owned(), 200);
        let (kind, set) = (text("type"), text("version"));
        self.layer = Some((text("name"), kind.clone()));
        self.number(element, facts);
        let known = self.operators.len();
        match self.operators.get_mut(&(set.clone(), kind.clone())) {
            Some((count, _)) => *count = count.saturating_add(1),
            None if known < MAX_OPERATORS => {
                self.operators.insert((set, kind), (1, element.offset));
            }
            None => self.is_cut = true,
        }
    }

    /// Layers are told apart by their numbers; edges and readers find them by these.
    fn number(&mut self, element: &Element, facts: &mut Facts) {
        let numbered: usize = self.graphs.iter().map(|graph| graph.layers.len()).sum();
        let Some(graph) = self.graphs.last_mut() else { return };
        let Some(id) = element.attribute("id").and_then(|id| id.trim().parse().ok()) else {
            return facts.anomaly(element.offset, Anomaly::Malformed, "a layer without a number");
        };
        if numbered >= MAX_LAYERS {
            graph.is_cut = true;
        } else if !graph.layers.insert(id) {
            facts.anomaly(element.offset, Anomaly::DuplicateName, format!("two layers have the number {id}"));
        }
    }

    fn edge(&self, element: &Element, facts: &mut Facts) {
        let Some(graph) = self.graphs.last().filter(|graph| !graph.is_cut) else { return };
        for end in ["from-layer", "to-layer"] {
            let id: Option<u64> = element.attribute(end).and_then(|id| id.trim().parse().ok());
            if id.is_none_or(|id| !graph.layers.contains(&id)) {
                let detail =
                    format!("an edge's {end} is '{}', which no layer is", element.attribute(end).unwrap_or_default());
                facts.anomaly(element.offset, Anomaly::OutOfBounds, shorten(detail, 300));
            }
        }
    }

    /// `<data element_type="f32" shape="1,3" offset="0" size="12"/>`
    fn constant(&mut self, element: &Element, facts: &mut Facts) {
        let Some((name, _)) = self.layer.clone().filter(|(_, kind)| kind == "Const") else { return };
        let number = |key: &str| element.attribute(key).and_then(|text| text.trim().parse::<u64>().ok());
        let dtype = shorten(element.attribute("element_type").unwrap_or_default().to_owned(), 50);
        let shape = extents(element.attribute("shape").unwrap_or_default());
        let (Some(offset), Some(size), Some(shape)) = (number("offset"), number("size"), shape) else {
            return facts.anomaly(
                element.offset,
                Anomaly::Malformed,
                format!("the constant '{name}' has no place, size or shape"),
            );
        };
        if offset.checked_add(size).is_none() {
            facts.anomaly(element.offset, Anomaly::OutOfBounds, format!("the constant '{name}' ends past every file"));
        }
        self.check_size(element.offset, &name, &dtype, &shape, size, facts);
        if self.constants.len() < MAX_CONSTANTS {
            self.constants.push((offset, size));
        }
        let tensor = Tensor { name, dtype, shape, bytes: Some(size) };
        facts.push(Position::Offset(element.offset), FactKind::Tensor(tensor));
    }

    fn check_size(&self, at: u64, name: &str, dtype: &str, shape: &[u64], size: u64, facts: &mut Facts) {
        if dtype == "string" {
            return;
        }
        let Some(bits) = bits(dtype) else {
            let detail = format!("the constant '{name}' is of the type '{dtype}'");
            return facts.incomplete(at, Gap::Unsupported, detail);
        };
        let elements = shape.iter().try_fold(1u64, |product, extent| product.checked_mul(*extent));
        let expected = elements.and_then(|elements| elements.checked_mul(bits)).map(|bits| bits.div_ceil(8));
        if expected != Some(size) {
            let expected = expected.map_or("more than any file has".to_owned(), |bytes| bytes.to_string());
            let detail = format!("the constant '{name}' has {size} bytes where its shape makes {expected}");
            facts.anomaly(at, Anomaly::SizeMismatch, detail);
        }
    }

    /// Constants may share their bytes, since equal ones are written once; they do not start within each other.
    fn places(&mut self, facts: &mut Facts) {
        self.constants.sort_unstable();
        self.constants.dedup();
        let mut reach = (0u64, 0u64);
        for &(start, size) in self.constants.iter().filter(|(_, size)| *size > 0) {
            let end = start.saturating_add(size);
            if start < reach.1 && start > reach.0 {
                let detail = format!("the constants at {} and {start} of '{}' overlap", reach.0, self.weights);
                facts.anomaly(0, Anomaly::Overlap, detail);
                break;
            }
            if end > reach.1 {
                reach = (start, end);
            }
        }
        if reach.1 > 0 {
            facts.property("weights", format!("{} bytes in '{}'", reach.1, self.weights));
            let target = self.weights.clone();
            let kind = ReferenceKind::Numbers;
            facts.push(Position::Whole, FactKind::Reference { kind, target: target.clone() });
            let most = Some(reach.1).filter(|_| self.constants.len() < MAX_CONSTANTS);
            facts.push(Position::Whole, FactKind::FileSize { target, least: reach.1, most });
        }
    }

    fn information(&mut self, element: &Element, path: &[String], facts: &mut Facts) {
        let Some(value) = element.attribute("value").filter(|_| self.information < MAX_INFORMATION) else { return };
        self.information = self.information.saturating_add(1);
        let inner = path.iter().skip_while(|name| *name != "rt_info").map(String::as_str);
        let key = inner.chain([element.local()]).collect::<Vec<_>>().join(".");
        let kind = FactKind::Metadata { key: shorten(key, 200), value: shorten(value.to_owned(), 500) };
        facts.push(Position::Offset(element.offset), kind);
    }
}

impl Visitor for NetVisitor {
    fn start(&mut self, element: &Element, path: &[String], facts: &mut Facts) {
        match (path.last().map(String::as_str), element.local()) {
            (None, _) => self.net(element, facts),
            (_, "layers") => {
                // A graph ends with its edges, or when another begins where it was.
                self.graphs.retain(|graph| graph.depth < path.len());
                self.graphs.push(Graph { depth: path.len(), ..Graph::default() });
            }
            (Some("layers"), "layer") => self.layer(element, facts),
            (Some("edges"), "edge") => self.edge(element, facts),
            (Some("layer"), "data") => self.constant(element, facts),
            // Information about the model as a whole; each layer has some too, which is the compiler's own.
            _ if path.get(1).is_some_and(|name| name == "rt_info" || name == "meta_data") => {
                self.information(element, path, facts)
            }
            _ => {}
        }
    }

    fn end(&mut self, name: &str, path: &[String], _facts: &mut Facts) {
        match name {
            "layer" if path.last().is_some_and(|parent| parent == "layers") => self.layer = None,
            // The edges of a graph follow its layers.
            "edges" => drop(self.graphs.pop()),
            _ => {}
        }
    }

    fn text(&mut self, _run: &Run, _path: &[String], _facts: &mut Facts) {}

    fn finish(&mut self, facts: &mut Facts) {
        for ((set, kind), (count, offset)) in &self.operators {
            let effect =
                if is_known_set(set) || self.version < FIRST_WITH_SETS { Effect::Computes } else { Effect::Custom };
            let operator = Operator { name: kind.clone(), domain: set.clone(), effect, count: *count };
            facts.push(Position::Offset(*offset), FactKind::Operator(operator));
        }
        if self.is_cut {
            facts.incomplete(0, Gap::Limit, format!("more than {MAX_OPERATORS} different operators"));
        }
        self.places(facts);
    }
}

/// Whether the runtime has the operators of this set.
fn is_known_set(set: &str) -> bool {
    let number = set.strip_prefix("opset").and_then(|number| number.parse::<u32>().ok());
    number.is_some_and(|number| (1..=NEWEST_SET).contains(&number)) || OWN_SETS.contains(&set)
}

/// `1,3,224,224`; nothing for a scalar.
fn extents(text: &str) -> Option<Vec<u64>> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| part.parse().ok()).collect()
}

/// Bits of an element.
fn bits(dtype: &str) -> Option<u64> {
    Some(match dtype {
        "u1" => 1,
        "u2" => 2,
        "u3" => 3,
        "u4" | "i4" | "nf4" | "f4e2m1" => 4,
        "u6" => 6,
        "i8" | "u8" | "boolean" | "f8e4m3" | "f8e5m2" | "f8e8m0" => 8,
        "i16" | "u16" | "f16" | "bf16" => 16,
        "i32" | "u32" | "f32" => 32,
        "i64" | "u64" | "f64" => 64,
        _ => return None,
    })
}
