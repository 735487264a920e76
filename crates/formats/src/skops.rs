//! skops: scikit-learn's models as a zip of arrays and a `schema.json` of nodes. Each node names a class, and a loader of
//! its own (`__loader__`) that makes it; what is trusted is decided by the class, what is done by the loader.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::callable::judge_named;
use crate::configuration::found::Found;
use crate::fact::{Anomaly, Gap, Standing};
use crate::facts::{Facts, shorten};
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::json::{Event, Value, looks_like_json, walk};
use crate::source::Source;

/// Numbers of nodes that are remembered, to tell which are named and not there.
const MAX_IDS: usize = 1 << 20;
/// Oddities of one kind that are listed.
const MAX_LISTED: usize = 50;
/// Functions that make their caller look up or call something by name: what `OperatorFuncNode` is for.
const OPERATORS: &[&str] = &["attrgetter", "itemgetter", "methodcaller"];
/// Types of functions: a node of these says no more than that it is a function.
const FUNCTION_TYPES: &[&str] =
    &["function", "ufunc", "builtin_function_or_method", "cython_function_or_method", "cyfunction"];
/// Kinds of nodes, and the modules their classes are from; none where any will do.
const LOADERS: &[(&str, &[&str])] = &[
    ("JsonNode", &["builtins"]),
    ("ListNode", &["builtins"]),
    ("SetNode", &["builtins"]),
    ("SliceNode", &["builtins"]),
    ("BytesNode", &["builtins"]),
    ("BytearrayNode", &["builtins"]),
    ("DefaultDictNode", &["collections"]),
    ("PartialNode", &["functools"]),
    ("OperatorFuncNode", &["operator", "_operator"]),
    ("NdArrayNode", &["numpy"]),
    ("MaskedArrayNode", &["numpy"]),
    ("DTypeNode", &["numpy"]),
    ("RandomStateNode", &["numpy"]),
    ("RandomGeneratorNode", &["numpy"]),
    ("SparseMatrixNode", &["scipy"]),
    ("TreeNode", &["sklearn"]),
    ("LossNode", &["sklearn", "_loss"]),
    ("DictNode", &[]),
    ("TupleNode", &[]),
    ("ObjectNode", &[]),
    ("TypeNode", &[]),
    ("FunctionNode", &[]),
    ("MethodNode", &[]),
    ("CachedNode", &[]),
    ("ConstructorFromReduceNode", &[]),
    ("_DictWithDeprecatedKeysNode", &["sklearn"]),
    ("QuantileForestNode", &["quantile_forest"]),
    ("ReduceNode", &[]),
];

static META: Meta = Meta {
    id: "skops",
    title: "skops schema",
    extensions: &[],
    depth: Depth::Full,
    reads: "every node: its class, the loader that makes it and the file it is read from",
    specification: "https://skops.readthedocs.io/en/stable/persistence.html",
};

/// The format.
#[derive(Debug)]
pub struct Skops;

impl Format for Skops {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        looks_like_json(&probe.head)?;
        let name = probe.name.rsplit(['/', '\\', '!']).next().unwrap_or_default();
        let head = String::from_utf8_lossy(&probe.head);
        let tail = String::from_utf8_lossy(&probe.tail);
        let has = |key: &str| head.contains(key) || tail.contains(key);
        (has("\"__loader__\"") && (has("\"__module__\"") || name == "schema.json")).then_some(Certainty::Certain)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let mut reader = Reader::default();
        let outcome = walk(source, 0, u64::MAX, context.budget, &mut |event| reader.event(&event, facts));
        reader.finish(facts);
        outcome.report(facts);
    }
}

/// A node that is still open.
#[derive(Debug, Default)]
struct Node {
    depth: usize,
    class: Option<String>,
    module: Option<String>,
    loader: Option<String>,
    id: Option<String>,
    /// The name of the method, kept one level deeper than the node.
    function: Option<String>,
    /// `"content": {"module_path": …, "function": …}`: what a `FunctionNode` takes, whatever class the node says it is.
    content_module: Option<String>,
    content_function: Option<String>,
    /// Its content names a function, which has been judged.
    is_named: bool,
}

#[derive(Debug, Default)]
struct Reader {
    found: Found,
    open: Vec<Node>,
    ids: BTreeSet<u64>,
    wanted: Vec<(u64, String)>,
    /// Some node says how it is made.
    has_nodes: bool,
    odd: usize,
}

impl Reader {
    fn event(&mut self, event: &Event<'_>, facts: &mut Facts) {
        match event.value {
            Value::Object => self.open.push(Node { depth: event.path.len().saturating_add(1), ..Node::default() }),
            Value::ObjectEnd(_) => {
                if let Some(node) = self.open.pop() {
                    self.settle(&node, event.offset, facts);
                }
            }
            Value::Text(text) => self.text(event, text, facts),
            Value::Number(number) if event.key() == Some("__id__") => self.note(event, |node| &mut node.id, number),
            _ => {}
        }
    }

    fn text(&mut self, event: &Event<'_>, text: &str, facts: &mut Facts) {
        match event.key() {
            Some("__class__") => self.note(event, |node| &mut node.class, text),
            Some("__module__") => self.note(event, |node| &mut node.module, text),
            Some("__loader__") => self.note(event, |node| &mut node.loader, text),
            Some("__id__") => self.note(event, |node| &mut node.id, text),
            Some("func") => self.note(event, |node| &mut node.function, text),
            Some("module_path") => self.note(event, |node| &mut node.content_module, text),
            Some("function") => self.note(event, |node| &mut node.content_function, text),
            Some("file") if text.contains(['/', '\\']) => {
                let detail = format!("a node is read from '{}'", text.chars().take(200).collect::<String>());
                self.anomaly(event.offset, Anomaly::PathTraversal, detail, facts);
            }
            Some("protocol" | "_skops_version") if event.path.len() == 1 => facts.property("skops_version", text),
            _ => {}
        }
    }

    fn note(&mut self, event: &Event<'_>, place: impl Fn(&mut Node) -> &mut Option<String>, text: &str) {
        if let Some(node) = self.open.last_mut().filter(|node| node.depth == event.path.len()) {
            *place(node) = Some(shorten(text.chars().take(301).collect(), 300));
        }
    }

    fn settle(&mut self, node: &Node, offset: u64, facts: &mut Facts) {
        // `"content": {"func": …, "obj": …}` belongs to the node around it.
        if let (Some(function), None, Some(parent)) = (&node.function, &node.loader, self.open.last_mut()) {
            parent.function = Some(function.clone());
        }
        if let (Some(module), Some(function)) = (&node.content_module, &node.content_function) {
            let path = format!("{module}.{function}");
            self.found.judged(offset, &path, judge_named(module, function), &format!("content: {path}"));
            if let (None, Some(parent)) = (&node.loader, self.open.last_mut()) {
                parent.is_named = true;
            }
        }
        let Some(loader) = &node.loader else { return };
        self.has_nodes = true;
        self.number(node, loader, offset);
        let (Some(class), Some(module)) = (&node.class, &node.module) else {
            // Its loader stops there; what it would have done stays unknown.
            let detail = format!("a node is made by {loader} and does not say of which class and module");
            return self.anomaly(offset, Anomaly::Broken, detail, facts);
        };
        let path = format!("{module}.{class}");
        let expression = format!("{loader}: {path}");
        let standing = match loader.as_str() {
            // Older versions wrote the type of the function here; what was taken is what the content names.
            "FunctionNode" if node.is_named && FUNCTION_TYPES.contains(&class.as_str()) => {
                return self.compare(loader, module, class, offset, facts);
            }
            "JsonNode" | "CachedNode" => return self.compare(loader, module, class, offset, facts),
            "OperatorFuncNode" if !is_operator(module, class) => {
                dangerous("calls any function by its name (CVE-2025-54412)")
            }
            "MethodNode" if node.function.as_deref().is_some_and(leads_on) => {
                dangerous("reaches any attribute through a method's name (CVE-2025-54413)")
            }
            "TypeNode" | "TupleNode" | "DictNode" | "ListNode" | "SetNode" => of_data(module, class),
            "NdArrayNode" if module == "numpy" => of_data(module, class),
            _ => judge_named(module, class),
        };
        self.found.judged(offset, &path, standing, &expression);
        self.compare(loader, module, class, offset, facts);
    }

    /// What an audit is shown is the class; what is done is the loader's.
    fn compare(&mut self, loader: &str, module: &str, class: &str, offset: u64, facts: &mut Facts) {
        let root = module.split('.').next().unwrap_or(module);
        match LOADERS.iter().find(|(known, _)| *known == loader) {
            None => facts.incomplete(offset, Gap::Unsupported, format!("nodes of the kind {loader} are not known")),
            Some((_, modules)) if modules.is_empty() || modules.contains(&root) => {}
            Some(_) => {
                let detail = format!("a node says it is {module}.{class} and is made by {loader}");
                self.anomaly(offset, Anomaly::ReaderDisagreement, detail, facts);
            }
        }
    }

    /// `CachedNode` stands for a node met before.
    fn number(&mut self, node: &Node, loader: &str, offset: u64) {
        let Some(id) = &node.id else { return };
        if loader == "CachedNode" {
            if self.wanted.len() < MAX_LISTED && !self.ids.contains(&hash(id)) {
                self.wanted.push((offset, id.clone()));
            }
        } else if self.ids.len() < MAX_IDS {
            self.ids.insert(hash(id));
        }
    }

    fn anomaly(&mut self, offset: u64, anomaly: Anomaly, detail: String, facts: &mut Facts) {
        self.odd = self.odd.saturating_add(1);
        if self.odd <= MAX_LISTED {
            facts.anomaly(offset, anomaly, detail);
        }
    }

    fn finish(&mut self, facts: &mut Facts) {
        if !self.has_nodes {
            facts.anomaly(0, Anomaly::Broken, "no node says how it is made");
        }
        for (offset, id) in std::mem::take(&mut self.wanted) {
            if !self.ids.contains(&hash(&id)) {
                let detail = format!("a node stands for node {id}, which is not there");
                facts.anomaly(offset, Anomaly::Broken, detail);
            }
        }
        self.found.finish(facts);
    }
}

fn dangerous(effect: &str) -> Standing {
    Standing::Dangerous { effect: effect.to_owned(), critical: true }
}

fn is_operator(module: &str, class: &str) -> bool {
    matches!(module, "operator" | "_operator") && OPERATORS.contains(&class)
}

/// A method's name that leads on to something else than a method.
fn leads_on(name: &str) -> bool {
    name.contains('.') || name.starts_with("__")
}

/// Types of Python and of NumPy that are nothing but data.
fn of_data(module: &str, class: &str) -> Standing {
    const BUILTINS: &[&str] = &[
        "bool",
        "bytearray",
        "bytes",
        "complex",
        "dict",
        "float",
        "frozenset",
        "int",
        "list",
        "NoneType",
        "object",
        "set",
        "slice",
        "str",
        "tuple",
        "type",
        "range",
        "ellipsis",
    ];
    let reason = "A type of plain data.";
    let is_plain = module == "builtins" && BUILTINS.contains(&class);
    let is_number = module == "numpy"
        && class.trim_end_matches('_').trim_end_matches(|c: char| c.is_ascii_digit()).len() > 2
        && [
            "bool",
            "float",
            "int",
            "uint",
            "complex",
            "str",
            "bytes",
            "object",
            "datetime",
            "timedelta",
            "longdouble",
            "ndarray",
            "void",
            "intc",
            "half",
            "single",
            "double",
        ]
        .iter()
        .any(|known| class.starts_with(known));
    if is_plain || is_number { Standing::Inert { reason: reason.into() } } else { judge_named(module, class) }
}

/// A number that stands for an id: ids may be texts of any length, and there may be a million.
fn hash(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::FactKind;
    use crate::testing::{inspect, mutate, oddities};

    fn node(class: &str, module: &str, loader: &str, more: &str) -> String {
        format!(r#"{{"__class__": "{class}", "__module__": "{module}", "__loader__": "{loader}", "__id__": 1{more}}}"#)
    }

    fn found(schema: &str) -> (Vec<String>, Vec<String>) {
        let facts = inspect(&Skops, "schema.json", schema.as_bytes());
        let callables = facts.list().iter().filter_map(|fact| match &fact.kind {
            FactKind::Callable(callable) => match callable.standing {
                Standing::Inert { .. } => None,
                Standing::Dangerous { .. } => Some(format!("dangerous {}.{}", callable.module, callable.name)),
                _ => Some(format!("{}.{}", callable.module, callable.name)),
            },
            _ => None,
        });
        (callables.collect(), oddities(&facts))
    }

    #[test]
    fn a_schema_of_which_no_node_can_be_made_is_broken() {
        let text =
            br#"{"__module__":"sklearn.pipeline","__loader__":0,"content":{"obj":{"__class__":"py"}},"protocol":1}"#;
        assert!(inspect(&Skops, "schema.json", text).has_anomaly(Anomaly::Broken));
    }

    #[test]
    fn estimators_are_ordinary() {
        let content = node("dict", "builtins", "DictNode", r#", "content": {}"#);
        let schema = node(
            "LogisticRegression",
            "sklearn.linear_model._logistic",
            "ObjectNode",
            &format!(r#", "content": {content}"#),
        );
        assert_eq!(found(&schema), (vec![], vec![]));
        assert_eq!(found(&node("int64", "numpy", "TypeNode", "")), (vec![], vec![]));
    }

    #[test]
    fn functions_are_judged() {
        assert_eq!(found(&node("system", "os", "FunctionNode", "")).0, ["dangerous os.system"]);
        assert_eq!(found(&node("Net", "mine", "ObjectNode", "")).0, ["mine.Net"]);
    }

    #[test]
    fn a_function_is_what_its_content_names() {
        let content = r#", "content": {"module_path": "os", "function": "system"}"#;
        assert_eq!(found(&node("int", "builtins", "FunctionNode", content)).0, ["dangerous os.system"]);
        let content = r#", "content": {"module_path": "numpy", "function": "log1p"}"#;
        assert_eq!(found(&node("system", "os", "FunctionNode", content)).0, ["dangerous os.system"]);
        assert_eq!(found(&node("ufunc", "numpy", "FunctionNode", content)).0, [""; 0]);
    }

    #[test]
    fn cve_2025_54412_any_function_by_operator() {
        let (callables, odd) = found(&node("call", "builtins", "OperatorFuncNode", r#", "attrs": {}"#));
        assert_eq!(callables, ["dangerous builtins.call"]);
        assert_eq!(odd, ["ReaderDisagreement@0"]);
        assert_eq!(found(&node("call", "operator", "OperatorFuncNode", "")).0, ["dangerous operator.call"]);
    }

    #[test]
    fn cve_2025_54413_any_attribute_by_method() {
        let content = r#", "content": {"func": "__init__.__globals__", "obj": {}}"#;
        let (callables, _) = found(&node("Pipeline", "sklearn.pipeline", "MethodNode", content));
        assert_eq!(callables, ["dangerous sklearn.pipeline.Pipeline"]);
    }

    #[test]
    fn a_class_and_its_loader_must_agree() {
        assert_eq!(found(&node("system", "os", "JsonNode", r#", "content": "1""#)).1, ["ReaderDisagreement@0"]);
        assert_eq!(found(&node("x", "y", "EvilNode", "")).1, ["Unsupported@0"]);
    }

    #[test]
    fn files_and_numbers_lead_somewhere() {
        assert_eq!(found(&node("ndarray", "numpy", "NdArrayNode", r#", "file": "../../x.npy""#)).1.len(), 1);
        let schema = r#"[{"__class__": "a", "__module__": "b", "__loader__": "CachedNode", "__id__": 7}]"#;
        assert_eq!(found(schema).1, ["Broken@1"]);
    }

    /// Found by fuzzing: a node that loses its class was passed over in silence.
    #[test]
    fn a_node_without_a_class_is_told() {
        for key in ["__class__", "__module__"] {
            let schema = node("ndarray", "numpy", "NdArrayNode", "").replace(key, "__other__");
            assert_eq!(found(&schema).1.len(), 1, "{schema}");
        }
    }

    #[test]
    fn no_mutation_panics() {
        let seed = node(
            "Pipeline",
            "sklearn.pipeline",
            "MethodNode",
            r#", "content": {"func": "a.b", "obj": {"file": "../x"}}"#,
        );
        mutate(seed.as_bytes(), 2000, |bytes| drop(inspect(&Skops, "schema.json", &bytes)));
    }
}
